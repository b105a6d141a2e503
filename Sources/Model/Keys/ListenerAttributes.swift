// An attribute is two entries here: a property with its default, and a key with its codec and its meaning. Reading,
// writing and the schema follow from them.

/// The attributes of a listener: the names of the request fields that tell targets about TLS, the response fields that
/// it sets, and idle timeouts.
/// Source: ELBv2 ModifyListenerAttributes.
public struct ListenerAttributes: Hashable, Sendable {
    /// `routing.http.request.x_amzn_mtls_clientcert.header_name`: the name of the field with the client's certificate
    /// and chain. The five below are the same for parts of it.
    public var clientCertificate: String = "X-Amzn-Mtls-Clientcert"
    /// The name of the field with the certificate's serial number.
    public var clientCertificateSerialNumber: String = "X-Amzn-Mtls-Clientcert-Serial-Number"
    /// The name of the field with its issuer.
    public var clientCertificateIssuer: String = "X-Amzn-Mtls-Clientcert-Issuer"
    /// The name of the field with its subject.
    public var clientCertificateSubject: String = "X-Amzn-Mtls-Clientcert-Subject"
    /// The name of the field with its validity.
    public var clientCertificateValidity: String = "X-Amzn-Mtls-Clientcert-Validity"
    /// The name of the field with the certificate without its chain.
    public var clientCertificateLeaf: String = "X-Amzn-Mtls-Clientcert-Leaf"
    /// `routing.http.request.x_amzn_tls_version.header_name`.
    public var tlsVersion: String = "X-Amzn-Tls-Version"
    /// `routing.http.request.x_amzn_tls_cipher_suite.header_name`.
    public var tlsCipherSuite: String = "X-Amzn-Tls-Cipher-Suite"
    /// `tcp.idle_timeout.seconds`: time without bytes in either direction after which a connection is reset. Of TCP and
    /// TLS listeners.
    public var tcpIdleTimeoutSeconds: Double = 350
    /// `apus.udp_idle_timeout.seconds`: time without datagrams in either direction after which a flow is forgotten.
    public var udpIdleTimeoutSeconds: Double = 120
    /// `routing.http.response.server.enabled`: responses may carry a Server field.
    public var server: Bool = true
    /// `routing.http.response.strict_transport_security.header_value`: the value of that field in every response; empty
    /// to leave it as the target sent it. The nine below are the same for other fields.
    public var strictTransportSecurity: String = ""
    /// Access-Control-Allow-Origin.
    public var accessControlAllowOrigin: String = ""
    /// Access-Control-Allow-Methods.
    public var accessControlAllowMethods: String = ""
    /// Access-Control-Allow-Headers.
    public var accessControlAllowHeaders: String = ""
    /// Access-Control-Allow-Credentials.
    public var accessControlAllowCredentials: String = ""
    /// Access-Control-Expose-Headers.
    public var accessControlExposeHeaders: String = ""
    /// Access-Control-Max-Age.
    public var accessControlMaxAge: String = ""
    /// Content-Security-Policy.
    public var contentSecurityPolicy: String = ""
    /// X-Content-Type-Options.
    public var xContentTypeOptions: String = ""
    /// X-Frame-Options.
    public var xFrameOptions: String = ""

    /// Every default.
    public init() {}
}

extension ListenerAttributes {
    /// The attributes of a listener.
    static let description = Description(
        "ListenerAttributes", "the attributes of a listener", blank: ListenerAttributes(), keys: keys,
        check: { attributes, findings in
            var seen: [String: String] = [:]
            for key in names {
                let name = attributes[keyPath: key.part]
                guard let other = seen.updateValue(key.name, forKey: name.lowercased()) else { continue }
                findings.within(.key(key.name)) { findings in
                    findings.report(
                        "the fields that tell targets about TLS must have different names",
                        found: "\(name) for \(other) too", remedy: "Choose another name for one of the two.",
                        code: .invalidConfigurationRequest)
                }
            }
        })

    /// One attribute: the name of a field, and what the field tells targets.
    private typealias Name = (name: String, part: WritableKeyPath<ListenerAttributes, String> & Sendable, what: String)

    private static let names: [Name] = [
        name("mtls_clientcert", \.clientCertificate, "the client's certificate and chain, in mode passthrough"),
        name(
            "mtls_clientcert_serial_number", \.clientCertificateSerialNumber, "the client certificate's serial number"),
        name("mtls_clientcert_issuer", \.clientCertificateIssuer, "the client certificate's issuer"),
        name("mtls_clientcert_subject", \.clientCertificateSubject, "the client certificate's subject"),
        name("mtls_clientcert_validity", \.clientCertificateValidity, "the client certificate's validity"),
        name("mtls_clientcert_leaf", \.clientCertificateLeaf, "the client's certificate, in mode verify"),
        name("tls_version", \.tlsVersion, "the TLS version"),
        name("tls_cipher_suite", \.tlsCipherSuite, "the cipher suite"),
    ]

    private static func name(
        _ suffix: String, _ part: WritableKeyPath<ListenerAttributes, String> & Sendable, _ what: String
    ) -> Name {
        ("routing.http.request.x_amzn_\(suffix).header_name", part, what)
    }

    /// The names of the request fields that tell targets about TLS.
    var requestFieldNames: [String] { Self.names.map { self[keyPath: $0.part] } }

    /// The response fields that a listener can set, and where their values are.
    public static let responseFields: [(name: String, value: KeyPath<ListenerAttributes, String> & Sendable)] =
        valueAttributes.map { ($0.field, $0.value) }

    private static let valueAttributes: [ValueAttribute] = [
        ValueAttribute("Strict-Transport-Security", \.strictTransportSecurity),
        ValueAttribute("Access-Control-Allow-Origin", \.accessControlAllowOrigin),
        ValueAttribute("Access-Control-Allow-Methods", \.accessControlAllowMethods),
        ValueAttribute("Access-Control-Allow-Headers", \.accessControlAllowHeaders),
        ValueAttribute("Access-Control-Allow-Credentials", \.accessControlAllowCredentials),
        ValueAttribute("Access-Control-Expose-Headers", \.accessControlExposeHeaders),
        ValueAttribute("Access-Control-Max-Age", \.accessControlMaxAge),
        ValueAttribute("Content-Security-Policy", \.contentSecurityPolicy),
        ValueAttribute("X-Content-Type-Options", \.xContentTypeOptions),
        ValueAttribute("X-Frame-Options", \.xFrameOptions),
    ]

    private static let valueKeys: [Key<ListenerAttributes>] = valueAttributes.map { attribute in
        Key(
            attribute.key, attribute.value, .text(.responseFieldValue),
            "Value of \(attribute.field) in every response, instead of what the target sent; empty changes nothing."
        ).of(.application)
    }

    private static let keys: [Key<ListenerAttributes>] =
        nameKeys + valueKeys + [
            Key(
                "routing.http.response.server.enabled", \.server, .bool,
                "Whether responses may carry a Server field, the target's or, where Apus answers, its own."
            ).of(.application),
            Key(
                "tcp.idle_timeout.seconds", \.tcpIdleTimeoutSeconds, .number(0.1...6000, unit: "seconds"),
                "Time without bytes in either direction after which a connection is reset, on network load "
                    + "balancers."),
            Key(
                "apus.udp_idle_timeout.seconds", \.udpIdleTimeoutSeconds, .number(0.1...6000, unit: "seconds"),
                "Time without datagrams in either direction after which a flow ends; the next datagram begins a new "
                    + "one, perhaps to another target."),
        ]

    /// Reports attributes of HTTPS listeners on a listener that passes bytes on.
    func reportOfHTTP(_ findings: inout Findings) {
        let standard = ListenerAttributes()
        let given = Self.names.map { (key: $0.name, isGiven: self[keyPath: $0.part] != standard[keyPath: $0.part]) }
        findings.within(.key("attributes")) { findings in
            findings.misplaced(
                Self.description.misplaced(in: self, of: .network), belongTo: "HTTP and HTTPS listeners",
                found: "it on a listener that passes bytes on", remedy: "Remove it.")
            findings.misplaced(
                given, belongTo: "HTTPS listeners", found: "it on a listener that passes bytes on",
                remedy: "Remove it.")
        }
    }

    /// An empty name stands for ELBv2's default.
    private static let nameKeys: [Key<ListenerAttributes>] = names.map { name in
        let standard = ListenerAttributes()[keyPath: name.part]
        let codec = Codec<String>.text(.fieldName)
            .converted(to: { text, _ in text.isEmpty ? standard : text }, from: { $0 })
        return Key(name.name, name.part, codec, "Name of the request field that tells targets \(name.what).")
    }
}

/// An attribute that gives a response field its value.
private struct ValueAttribute {
    let field: String
    let value: WritableKeyPath<ListenerAttributes, String> & Sendable

    init(_ field: String, _ value: WritableKeyPath<ListenerAttributes, String> & Sendable) {
        self.field = field
        self.value = value
    }

    /// As in `routing.http.response.x_frame_options.header_value`.
    var key: String {
        "routing.http.response.\(field.lowercased().replacing("-", with: "_")).header_value"
    }
}
