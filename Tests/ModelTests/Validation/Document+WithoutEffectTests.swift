import Testing

@testable import Model

/// Words of ELBv2 that say what is done anyway are accepted: they stay in the document, at every door, and a check
/// names them in one sentence.
@Suite struct DocumentWithoutEffectTests {
    /// A word of a description, with one of the values that may stand.
    struct Word: Sendable, CustomTestStringConvertible {
        let owner: String, key: RefusedKey, value: Value
        var testDescription: String { "\(owner) \(key.name): \(value.json())" }
    }

    static let words: [Word] =
        words(LoadBalancer.description) + words(LoadBalancerAttributes.description)
        + words(ListenerAttributes.description) + words(TargetGroup.description)
        + words(TargetGroupAttributes.description) + words(TargetDescription.description)

    private static func words<Root>(_ description: Description<Root>) -> [Word] {
        description.shape.refused.flatMap { key in
            key.accepted.map { Word(owner: description.shape.name, key: key, value: $0) }
        }
    }

    /// A document in which one word stands, in objects of this kind of load balancer.
    private static func file(_ word: Word, _ kind: LoadBalancer.Kind) -> Value {
        let isNetwork = kind == .network
        var target: Value = ["id": "10.0.0.1"], groupAttributes: Value = [:], listenerAttributes: Value = [:]
        var attributes: Value = [:], action: Value = ["type": "forward", "targetGroupName": "blue"]
        var group: Value = [
            "name": "blue", "targetType": "ip", "protocol": isNetwork ? "TCP" : "HTTP", "port": 8080,
        ]
        var listener: Value = ["protocol": isNetwork ? "TCP" : "HTTP", "port": 80]
        var balancer: Value = ["name": "web", "type": .string(kind.rawValue)]
        switch word.owner {
        case "LoadBalancer": balancer[word.key.name] = word.value
        case "LoadBalancerAttributes": attributes[word.key.name] = word.value
        case "ListenerAttributes": listenerAttributes[word.key.name] = word.value
        case "TargetGroup": group[word.key.name] = word.value
        case "TargetGroupAttributes": groupAttributes[word.key.name] = word.value
        case "Target": target[word.key.name] = word.value
        default: action[word.key.name] = word.value
        }
        group["attributes"] = groupAttributes
        group["targets"] = [target]
        listener["attributes"] = listenerAttributes
        listener["defaultActions"] = [action]
        balancer["attributes"] = attributes
        balancer["listeners"] = [listener]
        return ["loadBalancers": [balancer], "targetGroups": [group]]
    }

    /// The values of a key, wherever it stands.
    private static func values(of key: String, in value: Value) -> [Value] {
        (value.array ?? []).flatMap { values(of: key, in: $0) }
            + (value.members ?? []).flatMap { member in
                (member.key == key ? [member.value] : []) + values(of: key, in: member.value)
            }
    }

    @Test func thereAreAsManyAsTheDocumentationSays() {
        let attributes = Self.words.filter { $0.owner.hasSuffix("Attributes") }.map { "\($0.owner) \($0.key.name)" }
        #expect(Set(attributes).count == 19)
        #expect(Set(Self.words.map { "\($0.owner) \($0.key.name)" }).count == 22)
    }

    @Test(arguments: words, LoadBalancer.Kind.allCases)
    func whatWasWrittenComesBack(_ word: Word, _ kind: LoadBalancer.Kind) throws {
        let document = try Document(Self.file(word, kind))
        let shown = document.encoded()
        #expect(Self.values(of: word.key.name, in: shown) == [word.value])
        #expect(try Document(shown) == document)
        #expect((document.noteOnWordsWithoutEffect != nil) == word.key.kinds.contains(kind))
        #expect(document.noteOnWordsWithoutEffect?.contains(word.key.name) ?? true)
    }

    /// Changes made at run time keep them, on disk and on top of another file.
    @Test(arguments: words) func changesKeepThem(_ word: Word) throws {
        let document = try Document(Self.file(word, .application))
        let file = Document()
        var changes = Changes()
        for change in [
            Change.putTargetGroup(document.targetGroups[0]), .putLoadBalancer(document.loadBalancers[0]),
        ] {
            changes.record(change, over: file)
        }
        let read = try Changes(Value.parse(json: Array(changes.encoded().json().utf8)))
        let (applied, notApplied) = read.apply(to: file)
        #expect(notApplied.isEmpty)
        #expect(Self.values(of: word.key.name, in: applied.encoded()) == [word.value])
    }

    @Test func aKeyIsNamedOnce() throws {
        let document = try Document.load(
            yaml: """
                loadBalancers:
                  - name: web
                    scheme: internal
                    attributes:
                      waf.fail_open.enabled: false
                      dns_record.client_routing_policy: any_availability_zone
                    listeners:
                      - protocol: HTTP
                        port: 80
                        defaultActions: [ { type: forward, targetGroupName: blue, order: 1 } ]
                targetGroups:
                  - name: blue
                    targetType: ip
                    protocol: HTTP
                    port: 80
                    ipAddressType: ipv4
                """, file: "apus.yaml")
        #expect(
            document.noteOnWordsWithoutEffect
                == "Kept as written, but without effect in this version: scheme, waf.fail_open.enabled, "
                + "ipAddressType.")
        #expect(Document().noteOnWordsWithoutEffect == nil)
    }

    /// A redirect that leads back is one, whatever else is written in its action.
    @Test func aRedirectThatLeadsBackIsFoundAllTheSame() {
        let text = """
            loadBalancers:
              - name: web
                listeners:
                  - protocol: HTTP
                    port: 80
                    defaultActions: [ { type: redirect, order: 1, redirectConfig: { statusCode: HTTP_301 } } ]
            """
        let error = #expect(throws: ConfigErrors.self) { try Document.load(yaml: text, file: "apus.yaml") }
        #expect(error?.first.code == .invalidLoadBalancerAction)
    }
}
