import Glibc
import Testing

@testable import Core

@Suite struct PassedSocketTests {
    private func refusal(_ descriptor: Int32) -> String {
        do throws(SystemError) {
            _ = try PassedSocket(descriptor: descriptor, name: "web")
            return ""
        } catch {
            return error.description
        }
    }

    @Test(arguments: Loopback.hosts) func duplicatesShareOneQueue(host: String) throws {
        let listener = try Loopback.listen(host)
        defer { listener.socket.close() }
        _ = fcntl(listener.socket.descriptor, F_SETFL, 0)
        let passed = try PassedSocket(descriptor: listener.socket.descriptor, name: "web")
        #expect(passed.address == listener.address && passed.carries == .connections && passed.name == "web")
        #expect(fcntl(listener.socket.descriptor, F_GETFL) & O_NONBLOCK != 0)
        #expect(fcntl(listener.socket.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        let sockets = try (0..<3).map { _ in try passed.accepting() }
        for socket in sockets {
            #expect(socket.localAddress == listener.address && fcntl(socket.descriptor, F_GETFD) & FD_CLOEXEC != 0)
            let client = try Socket.connect(to: listener.address)
            try Loopback.accept(from: socket).close()
            client.close()
            socket.close()
        }
        guard case .wouldBlock = listener.socket.accept() else { throw Unexpected("a connection came twice") }
    }

    @Test(arguments: Loopback.hosts) func receivesDatagrams(host: String) throws {
        let address = try #require(SocketAddress(literal: host, port: 0))
        let receiver = try DatagramSocket.listen(on: address, sharesPort: true)
        defer { receiver.close() }
        let passed = try PassedSocket(descriptor: receiver.descriptor, name: "")
        #expect(passed.address == receiver.localAddress && passed.carries == .datagrams)
        let socket = try passed.receiving(joinsDatagrams: false)
        #expect(socket.localAddress == passed.address && socket.descriptor != receiver.descriptor)
        socket.close()
    }

    @Test func refusesWhatNoListenerCanUse() throws {
        #expect(refusal(-1).contains("no socket"))
        let folder = try TemporaryFolder()
        let unix = try Socket.listen(onUnixPath: folder["a.sock"], mode: 0o600)
        defer { unix.close() }
        #expect(refusal(unix.descriptor).contains("no socket that is bound to an address"))
        let bound = try Socket.bind(to: #require(SocketAddress(literal: "127.0.0.1", port: 0)), sharesPort: false)
        defer { bound.close() }
        #expect(refusal(bound.descriptor).contains("Accept=no"))
        let unbound = Glibc.socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)
        defer { Socket(descriptor: unbound).close() }
        #expect(refusal(unbound).contains("bound"))
    }
}
