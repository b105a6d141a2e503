import Foundation
import Testing

/// A name server that says nonsense, too much, or nothing: scripted, since none does it on purpose.
@Suite struct DNSServerTests {
    /// A scripted name server, and Apus whose group `blue` finds its targets there.
    private final class Scene {
        let folder: String
        let server: PortServer
        let apus: ApusProcess
        private var state: JSON = ["records": [:], "faults": [:], "ttl": 0]

        /// The answers are asked for again after a tenth of a second, unless `dns` says otherwise.
        init(_ dns: [String: JSON], port: UInt16 = 80, before others: [String] = []) throws {
            let folder = try temporaryFolder()
            let server = try PortServer(label: "dns") { port, _ in
                [Tool.python, Tool.script("fake_dns"), "\(port)", "\(folder)/dns.json"]
            }
            self.folder = folder
            self.server = server
            try state.text.write(toFile: "\(folder)/dns.json", atomically: true, encoding: .utf8)
            let resolvers = others + ["127.0.0.1:\(server.port)"]
            let settings: [String: JSON] = [
                "name": "web.test", "ttlSecondsMin": 0.1, "resolvers": .array(resolvers.map { .string($0) }),
            ]
            apus = try ApusProcess.start(
                Document(
                    listeners: [.init(defaultAction: Document.forward("blue"))],
                    groups: [
                        .init(
                            "blue",
                            settings: [
                                "port": JSON(port), "discovery": ["dns": .object(settings.merging(dns) { $1 })],
                            ])
                    ]), until: .answering)
        }

        deinit { removeFolder(folder) }

        private func write() throws {
            try state.text.write(toFile: "\(folder)/dns.json", atomically: true, encoding: .utf8)
        }

        /// What names have from now on, by `name TYPE`.
        func serve(_ records: [String: JSON], ttl: Int = 0) throws {
            state["records"] = .object(records)
            state["ttl"] = JSON(UInt16(ttl))
            try write()
        }

        /// What is answered instead to a question, or to all.
        func fault(_ fault: String?, of question: String = "*") throws {
            state["faults"] = fault.map { .object([question: .string($0)]) } ?? [:]
            try write()
        }

        var source: JSON { (try? apus.admin("GET", "/v1/discovery").json["sources"][0]) ?? .null }
        var reason: String { source["reason"].string ?? "" }

        /// What is registered and does not drain, with its state.
        var targets: [String: String] {
            ((try? apus.states(of: "blue")) ?? [:]).filter { $0.value != "draining" }
        }

        func isSource(_ state: String) -> Bool { eventually(within: 40) { source["state"].string == state } }

        func becomes(_ addresses: Document.Address...) -> Bool {
            let wanted = Dictionary(uniqueKeysWithValues: addresses.map { ($0.text, "healthy") })
            return eventually(within: 40) { targets == wanted }
        }

        /// How often the server was asked so, as in `udp web.test A`.
        func asked(_ question: String) -> Int { server.output.split(separator: "\n").count { $0 == question } }
    }

    /// Answers that take nothing away, and a word of what is told of them.
    private static let faults = [
        ("SERVFAIL", "answers SERVFAIL"), ("REFUSED", "answers REFUSED"), ("NOTIMP", "answers NOTIMP"),
        ("FORMERR", "answers FORMERR"), ("NXDOMAIN", "NXDOMAIN"), ("empty", "without the SOA record"),
        ("silent", "does not answer"), ("noise", "does not answer"),
        ("other", "does not answer"), ("cutoff", "cannot be read: it ends too early"),
        ("pointer", "cannot be read: a name in it"), ("length", "cannot be read: a record in it"),
        ("circle", "aliases that lead in a circle (web.test, a.test, web.test)"), ("chain", "more than 16 aliases"),
        ("lame", "nothing of where it leads (web.test, nowhere.test)"), ("many", "answers with 3000 addresses"),
        ("cutsilent", "does not answer"), ("cutclosed", "cannot be reached"),
    ]

    @Test(
        "Whatever a name server answers instead, the last that was good stays in force, until it is good again",
        arguments: [0, 1, 2, 3])
    func badAnswers(part: Int) throws {
        let target = try TargetServer("one")
        let scene = try Scene([:], port: target.port)
        try scene.serve(["web.test A": ["127.0.0.1"]])
        #expect(scene.becomes(target.address))
        for (index, (fault, word)) in Self.faults.enumerated() where index % 4 == part {
            try scene.fault(fault)
            #expect(eventually(within: 40) { scene.reason.contains(word) }, "\(fault): \(scene.source.text)")
            #expect(scene.source["state"].string == "away", "\(fault)")
            #expect(scene.targets == [target.address.text: "healthy"], "\(fault): \(scene.targets)")
            try scene.fault(nil)
            #expect(scene.isSource("following"), "\(fault): \(scene.source.text)")
        }
        expectServes(scene.apus)
        #expect(scene.apus.process.exitStatus == nil)
    }

    @Test("An answer that is cut is asked for over TCP, and one that is late a second time")
    func cutAndSlow() throws {
        let target = try TargetServer("one")
        let scene = try Scene(["ttlSecondsMax": 1], port: target.port)
        try scene.serve(["web.test A": ["127.0.0.1"]])
        try scene.fault("cut")
        #expect(scene.becomes(target.address))
        #expect(scene.asked("tcp web.test A") > 0)
        // More than a datagram has room for, though nobody has said so.
        try scene.fault(nil)
        try scene.serve(["web.test A": .array((1...200).map { .string("127.0.1.\($0)") })])
        #expect(eventually(within: 40) { scene.targets.count == 200 })
        try scene.fault("slow")
        try scene.serve(["web.test A": ["127.0.0.1"]])
        #expect(scene.becomes(target.address))
        #expect(scene.isSource("following"))
    }

    @Test("A zone that says twice that a name has no addresses takes all out; one that does not say it takes none")
    func nothingLeft() throws {
        let target = try TargetServer("one")
        let scene = try Scene([:], port: target.port)
        try scene.serve(["web.test A": ["127.0.0.1"]])
        #expect(scene.becomes(target.address))
        try scene.serve(["web.test A": []])
        #expect(eventually(within: 40) { scene.reason.contains("all targets are taken out") }, "\(scene.source.text)")
        #expect(scene.becomes() && scene.isSource("following"))
        try scene.serve(["web.test A": ["127.0.0.1"]])
        #expect(scene.becomes(target.address))
    }

    @Test("A server that fails is followed by the next, which is asked first from then on; aliases are followed")
    func nextServer() throws {
        let target = try TargetServer("one")
        let silent = try PortServer(label: "silent") { port, folder in
            try #"{"faults": {"*": "silent"}}"#.write(
                toFile: "\(folder)/dns.json", atomically: true, encoding: .utf8)
            return [Tool.python, Tool.script("fake_dns"), "\(port)", "\(folder)/dns.json"]
        }
        let scene = try Scene([:], port: target.port, before: ["127.0.0.1:\(silent.port)"])
        try scene.serve(["web.test CNAME": ["a.test"], "a.test CNAME": ["b.test"], "b.test A": ["127.0.0.1"]])
        #expect(scene.becomes(target.address))
        #expect(scene.isSource("following"))
        let before = silent.output.split(separator: "\n").count
        let count = scene.asked("udp web.test A")
        #expect(eventually(within: 20) { scene.asked("udp web.test A") > count + 5 })
        #expect(silent.output.split(separator: "\n").count == before)
    }

    @Test("A host of a service that cannot be looked up keeps the addresses that it had, and is told")
    func hostsOfServices() throws {
        let (one, two) = (try TargetServer("one"), try TargetServer("two"))
        let scene = try Scene(["name": "_http._tcp.test", "type": "SRV"])
        let services: JSON = [
            [0, 0, JSON(one.port), "one.test"], [0, 0, JSON(two.port), "two.test"],
        ]
        try scene.serve(["_http._tcp.test SRV": services, "one.test A": ["127.0.0.1"], "two.test A": ["127.0.0.1"]])
        #expect(scene.becomes(one.address, two.address))
        for fault in ["SERVFAIL", "NXDOMAIN", "circle", "silent"] {
            try scene.fault(fault, of: "two.test A")
            #expect(
                eventually(within: 40) { scene.source["refused"][0]["name"].string == "two.test" },
                "\(fault): \(scene.source.text)")
            #expect(scene.targets.count == 2, "\(fault)")
            try scene.fault(nil)
            #expect(eventually(within: 40) { scene.source["refusedCount"].int == 0 }, "\(fault)")
        }
        // What the service does not name any more is gone.
        try scene.serve(["_http._tcp.test SRV": [[0, 0, JSON(one.port), "one.test"]], "one.test A": ["127.0.0.1"]])
        #expect(scene.becomes(one.address))
        try scene.serve(["_http._tcp.test SRV": [[0, 0, 0, "."]]])
        #expect(scene.becomes())
    }

    @Test("An answer is kept for its time to live, between the bounds that the group has")
    func timeToLive() throws {
        let target = try TargetServer("one")
        let scene = try Scene(["ttlSecondsMin": 0.1, "ttlSecondsMax": 0.3], port: target.port)
        try scene.serve(["web.test A": ["127.0.0.1"]], ttl: 3600)
        #expect(scene.becomes(target.address))
        let count = scene.asked("udp web.test A")
        #expect(eventually(within: 20) { scene.asked("udp web.test A") > count + 3 }, "it is not kept for an hour")
        // Addresses that somebody has put there are used where they can be, and told.
        try scene.serve(["web.test A": ["127.0.0.1", "127.255.255.9", "0.0.0.0", "224.0.0.1"]])
        #expect(eventually(within: 20) { scene.targets.count == 2 }, "\(scene.targets)")
        let told = scene.source
        #expect(told["remarks"].elements.count == 1 && told["refusedCount"].int == 2, "\(told.text)")
        let page = try scene.apus.command("discovery").output
        #expect(page.contains("web.test has loopback addresses, such as 127.0.0.1."), "\(page)")
        #expect(page.contains("an address must be that of one host"), "\(page)")
        #expect(eventually { scene.apus.errors.contains("addresses that are local") })
    }
}
