import Core
import Model

extension Control {
    /// What `run` and `reload` would say of `file`, all at once; `-` is the standard input. With `fileOnly` this host
    /// is left aside, as where a file is checked that is for another one.
    ///
    /// Where the Apus of the file answers, at the file's admin socket or at `socket`, it is asked what a reload would
    /// say, and only what a start would do otherwise is looked at here. A process of root's becomes the file's
    /// `runtime.user` for good, since that user has to read certificates and open logs: call it once, before the
    /// process ends.
    public static func check(file: String, socket: String, fileOnly: Bool = false) -> CheckReport {
        let path = file == "-" ? "/dev/stdin" : file
        var report = CheckReport(file: path)
        do throws(ConfigErrors) {
            let content = try Document.content(of: path, acceptsPipe: true)
            let (document, places) = try Document.parse(content, file: path)
            report.summary = document.summary
            if fileOnly {
                report.warnings = document.warnings().map { Warning($0, places) }
                report.notes = [
                    "This host was left aside: ports, addresses, users, folders and certificates were not looked at."
                ]
                return report
            }
            switch RunningApus.find(for: document, file: path, elsewhere: socket) {
            case .none: report.checkStart(document, places)
            case .unknown(let reason, let remedy):
                report.checkStart(document, places, mayBeInUse: true)
                report.notes.append(
                    "\(reason) So what is in use may be its own, and what a reload would say is not known. \(remedy)")
            case .answering(let running): report.ask(running, document, places, content)
            }
        } catch {
            report.mistakes = error.all
        }
        return report
    }

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
        // Whoever has the state has the ports as well.
        let host = HostCheck(document: document, places: places, mayBeInUse: mayBeInUse || state.isInUse)
        mistakes += host.mistakesOfStarter()
        notes += host.notes
        becomeUser(of: document)
        mistakes += host.mistakesOfUser()
        let certificates = CertificateStore.findings(document, places, file)
        mistakes += certificates.mistakes
        do throws(ConfigErrors) { try ClientIPPreservation().check(document, places) } catch { mistakes += error.all }
        warnings += certificates.warnings + document.warnings().map { Warning($0, places) }
    }

    /// Adds what a reload of the Apus that runs would say, and what a start would say of what a reload leaves alone.
    fileprivate mutating func ask(
        _ running: RunningApus.Server, _ document: Document, _ places: DocumentPlaces, _ content: [UInt8]
    ) {
        do throws(AdminClientError) {
            let answer = try running.check(content, file: file, folder: CertificateStore.folder(of: file))
            warnings += answer.warnings
            add(changesNotApplied: answer.changesNotApplied)
            overridden = answer.overridden
            notes.append("The apus at \(running.path) (process \(running.process)) was asked what a reload would say.")
            if !answer.needsRestart.isEmpty {
                notes.append("It takes effect at the next start only: \(answer.needsRestart.joined(separator: ", ")).")
            }
        } catch {
            switch error {
            case .refused(let refusal) where !refusal.details.isEmpty: mistakes += refusal.details
            default: notes.append("The apus at \(running.path) did not say what a reload would: \(error)")
            }
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
