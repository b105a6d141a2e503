import Core
import Foundation
import Model
import Testing

@testable import Control

@Suite struct ClientIPPreservationTests {
    private static let key = "targetGroups[blue].attributes.preserve_client_ip.enabled"

    private func document(
        _ targets: String, type: String = "ip", preserves: Bool = true, instances: String = ""
    ) throws -> Document {
        try Document.load(yaml: Self.text(targets, type: type, preserves: preserves) + instances, file: "apus.yaml")
    }

    private static func text(_ targets: String, type: String = "ip", preserves: Bool = true) -> String {
        """
        targetGroups:
          - name: blue
            protocol: TCP
            targetType: \(type)
            port: 8080
            attributes: { preserve_client_ip.enabled: \(preserves) }
            targets: [\(targets)]

        """
    }

    /// A host with the same return route for every target. It records the targets that it was asked about.
    private final class Host {
        var asked: [String] = []

        func preservation(isAllowed: Bool = true, _ route: ReturnRoute = .delivered) -> ClientIPPreservation {
            ClientIPPreservation(
                mayUseForeignAddresses: { isAllowed },
                findReturnRoutes: { targets in
                    self.asked += targets.map(\.description)
                    return targets.map { _ in route }
                })
        }
    }

    private func refusal(
        _ preservation: ClientIPPreservation, _ document: Document, since running: Document? = nil
    ) -> String {
        let errors = #expect(throws: ConfigErrors.self) { try preservation.check(document, since: running) }
        return errors?.description ?? ""
    }

    @Test func groupsWithoutPreservationAreNotChecked() throws {
        let host = Host()
        try host.preservation(isAllowed: false, .lost(commands: [])).check(document("{id: 10.2.0.2}", preserves: false))
        #expect(host.asked.isEmpty)
    }

    @Test func acceptsTargetsWhoseRepliesAreDelivered() throws {
        let host = Host()
        try host.preservation().check(document("{id: 10.2.0.2}, {id: 10.2.0.3, port: 81}"))
        #expect(host.asked == ["10.2.0.2:8080", "10.2.0.3:81"])
    }

    @Test func instancesAreWhereTheRegistrySays() throws {
        let host = Host()
        let instances = "instances: [{ id: i-1, address: 10.2.0.9 }]\n"
        try host.preservation().check(document("{id: i-1}, {id: i-2}", type: "instance", instances: instances))
        #expect(host.asked == ["10.2.0.9:8080"])
    }

    @Test func namesTheCapabilityAndHowToGiveIt() throws {
        let message = refusal(Host().preservation(isAllowed: false), try document(""))
        #expect(message.hasPrefix("\(Self.key) of target group blue needs CAP_NET_ADMIN, but found"))
        #expect(message.contains("as root") && message.contains("AmbientCapabilities=CAP_NET_ADMIN"))
        #expect(message.contains("\"setcap cap_net_admin+ep $(command -v apus)\""))
    }

    @Test func aDroppedCapabilityNeedsARestart() throws {
        var preservation = Host().preservation(isAllowed: false)
        preservation.user = "apus"
        let wanted = try document("{id: 10.2.0.2}")
        let message = refusal(preservation, wanted, since: try document("{id: 10.2.0.2}", preserves: false))
        #expect(message.contains("dropped it when it became user apus") && message.contains("Restart apus"))
        #expect(!message.contains("setcap"))
    }

    @Test func namesTheTargetAndTheCommands() throws {
        let host = Host().preservation(.lost(commands: ["ip rule add A", "ip route replace B"]))
        let one = refusal(host, try document("{id: 10.2.0.2}"))
        #expect(one.contains("group blue") && one.contains("those of 10.2.0.2:8080 are not"))
        #expect(one.hasSuffix("Run \"ip rule add A\" and \"ip route replace B\"."))
        let three = refusal(host, try document("{id: 10.2.0.2}, {id: 10.2.0.3}, {id: 10.2.0.4}"))
        #expect(three.contains("those of 10.2.0.2:8080 and of 2 more are not"))
        #expect(three.hasSuffix("Run \"ip rule add A\" and \"ip route replace B\"."), "each command once")
    }

    @Test func manyCommandsAreNotAllShown() throws {
        let host = Host().preservation(.lost(commands: (1...20).map { "c\($0)" }))
        let message = refusal(host, try document("{id: 10.2.0.2}"))
        #expect(message.contains("\"c8\", and so on") && !message.contains("c9"))
        #expect(message.contains("one rule for a whole network"))
    }

    @Test func saysThatThereIsNoWayToATarget() throws {
        let host = Host().preservation(.unreachable(reason: "Network is unreachable"))
        #expect(refusal(host, try document("{id: 10.2.0.2}")).contains("no route to 10.2.0.2 (Network is unreachable)"))
    }

    @Test func saysThatTheKernelCannotBeAsked() throws {
        var preservation = Host().preservation()
        preservation.findReturnRoutes = { _ throws(SystemError) in
            throw SystemError("open a netlink socket", code: EPERM)
        }
        let message = refusal(preservation, try document("{id: 10.2.0.2}"))
        #expect(message.contains("open a netlink socket") && message.contains("AF_NETLINK"))
    }

    @Test func onlyNewTargetsOfAChangeAreChecked() throws {
        let host = Host()
        let before = try document("{id: 10.2.0.2}, {id: 10.2.0.3}")
        try host.preservation().check(document("{id: 10.2.0.2}, {id: 10.2.0.3}, {id: 10.2.0.4}"), since: before)
        #expect(host.asked == ["10.2.0.4:8080"])
        host.asked = []
        try host.preservation().check(
            document("{id: 10.2.0.2}"), since: document("{id: 10.2.0.2}", preserves: false))
        #expect(host.asked == ["10.2.0.2:8080"], "all of a group that had it off")
    }

    @Test func theFileIsNamedWhereItSaysSo() throws {
        let text = Self.text("{id: 10.2.0.2}")
        let places = DocumentPlaces(try Value.parse(yaml: Array(text.utf8), file: "apus.yaml"), file: "apus.yaml")
        let host = Host().preservation(.lost(commands: ["c"]))
        let errors = #expect(throws: ConfigErrors.self) { try host.check(try document("{id: 10.2.0.2}"), places) }
        #expect(errors?.description.hasPrefix("apus.yaml:6:") ?? false)
    }

    /// What comes over the socket, and a reload.
    @Test func aRunningProcessRefusesIt() throws {
        let blue = ServicesTests.Scene.groups
        let attributes = "attributes: { preserve_client_ip.enabled: true }"
        let groups = blue + "  - { name: flow, targetType: ip, protocol: TCP, port: 8080, \(attributes) }\n"
        let scene = try ServicesTests.Scene(groups: groups)
        scene.services.preparation.clientIPPreservation = Host().preservation(.lost(commands: ["ip rule add A"]))
        let outcome = scene.apply(.registerTargets(group: "flow", [TargetDescription(id: "10.2.0.2")]))
        scene.pass()
        #expect(outcome.error?.message.contains("10.2.0.2:8080") ?? false)
        #expect(outcome.error?.remedy == "Run \"ip rule add A\".")
        #expect(scene.services.status.document.targetGroups[2].targets.isEmpty)

        try scene.write(groups: groups.replacingOccurrences(of: "true }", with: "true }, targets: [{ id: 10.2.0.3 }]"))
        var refused = false
        scene.services.reloads.reload(discardingChanges: false, if: nil) { result in
            if case .failure(let errors) = result { refused = "\(errors)".contains("10.2.0.3:8080") }
        }
        scene.pass()
        #expect(refused)
        #expect(scene.services.status.document.targetGroups[2].targets.isEmpty)

        scene.services.preparation.clientIPPreservation = Host().preservation()
        let accepted = scene.apply(.registerTargets(group: "flow", [TargetDescription(id: "10.2.0.2")]))
        scene.pass()
        #expect(accepted.isSuccess)
    }
}
