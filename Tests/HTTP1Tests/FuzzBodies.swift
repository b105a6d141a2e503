import Core
import HTTP1
import Testing

/// Chunked bodies with random mutations, the same in every run. None may trap, and the result must not depend on how a
/// body arrives and how much of it is consumed at a time.
@Suite struct FuzzBodies {
    static let seeds = [
        "3\r\nabc\r\n1a;x=y\r\nabcdefghijklmnopqrstuvwxyz\r\n0\r\n\r\n",
        "5\r\n0\r\n\r\n\r\n0\r\nA: b\r\nContent-Length: 5\r\n\r\nGET / HTTP/1.1\r\n",
        "000001;\"q\"\r\n\n\r\n0;e\r\nConnection: a\r\n\r\n",
    ]

    @Test(arguments: 1...8 as ClosedRange<UInt64>) func bodyHasOneReading(seed: UInt64) {
        var numbers = SeededNumbers(state: seed &+ 100)
        var counts = (ended: 0, refused: 0)
        for _ in 0..<250 {
            let input = FuzzHeads.mutated(Self.seeds, &numbers)
            let whole = decode(.chunked, input)
            for _ in 0..<6 {
                let arrivals = Int.random(in: 1...8, using: &numbers)
                let appetite = Int.random(in: 1...5, using: &numbers)
                #expect(decode(.chunked, input, arrivals: arrivals, appetite: appetite).agrees(with: whole))
            }
            switch whole.end {
            case .ended(let byteCount):
                counts.ended += 1
                #expect(byteCount <= input.count)
            case .refused: counts.refused += 1
            case .undecided(let end): #expect(end == .truncated)
            }
        }
        #expect(counts.ended > 10 && counts.refused > 10)
    }
}
