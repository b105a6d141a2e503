import Glibc

extension SocketAddress {
    /// The address whose bytes these are, highest first: four for IPv4, sixteen for IPv6. Any other number traps.
    ///
    /// An IPv4-mapped IPv6 address is the IPv4 address it maps.
    public init(bytes: Span<UInt8>, port: UInt16) {
        precondition(bytes.count == 4 || bytes.count == 16, "socket address: of \(bytes.count) bytes")
        if bytes.count == 4 {
            self.init(high: 0, low: 0xFFFF << 32 | bytes.number, port: port)
        } else {
            let low = bytes.extracting(last: 8).number
            self.init(high: bytes.extracting(first: 8).number, low: low, port: port)
        }
    }

    /// Parses `literal`, an address in text form without brackets; nil for anything that is not an address of `family`.
    ///
    /// An IPv4-mapped IPv6 literal becomes the IPv4 address it maps.
    public init?(literal: Span<UInt8>, family: Family, port: UInt16) {
        guard literal.count <= family.literalBytesMax else { return nil }
        // The zeros after the copy terminate the C string.
        var text = InlineArray<46, UInt8>(repeating: 0)
        for index in 0..<literal.count {
            guard literal[index] != 0 else { return nil }
            text[index] = literal[index]
        }
        var bytes = InlineArray<16, UInt8>(repeating: 0)
        let domain = family == .ipv4 ? AF_INET : AF_INET6
        let isAddress = unsafe text.span.withUnsafeBytes { text in
            var bytes = bytes.mutableSpan
            return unsafe bytes.withUnsafeMutableBytes { bytes in
                unsafe inet_pton(domain, text.bindMemory(to: CChar.self).baseAddress!, bytes.baseAddress!) == 1
            }
        }
        guard isAddress else { return nil }
        self.init(bytes: bytes.span.extracting(first: family == .ipv4 ? 4 : 16), port: port)
    }
}

extension SocketAddress.Family {
    /// Bytes of the longest text of an address: a dotted quad, in IPv6 behind six groups of four digits.
    public var literalBytesMax: Int { self == .ipv4 ? 15 : 45 }
}

extension Span where Element == UInt8 {
    /// These bytes as a big-endian number: at most eight of them.
    fileprivate var number: UInt64 {
        var number: UInt64 = 0
        for index in 0..<count { number = number << 8 | UInt64(self[index]) }
        return number
    }
}

extension Buffer {
    /// Appends the address in the form of `family`, highest byte first: four or sixteen bytes, which must fit.
    ///
    /// An IPv4 address is mapped if `family` is IPv6 (RFC 4291 §2.5.5.2). An IPv6 address as IPv4 traps.
    public func append(bytesOf address: SocketAddress, as family: SocketAddress.Family) {
        switch (address.family, family) {
        case (.ipv4, .ipv4):
            append(bigEndian: address.words.low, byteCount: 4)
        case (.ipv4, .ipv6):
            append(bigEndian: 0, byteCount: 8)
            append(bigEndian: 0xFFFF << 32 | address.words.low, byteCount: 8)
        case (.ipv6, .ipv6):
            append(bigEndian: address.words.high, byteCount: 8)
            append(bigEndian: address.words.low, byteCount: 8)
        case (.ipv6, .ipv4):
            preconditionFailure("buffer: an IPv6 address as IPv4")
        }
    }

    /// Appends the lowest `byteCount` bytes of `value` in big-endian order; they must fit.
    public func append(bigEndian value: UInt64, byteCount: Int) {
        var shift = UInt64(byteCount) * 8
        while shift > 0 {
            shift -= 8
            append(UInt8(truncatingIfNeeded: value >> shift))
        }
    }
}
