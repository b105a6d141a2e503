import Core
import HTTP1
import HTTP2

@testable import Proxy

/// A client's HTTP/2 connection over loopback, without a worker, on which requests are read.
final class ServedConnection {
    let bench = SideBench()
    let connection: HTTP2ClientConnection
    let peer: FramePeer
    private(set) var streams: [ClientStream] = []
    private(set) var closed: [HTTP2Ending] = []

    init(windowBytes: Int = 64 * 1024) throws {
        (connection, peer) = try bench.http2Client(windowBytes: windowBytes)
    }

    /// Has the client ask, and the connection read it.
    func request(hasBody: Bool = false) -> (stream: ClientStream, slot: Int) {
        let request = SideBench.request("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n")
        let framing: Framing = hasBody ? .chunked : .none
        while peer.session.streamCapacity == 0 { turn() }
        guard let slot = peer.session.request(request, scheme: "http", framing: framing, isEnd: !hasBody) else {
            preconditionFailure("bench: no stream")
        }
        peer.send()
        let count = streams.count
        while streams.count == count { read() }
        return (streams[count], slot)
    }

    func read() {
        bench.read(connection) { event, input in
            switch connection.handleEvent(event, input, &bench.resources) {
            case .request(let stream, let head, let isEnd, _):
                stream.stream.isEndReceived = isEnd
                stream.decoder = BodyDecoder(isEnd ? .none : .untilClose)
                let exchange = Exchange()
                exchange.request = head
                exchange.begin(stream, now: bench.resources.now, timeOfDay: 0)
                stream.exchange = exchange
                streams.append(stream)
            case .closed(_, let ending): closed.append(ending)
            case .nothing, .faultyRequest, .announced: break
            }
        }
    }

    /// Writes what is due, lets the client read it, and reads what it says to that.
    func turn() {
        connection.transport.isWritable = true
        _ = connection.writeFrames(&bench.resources)
        if connection.isFull { connection.resumeBlocked(&bench.resources) }
        peer.read()
        peer.send()
        read()
    }

    /// Answers with a body that follows.
    func answer(_ stream: ClientStream) {
        guard let exchange = stream.exchange else { preconditionFailure("bench: answered already") }
        stream.sending = .chunked
        stream.writeHead(
            SideBench.response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"), exchange, hasBody: true,
            &bench.resources)
    }
}
