import Core

/// The caps of the command line.
enum Limits {
    /// Time that `apus check` waits for an Apus that runs: 25 s. It may have to wait for its disk itself, twice 10 s.
    /// Then it is said that it cannot be asked.
    static let runningApusTimeout: Nanoseconds = 25_000_000_000
}
