import Glibc

extension SocketAddress {
    /// The address whose octets these are, highest first: four for IPv4, sixteen for IPv6. Any other number traps.
    ///
    /// An IPv4-mapped IPv6 address is the IPv4 address it maps.
    public init(octets: Span<UInt8>, port: UInt16) {
        precondition(octets.count == 4 || octets.count == 16, "socket address: of \(octets.count) octets")
        if octets.count == 4 {
            self.init(high: 0, low: 0xFFFF << 32 | octets.number, port: port)
        } else {
            let low = octets.extracting(last: 8).number
            self.init(high: octets.extracting(first: 8).number, low: low, port: port)
        }
    }

    /// Reads `literal`, an address in text form, without brackets; nil for anything that is no address of `family`.
    ///
    /// A literal that is IPv6 may map an IPv4 address, and is that then.
    public init?(literal: Span<UInt8>, family: Family, port: UInt16) {
        guard literal.count <= family.literalBytesMax else { return nil }
        // The zeros behind the copy end it, as C wants.
        var text = InlineArray<46, UInt8>(repeating: 0)
        for index in 0..<literal.count {
            guard literal[index] != 0 else { return nil }
            text[index] = literal[index]
        }
        var octets = InlineArray<16, UInt8>(repeating: 0)
        let domain = family == .ipv4 ? AF_INET : AF_INET6
        let isAddress = unsafe text.span.withUnsafeBytes { text in
            var octets = octets.mutableSpan
            return unsafe octets.withUnsafeMutableBytes { octets in
                unsafe inet_pton(domain, text.bindMemory(to: CChar.self).baseAddress!, octets.baseAddress!) == 1
            }
        }
        guard isAddress else { return nil }
        self.init(octets: octets.span.extracting(first: family == .ipv4 ? 4 : 16), port: port)
    }
}

extension SocketAddress.Family {
    /// Octets of the longest text of an address: a dotted quad, in IPv6 behind six groups of four digits.
    public var literalBytesMax: Int { self == .ipv4 ? 15 : 45 }
}

extension Span where Element == UInt8 {
    /// The number these octets are, the highest first: at most eight of them.
    fileprivate var number: UInt64 {
        var number: UInt64 = 0
        for index in 0..<count { number = number << 8 | UInt64(self[index]) }
        return number
    }
}

extension Buffer {
    /// Appends the address as `family` has it, highest octet first: four or sixteen octets, which must fit.
    ///
    /// IPv4 is mapped if `family` is IPv6 (RFC 4291 §2.5.5.2); the other way there is none, and it traps.
    public func append(octetsOf address: SocketAddress, as family: SocketAddress.Family) {
        switch (address.family, family) {
        case (.ipv4, .ipv4):
            append(bigEndian: address.words.low, octetCount: 4)
        case (.ipv4, .ipv6):
            append(bigEndian: 0, octetCount: 8)
            append(bigEndian: 0xFFFF << 32 | address.words.low, octetCount: 8)
        case (.ipv6, .ipv6):
            append(bigEndian: address.words.high, octetCount: 8)
            append(bigEndian: address.words.low, octetCount: 8)
        case (.ipv6, .ipv4):
            preconditionFailure("buffer: an IPv6 address as IPv4")
        }
    }

    /// Appends the `octetCount` low octets of `value`, the highest of them first; they must fit.
    public func append(bigEndian value: UInt64, octetCount: Int) {
        var shift = UInt64(octetCount) * 8
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
