import Core

/// The caps of the command line.
enum Limits {
    /// Time that `apus check` waits for an Apus that runs: 25 s. It may have to wait for its disk itself, twice 10 s.
    /// After that `apus check` reports that it got no answer.
    static let runningApusTimeout: Nanoseconds = 25_000_000_000
    /// Time in which a command asks again, if the process that it has asked is being replaced: 10 s. An upgrade takes
    /// milliseconds, a restart some seconds. Then the command says what the last one has said.
    static let replacementTime: Nanoseconds = 10_000_000_000
    /// Time between two such questions: 50 ms.
    static let replacementPause: Nanoseconds = 50_000_000

    /// Time that `apus status --healthcheck` waits: 4 s, since the image lets its health check take 5 s. After that it
    /// says that Apus does not serve.
    static let healthcheckTime: Nanoseconds = 4_000_000_000
}
