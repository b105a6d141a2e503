import Core
import Testing

@testable import Proxy

@Suite struct ErrorPageTests {
    @Test func announcesAsManyBytesAsItAppends() {
        for status in UInt16(100)...599 {
            let page = ErrorPage(status)
            let buffer = Buffer(capacity: 1024)
            page.append(to: buffer)
            #expect(page.byteCount == buffer.count, "status \(status)")
        }
    }

    @Test func readsAsUsersKnowIt() {
        let buffer = Buffer(capacity: 1024)
        ErrorPage(503).append(to: buffer)
        #expect(
            buffer.bytes.text == """
                <html>\r
                <head><title>503 Service Temporarily Unavailable</title></head>\r
                <body>\r
                <center><h1>503 Service Temporarily Unavailable</h1></center>\r
                </body>\r
                </html>\r

                """)
    }

    /// Every status that Apus answers by itself, and those a configuration is likely to ask for, has its own words.
    @Test(
        arguments: [
            (200, "OK"), (204, "No Content"), (301, "Moved Permanently"), (302, "Found"), (400, "Bad Request"),
            (403, "Forbidden"), (404, "Not Found"), (405, "Method Not Allowed"), (408, "Request Timeout"),
            (413, "Content Too Large"), (414, "URI Too Long"), (417, "Expectation Failed"),
            (463, "Too Many Forwarded Addresses"), (500, "Internal Server Error"), (501, "Not Implemented"),
            (502, "Bad Gateway"), (503, "Service Temporarily Unavailable"), (504, "Gateway Time-out"),
            (505, "HTTP Version Not Supported"), (507, "Insufficient Storage"), (599, "Status"),
        ] as [(UInt16, String)]) func namesTheStatus(status: UInt16, reason: String)
    {
        #expect("\(reasonPhrase(status))" == reason)
        #expect("\(ErrorPage(status).reason)" == reason)
    }
}
