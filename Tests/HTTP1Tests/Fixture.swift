import Core
import HTTP1
import Testing

/// The bytes of `text`, one for each scalar, all of which are below 256: "\u{FF}" is a single byte.
func bytes(_ text: String) -> [UInt8] { text.unicodeScalars.map { UInt8($0.value) } }

/// The bytes of `range` in a head, each as one scalar.
func text(_ head: Head, _ range: ByteRange) -> String { text(head.bytes(range)) }

/// Bytes as text, each as one scalar.
func text(_ bytes: Span<UInt8>) -> String {
    var text = ""
    for index in 0..<bytes.count { text.unicodeScalars.append(Unicode.Scalar(bytes[index])) }
    return text
}

/// The fields that were not removed, as `name: value` each.
func fields(_ head: Head) -> [String] {
    (0..<head.fieldCount).map { head.field($0) }.filter { !$0.isRemoved }
        .map { text(head, $0.name) + ": " + text(head, $0.value) }
}

/// The parser to use.
enum Side {
    case request(RequestOptions)
    case response(isHEAD: Bool)

    func parse(_ input: Span<UInt8>, into head: Head, scan: inout HeadScan) -> HeadResult {
        switch self {
        case .request(let options): parseRequestHead(input, into: head, options: options, scan: &scan)
        case .response(let isHEAD): parseResponseHead(input, into: head, requestIsHEAD: isHEAD, scan: &scan)
        }
    }
}

/// The verdict on `input`. Checks that it does not depend on how the bytes arrive: every prefix is undecided, and
/// leaves the head empty, or has the final verdict; the same holds byte by byte.
func verdict(_ side: Side, _ input: [UInt8], into head: Head) -> HeadResult {
    var scan = HeadScan()
    let final = side.parse(input.span, into: head, scan: &scan)
    let scratch = Head()
    var slowScan = HeadScan()
    var slow = HeadResult.needMore
    for count in 0..<input.count {
        let prefix = input.span.extracting(first: count)
        var scan = HeadScan()
        let early = side.parse(prefix, into: scratch, scan: &scan)
        #expect(early == .needMore || early == final, "fresh, after \(count) bytes")
        if early == .needMore { #expect(scratch.fieldCount == 0 && scratch.byteCount == 0 && scratch.path.isEmpty) }
        if slow == .needMore { slow = side.parse(prefix, into: scratch, scan: &slowScan) }
        #expect(slow == .needMore || slow == final, "byte by byte, after \(count) bytes")
    }
    if slow == .needMore { slow = side.parse(input.span, into: scratch, scan: &slowScan) }
    // In a head that arrives slowly, a fault in the fields may be found only once the head is complete.
    #expect(slow == final || slow == .needMore && final.violation != nil, "byte by byte")
    return final
}

/// The verdict on a request head; see `verdict`.
func request(_ input: String, into head: Head = Head(), _ options: RequestOptions = RequestOptions()) -> HeadResult {
    verdict(.request(options), bytes(input), into: head)
}

/// The verdict on a response head; see `verdict`.
func response(_ input: String, into head: Head = Head(), isHEAD: Bool = false) -> HeadResult {
    verdict(.response(isHEAD: isHEAD), bytes(input), into: head)
}

extension HeadResult {
    /// The parsed head, or nil.
    var parsed: ParsedHead? {
        if case .complete(let parsed) = self { parsed } else { nil }
    }

    /// Why the head was rejected, or nil.
    var violation: Violation? {
        if case .refused(let violation) = self { violation } else { nil }
    }
}

/// What `write` appends to a buffer with exactly `byteCount` bytes of free space.
func written(_ byteCount: Int, _ write: (Buffer) -> Void) -> String {
    let buffer = Buffer(capacity: byteCount)
    write(buffer)
    return text(buffer.bytes)
}

/// Pseudorandom numbers with a fixed seed, the same in every run. Source: Vigna, splitmix64.
struct SeededNumbers: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
