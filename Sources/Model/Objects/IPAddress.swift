/// An IPv4 or IPv6 address, read from its usual text and written back in its one canonical form, so that two
/// spellings of an address are one target.
///
/// Source: RFC 4291 §2.2 (IPv6 text), RFC 5952 (canonical form), RFC 6943 §3.1.1 (why `010.0.0.1` is refused).
public struct IPAddress: Hashable, Sendable, CustomStringConvertible {
    /// The bytes in network order: four for IPv4, sixteen for IPv6.
    public let bytes: [UInt8]

    /// Whether it can be the address of one target: it is not unspecified, multicast or broadcast.
    /// Source: RFC 1122 §3.2.1.3, RFC 5771 (IPv4 multicast), RFC 4291 §2.5.2, §2.7.
    public var isUnicast: Bool {
        if bytes.allSatisfy({ $0 == 0 }) { return false }
        if isIPv4 { return !(224...239).contains(bytes[0]) && !bytes.allSatisfy { $0 == 255 } }
        if bytes[0] == 0xFF { return false }
        let isMapped = bytes[..<10].allSatisfy { $0 == 0 } && bytes[10] == 0xFF && bytes[11] == 0xFF
        return !isMapped || IPAddress(version4: bytes[12...]).isUnicast
    }

    private init(version4 bytes: ArraySlice<UInt8>) { self.bytes = Array(bytes) }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    /// Whether it is an IPv4 address.
    public var isIPv4: Bool { bytes.count == 4 }

    /// Reads an address; nil when the text is not an address. Zones, brackets, ports and prefix lengths are not part of
    /// one.
    public init?(_ text: String) {
        let characters = Array(text.utf8)
        guard characters.count <= 45 else { return nil }
        if characters.contains(UInt8(ascii: ":")) {
            guard let bytes = Self.version6(characters[...]) else { return nil }
            self.bytes = bytes
        } else {
            guard let bytes = Self.version4(characters[...]) else { return nil }
            self.bytes = bytes
        }
    }

    /// The canonical text: for IPv6 lower case, no leading zeros, the longest run of zero groups as `::`.
    public var description: String {
        if isIPv4 { return bytes.map(String.init).joined(separator: ".") }
        let groups = stride(from: 0, to: 16, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
        if groups[0..<5].allSatisfy({ $0 == 0 }), groups[5] == 0xFFFF {
            return "::ffff:" + bytes[12...].map(String.init).joined(separator: ".")
        }
        var best = 0..<0
        var start = 0
        for index in 0...8 where index == 8 || groups[index] != 0 {
            if index - start > max(best.count, 1) { best = start..<index }
            start = index + 1
        }
        func text(_ groups: ArraySlice<UInt16>) -> String {
            groups.map { String($0, radix: 16) }.joined(separator: ":")
        }
        return best.isEmpty
            ? text(groups[...]) : text(groups[..<best.lowerBound]) + "::" + text(groups[best.upperBound...])
    }

    /// The address with the bits behind the first `length` cleared.
    func masked(to length: Int) -> IPAddress {
        var masked = bytes
        for bit in length..<bytes.count * 8 { masked[bit / 8] &= ~(0x80 >> UInt8(bit % 8)) }
        return IPAddress(bytes: masked)
    }

    private static func version4(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard (1...3).contains(part.count), part.allSatisfy({ (0x30...0x39).contains($0) }),
                part.count == 1 || part.first != 0x30, let byte = UInt8(String(decoding: part, as: UTF8.self))
            else { return nil }
            bytes.append(byte)
        }
        return bytes
    }

    private static func version6(_ text: ArraySlice<UInt8>) -> [UInt8]? {
        let colon = UInt8(ascii: ":")
        // At most one `::`, which stands for at least one group of zeros.
        guard let gap = text.indices.dropLast().first(where: { text[$0] == colon && text[$0 + 1] == colon }) else {
            guard let bytes = groups(text, mayEndInVersion4: true), bytes.count == 16 else { return nil }
            return bytes
        }
        let before = text[..<gap]
        let after = text[(gap + 2)...]
        guard let head = before.isEmpty ? [] : groups(before, mayEndInVersion4: false),
            let tail = after.isEmpty ? [] : groups(after, mayEndInVersion4: true), head.count + tail.count <= 14
        else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    private static func groups(_ text: ArraySlice<UInt8>, mayEndInVersion4: Bool) -> [UInt8]? {
        let parts = text.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if mayEndInVersion4, index == parts.count - 1, let last = version4(part) {
                bytes += last
                continue
            }
            guard (1...4).contains(part.count), part.allSatisfy({ $0 != 0x2B && $0 != 0x2D }),
                let group = UInt16(String(decoding: part, as: UTF8.self), radix: 16)
            else { return nil }
            bytes += [UInt8(group >> 8), UInt8(group & 0xFF)]
        }
        return bytes
    }
}
