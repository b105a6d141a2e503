import Core
import HTTP1

/// The parser of heads that is fuzzed.
enum HeadParser {
    case request(RequestOptions)
    case response(isHEAD: Bool)

    /// Runs the parser.
    func parse(_ input: Span<UInt8>, into head: Head, scan: inout HeadScan) -> HeadResult {
        switch self {
        case .request(let options): parseRequestHead(input, into: head, options: options, scan: &scan)
        case .response(let isHEAD): parseResponseHead(input, into: head, requestIsHEAD: isHEAD, scan: &scan)
        }
    }

    /// The verdict on `input`, which is the same however its bytes arrive: each prefix is undecided, with nothing
    /// left in the head, or has the final verdict; and so it is when the bytes come one by one.
    func verdict(_ input: Span<UInt8>, into head: Head) -> HeadResult {
        var scan = HeadScan()
        let final = parse(input, into: head, scan: &scan)
        let scratch = Head()
        var slowScan = HeadScan()
        var slow = HeadResult.needMore
        // All prefixes of a short input, and some of a long one, to keep the search fast.
        let stride = max(1, input.count / 64)
        for count in 0..<input.count {
            let prefix = input.extracting(first: count)
            if count % stride == 0 {
                var scan = HeadScan()
                let early = parse(prefix, into: scratch, scan: &scan)
                demand(early == .needMore || early == final, "after \(count) bytes \(early), in the end \(final)")
                demand(
                    early != .needMore || scratch.fieldCount == 0 && scratch.byteCount == 0 && scratch.path.isEmpty,
                    "undecided after \(count) bytes, and something in the head")
            }
            if slow == .needMore { slow = parse(prefix, into: scratch, scan: &slowScan) }
            demand(slow == .needMore || slow == final, "byte by byte, after \(count): \(slow), in the end \(final)")
        }
        if slow == .needMore { slow = parse(input, into: scratch, scan: &slowScan) }
        // A fault in the fields of a head that arrives slowly may be found only once the head is complete.
        var isRefused = false
        if case .refused = final { isRefused = true }
        demand(slow == final || slow == .needMore && isRefused, "byte by byte \(slow), at once \(final)")
        return final
    }
}

/// Demands that two heads send on the same fields, in the same order and byte for byte.
func demandSameFields(_ one: Head, _ other: Head) {
    let (first, second) = (sentFields(one), sentFields(other))
    demand(first == second, "fields differ: \(first) and \(second)")
}

/// The fields that are sent on, as `name: value` each.
func sentFields(_ head: Head) -> [[UInt8]] {
    (0..<head.fieldCount).map { head.field($0) }.filter { !$0.isRemoved }
        .map { copyBytes(head.bytes($0.name)) + Array(": ".utf8) + copyBytes(head.bytes($0.value)) }
}

/// A copy of `bytes`.
func copyBytes(_ bytes: Span<UInt8>) -> [UInt8] {
    var copy: [UInt8] = []
    for index in 0..<bytes.count { copy.append(bytes[index]) }
    return copy
}
