import Core
import RegularExpressions
import Testing

@testable import Routing

/// Conditions on hosts, paths, names and addresses, each by its own file.
@Suite struct CompiledConditionTests {
    @Test(arguments: [
        (["a.example"], "a.example", true), (["A.EXAMPLE"], "a.example", true), (["*.example"], "example", false),
        (["*.example"], "a.b.example", true), (["?.example"], "ab.example", false), (["x", "a.*"], "a.example", true),
        (["*"], "", true), (["a"], "", false),
    ]) func hostsMatchAnyPatternInAnyCase(_ patterns: [String], _ host: String, isMatch: Bool) {
        #expect(SampleRequest(host: host).meets(.hostHeader(HostHeaderCondition(patterns))) == isMatch)
    }

    @Test(arguments: [
        (["/a"], "/a", true), (["/A"], "/a", false), (["/a*"], "/abc", true), (["/a/?"], "/a/", false),
    ]) func pathsMatchInTheirCase(_ patterns: [String], _ path: String, isMatch: Bool) {
        #expect(SampleRequest(path: path).meets(.pathPattern(PathPatternCondition(patterns))) == isMatch)
    }

    /// A connection without TLS asks for no name: even `*` does not match it.
    @Test(arguments: [(["*"], "", false), (["*"], "a", true), (["A.example"], "a.example", true), (["b"], "a", false)])
    func namesMatchWhereThereIsOne(_ patterns: [String], _ name: String, isMatch: Bool) throws {
        let client = try #require(SocketAddress(literal: "192.0.2.1", port: 1))
        let bytes = Array(name.utf8)
        let facts = RuleFacts(client: client, serverName: bytes.span)
        #expect(CompiledCondition.serverName(ServerNameCondition(patterns)).matches(facts) == isMatch)
    }

    @Test(arguments: [
        ("192.0.2.1", SocketAddress.Family.ipv4, true), ("192.0.2.1", .ipv6, false), ("2001:db8::1", .ipv6, true),
        ("2001:db8::1", .ipv4, false), ("::ffff:192.0.2.1", .ipv4, true),
    ]) func familiesAreThoseOfTheClient(_ client: String, _ family: SocketAddress.Family, isMatch: Bool) {
        #expect(SampleRequest(client: client).meets(.sourceFamily(SourceFamilyCondition(family))) == isMatch)
    }

    /// Expressions cost more than all else: whoever has them is tested last.
    @Test func expressionsAreKnown() throws {
        let expression = try RegularExpression("^a", ignoresCase: true)
        let with: [CompiledCondition] = [
            .hostRegex(HostRegexCondition([expression])), .pathRegex(PathRegexCondition([expression])),
            .httpHeaderRegex(HTTPHeaderRegexCondition(name: "X-A", [expression])),
        ]
        #expect(with.allSatisfy { $0.hasExpressions })
        #expect(!CompiledCondition.hostHeader(HostHeaderCondition(["a"])).hasExpressions)
        #expect(SampleRequest(host: "abc").test(with[0]) == .holds && SampleRequest(host: "b").test(with[0]) != .holds)
        #expect(SampleRequest(fields: [("x-a", "ABC")]).test(with[2]) == .holds)
        #expect(SampleRequest(fields: [("x-b", "abc")]).test(with[2]) != .holds)
    }
}
