import Core
import Logging
import Model

/// The document: what the file says, what discovery has found, what was changed at run time on top of it, and all of
/// them together.
///
/// A change is staged first. A thread that may wait for the disk then writes it (`writeOfStaged`), and `commitStaged`
/// puts it in force; `rollBack` forgets what was staged.
///
/// Shape: one object of the control thread; documents are values that share what did not change.
final class DocumentStore {
    private struct Content {
        var base: Document
        var changes: Changes
        var discovered = Discovered()
        var effective: Document
        var notApplied: [String]
        /// What discovery has found and groups do not take.
        var refusals: [Discovered.Refusal] = []
        /// What containers have by their labels.
        var claimed = ClaimedObjects()
        var places: DocumentPlaces
        /// The file that this one replaced, from its reload to the next change.
        var replaced: Document?
        /// The objects that a reload has found edited while a change at run time hid them, with when that was made.
        var edited: [String: Int?] = [:]

        /// Makes the whole of its parts.
        mutating func layer() { take(changes.apply(to: base, discovered)) }

        mutating func take(_ layers: Layers) {
            (effective, notApplied, refusals) = (layers.document, layers.notApplicable, layers.refusals)
            claimed = layers.claimed
            discovered.grant(claimed)
        }

        /// Forgets changes of what only discovery had and has no more, with what it had `before` and which targets are
        /// others. Of the groups of `partial` it may have more than is known.
        mutating func forgetGone(
            since before: ClaimedObjects, renewed: [String: Set<TargetKey>], partial: Set<String>
        ) {
            let old = changes
            var whole = discovered
            for name in partial { whole.groups[name] = nil }
            changes.forgetDeregistered(over: claimed.adding(to: base), whole, renewed: renewed)
            let names = claimed.containers
            for name in before.containers.keys where names[name] == nil { changes.forgetTargets(of: name) }
            if changes != old { layer() }
        }

        /// Forgets what was found for groups that have no discovery any more: another source of a group that has the
        /// name later must not bring it back.
        mutating func forgetUnfollowed() {
            guard !discovered.groups.isEmpty else { return }
            let followed = Set(effective.targetGroups.lazy.filter { $0.discovery != nil }.map(\.name))
            for name in discovered.groups.keys where !followed.contains(name) { discovered.groups[name] = nil }
        }

        /// Whether discovery finds targets of the group `name`.
        func isFound(_ name: String) -> Bool {
            claimed.containers[name] != nil
                || effective.targetGroups.first { $0.name == name }?.discovery != nil
        }

        /// `overrides` with those marked that were found edited before and are hidden by the same change; first what
        /// was edited.
        func marking(_ overrides: [Override]) -> [Override] {
            let all = overrides.map { override in
                var override = override
                if let hiddenAt = edited[override.object], hiddenAt == override.changedAt { override.isEdited = true }
                return override
            }
            return all.filter(\.isEdited) + all.filter { !$0.isEdited }
        }
    }

    /// The configuration file.
    let file: String
    /// Where changes are kept.
    let state: StateFile
    private var staged: Content
    /// Whether the staged reload discards changes, which are then kept aside.
    private var isDiscarding = false
    private var committed: Content
    /// How often the state was written.
    private(set) var writesCount: UInt64 = 0

    /// What the file and the changes together say, with all that is staged.
    var effective: Document { staged.effective }
    /// As `effective`, without what is staged.
    var committedDocument: Document { committed.effective }
    /// Changes that do not fit the file, in sentences. They are kept, and tried again when the file is read again.
    var notApplied: [String] { committed.notApplied }
    /// What discovery has found, as it is in force.
    var discovered: Discovered { committed.discovered }
    /// What of it groups do not take.
    var refusals: [Discovered.Refusal] { committed.refusals }
    /// What containers have by their labels, as it is in force.
    var claimed: ClaimedObjects { committed.claimed }

    /// The objects of the file that changes at run time override; those first whose file entry was edited since. Made
    /// when asked for, and kept until something changes.
    var overrides: [Override] {
        if let overridesMade { return overridesMade }
        let made = committed.marking(
            committed.changes.overrides(of: committed.base, by: committed.effective, since: committed.replaced))
        overridesMade = made
        return made
    }
    private var overridesMade: [Override]?

    /// Where the file that is staged has its listeners.
    var places: DocumentPlaces { staged.places }

    /// Reads the file and the changes. With `discardingChanges` they are put aside under another name instead, damaged
    /// or not, and `putAside` is told it. `lock` gives the lock of the state's folder if another process has handed it
    /// over, and `discovered` is what that one had found.
    ///
    /// Errors: `StartError` for a file that is not right, changes that cannot be read, or a folder that is in use.
    init(
        file: String, discardingChanges: Bool, discovered: Discovered = Discovered(),
        lock: (String) -> FileLock? = { _ in nil }, putAside: (String) -> Void
    ) throws(StartError) {
        self.file = file
        let (base, places): (Document, DocumentPlaces)
        do { (base, places) = try Document.readWithPlaces(file, acceptsPipe: true) } catch {
            throw .configuration(error)
        }
        var changes = Changes()
        do throws(StartError) {
            let folder = base.runtime.stateDirectory
            state = try StateFile(inFolder: folder, received: lock(folder))
            if discardingChanges {
                if let name = try state.setAside() { putAside(name) }
            } else if let saved = try state.load() {
                changes = saved
            }
        } catch {
            throw .configuration(ConfigErrors(error.mistakes(at: places.setting("runtime", "stateDirectory"))))
        }
        staged = Content(
            base: base, changes: changes, discovered: discovered, effective: base, notApplied: [], places: places)
        staged.layer()
        committed = staged
    }

    /// Stages a change: `next` is what `effective` becomes by it.
    func stage(_ change: Change, giving next: Document) {
        staged.effective = next
        staged.changes.record(
            change, over: staged.claimed.adding(to: staged.base), staged.discovered,
            at: Int(WallClock.now() / 1_000_000))
        staged.replaced = nil
        // What was found of a group that was put anew belongs to it as before, and comes after what was registered.
        // What containers have by their labels depends on what else there is.
        if let name = change.groupOfTargets, staged.isFound(name) { return staged.layer() }
        if !staged.discovered.claims.isEmpty, !change.isOfTargets { staged.layer() }
    }

    /// Refuses a change of what containers have by their labels.
    func check(_ change: Change) throws(ConfigErrors) { try staged.claimed.check(change) }

    /// What is to be staged instead of `change`, so that what was found is not kept as if it had been registered.
    func withoutDiscovered(_ change: Change) -> Change {
        staged.claimed.removingRules(
            from: staged.changes.withoutDiscovered(change, file: staged.base, staged.discovered))
    }

    /// Stages what discovery has found by now, which for the groups of `partial` may not be all that there is. Returns
    /// the targets that stay where they were and are others.
    func stage(_ discovered: Discovered, partial: Set<String> = []) -> [String: Set<TargetKey>] {
        let (before, claimed) = (staged.discovered, staged.claimed)
        staged.discovered = discovered
        staged.layer()
        let renewed = staged.discovered.renewed(since: before, in: staged.effective)
        staged.forgetGone(since: claimed, renewed: renewed, partial: partial)
        return renewed
    }

    /// Where the targets of a group that is in force come from; empty if there is no such group.
    func layers(ofGroup name: String) -> [TargetKey: TargetLayer] {
        guard let group = committed.effective.targetGroups.first(where: { $0.name == name }) else { return [:] }
        return committed.changes.layers(of: group, file: committed.base, committed.discovered)
    }

    /// Stages what the file says now. What cannot change while the process runs stays as it is, and is returned by its
    /// keys.
    func stageReload(_ base: Document, _ places: DocumentPlaces, discardingChanges: Bool) -> [String] {
        var base = base
        let differing = base.keepWhatNeedsRestart(of: committed.base)
        let changes = discardingChanges ? Changes() : staged.changes
        isDiscarding = discardingChanges && !committed.changes.isEmpty
        // Labels that nobody looks at any more are not known when somebody does again.
        let discovered = base.discovery?.docker == nil ? Discovered(staged.discovered.groups) : staged.discovered
        let layers = changes.apply(to: base, discovered)
        let overrides = committed.marking(changes.overrides(of: base, by: layers.document, since: committed.base))
        let edited = overrides.filter(\.isEdited).map { ($0.object, $0.changedAt) }
        staged = Content(
            base: base, changes: changes, discovered: discovered, effective: base, notApplied: [], places: places,
            replaced: committed.base, edited: Dictionary(edited) { first, _ in first })
        staged.take(layers)
        return differing
    }

    /// What a reload would stage, what it would then tell, and its keys that would differ; nothing is staged.
    func asReloaded(
        _ base: Document
    ) -> (effective: Document, notApplied: [String], overrides: [Override], needsRestart: [String]) {
        var base = base
        let differing = base.keepWhatNeedsRestart(of: committed.base)
        let layers = committed.changes.apply(to: base, committed.discovered)
        let overrides = committed.marking(
            committed.changes.overrides(of: base, by: layers.document, since: committed.base))
        return (layers.document, layers.notApplicable, overrides, differing)
    }

    /// What has to be written before what is staged is durable; nil if nothing has to.
    func writeOfStaged() -> StateWrite? {
        let changes = staged.changes != committed.changes ? staged.changes : nil
        let discarded = isDiscarding ? committed.changes : nil
        guard changes != nil || discarded != nil else { return nil }
        return StateWrite(state: state, changes: changes, discarded: discarded)
    }

    /// What is staged is durable: it is in force from now on.
    func commitStaged() {
        if staged.changes != committed.changes { writesCount += 1 }
        staged.forgetUnfollowed()
        committed = staged
        overridesMade = nil
        isDiscarding = false
    }

    /// Logs warnings about the current document.
    func logWarnings(_ logger: Logger) {
        for warning in committed.effective.warnings() {
            logger.warning("\(warning.message)", metadata: ["remedy": "\(warning.remedy)"])
        }
    }

    /// Forgets what was staged.
    func rollBack() {
        staged = committed
        isDiscarding = false
    }
}

extension Change {
    /// Whether nothing that containers have by their labels can depend on it.
    fileprivate var isOfTargets: Bool {
        switch self {
        case .registerTargets, .deregisterTargets, .putInstance, .deleteInstance: true
        default: false
        }
    }

    /// The group whose targets it may change; nil if it is none's.
    fileprivate var groupOfTargets: String? {
        switch self {
        case .putTargetGroup(let group): group.name
        case .registerTargets(let name, _), .deregisterTargets(let name, _): name
        default: nil
        }
    }
}

extension Document {
    /// Reads and validates the file at `path`: what `run`, `reload` and `check` do.
    static func read(_ path: String) throws(ConfigErrors) -> Document { try readWithPlaces(path).0 }

    /// The same, with where the file has its listeners. With `acceptsPipe` it may be a pipe that this process was
    /// handed, as in `apus check <(generate)`: that can be read once, so a reload cannot read it again.
    static func readWithPlaces(
        _ path: String, acceptsPipe: Bool = false
    ) throws(ConfigErrors) -> (Document, DocumentPlaces) {
        try parse(try content(of: path, acceptsPipe: acceptsPipe), file: path)
    }

    /// The bytes of the configuration at `path`, as `readWithPlaces` reads them.
    static func content(of path: String, acceptsPipe: Bool) throws(ConfigErrors) -> [UInt8] {
        do throws(SystemError) {
            return try readFile(path, pipeTimeout: acceptsPipe ? Limits.configurationPipeTimeout : nil)
        } catch {
            throw ConfigErrors(
                ConfigError(
                    file: path, expected: "the configuration must be a regular file that can be read",
                    found: error.reason,
                    remedy: "Check the path and its permissions. A pipe is read as /dev/stdin or /dev/fd/N, once, by "
                        + "\"apus check\" and at the start of \"apus run\"."))
        }
    }

    /// Validates the bytes of a configuration, named `file` in errors.
    static func parse(_ content: [UInt8], file: String) throws(ConfigErrors) -> (Document, DocumentPlaces) {
        let value = try Value.parse(yaml: content, file: file)
        return (try Document(value, file: file), DocumentPlaces(value, file: file))
    }

    /// Takes from `running` what the process has fixed at its start. Returns the keys that differed.
    fileprivate mutating func keepWhatNeedsRestart(of running: Document) -> [String] {
        var differing: [String] = []
        func keep<Value: Equatable>(
            _ key: String, _ path: WritableKeyPath<Document, Value>, _ document: inout Document
        ) {
            guard document[keyPath: path] != running[keyPath: path] else { return }
            document[keyPath: path] = running[keyPath: path]
            differing.append(key)
        }
        keep("admin.socket", \.admin.socket, &self)
        keep("admin.group", \.admin.group, &self)
        keep("admin.mode", \.admin.mode, &self)
        keep("admin.readOnlySocket", \.admin.readOnlySocket, &self)
        // The socket is open to everybody until the next start, so there must be roles as long.
        if admin.mode == .everybody, admin.roles == nil { keep("admin.roles", \.admin.roles, &self) }
        keep("runtime.workers", \.runtime.workers, &self)
        keep("runtime.stateDirectory", \.runtime.stateDirectory, &self)
        keep("runtime.user", \.runtime.user, &self)
        keep("runtime.memoryBytes", \.runtime.memoryBytes, &self)
        keep("runtime.connections", \.runtime.connections, &self)
        keep("logs.access.path", \.logs.access.destination, &self)
        keep("logs.connection.path", \.logs.connection.destination, &self)
        keep("logs.health.path", \.logs.health.destination, &self)
        return differing
    }
}
