import ArgumentParser
import Model

/// `apus targets …`.
struct TargetsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "targets", abstract: "List, register and deregister the targets of a group.",
        subcommands: [List.self, Register.self, Deregister.self])

    /// `apus targets list GROUP`.
    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(abstract: "Targets with their health, and why it is so.")

        @Argument(help: "The target group.")
        var group: String
        @Argument(help: ArgumentHelp("Only these targets.", valueName: "id[:port]"), transform: TargetName.read)
        var targets: [TargetName] = []
        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.targets(of: group, targets)) }
    }

    /// `apus targets register GROUP ID[:PORT]… [--weight WEIGHT] [--zone ZONE] [--quic-server-id ID] [--wait]
    /// [--timeout SECONDS]`.
    struct Register: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Add targets to a group, or change their weight or zone.",
            discussion: "An IPv6 address with a port is written as in [::1]:80.")

        @OptionGroup var named: NamedTargets
        @Option(
            name: .long,
            help: ArgumentHelp(
                "Share of each beside the other targets, 0 to 256; without it what they have, or 1.",
                valueName: "weight"))
        var weight: Int?
        @Option(
            name: .long, help: ArgumentHelp("The zone they are in; without it what they have.", valueName: "zone"))
        var zone: String?
        @Option(
            name: .long,
            help: ArgumentHelp(
                "In a group of QUIC, the id that the server puts into connection IDs: 0x and 16 digits.",
                valueName: "id"))
        var quicServerId: String?
        @Flag(
            name: .long,
            help: "Return when they are healthy; end with 1 and say why if they are not in time.")
        var wait = false
        @Option(
            name: .long, help: ArgumentHelp("How long to wait; 60 without it.", valueName: "seconds"))
        var timeout: Double?
        @OptionGroup var socket: SocketOptions

        func validate() throws {
            if let weight, !(0...Model.Limits.targetWeightMax).contains(weight) {
                throw ValidationError("--weight must be from 0 to \(Model.Limits.targetWeightMax), but is \(weight).")
            }
            if let quicServerId {
                guard QUICServerID(quicServerId) != nil else {
                    throw ValidationError(
                        "--quic-server-id must be 0x and 16 hexadecimal digits in lower case, but is \(quicServerId).")
                }
                guard named.targets.count == 1 else {
                    throw ValidationError("--quic-server-id is of one target, but \(named.targets.count) are named.")
                }
            }
            guard let timeout else { return }
            guard wait else { throw ValidationError("--timeout goes with --wait.") }
            guard (0...3600).contains(timeout) else {
                throw ValidationError("--timeout must be from 0 to 3600 seconds, but is \(timeout).")
            }
        }

        func run() throws {
            try socket.perform(
                .register(
                    named.targets, in: named.group, weight: weight, zone: zone,
                    quicServerID: quicServerId.flatMap(QUICServerID.init), wait: wait, timeoutSeconds: timeout))
        }
    }

    /// `apus targets deregister GROUP ID[:PORT]… [--wait]`.
    struct Deregister: ParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Remove targets from a group: what is in flight may finish, nothing new is sent to them.")

        @OptionGroup var named: NamedTargets
        @Flag(
            name: .long,
            help: ArgumentHelp(
                "Return when they are drained, and say how that went; end with 4 if exchanges were cut, and with 1 "
                    + "if a target is not registered."))
        var wait = false
        @OptionGroup var socket: SocketOptions

        func run() throws { try socket.perform(.deregister(named.targets, from: named.group, wait: wait)) }
    }
}

/// The targets of one group that a change is about: at least one.
struct NamedTargets: ParsableArguments {
    @Argument(help: "The target group.")
    var group: String
    @Argument(help: ArgumentHelp("Address or instance id.", valueName: "id[:port]"), transform: TargetName.read)
    var targets: [TargetName]
}

extension AdminCall {
    /// The health of a group's targets; of all of them when `targets` is empty.
    static func targets(of group: String, _ targets: [TargetName]) -> AdminCall {
        let query = targets.map { "id=\(escaped($0.id))" + ($0.port.map { "&port=\($0)" } ?? "") }.joined(
            separator: "&")
        let path = "/v1/target-groups/\(escaped(group))/targets"
        return AdminCall("GET", query.isEmpty ? path : "\(path)?\(query)", view: AdminView.targets)
    }

    /// Adds targets to a group, and waits until they are healthy if `wait`, at most for `timeout` seconds if it is
    /// given.
    static func register(
        _ targets: [TargetName], in group: String, weight: Int? = nil, zone: String? = nil,
        quicServerID: QUICServerID? = nil, wait: Bool = false, timeoutSeconds: Double? = nil
    ) -> AdminCall {
        let list = targets.map { Value.target($0.id, $0.port, weight: weight, zone: zone, quicServerID: quicServerID) }
        var body: Value = ["targets": .array(list)]
        if wait { body["wait"] = true }
        body["timeoutSeconds"] = timeoutSeconds.map { .number($0) }
        return AdminCall("POST", "/v1/target-groups/\(escaped(group))/targets", body) { answer, _ in
            AdminView.done(
                "Registered \(counted(targets.count, "target")) in \(group)\(wait ? ", healthy now" : "")", answer)
        }
    }

    /// Removes targets from a group, and waits until they are drained if `wait`.
    static func deregister(_ targets: [TargetName], from group: String, wait: Bool) -> AdminCall {
        let body: Value = ["targets": list(targets), "wait": .bool(wait)]
        let path = "/v1/target-groups/\(escaped(group))/deregister"
        return AdminCall("POST", path, body, tellsOfCuts: AdminView.tellsOfCuts) { answer, coloured in
            if wait { return AdminView.drained(answer, coloured) }
            return AdminView.deregistered(answer, from: group)
        }
    }

    private static func list(_ targets: [TargetName]) -> Value { .array(targets.map { .target($0.id, $0.port) }) }
}

extension AdminView {
    static func targets(_ answer: Value, _ coloured: Bool) -> String {
        let descriptions = answer["targetHealthDescriptions"]?.array ?? []
        // Where a target comes from is worth a column where it may be more than one place.
        let tellsLayers = descriptions.contains { $0["discoveredAs"] != nil }
        var table = TextTable(
            ("target", .left), ("checked at", .left), ("state", .left), ("why", .left),
            (tellsLayers ? "from" : "", .left))
        for description in descriptions {
            let health = description["targetHealth"] ?? [:]
            let state = text(health["state"])
            let checked = text(description["healthCheckPort"])
            let remark = remark(on: description, state)
            table.add(
                TextTable.Cell(target(description["target"]) + weight(of: description)),
                TextTable.Cell(checked == "-" ? "-" : "port \(checked)"),
                TextTable.Cell(
                    remark.map { "\(state), \($0.word)" } ?? state, remark == nil ? tones[state] : .pending),
                TextTable.Cell(remark?.why ?? health["description"]?.string ?? ""),
                TextTable.Cell(tellsLayers ? layer(of: description) : ""))
        }
        return table.text(coloured: coloured, otherwise: "There are no targets.")
    }

    /// Where a target comes from; of one that was discovered its name there.
    private static func layer(of description: Value) -> String {
        description["discoveredAs"]?.string ?? text(description["layer"])
    }

    /// What there is to say of a target beside its state, the worst first.
    private static func remark(on description: Value, _ state: String) -> (word: String, why: String)? {
        // One that fails its checks is not used anyway.
        guard state == "healthy" || state == "unavailable" else { return nil }
        if let cause = description["ejected"]?.string {
            let why = cause == "error_share" ? "Failed more often than the others" : "Too many requests in a row failed"
            return ("ejected", "\(why); taken out for a while")
        }
        if description["suspect"]?.bool ?? false { return ("suspect", "An attempt failed; passed over for now") }
        if description["removalHeld"]?.bool ?? false {
            return ("held", "Fails its checks; too many were taken out in the last minute")
        }
        guard description["anomalyDetection"]?["result"]?.string == "anomalous" else { return nil }
        return ("anomalous", "Fails more often than the others")
    }

    /// The weight of a target behind its name; most have none. Not inlined: swiftc 6.3.1 fails to optimise the result.
    @inline(never) private static func weight(of description: Value) -> String {
        guard let target = description["target"], let weight = target["apus.weight"]?.int else { return "" }
        return ", weight \(weight)"
    }

    /// Targets that left `group`, without waiting for the end of their exchanges.
    static func deregistered(_ answer: Value, from group: String) -> String {
        let targets = answer["targets"]?.array ?? []
        let strangers = targets.filter { $0["registered"]?.bool == false }
        var text = strangers.map { "\(target($0)) was not registered.\n" }.joined()
        let count = targets.count - strangers.count
        if count > 0 { text += done("Deregistered \(counted(count, "target")) from \(group); draining", answer) }
        return text
    }

    /// Whether the draining of some target cut exchanges, or left connections that stopping the target now would cut.
    static func tellsOfCuts(_ answer: Value) -> Bool {
        (answer["targets"]?.array ?? []).contains { $0["cut"]?.int ?? 0 > 0 || $0["left"]?.int ?? 0 > 0 }
    }

    /// How the draining of targets ended.
    static func drained(_ answer: Value, _ coloured: Bool) -> String {
        var table = TextTable(("target", .left), ("finished", .right), ("cut", .right), ("took", .right), ("", .left))
        var cutCount = 0
        var leftCount = 0
        for report in answer["targets"]?.array ?? [] {
            let cut = report["cut"]?.int ?? 0
            let left = report["left"]?.int ?? 0
            cutCount += cut
            leftCount += left
            table.add(
                TextTable.Cell(target(report)), cell(report["finished"]),
                TextTable.Cell("\(cut)", cut > 0 ? .bad : nil),
                TextTable.Cell("\(text(report["seconds"])) s"),
                left == 0 ? "" : TextTable.Cell("\(counted(left, "connection")) still open", .bad))
        }
        let end =
            leftCount > 0
            ? "The time is over: to stop now cuts \(counted(leftCount, "connection"))."
            : cutCount == 0
                ? "Drained: safe to stop."
                : "Drained: \(counted(cutCount, "exchange")) \(cutCount == 1 ? "was" : "were") cut."
        return table.text(coloured: coloured, otherwise: "There are no targets.") + end + "\n"
    }

    private static let tones: [String: TextTable.Tone] = [
        "healthy": .good, "unavailable": .good, "initial": .pending, "draining": .pending, "unhealthy": .bad,
        "unused": .faint,
    ]
}
