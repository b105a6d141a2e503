import Core
import Model

/// What a document needs from this host before it can be put in force: listening sockets, the address of the metrics,
/// certificates, and client IP preservation.
///
/// Everything here can fail, and is tried before a document becomes durable. What was prepared for a document that is
/// refused is abandoned; `Publication` takes over the rest.
///
/// Shape: one object of the control thread.
final class Preparation {
    /// What listeners bind.
    let sockets: ListenerSockets
    /// The TCP address of the metrics.
    let metrics: MetricsListener
    /// What the files of certificates hold.
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

    /// Reads the document's certificates, as the user that will read them again, and has their folders watched.
    /// Waits for the disk.
    func readCertificates(watching folders: FolderWatch?) throws(ConfigErrors) {
        let document = store.committedDocument
        let files = FileContents(reading: certificates.files(for: document, onlyNew: false), watching: folders)
        certificates.prepare(try certificates.read(for: document, onlyNew: false, from: files, store.places))
    }

    /// Sees whether client IP preservation works where the document asks for it.
    func checkClientIPPreservation() throws(ConfigErrors) {
        try clientIPPreservation.check(store.committedDocument, store.places)
    }

    /// Prepares what is staged by a reload, whose certificates `files` hold. Errors: all mistakes at once.
    func prepareReload(_ files: FileContents) throws(ConfigErrors) {
        let (document, places) = (store.effective, store.places)
        let read = certificates.tryReading(for: document, from: files, places)
        let mistakes = read.mistakes + self.mistakes(of: document, places)
        guard mistakes.isEmpty else { throw ConfigErrors(mistakes) }
        // Either may get what the other one leaves.
        try sockets.prepare(for: document, places, beside: metrics.localAddress)
        try metrics.prepare(for: document, beside: sockets, places)
        certificates.prepare(read.content)
    }

    /// What stands against putting `document` in force in this process, certificates aside.
    func mistakes(of document: Document, _ places: DocumentPlaces) -> [ConfigError] {
        var mistakes = sockets.mistakes(for: document, places, beside: metrics.localAddress)
        mistakes += metrics.mistakes(for: document, beside: sockets, places)
        do throws(ConfigErrors) { try clientIPPreservation.check(document, places) } catch { mistakes += error.all }
        return mistakes
    }

    /// Closes and forgets what was prepared and not put in force.
    func abandon() {
        sockets.abandonPrepared()
        metrics.abandonPrepared()
        certificates.abandonPrepared()
    }
}
