import Foundation
import Testing

/// Containers of a real daemon that are found by their labels, stopped, killed, replaced and unwell under load.
@Suite(.serialized, .enabled(if: Containers.areAllowed, "a Docker daemon cannot be started here"))
struct DockerDiscoveryTests {
    private static let options = "--label app=web --label app.port=8080"

    private func start(_ containers: Containers, _ docker: [String: JSON] = [:]) throws -> ApusProcess {
        let choice: JSON = ["socket": .string(containers.socket), "labels": ["app": "web"], "port": "app.port"]
        let discovery: JSON = ["docker": .object(choice.members.merging(docker) { $1 })]
        return try ApusProcess.start(
            Document(
                listeners: [.init(defaultAction: Document.forward("blue"))],
                groups: [.init("blue", settings: ["discovery": discovery])]),
            until: .answering, namespace: containers.namespace)
    }

    private func isGone(_ container: Container, _ apus: ApusProcess) -> Bool {
        eventually {
            let state = (try? apus.states(of: "blue"))?[container.address.text]
            return state == nil || state == "draining"
        }
    }

    @Test("docker stop, again and again under load: no GET fails, and no POST")
    func stops() throws {
        let containers = try Containers(count: 3, answerSeconds: 0.01, lingerSeconds: 0.3, options: Self.options)
        let apus = try start(containers)
        for host in containers.hosts {
            #expect(apus.target(host.address, becomes: "healthy"), "\(apus.errors.suffix(500))")
        }
        let gets = try ClosedLoop(to: apus, in: containers.namespace, connections: 12, label: "g")
        let posts = try ClosedLoop(to: apus, in: containers.namespace, method: "POST", connections: 12, label: "p")
        #expect(gets.goesOn() && posts.goesOn())
        for round in 0..<6 {
            let host = containers.hosts[round % 3]
            try host.stop()
            #expect(isGone(host, apus), "round \(round)")
            #expect(gets.goesOn(for: 50) && posts.goesOn(for: 50), "round \(round)")
            try host.start()
            #expect(apus.target(host.address, becomes: "healthy"), "round \(round)")
        }
        for report in [gets.finish(), posts.finish()] {
            #expect(report.failedCount == 0, "\(report.outcomes) \(report.failures.prefix(5))")
        }
        #expect(try apus.metric("apus_exchanges_cut_by_deregistration_total") == 0)
    }

    @Test("docker kill, again and again under load: no GET fails, and none waits long")
    func kills() throws {
        let containers = try Containers(count: 3, answerSeconds: 0.01, options: Self.options)
        let apus = try start(containers)
        for host in containers.hosts { #expect(apus.target(host.address, becomes: "healthy")) }
        let gets = try ClosedLoop(to: apus, in: containers.namespace)
        #expect(gets.goesOn())
        for round in 0..<6 {
            let host = containers.hosts[round % 3]
            try host.kill()
            #expect(isGone(host, apus), "round \(round)")
            #expect(gets.goesOn(for: 50), "round \(round)")
            try host.start()
            #expect(apus.target(host.address, becomes: "healthy"), "round \(round)")
        }
        let report = gets.finish()
        #expect(report.failedCount == 0, "\(report.outcomes) \(report.failures.prefix(5))")
        let longest = report.slow.map(\.seconds).max() ?? 0
        print("docker kill: the longest of \(report.answeredCount) GETs took \(longest) s")
        #expect(longest < 2, "\(report.slow.filter { $0.seconds == longest })")
    }

    @Test("A signal that is no end takes nothing out")
    func hangUp() throws {
        let containers = try Containers(count: 1, options: Self.options)
        let apus = try start(containers)
        let host = containers.hosts[0]
        #expect(apus.target(host.address, becomes: "healthy"))
        // Python ignores WINCH, as most programs do.
        try host.signal("WINCH")
        #expect(always(for: 1) { (try? apus.states(of: "blue"))?[host.address.text] == "healthy" })
        try host.pause()
        #expect(isGone(host, apus))
        try host.unpause()
        #expect(apus.target(host.address, becomes: "healthy"))
    }

    @Test("A service of Compose is brought up with a new version under load: nothing is lost")
    func newVersion() throws {
        let service = "--label com.docker.compose.project=shop --label com.docker.compose.service=web"
        let containers = try Containers(count: 2, lingerSeconds: 0.3, options: service)
        let apus = try start(
            containers, ["labels": [:], "composeService": "web", "composeProject": "shop", "port": 8080])
        for host in containers.hosts { #expect(apus.target(host.address, becomes: "healthy")) }
        let gets = try ClosedLoop(to: apus, in: containers.namespace, connections: 12, label: "g")
        let posts = try ClosedLoop(to: apus, in: containers.namespace, method: "POST", connections: 12, label: "p")
        #expect(gets.goesOn() && posts.goesOn())
        for (index, old) in containers.hosts.enumerated() {
            let new = try containers.run(10 + index, options: "\(service) --ip 172.31.254.\(20 + index)")
            #expect(apus.target(new.address, becomes: "healthy"))
            try old.stop()
            try old.remove()
            #expect(isGone(old, apus))
            #expect(gets.goesOn(for: 50) && posts.goesOn(for: 50))
        }
        for report in [gets.finish(), posts.finish()] {
            #expect(report.failedCount == 0, "\(report.outcomes) \(report.failures.prefix(5))")
        }
        for number in [10, 11] { try containers.remove(number) }
    }

    @Test("The health check of a container is the first of two levels")
    func health() throws {
        let check = """
            --health-cmd "test -f /records/well" --health-interval 1s --health-timeout 5s --health-retries 1 \
            --health-start-period 300s
            """
        let containers = try Containers(count: 1, options: "\(Self.options) \(check)")
        let apus = try start(containers)
        let host = containers.hosts[0]
        #expect(apus.target(host.address, becomes: "initial"))
        #expect(always(for: 1.5) { (try? apus.states(of: "blue"))?[host.address.text] == "initial" }, "ours pass")
        let well = "\(containers.folder)/well"
        try "".write(toFile: well, atomically: true, encoding: .utf8)
        #expect(apus.target(host.address, becomes: "healthy"))
        try FileManager.default.removeItem(atPath: well)
        #expect(apus.target(host.address, becomes: "unhealthy"))
        #expect(try apus.admin("GET", "/v1/target-groups/blue/targets").text.contains("Container.Unhealthy"))
        try "".write(toFile: well, atomically: true, encoding: .utf8)
        #expect(apus.target(host.address, becomes: "healthy"))
    }

    @Test("A container is reached at the port that is published for it")
    func published() throws {
        let containers = try Containers(count: 1, options: "\(Self.options) -p 127.0.0.1:18080:8080")
        let apus = try start(containers, ["address": "published", "port": 8080])
        #expect(apus.target(Document.Address(port: 18_080), becomes: "healthy"))
        let refused = try start(containers, ["network": "other"])
        #expect(try eventually { try refused.command("discovery").output.contains("network other, but found targets") })
    }
}
