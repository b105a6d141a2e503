import Core
import Testing

@testable import HTTP1

@Suite struct MessageReaderTests {
    /// What a reader says of `input`, of which `arrivals` bytes come at a time: a word for each step.
    private func read(_ kind: MessageReader.Kind, _ input: String, arrivals: Int = .max) -> [String] {
        var reader = MessageReader(kind)
        let head = Head()
        let buffer = Buffer(capacity: 4096)
        var rest = Array(input.utf8)[...]
        var words: [String] = []
        var data = ""
        while true {
            let step = reader.next(buffer, head)
            if case .data(let count) = step {
                data += String(decoding: buffer.takeBytes(count), as: UTF8.self)
                continue
            }
            if !data.isEmpty, step != .needMore {
                words.append(data)
                data = ""
            }
            switch step {
            case .needMore:
                guard !rest.isEmpty else {
                    return words + (data.isEmpty ? [] : [data]) + ["\(reader.endOfStream())"]
                }
                let piece = rest.prefix(arrivals)
                buffer.compact()
                buffer.append(Array(piece).span)
                rest = rest.dropFirst(piece.count)
            case .head: words.append(kind == .requests ? "\(head.bytes(head.method).text)" : "\(head.status)")
            case .end: words.append("end")
            case .refused: return words + ["refused"]
            case .data: break
            }
        }
    }

    static let requests: [(String, [String])] = [
        ("GET / HTTP/1.1\r\nHost: a\r\n\r\n", ["GET", "end", "truncated"]),
        (
            "PUT /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: a\r\n\r\n",
            ["PUT", "abc", "end", "GET", "end", "truncated"]
        ),
        (
            "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n",
            ["POST", "abc", "end", "truncated"]
        ),
        ("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc", ["POST", "abc", "truncated"]),
        ("nonsense\r\n\r\n", ["refused"]),
        ("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", ["POST", "refused"]),
        ("", ["truncated"]),
    ]

    @Test(arguments: requests) func requestsAreReadHoweverTheyArrive(input: String, expected: [String]) {
        for arrivals in [1, 2, 7, Int.max] {
            #expect(read(.requests, input, arrivals: arrivals) == expected, "\(arrivals) bytes at a time")
        }
    }

    static let responses: [(String, [String])] = [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", ["200", "ok", "end", "truncated"]),
        (
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", ["204", "end", "truncated"]
        ),
        ("HTTP/1.1 101 Switching Protocols\r\n\r\n", ["101", "end", "truncated"]),
        ("HTTP/1.1 200 OK\r\n\r\nuntil it closes", ["200", "until it closes", "complete"]),
        ("HTTP/1.1 200 OK\r\nContent-Le", ["truncated"]),
    ]

    @Test(arguments: responses) func responsesAreReadHoweverTheyArrive(input: String, expected: [String]) {
        for arrivals in [1, 2, 7, Int.max] {
            #expect(read(.responses, input, arrivals: arrivals) == expected, "\(arrivals) bytes at a time")
        }
    }

    @Test func itTellsWhetherABodyIsToCome() {
        var reader = MessageReader(.requests)
        let head = Head(), buffer = Buffer(capacity: 4096)
        buffer.append("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n")
        #expect(!reader.isInMessage)
        if case .head = reader.next(buffer, head) {} else { Issue.record("there is a head") }
        #expect(reader.isInMessage && !reader.isBodyComplete)
        buffer.append("x")
        #expect(reader.next(buffer, head) == .data(count: 1))
        #expect(reader.isBodyComplete)
        buffer.consume(1)
        #expect(reader.next(buffer, head) == .end)
        #expect(!reader.isInMessage)
    }
}
