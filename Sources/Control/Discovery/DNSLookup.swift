import Core
import DNS

/// Questions to one name server: the sockets of a `DNSChannel` in the poller of the control thread, and its time in the
/// timers of that thread.
///
/// Shape:  one object of the control thread, which lives until it is cancelled.
/// Limits: `Limits.dnsQuestionsMax` questions at once, and `Limits.dnsLookupTime` for all of them.
final class DNSLookup: PollHandler {
    private let loop: ControlLoop
    private let report: (DNSResolution.Answer, DNSResolution.Question) -> Void
    private let deadline: Instant
    /// The channel; nil once it is cancelled, or if there is none.
    private var channel: DNSChannel?
    private var mistake: String?
    private var timer = Token.none
    private var sockets: [Token: Int32] = [:]
    private var tokens: [Int32: Token] = [:]
    private var questionCount = 0
    private var open: [Int: DNSResolution.Question] = [:]
    private var waiting: [DNSResolution.Question] = []
    private var isCancelled = false
    private var isTakeWaiting = false

    /// Nothing is asked yet. `report` is called with each answer, never within `ask`.
    init(
        of server: SocketAddress, loop: ControlLoop,
        report: @escaping (DNSResolution.Answer, DNSResolution.Question) -> Void
    ) {
        self.loop = loop
        self.report = report
        deadline = loop.now + Limits.dnsLookupTime
        timer = loop.add(self, descriptor: nil)
        do throws(DNSChannelError) {
            channel = try DNSChannel(to: server) { [weak self] descriptor, interest in
                self?.watch(descriptor, interest)
            }
        } catch { mistake = "cannot be asked: \(error.reason)" }
    }

    /// Asks; the answer is reported.
    func ask(_ questions: [DNSResolution.Question]) {
        waiting += questions
        goOn()
    }

    /// Ends it: nothing is reported any more.
    func cancel() {
        isCancelled = true
        // Its sockets are taken out of the loop within this.
        channel = nil
        loop.remove(timer)
        waiting = []
        open = [:]
    }

    func ready(_ ready: Poller.Ready, now: Instant) {
        guard let descriptor = sockets[ready.token] else { return }
        channel?.process(descriptor, isReadable: ready.isReadable, isWritable: ready.isWritable)
        take()
    }

    func timerFired(now: Instant) {
        guard now < deadline else { return expire() }
        channel?.processTimeouts()
        take()
    }

    private func watch(_ descriptor: Int32, _ interest: DNSChannel.Interest) {
        if let token = tokens.removeValue(forKey: descriptor) {
            sockets[token] = nil
            loop.remove(token)
        }
        let kind: Poller.Interest
        switch interest {
        case .nothing: return
        case .readable: kind = .readable
        case .readableOrWritable: kind = .readableOrWritable
        }
        let token = loop.add(self, descriptor: descriptor, interest: kind)
        tokens[descriptor] = token
        sockets[token] = descriptor
    }

    /// Sends what waits, as far as the server is to be asked at once.
    private func goOn() {
        while !waiting.isEmpty, open.count < Limits.dnsQuestionsMax {
            let question = waiting.removeFirst()
            questionCount += 1
            open[questionCount] = question
            channel?.ask(question.name, question.type, number: questionCount)
        }
        if let left = channel?.timeLeft { loop.schedule(timer, at: min(deadline, loop.now + left)) }
        // What fails at once is answered by now.
        guard !isTakeWaiting else { return }
        isTakeWaiting = true
        loop.afterBatch { [weak self] in
            self?.isTakeWaiting = false
            self?.take()
        }
    }

    private func take() {
        guard !isCancelled else { return }
        guard let channel else { return expire() }
        let answers = channel.takeAnswers()
        for answer in answers {
            guard let question = open.removeValue(forKey: answer.question) else { continue }
            report(Self.read(answer), question)
            if isCancelled { return }
        }
        if !answers.isEmpty {
            goOn()
        } else if let left = channel.timeLeft {
            loop.schedule(timer, at: min(deadline, loop.now + left))
        }
    }

    /// Answers all that is open.
    private func expire() {
        let all = open.values + waiting
        open = [:]
        waiting = []
        for question in all where !isCancelled { report(.failed(mistake ?? "does not answer in time"), question) }
    }

    private static func read(_ answer: DNSChannel.Answer) -> DNSResolution.Answer {
        switch answer.message {
        case .bytes(let bytes):
            do throws(DNSMessage.Mistake) { return .message(try DNSMessage(bytes)) } catch {
                return .failed("sends an answer that cannot be read: \(error.rawValue)")
            }
        case .failed(.noAnswer): return .failed("does not answer")
        case .failed(.unreachable): return .failed("cannot be reached")
        case .failed(.other(let reason)): return .failed("cannot be asked: \(reason)")
        }
    }
}
