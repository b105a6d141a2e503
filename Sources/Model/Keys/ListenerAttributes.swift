// An attribute is two entries here: a property with its default, and a key with its codec and its meaning. Reading,
// writing and the schema follow from them.

/// The attributes of a listener: the names of the request fields that tell targets about TLS, and idle timeouts.
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
    /// Keys of ELBv2 that are accepted but have no effect in this version, with their values as written, so that what
    /// was put is shown again.
    public var withoutEffect: [String: Value] = [:]

    /// Every default.
    public init() {}
}

extension ListenerAttributes {
    /// The attributes of a listener.
    static let description = Description(
        "ListenerAttributes", "the attributes of a listener", blank: ListenerAttributes(), keys: keys,
        refused: [
            RefusedKey("routing.http.response.server.enabled", accepted: true, of: .application),
            RefusedKey("routing.http.response.strict_transport_security.header_value", accepted: "", of: .application),
            RefusedKey(
                "routing.http.response.access_control_allow_origin.header_value", accepted: "", of: .application),
            RefusedKey(
                "routing.http.response.access_control_allow_methods.header_value", accepted: "", of: .application),
            RefusedKey(
                "routing.http.response.access_control_allow_headers.header_value", accepted: "", of: .application),
            RefusedKey(
                "routing.http.response.access_control_allow_credentials.header_value", accepted: "", of: .application),
            RefusedKey(
                "routing.http.response.access_control_expose_headers.header_value", accepted: "", of: .application),
            RefusedKey("routing.http.response.access_control_max_age.header_value", accepted: "", of: .application),
            RefusedKey("routing.http.response.content_security_policy.header_value", accepted: "", of: .application),
            RefusedKey("routing.http.response.x_content_type_options.header_value", accepted: "", of: .application),
            RefusedKey("routing.http.response.x_frame_options.header_value", accepted: "", of: .application),
        ],
        withoutEffect: \ListenerAttributes.withoutEffect,
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

    private static let keys: [Key<ListenerAttributes>] =
        nameKeys + [
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
