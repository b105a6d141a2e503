import Core
import Logging
import Model

/// The TCP address of `admin.metrics`: opened and closed as the document says.
///
/// A reload opens the new address before anything else is put in force, so that one which cannot be had refuses it.
///
/// Shape: one object of the control thread; what it has open is closed by `close`.
final class MetricsListener {
    private let loop: ControlLoop
    private let logger: Logger
    /// What answers its clients. Set once everything is built.
    weak var services: (any AdminServices)?
    private var address: TCPAddress?
    private var server: AdminServer?
    private var prepared: (address: TCPAddress, socket: Socket)?
    private var closedBefore: UInt64 = 0
    /// A listening socket that another process had, to be used if it has the address that is wanted.
    var received: Socket?

    /// Nothing is open.
    init(loop: ControlLoop, logger: Logger) {
        self.loop = loop
        self.logger = logger
    }

    /// Where it listens; nil when it does not.
    var localAddress: SocketAddress? { if case .metrics(let address)? = server?.endpoint { address } else { nil } }

    /// The descriptor of the listening socket; nil when it does not listen.
    var descriptor: Int32? { server?.descriptor }

    /// Clients that were closed to make room for others, or because they took too long.
    var clientsClosed: UInt64 { closedBefore + (server?.clientsClosed ?? 0) }

    /// Opens the address of `document` if it is another one than before. One that `listeners` have, or that is in part
    /// the one of before, is shared until those close it.
    ///
    /// Errors: `ConfigErrors` when it cannot be had.
    func prepare(
        for document: Document, beside listeners: ListenerSockets, _ places: DocumentPlaces = DocumentPlaces()
    ) throws(ConfigErrors) {
        abandonPrepared()
        guard let wanted = document.admin.metrics, wanted != address else { return }
        if let received = received.take() {
            if received.localAddress == SocketAddress(wanted) { return prepared = (wanted, received) }
            received.close()
        }
        let isOurs = isOurs(wanted, listeners)
        do throws(SystemError) {
            try Self.tryBinding(wanted, isOurs: isOurs)
            // Listeners may get the port while this closes, so it has to be one that can be shared.
            let socket = try Socket.listen(
                on: SocketAddress(wanted), sharesPort: true, backlog: Limits.metricsBacklog)
            prepared = (wanted, socket)
        } catch {
            throw ConfigErrors(Self.mistake(wanted, error, isOurs: isOurs, places))
        }
    }

    /// The mistakes with which `prepare` would refuse `document` now. Nothing stays open.
    func mistakes(for document: Document, beside listeners: ListenerSockets, _ places: DocumentPlaces) -> [ConfigError]
    {
        guard let wanted = document.admin.metrics, wanted != address else { return [] }
        return Self.mistakes(of: wanted, isOurs: isOurs(wanted, listeners), places)
    }

    /// The same of `wanted`, which is another address than before; with `isOurs` this process has it in part. With
    /// `mayBeInUse` an address in use is no error.
    static func mistakes(
        of wanted: TCPAddress, isOurs: Bool = false, _ places: DocumentPlaces, mayBeInUse: Bool = false
    ) -> [ConfigError] {
        do throws(SystemError) {
            try tryBinding(wanted, isOurs: isOurs)
            return []
        } catch {
            return mayBeInUse && error.code == SystemError.addressInUse
                ? [] : [mistake(wanted, error, isOurs: isOurs, places)]
        }
    }

    private func isOurs(_ wanted: TCPAddress, _ listeners: ListenerSockets) -> Bool {
        let bound = SocketAddress(wanted)
        return localAddress?.overlaps(bound) == true || listeners.takesConnections(at: bound)
    }

    /// Another program that shares its port would get a part of our clients, so it is first had alone, unless it is
    /// ours already: there, a socket that listened for a moment would take clients of those that have it.
    private static func tryBinding(_ wanted: TCPAddress, isOurs: Bool) throws(SystemError) {
        if isOurs {
            try Socket.bind(to: SocketAddress(wanted), sharesPort: true).close()
        } else {
            try Socket.listen(on: SocketAddress(wanted), sharesPort: false).close()
        }
    }

    private static func mistake(
        _ wanted: TCPAddress, _ error: SystemError, isOurs: Bool, _ places: DocumentPlaces
    ) -> ConfigError {
        let place = places.setting("admin", "metrics")
        return ConfigError(
            file: place.file, location: place.location, path: place.path,
            expected: "\(wanted) must be free to listen on", found: "that the system refuses it (\(error))",
            remedy: error.listeningRemedy(isOurs: isOurs), code: .invalidConfigurationRequest)
    }

    /// Serves what was prepared for `document`, and nothing that it does not name.
    func commit(_ document: Document) {
        received.take()?.close()
        guard document.admin.metrics != address else { return abandonPrepared() }
        stopServing()
        address = document.admin.metrics
        guard let (wanted, socket) = prepared, let services else { return }
        prepared = nil
        precondition(wanted == address, "metrics: what was prepared is not what is put in force")
        server = AdminServer(metrics: socket, loop: loop, services: services, logger: logger)
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
        logger.notice("metrics are no longer served", metadata: ["address": "\(server.endpoint.name)"])
    }
}

extension SocketAddress {
    /// Where `address` is.
    fileprivate init(_ address: TCPAddress) {
        guard let made = SocketAddress(literal: address.host.description, port: UInt16(address.port)) else {
            preconditionFailure("metrics: \(address) is no address")
        }
        self = made
    }
}
