import Core
import Logging
import Model

extension Turns {
    /// A reload that was asked for.
    struct ReloadRequest {
        /// Whether what was changed at run time is put aside.
        let discardsChanges: Bool
        /// What must be in force for it to be done; nil for anything.
        let condition: GenerationCondition?
        /// Told the outcome.
        let completion: (Result<ReloadReport, ConfigErrors>) -> Void
    }
}

// The file, read again: by the files' thread, in turn with the changes.
extension Operations {
    /// Reads the file again and puts it in force, with what was changed at run time on top of it unless that is
    /// discarded. A bad file, a port that cannot be had or a disk that refuses changes nothing.
    /// With `condition` it is done only if that holds when its turn has come.
    func reload(
        discardingChanges: Bool, if condition: GenerationCondition? = nil,
        completion: @escaping (Result<ReloadReport, ConfigErrors>) -> Void
    ) {
        let request = Turns.ReloadRequest(
            discardsChanges: discardingChanges, condition: condition, completion: completion)
        if isStopping { return loop.afterBatch { [self] in refuse(request, Self.stopping) } }
        take(.reload(request))
    }

    /// Reads the file; then the files that it names; then makes durable what they say.
    func begin(_ request: Turns.ReloadRequest) {
        if let mistake = request.condition?.mistake(inForce: generation) { return refuse(request, mistake) }
        turns.isAtDisk = true
        let file = store.file
        fileDisk.run(within: Limits.filePatience, { Document.tryReading(file) }) { [self] result in
            attempt(request) { () throws(ConfigErrors) in
                guard let result else { throw Self.filesAreLate }
                let (base, places) = try result.get()
                let needsRestart = store.stageReload(base, places, discardingChanges: request.discardsChanges)
                let paths = certificates.files(for: store.effective, onlyNew: false)
                read(paths) { [self] files in
                    attempt(request) { () throws(ConfigErrors) in
                        guard let files else { throw Self.filesAreLate }
                        try prepareReload(files)
                        commit(request, needsRestart)
                    }
                }
            }
        }
    }

    /// Goes on with a reload; what is thrown refuses it.
    private func attempt(_ request: Turns.ReloadRequest, _ step: () throws(ConfigErrors) -> Void) {
        do throws(ConfigErrors) {
            if isStopping { throw Self.stopping }
            try step()
        } catch {
            turns.isAtDisk = false
            abandonStaged()
            refuse(request, error)
            goOn()
        }
    }

    private func prepareReload(_ files: FileContents) throws(ConfigErrors) {
        let (document, places) = (store.effective, store.places)
        let read = certificates.tryReading(for: document, from: files, places)
        let mistakes = read.mistakes + mistakesOfReload(document, places)
        guard mistakes.isEmpty else { throw ConfigErrors(mistakes) }
        // Either may get what the other one leaves.
        try sockets.prepare(for: document, places, beside: metricsDoor.localAddress)
        try metricsDoor.prepare(for: document, beside: sockets, places)
        certificates.prepare(read.content)
    }

    /// What stands against putting `document` in force in this process, certificates aside.
    private func mistakesOfReload(_ document: Document, _ places: DocumentPlaces) -> [ConfigError] {
        var mistakes = sockets.mistakes(for: document, places, beside: metricsDoor.localAddress)
        mistakes += metricsDoor.mistakes(for: document, beside: sockets, places)
        do throws(ConfigErrors) { try clientIPPreservation.check(document, places) } catch { mistakes += error.all }
        return mistakes
    }

    private func commit(_ request: Turns.ReloadRequest, _ needsRestart: [String]) {
        guard let write = store.writeOfStaged() else { return finish(request, needsRestart, putAside: nil) }
        stateDisk.run({ write.perform() }) { [self] result in
            switch result {
            case .success(let putAside)?: finish(request, needsRestart, putAside: putAside)
            case .failure(let error)?: attempt(request) { () throws(ConfigErrors) in throw diskRefuses(error) }
            case nil: preconditionFailure("state: a write without an outcome")
            }
        }
    }

    private func diskRefuses(_ error: SystemError) -> ConfigErrors {
        ConfigErrors(
            ConfigError(
                file: store.state.path, expected: "the state must be written", found: "\(error)",
                remedy: "Make room on the disk that holds runtime.stateDirectory, then try again."))
    }

    func refuse(_ request: Turns.ReloadRequest, _ error: ConfigErrors) {
        counts.reloadsRefused += 1
        logger.error("the configuration was not reloaded: the running one stays", metadata: ["error": "\(error)"])
        request.completion(.failure(error))
    }

    private func finish(_ request: Turns.ReloadRequest, _ needsRestart: [String], putAside: String?) {
        turns.isAtDisk = false
        counts.reloads += 1
        let before = document
        store.commitStaged()
        let changes = before.differences(to: document)
        let hasNewCertificates = certificates.commit()
        if isStopping {
            sockets.abandonPrepared()
            metricsDoor.abandonPrepared()
        } else if document != before || hasNewCertificates {
            publish(deregistered: [:])
            metricsDoor.commit(document, self)
        }
        warnOfCertificates()
        warnOfDocument()
        ticketKeys.setInterval(Nanoseconds(seconds: document.runtime.ticketKeyRotationSeconds))
        let report = ReloadReport(
            generation: generation, changes: changes, changesNotApplied: store.notApplied,
            overrides: store.overrides, needsRestart: needsRestart,
            putAside: putAside)
        events.post(.configurationReloaded(generation: generation, changes: changes))
        tell(report)
        request.completion(.success(report))
        goOn()
    }

    /// Says what the document says that was perhaps not meant so.
    func warnOfDocument() {
        for warning in document.warnings() {
            logger.warning("\(warning.message)", metadata: ["remedy": "\(warning.remedy)"])
        }
    }

    private func tell(_ report: ReloadReport) {
        logger.notice(
            "the configuration was reloaded",
            metadata: [
                "file": "\(store.file)", "generation": "\(report.generation)", "changes": "\(report.changes.count)",
            ])
        if let putAside = report.putAside {
            logger.notice("the changes made at run time are put aside", metadata: ["file": "\(putAside)"])
        }
        for sentence in report.changesNotApplied {
            logger.warning(
                "a change made at run time does not fit the file and is kept aside",
                metadata: [
                    "reason": "\(sentence)"
                ])
        }
        for override in report.overrides.filter(\.isEdited).prefix(Limits.overridesToldMax) {
            logger.warning(
                "what was edited in the file is hidden by a change made at run time",
                metadata: [
                    "object": "\(override.object)", "inForce": "\(override.change)", "since": "\(override.since)",
                    "remedy":
                        "Make the same change at run time, or put all of them aside: apus reload --discard-changes.",
                ])
        }
        for key in report.needsRestart {
            logger.warning("a setting takes effect at the next start only", metadata: ["key": "\(key)"])
        }
    }
}

// What a reload would say, asked without doing it.
extension Operations {
    /// Finds out what a reload of a file called `file` would say that holds `content`, and whose relative paths begin
    /// in `folder`; nothing is changed.
    func check(
        _ content: [UInt8], file: String, folder: String?, completion: @escaping (ReloadCheck) -> Void
    ) {
        fileDisk.run(within: Limits.filePatience, { Document.tryParsing(content, file: file) }) { [self] result in
            let (base, places): (Document, DocumentPlaces)
            do throws(ConfigErrors) {
                guard let result else { throw Self.filesAreLate }
                (base, places) = try result.get()
            } catch { return completion(ReloadCheck(mistakes: error.all)) }
            let (document, notApplied, overrides, needsRestart) = store.asReloaded(base)
            let start = (folder ?? CertificateStore.folder(of: store.file)) + "/"
            // A store of its own, so that certificates can be looked at on the files' thread.
            fileDisk.run(within: Limits.filePatience, { CertificateStore.findings(document, places, start) }) {
                [self] certificates in
                guard let certificates else { return completion(ReloadCheck(mistakes: Self.filesAreLate.all)) }
                var check = ReloadCheck(mistakes: certificates.mistakes + mistakesOfReload(document, places))
                check.summary = document.summary
                check.warnings = certificates.warnings + document.warnings().map { Warning($0, places) }
                check.changesNotApplied = notApplied
                check.overridden = overrides.map(\.value)
                check.needsRestart = needsRestart
                completion(check)
            }
        }
    }
}

extension Document {
    /// Reads a configuration, as a value that another thread can hand over.
    fileprivate static func tryParsing(
        _ content: [UInt8], file: String
    ) -> Result<(Document, DocumentPlaces), ConfigErrors> {
        do throws(ConfigErrors) { return .success(try parse(content, file: file)) } catch { return .failure(error) }
    }

    /// Reads the file at `path`, as a value that another thread can hand over.
    fileprivate static func tryReading(_ path: String) -> Result<(Document, DocumentPlaces), ConfigErrors> {
        do throws(ConfigErrors) { return .success(try readWithPlaces(path)) } catch { return .failure(error) }
    }
}
