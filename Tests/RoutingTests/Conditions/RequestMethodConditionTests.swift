import Testing

@testable import Routing

@Suite struct RequestMethodConditionTests {
    @Test(arguments: [
        ("GET", true), ("PURGE", true), ("get", false), ("GETS", false), ("GE", false), ("POST", false), ("", false),
    ])
    func theMethodIsOneOfThese(_ method: String, _ holds: Bool) {
        let condition = CompiledCondition.requestMethod(RequestMethodCondition(["GET", "PURGE"]))
        #expect(SampleRequest(method: method).meets(condition) == holds)
    }
}
