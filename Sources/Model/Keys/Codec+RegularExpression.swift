import RegularExpressions

extension Codec where Model == String {
    /// A regular expression that PCRE2 compiles. What is wrong with one is reported with its place in the expression.
    static func regularExpression(length: ClosedRange<Int>) -> Codec {
        let rule = TextRule(
            "a regular expression of \(length.lowerBound) to \(length.upperBound) visible characters and spaces",
            length: length, pattern: "^[ -~]+$",
            remedy: "Write one such as ^/v[0-9]+/; it may match anywhere in the text."
        ) { $0.utf8.allSatisfy { (0x20...0x7E).contains($0) } }
        return text(rule).converted(
            to: { text, findings in
                guard let mistake = RegularExpression.mistake(in: text) else { return text }
                findings.report(
                    "\(findings.subject) must be a regular expression that can be compiled",
                    found: "\(Value.quoted(text)): \(mistake.message), behind character \(mistake.offset), "
                        + Value.quoted(String(text.prefix(mistake.offset))),
                    remedy: "Correct it there; a backslash before a character takes its meaning away.")
                return nil
            }, from: { $0 })
    }
}
