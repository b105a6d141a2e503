/// Finds the known word that a mistyped one probably stands for.
public enum Spelling {
    /// The known word nearest to `word`, when it is near enough to be meant: at most a third of its letters away,
    /// or the same but for case, hyphens, underscores and dots. Of keys with dots each part has to be near enough, as
    /// those that differ in one part alone are many. Of two that are as near the longer one is meant, as letters are
    /// left out more often than replaced: HTTPS by HTTS.
    public static func nearest(to word: String, among known: some Sequence<String>) -> String? {
        let wanted = folded(word)
        guard wanted.count <= 128 else { return nil }
        var best: (word: String, distance: Int, count: Int)?
        for candidate in known {
            let letters = folded(candidate)
            let most = max(wanted.count, letters.count) / 3
            guard abs(letters.count - wanted.count) <= most else { continue }
            let distance = distance(wanted, letters)
            guard distance <= most, distance == 0 || partsAreNear(word, candidate) else { continue }
            if let best, (best.distance, -best.count) <= (distance, -letters.count) { continue }
            best = (candidate, distance, letters.count)
        }
        return best?.word
    }

    /// Whether each part of a key with dots is near that of the other, or one of them is the beginning of the other; as
    /// far as both have parts.
    private static func partsAreNear(_ first: String, _ second: String) -> Bool {
        let (first, second) = (first.split(separator: "."), second.split(separator: "."))
        guard min(first.count, second.count) > 1 else { return true }
        return zip(first, second).allSatisfy { first, second in
            let (first, second) = (folded(String(first)), folded(String(second)))
            return first.starts(with: second) || second.starts(with: first)
                || distance(first, second) <= max(1, max(first.count, second.count) / 3)
        }
    }

    /// A remedy for an unknown word: the nearest known one, or else all of them, or `otherwise` when there are
    /// none or too many to read.
    static func remedy(for word: String, among known: [String], otherwise: String) -> String {
        if let near = nearest(to: word, among: known) { return "Did you mean \(near)?" }
        return known.isEmpty || known.count > 40 ? otherwise : "Known: \(known.joined(separator: ", "))."
    }

    private static func folded(_ word: String) -> [Character] {
        word.lowercased().filter { $0 != "-" && $0 != "_" && $0 != "." }.map { $0 }
    }

    /// Insertions, deletions, substitutions and exchanges of neighbours that turn one word into the other.
    static func distance(_ first: [Character], _ second: [Character]) -> Int {
        var beforeLast = [Int]()
        var last = Array(0...second.count)
        for row in first.indices {
            var current = [row + 1]
            for column in second.indices {
                let same = first[row] == second[column]
                var cost = min(last[column] + (same ? 0 : 1), last[column + 1] + 1, current[column] + 1)
                if row > 0, column > 0, first[row] == second[column - 1], first[row - 1] == second[column] {
                    cost = min(cost, beforeLast[column - 1] + 1)
                }
                current.append(cost)
            }
            (beforeLast, last) = (last, current)
        }
        return last[second.count]
    }
}
