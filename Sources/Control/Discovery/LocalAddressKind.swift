import Model

/// An address that means something else on each host or network: whoever answers for a public name should not name it.
///
/// Source: RFC 1918, RFC 6598, RFC 3927, RFC 4193, RFC 4291 §2.5.
enum LocalAddressKind: String {
    /// This host itself.
    case loopback
    /// The link that this host is on; clouds serve what they know of a host there.
    case linkLocal = "link-local"
    /// The networks of an organization.
    case `private`

    /// The kind of `address`; nil for one that means the same everywhere.
    init?(_ address: IPAddress) {
        let bytes = address.bytes
        if address.isIPv4 {
            switch (bytes[0], bytes[1]) {
            case (127, _): self = .loopback
            case (169, 254): self = .linkLocal
            case (10, _), (172, 16...31), (192, 168), (100, 64...127): self = .private
            default: return nil
            }
        } else if bytes[..<15].allSatisfy({ $0 == 0 }), bytes[15] == 1 {
            self = .loopback
        } else if bytes[0] == 0xFE, bytes[1] & 0xC0 == 0x80 {
            self = .linkLocal
        } else if bytes[0] & 0xFE == 0xFC {
            self = .private
        } else {
            return nil
        }
    }
}
