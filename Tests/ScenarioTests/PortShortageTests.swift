import Foundation
import Testing

/// No port is left for a connection to a target: Apus, clients and the target in a network of their own, which has few.
@Suite(.enabled(if: Networks.areAllowed, "network namespaces cannot be made here")) struct PortShortageTests {
    /// Listens for TCP and UDP at 8080 and keeps what comes.
    private static let target = """
        import socket, threading
        datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        datagrams.bind(("127.0.0.1", 8080))
        server = socket.create_server(("127.0.0.1", 8080))
        kept = []
        print("listens", flush=True)
        while True:
            kept.append(server.accept())
        """

    /// Connects ten times, from ports beyond the few, and tells how many were ended at once; or sends datagrams.
    private static let client = """
        import socket, sys
        ends, kind = [], socket.SOCK_STREAM if sys.argv[1] == "TCP" else socket.SOCK_DGRAM
        for port in range(20000, 20010):
            end = socket.socket(socket.AF_INET, kind)
            end.bind(("127.0.0.1", port))
            end.connect(("127.0.0.1", 9000))
            if kind == socket.SOCK_DGRAM:
                end.send(b"x")
            end.settimeout(0.2)
            ends.append(end)
        ended = 0
        for end in ends:
            try:
                ended += end.recv(1) == b""
            except ConnectionResetError:
                ended += 1
            except TimeoutError:
                pass
        print(ended)
        """

    @Test("Flows for which the system has no port are refused and counted", arguments: ["TCP", "UDP"])
    func shortage(kind: String) throws {
        let networks = try Networks()
        // An even number: of an odd one, Linux leaves out one port in every search.
        let range = "net.ipv4.ip_local_port_range=50000 50003"
        _ = try networks.run(in: .apus, ["/sbin/sysctl", "-q", "-w", range])
        let target = try networks.start(in: .apus, [Tool.python, "-c", Self.target], label: "target")
        #expect(eventually { target.standardOutput.contains("listens") })
        var document = Document.network(listener: ["protocol": .string(kind)])
        document.groups = [
            Document.Group(
                "blue", [Document.Address(port: 8080)],
                settings: [
                    "protocol": .string(kind), "healthCheckProtocol": "TCP", "healthCheckPort": 8079,
                    "healthCheckIntervalSeconds": 300,
                ])
        ]
        document.runtime["workers"] = 1
        try document.text(ports: [9000], folder: networks.folder)
            .write(toFile: "\(networks.folder)/apus.yaml", atomically: true, encoding: .utf8)
        let apus = try networks.start(
            in: .apus, [ApusProcess.binary, "run", "\(networks.folder)/apus.yaml"], label: "apus")
        let socket = "\(networks.folder)/admin.sock"
        #expect(eventually(within: 20) { (try? AdminClient(path: socket).ask("GET", "/v1/status"))?.status == 200 })
        let ended = try networks.run(in: .apus, [Tool.python, "-c", Self.client, kind])
        let metrics = try AdminClient(path: socket).ask("GET", "/metrics").text
        withExtendedLifetime((apus, target)) {
            #expect(metrics.contains("\napus_port_allocation_errors_total 6\n"), "\(ended)\(metrics)")
            if kind == "TCP" { #expect(ended == "6\n") }
        }
    }
}
