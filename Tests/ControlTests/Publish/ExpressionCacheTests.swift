import RegularExpressions
import Testing

@testable import Control

@Suite struct ExpressionCacheTests {
    @Test func workersGetCopiesOfWhatIsCompiledOnce() {
        let cache = ExpressionCache()
        let first = cache.copy(of: "^a", ignoresCase: true)
        let second = cache.copy(of: "^a", ignoresCase: true)
        #expect(first !== second && first == second)
        #expect(cache.copy(of: "^a", ignoresCase: false) != first)
        #expect(second.search(Array("ABC".utf8).span, in: MatchSpace()) == .found)
    }
}
