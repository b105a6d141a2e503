import Benchmark
import Core
import HTTP1
import Measuring

/// A parsed message, and a buffer to write it.
private struct Writing {
    let head: Head
    let buffer = Buffer(capacity: 4096)

    static func request(_ text: String) -> Writing {
        var parsing = Parsing(text)
        _ = parsing.request()
        return Writing(head: parsing.head)
    }

    static func response(_ text: String) -> Writing {
        var parsing = Parsing(text)
        _ = parsing.response()
        return Writing(head: parsing.head)
    }
}

/// Writing: a neutral head to bytes with this hop's framing.
func writingBenchmarks() {
    for (count, text) in [(3, requestOf3Fields), (8, requestOf8Fields)] {
        measure("write-request-\(count)") {
            Writing.request(text)
        } operation: { message, _ in
            message.buffer.removeAll()
            writeRequestHead(message.head, framing: .none, into: message.buffer)
            blackHole(message.buffer.count)
        }
    }
    measure("write-response-6") {
        Writing.response(responseOf6Fields)
    } operation: { message, _ in
        message.buffer.removeAll()
        writeResponseHead(message.head, framing: .length(612), connection: .none, into: message.buffer)
        blackHole(message.buffer.count)
    }
}
