/// Reads HTTP/1 messages, in a way of its own: what is tested must not judge itself.
struct HTTP1Reader {
    struct Head {
        let startLine: String
        private let fields: [(name: String, value: String)]

        init(_ text: String) {
            let lines = text.split(separator: "\r\n", omittingEmptySubsequences: false)
            startLine = String(lines[0])
            fields = lines.dropFirst().map { line in
                let colon = line.firstIndex(of: ":") ?? line.endIndex
                let value = line[colon...].dropFirst().drop { $0 == " " }
                return (line[..<colon].lowercased(), String(value))
            }
        }

        subscript(name: String) -> String? { fields.first { $0.name == name }?.value }
        func number(_ name: String) -> Int? { self[name].flatMap { Int($0) } }
        var status: Int { Int(startLine.dropFirst(9).prefix(3)) ?? 0 }
    }

    enum Event {
        case head(Head)
        case body(ArraySlice<UInt8>)
        case end
        case bad(String)
    }

    private enum Phase: Equatable {
        case head, length(Int), chunkSize, chunk(Int), chunkEnd, trailers, untilClose
    }

    private var phase = Phase.head
    let readsResponses: Bool
    /// Whether the next response is to a HEAD.
    var isBodiless = false

    init(readsResponses: Bool) { self.readsResponses = readsResponses }

    /// Whether a message has begun and not ended.
    var isInside: Bool { phase != .head }
    /// Whether the message ends with its connection.
    var endsWithConnection: Bool { phase == .untilClose }

    /// What stands next in `input`; nil if it is not all there.
    mutating func next(_ input: inout ByteQueue) -> Event? {
        switch phase {
        case .head:
            guard let text = input.takeText(through: "\r\n\r\n") else { return nil }
            return begin(Head(text))
        case .length(0), .chunk(0):
            phase = phase == .chunk(0) ? .chunkEnd : .head
            return phase == .head ? .end : next(&input)
        case .length(let left):
            guard !input.isEmpty else { return nil }
            let piece = input.take(left)
            phase = .length(left - piece.count)
            return .body(piece)
        case .chunk(let left):
            guard !input.isEmpty else { return nil }
            let piece = input.take(left)
            phase = .chunk(left - piece.count)
            return .body(piece)
        case .chunkSize:
            guard let line = input.takeText(through: "\r\n") else { return nil }
            guard let size = Int(line, radix: 16) else { return .bad("chunk size \(line)") }
            phase = size == 0 ? .trailers : .chunk(size)
            return next(&input)
        case .chunkEnd:
            guard let line = input.takeText(through: "\r\n") else { return nil }
            guard line.isEmpty else { return .bad("chunk end \(line)") }
            phase = .chunkSize
            return next(&input)
        case .trailers:
            guard let line = input.takeText(through: "\r\n") else { return nil }
            guard line.isEmpty else { return next(&input) }
            phase = .head
            return .end
        case .untilClose:
            guard !input.isEmpty else { return nil }
            return .body(input.take(input.count))
        }
    }

    private mutating func begin(_ head: Head) -> Event {
        if readsResponses {
            guard head.startLine.hasPrefix("HTTP/1.1 ") else { return .bad(head.startLine) }
            if head.status < 200 { return .head(head) }
        } else {
            guard head.startLine.hasSuffix(" HTTP/1.1") else { return .bad(head.startLine) }
        }
        if readsResponses, isBodiless || head.status == 204 || head.status == 304 {
            phase = .length(0)
        } else if head["transfer-encoding"] == "chunked" {
            phase = .chunkSize
        } else if let length = head.number("content-length") {
            phase = .length(length)
        } else {
            phase = readsResponses ? .untilClose : .length(0)
        }
        return .head(head)
    }
}
