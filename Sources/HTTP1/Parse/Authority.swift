import Core

extension Span where Element == UInt8 {
    /// Whether these bytes are `uri-host [ ":" port ]` with a non-empty host.
    package var isAuthority: Bool { hostCountOfAuthority != nil }

    /// How many bytes the host of `uri-host [ ":" port ]` has; nil if these bytes are no authority, or one without a
    /// host.
    ///
    /// User information is not accepted. Of IP literals only IPv6 addresses are, and their digits are not validated.
    /// Source: RFC 9110 §4.2.1 and §7.2, RFC 3986 §3.2.2 and §3.2.3.
    package var hostCountOfAuthority: Int? {
        guard count > 0 else { return nil }
        var index = 0
        if self[0] == 0x5B {  // [
            index = 1
            while index < count, self[index].hexadecimalValue != nil || self[index] == .colon || self[index] == .dot {
                index += 1
            }
            guard index > 1, index < count, self[index] == 0x5D else { return nil }  // ]
            index += 1
        } else {
            guard let end = endOfRegisteredName else { return nil }
            index = end
        }
        guard index < count else { return index }
        return self[index] == .colon && isPort(from: index + 1) ? index : nil
    }

    /// Where the registered name or IPv4 address at the start ends, or nil if there is none.
    private var endOfRegisteredName: Int? {
        var index = endOfPlainHost
        while index < count, self[index] != .colon {
            if self[index] == .percent {
                guard index + 2 < count, self[index + 1].hexadecimalValue != nil,
                    self[index + 2].hexadecimalValue != nil
                else { return nil }
                index += 2
            } else {
                guard self[index].isRegisteredName else { return nil }
            }
            index += 1
        }
        return index > 0 ? index : nil
    }

    /// Whether the bytes from `start` on are empty or a valid port number.
    private func isPort(from start: Int) -> Bool {
        var port = 0
        for index in start..<count {
            guard self[index].isDigit, index - start < 5 else { return false }
            port = port * 10 + Int(self[index] &- 0x30)
        }
        return port <= 65535
    }
}

extension UInt8 {
    /// Whether this byte is unreserved or one of `! $ & ' ( ) * + , ; =`. Source: RFC 3986 §2.2, §2.3, §3.2.2.
    @inline(__always) fileprivate var isRegisteredName: Bool {
        let bits: UInt64 = self < 64 ? 0x2BFF_7FD2_0000_0000 : self < 128 ? 0x47FF_FFFE_87FF_FFFE : 0
        return bits >> UInt64(self & 63) & 1 != 0
    }
}
