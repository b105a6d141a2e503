import Core

/// Told what the other process of an upgrade says.
protocol UpgradeConnectionObserver: AnyObject {
    /// A message has come, with descriptors that belong to the observer from now on. Nil is no message of an Apus.
    func received(_ message: UpgradeMessage?, _ descriptors: [Int32], by connection: UpgradeConnection)
    /// The other process has closed its end, or has ended.
    func ended(_ connection: UpgradeConnection)
}

/// The connection to the other process of an upgrade, on the control thread.
///
/// Shape: held by its owner and the loop until `close`. What the other side does not read yet waits here.
final class UpgradeConnection: PollHandler {
    private let socket: MessageSocket
    /// Told what comes. Set before the loop runs.
    weak var observer: (any UpgradeConnectionObserver)?
    private let loop: ControlLoop
    private var token = Token.none
    private var waiting: [Waiting] = []
    private var isClosed = false

    private struct Waiting {
        let bytes: [UInt8]
        let descriptors: [Int32]
        let closesDescriptors: Bool
    }

    /// Speaks over `socket`, which belongs to it from now on.
    init(_ socket: MessageSocket, loop: ControlLoop) {
        self.socket = socket
        self.loop = loop
        token = loop.add(self, descriptor: socket.descriptor)
    }

    /// Whether all that was to be sent is sent, or cannot be any more.
    var isFlushed: Bool { waiting.isEmpty || isClosed }

    /// Sends `message` with `descriptors`; with `closing` they are closed here once they are sent.
    func send(_ message: UpgradeMessage, _ descriptors: [Int32] = [], closing: Bool = false) {
        guard !isClosed else {
            if closing { for number in descriptors { FileDescriptor(descriptor: number).close() } }
            return
        }
        waiting.append(Waiting(bytes: message.bytes, descriptors: descriptors, closesDescriptors: closing))
        flush()
    }

    /// Ends the connection. May be called again.
    func close() {
        guard !isClosed else { return }
        isClosed = true
        drop()
        loop.remove(token)
        socket.close()
    }

    /// Ends the connection without closing it: its descriptor belongs to the caller.
    func release() -> Int32 {
        isClosed = true
        drop()
        loop.remove(token)
        return socket.descriptor
    }

    func timerFired(now: Instant) {}

    func ready(_ ready: Poller.Ready, now: Instant) {
        flush()
        while !isClosed {
            switch socket.receive() {
            case .message(let bytes, let descriptors):
                observer?.received(UpgradeMessage(bytes), descriptors, by: self)
            case .tooLong: observer?.received(nil, [], by: self)
            case .wouldBlock: return
            case .ended:
                observer?.ended(self)
                return close()
            }
        }
    }

    private func flush() {
        var sentCount = 0
        while !isClosed, sentCount < waiting.count {
            let next = waiting[sentCount]
            switch socket.send(next.bytes, descriptors: next.descriptors) {
            case .sent:
                sentCount += 1
                if next.closesDescriptors {
                    for number in next.descriptors { FileDescriptor(descriptor: number).close() }
                }
            case .wouldBlock:
                waiting.removeFirst(sentCount)
                return
            case .failed:
                // That the other side is gone is told by what is read.
                waiting.removeFirst(sentCount)
                return drop()
            }
        }
        if !isClosed { waiting.removeFirst(sentCount) }
    }

    /// Forgets what waits, with the descriptors that only it has.
    private func drop() {
        for message in waiting where message.closesDescriptors {
            for number in message.descriptors { FileDescriptor(descriptor: number).close() }
        }
        waiting = []
    }
}
