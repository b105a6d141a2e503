import Benchmark
import Core
import HTTP1
import Measuring

/// A body of 16 chunks of 64 bytes each, all of it in the buffer.
private let chunkedBody = Array(
    (String(repeating: "40\r\n" + String(repeating: "x", count: 64) + "\r\n", count: 16) + "0\r\n\r\n").utf8)

/// Decodes the chunked body. Returns its length.
private func decode(_ bytes: [UInt8]) -> Int {
    var decoder = BodyDecoder(.chunked)
    var index = 0
    var bodyCount = 0
    while true {
        switch decoder.next(bytes.span.extracting(index..<bytes.count)) {
        case .data(let skip, let count):
            decoder.consume(count)
            bodyCount += count
            index += skip + count
        case .end: return bodyCount
        case .needMore, .refused: preconditionFailure("a body of these benchmarks is not whole")
        }
    }
}

/// Decoding of bodies.
func bodyBenchmarks() {
    measure("decode-chunked-16") {
        chunkedBody
    } operation: { bytes, _ in
        blackHole(decode(bytes))
    }
}
