import CCares
import Core

/// Questions to one name server.
///
/// It never waits. The owner watches the sockets that `watch` names and calls `process` when one is ready, calls
/// `processTimeouts` when `timeLeft` is over, and takes the answers after each of these and after `ask`.
///
/// Shape:  one object of one thread. Sockets are opened for the first question and closed with the last one, each with
///         a port of its own, so that whoever forges answers has to guess it.
/// Limits: a question is sent `Limits.questionTries` times. The owner limits how many there are.
/// Source: ares_query(3), ares_process_fd(3), ares_timeout(3).
@safe public final class DNSChannel {
    /// For what a socket of the channel is to be watched, level-triggered.
    public enum Interest {
        /// Not any more: it is closed next.
        case nothing
        /// Until something can be read.
        case readable
        /// Until something can be read or written.
        case readableOrWritable
    }

    /// Why there is no answer.
    public enum Failure: Equatable, Sendable {
        /// The server has said nothing in time.
        case noAnswer
        /// Nothing listens there, or there is no way to it.
        case unreachable
        /// Something else, in words of c-ares.
        case other(String)
    }

    /// What came of a question.
    public struct Answer: Equatable, Sendable {
        /// The number that `ask` was given.
        public let question: Int
        /// The bytes of the server's message, whatever it says, or why there are none.
        public let message: Result
        /// Either of both.
        public enum Result: Equatable, Sendable {
            /// What the server has sent.
            case bytes([UInt8])
            /// It has sent nothing that belongs to the question.
            case failed(Failure)
        }
    }

    /// What callbacks of c-ares write to, which outlives the channel's own end.
    @safe private final class Record {
        let watch: (Int32, Interest) -> Void
        var answers: [Answer] = []

        init(_ watch: @escaping (Int32, Interest) -> Void) { self.watch = watch }
    }

    /// A question that has not been answered.
    @safe private final class Question {
        let number: Int
        let record: Record

        init(_ number: Int, _ record: Record) {
            self.number = number
            self.record = record
        }
    }

    /// c-ares wants to be told once that it is going to be used. Source: ares_library_init(3).
    private static let libraryStatus = ares_library_init(Int32(APUS_CARES_LIBRARY))

    private let channel: ares_channel
    private let record: Record

    /// A channel to `server`. `watch` is called within the calls of this object, and must not call it.
    ///
    /// Errors: what c-ares says, in words; it has no memory, or its library is not as it should be.
    public init(to server: SocketAddress, watch: @escaping (Int32, Interest) -> Void) throws(DNSChannelError) {
        guard Self.libraryStatus == Int32(APUS_CARES_SUCCESS) else {
            throw DNSChannelError(reason: Self.text(Self.libraryStatus))
        }
        let record = Record(watch)
        var channel: ares_channel?
        let status = unsafe apus_cares_open(
            &channel, server.description, Limits.questionMilliseconds, Limits.questionTries,
            { owner, descriptor, isReadable, isWritable in
                guard let owner = unsafe owner else { return }
                let record = unsafe Unmanaged<Record>.fromOpaque(owner).takeUnretainedValue()
                record.watch(
                    descriptor, isWritable != 0 ? .readableOrWritable : isReadable != 0 ? .readable : .nothing)
            }, Unmanaged.passUnretained(record).toOpaque())
        guard status == Int32(APUS_CARES_SUCCESS), let channel = unsafe channel else {
            throw DNSChannelError(reason: Self.text(status))
        }
        unsafe self.channel = channel
        self.record = record
    }

    /// Closes the sockets. Questions that are open are not answered.
    deinit { unsafe ares_destroy(channel) }

    /// Asks for the records of this type that `name` has. `number` comes back with the answer.
    public func ask(_ name: String, _ type: DNSRecordType, number: Int) {
        let question = unsafe Unmanaged.passRetained(Question(number, record)).toOpaque()
        unsafe ares_query(
            channel, name, Int32(APUS_CARES_CLASS_INTERNET), Int32(type.rawValue),
            { question, status, _, bytes, count in
                guard let question = unsafe question else { return }
                let asked = unsafe Unmanaged<Question>.fromOpaque(question).takeRetainedValue()
                var message: [UInt8] = []
                if let bytes = unsafe bytes, count > 0 {
                    message = unsafe Array(UnsafeBufferPointer(start: bytes, count: Int(count)))
                }
                asked.record.answers.append(
                    Answer(
                        question: asked.number,
                        message: message.isEmpty ? .failed(DNSChannel.failure(status)) : .bytes(message)))
            }, question)
    }

    /// Goes on with a socket that is ready.
    public func process(_ descriptor: Int32, isReadable: Bool, isWritable: Bool) {
        let none = Int32(APUS_CARES_BAD_SOCKET)
        unsafe ares_process_fd(channel, isReadable ? descriptor : none, isWritable ? descriptor : none)
    }

    /// Asks again, or gives up, what was not answered in time.
    public func processTimeouts() {
        unsafe ares_process_fd(channel, Int32(APUS_CARES_BAD_SOCKET), Int32(APUS_CARES_BAD_SOCKET))
    }

    /// The time to the next call of `processTimeouts`; nil while no question is open.
    public var timeLeft: Nanoseconds? {
        let microseconds = unsafe apus_cares_timeout(channel)
        return microseconds < 0 ? nil : Nanoseconds(microseconds) * 1000
    }

    /// The answers that have come since this was called last.
    public func takeAnswers() -> [Answer] {
        let all = record.answers
        record.answers = []
        return all
    }

    private static func failure(_ status: Int32) -> Failure {
        switch status {
        case Int32(APUS_CARES_TIMEOUT): .noAnswer
        case Int32(APUS_CARES_UNREACHABLE): .unreachable
        default: .other(text(status))
        }
    }

    private static func text(_ status: Int32) -> String {
        guard let text = unsafe ares_strerror(status) else { return "error \(status)" }
        return unsafe String(cString: text)
    }
}

/// Why there is no channel.
public struct DNSChannelError: Error, Equatable {
    /// The reason in words of c-ares.
    public let reason: String
}
