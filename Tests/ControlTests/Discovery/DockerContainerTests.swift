import Model
import Routing
import Testing

@testable import Control

/// What a container is to a group, by what Docker says of it.
@Suite struct DockerContainerTests {
    /// What Docker says of a container, with some members replaced or removed.
    static func inspection(_ replaced: (String, Value?)...) -> Value {
        var value: Value = [
            "Id": "0a1b2c", "Name": "/web-1",
            "State": ["Running": true, "Paused": false, "StartedAt": "2026-11-30T10:00:00Z"],
            "Config": ["Labels": ["app": "web", "app.port": "81"], "ExposedPorts": ["8080/tcp": [:], "53/udp": [:]]],
            "HostConfig": ["NetworkMode": "bridge"],
            "NetworkSettings": [
                "Networks": ["bridge": ["IPAddress": "172.17.0.2", "GlobalIPv6Address": ""]],
                "Ports": [
                    "8080/tcp": [["HostIp": "0.0.0.0", "HostPort": "49153"], ["HostIp": "::", "HostPort": "49154"]],
                    "81/tcp": nil,
                ],
            ],
        ]
        for (path, part) in replaced {
            let keys = path.split(separator: "/").map(String.init)
            guard keys.count > 1 else {
                value[keys[0]] = part
                continue
            }
            var outer = value[keys[0]] ?? [:]
            outer[keys[1]] = part
            value[keys[0]] = outer
        }
        return value
    }

    private func target(
        _ settings: DockerDiscovery, groupPort: Int = 9000, isDatagram: Bool = false, _ replaced: (String, Value?)...
    ) throws -> String {
        var value = Self.inspection()
        for (path, part) in replaced {
            let keys = path.split(separator: "/").map(String.init)
            var outer = value[keys[0]] ?? [:]
            outer[keys[1]] = part
            value[keys[0]] = outer
        }
        let container = try #require(DockerContainer(value))
        do throws(ConfigErrors) {
            let target = try container.target(by: settings, groupPort: groupPort, isDatagram: isDatagram)
            return "\(target.id) \(target.port ?? 0)"
        } catch { return "\(error.first)" }
    }

    private func settings(_ change: (inout DockerDiscovery) -> Void) -> DockerDiscovery {
        var settings = DockerDiscovery()
        change(&settings)
        return settings
    }

    @Test func isAtTheOnePortThatItExposes() throws {
        #expect(try target(settings { _ in }) == "172.17.0.2 8080")
        #expect(try target(settings { _ in }, isDatagram: true) == "172.17.0.2 53")
        let two: Value = ["80/tcp": [:], "81/tcp": [:]]
        #expect(try target(settings { _ in }, groupPort: 81, ("Config/ExposedPorts", two)) == "172.17.0.2 81")
        #expect(try target(settings { _ in }, ("Config/ExposedPorts", two)).contains("80, 81"))
        #expect(try target(settings { _ in }, ("Config/ExposedPorts", nil)) == "172.17.0.2 9000", "the group's")
        #expect(
            try target(settings { _ in }, ("Config/ExposedPorts", ["x/tcp": [:], "0/tcp": [:]])) == "172.17.0.2 9000")
    }

    @Test func saysItsPortByALabel() throws {
        let byLabel = settings { $0.port = .label("app.port") }
        #expect(try target(byLabel) == "172.17.0.2 81")
        for value: Value in ["0", "65536", "many", "", "-1", " 81", 81, nil] {
            #expect(
                try target(byLabel, ("Config/Labels", ["app.port": value])).contains("label app.port must be a port"))
        }
        #expect(try target(byLabel, ("Config/Labels", nil)).contains("no such label"))
        #expect(try target(settings { $0.port = .number(82) }) == "172.17.0.2 82")
    }

    @Test func isAtItsAddressInANetwork() throws {
        let two: Value = ["a": ["IPAddress": "10.0.0.1"], "b": ["IPAddress": "", "GlobalIPv6Address": "2001:DB8::1"]]
        let network: (String, Value?) = ("NetworkSettings/Networks", two)
        #expect(try target(settings { $0.network = "b" }, network) == "2001:db8::1 8080")
        #expect(try target(settings { $0.network = "c" }, network).contains("network c, but found a, b"))
        #expect(try target(settings { _ in }, network).contains("Name the one to use by network"))
        #expect(try target(settings { _ in }, ("NetworkSettings/Networks", [:])).contains("no address"))
        let odd: Value = ["a": ["IPAddress": "10.0.0.1\n"], "b": 7, "c": ["IPAddress": 7]]
        #expect(try target(settings { _ in }, ("NetworkSettings/Networks", odd)).contains("no address"))
    }

    @Test func isAtAPublishedPort() throws {
        let published = settings { $0.address = .published }
        #expect(try target(published) == "127.0.0.1 49153")
        #expect(
            try target(
                settings {
                    $0.address = .published; $0.port = .number(81)
                }
            ).contains("must publish its port 81/tcp"))
        let one: Value = ["8080/tcp": [["HostIp": "192.0.2.1", "HostPort": "7"]]]
        #expect(try target(published, ("NetworkSettings/Ports", one)) == "192.0.2.1 7")
        for wrong: Value in [
            ["8080/tcp": [["HostIp": "x", "HostPort": "7"]]], ["8080/tcp": [["HostPort": "0"]]], ["8080/tcp": 7], nil,
            7,
        ] {
            #expect(try target(published, ("NetworkSettings/Ports", wrong)).contains("must publish"))
        }
        let onHost: (String, Value?) = ("HostConfig/NetworkMode", "host")
        #expect(try target(published, onHost) == "127.0.0.1 8080")
        #expect(
            try target(settings { _ in }, onHost, ("NetworkSettings/Networks", ["host": ["IPAddress": ""]]))
                .contains("Write address: published"))
    }

    @Test func knowsItsHealthAndItsEnd() throws {
        let container = try #require(DockerContainer(Self.inspection()))
        #expect(container.name == "web-1" && container.isRunning && container.health == .passing)
        #expect([2, 3, 9, 15].allSatisfy(container.isEnd) && !container.isEnd(1) && !container.isEnd(10))
        for (text, health): (String, ContainerHealth) in [
            ("healthy", .passing), ("none", .passing), ("starting", .starting), ("unhealthy", .unhealthy),
            ("?", .passing),
        ] {
            let state: Value = ["Running": true, "Health": ["Status": .string(text)]]
            #expect(DockerContainer(Self.inspection(("State", state)))?.health == health, "\(text)")
        }
        let own = try #require(DockerContainer(Self.inspection(("Config", ["StopSignal": "SIGUSR1"]))))
        #expect(own.isEnd(10) && own.isEnd(15) && !own.isEnd(12))
        let systemd = try #require(DockerContainer(Self.inspection(("Config", ["StopSignal": "SIGRTMIN+3"]))))
        #expect(systemd.isEnd(37) && !systemd.isEnd(36))
        #expect(
            try #require(DockerContainer(Self.inspection(("State", ["Running": true, "Paused": true])))).isRunning
                == false)
    }

    @Test(
        arguments: [
            ("15", 15), ("SIGTERM", 15), ("term", 15), ("SIGHUP", 1), ("WINCH", 28), ("0", nil), ("-9", nil), ("", nil),
            ("SIG", nil), ("99999999999999999999", nil), ("SIGRTMIN+3", 37), ("rtmin", 34), ("SIGRTMAX-14", 50),
            ("RTMAX", 64), ("RTMIN+31", nil), ("RTMIN-1", nil), ("RTMAX+1", nil), ("RTMIN+x", nil), ("RTMIN+-1", nil),
        ] as [(String, Int?)])
    func signalsHaveNumbers(text: String, number: Int?) { #expect(DockerContainer.signal(text) == number) }

    /// Whatever a daemon says instead of a container: it is none, or one that lacks things, and nothing traps.
    @Test func whatIsNoContainerIsNone() {
        for value: Value in [[:], [], 7, nil, "x", ["Id": 7], ["Id": ""], ["Id": "../x"], ["Id": "0A"]] {
            #expect(DockerContainer(value) == nil, "\(value.json())")
        }
        for part: Value in [[:], [], 7, nil, "x", ["x": 7], [["x"]]] {
            for key in ["Name", "State", "Config", "HostConfig", "NetworkSettings"] {
                let container = DockerContainer(Self.inspection((key, part)))
                #expect(container != nil)
                _ = try? container?.target(by: DockerDiscovery(), groupPort: 80, isDatagram: false)
            }
        }
        #expect(!DockerContainer.isID(String(repeating: "a", count: 65)))
    }
}
