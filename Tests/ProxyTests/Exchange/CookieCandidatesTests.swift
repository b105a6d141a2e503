import Core
import HTTP1
import Testing

@testable import Proxy

@Suite struct CookieCandidatesTests {
    private func candidates(_ fields: String, application: String = "") -> (values: [String], hasApplication: Bool) {
        let head = Head()
        let bytes = Array("GET / HTTP/1.1\r\nHost: a\r\n\(fields)\r\n".utf8)
        var scan = HeadScan()
        guard case .complete = parseRequestHead(bytes.span, into: head, options: RequestOptions(), scan: &scan) else {
            fatalError("not a request: \(fields)")
        }
        let found = CookieCandidates(
            head, preferred: "AWSALBCORS", other: "AWSALB", application: Array(application.utf8).span)
        let values = found.values.indices.map { head.bytes(found.values[$0]).text }
        #expect(found.isEmpty == values.allSatisfy(\.isEmpty))
        return (values.filter { !$0.isEmpty }, found.hasApplicationCookie)
    }

    @Test(arguments: [
        ("", []), ("Cookie: a=b\r\n", []), ("Cookie: AWSALB=1\r\n", ["1"]),
        ("Cookie: AWSALB=1; AWSALBCORS=2\r\n", ["2", "1"]),
        ("Cookie: AWSALB=1\r\ncookie: AWSALBCORS=2\r\n", ["2", "1"]),
        ("Cookie: awsalb=1; AWSALBTG=2; AWSALBAPP-0=3; XAWSALB=4\r\n", []),
        // Two of each name, in their order.
        ("Cookie: AWSALB=1; AWSALB=2; AWSALB=3\r\n", ["1", "2"]),
        ("Cookie: AWSALB=1; AWSALB=2; AWSALBCORS=3; AWSALBCORS=4; AWSALBCORS=5; AWSALB=6\r\n", ["3", "4", "1", "2"]),
    ])
    func thePreferredNameComesFirst(_ fields: String, _ values: [String]) {
        #expect(candidates(fields).values == values)
    }

    @Test(arguments: [
        ("Cookie: SESSION=1\r\n", true), ("Cookie: a=b; SESSION=\r\n", true), ("Cookie: session=1\r\n", false),
        ("Cookie: SESSION\r\n", false), ("Cookie: XSESSION=1; SESSIONX=1\r\n", false), ("", false),
    ])
    func theCookieOfTheApplicationIsThereOrNot(_ fields: String, _ isThere: Bool) {
        #expect(candidates(fields, application: "SESSION").hasApplication == isThere)
        #expect(!candidates(fields).hasApplication)
    }
}
