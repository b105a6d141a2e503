import Core

extension ProxyHeader {
    /// Reads the header at the start of `input`, which is all that has come on a connection so far.
    ///
    /// The first invalid byte decides, so the verdict does not depend on how the bytes arrive.
    public static func read(_ input: Span<UInt8>) -> ProxyHeaderResult {
        guard !input.isEmpty else { return .needMore }
        if input[0] == signature[byte: 0] { return readBinary(input) }
        var line = ProxyLine()
        return line.read(input)
    }

    /// Reads a version 2 header. Source: §2.2.
    private static func readBinary(_ input: Span<UInt8>) -> ProxyHeaderResult {
        let commandAt = signature.utf8CodeUnitCount
        for index in 0..<min(commandAt, input.count) where input[index] != signature[byte: index] {
            return .refused(.missing)
        }
        guard input.count > commandAt else { return .needMore }
        guard input[commandAt] >> 4 == version else { return .refused(.unknownVersion) }
        guard let command = Command(rawValue: input[commandAt] & 15) else { return .refused(.unknownCommand) }

        guard input.count > commandAt + 1 else { return .needMore }
        guard let block = ProxyBlock(family: input[commandAt + 1], command) else { return .refused(.unknownFamily) }

        guard input.count >= fixedBytes else { return .needMore }
        let end = fixedBytes + Int(number(input, at: fixedBytes - 2))
        let extensionsAt = fixedBytes + block.addressBytes
        guard end <= binaryBytesMax else { return .refused(.tooLong) }
        guard extensionsAt <= end else { return .refused(.tooShort) }
        if block == .anything { return input.count < end ? .needMore : .complete(ProxyHeader(byteCount: end)) }
        return readExtensions(input, from: extensionsAt, to: end) ?? .complete(header(input, block, byteCount: end))
    }

    /// Checks the extensions that have arrived. Nil if all have arrived and are valid.
    private static func readExtensions(_ input: Span<UInt8>, from start: Int, to end: Int) -> ProxyHeaderResult? {
        var index = start
        var checksumAt: Int?
        while index < end {
            let valueAt = index + extensionHeadBytes
            guard valueAt <= end else { return .refused(.badExtension) }
            guard valueAt <= input.count else { return .needMore }
            let next = valueAt + Int(number(input, at: valueAt - 2))
            guard next <= end else { return .refused(.badExtension) }
            if input[index] == checksumType {
                // Two checksums are rejected, since the specification does not say which one counts.
                guard next - valueAt == checksumBytes && checksumAt == nil else { return .refused(.badExtension) }
                checksumAt = valueAt
            }
            index = next
        }
        guard end <= input.count else { return .needMore }
        guard let checksumAt else { return nil }
        let told = UInt32(number(input, at: checksumAt)) << 16 | UInt32(number(input, at: checksumAt + 2))
        let right = checksum(input.extracting(0..<checksumAt), input.extracting(checksumAt + checksumBytes..<end))
        return told == right ? nil : .refused(.badChecksum)
    }

    /// The header of which all is there: both addresses, then both ports.
    private static func header(_ input: Span<UInt8>, _ block: ProxyBlock, byteCount: Int) -> ProxyHeader {
        let size: Int
        switch block {
        case .ipv4: size = 4
        case .ipv6: size = 16
        case .nothing, .unix, .anything: return ProxyHeader(byteCount: byteCount)
        }
        let destinationAt = fixedBytes + size
        let portsAt = destinationAt + size
        return ProxyHeader(
            byteCount: byteCount,
            source: SocketAddress(
                bytes: input.extracting(fixedBytes..<destinationAt), port: number(input, at: portsAt)),
            destination: SocketAddress(
                bytes: input.extracting(destinationAt..<portsAt), port: number(input, at: portsAt + 2)))
    }

    /// The number in the two bytes at `index`.
    private static func number(_ input: Span<UInt8>, at index: Int) -> UInt16 {
        UInt16(input[index]) << 8 | UInt16(input[index + 1])
    }
}

/// What stands between the fixed part of a version 2 header and its extensions. Source: §2.2.
private enum ProxyBlock {
    case nothing, ipv4, ipv6, unix
    /// The family of a LOCAL header has to be ignored, so the start of its extensions is unknown, and all of it is
    /// skipped.
    case anything

    /// What `family` announces: the address family in the high half, in the low one how data goes (1 is STREAM, 2 is
    /// DGRAM, and 0, which says nothing, goes only with the family that says nothing). Nil if that is not assigned.
    init?(family: UInt8, _ command: ProxyHeader.Command) {
        switch (family >> 4, family & 15) {
        case (0, 0...2): self = .nothing
        case _ where command == .local: self = .anything
        case (1, 1...2): self = .ipv4
        case (2, 1...2): self = .ipv6
        case (3, 1...2): self = .unix
        default: return nil
        }
    }

    /// Bytes of two addresses with their ports, or of two paths.
    var addressBytes: Int {
        switch self {
        case .nothing, .anything: 0
        case .ipv4: 12
        case .ipv6: 36
        case .unix: 216
        }
    }
}
