import Core

extension ProxyHeader {
    /// The most bytes that are written: the fixed part, two IPv6 addresses with their ports, and the checksum.
    public static let writtenBytesMax = fixedBytes + 36 + checksumExtensionBytes

    /// The transport protocol of what is passed on: STREAM, which is TCP.
    private static let stream: UInt8 = 1
    private static let checksumExtensionBytes = extensionHeadBytes + checksumBytes

    /// Appends the version 2 header of a connection that `source` has opened to `destination`, with a checksum; it must
    /// fit (`writtenBytesMax`).
    ///
    /// The header has room for one family: if one address is IPv4 and the other is not, it is mapped to IPv6.
    public static func write(source: SocketAddress, destination: SocketAddress, into buffer: Buffer) {
        let family = source.family == destination.family ? source.family : .ipv6
        let start = buffer.count
        switch family {
        case .ipv4: writeFixed(.proxy, family: 1 << 4 | stream, addressBytes: 12, into: buffer)
        case .ipv6: writeFixed(.proxy, family: 2 << 4 | stream, addressBytes: 36, into: buffer)
        }
        buffer.append(bytesOf: source, as: family)
        buffer.append(bytesOf: destination, as: family)
        buffer.append(bigEndian: UInt64(source.port), byteCount: 2)
        buffer.append(bigEndian: UInt64(destination.port), byteCount: 2)
        writeChecksum(from: start, into: buffer)
    }

    /// Appends the version 2 header of a connection that we have opened ourselves, as for a health check: without
    /// addresses, with a checksum; it must fit (`writtenBytesMax`).
    public static func writeLocal(into buffer: Buffer) {
        let start = buffer.count
        writeFixed(.local, family: 0, addressBytes: 0, into: buffer)
        writeChecksum(from: start, into: buffer)
    }

    private static func writeFixed(_ command: Command, family: UInt8, addressBytes: Int, into buffer: Buffer) {
        buffer.append(signature)
        buffer.append(version << 4 | command.rawValue)
        buffer.append(family)
        buffer.append(bigEndian: UInt64(addressBytes + checksumExtensionBytes), byteCount: 2)
    }

    /// Appends the checksum of the header that begins at `start` of what waits.
    private static func writeChecksum(from start: Int, into buffer: Buffer) {
        buffer.append(checksumType)
        buffer.append(bigEndian: UInt64(checksumBytes), byteCount: 2)
        let header = buffer.bytes.extracting(start..<buffer.count)
        let checksum = checksum(header, header.extracting(first: 0))
        buffer.append(bigEndian: UInt64(checksum), byteCount: checksumBytes)
    }
}
