/// The names that some sources declare, and how each is used in them.
///
/// Limits: names are not resolved, so a name with two declarations counts as used if either is used.
struct SourceNames {
    private struct Place {
        let path: String
        let line: Int
    }

    private static let introducers: Set<String> = [
        "func", "var", "let", "struct", "class", "enum", "protocol", "typealias", "actor", "associatedtype",
    ]

    private var all: [String: Int] = [:]
    private var declared: [String: [Place]] = [:]
    private var variables: [String: [Place]] = [:]
    private var cases: [String: [Place]] = [:]
    private var read: Set<String> = []
    private var made: Set<String> = []

    init(_ files: [RepositoryFile]) { for file in files { add(file) } }

    private mutating func add(_ file: RepositoryFile) {
        let words = SwiftWords(file.text)
        var inPattern = [Bool](repeating: false, count: words.tokens.count)
        for range in words.patterns { for index in range { inPattern[index] = true } }
        var isCase = [Bool](repeating: false, count: words.tokens.count)
        for index in words.tokens.indices where words[index] == "case" {
            for declared in words.casesDeclared(at: index) { isCase[declared] = true }
        }
        for (index, token) in words.tokens.enumerated() where token.isWord {
            all[token.text, default: 0] += 1
            let before = words[index - 1]
            let place = Place(path: file.path, line: token.line)
            if isCase[index] {
                cases[token.text, default: []].append(place)
                declared[token.text, default: []].append(place)
            } else if Self.introducers.contains(before) {
                if ["var", "let"].contains(before) { variables[token.text, default: []].append(place) }
                // Local names are skipped: the compiler warns if they are unused.
                declared[token.text, default: []].append(place)
            } else {
                if before == ".", !inPattern[index] { made.insert(token.text) }
                if inPattern[index] || isRead(words, index) { read.insert(token.text) }
            }
        }
    }

    /// Whether the value of the name at `index` is used: it is not a label, it is not being set, and it is not the
    /// parameter that sets the property of the same name in an initialiser.
    private func isRead(_ words: SwiftWords, _ index: Int) -> Bool {
        let next = words[index + 1]
        let isInChoice = (1...12).contains { words[index - $0] == "?" && words.isOnLine(of: index - $0, index) }
        if next == ":", !isInChoice, words[index - 1] != "." { return false }
        if next == "=", words[index + 2] != "=" { return false }
        if ["+", "-", "*", "/", "|", "&"].contains(next), words[index + 2] == "=", words[index + 3] != "=" {
            return false
        }
        let isOfInitialiser =
            words[index - 1] == "=" && words[index - 2] == words[index] && words[index - 3] == "."
            && words[index - 4] == "self"
        return !isOfInitialiser
    }

    private func findings(
        _ names: [String: [Place]], _ message: String, _ exemptions: [String: String], where isBad: (String) -> Bool
    ) -> [Finding] {
        names.filter { isBad($0.key) && exemptions[$0.key] == nil && $0.key != "_" }
            .flatMap { name, places in
                places.map { Finding(path: $0.path, line: $0.line, message: "\(name) \(message)") }
            }
            .sorted { ($0.path, $0.line) < ($1.path, $1.line) }
    }

    func unmentioned(besides exemptions: [String: String] = [:]) -> [Finding] {
        findings(declared, "is declared but not used in Sources: remove it", exemptions) {
            all[$0] == declared[$0]?.count
        }
    }

    func unread(besides exemptions: [String: String] = [:]) -> [Finding] {
        findings(variables, "is set but not read in Sources: remove it", exemptions) {
            !read.contains($0) && all[$0] != declared[$0]?.count
        }
    }

    func unmade(besides exemptions: [String: String] = [:]) -> [Finding] {
        findings(cases, "is a case that is never created in Sources: remove it", exemptions) {
            !made.contains($0) && all[$0] != declared[$0]?.count
        }
    }
}
