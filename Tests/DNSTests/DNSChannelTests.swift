import Core
import Testing

@testable import DNS

/// Questions to a server, where none is: what c-ares does before it has an answer.
@Suite struct DNSChannelTests {
    @Test func socketsAreToldAndTakenBack() throws {
        var watched: [Int32: DNSChannel.Interest] = [:]
        let server = try #require(SocketAddress(literal: "127.0.0.1", port: 9))
        do {
            let channel = try DNSChannel(to: server) { descriptor, interest in
                watched[descriptor] = interest == .nothing ? nil : interest
            }
            #expect(channel.timeLeft == nil && watched.isEmpty)
            channel.ask("web.test", .a, number: 7)
            #expect(try #require(channel.timeLeft) > 0)
            #expect(Array(watched.values) == [.readable])
            #expect(channel.takeAnswers().isEmpty)
        }
        #expect(watched.isEmpty, "what is open is taken back before it is closed")
    }

    /// A name that cannot be sent is answered at once.
    @Test func namesThatCannotBeAreRefused() throws {
        let server = try #require(SocketAddress(literal: "::1", port: 9))
        let channel = try DNSChannel(to: server) { _, _ in }
        channel.ask("a..b", .srv, number: 3)
        let answer = try #require(channel.takeAnswers().first)
        guard answer.question == 3, case .failed(.other(let reason)) = answer.message else {
            Issue.record("\(answer)")
            return
        }
        #expect(!reason.isEmpty && channel.timeLeft == nil)
    }
}
