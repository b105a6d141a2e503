import CLinux
import Core
import Glibc
import Testing

@Suite struct DatagramSocketTests {
    private func isNonBlockingAndPrivate(_ socket: DatagramSocket) -> Bool {
        fcntl(socket.descriptor, F_GETFL) & O_NONBLOCK != 0 && fcntl(socket.descriptor, F_GETFD) & FD_CLOEXEC != 0
    }

    @Test(arguments: Loopback.hosts) func opensWhatAWorkerNeeds(host: String) throws {
        let listener = try Datagrams.listen(host)
        let connection = try DatagramSocket.connect(to: listener.address)
        defer { listener.socket.close(); connection.close() }
        #expect(listener.address.host == host && listener.address.port != 0)
        #expect(connection.localAddress?.host == host)
        for socket in [listener.socket, connection] {
            #expect(isNonBlockingAndPrivate(socket))
            #expect(Datagrams.option(socket, Int32(IPPROTO_UDP), UDP_GRO) == 1)
            #expect(
                Datagrams.option(socket, SOL_SOCKET, SO_REUSEADDR) == 0, "it would share its port with other processes")
            #expect(Datagrams.option(socket, SOL_SOCKET, SO_REUSEPORT) == 0)
        }
        for queue in [SO_RCVBUF, SO_SNDBUF] {
            let common = Datagrams.option(connection, SOL_SOCKET, queue)
            #expect(Datagrams.option(listener.socket, SOL_SOCKET, queue) >= common)
        }
    }

    @Test(.enabled(if: Loopback.hosts.contains(Loopback.ipv6))) func ipv6LeavesThePortOfIPv4Alone() throws {
        let six = try Datagrams.listen("::")
        defer { six.socket.close() }
        #expect(Datagrams.option(six.socket, Int32(IPPROTO_IPV6), IPV6_V6ONLY) == 1)
        let anyFour = try #require(SocketAddress(literal: "0.0.0.0", port: six.address.port))
        let four = try DatagramSocket.listen(on: anyFour, sharesPort: false)
        four.close()
    }

    @Test(arguments: Loopback.hosts) func aTakenPortIsRefusedByName(host: String) throws {
        let listener = try Datagrams.listen(host)
        defer { listener.socket.close() }
        for sharesPort in [false, true] {
            let error = #expect(throws: SystemError.self) {
                try DatagramSocket.listen(on: listener.address, sharesPort: sharesPort)
            }
            #expect(error == SystemError("bind \(listener.address) for datagrams", code: EADDRINUSE))
        }
    }

    @Test func nonLocalAddressIsRefusedByName() throws {
        let foreign = try #require(SocketAddress(literal: "203.0.113.1", port: 0))
        let error = #expect(throws: SystemError.self) { try DatagramSocket.listen(on: foreign, sharesPort: false) }
        #expect(error == SystemError("bind 203.0.113.1:0 for datagrams", code: EADDRNOTAVAIL))
    }

    /// Sockets of Apus may not send to a broadcast address.
    @Test func refusedTargetIsNamed() throws {
        let broadcast = try #require(SocketAddress(literal: "255.255.255.255", port: 9))
        let error = #expect(throws: SystemError.self) { try DatagramSocket.connect(to: broadcast) }
        #expect(error == SystemError("connect to 255.255.255.255:9 for datagrams", code: EACCES))
    }

    /// Each worker has a socket of its own on the same port; each datagram reaches one of them, and all of one client
    /// the same one.
    @Test(arguments: Loopback.hosts) func workersShareAPort(host: String) throws {
        let anyPort = try #require(SocketAddress(literal: host, port: 0))
        let first = try DatagramSocket.listen(on: anyPort, sharesPort: true)
        let address = try #require(first.localAddress)
        let second = try DatagramSocket.listen(on: address, sharesPort: true)
        defer { first.close(); second.close() }
        let clients = try (0..<32).map { _ in try DatagramSocket.connect(to: address) }
        for client in clients {
            #expect(Datagrams.send([1], over: client) && Datagrams.send([2], over: client))
            client.close()
        }
        var datagramCount = 0
        let batch = DatagramBatch(capacity: 64)
        for socket in [first, second] {
            while case .messages(let count) = batch.receive(from: socket) {
                #expect(count % 2 == 0)
                datagramCount += count
            }
        }
        #expect(datagramCount == 64)
    }

    @Test func aBadDescriptorTraps() async {
        #expect(DatagramSocket(descriptor: -1).localAddress == nil)
        await #expect(processExitsWith: .failure) { DatagramSocket(descriptor: -1).close() }
    }
}
