import Testing

@testable import Model

/// Server ids of targets: where they must stand, where they must not, and that none stands twice behind a listener.
@Suite struct TargetGroupQUICTests {
    static let ofQUIC: [TrafficProtocol] = [.quic, .tcpQUIC]

    /// A file with one group, whose targets stand in line 6 from column 15 on.
    static func file(_ group: TrafficProtocol, _ targets: String, more: String = "targetType: ip") -> String {
        """
        targetGroups:
          - name: blue
            protocol: \(group.rawValue)
            port: 443
            \(more)
            targets: [\(targets)]
        """
    }

    @Test(arguments: ofQUIC) func targetsHaveServerIDs(_ group: TrafficProtocol) throws {
        let file = Self.file(group, "{ id: 10.0.0.1, quicServerId: \"0x00000000000000ff\" }")
        let document = try Document.load(yaml: file, file: "")
        #expect(document.targetGroups[0].targets[0].quicServerID == QUICServerID(255))
        #expect(try Document(document.encoded()) == document)
        #expect(
            NetworkSample.mistake(in: Self.file(group, "{ id: 10.0.0.1 }"))
                == "edge.yaml:6:15: a target of a group of protocol \(group.rawValue) must have the key quicServerId. "
                + "Add quicServerId: the id that its server puts into connection IDs, such as 0x0000000000000001.")
    }

    @Test(arguments: TrafficProtocol.allCases.filter { !$0.hasQUIC })
    func targetsOfOtherGroupsHaveNone(_ group: TrafficProtocol) {
        let file = Self.file(group, "{ id: 10.0.0.1, quicServerId: \"0x00000000000000ff\" }")
        #expect(
            NetworkSample.mistake(in: file)
                == "edge.yaml:6:45: quicServerId belongs to targets of QUIC and TCP_QUIC groups, but found it in a "
                + "group of protocol \(group.rawValue). Remove it.")
    }

    @Test(arguments: [
        "\"\"", "\"0x01\"", "\"0x00000000000000FF\"", "\"0X00000000000000ff\"", "\"00000000000000ff00\"",
        "\"0x00000000000000fg\"", "\"0x00000000000000ff0\"", "255",
    ])
    func aServerIDIsSixteenDigits(_ text: String) {
        let mistake = NetworkSample.mistake(in: Self.file(.quic, "{ id: 10.0.0.1, quicServerId: \(text) }"))
        #expect(
            mistake?.hasPrefix(
                "edge.yaml:6:45: quicServerId must be 0x and 16 hexadecimal digits in lower case, but found ")
                == true, "\(mistake ?? "accepted")")
    }

    @Test func groupsOfQUICAreOfIPv4() {
        let id = "quicServerId: \"0x00000000000000ff\""
        for group in Self.ofQUIC {
            #expect(
                NetworkSample.mistake(in: Self.file(group, "{ id: \"2001:db8::1\", \(id) }"))
                    == "edge.yaml:6:21: targets of a group of protocol \(group.rawValue) must have IPv4 addresses, but "
                    + "found \"2001:db8::1\". Register the server's IPv4 address.")
            #expect(
                NetworkSample.mistake(in: Self.file(group, "", more: "ipAddressType: ipv6"))
                    == "edge.yaml:5:20: ipAddressType must be ipv4 in a group of protocol \(group.rawValue), but found "
                    + "\"ipv6\". Write ipv4, or remove it.")
            #expect(NetworkSample.mistake(in: Self.file(group, "", more: "ipAddressType: ipv4")) == nil)
        }
    }

    // MARK: Behind one listener

    static let ids = ["0x0000000000000001", "0x0000000000000002"]

    /// Two groups of a target each, with these ids, and a listener that forwards to both.
    static func document(_ ids: [String], hosts: [String] = ["10.0.0.1", "10.0.0.2"], isQUIC: Bool = true) -> Document {
        var document = Document()
        document.targetGroups = zip(["blue", "green"], zip(ids, hosts)).map { name, target in
            TargetGroup(
                name: name, targetType: .ip, protocol: .tcpQUIC, port: 443,
                targets: [TargetDescription(id: target.1, quicServerID: QUICServerID(target.0))])
        }
        document.loadBalancers = [
            LoadBalancer(
                name: "edge", type: .network,
                listeners: [
                    Listener(
                        protocol: isQUIC ? .tcpQUIC : .tcp, port: 443,
                        defaultActions: [Sample.forward(["blue": 1, "green": 1])])
                ])
        ]
        return document
    }

    static let unique = "quicServerId must be unique among the targets of a listener, but found "

    @Test func aServerIDStandsOnceBehindAListener() {
        #expect(Self.document(Self.ids).validate().isEmpty)
        let mistakes = Self.document([Self.ids[0], Self.ids[0]]).validate()
        #expect(
            mistakes.map(\.description) == [
                "targetGroups[1].targets[0].\(Self.unique)\(Self.ids[0]), which 10.0.0.1:443 of group blue "
                    + "behind edge:443 has too. Give each server an id of its own."
            ])
        #expect(mistakes.first?.code == .invalidTarget)
        let same = Self.document([Self.ids[0], Self.ids[0]], hosts: ["10.0.0.1", "10.0.0.1"])
        #expect(same.validate().isEmpty, "one server in two groups")
        #expect(Self.document([Self.ids[0], Self.ids[0]], isQUIC: false).validate().isEmpty, "no listener of QUIC")
        var apart = Self.document([Self.ids[0], Self.ids[0]])
        apart.loadBalancers[0].listeners[0].defaultActions = [Sample.forward(["blue": 1])]
        apart.loadBalancers[0].listeners.append(
            Listener(protocol: .quic, port: 444, defaultActions: [Sample.forward(["green": 1])]))
        #expect(apart.validate().isEmpty, "behind different listeners")
    }

    /// What a change is told; nil if it is made.
    private func mistake(_ change: Change, in document: Document = document(ids)) -> String? {
        do throws(ConfigErrors) {
            _ = try document.applying(change)
            return nil
        } catch {
            #expect(error.first.code == .invalidTarget)
            return error.description
        }
    }

    private func register(_ host: String, _ id: String?, weight: Int? = nil) -> Change {
        let target = TargetDescription(id: host, weight: weight, quicServerID: id.flatMap { QUICServerID($0) })
        return .registerTargets(group: "blue", [target])
    }

    @Test func aServerIDIsUniqueAfterEveryChange() {
        #expect(mistake(register("10.0.0.3", "0x0000000000000003")) == nil)
        let both = "for 10.0.0.2:443 of group green and for 10.0.0.3:443 of group blue, both behind edge:443"
        #expect(
            mistake(register("10.0.0.3", Self.ids[1]))
                == "targets: \(Self.unique)\(Self.ids[1]) \(both). Give each server an id of its own.")
        var alone = Self.document([Self.ids[0], Self.ids[0]])
        alone.loadBalancers[0].listeners[0].defaultActions = [Sample.forward(["blue": 1])]
        let listener = Self.document(Self.ids).loadBalancers[0].listeners[0]
        #expect(
            mistake(.putListener(loadBalancer: "edge", listener), in: alone)?.contains("both behind edge:443") == true)
        var green = Self.document(Self.ids).targetGroups[1]
        green.targets.append(TargetDescription(id: "10.0.0.9", quicServerID: QUICServerID(Self.ids[0])))
        #expect(mistake(.putTargetGroup(green))?.contains("both behind edge:443") == true)
    }

    @Test func aServerIDStaysWithItsTarget() {
        #expect(mistake(register("10.0.0.1", Self.ids[0], weight: 2)) == nil)
        #expect(mistake(register("10.0.0.1", nil, weight: 2)) == nil, "it has one")
        #expect(
            mistake(register("10.0.0.3", nil))?.hasPrefix("targets[0]: a target of a group of protocol TCP_QUIC")
                == true)
        let stays = "quicServerId of 10.0.0.1:443 must stay \(Self.ids[0]), but found \"0x0000000000000009\". "
        #expect(
            mistake(register("10.0.0.1", "0x0000000000000009"))
                == "targets[0].\(stays)Deregister the target first.")
        var blue = Self.document(Self.ids).targetGroups[0]
        blue.targets[0].quicServerID = QUICServerID(9)
        #expect(mistake(.putTargetGroup(blue)) == "targets[0].\(stays)Deregister the target first.")
    }
}
