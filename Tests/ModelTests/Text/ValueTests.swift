import Testing

@testable import Model

@Suite struct ValueTests {
    @Test func placesDoNotCount() {
        let here = Value(.int(1), at: Location(line: 1, column: 1))
        #expect(here == 1 && here.hashValue == Value(1).hashValue)
        #expect(
            Value.Member("a", 1, keyLocation: Location(line: 1, column: 1)) == Value.Member("a", 1))
    }

    @Test func membersAreSetAndRemoved() {
        var value: Value = ["a": 1]
        value["b"] = "two"
        value["a"] = 3
        #expect(value == ["a": 3, "b": "two"])
        value["a"] = nil
        #expect(value == ["b": "two"] && value["a"] == nil)
        var list: Value = [1]
        list["a"] = 1
        #expect(list == [1])
    }

    @Test func wholeNumbersAreWrittenWhole() {
        #expect(Value.number(30).json() == "30" && Value.number(0.5).json() == "0.5")
        #expect(Value.number(1e300).json() == "1e+300")
    }

    @Test func writesOnOneLineOrOnMany() {
        let value: Value = ["a": [1, true], "b": [:], "c": [], "d": "x\u{1}\u{7F}\"\\"]
        #expect(value.json() == #"{"a":[1,true],"b":{},"c":[],"d":"x\u0001\u007f\"\\"}"#)
        #expect(
            value.json(pretty: true) == """
                {
                  "a": [
                    1,
                    true
                  ],
                  "b": {},
                  "c": [],
                  "d": "x\\u0001\\u007f\\"\\\\"
                }

                """)
    }

    @Test func textIsShortenedForMessages() {
        #expect(Value.string(String(repeating: "a", count: 100)).brief.count == 67)
        #expect(Value.string("a\nb").brief == #""a\nb""#)
    }
}
