import ArgumentParser
import CLI
import Control

/// `apus proxy --listen PORT --to ADDRESS:PORT…`.
struct ProxyCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "proxy", abstract: "Serve without a file: one port in front of some targets.",
        discussion: """
            Prints the configuration that it serves; --print prints it alone, to begin a file with. Ctrl-C ends it and \
            leaves nothing behind.
            """)

    @Option(
        name: .long,
        help: ArgumentHelp(
            "Where clients connect: a port, behind an address of this host if not all are meant.",
            valueName: "[address:]port"),
        transform: { text in
            guard let listen = ProxyConfiguration.Listen(text) else {
                throw ValidationError(ProxyConfiguration.Listen.help)
            }
            return listen
        })
    var listen: ProxyConfiguration.Listen

    @Option(
        name: .long,
        help: ArgumentHelp(
            "A target; repeat it for each. https:// before it for targets with TLS.",
            valueName: "address:port[=weight]"),
        transform: { text in
            guard let target = ProxyConfiguration.Target(text) else {
                throw ValidationError(ProxyConfiguration.Target.help(for: text))
            }
            return target
        })
    var to: [ProxyConfiguration.Target]

    @Option(
        name: .long,
        help: ArgumentHelp(
            "What health checks ask for; without it any answer below 500 at / passes, and with --tcp a connection.",
            valueName: "path"))
    var health: String?

    @Option(
        name: .long, parsing: .upToNextOption,
        help: ArgumentHelp(
            "Speak TLS with clients: PEM files of a certificate and of its key, or one file with both.",
            valueName: "file"))
    var tls: [String] = []

    @Flag(name: .long, help: "Pass bytes on as they are (layer 4), instead of requests.")
    var tcp = false

    @Flag(name: .long, help: "Print the configuration and serve nothing.")
    var print = false

    func validate() throws {
        guard tls.count <= 2 else {
            throw ValidationError("--tls takes a certificate and its key, but there are \(tls.count) files.")
        }
        if let mistake = proxy.mistake { throw ValidationError(mistake) }
    }

    private var proxy: ProxyConfiguration {
        let certificate = tls.first.map { ProxyConfiguration.Certificate(file: $0, keyFile: tls.last ?? $0) }
        return ProxyConfiguration(
            listen: listen, targets: to, healthPath: health, certificate: certificate, isNetwork: tcp)
    }

    func run() throws {
        if print {
            Console.write(try attempt { () throws(StartError) in try proxy.fileText() })
            return
        }
        Log.bootstrap()
        try finish(
            with: attempt { () throws(StartError) in try proxy.serve { Console.write($0) } })
    }
}
