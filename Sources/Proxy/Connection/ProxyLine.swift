import Core

/// A version 1 header being read: one line, as in `PROXY TCP4 192.0.2.1 192.0.2.2 56324 443`.
///
/// Shape:  goes over the bytes once; the first one that has no place there decides, and `stop` keeps why.
/// Limits: `ProxyHeader.lineBytesMax`.
/// Source: "The PROXY protocol", §2.1.
struct ProxyLine {
    private static let begin: StaticString = "PROXY "
    private var index = 0
    /// The answer if the line cannot be read to its end: it is not all there, or something is wrong with it.
    private var stop = ProxyHeaderResult.needMore

    /// Reads the line at the start of `input`.
    mutating func read(_ input: Span<UInt8>) -> ProxyHeaderResult {
        // The last two bytes that may be are CR and LF. Without the CR, what is before it must be the whole line.
        let bytesMax = ProxyHeader.lineBytesMax
        let isCut = input.count >= bytesMax - 1 && input[bytesMax - 2] != .carriageReturn
        let line = input.extracting(first: isCut ? bytesMax - 2 : min(input.count, bytesMax))
        let result = readLine(line) ?? stop
        return isCut && result == .needMore ? .refused(.tooLong) : result
    }

    private mutating func readLine(_ line: Span<UInt8>) -> ProxyHeaderResult? {
        guard pass(line, Self.begin, or: .missing), index < line.count else { return nil }
        if line[index] == UInt8(ascii: "U") { return readUnknown(line) }
        guard pass(line, "TCP", or: .badLine), index < line.count else { return nil }
        switch line[index] {
        case UInt8(ascii: "4"): return readAddresses(line, .ipv4)
        case UInt8(ascii: "6"): return readAddresses(line, .ipv6)
        default: return .refused(.badLine)
        }
    }

    /// Reads the rest of a line with addresses, from the digit of the family on.
    private mutating func readAddresses(_ line: Span<UInt8>, _ family: SocketAddress.Family) -> ProxyHeaderResult? {
        index += 1
        guard pass(line, " ", or: .badLine), let source = readAddress(line, family),
            let destination = readAddress(line, family), let sourcePort = readPort(line, before: .space),
            let destinationPort = readPort(line, before: .carriageReturn), pass(line, "\n", or: .badLine)
        else { return nil }
        return .complete(
            ProxyHeader(
                byteCount: index, source: source.with(port: sourcePort),
                destination: destination.with(port: destinationPort)))
    }

    /// Reads the rest of a line that says UNKNOWN. The rest of the line must be ignored.
    private mutating func readUnknown(_ line: Span<UInt8>) -> ProxyHeaderResult? {
        guard pass(line, "UNKNOWN", or: .badLine), index < line.count else { return nil }
        guard line[index] == .space || line[index] == .carriageReturn else { return .refused(.badLine) }
        while index < line.count, line[index] != .carriageReturn, line[index] != .lineFeed { index += 1 }
        guard pass(line, "\r\n", or: .badLine) else { return nil }
        return .complete(ProxyHeader(byteCount: index))
    }

    /// Goes behind an address and the space after it.
    private mutating func readAddress(_ line: Span<UInt8>, _ family: SocketAddress.Family) -> SocketAddress? {
        let start = index
        while index < line.count, line[index].isAddressByte(family) {
            guard index - start < family.literalBytesMax else { return refuse(.badAddress) }
            index += 1
        }
        guard index < line.count else { return nil }
        let literal = line.extracting(start..<index)
        guard line[index] == .space, let address = SocketAddress(literal: literal, family: family, port: 0) else {
            return refuse(.badAddress)
        }
        index += 1
        return address
    }

    /// Goes behind a port and the byte `end` after it. A zero in front could be meant as octal, and is refused.
    private mutating func readPort(_ line: Span<UInt8>, before end: UInt8) -> UInt16? {
        let start = index
        var port: UInt32 = 0
        while index < line.count, line[index].isDigit {
            guard index == start || port > 0 else { return refuse(.badPort) }
            port = port * 10 + UInt32(line[index] &- 0x30)
            guard port <= UInt16.max else { return refuse(.badPort) }
            index += 1
        }
        guard index < line.count else { return nil }
        guard index > start && line[index] == end else { return refuse(.badPort) }
        index += 1
        return UInt16(port)
    }

    /// Goes behind `literal` if that is what stands here; whether it is, in full.
    private mutating func pass(_ line: Span<UInt8>, _ literal: StaticString, or fault: ProxyHeaderFault) -> Bool {
        for offset in 0..<literal.utf8CodeUnitCount {
            guard index < line.count else { return false }
            guard line[index] == literal[byte: offset] else {
                stop = .refused(fault)
                return false
            }
            index += 1
        }
        return true
    }

    private mutating func refuse<Value>(_ fault: ProxyHeaderFault) -> Value? {
        stop = .refused(fault)
        return nil
    }
}

extension UInt8 {
    /// Whether this byte may be part of the text of an address.
    fileprivate func isAddressByte(_ family: SocketAddress.Family) -> Bool {
        switch family {
        case .ipv4: isDigit || self == .dot
        case .ipv6: hexadecimalValue != nil || self == .colon || self == .dot
        }
    }
}
