import Testing

@testable import Model

@Suite struct SpellingTests {
    static let known = ["healthCheckPath", "healthCheckPort", "port", "name", "targets"]

    static let cases: [(String, String?)] = [
        ("healthCheckPth", "healthCheckPath"), ("health-check-path", "healthCheckPath"),
        ("HEALTHCHECKPORT", "healthCheckPort"),
        ("prot", "port"), ("nmae", "name"), ("target", "targets"), ("x", nil), ("", nil), ("listeners", nil),
        (String(repeating: "port", count: 100), nil),
    ]

    @Test(arguments: cases) func findsTheWordThatWasMeant(_ word: String, _ meant: String?) {
        #expect(Spelling.nearest(to: word, among: Self.known) == meant)
    }

    @Test(arguments: [
        ("HTTS", "HTTPS"), ("HTTPP", "HTTPS"), ("HTPS", "HTTPS"), ("http", "HTTP"), ("TPC", "TCP"), ("TSL", "TLS"),
    ])
    func aLetterThatIsMissingComesBeforeAnotherOne(_ word: String, _ meant: String) {
        #expect(Spelling.nearest(to: word, among: ["HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP"]) == meant)
    }

    @Test(arguments: [
        ("a.http.response.x_xss_protection.header_value", nil),
        ("a.http.response.x_frame_option.header_value", "a.http.response.x_frame_options.header_value"),
        ("a.http.response.x_frame_options", "a.http.response.x_frame_options.header_value"),
        ("a.retry.on_unhealthy", "a.retry.on_unhealthy.enabled"),
        ("a.retry.on_unhealty.enable", "a.retry.on_unhealthy.enabled"),
        ("send_tcp.on_unhealthy.enabled", nil),
    ])
    func everyPartOfAKeyIsNear(_ word: String, _ meant: String?) {
        let known = ["a.http.response.x_frame_options.header_value", "a.retry.on_unhealthy.enabled"]
        #expect(Spelling.nearest(to: word, among: known) == meant)
    }

    @Test func countsEdits() {
        #expect(Spelling.distance(Array("kitten"), Array("sitting")) == 3)
        #expect(Spelling.distance(Array("ab"), Array("ba")) == 1)
        #expect(Spelling.distance([], Array("abc")) == 3)
        #expect(Spelling.distance(Array("abc"), []) == 3)
    }
}
