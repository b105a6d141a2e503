import Testing

@testable import Core

@Suite struct AtomicWordsTests {
    @Test func allAreZeroAtFirst() {
        let words = AtomicWords(count: 1000)
        #expect((0..<1000).allSatisfy { words.load($0) == 0 })
        words.store(.max, at: 999)
        #expect(words.load(999) == .max && words.load(998) == 0)
    }

    @Test func anExchangeNeedsWhatIsThere() {
        let words = AtomicWords(count: 1)
        #expect(words.exchange(0, for: 7, at: 0))
        #expect(!words.exchange(0, for: 8, at: 0))
        #expect(words.load(0) == 7)
    }

    @Test func threadsLoseNoExchange() {
        let words = AtomicWords(count: 2)
        let threads = (0..<4).map { _ in
            Thread.start(name: "words") {
                for _ in 0..<10_000 {
                    while true {
                        let seen = words.load(1)
                        if words.exchange(seen, for: seen + 1, at: 1) { break }
                    }
                }
            }
        }
        for thread in threads { thread.join() }
        #expect(words.load(1) == 40_000 && words.load(0) == 0)
    }

    @Test func anIndexBeyondTheEndTraps() async {
        await #expect(processExitsWith: .failure) { _ = AtomicWords(count: 8).load(8) }
        await #expect(processExitsWith: .failure) { AtomicWords(count: 8).store(1, at: -1) }
    }
}
