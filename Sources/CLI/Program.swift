import ArgumentParser
import Core

extension ParsableCommand {
    /// Runs this command as the whole program: with the arguments of the process, and with our exit statuses.
    ///
    /// Scripts rely on these: 0 done, 1 refused, 2 wrong usage, 3 no server, 4 done, but exchanges were cut.
    /// ArgumentParser has another status for wrong usage, so its errors are printed here and ended with ours.
    public static func runAsProgram() -> Never {
        SystemUser.useCapabilities()
        do {
            var command = try parseAsRoot(Console.arguments)
            try command.run()
        } catch let failure as CommandFailure {
            if !failure.message.isEmpty { Console.warn(failure.message) }
            exit(withError: ExitCode(failure.status))
        } catch {
            // A request for help, the version or a completion script is thrown as well, and is no mistake.
            guard exitCode(for: error) != .success else { exit(withError: error) }
            let usage = UsageFailure(error, words: Console.arguments, root: Self.self)
            if usage.isForScripts { Console.write(usage.json) }
            Console.warn(usage.text)
            exit(withError: ExitCode(2))
        }
        exit()
    }
}
