import Core
import Model

/// What `run` and `reload` would say of a configuration file, all at once: what `apus check` prints.
///
/// The file is read first; then, unless the host is left out of the check, it is compared with what is on the host.
/// Where an Apus runs with the file, that one is asked what a reload would say, and only what is left to a start is
/// looked at here.
public struct ConfigurationCheck: Sendable {
    /// What was found so far.
    public private(set) var report: CheckReport
    /// The file's bytes; empty if it could not be read.
    public private(set) var content: [UInt8] = []
    /// What the file says; nil if it could not be read, so that there is nothing more to check.
    public private(set) var document: Document?
    private var places = DocumentPlaces()

    /// Reads `file`; `-` is the standard input.
    public init(file: String) {
        report = CheckReport(file: file == "-" ? "/dev/stdin" : file)
        do throws(ConfigErrors) {
            content = try Document.content(of: report.file, acceptsPipe: true)
            let (document, places) = try Document.parse(content, file: report.file)
            report.summary = document.summary
            report.notes = [document.noteOnWordsWithoutEffect].compactMap(\.self)
            report.warnings = document.warningsOfExpressions().map { Warning($0, places) }
            (self.document, self.places) = (document, places)
        } catch {
            report.mistakes = error.all
        }
    }

    /// Where the file's relative paths begin.
    public var folder: String { CertificateStore.folder(of: report.file) }

    /// Leaves this host aside, as for a file that is for another one.
    public mutating func leaveHostAside() {
        guard let document else { return }
        report.warnings += document.warnings().map { Warning($0, places) }
        report.notes.append(
            "This host was left aside: ports, addresses, users, folders and certificates were not looked at.")
    }

    /// Looks at this host, where `running` serves already.
    ///
    /// A process of root's becomes the file's `runtime.user` for good, since that user has to read certificates and
    /// open logs: call it once, before the process ends.
    public mutating func examineHost(running: RunningApus) {
        guard let document else { return }
        switch running {
        case .none: report.checkStart(document, places)
        case .unknown(let reason, let remedy):
            report.checkStart(document, places, mayBeInUse: true)
            report.notes.append(
                "\(reason) So what is in use may be its own, and what a reload would say is not known. \(remedy)")
        case .answering(let server): report.add(server, document, places)
        }
    }

    /// Why the file would be refused; nil for a good one.
    public var error: StartError? {
        report.mistakes.isEmpty ? nil : .configuration(ConfigErrors(report.mistakes))
    }
}

extension Control {
    /// The JSON Schema of configuration files.
    public static var schema: String { Schema.json() }
}

extension CheckReport {
    /// Adds what a start would say.
    fileprivate mutating func checkStart(_ base: Document, _ places: DocumentPlaces, mayBeInUse: Bool = false) {
        var document = base
        let state = checkState(base, places, mayBeInUse: mayBeInUse)
        if let changes = state.changes {
            let (effective, notApplied) = changes.apply(to: base)
            document = effective
            overridden = changes.overrides(of: base, by: effective).map(\.value)
            add(changesNotApplied: notApplied)
        }
        // The process that holds the state folder also holds the ports.
        let host = HostCheck(document: document, places: places, mayBeInUse: mayBeInUse || state.isInUse)
        mistakes += host.mistakesOfStarter() + AdminAccounts(lookingUp: document.admin, places).mistakes
        notes += host.notes
        becomeUser(of: document)
        mistakes += host.mistakesOfUser()
        let certificates = CertificateStore.findings(document, places, file, mayBePassedLater: true)
        mistakes += certificates.mistakes
        do throws(ConfigErrors) { try ClientIPPreservation().check(document, places) } catch { mistakes += error.all }
        warnings += certificates.warnings + document.warnings().map { Warning($0, places) }
    }

    /// Adds what a reload of the Apus that runs would say, and what a start would say of what a reload leaves alone.
    fileprivate mutating func add(
        _ running: RunningApus.Server, _ document: Document, _ places: DocumentPlaces
    ) {
        switch running.reload {
        case .success(let answer):
            warnings += answer.warnings
            add(changesNotApplied: answer.changesNotApplied)
            overridden = answer.overridden
            notes.append("The apus at \(running.path) (process \(running.process)) was asked what a reload would say.")
            if !answer.needsRestart.isEmpty {
                notes.append("It takes effect at the next start only: \(answer.needsRestart.joined(separator: ", ")).")
            }
        case .failure(let error) where !error.details.isEmpty: mistakes += error.details
        case .failure(let error):
            notes.append("The apus at \(running.path) did not say what a reload would: \(error)")
        }
        if running.document.runtime.stateDirectory != document.runtime.stateDirectory {
            checkState(document, places, mayBeInUse: false)
        }
        let host = HostCheck(document: document, places: places, running: running.document)
        mistakes += host.mistakesOfStarter()
        notes += host.notes
        becomeUser(of: document)
        mistakes += host.mistakesOfUser()
    }

    /// Adds what stands against keeping the state where `document` has it. Returns the changes that lie there, and
    /// whether another Apus has it.
    @discardableResult private mutating func checkState(
        _ document: Document, _ places: DocumentPlaces, mayBeInUse: Bool
    ) -> (changes: Changes?, isInUse: Bool) {
        let folder = document.runtime.stateDirectory
        do throws(StartError) {
            try StateFile.tryFolder(folder, mayBeInUse: mayBeInUse)
            return (try StateFile.saved(inFolder: folder), false)
        } catch {
            mistakes += error.mistakes(at: places.setting("runtime", "stateDirectory"))
            return (nil, error == StateFile.isInUse(folder))
        }
    }

    private mutating func add(changesNotApplied: [String]) {
        warnings += changesNotApplied.map {
            Warning(
                file: "", message: "A change made at run time does not fit the file and is kept aside: \($0)",
                remedy: "")
        }
    }

    /// Lays down root's rights as a start does. That there is no such user was found before.
    private mutating func becomeUser(of document: Document) {
        guard let name = document.runtime.user, SystemUser.isRoot, let user = SystemUser(named: name) else { return }
        do throws(SystemError) {
            try user.become(keepsNetAdmin: document.preservesClientIP)
        } catch {
            notes.append("This process cannot become user \(name) (\(error)), so it was root who looked.")
        }
    }
}
