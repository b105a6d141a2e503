/// Finds the certificates for a server name (SNI). Source: docs/elbv2.md, "Certificates".
///
/// Shape:  built once per context. A set is at most one ECDSA and one RSA certificate, which are offered together;
///         OpenSSL picks the one that the client supports. Finding a set costs two look-ups, however many certificates
///         there are.
struct CertificateTable {
    /// Indices into the context's certificates; at least one is set.
    struct Choice: Hashable {
        var ecdsa: Int?
        var rsa: Int?

        /// The indices that are set, ECDSA first.
        var indices: [Int] { [ecdsa, rsa].compactMap { $0 } }
    }

    /// The sets; the first is the default.
    private(set) var sets: [Choice] = []
    /// The index of each set.
    private var known: [Choice: Int] = [:]
    private var exact: [[UInt8]: Int] = [:]
    /// Wildcard names without their `*.`.
    private var wildcard: [[UInt8]: Int] = [:]

    /// The facts about a certificate that the table needs.
    struct Entry {
        var names: [String]
        var isECDSA: Bool
        var bits: Int
        var notAfter: Int
    }

    init(_ entries: [Entry]) {
        precondition(!entries.isEmpty, "tls: a listener without certificate")
        let names = Set(entries[0].names)
        // A certificate with the other kind of key belongs to the default set if it has the same names.
        let alike = entries.indices.filter {
            $0 == 0 || entries[$0].isECDSA != entries[0].isECDSA && Set(entries[$0].names) == names && !names.isEmpty
        }
        _ = index(of: Self.best(alike, entries))
        var byName: [String: [Int]] = [:]
        for index in entries.indices {
            for name in entries[index].names { byName[name, default: []].append(index) }
        }
        let best = byName.mapValues { Self.best($0, entries) }
        for (name, choice) in best {
            if name.hasPrefix("*.") {
                wildcard[Array(name.utf8.dropFirst(2))] = index(of: choice)
            } else {
                var choice = choice
                // If there is no certificate of one kind for the exact name, a wildcard certificate completes the set.
                if let dot = name.firstIndex(of: "."), let wide = best["*\(name[dot...])"] {
                    choice.ecdsa = choice.ecdsa ?? wide.ecdsa
                    choice.rsa = choice.rsa ?? wide.rsa
                }
                exact[Array(name.utf8)] = index(of: choice)
            }
        }
    }

    /// The set for a lower-case name, exact before wildcard; nil if there is none, and the default set, 0, is offered.
    func set(for name: [UInt8]) -> Int? {
        if let found = exact[name] { return found }
        guard !wildcard.isEmpty, let dot = name.firstIndex(of: UInt8(ascii: ".")), dot > 0 else { return nil }
        return wildcard[Array(name[(dot + 1)...])]
    }

    private mutating func index(of choice: Choice) -> Int {
        if let index = known[choice] { return index }
        known[choice] = sets.count
        sets.append(choice)
        return sets.count - 1
    }

    /// The best certificate of each kind: the longest key, then the latest end of validity, then the first.
    private static func best(_ indices: [Int], _ entries: [Entry]) -> Choice {
        func best(_ isECDSA: Bool) -> Int? {
            indices.filter { entries[$0].isECDSA == isECDSA }.min { one, other in
                let (a, b) = (entries[one], entries[other])
                return (-a.bits, -a.notAfter, one) < (-b.bits, -b.notAfter, other)
            }
        }
        return Choice(ecdsa: best(true), rsa: best(false))
    }
}
