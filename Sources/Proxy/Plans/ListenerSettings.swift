import Core

/// A load balancer's attributes as the event loop uses them. Names and defaults: `Model.LoadBalancerAttributes`.
public struct ListenerSettings: Sendable, Equatable {
    /// What becomes of the X-Forwarded-For field.
    public enum ForwardedForMode: Sendable { case append, preserve, remove }

    /// Silence either way that ends a connection.
    public var idleTimeout: Nanoseconds
    /// Age at which a client connection takes its last request.
    public var clientKeepAlive: Nanoseconds
    /// Time for the first byte of the first request.
    public var firstByteTimeout: Nanoseconds
    /// Time for a whole request head, from its first byte.
    public var headTimeout: Nanoseconds
    /// The window over which the least rate of bodies is measured.
    public var bodyRateWindow: Nanoseconds
    /// Bytes that must pass in a window; 0 switches the check off.
    public var bodyRateWindowBytes: UInt64
    /// Whether fields with names beyond `[-A-Za-z0-9]+` are left out.
    public var dropsInvalidNames: Bool
    /// Whether the Host field goes on as it came.
    public var preservesHost: Bool
    /// What becomes of X-Forwarded-For.
    public var forwardedForMode: ForwardedForMode
    /// Whether X-Forwarded-For tells the client's port too.
    public var addsClientPort: Bool
    /// Whether answers made here carry Apus-Reason.
    public var addsReason: Bool
    /// Whether HTTP/2 is spoken with clients that begin with it, on a listener without TLS.
    public var speaksH2C = false
    /// How long a TLS handshake may take.
    public var handshakeTimeout: Nanoseconds = 10_000_000_000
    /// The networks whose connections begin with a PROXY header. Empty: none does.
    public var trustedProxies: [AddressRange] = []
    /// How long that header may take.
    public var proxyHeaderTimeout: Nanoseconds = 5_000_000_000
    /// Whether targets are told the client's TLS version and cipher.
    public var tellsTLS = false
    /// Under which names targets are told about TLS.
    public var fieldNames = TLSFieldNames()

    /// How long a client may be idle, which has begun a request before or not.
    func patience(hasAsked: Bool) -> (duration: Nanoseconds, isFirstByte: Bool) {
        !hasAsked && firstByteTimeout < idleTimeout ? (firstByteTimeout, true) : (idleTimeout, false)
    }

    public init(
        idleTimeout: Nanoseconds, clientKeepAlive: Nanoseconds, firstByteTimeout: Nanoseconds,
        headTimeout: Nanoseconds,
        bodyRateWindow: Nanoseconds, bodyRateWindowBytes: UInt64, dropsInvalidNames: Bool, preservesHost: Bool,
        forwardedForMode: ForwardedForMode, addsClientPort: Bool, addsReason: Bool
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

/// Under which names targets are told about TLS. Source: docs/elbv2.md, "Listener attributes" and "Client
/// certificates".
public struct TLSFieldNames: Sendable, Equatable {
    /// The client's certificate and chain.
    public var certificate = Array("X-Amzn-Mtls-Clientcert".utf8)
    /// Its serial number.
    public var serialNumber = Array("X-Amzn-Mtls-Clientcert-Serial-Number".utf8)
    /// Who signed it.
    public var issuer = Array("X-Amzn-Mtls-Clientcert-Issuer".utf8)
    /// Whose it is.
    public var subject = Array("X-Amzn-Mtls-Clientcert-Subject".utf8)
    /// When it is valid.
    public var validity = Array("X-Amzn-Mtls-Clientcert-Validity".utf8)
    /// The certificate alone.
    public var leaf = Array("X-Amzn-Mtls-Clientcert-Leaf".utf8)
    /// The version of TLS.
    public var version = Array("X-Amzn-Tls-Version".utf8)
    /// The cipher.
    public var cipherSuite = Array("X-Amzn-Tls-Cipher-Suite".utf8)

    /// ELBv2's names.
    public init() {}

    /// All of them: a client that sends one would speak in our name.
    var all: [[UInt8]] {
        [certificate, serialNumber, issuer, subject, validity, leaf, version, cipherSuite]
    }
}
