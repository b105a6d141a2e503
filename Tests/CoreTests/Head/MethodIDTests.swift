import Core
import Testing

@Suite struct MethodIDTests {
    @Test func eachIsRecognised() {
        for method in MethodID.allCases where method != .other {
            let name = Array("\(method)".uppercased().utf8)
            let found = MethodID(name.span)
            #expect(found == method)
            let longer = name + [0x53]
            let other = MethodID(longer.span)
            #expect(other == .other)
        }
    }

    @Test(arguments: ["get", "Get", "GETS", "", "PURGE", "PROPFIND", "LINK", "PUTS", "GEX", "CONNECX"])
    func othersAreNot(name: String) {
        let bytes = Array(name.utf8)
        let found = MethodID(bytes.span)
        #expect(found == .other)
    }

    /// Source: RFC 9110 §9.2.
    @Test func knowsWhatMayBeRepeated() {
        #expect(MethodID.allCases.filter(\.isSafe) == [.get, .head, .options])
        #expect(MethodID.allCases.filter(\.isIdempotent) == [.get, .head, .put, .delete, .options])
    }
}
