extension CertificateFiles {
    /// The keys of a certificate.
    static let description = Description(
        "Certificate", "a certificate", blank: CertificateFiles(certificateFile: "", privateKeyFile: ""),
        keys: [
            Key(
                "certificateFile", \.certificateFile, .text(.materialPath), required: true,
                "PEM file of the certificate and its chain, relative to this file's folder; an OCSP response in "
                    + "NAME.ocsp beside it is stapled."
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
