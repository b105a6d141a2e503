import Core
import HTTP1
import RegularExpressions
import Routing
import TLS

/// The decision of a listener's rules about one request.
///
/// Shape: a value, made by `ListenerPlan.decide` of the request and the plan alone; the worker acts on it.
enum Decision: Equatable {
    /// The action of the rule with this index is to be done; nil stands for the default action.
    case apply(rule: Int?)
    /// A regular expression of the rule with this index was given up at its limit, so it cannot be told whether the
    /// rule applies: 500.
    case regexLimit(rule: Int)
    /// More addresses in X-Forwarded-For than `Limits.forwardedAddressesMax`: 463.
    case tooManyForwardedAddresses
    /// The client's TLS session has another server name, or lacks a required client certificate: 421.
    case misdirected
    /// Some servers would resolve the path to one that matches another rule (path confusion): 400.
    case ambiguousPath
}

/// What is known about the client that sends a request, beside the request.
struct ClientFacts: ~Escapable {
    /// Its own address, or that in its PROXY header.
    let address: SocketAddress
    /// How its TLS session authenticates clients; nil without TLS.
    let authentication: TLSServerConfiguration.ClientAuthenticationMode?
    /// Its server name (SNI); empty without one.
    let serverName: Span<UInt8>

    /// A client without TLS.
    @_lifetime(immortal)
    init(_ address: SocketAddress) {
        self.address = address
        authentication = nil
        serverName = Span()
    }

    /// A client with TLS.
    @_lifetime(copy serverName)
    init(
        _ address: SocketAddress, authentication: TLSServerConfiguration.ClientAuthenticationMode,
        serverName: Span<UInt8>
    ) {
        self.address = address
        self.authentication = authentication
        self.serverName = serverName
    }
}

extension ListenerPlan {
    /// Decides what is to be done with `request`, whose host, in lower case, is `host`. Nothing is changed but the
    /// arena of `scratch`, where other readings of the path are written, and `space`, where regular expressions are
    /// matched.
    func decide(
        _ request: borrowing Head, host: ByteRange, from client: borrowing ClientFacts, scratch: Head,
        in space: MatchSpace
    ) -> Decision {
        if request.forwardedAddressCount > Limits.forwardedAddressesMax { return .tooManyForwardedAddresses }
        if isMisdirected(request.bytes(host), from: client) { return .misdirected }
        let facts = RuleFacts(request, host: host, client: client.address)
        table.beginDecision(in: space)
        let rule: Int?
        switch table.match(facts, in: space) {
        case .rule(let index): rule = index
        case .none: rule = nil
        case .limit(let index): return .regexLimit(rule: index)
        }
        // If two readings of the path match different rules, the request is rejected, since it could bypass one of
        // them.
        if request.isPathAmbiguous, table.isAmbiguous(facts, matched: rule, scratch: scratch, in: space) {
            return .ambiguousPath
        }
        return .apply(rule: rule)
    }

    /// A client that was authenticated for one server name must not reach another name that is protected by its own
    /// certificates.
    /// Source: docs/elbv2.md, "Client certificates"; RFC 9110 §15.5.20.
    private func isMisdirected(_ host: Span<UInt8>, from client: borrowing ClientFacts) -> Bool {
        guard let authentication = client.authentication else { return false }
        // A client that connected before verification was enabled has to reconnect.
        if verifiesClients && authentication != .verify { return true }
        return authentication != .off && !client.serverName.isEmpty && !client.serverName.equalsIgnoringCase(host)
    }
}

extension Head {
    /// How many addresses its X-Forwarded-For fields name.
    fileprivate var forwardedAddressCount: Int {
        var total = 0
        var next = firstField(.xForwardedFor)
        while let index = next {
            let value = bytes(field(index).value)
            total += 1
            for position in 0..<value.count where value[position] == .comma { total += 1 }
            next = firstField(.xForwardedFor, from: index + 1)
        }
        return total
    }
}
