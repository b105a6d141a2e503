import Testing

@testable import Model

@Suite struct StatusCodesTests {
    static let right: [(String, [Int], [Int])] = [
        ("200", [200], [199, 201]), ("200,202", [200, 202], [201]), ("200-299", [200, 250, 299], [300]),
        ("200-204,301,400-499", [204, 301, 499], [205, 302, 399]), ("200-599", [200, 599], [199, 600]),
    ]

    @Test(arguments: right) func holdsWhatItSays(_ text: String, _ inside: [Int], _ outside: [Int]) throws {
        let codes = try #require(HTTPCodes(text))
        #expect(inside.allSatisfy(codes.contains) && !outside.contains(where: codes.contains))
        #expect(codes.text == text && HTTPCodes(codes.text) == codes)
    }

    @Test(arguments: [
        "", "199", "600", "200-", "-200", "299-200", "200,", "200, 201", "2xx", "200-201-202", "+20", "0200",
    ])
    func refusesTheRest(_ text: String) {
        #expect(HTTPCodes(text) == nil)
    }

    @Test func theDefaultIs200() {
        #expect(HTTPCodes().text == "200")
    }
}
