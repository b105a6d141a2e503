import Core

/// A PROXY protocol header: the client's and the destination's address, sent by a proxy before the connection's own
/// bytes.
///
/// Shape:  two addresses, and how long the header is. Reading keeps no state: while it says `needMore`, it is asked
///         again with all bytes since the start of the connection.
/// Limits: `lineBytesMax` for version 1, `binaryBytesMax` for version 2; a longer header is refused.
/// Errors: after a fault no byte of the connection can be trusted: close it without a response.
/// Source: W. Tarreau, "The PROXY protocol, versions 1 & 2", HAProxy 2020; the sections named here are its sections.
///         Read a header only where the sender is known (§5): it decides which address is logged and matched by rules.
public struct ProxyHeader: Equatable, Sendable {
    /// Bytes of the header, to be consumed.
    public let byteCount: Int
    /// The client's address. Nil if the header names none (LOCAL, UNKNOWN, AF_UNSPEC) or paths (AF_UNIX): then the
    /// connection's real addresses count.
    public let source: SocketAddress?
    /// The address that the client has connected to; nil whenever `source` is.
    public let destination: SocketAddress?

    /// Bytes of a version 1 header with its CRLF: UNKNOWN, two IPv6 addresses and two ports. Source: §2.1.
    public static let lineBytesMax = 107
    /// Bytes of a version 2 header: 4 KiB behind the fixed part, though its length field counts to 64 KiB. Addresses,
    /// a server name, an identifier and the names of a certificate take some hundred, and §2.2 promises that a header
    /// fits one segment.
    public static let binaryBytesMax = fixedBytes + 4096

    /// A header without addresses.
    init(byteCount: Int) {
        self.byteCount = byteCount
        source = nil
        destination = nil
    }

    init(byteCount: Int, source: SocketAddress, destination: SocketAddress) {
        self.byteCount = byteCount
        self.source = source
        self.destination = destination
    }
}

/// What version 2 is made of. Source: §2.2.
extension ProxyHeader {
    static let signature: StaticString = "\r\n\r\n\0\r\nQUIT\n"
    /// In the high half of the byte behind the signature; the command is in the low half.
    static let version: UInt8 = 2
    /// Bytes up to the addresses: signature, version and command, family, and how many bytes follow.
    static let fixedBytes = 16
    /// Bytes of an extension's type and length, in front of its value.
    static let extensionHeadBytes = 3
    /// The type of the extension that is the header's CRC-32C, and the bytes of its value. Source: §2.2.3.
    static let checksumType: UInt8 = 3
    static let checksumBytes = 4

    /// Why there is a header.
    enum Command: UInt8 {
        /// The sender itself has opened the connection, for a health check.
        case local = 0
        /// The sender passes a connection on.
        case proxy = 1
    }

    /// The checksum of a header, of which `before` stands in front of the checksum itself and `after` behind it.
    static func checksum(_ before: Span<UInt8>, _ after: Span<UInt8>) -> UInt32 {
        let zeros = InlineArray<4, UInt8>(repeating: 0)
        var checksum = CRC32C()
        checksum.update(before)
        checksum.update(zeros.span)
        checksum.update(after)
        return checksum.value
    }
}

/// The result of parsing the start of a connection.
public enum ProxyHeaderResult: Equatable, Sendable {
    /// Valid so far. Call again with these bytes and more.
    case needMore
    /// A header; what follows is the connection's own.
    case complete(ProxyHeader)
    /// Not a valid header.
    case refused(ProxyHeaderFault)
}

/// Why the start of a connection is not a valid header.
///
/// Errors: after each of them the caller has to close the connection without a response.
public enum ProxyHeaderFault: UInt8, Error, Sendable, CaseIterable {
    /// The first bytes are those of neither version: there is no header.
    case missing
    /// More bytes than `lineBytesMax`, or than `binaryBytesMax`.
    case tooLong
    // Version 1: the word for the protocol or the end of the line, an address, a port.
    case badLine, badAddress, badPort
    // Version 2: numbers that nothing is assigned to.
    case unknownVersion, unknownCommand, unknownFamily
    /// Version 2: not enough bytes for the addresses of this family.
    case tooShort
    /// Version 2: an extension that does not fit the header, or a checksum that is not of four bytes or not the only
    /// one.
    case badExtension
    case badChecksum

    /// The cause as a code of one word, for the log.
    public var reasonCode: StaticString {
        switch self {
        case .missing: "ProxyHeaderMissing"
        case .tooLong: "ProxyHeaderTooLong"
        case .badLine: "ProxyHeaderBadLine"
        case .badAddress: "ProxyHeaderBadAddress"
        case .badPort: "ProxyHeaderBadPort"
        case .unknownVersion: "ProxyHeaderUnknownVersion"
        case .unknownCommand: "ProxyHeaderUnknownCommand"
        case .unknownFamily: "ProxyHeaderUnknownFamily"
        case .tooShort: "ProxyHeaderTooShort"
        case .badExtension: "ProxyHeaderBadExtension"
        case .badChecksum: "ProxyHeaderBadChecksum"
        }
    }
}
