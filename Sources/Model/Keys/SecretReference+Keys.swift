extension SecretReference {
    /// The keys of a secret.
    static let description = Description(
        "Secret", "a secret by reference", blank: SecretReference(),
        keys: [
            Key(
                optional: "file", \.file, .hiding(.secretPath),
                "The file that has it, relative to this file's folder; it is read again when it changes."),
            Key(
                optional: "credential", \.credential, .hiding(.credentialName),
                "The name under which systemd passes it to the service (LoadCredential)."),
            Key(
                optional: "env", \.env, .hiding(.variableName),
                "The variable of the environment that has it; a start alone reads that."),
        ],
        check: { secret, findings in
            let places = [secret.file, secret.credential, secret.env].compactMap(\.self)
            guard places.count != 1 else { return }
            findings.report(
                "\(findings.subject) must have exactly one of file, credential and env",
                found: places.isEmpty ? "none" : "\(places.count) of them",
                remedy: places.isEmpty ? "Write one, as in { file: token }." : "Remove all but one.",
                code: .invalidConfigurationRequest)
        })
}

extension Codec where Model == SecretReference {
    /// A secret by reference. What stands there instead may be the secret itself, so no message repeats it.
    static let secret = SecretReference.description.codec.hiding(
        remedy:
            "Write where it is, as in { file: token }, { credential: token } or { env: TOKEN }, and never the secret "
            + "itself.")
}

extension Codec {
    /// The same for objects, with a message that does not repeat what is none.
    func hiding(remedy: String) -> Codec {
        Codec(
            shape: shape,
            decode: { [shape, decode] value, findings in
                if value.members != nil { return decode(value, &findings) }
                findings.report(
                    "\(findings.subject) must be \(shape.expected)", found: value.kind, at: value.location,
                    remedy: remedy)
                return nil
            },
            encode: encode)
    }
}

extension Codec where Model == String {
    /// Text that follows a rule, with a message that does not repeat what does not.
    static func hiding(_ rule: TextRule) -> Codec {
        let text = Codec.text(rule)
        return Codec(
            shape: text.shape,
            decode: { value, findings in
                if let text = value.string, rule.length.contains(text.unicodeScalars.count), rule.accepts(text) {
                    return text
                }
                findings.report(
                    "\(findings.subject) must be \(rule.expected)", found: value.kind, at: value.location,
                    remedy: rule.remedy)
                return nil
            },
            encode: text.encode)
    }
}

extension Value {
    /// What it is, without what it says.
    fileprivate var kind: String {
        switch content {
        case .null: "nothing"
        case .bool, .int, .double, .string: "text that is not shown here"
        case .array: "a list"
        case .object: "an object"
        }
    }
}

extension TextRule {
    /// The path of a file with a secret. Who has pasted the secret itself is told.
    static let secretPath = TextRule(
        "the path of a file, not what it holds", length: 1...Limits.filePathCharactersMax,
        remedy: "Put it into a file of its own, and write the path, such as tls/example.com.key."
    ) { !$0.utf8.contains(0) && !$0.contains("-----BEGIN") && !$0.contains("\n") }

    /// The name of a credential. Source: systemd, `credential_name_valid`.
    fileprivate static let credentialName = TextRule(
        "the name of a credential of 1 to 255 visible characters other than / and :", length: 1...255,
        pattern: "^[!-.0-9;-~]+$", remedy: "Write the name that LoadCredential gives it, such as token."
    ) { name in
        name.utf8.allSatisfy { (0x21...0x7E).contains($0) && !"/:".utf8.contains($0) } && name != "." && name != ".."
    }

    /// The name of a variable of the environment. Source: environ(7).
    fileprivate static let variableName = TextRule(
        "the name of a variable: letters, digits and underscores", length: 1...128,
        pattern: "^[A-Za-z_][A-Za-z0-9_]*$", remedy: "Write a name such as TARGETS_TOKEN."
    ) { name in
        name.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "_") }
            && name.utf8.first.map { !(0x30...0x39).contains($0) } ?? false
    }
}
