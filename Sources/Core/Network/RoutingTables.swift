import CLinux
import Glibc

/// The kernel's routes and the rules that choose among its routing tables. Read only.
///
/// Source: rtnetlink(7), ip-route(8), ip-rule(8).
public struct RoutingTables {
    /// Where the kernel sends a packet.
    public struct Route: Equatable, Sendable {
        /// Whether it is delivered to this host.
        public let isLocal: Bool
        /// The interface by which it leaves; `lo` if it is delivered locally.
        public let interface: Interface
    }

    /// A network interface of this host.
    public struct Interface: Equatable, Sendable {
        /// The kernel's number for it.
        public let index: UInt32
        /// Its name, as in `eth0`.
        public let name: String

        /// An interface that exists.
        public init(index: UInt32, name: String) {
            self.index = index
            self.name = name
        }
    }

    /// A policy routing rule: chooses a table for the packets that match it.
    public struct Rule: Equatable, Sendable {
        /// The table in which the route is looked up.
        public var table: UInt32
        /// The source addresses that match; nil matches any.
        public var source: AddressRange?
        /// The incoming interface that matches; nil matches any.
        public var interface: String?
        /// The source ports that match; nil matches any.
        public var sourcePorts: ClosedRange<UInt16>?
        /// The packet mark (fwmark) that matches; 0 matches any.
        public var mark: UInt32

        /// A rule.
        public init(
            table: UInt32, source: AddressRange? = nil, interface: String? = nil,
            sourcePorts: ClosedRange<UInt16>? = nil, mark: UInt32 = 0
        ) {
            self.table = table
            self.source = source
            self.interface = interface
            self.sourcePorts = sourcePorts
            self.mark = mark
        }
    }

    private let netlink: Netlink

    /// Opens a netlink socket; `close` closes it.
    public init() throws(SystemError) { netlink = try Netlink() }

    /// Closes the netlink socket.
    public func close() { netlink.close() }

    /// The route of a packet that this host sends to `destination`. Errors: `SystemError`, as when there is no route.
    public func route(to destination: SocketAddress) throws(SystemError) -> Route {
        try route(question(to: destination), "find the route to \(destination.host)")
    }

    /// The route of a TCP packet from `source`, with its port, to `destination`: one that came in by `interface`, or
    /// with nil one that this host sends. Errors: `SystemError`, if the packet would be dropped.
    public func route(
        to destination: SocketAddress, from source: SocketAddress, arrivingBy interface: Interface?, mark: UInt32 = 0
    ) throws(SystemError) -> Route {
        var question = question(to: destination)
        question[2] = source.prefixLengthMax
        question.append(attribute: Int(RTA_SRC.rawValue), source.bytes)
        question.append(attribute: Int(RTA_IP_PROTO.rawValue), [UInt8(IPPROTO_TCP)])
        question.append(attribute: Int(RTA_SPORT.rawValue), [UInt8(source.port >> 8), UInt8(source.port & 0xFF)])
        if let interface { question.append(attribute: Int(RTA_IIF.rawValue), interface.index.bytes) }
        if mark != 0 { question.append(attribute: Int(RTA_MARK.rawValue), mark.bytes) }
        return try route(question, "find the route from \(source.host) to \(destination.host)")
    }

    /// All rules for addresses of `family`, in the order in which the kernel tries them. Errors: `SystemError`.
    public func rules(_ family: SocketAddress.Family) throws(SystemError) -> [Rule] {
        var question = [UInt8](repeating: 0, count: Self.fixedByteCount)
        question[0] = UInt8(family == .ipv4 ? AF_INET : AF_INET6)
        let message = Netlink.Message(type: UInt16(RTM_GETRULE), bytes: question)
        return try netlink.ask(message, isDump: true, "list the routing rules").map { Rule($0.bytes, family) }
    }

    private func question(to destination: SocketAddress) -> [UInt8] {
        var question = [UInt8](repeating: 0, count: Self.fixedByteCount)
        question[0] = UInt8(destination.domain)
        question[1] = destination.prefixLengthMax
        question.append(attribute: Int(RTA_DST.rawValue), destination.bytes)
        return question
    }

    private func route(_ question: [UInt8], _ operation: String) throws(SystemError) -> Route {
        let message = Netlink.Message(type: UInt16(RTM_GETROUTE), bytes: question)
        let answers = try netlink.ask(message, isDump: false, operation)
        guard let answer = answers.first?.bytes, answer.count >= Self.fixedByteCount else {
            throw SystemError(operation, code: EPROTO)
        }
        let type = UInt32(answer[7])
        guard type == UInt32(RTN_LOCAL) || type == UInt32(RTN_UNICAST) else {
            throw SystemError(operation, code: EHOSTUNREACH)
        }
        let index = answer.attribute(Int(RTA_OIF.rawValue), from: Self.fixedByteCount)?.number(at: 0) ?? 0 as UInt32
        return Route(
            isLocal: type == UInt32(RTN_LOCAL), interface: Interface(index: index, name: Self.interfaceName(index)))
    }

    private static func interfaceName(_ index: UInt32) -> String {
        var name = [CChar](repeating: 0, count: Int(IF_NAMESIZE))
        guard unsafe if_indextoname(index, &name) != nil else { return "\(index)" }
        return String(decoding: name.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Bytes of `struct rtmsg`, and of `struct fib_rule_hdr`: the fixed fields before the attributes.
    fileprivate static let fixedByteCount = 12
}

extension RoutingTables.Rule {
    /// The rule in the kernel's answer.
    fileprivate init(_ bytes: [UInt8], _ family: SocketAddress.Family) {
        func attribute(_ type: Int) -> [UInt8]? { bytes.attribute(type, from: RoutingTables.fixedByteCount) }
        func number(_ type: Int) -> UInt32? { attribute(type)?.number(at: 0) }
        self.init(table: number(Int(FRA_TABLE)) ?? UInt32(bytes.count > 4 ? bytes[4] : 0))
        mark = number(Int(FRA_FWMARK)) ?? 0
        if let source = attribute(Int(FRA_SRC)), source.count == 4 || source.count == 16 {
            let address = SocketAddress(bytes: source.span, port: 0)
            // No packet has an IPv4-mapped IPv6 address, so the prefix cannot be one.
            let length = address.family == family ? min(Int(bytes[2]), source.count * 8) : 0
            self.source = AddressRange(address, prefixLength: length)
        }
        interface = attribute(Int(FRA_IIFNAME)).map { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        if let range = attribute(Int(FRA_SPORT_RANGE)) {
            let (first, last): (UInt16, UInt16) = (range.number(at: 0), range.number(at: 2))
            if first <= last { sourcePorts = first...last }
        }
    }
}

extension SocketAddress {
    fileprivate var bytes: [UInt8] {
        let high = (0..<8).map { UInt8(truncatingIfNeeded: words.high >> UInt64(56 - $0 * 8)) }
        let low = (0..<8).map { UInt8(truncatingIfNeeded: words.low >> UInt64(56 - $0 * 8)) }
        return family == .ipv4 ? Array(low.suffix(4)) : high + low
    }

    fileprivate var prefixLengthMax: UInt8 { family == .ipv4 ? 32 : 128 }
}

extension UInt32 {
    fileprivate var bytes: [UInt8] {
        var bytes: [UInt8] = []
        bytes.append(number: self)
        return bytes
    }
}
