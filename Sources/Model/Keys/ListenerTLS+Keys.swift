extension CertificateFiles {
    /// The keys of a certificate.
    static let description = Description(
        "Certificate", "a certificate", blank: CertificateFiles(certificateFile: "", privateKeyFile: ""),
        keys: [
            Key(
                "certificateFile", \.certificateFile, .text(.materialPath), required: true,
                "PEM file of the certificate and its chain, relative to this file's folder; NAME.ocsp beside it is "
                    + "stapled."
            ),
            Key(
                "privateKeyFile", \.privateKeyFile, .text(.materialPath), required: true,
                "PEM file of its private key, which runtime.user can read."),
        ],
        refused: [RefusedKey("certificateArn"), RefusedKey("isDefault")])
}

extension MutualAuthentication {
    /// The keys of `mutualAuthentication`.
    static let description = Description(
        "MutualAuthentication", "the mutual authentication of a listener", blank: MutualAuthentication(),
        keys: [
            Key("mode", \.mode, .word(), "Whether clients are asked for a certificate, and whether it is verified."),
            Key(
                optional: "trustStoreFile", \.trustStoreFile, .text(.materialPath),
                "PEM file of the authorities; with mode verify, and only then."),
            Key(
                "crlFiles", \.crlFiles, .list(.text(.materialPath), count: 0...Limits.revocationListsMax),
                "PEM files of their revocation lists."),
            Key(
                "ignoreClientCertificateExpiry", \.ignoreClientCertificateExpiry, .bool,
                "Whether a client certificate that has expired is accepted."),
            Key(
                "advertiseTrustStoreCaNames", \.advertiseTrustStoreCaNames, .word(),
                "Whether clients are told the authorities' names."),
        ],
        refused: [RefusedKey("trustStoreArn"), RefusedKey("trustStoreAssociationStatus")],
        check: { authentication, findings in
            let isVerifying = authentication.mode == .verify
            if isVerifying, authentication.trustStoreFile == nil {
                findings.report(
                    "mode verify needs a trust store", remedy: "Add trustStoreFile: the PEM file of the authorities.",
                    code: .invalidConfigurationRequest)
            }
            if isVerifying { return }
            let ofVerify: [(key: String, isGiven: Bool)] = [
                ("trustStoreFile", authentication.trustStoreFile != nil),
                ("crlFiles", !authentication.crlFiles.isEmpty),
                ("ignoreClientCertificateExpiry", authentication.ignoreClientCertificateExpiry),
                ("advertiseTrustStoreCaNames", authentication.advertiseTrustStoreCaNames == .on),
            ]
            findings.misplaced(
                ofVerify, belongTo: "mode verify", found: "mode \(authentication.mode.rawValue)",
                remedy: "Remove it, or write mode: verify.")
        })
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
                "Silence both ways after which a connection is reset, on network load balancers."),
            Key(
                "apus.udp_idle_timeout.seconds", \.udpIdleTimeoutSeconds, .number(0.1...6000, unit: "seconds"),
                "Silence both ways after which datagrams of a client begin a flow anew, perhaps to another target."),
        ]

    /// Reports attributes that only listeners of HTTP have.
    func reportOfHTTP(_ findings: inout Findings) {
        let standard = ListenerAttributes()
        let given = Self.names.map { (key: $0.name, isGiven: self[keyPath: $0.part] != standard[keyPath: $0.part]) }
        findings.within(.key("attributes")) { findings in
            findings.misplaced(
                given, belongTo: "HTTPS listeners", found: "it on a listener that passes bytes on",
                remedy: "Remove it.")
        }
    }

    /// An empty name is ELBv2's own.
    private static let nameKeys: [Key<ListenerAttributes>] = names.map { name in
        let standard = ListenerAttributes()[keyPath: name.part]
        let codec = Codec<String>.text(.fieldName)
            .converted(to: { text, _ in text.isEmpty ? standard : text }, from: { $0 })
        return Key(name.name, name.part, codec, "Name of the request field that tells targets \(name.what).")
    }
}

extension TextRule {
    /// The path of a file of certificates or keys.
    static let materialPath = TextRule(
        "the path of a PEM file", length: 1...Limits.filePathCharactersMax,
        remedy: "Write a path such as tls/example.com.pem."
    ) { !$0.utf8.contains(0) }

    /// The name of a request field that Apus sets. Source: RFC 9110 §5.6.2, ELBv2: 40 characters.
    static let fieldName = TextRule(
        "a field name of at most 40 letters, digits, hyphens and underscores, and none that routing or framing needs",
        length: 0...40, pattern: "^[A-Za-z0-9_-]*$", remedy: "Write a name such as X-Client-Certificate."
    ) { name in
        let reserved: Set<String> = [
            "host", "connection", "content-length", "transfer-encoding", "te", "trailer", "upgrade", "expect",
            "keep-alive", "proxy-connection", "x-forwarded-for", "x-forwarded-proto", "x-forwarded-port",
            "x-amzn-trace-id",
        ]
        return name.utf8.allSatisfy { isAlphanumeric($0) || "-_".utf8.contains($0) }
            && !reserved.contains(name.lowercased())
    }
}
