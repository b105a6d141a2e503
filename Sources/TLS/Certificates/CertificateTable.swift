/// Which certificates answer for which name. Source: docs/elbv2.md, "Certificates".
///
/// Shape:  made once per context. A set is what is offered together: one ECDSA and one RSA certificate at most, of
///         which OpenSSL takes the one that the client can use. Finding a set costs two look-ups, however many there
///         are.
struct CertificateTable {
    /// Positions in the context's certificates; at least one is there.
    struct Choice: Hashable {
        var ecdsa: Int?
        var rsa: Int?

        /// What is there, ECDSA first.
        var indices: [Int] { [ecdsa, rsa].compactMap { $0 } }
    }

    /// The sets; the first is the default.
    private(set) var sets: [Choice] = []
    /// The places of the sets.
    private var known: [Choice: Int] = [:]
    private var exact: [[UInt8]: Int] = [:]
    /// By what stands behind `*.`.
    private var wildcard: [[UInt8]: Int] = [:]

    /// What the table needs to know of a certificate.
    struct Entry {
        var names: [String]
        var isECDSA: Bool
        var bits: Int
        var notAfter: Int
    }

    init(_ entries: [Entry]) {
        precondition(!entries.isEmpty, "tls: a listener without certificate")
        let names = Set(entries[0].names)
        // A certificate of the other kind belongs to the default if it is for the same names.
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
                // A kind that the exact name lacks may come from the wildcard.
                if let dot = name.firstIndex(of: "."), let wide = best["*\(name[dot...])"] {
                    choice.ecdsa = choice.ecdsa ?? wide.ecdsa
                    choice.rsa = choice.rsa ?? wide.rsa
                }
                exact[Array(name.utf8)] = index(of: choice)
            }
        }
    }

    /// The set for a lower-case name, exact before wildcard; nil if none is for it: then the default, 0, is offered.
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

    /// Of each kind the longest key, then the one that is valid longest, then the first.
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
