import Core

/// To which connection the first packet of a datagram belongs, as far as that can be told without its keys.
///
/// Shape:  a pure function of the datagram's first bytes. Packets behind the first have the same connection ID.
/// Source: RFC 8999 (what holds for every version of QUIC), RFC 9000 §12.2, §17; draft-ietf-quic-load-balancers §4.1
///         (the plaintext algorithm): behind the first byte of the connection ID stands the server id.
enum QUICDestination: Equatable {
    /// A long header, as in the handshake: the client may have made the connection ID up. The server id that would be
    /// in it; nil if the connection ID is too short for one.
    case long(serverID: UInt64?)
    /// A short header: the server has made the connection ID.
    case short(serverID: UInt64)
    /// Not QUIC, or too short for a connection ID with a server id.
    case malformed

    /// Bytes of a server id. Source: ELBv2 QuicServerId.
    private static let serverIDBytes = 8
    /// The first byte of a connection ID, which says how the server has made it.
    private static let leadingBytes = 1
    /// The first byte, the version, and the length of the connection ID.
    private static let longHeaderBytes = 1 + 4 + 1

    /// Reads the beginning of a datagram.
    init(_ datagram: Span<UInt8>) {
        guard datagram.count > 0 else {
            self = .malformed
            return
        }
        let isLong = datagram[0] & 0x80 != 0
        let start = (isLong ? Self.longHeaderBytes : 1) + Self.leadingBytes
        if isLong {
            // Version 0 is the answer of a server that does not speak a client's version.
            guard datagram.count >= Self.longHeaderBytes, datagram[1] | datagram[2] | datagram[3] | datagram[4] != 0,
                datagram.count >= Self.longHeaderBytes + Int(datagram[5])
            else {
                self = .malformed
                return
            }
            guard Int(datagram[5]) >= Self.leadingBytes + Self.serverIDBytes else {
                self = .long(serverID: nil)
                return
            }
        } else if datagram.count < start + Self.serverIDBytes {
            self = .malformed
            return
        }
        var serverID: UInt64 = 0
        for index in start..<start + Self.serverIDBytes { serverID = serverID << 8 | UInt64(datagram[index]) }
        self = isLong ? .long(serverID: serverID) : .short(serverID: serverID)
    }
}
