import Core

/// Which target a flow goes to: by its hash alone, so that every worker, and the next process, says the same.
///
/// Each target has an order of its own over all places of the table, and the targets take turns in taking the next
/// place of theirs that is free, each as often as its weight says. So shares are exact to within one place in a
/// hundred, and a target that comes or goes takes or leaves its own share, and moves hardly any other flow.
///
/// Shape:  one byte pair for each of `placesCount` places. Looking up is O(1), making it O(places).
/// Limits: `Limits.flowTargetsMax` targets.
/// Source: D. Eisenbud et al., "Maglev: A Fast and Reliable Software Network Load Balancer", NSDI 2016, §3.4.
public struct MaglevTable: Sendable {
    /// Places of the table: a prime, as the orders need one. With 65,537 places 655 targets have 100 each, which is
    /// what the paper asks for.
    public static let placesCount = 65_537

    private let targets: [UInt16]

    /// A table of the targets with these keys; a key stands for the same target in every table. A target of weight 0
    /// has no place in it; without `weights` all are equal. Empty for none.
    public init(keys: [UInt64], weights: [Int]? = nil) {
        precondition(keys.count <= Limits.flowTargetsMax, "maglev: more than \(Limits.flowTargetsMax) targets")
        precondition(weights.map { $0.count == keys.count } ?? true, "maglev: one weight for each target")
        let weights = weights ?? keys.map { _ in 1 }
        let heaviest = weights.max() ?? 0
        guard heaviest > 0 else {
            targets = []
            return
        }
        let none = UInt16.max
        let count = Self.placesCount
        var targets = [UInt16](repeating: none, count: count)
        // The same targets give the same table, in whatever order they are named.
        let turns = keys.indices.sorted { keys[$0] < keys[$1] }
        var orders = turns.map { Order(keys[$0]) }
        // A target takes a place when this is as much as the heaviest one's weight.
        var credits = [Int](repeating: 0, count: keys.count)
        var taken = 0
        while true {
            for (turn, target) in turns.enumerated() {
                credits[target] += weights[target]
                guard credits[target] >= heaviest else { continue }
                credits[target] -= heaviest
                var place = orders[turn].next()
                while targets[place] != none { place = orders[turn].next() }
                targets[place] = UInt16(target)
                taken += 1
                if taken == count {
                    self.targets = targets
                    return
                }
            }
        }
    }

    private init(targets: [UInt16]) { self.targets = targets }

    /// The same table with storage of its own: for another thread, which need not make it.
    public func copy() -> MaglevTable { MaglevTable(targets: targets.map { $0 }) }

    /// The index of the target for a flow with this hash; nil if there is none.
    public subscript(hash: UInt64) -> Int? {
        targets.isEmpty ? nil : Int(targets[Int(hash % UInt64(Self.placesCount))])
    }

    /// The order in which one target takes places: all of them, once each.
    private struct Order {
        private var place: Int
        private let skip: Int

        init(_ key: UInt64) {
            place = Int(mixed(key) % UInt64(placesCount))
            skip = Int(mixed(key ^ 0x9E37_79B9_7F4A_7C15) % UInt64(placesCount - 1)) + 1
        }

        /// The next place.
        mutating func next() -> Int {
            defer {
                place += skip
                if place >= placesCount { place -= placesCount }
            }
            return place
        }
    }
}

/// Hashes what tells flows apart. The same bytes give the same hash in every process: what chooses a target for a flow
/// must not depend on which worker, or which of several load balancers, sees it.
///
/// Source: the finalizer of MurmurHash3 (A. Appleby), applied to each word in turn.
public struct FlowHash: Sendable {
    /// The hash of what was added so far.
    public private(set) var value: UInt64 = 0

    /// The hash of nothing, or one to go on from.
    public init(_ value: UInt64 = 0) { self.value = value }

    /// Adds one word.
    public mutating func add(_ word: UInt64) {
        value = mixed((value &* 0x9E37_79B9_7F4A_7C15) ^ word)
    }
}

extension FlowHash {
    /// Adds an address, without its port.
    public mutating func add(_ address: SocketAddress) {
        add(address.words.high)
        add(address.words.low)
    }

    /// Adds bytes, eight at a time, and how many they are.
    public mutating func add(_ bytes: Span<UInt8>) {
        var word: UInt64 = 0
        for index in bytes.indices {
            word = word << 8 | UInt64(bytes[index])
            guard index % 8 == 7 else { continue }
            add(word)
            word = 0
        }
        add(word)
        add(UInt64(bytes.count))
    }
}

/// Spreads the bits of `word` over all of them.
private func mixed(_ word: UInt64) -> UInt64 {
    var word = word
    word ^= word >> 33
    word = word &* 0xFF51_AFD7_ED55_8CCD
    word ^= word >> 33
    word = word &* 0xC4CE_B9FE_1A85_EC53
    return word ^ word >> 33
}
