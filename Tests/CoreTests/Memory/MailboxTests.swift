import Core
import Glibc
import Testing

@Suite struct MailboxTests {
    private func wasSignalled<Message>(_ mailbox: Mailbox<Message>) -> Bool {
        var watched = pollfd(fd: mailbox.wakeup.descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&watched, 1, 0) == 1
    }

    @Test func deliversInOrderAndOnce() {
        let mailbox = Mailbox<Int>()
        #expect(mailbox.takeAll().isEmpty && !wasSignalled(mailbox))
        for number in 1...5 { mailbox.send(number) }
        #expect(wasSignalled(mailbox))
        #expect(mailbox.takeAll() == [1, 2, 3, 4, 5])
        #expect(!wasSignalled(mailbox))
        #expect(mailbox.takeAll().isEmpty)
        mailbox.send(6)
        #expect(wasSignalled(mailbox), "the first message after an empty mailbox signals again")
        #expect(mailbox.takeAll() == [6])
    }

    /// Several threads send while one takes whenever its poller wakes it: no message is lost, duplicated, out of its
    /// sender's order, or left without a signal.
    @Test func takesFromManyThreads() {
        let senderCount = 4, messageCount = 5000
        let mailbox = Mailbox<(sender: Int, number: Int)>()
        var poller = Poller()
        poller.add(mailbox.wakeup.descriptor, token: .none, interest: .readable)
        let threads = (0..<senderCount).map { sender in
            Thread.start(name: "sender \(sender)") {
                for number in 0..<messageCount { mailbox.send((sender, number)) }
            }
        }
        var next = [Int](repeating: 0, count: senderCount)
        var outOfOrder = 0
        while next.reduce(0, +) < senderCount * messageCount {
            let now = Instant.now()
            let count = poller.wait(until: now + 10_000_000_000, now: now)
            #expect(count == 1, "a message waits and the receiver was not signalled")
            if count == 0 { break }
            for (sender, number) in mailbox.takeAll() {
                if number != next[sender] { outOfOrder += 1 }
                next[sender] = number + 1
            }
        }
        for thread in threads { thread.join() }
        #expect(outOfOrder == 0)
        #expect(next == [Int](repeating: messageCount, count: senderCount))
        #expect(mailbox.takeAll().isEmpty)
    }

    /// Messages are freed with the mailbox.
    @Test func freesUnreadMessages() {
        final class Letter: Sendable {}
        weak var seen: Letter?
        do {
            let mailbox = Mailbox<Letter>()
            let letter = Letter()
            seen = letter
            mailbox.send(letter)
        }
        #expect(seen == nil)
    }
}
