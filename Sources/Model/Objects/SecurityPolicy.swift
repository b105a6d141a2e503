/// A security policy of ELB: the TLS versions and ciphers that a listener accepts.
///
/// Source: the user guide of Application Load Balancers, "Security policies"; docs/elbv2.md, "Security policies".
public struct SecurityPolicy: Hashable, Sendable {
    /// The name without its prefix, as in `TLS13-1-2-2021-06`.
    public let shortName: String
    /// The oldest version that is accepted, as the minor version of TLS 1: 0 to 3.
    public let minimum: Int
    /// The newest version that is accepted, in the same form.
    public let maximum: Int
    /// The ciphers for TLS 1.2 and older, by OpenSSL's names, in the order in which the server prefers them.
    public let ciphers: [String]
    /// Whether hybrid groups with ML-KEM are offered.
    public let isPostQuantum: Bool

    /// What every name begins with.
    public static let prefix = "ELBSecurityPolicy-"
    /// The ciphers for TLS 1.3, in the order in which the server prefers them.
    public static let ciphersuites = [
        "TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
    ]
    /// Used where a listener names none: what the console of ELB recommends.
    public static let standard = known[2]

    /// The whole name.
    public var name: String { Self.prefix + shortName }

    private init(
        _ shortName: String, _ versions: ClosedRange<Int>, _ families: Set<Family>, isPostQuantum: Bool = false
    ) {
        self.shortName = shortName
        minimum = versions.lowerBound
        maximum = versions.upperBound
        self.isPostQuantum = isPostQuantum
        ciphers = Self.order.filter { families.contains($0.family) }.flatMap(\.ciphers)
    }

    /// A family of ciphers: a policy has all ciphers of a family or none.
    private enum Family {
        /// Forward secrecy, authenticated encryption.
        case gcm
        /// Forward secrecy, CBC with SHA-256 or SHA-384.
        case cbc2
        /// Forward secrecy, CBC with SHA-1.
        case cbc1
        /// RSA key exchange, TLS 1.2's ciphers.
        case rsa2
        /// RSA key exchange, CBC with SHA-1.
        case rsa1
    }

    /// All ciphers, in the documented order: 128 bits before 256, RSA key exchange last.
    private static let order: [(family: Family, ciphers: [String])] = [
        (.gcm, ["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"]),
        (.cbc2, ["ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256"]),
        (.cbc1, ["ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA"]),
        (.gcm, ["ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"]),
        (.cbc2, ["ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384"]),
        (.cbc1, ["ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA"]),
        (.rsa2, ["AES128-GCM-SHA256", "AES128-SHA256"]),
        (.rsa1, ["AES128-SHA"]),
        (.rsa2, ["AES256-GCM-SHA384", "AES256-SHA256"]),
        (.rsa1, ["AES256-SHA"]),
    ]

    private static let all: Set<Family> = [.gcm, .cbc2, .cbc1, .rsa2, .rsa1]

    /// Every policy that is documented in full.
    public static let known: [SecurityPolicy] = [
        SecurityPolicy("TLS13-1-3-2021-06", 3...3, []),
        SecurityPolicy("TLS13-1-2-2021-06", 2...3, [.gcm, .cbc2]),
        SecurityPolicy("TLS13-1-2-Res-2021-06", 2...3, [.gcm]),
        SecurityPolicy("TLS13-1-2-Ext1-2021-06", 2...3, [.gcm, .cbc2, .rsa2]),
        SecurityPolicy("TLS13-1-2-Ext2-2021-06", 2...3, all),
        SecurityPolicy("TLS13-1-1-2021-06", 1...3, all),
        SecurityPolicy("TLS13-1-0-2021-06", 0...3, all),
        SecurityPolicy("TLS13-1-3-PQ-2025-09", 3...3, [], isPostQuantum: true),
        SecurityPolicy("TLS13-1-2-PQ-2025-09", 2...3, [.gcm, .cbc2], isPostQuantum: true),
        SecurityPolicy("TLS13-1-2-Res-PQ-2025-09", 2...3, [.gcm], isPostQuantum: true),
        SecurityPolicy("TLS13-1-2-Ext1-PQ-2025-09", 2...3, [.gcm, .cbc2, .rsa2], isPostQuantum: true),
        SecurityPolicy("TLS13-1-2-Ext2-PQ-2025-09", 2...3, all, isPostQuantum: true),
        SecurityPolicy("TLS13-1-0-PQ-2025-09", 0...3, all, isPostQuantum: true),
        SecurityPolicy("TLS-1-2-Ext-2018-06", 2...2, all),
        SecurityPolicy("TLS-1-2-2017-01", 2...2, [.gcm, .cbc2, .rsa2]),
        SecurityPolicy("TLS-1-1-2017-01", 1...2, all),
        SecurityPolicy("2016-08", 0...2, all),
        SecurityPolicy("2015-05", 0...2, all),
        SecurityPolicy("FS-2018-06", 0...2, [.gcm, .cbc2, .cbc1]),
        SecurityPolicy("FS-1-1-2019-08", 1...2, [.gcm, .cbc2, .cbc1]),
        SecurityPolicy("FS-1-2-2019-08", 2...2, [.gcm, .cbc2, .cbc1]),
        SecurityPolicy("FS-1-2-Res-2019-08", 2...2, [.gcm, .cbc2]),
        SecurityPolicy("FS-1-2-Res-2020-10", 2...2, [.gcm]),
    ]

    /// The policy of this name; nil if there is none.
    public init?(name: String) {
        guard let policy = Self.known.first(where: { $0.name == name }) else { return nil }
        self = policy
    }

    /// Reads and writes the name.
    static let codec = Codec<SecurityPolicy>(
        shape: .word(known.map(\.name)),
        decode: { value, findings in
            if let policy = value.string.flatMap(SecurityPolicy.init(name:)) { return policy }
            let name = value.string ?? ""
            let isKnown = name.hasPrefix(prefix) && (name.contains("-FIPS-") || name.contains("RFC9151"))
            let remedy =
                if isKnown {
                    "\(name) is known to ELBv2, not supported by this version."
                } else {
                    remedy(forUnknown: name)
                }
            findings.report(
                "\(findings.subject) must be a security policy of ELB's", found: value.brief, at: value.location,
                remedy: remedy, code: .sslPolicyNotFound)
            return nil
        },
        encode: { .string($0.name) })

    /// Whether it accepts less than TLS 1.2, or no TLS 1.3.
    private var isLegacy: Bool { minimum < 2 || maximum < 3 }

    /// Whether `wanted` is its name but for one letter, or for the order of two characters, and does not begin with
    /// TLS: then no other policy can be meant.
    private func differsInOneLetter(from wanted: String) -> Bool {
        guard !wanted.hasPrefix("TLS") else { return false }
        func digits(_ name: String) -> [Character] { name.filter(\.isNumber).sorted() }
        let name = shortName.uppercased()
        return digits(name) == digits(wanted) && Spelling.distance(name.map { $0 }, wanted.map { $0 }) == 1
    }

    /// What to write instead of an unknown policy name. All names share a prefix, so only what follows it is compared.
    /// Of several policies that begin like the unknown name, the standard one is suggested first, and one that accepts
    /// less than TLS 1.2 last. To a name that is merely like others no policy is suggested that accepts less than TLS
    /// 1.2 or lacks TLS 1.3, but where a single letter is wrong: who mistypes a new policy must not be led to a weak
    /// one.
    private static func remedy(forUnknown name: String) -> String {
        let wanted = (name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : name).uppercased()
        let longer = known.filter { !wanted.isEmpty && $0.shortName.uppercased().hasPrefix(wanted) }
        if let exact = longer.first(where: { $0.shortName.uppercased() == wanted }) { return "Write \(exact.name)." }
        let safe = known.filter { !$0.isLegacy || $0.differsInOneLetter(from: wanted) }
        let near =
            longer.isEmpty
            ? Spelling.nearest(to: wanted, among: safe.map(\.shortName))
            : (longer.contains(standard) ? standard : longer.first { $0.minimum >= 2 } ?? longer[0]).shortName
        return near.map { "Did you mean \(prefix)\($0)?" } ?? "Write \(standard.name), or another that ELBv2 documents."
    }
}
