import Model

/// What If-Match asks for: that one of these generations is in force when a change is made.
///
/// Generations are counted by the process: after a restart they begin again.
///
/// Source: RFC 9110 §13.1.1. Entity tags are compared strongly, so a weak one never matches.
struct GenerationCondition: Equatable, Sendable {
    /// As it was sent.
    let text: String
    /// The generations.
    let generations: Set<UInt64>

    /// Reads `text`; nil for `*`, which always holds, since there always is a generation.
    ///
    /// Errors: what is no list of entity tags.
    init?(ifMatch text: String) throws(AdminError) {
        self.text = text
        var generations: Set<UInt64> = []
        for part in text.split(separator: ",", omittingEmptySubsequences: true) {
            var tag = part.drop { $0 == " " || $0 == "\t" }
            while tag.last == " " || tag.last == "\t" { tag = tag.dropLast() }
            if tag == "*" { return nil }
            let isWeak = tag.hasPrefix("W/")
            if isWeak { tag = tag.dropFirst(2) }
            guard tag.count >= 2, tag.first == "\"", tag.last == "\"" else {
                throw AdminError(
                    code: "ValidationError", message: "If-Match must be entity tags, but found \(Self.shown(text)).",
                    remedy: "Write the generation in quotes, as in If-Match: \"7\".")
            }
            let opaque = tag.dropFirst().dropLast()
            if !isWeak, opaque.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let number = UInt64(opaque) {
                generations.insert(number)
            }
        }
        self.generations = generations
    }

    /// Why what depends on it cannot be done; nil if it can.
    func mistake(inForce generation: UInt64) -> ConfigErrors? {
        if generations.contains(generation) { return nil }
        return ConfigErrors(
            ConfigError(
                expected: "If-Match must name the generation in force, which is \(generation)",
                found: Self.shown(text),
                remedy: "Read what is in force now; if the change still fits, send it again with If-Match: "
                    + "\"\(generation)\".",
                code: .preconditionFailed))
    }

    private static func shown(_ text: String) -> String {
        if text.isEmpty { return "an empty field" }
        return text.count > 64 ? "\(text.prefix(64))…" : text
    }
}
