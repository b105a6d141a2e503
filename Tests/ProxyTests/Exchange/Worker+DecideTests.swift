import Core
import Testing

@testable import Proxy

@Suite struct WorkerDecideTests {
    @Test(arguments: [
        ("a.example", "a.example"), ("a.example:80", "a.example"), ("a.example:", "a.example"),
        ("a.example:65536999", "a.example"), ("10.0.0.1", "10.0.0.1"), ("10.0.0.1:8080", "10.0.0.1"),
        ("[::1]", "[::1]"), ("[::1]:443", "[::1]"), ("[2001:db8::5]", "[2001:db8::5]"),
        ("[2001:db8::5]:", "[2001:db8::5]"), ("localhost", "localhost"), ("12345", "12345"), ("a1:2b", "a1:2b"),
        ("", ""), (":80", ""), (":", ""), ("x", "x"), ("x:1", "x"),
    ]) func findsTheHostOfAnAuthority(authority: String, host: String) {
        let head = Head()
        head.append("before;")
        let bytes = Array(authority.utf8)
        let range = head.append(bytes.span)
        head.append(";after")
        let found = hostRange(head.bytes(range), in: range)
        #expect(head.bytes(found).text == host)
        #expect(found.start == range.start)
    }

    @Test(arguments: [
        ("a.example", "a.example"), ("a.example.", "a.example"), ("a.example.:80", "a.example"),
        ("a.example..", "a.example."), (".", "."), (".:80", "."), ("[::1]:443", "[::1]"), ("", ""),
    ]) func aNameHasNoDotAtItsEnd(authority: String, name: String) {
        let head = Head()
        let bytes = Array(authority.utf8)
        let range = head.append(bytes.span)
        let found = hostName(head.bytes(range), in: range)
        #expect(head.bytes(found).text == name)
    }
}
