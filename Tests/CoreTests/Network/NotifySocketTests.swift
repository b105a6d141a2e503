import Glibc
import TestRuns
import Testing

@testable import Core

@Suite struct NotifySocketTests {
    @Test(arguments: [false, true]) func sendsDatagrams(isAbstract: Bool) throws {
        let receiver = try NotifyReceiver(isAbstract: isAbstract)
        let socket = try NotifySocket(receiver.address)
        defer { socket.close() }
        #expect(socket.send("READY=1\nSTATUS=Zürich") == .sent)
        #expect(socket.send("WATCHDOG=1") == .sent)
        #expect(receiver.next() == ["READY=1", "STATUS=Zürich"])
        #expect(receiver.next() == ["WATCHDOG=1"])
    }

    @Test(arguments: ["", "@", "relative", "vsock:2:1234", "/" + String(repeating: "x", count: unixPathBytesMax)])
    func refusesOtherAddresses(_ address: String) {
        #expect(throws: SystemError.self) { try NotifySocket(address) }
    }

    @Test func doesNotWaitForTheReceiver() throws {
        let receiver = try NotifyReceiver()
        let socket = try NotifySocket(receiver.address)
        defer { socket.close() }
        var sent = 0
        while sent < 1_000_000, socket.send("\(sent)") == .sent { sent += 1 }
        #expect(socket.send("one more") == .wouldBlock)
        #expect(receiver.next() == ["0"])
        #expect(socket.send("one more") == .sent)
    }

    /// As when the service manager is started anew.
    @Test func findsTheSocketAgain() throws {
        let path = TestRun.newPath()
        let socket = try NotifySocket(path)
        defer { socket.close() }
        guard case .failed(let error) = socket.send("nobody") else { Issue.record("sent to nobody"); return }
        #expect(error.code == ENOENT && error.description.contains(path))
        let receiver = try NotifyReceiver()
        let isMoved = unsafe rename(receiver.address, path) == 0
        try #require(isMoved)
        defer { UnixPath.remove(path) }
        #expect(socket.send("somebody") == .sent && receiver.next() == ["somebody"])
    }
}
