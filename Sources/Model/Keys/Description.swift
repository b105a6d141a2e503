/// The description of one kind of object: its keys, and what must hold between them.
struct Description<Root: Sendable>: Sendable {
    /// Its shape, for messages and the schema.
    let shape: ObjectShape
    /// The object before any key was read; its parts are the defaults.
    let blank: Root
    /// Its keys.
    let keys: [Key<Root>]
    /// Sets the defaults that depend on the value of another key, before any key is read.
    private let adapt: @Sendable (Value, inout Root) -> Void
    /// Checks what must hold between the keys of one object; called when each by itself is valid.
    let check: @Sendable (Root, inout Findings) -> Void
    /// The index of each key in `keys`.
    private let order: [String: Int]
    /// Where the object keeps keys that are accepted without effect; nil if it has none.
    private let withoutEffect: (WritableKeyPath<Root, [String: Value]> & Sendable)?

    /// A description. `blank` gives the defaults of what is not required; `adapt` changes those that depend on what is
    /// being read. `withoutEffect` is where those `refused` keys are kept that are accepted with some values.
    init(
        _ name: String, _ noun: String, blank: Root, keys: [Key<Root>], refused: [RefusedKey] = [],
        withoutEffect: (WritableKeyPath<Root, [String: Value]> & Sendable)? = nil,
        adapt: @escaping @Sendable (Value, inout Root) -> Void = { _, _ in },
        check: @escaping @Sendable (Root, inout Findings) -> Void = { _, _ in }
    ) {
        precondition(
            withoutEffect != nil || refused.allSatisfy(\.accepted.isEmpty), "\(name): no place for words without effect"
        )
        self.withoutEffect = withoutEffect
        self.blank = blank
        self.keys = keys
        self.adapt = adapt
        self.check = check
        shape = ObjectShape(name: name, noun: noun, keys: keys.map { $0.shape(blank) }, refused: refused)
        order = Dictionary(uniqueKeysWithValues: keys.enumerated().map { ($0.element.name, $0.offset) })
    }

    /// Reads and writes such objects.
    var codec: Codec<Root> {
        Codec(shape: .object(shape), decode: { decode($0, &$1) }, encode: { encode($0) })
    }

    private func decode(_ value: Value, _ findings: inout Findings) -> Root? {
        guard let members = value.members else {
            findings.report(
                "\(findings.subject) must be \(shape.noun), an object with keys", found: value.brief,
                at: value.location,
                remedy: "Write it with its keys: \(keys.prefix(3).map(\.name).joined(separator: ", "))…")
            return nil
        }
        let before = findings.errors.count
        var root = blank
        adapt(value, &root)
        var seen = [Bool](repeating: false, count: keys.count)
        for member in members {
            if let index = order[member.key] {
                seen[index] = true
                findings.within(.key(member.key)) { findings in keys[index].decode(member.value, &root, &findings) }
            } else {
                readUnknown(member, &root, &findings)
            }
        }
        for (index, key) in keys.enumerated() where key.isRequired && !seen[index] {
            findings.report(
                "\(shape.noun) must have the key \(key.name)", at: value.location,
                remedy: "Add \(key.name): \(key.expected).")
        }
        guard findings.errors.count == before else { return nil }
        check(root, &findings)
        return findings.errors.count == before ? root : nil
    }

    /// Keeps a key that is accepted without effect, and reports any other unknown key.
    private func readUnknown(_ member: Value.Member, _ root: inout Root, _ findings: inout Findings) {
        if let refused = shape.refused.first(where: { $0.name == member.key }) {
            if let withoutEffect, refused.accepted.contains(member.value) {
                root[keyPath: withoutEffect][member.key] = Value(member.value.content)
                return
            }
            findings.within(.key(member.key)) { findings in
                let accepted = Shape.alternatives(refused.accepted.map { $0.string ?? $0.json() })
                if refused.accepted.isEmpty {
                    findings.report(
                        "\(member.key) is known to ELBv2, not supported by this version", at: member.keyLocation,
                        remedy: "Remove it.")
                } else {
                    findings.report(
                        "\(member.key) must be \(accepted): this version does not support ELBv2's other values",
                        found: member.value.brief, at: member.value.location, remedy: "Remove it, or write \(accepted)."
                    )
                }
            }
            return
        }
        let remedy = findings.remedy(for: member.key, among: keys.map(\.name), otherwise: "Remove it.")
        findings.report(
            "expected a key of \(shape.noun)", found: Value.quoted(member.key), at: member.keyLocation, remedy: remedy)
    }

    private func encode(_ root: Root) -> Value {
        var members = keys.compactMap { key in key.encode(root).map { Value.Member(key.name, $0) } }
        if let withoutEffect {
            let kept = root[keyPath: withoutEffect]
            members += shape.refused.compactMap { key in kept[key.name].map { Value.Member(key.name, $0) } }
        }
        return .object(members)
    }

    /// The keys that such objects may have, with a value of some kind.
    var names: Set<String> { Set(LoadBalancer.Kind.allCases.flatMap { names(of: $0) }) }

    /// Those that belong to this kind of load balancer.
    func names(of kind: LoadBalancer.Kind) -> Set<String> {
        Set(
            keys.filter { $0.kinds.contains(kind) }.map(\.name)
                + shape.refused.filter { !$0.accepted.isEmpty && $0.kinds.contains(kind) }.map(\.name))
    }

    /// The keys that objects of this kind of load balancer do not have, and whether `root` has another value than the
    /// default for each.
    func misplaced(in root: Root, of kind: LoadBalancer.Kind) -> [(key: String, isGiven: Bool)] {
        keys.filter { !$0.kinds.contains(kind) }.map { key in
            let value = key.encode(root)
            return (key.name, value != key.encode(blank) && value != key.neutral)
        }
    }

    /// The keys of `root` that are accepted without effect, as far as ELBv2 has them for this kind of load balancer.
    func keysWithoutEffect(in root: Root, of kind: LoadBalancer.Kind) -> [String] {
        guard let withoutEffect else { return [] }
        let kept = root[keyPath: withoutEffect]
        return shape.refused.filter { kept[$0.name] != nil && $0.kinds.contains(kind) }.map(\.name)
    }
}

/// One key of an object: how its value gets into the object and out of it.
struct Key<Root: Sendable>: Sendable {
    /// The key.
    let name: String
    /// Whether it must be there.
    private(set) var isRequired: Bool
    /// What its value must be, in words.
    let expected: String
    /// Its shape, with the default that a blank object has.
    private(set) var shape: @Sendable (Root) -> KeyShape
    /// Reads the value into the object.
    let decode: @Sendable (Value, inout Root, inout Findings) -> Void
    /// Writes the value; nil when the object has none.
    let encode: @Sendable (Root) -> Value?
    /// The kinds of load balancer whose objects have the key.
    private(set) var kinds = LoadBalancer.Kind.allCases
    /// The value that may stand in objects of any kind, where it asks for nothing; nil if that is the default alone.
    private(set) var neutral: Value?

    /// A key whose value the object always has.
    init<Model: Sendable>(
        _ name: String, _ part: WritableKeyPath<Root, Model> & Sendable, _ codec: Codec<Model>, required: Bool = false,
        _ meaning: String
    ) {
        self.init(
            name, codec.shape, isRequired: required, meaning,
            decode: { value, root, findings in
                if let model = codec.decode(value, &findings) { root[keyPath: part] = model }
            },
            encode: { codec.encode($0[keyPath: part]) })
    }

    /// A key whose value the object may lack.
    init<Model: Sendable>(
        optional name: String, _ part: WritableKeyPath<Root, Model?> & Sendable, _ codec: Codec<Model>,
        _ meaning: String
    ) {
        self.init(
            name, codec.shape, isRequired: false, meaning,
            decode: { value, root, findings in
                if let model = codec.decode(value, &findings) { root[keyPath: part] = model }
            },
            encode: { $0[keyPath: part].map(codec.encode) })
    }

    /// A key whose value is read for its mistakes alone: the object is made of what it brought about in other keys.
    init<Model: Sendable>(checked name: String, _ codec: Codec<Model>, _ meaning: String) {
        self.init(
            name, codec.shape, isRequired: false, meaning,
            decode: { value, _, findings in _ = codec.decode(value, &findings) }, encode: { _ in nil })
    }

    private init(
        _ name: String, _ shape: Shape, isRequired: Bool, _ meaning: String,
        decode: @escaping @Sendable (Value, inout Root, inout Findings) -> Void,
        encode: @escaping @Sendable (Root) -> Value?
    ) {
        self.name = name
        self.isRequired = isRequired
        self.expected = shape.expected
        self.shape = { blank in
            KeyShape(
                name: name, shape: shape, isRequired: isRequired, defaultValue: isRequired ? nil : encode(blank),
                meaning: meaning)
        }
        self.decode = decode
        self.encode = encode
    }

    /// The same key in an object that may lack any key, and then says nothing about it.
    func optional() -> Key {
        var key = self
        key.isRequired = false
        key.shape = { [shape] blank in
            let shape = shape(blank)
            return KeyShape(
                name: shape.name, shape: shape.shape, isRequired: false, defaultValue: nil, meaning: shape.meaning)
        }
        return key
    }

    /// The same key under another name, in an object that has such an object as a part and is `blank` at first.
    func named<Outer: Sendable>(
        _ name: String, in part: WritableKeyPath<Outer, Root> & Sendable, of blank: Outer
    ) -> Key<Outer> {
        let described = shape(blank[keyPath: part])
        return Key<Outer>(
            name, described.shape, isRequired: false, described.meaning,
            decode: { [decode] value, root, findings in decode(value, &root[keyPath: part], &findings) },
            encode: { [encode] root in encode(root[keyPath: part]) })
    }

    /// The same key, of objects of one kind of load balancer alone.
    func of(_ kind: LoadBalancer.Kind, neutral: Value? = nil) -> Key {
        var key = self
        key.kinds = [kind]
        key.neutral = neutral
        return key
    }
}
