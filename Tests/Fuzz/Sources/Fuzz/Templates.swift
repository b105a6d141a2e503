import Core
import HTTP1
import Routing

/// Checks that the value of a field that a rule sets is what a plain reader of its template makes of it, wherever it is
/// written, and that a request cannot put more into it than its own text.
enum Templates {
    /// The first line of the input is a template, the second the client's SNI, or empty without TLS; what follows is
    /// the head of the request.
    static func check(_ input: Span<UInt8>) {
        let lines = copyBytes(input).split(separator: .lineFeed, maxSplits: 2, omittingEmptySubsequences: false)
        guard lines.count == 3 else { return }
        let text = Array(lines[0]).span.text
        let name = Array(lines[1])
        let head = Head()
        var scan = HeadScan()
        let message = Array(lines[2])
        guard case .complete = parseRequestHead(message.span, into: head, options: RequestOptions(), scan: &scan)
        else { return }
        let template = FieldTemplate(text)
        let client = SocketAddress.someClient
        let facts =
            name.isEmpty
            ? PlaceholderFacts(head, port: 8443, client: client)
            : PlaceholderFacts(head, port: 8443, client: client, serverName: name.span)
        let most = template.byteCountMax(facts)
        // A worker answers such a request with an error.
        guard most <= Head.bytesMax - head.byteCount else { return }
        let expected = value(Array(text.utf8), head, serverName: name)
        let fields = sentFields(head)
        let other = Head()
        template.write(facts, to: other)
        demand(other.byteCount <= most, "\(other.byteCount) bytes, not \(most) at most")
        demand(other.bytes.equals(expected.span), "\(shown(other.bytes)), not \(shown(expected.span))")
        let start = head.byteCount
        template.write(facts, to: head)
        let own = head.bytes(head.range(from: start))
        demand(own.equals(expected.span), "in the request itself \(shown(own)), not \(shown(expected.span))")
        demand(sentFields(head) == fields, "the fields of the request have changed")
    }

    /// What comes of a template, read byte by byte.
    private static func value(_ template: [UInt8], _ head: Head, serverName: [UInt8]) -> [UInt8] {
        var value: [UInt8] = []
        var rest = template[...]
        while let byte = rest.first {
            if rest.starts(with: Array("#{".utf8)), let end = rest.firstIndex(of: UInt8(ascii: "}")),
                let found = fact(Array(rest[(rest.startIndex + 2)..<end]), head, serverName)
            {
                // Text that could end the field is left out.
                if found.allSatisfy({ $0 == .tab || $0 >= .space && $0 != 0x7F }) { value += found }
                rest = rest[(end + 1)...]
            } else {
                value.append(byte)
                rest = rest.dropFirst()
            }
        }
        return value
    }

    /// What a placeholder stands for; nil if no placeholder has this name.
    private static func fact(_ word: [UInt8], _ head: Head, _ serverName: [UInt8]) -> [UInt8]? {
        let header = Array("header ".utf8)
        if word.count > header.count, word.starts(with: header) {
            let name = word.dropFirst(header.count).map(\.lowercased)
            for index in 0..<head.fieldCount where !head.field(index).isRemoved {
                let field = head.field(index)
                guard copyBytes(head.bytes(field.name)).map(\.lowercased) == name else { continue }
                return copyBytes(head.bytes(field.value))
            }
            return []
        }
        switch word.span.text {
        case "protocol": return Array((serverName.isEmpty ? "http" : "https").utf8)
        case "host": return copyBytes(head.bytes(head.host))
        case "port": return Array("8443".utf8)
        case "path": return without(.slash, copyBytes(head.bytes(head.path)))
        case "query": return without(.questionMark, copyBytes(head.bytes(head.query)))
        case "method": return copyBytes(head.bytes(head.method))
        case "client-ip": return Array("192.0.2.1".utf8)
        case "client-port": return Array("4000".utf8)
        case "sni": return serverName
        default: return nil
        }
    }

    private static func without(_ first: UInt8, _ text: [UInt8]) -> [UInt8] {
        text.first == first ? Array(text.dropFirst()) : text
    }
}
