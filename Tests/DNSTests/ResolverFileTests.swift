import Core
import Testing

@testable import DNS

/// The file that names this host's name servers.
@Suite struct ResolverFileTests {
    @Test(arguments: [
        ("nameserver 10.0.0.2\n", ["10.0.0.2:53"]),
        (
            "# nameserver 1.1.1.1\n;nameserver 1.1.1.2\nsearch a.test\noptions ndots:5\nnameserver\t::1\r\n",
            ["[::1]:53"]
        ),
        ("nameserver 10.0.0.2 # ours\nnameserver fe80::1%eth0\nnameserver a.test\nnameserver", ["10.0.0.2:53"]),
        (
            "nameserver 10.0.0.1\nnameserver 10.0.0.2\nnameserver 10.0.0.3\nnameserver 10.0.0.4\n",
            ["10.0.0.1:53", "10.0.0.2:53", "10.0.0.3:53"]
        ), ("", []), ("nameservers 10.0.0.1\nxnameserver 10.0.0.1\n", []),
    ])
    func serversAreFound(text: String, servers: [String]) {
        #expect(ResolverFile.servers(in: Array(text.utf8)).map(\.description) == servers)
    }
}
