import Core

/// The caps of the command line.
enum Limits {
    /// Time that `apus check` waits for an Apus that runs: 25 s. It may have to wait for its disk itself, twice 10 s.
    /// After that `apus check` reports that it got no answer.
    static let runningApusTimeout: Nanoseconds = 25_000_000_000
}
