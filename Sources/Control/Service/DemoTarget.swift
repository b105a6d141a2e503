import Core
import HTTP1

/// A small target to try things with: it answers every request with its name and port.
///
/// Shape:  an HTTP/1.1 server on a loop of its own: keep-alive, pipelining, any method, any body, which is read and
///         dropped. For the demo and for tests.
public final class DemoTarget: PollHandler {
    /// Where it listens.
    let address: SocketAddress
    /// What it answers.
    fileprivate let answer: [UInt8]
    fileprivate let loop: ControlLoop
    private let listener: Socket
    private var token = Token.none
    /// Whether it takes no new connections, and none for longer than until its next answer.
    private(set) var isStopping = false
    private var connections: [ObjectIdentifier: DemoTargetConnection] = [:]

    /// Listens on `address`, whose port may be 0 for any. Errors: the port is taken.
    init(name: String, address: SocketAddress, loop: ControlLoop) throws(SystemError) {
        listener = try Socket.listen(on: address, sharesPort: false)
        self.address = listener.localAddress ?? address
        self.loop = loop
        answer = Array("\(name) \(self.address.port)\n".utf8)
        token = loop.add(self, descriptor: listener.descriptor, interest: .readable)
    }

    /// How many clients there are.
    var connectionCount: Int { connections.count }

    /// Stops listening. Each connection is closed with its next answer.
    func stop() {
        guard !isStopping else { return }
        isStopping = true
        loop.remove(token)
        listener.close()
    }

    /// Stops listening and closes all connections.
    func close() {
        stop()
        for connection in connections.values { connection.close() }
    }

    func ready(_ ready: Poller.Ready, now: Instant) {
        while case .accepted(let socket, _) = listener.accept() {
            let connection = DemoTargetConnection(socket: socket, server: self)
            connections[ObjectIdentifier(connection)] = connection
            connection.begin()
        }
    }

    func timerFired(now: Instant) {}

    fileprivate func forget(_ connection: DemoTargetConnection) { connections[ObjectIdentifier(connection)] = nil }
}

/// One connection to a demo target.
private final class DemoTargetConnection: PollHandler {
    private let socket: Socket
    private unowned let server: DemoTarget
    private var token = Token.none
    private let inbound = Buffer(capacity: Core.Limits.largeBufferBytes)
    private let outbound = Buffer(capacity: Core.Limits.smallBufferBytes)
    private let head = Head()
    private var reader = MessageReader(.requests)
    private var isPersistent = true
    private var isClosed = false

    init(socket: Socket, server: DemoTarget) {
        self.socket = socket
        self.server = server
    }

    func begin() { token = server.loop.add(self, descriptor: socket.descriptor, interest: .edges) }

    func close() {
        guard !isClosed else { return }
        isClosed = true
        server.loop.remove(token)
        socket.close()
        server.forget(self)
    }

    func timerFired(now: Instant) {}

    func ready(_ ready: Poller.Ready, now: Instant) {
        while !isClosed {
            // Backpressure: nothing is read while a response waits to be written.
            guard flush() else { return }
            guard !step() else { continue }
            inbound.compact()
            switch socket.read(into: inbound) {
            case .bytes: continue
            case .wouldBlock: return
            case .endOfStream, .failed: return close()
            }
        }
    }

    /// Writes what waits. Returns whether everything was taken.
    private func flush() -> Bool {
        while !outbound.isEmpty {
            switch socket.write(outbound) {
            case .bytes: continue
            case .wouldBlock: return false
            case .failed:
                close()
                return false
            }
        }
        if !isPersistent && !reader.isInMessage { close() }
        return !isClosed
    }

    /// Takes one step through what was read. Returns false when only more bytes lead on.
    private func step() -> Bool {
        switch reader.next(inbound, head) {
        case .needMore: return false
        case .head(let parsed):
            isPersistent = parsed.isPersistent
            if parsed.expectsContinue { outbound.append("HTTP/1.1 100 Continue\r\n\r\n") }
        case .data(let count): inbound.consume(count)
        case .end: respond()
        case .refused: close()
        }
        return true
    }

    private func respond() {
        if server.isStopping { isPersistent = false }
        let response = Head()
        let isHEAD = head.isHEAD
        response.status = 200
        response.reason = response.append("OK")
        let name = response.append("Content-Type")
        response.addField(name: name, value: response.append("text/plain"), id: .contentType)
        let connection: ConnectionOption = !isPersistent ? .close : head.minorVersion == 0 ? .keepAlive : .none
        writeResponseHead(
            response, framing: .length(UInt64(server.answer.count)), connection: connection, into: outbound)
        if !isHEAD {
            let answer = server.answer
            outbound.append(answer.span)
        }
    }
}

extension DemoTarget {
    /// Serves until the process is told to stop, or its parent `parent` is gone. Called on the main thread, before any
    /// other exists. Errors: the port is taken, in a sentence.
    public static func serve(name: String, address: String, port: UInt16, parent: Int32?) throws(StartError) {
        if let parent, !ChildProcess.endWithParent(parent) { return }
        guard let address = SocketAddress(literal: address, port: port) else {
            throw .refused(message: "\(address) is no address.", remedy: "Write it as in 127.0.0.1.")
        }
        // The first process of a container gets only signals that it takes.
        let signals = Signals()
        signals.blockTermination()
        let loop = ControlLoop()
        do throws(SystemError) {
            let target = try DemoTarget(name: name, address: address, loop: loop)
            var isOver = false
            var token = Token.none
            let ending = CallingHandler(
                ready: { now in
                    while let signal = signals.next() {
                        guard case .terminate = signal, !target.isStopping else { continue }
                        target.stop()
                        loop.schedule(token, at: now + Limits.demoTargetLinger)
                    }
                }, timerFired: { _ in isOver = true })
            token = loop.add(ending, descriptor: signals.descriptor, interest: .readable)
            // The parent process waits for this line before it sends requests.
            _ = Terminal.write("\(name) listens on \(target.address)\n", to: .standardOutput)
            loop.run { isOver || target.isStopping && target.connectionCount == 0 }
            target.close()
        } catch {
            throw .refused(message: "The demo target cannot listen: \(error).", remedy: "Choose another --port.")
        }
    }
}
