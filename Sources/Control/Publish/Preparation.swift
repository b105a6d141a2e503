import Core
import Model

/// What a document needs from this host before it can be put in force: listening sockets, the address of the metrics,
/// certificates, the users and groups that have roles, and client IP preservation.
///
/// Everything here can fail, and is tried before a document is committed to disk. What was prepared for a refused
/// document is abandoned; what was prepared for a committed one is taken over by `Publication`.
///
/// Shape: one object of the control thread.
final class Preparation {
    /// The sockets of listeners.
    let sockets: ListenerSockets
    /// The TCP address of the metrics.
    let metrics: MetricsListener
    /// Who may do what over the admin sockets.
    let access = AdminAccess()
    /// The certificates that were read.
    let certificates: CertificateStore
    /// Whether client IP preservation works on this host, for the user that this process runs as.
    var clientIPPreservation = ClientIPPreservation()
    private let store: DocumentStore

    /// Nothing is prepared.
    init(_ store: DocumentStore, sockets: ListenerSockets, metrics: MetricsListener, certificates: CertificateStore) {
        self.store = store
        self.sockets = sockets
        self.metrics = metrics
        self.certificates = certificates
    }

    /// Opens the sockets of all listeners, before workers exist. Errors: the addresses that cannot be bound.
    func openListeners() throws(ConfigErrors) {
        try sockets.prepare(for: store.committedDocument, store.places)
        try metrics.prepare(for: store.committedDocument, beside: sockets, store.places)
    }

    /// Reads the document's certificates, as the user that will read them again, and watches their folders. Blocks on
    /// the disk.
    func readCertificates(watching folders: FolderWatch?) throws(ConfigErrors) {
        let document = store.committedDocument
        let files = FileContents(reading: certificates.files(for: document, onlyNew: false), watching: folders)
        certificates.prepare(try certificates.read(for: document, onlyNew: false, from: files, store.places))
    }

    /// Checks whether client IP preservation works where the document asks for it.
    func checkClientIPPreservation() throws(ConfigErrors) {
        try clientIPPreservation.check(store.committedDocument, store.places)
    }

    /// Prepares what is staged by a reload, whose certificates `files` hold, and whose roles `accounts` has looked up.
    /// Errors: all mistakes at once.
    func prepareReload(_ files: FileContents, _ accounts: AdminAccounts) throws(ConfigErrors) {
        let (document, places) = (store.effective, store.places)
        let read = certificates.tryReading(for: document, from: files, places)
        let mistakes = read.mistakes + accounts.mistakes + self.mistakes(of: document, places)
        guard mistakes.isEmpty else { throw ConfigErrors(mistakes) }
        // Listeners and metrics may take over each other's former address.
        try sockets.prepare(for: document, places, beside: metrics.localAddress)
        try metrics.prepare(for: document, beside: sockets, places)
        certificates.prepare(read.content)
        // Roles that stay until the next start are in force already.
        if accounts.roles == document.admin.roles { access.prepare(accounts.grants) }
    }

    /// The mistakes for which this process could not put `document` in force, certificates aside.
    func mistakes(of document: Document, _ places: DocumentPlaces) -> [ConfigError] {
        var mistakes = sockets.mistakes(for: document, places, beside: metrics.localAddress)
        mistakes += metrics.mistakes(for: document, beside: sockets, places)
        do throws(ConfigErrors) { try clientIPPreservation.check(document, places) } catch { mistakes += error.all }
        return mistakes
    }

    /// Why connections to a target of `group`, which preserves client addresses, would hang; nil if they would not.
    func mistake(of target: TargetDescription, in group: TargetGroup, instances: [Instance]) -> ConfigError? {
        var (without, with) = (group, group)
        (without.targets, with.targets) = ([], [target])
        do throws(ConfigErrors) {
            try clientIPPreservation.check(
                Document(instances: instances, targetGroups: [with]), since: Document(targetGroups: [without]))
            return nil
        } catch { return error.first }
    }

    /// Closes and forgets what was prepared and not put in force.
    func abandon() {
        sockets.abandonPrepared()
        metrics.abandonPrepared()
        certificates.abandonPrepared()
        access.abandonPrepared()
    }
}
