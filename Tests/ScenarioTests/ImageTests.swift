import Foundation
import Testing

/// The container image, run by a real daemon as little as it needs: its own user, a root that is read-only, and no
/// capability but one.
@Suite(.serialized, .enabled(if: Containers.areAllowed, "a Docker daemon cannot be started here"))
struct ImageTests {
    private static let options = ["--cap-drop", "ALL", "--cap-add", "NET_BIND_SERVICE", "--read-only"]

    /// A configuration for the targets in `containers`, with a listener on `port`, at the path that is returned.
    private func configuration(_ containers: Containers, port: Int) throws -> String {
        let targets = containers.hosts.map { "{ id: \($0.address.id), port: \($0.address.port) }" }
        let text = """
            loadBalancers:
              - name: web
                listeners:
                  - protocol: HTTP
                    port: \(port)
                    defaultActions: [{ type: forward, targetGroupName: app }]
            targetGroups:
              - name: app
                targetType: ip
                protocol: HTTP
                port: 8080
                healthCheckIntervalSeconds: 1
                healthCheckTimeoutSeconds: 0.5
                targets: [\(targets.joined(separator: ", "))]
            """
        let path = "\(containers.folder)/apus-\(port).yaml"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func run(_ containers: Containers, _ name: String, port: Int, _ options: [String]) throws {
        let volume = "\(try configuration(containers, port: port)):/etc/apus/apus.yaml:ro"
        let words = ["run", "--detach", "--name", name, "--volume", volume] + options + ["apus"]
        try runShell(
            "/usr/bin/docker -H unix://\(containers.socket) \(words.joined(separator: " "))", in: containers.folder)
    }

    @Test("In front of two containers it serves, becomes healthy and unhealthy, keeps changes, and ends in order")
    func servesInFrontOfContainers() throws {
        let containers = try Containers(count: 2)
        try ContainerImage.load(into: containers)
        let health = ["--health-interval", "1s", "--health-timeout", "30s", "--health-retries", "1"]
        try run(
            containers, "apus", port: 80, Self.options + health + ["--network", "targets", "--ip", "172.31.254.5"])
        #expect(try containers.becomes("apus", "healthy"), "\(containers.logs("apus"))")
        var answers: Set<String> = []
        let haveAnswered = try eventually(within: 30) {
            answers.insert(try containers.curl("http://172.31.254.5/"))
            return answers.isSuperset(of: containers.hosts.map { "\($0.name)\n" })
        }
        #expect(haveAnswered, "\(answers)")
        // It runs as its own user and writes to its volumes alone, and its command line works in there.
        let status = try containers.docker("exec", "apus", "apus", "status")
        #expect(status.contains("as process 1"), "\(status)")
        #expect(try containers.docker("inspect", "--format", "{{.Config.User}}", "apus") == "65532:65532\n")
        try containers.docker("exec", "apus", "apus", "targets", "deregister", "app", containers.hosts[0].address.text)
        #expect(try containers.docker("diff", "apus").isEmpty)
        // A process that stands still is unhealthy, and healthy again when it goes on.
        try containers.docker("kill", "--signal", "STOP", "apus")
        #expect(try containers.becomes("apus", "unhealthy"))
        let report = try containers.docker("inspect", "--format", "{{json .State.Health.Log}}", "apus")
        #expect(report.contains("not serving: What answers at /run/apus/admin.sock says nothing."), "\(report)")
        try containers.docker("kill", "--signal", "CONT", "apus")
        #expect(try containers.becomes("apus", "healthy"))
        // What was changed outlives the process, and a stop is one in order.
        try containers.docker("restart", "apus")
        #expect(try containers.becomes("apus", "healthy"))
        let targets = try containers.docker("exec", "apus", "apus", "targets", "list", "app")
        #expect(!targets.contains(containers.hosts[0].address.text), "\(targets)")
        try containers.docker("stop", "apus")
        #expect(try containers.docker("inspect", "--format", "{{.State.ExitCode}}", "apus") == "0\n")
    }

    @Test("In the host's network the one capability is for ports below 1024, and without it others can be had")
    func bindsPortsOfTheHost() throws {
        let containers = try Containers(count: 1)
        try ContainerImage.load(into: containers)
        try run(containers, "low", port: 80, Self.options + ["--network", "host"])
        #expect(try containers.becomes("low", "healthy"), "\(containers.logs("low"))")
        #expect(try eventually(within: 20) { try containers.curl("http://127.0.0.1:80/") == "target-1\n" })
        try containers.docker("rm", "--force", "low")
        let without = ["--cap-drop", "ALL", "--security-opt", "no-new-privileges", "--read-only", "--network", "host"]
        try run(containers, "high", port: 8080, without)
        #expect(try containers.becomes("high", "healthy"), "\(containers.logs("high"))")
        #expect(try eventually(within: 20) { try containers.curl("http://127.0.0.1:8080/") == "target-1\n" })
    }

    @Test("Without a configuration it says how to give it one; the roots that OpenSSL looks for are there")
    func servesWithoutAConfiguration() throws {
        let containers = try Containers(count: 0)
        try ContainerImage.load(into: containers)
        let options = Self.options.joined(separator: " ")
        let docker = "/usr/bin/docker -H unix://\(containers.socket)"
        try runShell(
            "\(docker) run --detach --name apus --publish 127.0.0.1:8080:8080 \(options) apus", in: containers.folder)
        #expect(try containers.becomes("apus", "healthy"))
        #expect(try containers.curl("http://127.0.0.1:8080/").hasPrefix("Apus runs. Mount a configuration"))
        try runShell("\(docker) cp --follow-link apus:/usr/lib/ssl/cert.pem roots.pem", in: containers.folder)
        let roots = try String(contentsOfFile: "\(containers.folder)/roots.pem", encoding: .utf8)
        #expect(roots.contains("-----BEGIN CERTIFICATE-----"))
    }
}
