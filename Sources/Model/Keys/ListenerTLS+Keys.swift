extension CertificateFiles {
    /// The keys of a certificate.
    static let description = Description(
        "Certificate", "a certificate", blank: CertificateFiles(),
        keys: [
            Key(
                "certificateFile", \.certificateFile, .text(.materialPath), required: true,
                "PEM file of the certificate and its chain, relative to this file's folder; an OCSP response in "
                    + "NAME.ocsp beside it is stapled."
            ),
            Key(
                optional: "privateKeyFile", \.privateKeyFile, .hiding(.secretPath),
                "PEM file of its private key, which runtime.user can read."),
            Key(
                optional: "privateKey", \.privateKey, .secret,
                "Where its private key is, instead of privateKeyFile: a file, a credential or a variable that holds "
                    + "PEM."),
        ],
        refused: [RefusedKey("certificateArn"), RefusedKey("isDefault")],
        check: { files, findings in
            if files.privateKeyFile == nil, files.privateKey == nil {
                findings.report(
                    "a certificate must have the key privateKeyFile",
                    remedy: "Add privateKeyFile: the path of a PEM file.")
            } else if files.privateKeyFile != nil, files.privateKey != nil {
                findings.within(.key("privateKey")) { findings in
                    findings.report(
                        "a certificate has one private key", found: "privateKeyFile beside it",
                        remedy: "Remove one of them.", code: .invalidConfigurationRequest)
                }
            }
        })
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
            Key(
                "clientCertificateIdentityFilters", \.clientCertificateIdentityFilters,
                .list(
                    ClientCertificateIdentityFilter.description.codec, count: 0...Limits.identityFiltersMax),
                "Of the clients whose certificate the authorities vouch for, those who are accepted: who fits any of "
                    + "these. Without any, all are; with mode verify, and only then."),
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
                ("clientCertificateIdentityFilters", !authentication.clientCertificateIdentityFilters.isEmpty),
            ]
            findings.misplaced(
                ofVerify, belongTo: "mode verify", found: "mode \(authentication.mode.rawValue)",
                remedy: "Remove it, or write mode: verify.")
        })
}

extension ClientCertificateIdentityFilter {
    /// The keys of an identity filter.
    static let description = Description(
        "ClientCertificateIdentityFilter", "an identity filter",
        blank: ClientCertificateIdentityFilter(field: .subjectCN, matchType: .exact, value: ""),
        keys: [
            Key(
                "field", \.field, .word(), required: true,
                "The part of the certificate that is compared; if it has several values, any of them may fit."),
            Key("matchType", \.matchType, .word(), required: true, "Whether all of it is compared, or its beginning."),
            Key("action", \.action, .word(), required: true, "What is done with a client that fits."),
            Key(
                "value", \.value, .text(.identity), required: true,
                "What it is compared with; names in any case, of URIs the scheme and the host alone."),
        ],
        check: { filter, findings in
            guard filter.field == .sanURI, !filter.value.beginsLikeURI else { return }
            findings.within(.key("value")) { findings in
                findings.report(
                    "value must begin with a URI's scheme: a letter, then letters, digits, +, - and . up to the first "
                        + "colon", found: Value.quoted(filter.value),
                    remedy: "Write a URI such as spiffe://example.com/billing.")
            }
        })
}

extension String {
    /// Whether what stands before its first colon may be a URI's scheme. Source: RFC 3986 §3.1.
    fileprivate var beginsLikeURI: Bool {
        guard let first, first.isASCII, first.isLetter else { return false }
        return utf8.prefix { $0 != UInt8(ascii: ":") }
            .allSatisfy { TextRule.isAlphanumeric($0) || "+-.".utf8.contains($0) }
    }
}

extension TextRule {
    /// What an identity in a certificate is compared with.
    static let identity = TextRule(
        "1 to 256 printable ASCII characters", length: 1...256, pattern: "^[ -~]*$",
        remedy: "Write a name such as billing.example.com."
    ) { $0.utf8.allSatisfy { (0x20...0x7E).contains($0) } }

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
