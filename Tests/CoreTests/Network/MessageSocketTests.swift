import Core
import Glibc
import Testing

@Suite struct MessageSocketTests {
    @Test func messagesStayWholeAndInOrder() throws {
        let (first, second) = try MessageSocket.pair()
        defer { second.close() }
        #expect(second.receive() == .wouldBlock)
        let long = [UInt8](repeating: 7, count: Core.Limits.messageBytesMax)
        #expect(first.send([1, 2, 3]) == .sent)
        #expect(first.send(long) == .sent)
        #expect(second.receive() == .message([1, 2, 3], descriptors: []))
        #expect(second.receive() == .message(long, descriptors: []))
        first.close()
        #expect(second.receive() == .ended)
        #expect(second.send([1]) == .failed(EPIPE))
    }

    @Test(arguments: [1, 2, Core.Limits.messageDescriptorsMax]) func descriptorsStandForTheSameSocket(
        count: Int
    ) throws {
        let (first, second) = try MessageSocket.pair()
        let listener = try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: 0)!, sharesPort: false)
        defer { for socket in [first, second] { socket.close() } }
        #expect(first.send([1], descriptors: Array(repeating: listener.descriptor, count: count)) == .sent)
        listener.close()
        guard case .message([1], let received) = second.receive() else {
            Issue.record("no message")
            return
        }
        #expect(received.count == count && Set(received).count == count)
        #expect(received.allSatisfy { fcntl($0, F_GETFD) == FD_CLOEXEC })
        let address = try #require(Socket(descriptor: received[0]).localAddress)
        let client = try Socket.connect(to: address)
        defer { client.close() }
        for number in received.dropLast() { close(number) }
        guard case .accepted(let accepted, _) = Socket(descriptor: try #require(received.last)).accept() else {
            Issue.record("it does not listen")
            return
        }
        accepted.close()
        close(try #require(received.last))
    }

    @Test func waitsForRoomAndForMessages() throws {
        let (first, second) = try MessageSocket.pair()
        defer { for socket in [first, second] { socket.close() } }
        #expect(second.receive(until: .now()) == .wouldBlock)
        let message = [UInt8](repeating: 1, count: 30_000)
        var sentCount = 0
        while first.send(message) == .sent { sentCount += 1 }
        #expect(sentCount > 1 && first.send(message) == .wouldBlock)
        for _ in 0..<sentCount { #expect(second.receive(until: .distantFuture) == .message(message, descriptors: [])) }
        #expect(first.send(message) == .sent)
    }

    @Test func whatIsTooLongIsNoMessage() throws {
        let (first, second) = try MessageSocket.pair()
        defer { for socket in [first, second] { socket.close() } }
        let long = [UInt8](repeating: 1, count: Core.Limits.messageBytesMax + 1)
        #expect(
            unsafe long.withUnsafeBytes { unsafe send(first.descriptor, $0.baseAddress, $0.count, 0) } == long.count)
        #expect(second.receive() == .tooLong)
    }

    @Test func onlySuchASocketIsInherited() throws {
        let (first, second) = try MessageSocket.pair()
        defer { for socket in [first, second] { socket.close() } }
        #expect(MessageSocket.inherited(first.descriptor) == first)
        #expect(fcntl(first.descriptor, F_GETFD) == FD_CLOEXEC)
        #expect(MessageSocket.inherited(-1) == nil)
        let other = try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: 0)!, sharesPort: false)
        defer { other.close() }
        #expect(MessageSocket.inherited(other.descriptor) == nil)
    }
}
