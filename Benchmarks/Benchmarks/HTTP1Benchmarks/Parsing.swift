import Benchmark
import Measuring

/// Parsing: bytes to a neutral head.
func parsingBenchmarks() {
    for (count, text) in [(3, requestOf3Fields), (8, requestOf8Fields)] {
        measure("parse-request-\(count)") {
            Parsing(text)
        } operation: { message, _ in
            blackHole(message.request())
        }
    }
    measure("parse-response-6") {
        Parsing(responseOf6Fields)
    } operation: { message, _ in
        blackHole(message.response())
    }
}
