import Core
import RegularExpressions

/// Finds rules by what they look at beside host and path: a field's value, a parameter, the method, the client's
/// network or the name that TLS asks for.
///
/// Each rule that is found best in this way stands here under the hashes of the facts that one of its conditions asks
/// for. A request's own facts are hashed and looked up. What is found is a candidate only, all of whose conditions are
/// tested, so two facts with one hash cost a test and change no decision.
///
/// Shape:  arrays that `init` writes; a look-up neither allocates nor counts references. A table whose rules have no
///         such conditions has an empty index, which costs nothing.
struct FactIndex: Sendable {
    /// The rules under one hash, in `rules`; empty slots have none.
    private struct Slot {
        var hash: UInt64 = 0
        var start: UInt32 = 0
        var count: UInt32 = 0
    }

    /// A length of prefixes of source addresses that some rule has.
    private struct PrefixLength: Equatable {
        let family: SocketAddress.Family
        let length: UInt8
    }

    /// What a fact is about, so that a method is no parameter.
    private enum Kind: UInt64 {
        case method = 1, network, fieldName, fieldValue, key, parameter, value, serverName
    }

    /// Open addressing; a power of two, at least half of it empty.
    private var slots: [Slot] = []
    /// Rule indices, ascending for each hash.
    private var rules: [UInt32] = []
    private var prefixLengths: [PrefixLength] = []
    /// Bit n is set if some rule asks for a field with a name of n bytes.
    private var fieldNameLengths: UInt64 = 0
    private var hasMethods = false
    private var hasParameters = false
    private var hasServerNames = false

    /// Whether no rule stands here.
    var isEmpty: Bool { slots.isEmpty }
}

// MARK: Compilation

extension FactIndex {
    /// The hashes under which a rule with `condition` is found: of any request for which it holds, one is looked up.
    /// Nil if there are none, as for patterns that begin with a wildcard.
    static func hashes(of condition: CompiledCondition) -> [UInt64]? {
        switch condition {
        case .requestMethod(let condition): condition.methods.map { hash(.method, $0.span) }
        case .sourceIP(let condition): condition.networks.map(hash)
        case .sourceFamily(let condition): [hash(condition.network)]
        case .httpHeader(let condition):
            condition.patterns.allSatisfy { Glob.kind(of: $0) == .literal }
                ? condition.patterns.map { value(of: hash(.fieldName, condition.fields.name.span), $0.span) }
                : [hash(.fieldName, condition.fields.name.span)]
        case .httpHeaderRegex(let condition): [hash(.fieldName, condition.fields.name.span)]
        case .queryString(let condition): hashes(of: condition.pairs)
        case .serverName(let condition):
            condition.patterns.allSatisfy { Glob.kind(of: $0) == .literal }
                ? condition.patterns.map { hash(.serverName, $0.span) } : nil
        case .hostHeader, .pathPattern, .hostRegex, .pathRegex: nil
        }
    }

    private static func hashes(of pairs: [QueryStringCondition.Pair]) -> [UInt64]? {
        var hashes: [UInt64] = []
        for pair in pairs {
            switch (pair.key, pair.key?.literal, pair.value.literal) {
            case (_, let key?, let value?): hashes.append(parameter(hash(.key, key.span), value.span))
            case (_, let key?, nil): hashes.append(hash(.key, key.span))
            case (nil, _, let value?): hashes.append(hash(.value, value.span))
            default: return nil
            }
        }
        return hashes
    }

    /// An index of `entries`: the condition by which a rule is to be found, and the rule's index. They are in the order
    /// of the rules.
    init(_ entries: [(condition: CompiledCondition, rule: UInt32)]) {
        var lists: [UInt64: [UInt32]] = [:]
        for (condition, rule) in entries {
            guard let hashes = Self.hashes(of: condition) else { preconditionFailure("fact index: no hashes") }
            for hash in hashes where lists[hash]?.last != rule { lists[hash, default: []].append(rule) }
            note(condition)
        }
        guard !lists.isEmpty else { return }
        var capacity = 4
        while capacity < lists.count * 2 { capacity *= 2 }
        slots = Array(repeating: Slot(), count: capacity)
        for (hash, list) in lists.sorted(by: { $0.key < $1.key }) {
            var index = Int(truncatingIfNeeded: hash) & (capacity - 1)
            while slots[index].count > 0 { index = (index + 1) & (capacity - 1) }
            slots[index] = Slot(hash: hash, start: UInt32(rules.count), count: UInt32(list.count))
            rules += list
        }
    }

    /// Notes what has to be looked up because of `condition`.
    private mutating func note(_ condition: CompiledCondition) {
        switch condition {
        case .requestMethod: hasMethods = true
        case .sourceIP(let condition): for network in condition.networks { note(network) }
        case .sourceFamily(let condition): note(condition.network)
        case .httpHeader(let condition): fieldNameLengths |= 1 << UInt64(condition.fields.name.count & 63)
        case .httpHeaderRegex(let condition): fieldNameLengths |= 1 << UInt64(condition.fields.name.count & 63)
        case .queryString: hasParameters = true
        case .serverName: hasServerNames = true
        case .hostHeader, .pathPattern, .hostRegex, .pathRegex: break
        }
    }

    private mutating func note(_ network: AddressRange) {
        let length = PrefixLength(family: network.family, length: UInt8(network.prefixLength))
        if !prefixLengths.contains(length) { prefixLengths.append(length) }
    }
}

// MARK: Look-up

extension FactIndex {
    /// Tests the rules under each of the request's facts, and leaves in `search` the first that applies or cannot be
    /// told, if that comes before the one that it has.
    func improve(_ search: inout RuleSearch, _ facts: borrowing RuleFacts, _ table: RuleTable, in space: MatchSpace?) {
        var tested = TestedSlots()
        if hasMethods {
            improve(&search, Self.hash(.method, facts.bytes.extracting(facts.method)), &tested, facts, table, in: space)
        }
        for index in prefixLengths.indices where prefixLengths[index].family == facts.client.family {
            let network = AddressRange(facts.client, prefixLength: Int(prefixLengths[index].length))
            improve(&search, Self.hash(network), &tested, facts, table, in: space)
        }
        if hasServerNames {
            improve(&search, Self.hash(.serverName, facts.serverName), &tested, facts, table, in: space)
        }
        if fieldNameLengths != 0 { improveByFields(&search, &tested, facts, table, in: space) }
        if hasParameters { improveByParameters(&search, &tested, facts, table, in: space) }
    }

    private func improveByFields(
        _ search: inout RuleSearch, _ tested: inout TestedSlots, _ facts: borrowing RuleFacts, _ table: RuleTable,
        in space: MatchSpace?
    ) {
        for index in facts.fields.indices {
            let field = facts.fields[index]
            guard fieldNameLengths & 1 << UInt64(field.name.count & 63) != 0, field.id != .other || !field.isRemoved
            else { continue }
            let name = Self.hash(.fieldName, facts.bytes.extracting(field.name))
            improve(&search, name, &tested, facts, table, in: space)
            improve(
                &search, Self.value(of: name, facts.bytes.extracting(field.value)), &tested, facts, table, in: space)
        }
    }

    private func improveByParameters(
        _ search: inout RuleSearch, _ tested: inout TestedSlots, _ facts: borrowing RuleFacts, _ table: RuleTable,
        in space: MatchSpace?
    ) {
        let query = facts.bytes.extracting(facts.query)
        improveByParameters(&search, QueryParameters(query), &tested, facts, table, in: space)
        guard query.hasSemicolon else { return }
        improveByParameters(&search, QueryParameters(query, endAtSemicolons: true), &tested, facts, table, in: space)
    }

    private func improveByParameters(
        _ search: inout RuleSearch, _ all: consuming QueryParameters, _ tested: inout TestedSlots,
        _ facts: borrowing RuleFacts, _ table: RuleTable, in space: MatchSpace?
    ) {
        var parameters = all
        while parameters.advance() {
            improve(&search, by: parameters, .written, &tested, facts, table, in: space)
            let readings = parameters.key.queryReadings
            if readings.contains(.form) { improve(&search, by: parameters, .form, &tested, facts, table, in: space) }
            if readings.contains(.uri) { improve(&search, by: parameters, .uri, &tested, facts, table, in: space) }
            improve(&search, by: parameters, nil, &tested, facts, table, in: space)
        }
    }

    /// Tests the rules that ask for this parameter, with its key read in this way, or for any key.
    private func improve(
        _ search: inout RuleSearch, by parameter: borrowing QueryParameters, _ keyReading: QueryReading?,
        _ tested: inout TestedSlots, _ facts: borrowing RuleFacts, _ table: RuleTable, in space: MatchSpace?
    ) {
        var key: UInt64?
        if let keyReading { key = Self.hash(.key, parameter.key, keyReading) }
        if let key { improve(&search, key, &tested, facts, table, in: space) }
        let readings = parameter.value.queryReadings
        improve(&search, Self.hash(of: parameter.value, .written, under: key), &tested, facts, table, in: space)
        if readings.contains(.form) {
            improve(&search, Self.hash(of: parameter.value, .form, under: key), &tested, facts, table, in: space)
        }
        if readings.contains(.uri) {
            improve(&search, Self.hash(of: parameter.value, .uri, under: key), &tested, facts, table, in: space)
        }
    }

    /// The hash of a parameter's value under the key with the hash `key`, or under any.
    private static func hash(of value: Span<UInt8>, _ reading: QueryReading, under key: UInt64?) -> UInt64 {
        if let key { return parameter(key, value, reading) }
        return hash(.value, value, reading)
    }

    /// Tests the rules under `hash`, up to the first that does not fail.
    private func improve(
        _ search: inout RuleSearch, _ hash: UInt64, _ tested: inout TestedSlots, _ facts: borrowing RuleFacts,
        _ table: RuleTable, in space: MatchSpace?
    ) {
        var index = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[index].count > 0, slots[index].hash != hash { index = (index + 1) & (slots.count - 1) }
        let slot = slots[index]
        guard slot.count > 0, !tested.isRepeated(index) else { return }
        // Facts that alternate could have the same rules tested again and again.
        if tested.testCount > rules.count { return testAll(&search, &tested, facts, table, in: space) }
        for position in Int(slot.start)..<Int(slot.start + slot.count) {
            let rule = rules[position]
            guard rule < search.rule else { return }
            tested.testCount += 1
            switch table.testRemaining(of: Int(rule), facts, in: space) {
            case .fails: continue
            case .holds: search = RuleSearch(rule: rule)
            case .limit: search = RuleSearch(rule: rule, isLimit: true)
            }
            return
        }
    }

    /// Tests every rule of the index once; after that nothing is left to test.
    private func testAll(
        _ search: inout RuleSearch, _ tested: inout TestedSlots, _ facts: borrowing RuleFacts, _ table: RuleTable,
        in space: MatchSpace?
    ) {
        guard !tested.isDone else { return }
        tested.isDone = true
        for rule in rules where rule < search.rule {
            switch table.testRemaining(of: Int(rule), facts, in: space) {
            case .fails: continue
            case .holds: search = RuleSearch(rule: rule)
            case .limit: search = RuleSearch(rule: rule, isLimit: true)
            }
        }
    }
}

/// What was tested for one request, so that a fact which it repeats costs no test of the same rules again: with
/// thousands of equal parameters that would be quadratic work.
private struct TestedSlots {
    /// The slots seen last, each in the place that its lowest bits name.
    private var seen = InlineArray<16, Int32>(repeating: -1)
    /// How many rules were tested.
    var testCount = 0
    /// Every rule was tested.
    var isDone = false

    /// Whether `slot` was seen and not forgotten since. Notes it.
    mutating func isRepeated(_ slot: Int) -> Bool {
        if seen[slot & 15] == Int32(slot) { return true }
        seen[slot & 15] = Int32(slot)
        return false
    }
}

/// The first rule that was found so far.
struct RuleSearch {
    /// Its index; `LiteralTable.none` without one.
    var rule = LiteralTable.none
    /// Whether it cannot be told whether it applies.
    var isLimit = false

    /// What it says of the request.
    var match: RuleMatch {
        if rule == LiteralTable.none { return .none }
        return isLimit ? .limit(rule: Int(rule)) : .rule(Int(rule))
    }
}

// MARK: Hashes

extension FactIndex {
    /// FNV-1a, and a mix of its bits at the end. Source: draft-eastlake-fnv, §2; MurmurHash3's finalizer.
    private static func hash(_ kind: Kind, _ text: Span<UInt8>, _ reading: QueryReading = .written) -> UInt64 {
        hash(from: 0xCBF2_9CE4_8422_2325 ^ kind.rawValue, text, reading)
    }

    /// The hash of a field with the name that has the hash `name`, and this value.
    private static func value(of name: UInt64, _ text: Span<UInt8>) -> UInt64 {
        hash(from: name ^ Kind.fieldValue.rawValue, text, .written)
    }

    /// The hash of a parameter with the key that has the hash `key`, and this value.
    private static func parameter(_ key: UInt64, _ text: Span<UInt8>, _ reading: QueryReading = .written) -> UInt64 {
        hash(from: key ^ Kind.parameter.rawValue, text, reading)
    }

    private static func hash(from start: UInt64, _ text: Span<UInt8>, _ reading: QueryReading) -> UInt64 {
        var hash = start
        var index = 0
        while index < text.count {
            let (byte, next) = text.byte(at: index, reading: reading)
            hash = (hash ^ UInt64(byte.lowercased)) &* 0x0000_0100_0000_01B3
            index = next
        }
        return mixed(hash)
    }

    private static func hash(_ network: AddressRange) -> UInt64 {
        let (high, low) = network.words
        let start = Kind.network.rawValue << 16 | UInt64(network.prefixLength) << 1 | (network.family == .ipv4 ? 1 : 0)
        return mixed(mixed(start ^ high) ^ low)
    }

    private static func mixed(_ value: UInt64) -> UInt64 {
        var value = (value ^ value >> 33) &* 0xFF51_AFD7_ED55_8CCD
        value = (value ^ value >> 33) &* 0xC4CE_B9FE_1A85_EC53
        return value ^ value >> 33
    }
}
