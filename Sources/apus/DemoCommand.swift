import ArgumentParser
import CLI
import Control

/// `apus demo [FILE]`.
struct DemoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo", abstract: "Try it: sample targets in two versions, with the load balancer in front.")

    @Argument(help: "The configuration to try, instead of the demo's own.")
    var file: String?

    func run() throws {
        Log.bootstrap(level: .error)  // the demo tells what happens in its own words
        let narrator = Narrator(program: Console.program)
        try finish(with: attempt { () throws(StartError) in try Demo.run(file: file, narrator: narrator) })
    }
}

/// Tells the demo as the commands would.
private struct Narrator: DemoNarrator {
    /// How this program was called.
    let program: String

    func sentence(_ event: String) -> String? { EventView.sentence(event) }

    /// What is running, and what to try.
    func introduction(_ demo: Demo) -> String {
        var table = TextTable(("sample target", .left), ("group", .left), ("process", .right))
        for sample in demo.samples {
            table.add(TextTable.Cell(sample.target), TextTable.Cell(sample.group), "\(sample.processID)")
        }
        var text = "Apus balances \(demo.samples.count) sample target\(demo.samples.count == 1 ? "" : "s"):\n\n"
        text += table.text(coloured: Console.isColoured, otherwise: "None: the file has no target at 127.0.0.1 or ::1.")
        text += "\nTry, in another terminal:\n\n"
        let suggestions = suggestions(demo)
        let width = suggestions.map(\.0.count).max() ?? 0
        for (command, meaning) in suggestions {
            text += "  \(command)" + String(repeating: " ", count: width - command.count + 2) + "\(meaning)\n"
        }
        let end = demo.isRemoved ? " and leaves nothing behind" : ""
        return text + "\nCtrl-C ends all of it\(end). What happens:\n\n"
    }

    private func suggestions(_ demo: Demo) -> [(String, String)] {
        var list = [("export APUS_SOCKET=\(demo.document.admin.socket)", "where the commands find this apus")]
        if let balancer = demo.document.loadBalancers.first, let listener = balancer.listeners.first {
            list.append(("curl localhost:\(listener.port)", "which group answers goes by weight"))
            if case .forward(let forward)? = listener.defaultActions.first, forward.targetGroups.count > 1 {
                let weights = forward.targetGroups.map { "\($0.targetGroupName)=50" }.joined(separator: " ")
                list.append(
                    ("\(program) weights \(balancer.name):\(listener.port) \(weights)", "equal shares, at once"))
            }
        }
        list.append(("\(program) status", "workers, connections, requests"))
        if let sample = demo.samples.last {
            let words = "\(sample.group) \(sample.target)"
            list.append(("\(program) targets list \(sample.group)", "the health of its targets"))
            list.append(("\(program) targets deregister \(words) --wait", "returns once it is safe to stop"))
            list.append(("\(program) targets register \(words)", "and back again"))
        }
        if let sample = demo.samples.first {
            list.append(("kill \(sample.processID)", "health checks notice, no request fails"))
        }
        return list
    }
}

/// `apus demo-target`, which the demo and the tests start.
struct DemoTargetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo-target", abstract: "A target that answers with its name.", shouldDisplay: false)

    @Option(help: "What it answers.")
    var name: String

    @Option(help: "The port it listens on.")
    var port: UInt16

    @Option(help: "The address it listens on.")
    var address = "127.0.0.1"

    @Option(help: "The process with which it ends.")
    var parent: Int32?

    func run() throws {
        try attempt { () throws(StartError) in
            try DemoTarget.serve(name: name, address: address, port: port, parent: parent)
        }
    }
}
