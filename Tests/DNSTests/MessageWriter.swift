@testable import DNS

/// Writes messages as a name server would, and as none should.
struct MessageWriter {
    /// What is written so far.
    private(set) var bytes: [UInt8]

    /// The head of an answer with the question for `name`, an A record.
    init(
        _ name: String = "web.test", code: UInt8 = 0, isTruncated: Bool = false, answers: UInt16 = 0,
        authorities: UInt16 = 0
    ) {
        bytes = [0x12, 0x34, isTruncated ? 0x83 : 0x81, 0x80 | code, 0, 1]
        bytes += [UInt8(answers >> 8), UInt8(answers & 0xFF), 0, UInt8(authorities), 0, 0]
        bytes += Self.name(name) + [0, 1, 0, 1]
    }

    /// A pointer to the name of the question.
    static let pointer: [UInt8] = [0xC0, 12]

    /// A name with all of its labels.
    static func name(_ text: String) -> [UInt8] {
        text.split(separator: ".").flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
    }

    /// Adds a record.
    mutating func add(_ name: [UInt8], _ type: UInt16, seconds: UInt32 = 60, class number: UInt8 = 1, _ data: [UInt8]) {
        bytes += name + [UInt8(type >> 8), UInt8(type & 0xFF), 0, number]
        bytes += [24, 16, 8, 0].map { UInt8(seconds >> $0 & 0xFF) }
        bytes += [UInt8(data.count >> 8), UInt8(data.count & 0xFF)] + data
    }

    /// Adds anything.
    mutating func add(bytes more: [UInt8]) { bytes += more }
}
