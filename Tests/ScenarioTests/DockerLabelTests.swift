import Foundation
import Testing

/// Containers of a real daemon that ask for requests by their labels.
@Suite(.serialized, .enabled(if: Containers.areAllowed, "a Docker daemon cannot be started here"))
struct DockerLabelTests {
    private static let labels = [
        "apus.host=example.com", "apus.path=/load/*", "apus.group=shop", "apus.port=8080",
        "apus.health.interval=0.5", "apus.health.timeout=0.4",
    ]

    private static func options(_ labels: [String]) -> String {
        labels.map { "--label '\($0)'" }.joined(separator: " ")
    }

    private func start(_ containers: Containers) throws -> ApusProcess {
        var document = Document(
            listeners: [
                .init(defaultAction: ["type": "fixed-response", "fixedResponseConfig": ["statusCode": "404"]])
            ], groups: [.init("blue")])
        document.labels = ["socket": .string(containers.socket), "allowHosts": ["example.com"]]
        return try ApusProcess.start(document, until: .answering, namespace: containers.namespace)
    }

    private func discovered(_ apus: ApusProcess) -> JSON {
        (try? apus.admin("GET", "/v1/target-groups").json["discovered"]) ?? .null
    }

    @Test(
        "New versions are started and old ones stopped under load, while others ask for what they may not: none fails")
    func newVersions() throws {
        let containers = try Containers(
            count: 2, answerSeconds: 0.005, lingerSeconds: 0.3, options: Self.options(Self.labels))
        let apus = try start(containers)
        for host in containers.hosts {
            #expect(apus.target(host.address, in: "shop", becomes: "healthy"), "\(apus.errors.suffix(1000))")
        }
        let gets = try ClosedLoop(to: apus, in: containers.namespace, connections: 8, label: "g")
        #expect(gets.goesOn())
        let greedy = try containers.run(
            9, options: Self.options(["apus.host=bank.example.org", "apus.port=8080"]) + " --ip 172.31.254.19")
        for (index, old) in containers.hosts.enumerated() {
            let new = try containers.run(
                10 + index, options: "\(Self.options(Self.labels)) --ip 172.31.254.\(20 + index)")
            #expect(apus.target(new.address, in: "shop", becomes: "healthy"))
            try old.stop()
            try old.remove()
            #expect(gets.goesOn(for: 50))
        }
        #expect(discovered(apus)["shop"] == ["target-10", "target-11"], "\(discovered(apus).text)")
        #expect(discovered(apus).members.count == 1)
        let text = try apus.command("discovery").output
        #expect(text.contains("\(greedy.name) is not used: apus.host must be allowed by allowHosts"), "\(text)")
        let report = gets.finish()
        #expect(report.failedCount == 0, "\(report.outcomes) \(report.failures.prefix(5))")
        for number in [9, 10, 11] { try containers.remove(number) }
    }

    @Test("The health of a container is the first of two levels, and its rule stays while it is started again")
    func health() throws {
        let check = """
            --health-cmd "test -f /records/well" --health-interval 1s --health-timeout 5s --health-retries 1 \
            --health-start-period 300s
            """
        let containers = try Containers(count: 1, options: "\(Self.options(Self.labels)) \(check)")
        let apus = try start(containers)
        let host = containers.hosts[0]
        #expect(apus.target(host.address, in: "shop", becomes: "initial"))
        try "".write(toFile: "\(containers.folder)/well", atomically: true, encoding: .utf8)
        #expect(apus.target(host.address, in: "shop", becomes: "healthy"))
        try host.stop()
        #expect(eventually(within: 20) { discovered(apus)["shop"] == [] }, "\(discovered(apus).text)")
        let rules = try apus.command("rules", "list", "web:\(apus.port)").output
        #expect(rules.contains("labels, no container"), "\(rules)")
        try host.start()
        #expect(apus.target(host.address, in: "shop", becomes: "healthy"))
        #expect(discovered(apus)["shop"] == [.string(host.name)])
    }
}
