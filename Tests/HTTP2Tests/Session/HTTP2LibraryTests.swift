import HTTP2
import Testing

@Suite struct HTTP2LibraryTests {
    @Test func reportsTheVersion() {
        let numbers = HTTP2Library.version.split(separator: ".")
        #expect(numbers.count == 3 && numbers.allSatisfy { $0.first?.isNumber == true })
    }
}
