import Foundation

/// A scripted target for datagrams, with a `StreamTarget` on the same port for health checks and for TCP_UDP.
///
/// Shape:  one thread. Any thread may read the record.
final class DatagramTarget: Sendable {
    /// The datagrams with which one is answered.
    typealias Script = @Sendable ([UInt8]) -> [[UInt8]]

    /// Who takes its connections.
    let stream: StreamTarget
    private let end: DatagramEnd
    private let record = Locked<[DatagramEnd.Arrival]>([])

    /// Starts to listen. Without a script it gives back what it gets.
    init(host: String = Socket.loopback, script: @escaping Script = { [$0] }) throws {
        var opened: (StreamTarget, DatagramEnd)?
        for _ in 0..<20 where opened == nil {
            // Another process may use the port for UDP only.
            let stream = try StreamTarget(host: host)
            opened = (try? DatagramEnd(host: host, port: stream.port)).map { (stream, $0) }
        }
        guard let opened else { throw SocketError(call: "find a free port", code: EADDRINUSE) }
        (stream, end) = opened
        let thread = Thread { [end, record] in
            while !end.isShut {
                guard let arrival = end.receive(within: 600) else { continue }
                record.withLock { $0.append(arrival) }
                for answer in script(arrival.bytes) { try? end.answer(answer, to: arrival) }
            }
            end.close()
        }
        thread.stackSize = 1 << 19
        thread.start()
    }

    deinit { stop() }

    /// Answers with its name alone.
    static func naming(_ name: String) throws -> DatagramTarget { try DatagramTarget { _ in [Array(name.utf8)] } }

    /// How it is registered.
    var address: Document.Address { stream.address }
    /// Datagrams that came so far.
    var arrivals: [DatagramEnd.Arrival] { record.value }

    /// Closes the UDP socket, so that senders get ICMP port unreachable. TCP connections are still accepted.
    func stopDatagrams() {
        end.shutDown()
        _ = eventually { end.isClosed }
        // A program that another test starts at this moment has the socket until it runs: nothing is refused meanwhile.
        _ = eventually { (try? DatagramEnd(host: end.host, port: end.port)) != nil }
    }

    /// Takes nothing any more.
    func stop() {
        end.shutDown()
        stream.stop()
    }
}
