import Core
import HTTP1
import Model

/// A load balancer's attributes as the event loop uses them. Names and defaults: `Model.LoadBalancerAttributes`.
public struct ListenerSettings: Sendable, Equatable {
    /// Time without bytes read or written after which a connection is closed.
    public var idleTimeout: Nanoseconds
    /// Age after which a client connection is closed with its next response.
    public var clientKeepAlive: Nanoseconds
    /// Time for the first byte of the first request.
    public var firstByteTimeout: Nanoseconds
    /// Time for a whole request head, from its first byte.
    public var headTimeout: Nanoseconds
    /// The window over which the lowest allowed rate of bodies is measured.
    public var bodyRateWindow: Nanoseconds
    /// Bytes that must pass in a window; 0 switches the check off.
    public var bodyRateWindowBytes: UInt64
    /// Whether fields with names beyond `[-A-Za-z0-9]+` are left out.
    public var dropsInvalidNames: Bool
    /// Whether the Host field is passed on unchanged.
    public var preservesHost: Bool
    /// What is done with X-Forwarded-For.
    public var forwardedForMode: LoadBalancerAttributes.ForwardedForMode
    /// Whether X-Forwarded-For tells the client's port too.
    public var addsClientPort: Bool
    /// What is done with requests that do not follow HTTP/1 to the letter.
    public var desyncMode = LoadBalancerAttributes.DesyncMitigationMode.defensive
    /// Whether responses that Apus makes itself carry Apus-Reason.
    public var addsReason: Bool
    /// Whether HTTP/2 is spoken with clients that send its preface first, on a listener without TLS.
    public var speaksH2C = false
    /// How long a TLS handshake may take.
    public var handshakeTimeout: Nanoseconds = 10_000_000_000
    /// The networks whose connections begin with a PROXY header. Empty: none does.
    public var trustedProxies: [AddressRange] = []
    /// How long that header may take.
    public var proxyHeaderTimeout: Nanoseconds = 5_000_000_000
    /// Whether targets are told the client's TLS version and cipher.
    public var tellsTLS = false
    /// Whether targets are told the group of the key exchange with the client.
    public var tellsKeyExchange = false
    /// What is done to the fields of responses.
    public var responseFields: [ResponseFieldPlan] = []
    /// The names of the request fields that tell targets about TLS.
    public var fieldNames = TLSFieldNames()

    /// How long a client may be idle; `hasAsked` says whether it has begun a request before.
    func idleTimeout(hasAsked: Bool) -> (duration: Nanoseconds, isFirstByte: Bool) {
        !hasAsked && firstByteTimeout < idleTimeout ? (firstByteTimeout, true) : (idleTimeout, false)
    }

    public init(
        idleTimeout: Nanoseconds, clientKeepAlive: Nanoseconds, firstByteTimeout: Nanoseconds,
        headTimeout: Nanoseconds,
        bodyRateWindow: Nanoseconds, bodyRateWindowBytes: UInt64, dropsInvalidNames: Bool, preservesHost: Bool,
        forwardedForMode: LoadBalancerAttributes.ForwardedForMode, addsClientPort: Bool, addsReason: Bool
    ) {
        self.idleTimeout = idleTimeout
        self.clientKeepAlive = clientKeepAlive
        self.firstByteTimeout = firstByteTimeout
        self.headTimeout = headTimeout
        self.bodyRateWindow = bodyRateWindow
        self.bodyRateWindowBytes = bodyRateWindowBytes
        self.dropsInvalidNames = dropsInvalidNames
        self.preservesHost = preservesHost
        self.forwardedForMode = forwardedForMode
        self.addsClientPort = addsClientPort
        self.addsReason = addsReason
    }
}

/// The names of the request fields that tell targets about TLS. Source: docs/elbv2.md, "Listener attributes" and
/// "Client certificates".
public struct TLSFieldNames: Sendable, Equatable {
    /// The client's certificate and chain.
    public var certificate = Array("X-Amzn-Mtls-Clientcert".utf8)
    /// Its serial number.
    public var serialNumber = Array("X-Amzn-Mtls-Clientcert-Serial-Number".utf8)
    /// Its issuer.
    public var issuer = Array("X-Amzn-Mtls-Clientcert-Issuer".utf8)
    /// Its subject.
    public var subject = Array("X-Amzn-Mtls-Clientcert-Subject".utf8)
    /// Its period of validity.
    public var validity = Array("X-Amzn-Mtls-Clientcert-Validity".utf8)
    /// The certificate without its chain.
    public var leaf = Array("X-Amzn-Mtls-Clientcert-Leaf".utf8)
    /// The version of TLS.
    public var version = Array("X-Amzn-Tls-Version".utf8)
    /// The cipher.
    public var cipherSuite = Array("X-Amzn-Tls-Cipher-Suite".utf8)

    /// ELBv2's names.
    public init() {}

    /// All names. Such fields of a client are removed, because targets would take them for ours.
    var all: [[UInt8]] {
        [certificate, serialNumber, issuer, subject, validity, leaf, version, cipherSuite]
    }
}

extension ListenerSettings {
    /// `attributes` in the event loop's units.
    public init(_ attributes: LoadBalancerAttributes, _ own: ListenerAttributes?) {
        let window = attributes.minBodyRateWindowSeconds
        self.init(
            idleTimeout: Nanoseconds(seconds: attributes.idleTimeoutSeconds),
            clientKeepAlive: Nanoseconds(seconds: attributes.clientKeepAliveSeconds),
            firstByteTimeout: Nanoseconds(seconds: attributes.firstByteTimeoutSeconds),
            headTimeout: Nanoseconds(seconds: attributes.headTimeoutSeconds),
            bodyRateWindow: Nanoseconds(seconds: window),
            bodyRateWindowBytes: UInt64((Double(attributes.minBodyRateBytesPerSecond) * window).rounded()),
            dropsInvalidNames: attributes.dropInvalidHeaderFields, preservesHost: attributes.preserveHostHeader,
            forwardedForMode: attributes.forwardedForMode,
            addsClientPort: attributes.forwardedForClientPort, addsReason: attributes.reasonHeader)
        desyncMode = attributes.desyncMitigationMode
        speaksH2C = attributes.h2c
        handshakeTimeout = Nanoseconds(seconds: attributes.tlsHandshakeTimeoutSeconds)
        tellsTLS = attributes.tlsVersionAndCipherSuite
        tellsKeyExchange = attributes.tlsKeyExchange
        trustedProxies = attributes.proxyProtocolTrusted.map(AddressRange.init)
        proxyHeaderTimeout = Nanoseconds(seconds: attributes.proxyProtocolTimeoutSeconds)
        guard let own else { return }
        fieldNames = TLSFieldNames(own)
        if !own.server { responseFields.append(ResponseFieldPlan(name: Array("Server".utf8), value: nil)) }
        for field in ListenerAttributes.responseFields where !own[keyPath: field.value].isEmpty {
            let value = Array(own[keyPath: field.value].utf8)
            responseFields.append(ResponseFieldPlan(name: Array(field.name.utf8), value: value))
        }
    }
}

/// What becomes of one field of every response.
public struct ResponseFieldPlan: Sendable, Equatable {
    /// Its name, as it is written.
    let name: [UInt8]
    /// What replaces the values that the response has for it, if any; nil to remove them.
    let value: [UInt8]?
}

extension TLSFieldNames {
    fileprivate init(_ attributes: ListenerAttributes) {
        self.init()
        certificate = Array(attributes.clientCertificate.utf8)
        serialNumber = Array(attributes.clientCertificateSerialNumber.utf8)
        issuer = Array(attributes.clientCertificateIssuer.utf8)
        subject = Array(attributes.clientCertificateSubject.utf8)
        validity = Array(attributes.clientCertificateValidity.utf8)
        leaf = Array(attributes.clientCertificateLeaf.utf8)
        version = Array(attributes.tlsVersion.utf8)
        cipherSuite = Array(attributes.tlsCipherSuite.utf8)
    }
}

extension AddressRange {
    /// The addresses of `block`.
    public init(_ block: AddressBlock) {
        let address = SocketAddress(bytes: block.address.bytes.span, port: 0)
        // IPv4-mapped IPv6 addresses are stored as IPv4.
        let isMapped = address.family == .ipv4 && !block.address.isIPv4
        self.init(address, prefixLength: isMapped ? max(0, block.prefixLength - 96) : block.prefixLength)
    }
}

extension ListenerSettings {
    /// How heads of requests are read.
    var requestOptions: RequestOptions {
        RequestOptions(
            dropsInvalidNames: dropsInvalidNames, keepsDuplicateHosts: preservesHost,
            refusesNonCompliant: desyncMode == .strictest)
    }

    /// Configured names of fields that clients must not set, where they differ from the defaults.
    var ownFieldNames: [[UInt8]] {
        let usual = TLSFieldNames().all
        return fieldNames.all.filter { !usual.contains($0) }
    }
}
