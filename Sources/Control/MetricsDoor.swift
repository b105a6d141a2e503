import Core
import Logging
import Model

/// The TCP address of `admin.metrics`: opened and closed as the document says.
///
/// A reload opens the new address before anything else is put in force, so that one which cannot be had refuses it.
///
/// Shape: one object of the control thread; what it has open is closed by `close`.
final class MetricsDoor {
    private let loop: ControlLoop
    private let logger: Logger
    private var address: TCPAddress?
    private var server: AdminServer?
    private var prepared: (address: TCPAddress, socket: Socket)?
    private var closedBefore: UInt64 = 0

    /// Nothing is open.
    init(loop: ControlLoop, logger: Logger) {
        self.loop = loop
        self.logger = logger
    }

    /// Where it listens; nil when it does not.
    var localAddress: SocketAddress? { if case .metrics(let address)? = server?.door { address } else { nil } }

    /// Clients that were closed to make room for others, or because they took too long.
    var clientsClosed: UInt64 { closedBefore + (server?.clientsClosed ?? 0) }

    /// Opens the address of `document` if it is another one than before.
    ///
    /// Errors: `ConfigErrors` when it cannot be had.
    func prepare(for document: Document, _ places: DocumentPlaces = DocumentPlaces()) throws(ConfigErrors) {
        abandonPrepared()
        guard let wanted = document.admin.metrics, wanted != address,
            let bound = SocketAddress(literal: wanted.host.description, port: UInt16(wanted.port))
        else { return }
        do throws(SystemError) {
            prepared = (wanted, try Socket.listen(on: bound, sharesPort: false, backlog: Limits.metricsBacklog))
        } catch {
            let place = places.setting("admin", "metrics")
            throw ConfigErrors(
                ConfigError(
                    file: place.file, location: place.location, path: place.path,
                    expected: "\(wanted) must be free to listen on", found: "that the system refuses it (\(error))",
                    remedy: error.listeningRemedy(), code: .invalidConfigurationRequest))
        }
    }

    /// Serves what was prepared for `document`, and nothing that it does not name.
    func commit(_ document: Document, _ actions: any AdminActions) {
        guard document.admin.metrics != address else { return abandonPrepared() }
        stopServing()
        address = document.admin.metrics
        guard let (wanted, socket) = prepared else { return }
        prepared = nil
        precondition(wanted == address, "metrics: what was prepared is not what is put in force")
        server = AdminServer(metrics: socket, loop: loop, actions: actions, logger: logger)
        logger.notice("metrics are served", metadata: ["address": "\(wanted)"])
    }

    /// Closes what was prepared and not committed.
    func abandonPrepared() {
        prepared?.socket.close()
        prepared = nil
    }

    /// Closes everything.
    func close() {
        abandonPrepared()
        stopServing()
        address = nil
    }

    private func stopServing() {
        guard let server else { return }
        server.close()
        closedBefore += server.clientsClosed
        self.server = nil
        logger.notice("metrics are no longer served", metadata: ["address": "\(server.door.name)"])
    }
}
