import Model
import Testing

@testable import Control

/// Source of the cases: RFC 9110 §13.1.1, §8.8.3.
@Suite struct GenerationConditionTests {
    @Test(arguments: [
        ("\"7\"", true), ("\"6\"", false), ("\"6\", \"7\"", true), ("\"6\",\t\"7\" ,", true), ("W/\"7\"", false),
        ("\"other\"", false), ("\"\"", false), ("\"99999999999999999999\"", false), ("", false),
    ])
    func isHeldAgainstTheGenerationInForce(text: String, holds: Bool) throws {
        let condition = try #require(try GenerationCondition(ifMatch: text))
        let mistake = condition.mistake(inForce: 7)
        #expect((mistake == nil) == holds)
        guard let mistake else { return }
        #expect(AdminError(mistake).status == 412)
        #expect(mistake.description.contains("generation in force, which is 7, but found"))
        #expect(mistake.description.contains("If-Match: \"7\""))
    }

    @Test func anyGenerationIsNoCondition() throws {
        #expect(try GenerationCondition(ifMatch: "*") == nil)
    }

    @Test(arguments: ["7", "\"7", "\"", "W/7", "\"7\" 8"]) func whatIsNoListOfTagsIsRefused(text: String) {
        let error = #expect(throws: AdminError.self) { try GenerationCondition(ifMatch: text) }
        #expect(error?.status == 400 && error?.remedy.contains("in quotes") == true)
    }

    @Test func anEmptyFieldIsNamed() throws {
        let condition = try #require(try GenerationCondition(ifMatch: ""))
        #expect(try #require(condition.mistake(inForce: 7)).first.message.hasSuffix("but found an empty field."))
    }

    @Test func whatIsShownHasALength() throws {
        let condition = try #require(try GenerationCondition(ifMatch: "\"\(String(repeating: "x", count: 5000))\""))
        #expect(try #require(condition.mistake(inForce: 1)).description.count < 300)
    }
}
