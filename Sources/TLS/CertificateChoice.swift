/// Which certificates a client is offered by the name it asks for, in constant time.
///
/// Exact names come before wildcards (`*.example.com`, one label). For each name there is at most one certificate with
/// an ECDSA key and one with an RSA key: both are offered, and the handshake takes ECDSA where the client can. Of
/// several of a kind the one with the longest key, then the one that is valid the longest. Source: elbv2.md §4.2.
struct CertificateChoice {
    /// Sets of one or two certificates, by their index; the first is for clients that name none of our names.
    private(set) var sets: [[Int]] = []
    /// Sets by name in lower case; a wildcard stands under what follows its asterisk.
    private var exact: [[UInt8]: Int] = [:]
    private var wildcard: [[UInt8]: Int] = [:]

    init(_ certificates: [TLSCertificate]) {
        sets.append([0])
        for (index, certificate) in certificates.enumerated() {
            for name in certificate.names {
                if name.hasPrefix("*.") {
                    let suffix = Array(name.utf8.dropFirst())
                    wildcard[suffix] = enter(index, into: wildcard[suffix], certificates)
                } else {
                    let name = Array(name.utf8)
                    exact[name] = enter(index, into: exact[name], certificates)
                }
            }
        }
        // The default's own names may have a certificate of the other kind.
        if let name = certificates[0].names.first {
            let key = Array(name.utf8)
            let set = name.hasPrefix("*.") ? wildcard[Array(key.dropFirst())] : exact[key]
            if let set, sets[set].contains(0) { sets[0] = sets[set] }
        }
        // Names of the default set need no choice.
        for (name, set) in exact where sets[set] == sets[0] { exact[name] = 0 }
        for (name, set) in wildcard where sets[set] == sets[0] { wildcard[name] = 0 }
    }

    /// Puts a certificate into a set, or into a new one. Returns the set.
    private mutating func enter(_ index: Int, into set: Int?, _ certificates: [TLSCertificate]) -> Int {
        guard let set else {
            sets.append([index])
            return sets.count - 1
        }
        let isECDSA = certificates[index].key.isECDSA
        guard let place = sets[set].firstIndex(where: { certificates[$0].key.isECDSA == isECDSA }) else {
            sets[set].append(index)
            return set
        }
        let other = certificates[sets[set][place]]
        let isBetter = (certificates[index].key.bits, certificates[index].notAfter) > (other.key.bits, other.notAfter)
        if isBetter { sets[set][place] = index }
        return set
    }

    /// The set for `name`, in any case.
    func set(for name: [UInt8]) -> Int {
        let name = name.map { $0 >= UInt8(ascii: "A") && $0 <= UInt8(ascii: "Z") ? $0 | 0x20 : $0 }
        if let set = exact[name] { return set }
        guard let dot = name.firstIndex(of: UInt8(ascii: ".")), dot > 0 else { return 0 }
        return wildcard[Array(name[dot...])] ?? 0
    }

    /// The set for the name in the server_name extension of a ClientHello. Source: RFC 6066 §3.
    func set(forExtension octets: UnsafeBufferPointer<UInt8>) -> Int {
        // A list with its length, of which only the first entry counts: type 0, then a name with its length.
        guard octets.count > 5, unsafe octets[2] == 0 else { return 0 }
        let count = unsafe Int(octets[3]) << 8 | Int(octets[4])
        guard count > 0, count <= octets.count - 5 else { return 0 }
        return unsafe set(for: Array(octets[5..<5 + count]))
    }
}
