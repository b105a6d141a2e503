import Core
import Model
import Routing

/// What of a request its target is found by, in groups whose algorithm is `apus.consistent_hash`.
///
/// The hash is the same in every process: several load balancers send the same request to the same target.
/// Limits: a cookie is looked for in all Cookie fields; the first of its name counts.
/// Source: docs/elbv2.md, "Target group attributes".
enum RequestHashKey: Sendable, Equatable {
    case sourceIP
    case path
    /// The name in lower case.
    case header([UInt8])
    case cookie([UInt8])

    /// As the configuration says.
    init(_ key: BalancingAttributes.HashKey) {
        self =
            switch key {
            case .sourceIP: .sourceIP
            case .path: .path
            case .header(let name): .header(Array(name.lowercased().utf8))
            case .cookie(let name): .cookie(Array(name.utf8))
            }
    }

    /// The hash of a request: of the client's address where it lacks the field or the cookie.
    func hash(_ request: Head, client: SocketAddress) -> UInt64 {
        var hash = FlowHash()
        if let range = value(in: request) { hash.add(request.bytes(range)) } else { hash.add(client) }
        return hash.value
    }

    /// The hash of a request whose field, cookie or path is `value`.
    func hash(ofValue value: [UInt8]) -> UInt64 {
        var hash = FlowHash()
        hash.add(value.span)
        return hash.value
    }

    /// The hash of a request of the client with this address.
    func hash(of client: SocketAddress) -> UInt64 {
        var hash = FlowHash()
        hash.add(client)
        return hash.value
    }

    /// The hash of what a request counts for in a rate limit: of the client's address where it lacks the field or the
    /// cookie; of an IPv6 address the first 64 bits, which are one client's as one IPv4 address is.
    ///
    /// Nobody outside of this process can foresee it, so nobody can make two collide.
    func limitHash(_ request: Head, client: SocketAddress) -> UInt64 {
        let key = HashKey.ofProcess
        var hash = FlowHash(key.fold(0, 0))
        if let range = value(in: request) {
            hash.add(request.bytes(range))
        } else {
            hash.add(client.family == .ipv4 ? client.words.low : client.words.high)
            // No value of a field is an address.
            hash.add(client.family == .ipv4 ? 4 : 6)
        }
        return key.fold(hash.value, 1)
    }

    /// What of the request it is, if the request has it; nil for the client's address.
    private func value(in request: Head) -> ByteRange? {
        switch self {
        case .sourceIP: return nil
        case .path: return request.path
        case .header(let name):
            if let range = request.firstValue(of: name.span) { return range }
            // Over HTTP/2 it is no field.
            return name.span.equals("host") && !request.authority.isEmpty ? request.authority : nil
        case .cookie(let name): return request.cookie(name.span)
        }
    }
}

extension Head {
    /// The value of the first field of this name, which is in lower case.
    fileprivate func firstValue(of name: Span<UInt8>) -> ByteRange? {
        for index in 0..<fieldCount {
            let field = field(index)
            if !field.isRemoved, bytes(field.name).equalsIgnoringCase(name) { return field.value }
        }
        return nil
    }

    /// The value of the first cookie of this name.
    fileprivate func cookie(_ name: Span<UInt8>) -> ByteRange? {
        var walk = CookieWalk()
        while let cookie = walk.next(in: self) {
            if bytes(cookie.name).equals(name) { return cookie.value }
        }
        return nil
    }
}
