import CLinux
import Glibc

/// An IPv4 or IPv6 address with a port.
///
/// Shape: 24 trivial bytes, so that it can be kept per connection and compared without memory traffic.
///        An IPv4-mapped IPv6 address is stored as the IPv4 address it maps.
/// Source: RFC 4291 §2.2, RFC 5952 (text form).
public struct SocketAddress: Hashable, Sendable {
    /// Which family: decides the text form and the socket's domain.
    public enum Family: UInt8, Sendable { case ipv4, ipv6 }

    /// IPv4 or IPv6.
    public let family: Family
    /// Host byte order.
    public let port: UInt16
    private let high: UInt64
    private let low: UInt64

    /// `0.0.0.0` with port 0.
    public static let unspecified = SocketAddress(family: .ipv4, high: 0, low: 0, port: 0)

    private init(family: Family, high: UInt64, low: UInt64, port: UInt16) {
        self.family = family
        self.high = high
        self.low = low
        self.port = port
    }

    /// Parses an IPv4 or IPv6 address without brackets; nil for anything else, host names included.
    public init?(literal: String, port: UInt16) {
        // C ends a string at its first zero byte, and would ignore the rest.
        guard !literal.utf8.contains(0) else { return nil }
        var four = in_addr()
        if unsafe inet_pton(AF_INET, literal, &four) == 1 {
            self.init(family: .ipv4, high: 0, low: UInt64(UInt32(bigEndian: four.s_addr)), port: port)
            return
        }
        var six = in6_addr()
        guard unsafe inet_pton(AF_INET6, literal, &six) == 1 else { return nil }
        self.init(six, port: port)
    }

    private init(_ six: in6_addr, port: UInt16) {
        let words = unsafe unsafeBitCast(six, to: (UInt64, UInt64).self)
        self.init(high: UInt64(bigEndian: words.0), low: UInt64(bigEndian: words.1), port: port)
    }

    /// The IPv6 address of these 128 bits, or the IPv4 address that it maps.
    init(high: UInt64, low: UInt64, port: UInt16) {
        if high == 0 && low >> 32 == 0xFFFF {
            self.init(family: .ipv4, high: 0, low: low & 0xFFFF_FFFF, port: port)
        } else {
            self.init(family: .ipv6, high: high, low: low, port: port)
        }
    }

    /// A hash of address and port by a key, for tables of this process.
    public func hash(by key: HashKey) -> UInt64 {
        key.fold(key.fold(high, low), UInt64(port) << 8 | UInt64(family.rawValue))
    }

    /// The address that the kernel filled in; nil if it is of another family.
    init?(_ storage: sockaddr_storage) {
        switch Int32(storage.ss_family) {
        case AF_INET:
            let address = unsafe withUnsafeBytes(of: storage) { unsafe $0.loadUnaligned(as: sockaddr_in.self) }
            let low = UInt64(UInt32(bigEndian: address.sin_addr.s_addr))
            self.init(family: .ipv4, high: 0, low: low, port: UInt16(bigEndian: address.sin_port))
        case AF_INET6:
            let address = unsafe withUnsafeBytes(of: storage) { unsafe $0.loadUnaligned(as: sockaddr_in6.self) }
            self.init(address.sin6_addr, port: UInt16(bigEndian: address.sin6_port))
        default: return nil
        }
    }

    /// The same address with another port.
    public func with(port: UInt16) -> SocketAddress {
        SocketAddress(family: family, high: high, low: low, port: port)
    }

    /// The address as two numbers, the first bits in the first one. An IPv4 address is the last 32 bits.
    public var words: (high: UInt64, low: UInt64) { (high, low) }

    /// Whether this is the wildcard address, `0.0.0.0` or `::`, which stands for every local address.
    public var isUnspecified: Bool { high == 0 && low == 0 }

    /// Whether this is a loopback address: `127.0.0.0/8` or `::1`.
    public var isLoopback: Bool { family == .ipv4 ? low >> 24 == 127 : high == 0 && low == 1 }

    /// Whether connections to `target` can have this as their source on a host that does not own it (client IP
    /// preservation): it has the same family, is a unicast address that means the same on every interface, and is not
    /// the target itself.
    public func canBeSource(towards target: SocketAddress) -> Bool {
        guard family == target.family, (high, low) != (target.high, target.low), !isUnspecified else { return false }
        if isLoopback && !target.isLoopback { return false }
        // Multicast and reserved addresses; of IPv6 also fe80::/10, which means nothing without an interface.
        return family == .ipv4 ? low >> 28 < 0xE : high >> 56 != 0xFF && high >> 54 != 0xFE80 >> 6
    }

    var domain: Int32 { family == .ipv4 ? AF_INET : AF_INET6 }

    /// Calls `body` with the kernel's form of this address.
    func withSystemAddress<Result>(_ body: (UnsafePointer<sockaddr_storage>, socklen_t) -> Result) -> Result {
        var storage = sockaddr_storage()
        let length: Int
        switch family {
        case .ipv4:
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(truncatingIfNeeded: low).bigEndian
            length = MemoryLayout<sockaddr_in>.size
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in.self) }
        case .ipv6:
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_addr = unsafe unsafeBitCast((high.bigEndian, low.bigEndian), to: in6_addr.self)
            length = MemoryLayout<sockaddr_in6>.size
            unsafe withUnsafeMutableBytes(of: &storage) { unsafe $0.storeBytes(of: address, as: sockaddr_in6.self) }
        }
        return unsafe body(&storage, socklen_t(length))
    }

    /// Writes the address without its port into `text`: at most 45 bytes. Returns how many.
    fileprivate func writeHostText(_ text: inout InlineArray<46, UInt8>) -> Int {
        if family == .ipv4 { return writeDottedQuad(&text) }
        var six = unsafe unsafeBitCast((high.bigEndian, low.bigEndian), to: in6_addr.self)
        var count = 0
        var span = text.mutableSpan
        unsafe span.withUnsafeMutableBytes { raw in
            let bytes = unsafe raw.assumingMemoryBound(to: CChar.self)
            guard unsafe inet_ntop(AF_INET6, &six, bytes.baseAddress, socklen_t(bytes.count)) != nil else { return }
            count = unsafe strlen(bytes.baseAddress!)
        }
        return count
    }

    private func writeDottedQuad(_ text: inout InlineArray<46, UInt8>) -> Int {
        var count = 0
        var shift: UInt64 = 32
        while shift > 0 {
            shift -= 8
            let byte = UInt8(truncatingIfNeeded: low >> shift)
            if byte >= 100 { text[count] = byte / 100 + 0x30; count += 1 }
            if byte >= 10 { text[count] = byte / 10 % 10 + 0x30; count += 1 }
            text[count] = byte % 10 + 0x30
            count += 1
            if shift > 0 { text[count] = .dot; count += 1 }
        }
        return count
    }

    /// The address without its port, as in `10.0.0.5` or `2001:db8::1`.
    public var host: String {
        var text = InlineArray<46, UInt8>(repeating: 0)
        let count = writeHostText(&text)
        return text.span.extracting(0..<count).text
    }
}

extension SocketAddress: CustomStringConvertible {
    /// `10.0.0.5:80` or `[2001:db8::1]:80`.
    public var description: String { family == .ipv4 ? "\(host):\(port)" : "[\(host)]:\(port)" }
}

extension Head {
    /// Appends the address without its port, bracketed if `bracketed` and IPv6.
    @discardableResult public func append(hostOf address: SocketAddress, bracketed: Bool = false) -> ByteRange {
        let start = byteCount
        var text = InlineArray<46, UInt8>(repeating: 0)
        let count = address.writeHostText(&text)
        if bracketed && address.family == .ipv6 { append(0x5B as UInt8) }
        append(text.span.extracting(0..<count))
        if bracketed && address.family == .ipv6 { append(0x5D as UInt8) }
        return range(from: start)
    }
}

extension Buffer {
    /// Appends `10.0.0.5:80` or `[2001:db8::1]:80`, at most 54 bytes, which must fit.
    public func append(_ address: SocketAddress) {
        append(hostOf: address, bracketed: true)
        append(.colon)
        append(decimal: UInt64(address.port))
    }

    /// Appends the address without its port, bracketed if `bracketed` and IPv6; it must fit.
    public func append(hostOf address: SocketAddress, bracketed: Bool = false) {
        var text = InlineArray<46, UInt8>(repeating: 0)
        let count = address.writeHostText(&text)
        if bracketed && address.family == .ipv6 { append(0x5B as UInt8) }
        append(text.span.extracting(0..<count))
        if bracketed && address.family == .ipv6 { append(0x5D as UInt8) }
    }
}
