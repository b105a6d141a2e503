import Testing

@testable import RegularExpressions

@Suite struct HostileInputsTests {
    @Test(arguments: [
        "^(a+)+$", "(a|aa)+$", "^(a|a)*$", "([a-zA-Z]+)*$", "(x+x+)+y", "^(\\d+)*;$", "^/(foo|fo|o)*x$", "^(.*)*$!",
        "(.*)(.*)(.*)(.*)x$", "^(?:[^/]+/?)*!$", "(a*)*b", "^(([a-z])+.)+[A-Z]([a-z])+$", "^foo(bar)?(b+a?r?)+c$",
    ])
    func findsWhatBacktracksBadly(_ pattern: String) throws {
        let finding = try #require(HostileInputs.worst(for: pattern, ignoresCase: false), "\(pattern)")
        #expect(!finding.repeated.isEmpty && finding.byteCount > 4000)
    }

    @Test(arguments: [
        "^/v[0-9]+/", "^api-[a-z0-9-]+\\.example\\.com$", "^/(foo|bar)/[^/]+/edit$", "^Mozilla/",
        "^/img/.*\\.(png|jpg)$",
        "^(www\\.)?example\\.(com|org)$", "^[0-9a-f]{8}-[0-9a-f]{4}$", "^/a/(.+)$", "a", "", "^", "(?i)^bearer ",
        "\\.php$",
    ])
    func letsGoodOnesPass(_ pattern: String) {
        #expect(HostileInputs.worst(for: pattern, ignoresCase: true) == nil)
    }

    @Test func whatCannotBeCompiledHasNone() { #expect(HostileInputs.worst(for: "(", ignoresCase: false) == nil) }
}
