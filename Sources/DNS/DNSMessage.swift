import Core

/// An answer of a name server.
///
/// Shape:  a value that was read from bytes which a stranger wrote. Records of other types than addresses, aliases and
///         services are passed over, and so is all that was not asked for: what stands beside the answer is not used.
/// Limits: `Limits.recordsMax` records of the answer; names as `Limits` says. The work is linear in the message's
///         length, but for the names, each of which is bounded.
/// Source: RFC 1035 §4.1.
public struct DNSMessage: Equatable, Sendable {
    /// Why bytes are no message.
    public enum Mistake: String, Error {
        /// It ends before it is complete.
        case isCut = "it ends too early"
        /// A name in it cannot be read.
        case hasBadName = "a name in it cannot be read"
        /// A record has another length than its type has.
        case hasBadRecord = "a record in it has a wrong length"
        /// It has more records than are read.
        case isTooLong = "it has too many records"
    }

    /// What a server says of a question.
    public enum ResponseCode: Equatable, Sendable {
        /// It was understood and looked up.
        case noError
        /// There is no such name.
        case noSuchName
        /// The server has failed or does not want to answer; the name of the reason, as in `SERVFAIL`.
        case failed(String)
    }

    /// Whether the name was found.
    public let code: ResponseCode
    /// Whether it was cut, even over TCP.
    public let isTruncated: Bool
    /// Whether it says who is responsible for the name, which tells an empty answer from one that leads elsewhere.
    /// Source: RFC 2308 §2.2.
    public let hasStartOfAuthority: Bool
    /// The answer.
    public let records: [DNSRecord]

    /// An answer of its parts.
    public init(
        code: ResponseCode, isTruncated: Bool = false, hasStartOfAuthority: Bool = false, records: [DNSRecord] = []
    ) {
        self.code = code
        self.isTruncated = isTruncated
        self.hasStartOfAuthority = hasStartOfAuthority
        self.records = records
    }

    /// Reads a message. Errors: what is wrong with it.
    public init(_ bytes: [UInt8]) throws(Mistake) {
        let message = bytes.span
        guard message.count >= 12, message.count <= Limits.messageBytesMax else { throw .isCut }
        let code = Self.code(message[3] & 15)
        let (questionCount, answerCount) = (message.number16(4), message.number16(6))
        var reader = Reader(offset: 12)
        for _ in 0..<questionCount { try reader.skipQuestion(message) }
        guard answerCount <= Limits.recordsMax else { throw .isTooLong }
        var records: [DNSRecord] = []
        for _ in 0..<answerCount { if let record = try reader.record(message) { records.append(record) } }
        var hasStartOfAuthority = false
        // What is said of who is responsible counts only where there is no answer, or nothing but aliases.
        if records.allSatisfy(\.isAlias) {
            for _ in 0..<message.number16(8) where !hasStartOfAuthority {
                hasStartOfAuthority = try reader.skipRecord(message) == Reader.startOfAuthority
            }
        }
        self.init(
            code: code, isTruncated: message[2] & 2 != 0, hasStartOfAuthority: hasStartOfAuthority, records: records)
    }

    /// Source: RFC 1035 §4.1.1, RFC 6895 §2.3.
    private static func code(_ number: UInt8) -> ResponseCode {
        switch number {
        case 0: .noError
        case 1: .failed("FORMERR")
        case 2: .failed("SERVFAIL")
        case 3: .noSuchName
        case 4: .failed("NOTIMP")
        case 5: .failed("REFUSED")
        default: .failed("RCODE \(number)")
        }
    }
}

/// A place in a message, which moves on.
private struct Reader {
    /// The type of a record that says who is responsible for a name (SOA).
    static let startOfAuthority: UInt16 = 6
    private static let alias: UInt16 = 5
    private static let internet: UInt16 = 1

    var offset: Int

    /// What stands before the content of a record, and where that is.
    private struct Head {
        var type: UInt16
        var isOfInternet: Bool
        var secondsToLive: UInt32
        var content: Range<Int>
    }

    init(offset: Int) { self.offset = offset }

    mutating func skipQuestion(_ message: Span<UInt8>) throws(DNSMessage.Mistake) {
        guard DNSName.skip(message, &offset) else { throw .hasBadName }
        offset += 4
        guard offset <= message.count else { throw .isCut }
    }

    /// Moves behind a record. Returns its type.
    mutating func skipRecord(_ message: Span<UInt8>) throws(DNSMessage.Mistake) -> UInt16 {
        guard DNSName.skip(message, &offset) else { throw .hasBadName }
        return try head(message).type
    }

    /// Reads a record; nil if it is of a type that nobody needs.
    mutating func record(_ message: Span<UInt8>) throws(DNSMessage.Mistake) -> DNSRecord? {
        var start = offset
        guard DNSName.skip(message, &offset) else { throw .hasBadName }
        let head = try head(message)
        guard head.isOfInternet, let content = try content(head, message) else { return nil }
        guard let name = DNSName.read(message, &start) else { throw .hasBadName }
        return DNSRecord(name: name, secondsToLive: head.secondsToLive, content: content)
    }

    private mutating func head(_ message: Span<UInt8>) throws(DNSMessage.Mistake) -> Head {
        guard offset + 10 <= message.count else { throw .isCut }
        let start = offset + 10
        let end = start + Int(message.number16(offset + 8))
        guard end <= message.count else { throw .isCut }
        let seconds = UInt32(message.number16(offset + 4)) << 16 | UInt32(message.number16(offset + 6))
        let head = Head(
            type: message.number16(offset), isOfInternet: message.number16(offset + 2) == Self.internet,
            // What looks negative is none. Source: RFC 2181 §8.
            secondsToLive: seconds > UInt32(Int32.max) ? 0 : min(seconds, Limits.secondsToLiveMax),
            content: start..<end)
        offset = end
        return head
    }

    private func content(_ head: Head, _ message: Span<UInt8>) throws(DNSMessage.Mistake) -> DNSRecord.Content? {
        switch head.type {
        case DNSRecordType.a.rawValue, DNSRecordType.aaaa.rawValue:
            guard head.content.count == (head.type == DNSRecordType.a.rawValue ? 4 : 16) else { throw .hasBadRecord }
            return .address(SocketAddress(bytes: message.extracting(head.content), port: 0))
        case Self.alias: return .alias(try name(head.content.lowerBound, endingAt: head.content.upperBound, message))
        case DNSRecordType.srv.rawValue:
            let start = head.content.lowerBound
            guard head.content.count >= 7 else { throw .hasBadRecord }
            return .service(
                DNSService(
                    priority: message.number16(start), weight: message.number16(start + 2),
                    port: message.number16(start + 4),
                    host: try name(start + 6, endingAt: head.content.upperBound, message)))
        default: return nil
        }
    }

    private func name(
        _ start: Int, endingAt end: Int, _ message: Span<UInt8>
    ) throws(DNSMessage.Mistake) -> String {
        var offset = start
        guard let name = DNSName.read(message, &offset) else { throw .hasBadName }
        guard offset == end else { throw .hasBadRecord }
        return name
    }
}

extension Span<UInt8> {
    /// The two bytes at `index`, the high one first.
    fileprivate func number16(_ index: Int) -> UInt16 { UInt16(self[index]) << 8 | UInt16(self[index + 1]) }
}
