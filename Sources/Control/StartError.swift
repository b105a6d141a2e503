/// Why Apus does not start: what was being done, what stands against it, and what to do.
struct StartError: Error, Equatable, CustomStringConvertible {
    /// What is wrong: a sentence.
    let message: String
    /// What to do: a sentence.
    let remedy: String

    /// Both, on one line.
    var description: String { "\(message) \(remedy)" }
}
