import Core
import Proxy
import TLS

/// Checks that PROXY headers and ClientHellos are read the same however their bytes arrive.
enum Beginnings {
    /// The input is a connection's first bytes, which may begin with a PROXY header. A header that is written for a
    /// target as we send it must be read with the same addresses.
    static func checkProxyHeader(_ input: Span<UInt8>) {
        guard case .complete(let header) = verdict(on: input, undecided: .needMore, ProxyHeader.read) else { return }
        demand(header.byteCount <= input.count, "\(header.byteCount) bytes of \(input.count)")
        demand((header.source == nil) == (header.destination == nil), "one address without the other")
        guard let source = header.source, let destination = header.destination else { return }
        let buffer = Buffer(capacity: ProxyHeader.writtenBytesMax)
        ProxyHeader.write(source: source, destination: destination, into: buffer)
        guard case .complete(let again) = ProxyHeader.read(buffer.bytes) else {
            return demand(false, "what we send for \(header) is not a valid header")
        }
        demand(again.source == source && again.destination == destination, "\(header) became \(again)")
    }

    /// The input is a connection's first bytes, which may begin with a ClientHello.
    static func checkClientHello(_ input: Span<UInt8>) {
        guard case .hello(let name) = verdict(on: input, undecided: .needMore, ClientHello.read) else { return }
        let isPlain = name.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
            case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
            default: false
            }
        }
        demand(isPlain && name.count <= 255, "not a name: \(shown(name.span))")
    }

    /// The verdict on `input`: every prefix of it is undecided or has the final one.
    private static func verdict<Verdict: Equatable>(
        on input: Span<UInt8>, undecided: Verdict, _ read: (Span<UInt8>) -> Verdict
    ) -> Verdict {
        let final = read(input)
        // All prefixes of a short input, and some of a long one, to keep the search fast.
        for count in stride(from: 0, to: input.count, by: max(1, input.count / 256)) {
            let early = read(input.extracting(first: count))
            demand(early == undecided || early == final, "after \(count) bytes \(early), in the end \(final)")
        }
        return final
    }
}
