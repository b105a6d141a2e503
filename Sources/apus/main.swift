import ArgumentParser
import Control

// The exit statuses are a promise to scripts: 0 done, 1 refused, 2 usage, 3 no server, 4 exchanges were cut.
// ArgumentParser's own for usage is another, so what it throws is told and turned into ours here.
do {
    var command = try Apus.parseAsRoot(Console.arguments)
    try command.run()
} catch let failure as CommandFailure {
    if !failure.message.isEmpty { Console.warn(failure.message) }
    Apus.exit(withError: ExitCode(failure.status))
} catch {
    // Asking for help, the version or a completion script is no mistake.
    guard Apus.exitCode(for: error) != .success else { Apus.exit(withError: error) }
    let usage = UsageFailure(error, words: Console.arguments)
    if usage.isForScripts { Console.write(usage.json) }
    Console.warn(usage.text)
    Apus.exit(withError: ExitCode(2))
}
