extension TextRule {
    /// The name of a load balancer or target group. Source: ELBv2 CreateTargetGroup.
    static let name = TextRule(
        "a name of 1 to 32 letters, digits and hyphens, with no hyphen at either end",
        length: 1...Limits.nameCharactersMax, pattern: "^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?$",
        remedy: "Choose a name such as web-1."
    ) { name in
        name.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") } && !name.hasPrefix("-")
            && !name.hasSuffix("-")
    }

    /// The name of an availability zone.
    static let zone = TextRule(
        "the name of a zone of 1 to 64 letters, digits, hyphens, dots and underscores", length: 1...64,
        pattern: "^[A-Za-z0-9._-]+$", remedy: "Write a name such as eu-central-1a."
    ) { $0.utf8.allSatisfy { isAlphanumeric($0) || "._-".utf8.contains($0) } }

    /// An IPv4 or IPv6 address.
    static let address = TextRule(
        "an IPv4 or IPv6 address", length: 2...45, pattern: "^[0-9A-Fa-f.:]+$",
        remedy: "Write an address such as 10.0.0.5 or 2001:db8::5; names are not looked up."
    ) { IPAddress($0) != nil }

    /// An address and a port.
    static let tcpAddress = TextRule(
        "an IPv4 or IPv6 address and a port", length: 3...53, pattern: "^([0-9.]+|\\[[0-9A-Fa-f:.]+\\]):[0-9]+$",
        remedy: "Write it as in 127.0.0.1:9099 or \"[::1]:9099\"."
    ) { TCPAddress($0) != nil }

    /// An instance id: `i-` and letters, digits and hyphens.
    static let instanceID = TextRule(
        "an instance id", length: 3...64, pattern: "^i-[A-Za-z0-9-]+$", remedy: "Write an id such as i-0a1b2c3d."
    ) { isInstanceID($0) }

    /// What a target's id may be, before its group's type is known.
    static let targetID = TextRule(
        "an IP address or an instance id", length: 2...64,
        remedy: "Write an address such as 10.0.0.5, or an instance id such as i-0a1b2c3d."
    ) { isInstanceID($0) || IPAddress($0) != nil }

    /// The server id of a target of QUIC. Source: ELBv2 TargetDescription.
    static let quicServerID = TextRule(
        "0x and 16 hexadecimal digits in lower case", length: 18...18, pattern: "^0x[0-9a-f]{16}$",
        remedy: "Write it in quotes, as in \"0x0000000000000001\"."
    ) { QUICServerID($0) != nil }

    /// A path in the file system.
    static let filePath = TextRule(
        "a path of 1 to 4095 characters", length: 1...Limits.filePathCharactersMax,
        remedy: "Write a path such as /var/lib/apus."
    ) { !$0.utf8.contains(0) }

    /// The path of a Unix socket. Source: unix(7).
    static let socketPath = TextRule(
        "a path of 1 to 107 bytes", length: 1...Limits.socketPathBytesMax,
        remedy: "Write a path such as /run/apus/admin.sock."
    ) { $0.utf8.count <= Limits.socketPathBytesMax && !$0.utf8.contains(0) }

    /// A user of the system.
    static let user = TextRule(
        "the name of a user of this system", length: 1...32, pattern: "^[A-Za-z0-9_][A-Za-z0-9_.-]*$",
        remedy: "Write a name such as nobody."
    ) { $0.utf8.allSatisfy { isAlphanumeric($0) || "_.-".utf8.contains($0) } && !$0.hasPrefix("-") }

    /// The path that a health check asks for. Source: ELBv2 CreateTargetGroup.
    static let healthCheckPath = TextRule(
        "a path of 1 to 1024 visible characters that begins with a slash", length: 1...1024, pattern: "^/[!-~]*$",
        remedy: "Write a path such as /health."
    ) { $0.hasPrefix("/") && $0.utf8.allSatisfy { (0x21...0x7E).contains($0) } }

    /// A server's name for TLS, or nothing. Source: RFC 6066 §3.
    static let serverName = TextRule(
        "a host name, or empty", length: 0...253, pattern: "^[A-Za-z0-9.-]*$",
        remedy: "Write a name such as api.internal.example.com."
    ) { $0.utf8.allSatisfy { isAlphanumeric($0) || "-.".utf8.contains($0) } }

    /// One pattern of a host-header condition. ELBv2 also requires a dot; we do not, because names such as `localhost`
    /// have none.
    /// Source: ELBv2 HostHeaderConditionConfig.
    static let hostPattern = TextRule(
        "a host pattern of 1 to 128 letters, digits, hyphens and dots, where * and ? stand for any",
        length: 1...Limits.conditionValueCharactersMax, pattern: "^[A-Za-z0-9.*?-]+$",
        remedy: "Write a host such as api.example.com or *.example.com, without a port."
    ) { $0.utf8.allSatisfy { isAlphanumeric($0) || "-.*?".utf8.contains($0) } }

    /// One pattern of a path-pattern condition. Source: ELBv2 PathPatternConditionConfig.
    static let pathPattern = TextRule(
        "a path pattern of 1 to 128 letters, digits and _-.$/~\"'@:+&, where * and ? stand for any",
        length: 1...Limits.conditionValueCharactersMax, pattern: "^[A-Za-z0-9_.$/~\"'@:+&*?-]+$",
        remedy: "Write a path such as /v1/*, without a query."
    ) { $0.utf8.allSatisfy { isAlphanumeric($0) || "_-.$/~\"'@:+&*?".utf8.contains($0) } }

    /// The value of a response field that a listener sets, or nothing. Source: Application Load Balancers user guide,
    /// "HTTP header modification".
    static let responseFieldValue = TextRule(
        "at most 1024 letters, digits, spaces and _:;.,/\\'?!(){}[]@<>=-+*#&`|~^%",
        length: 0...Limits.responseFieldValueCharactersMax,
        pattern: "^[A-Za-z0-9 _:;.,/\\\\'?!(){}\\[\\]@<>=+*#&`|~^%-]*$",
        remedy: "Write a value such as max-age=31536000."
    ) { value in
        value.utf8.allSatisfy { isAlphanumeric($0) || " _:;.,/\\'?!(){}[]@<>=-+*#&`|~^%".utf8.contains($0) }
            && !value.hasPrefix(" ") && !value.hasSuffix(" ")
    }

    /// One pattern of an http-header condition. Source: ELBv2 HttpHeaderConditionConfig.
    static let headerPattern = TextRule(
        "a pattern of 1 to 128 visible characters and spaces, where * and ? stand for any",
        length: 1...Limits.conditionValueCharactersMax, pattern: "^[ -~]+$",
        remedy: "Write a value such as *Chrome*; field values are compared in any case."
    ) { $0.utf8.allSatisfy { (0x20...0x7E).contains($0) } }

    /// The name of the field of an http-header condition. Source: ELBv2 HttpHeaderConditionConfig; RFC 9110 §5.6.2.
    static let headerName = TextRule(
        "the name of a header field of 1 to 40 characters, other than Host",
        length: 1...Limits.headerNameCharactersMax, pattern: "^[A-Za-z0-9!#$%&'*+.^_`|~-]+$",
        remedy: "Write a name such as User-Agent; for Host there is host-header."
    ) {
        $0.lowercased() != "host" && $0.utf8.allSatisfy { isAlphanumeric($0) || "!#$%&'*+-.^_`|~".utf8.contains($0) }
    }

    /// One value of an http-request-method condition. Source: ELBv2 HttpRequestMethodConditionConfig.
    static let requestMethod = TextRule(
        "a method of 1 to 40 letters in upper case, hyphens and underscores",
        length: 1...Limits.methodCharactersMax, pattern: "^[A-Z_-]+$",
        remedy: "Write a method such as GET; there are no wildcards."
    ) { $0.utf8.allSatisfy { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || "-_".utf8.contains($0) } }

    /// A pattern of a query-string condition. Source: ELBv2 QueryStringConditionConfig.
    static let queryPattern = TextRule(
        "a pattern of 1 to 128 visible characters, where * and ? stand for any and \\* and \\? for themselves",
        length: 1...Limits.conditionValueCharactersMax, pattern: "^[!-~]+$",
        remedy: "Write a pattern such as v1*; a backslash stands only before *, ? or another one."
    ) { text in
        var isEscaped = false
        for byte in text.utf8 {
            guard (0x21...0x7E).contains(byte) else { return false }
            if isEscaped {
                guard "*?\\".utf8.contains(byte) else { return false }
                isEscaped = false
            } else {
                isEscaped = byte == UInt8(ascii: "\\")
            }
        }
        return !isEscaped
    }

    /// The body of a fixed response. Source: ELBv2 FixedResponseActionConfig.
    static let fixedBody = TextRule(
        "text of at most 1024 bytes", length: 0...Limits.fixedResponseBytesMax,
        remedy: "Shorten it, or forward to a target."
    ) { $0.utf8.count <= Limits.fixedResponseBytesMax }

    /// A component of a redirect: visible ASCII in which only these placeholders stand.
    static func redirect(
        _ what: String, length: ClosedRange<Int>, placeholders: [String], remedy: String,
        accepts: @escaping @Sendable (String) -> Bool
    ) -> TextRule {
        let known = placeholders.map { "#{\($0)}" }
        return TextRule("\(what), with \(known.joined(separator: ", ")) if needed", length: length, remedy: remedy) {
            text in
            // Placeholders become plain letters, so that what is left can be judged as literal text.
            var literal = Substring(text)
            var plain = ""
            while let start = literal.firstRange(of: "#{") {
                plain += literal[..<start.lowerBound]
                literal = literal[start.upperBound...]
                guard let end = literal.firstIndex(of: "}"), placeholders.contains(String(literal[..<end])) else {
                    return false
                }
                plain += "x"
                literal = literal[literal.index(after: end)...]
            }
            plain += literal
            return plain.utf8.allSatisfy { (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "#") } && accepts(plain)
        }
    }

    /// Whether a byte is one of `A`–`Z`, `a`–`z`, `0`–`9`.
    static func isAlphanumeric(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: false
        }
    }

    /// Whether text is an instance id.
    static func isInstanceID(_ text: String) -> Bool {
        text.hasPrefix("i-") && text.utf8.count > 2
            && text.utf8.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }
}
