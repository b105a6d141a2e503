import Core

/// One end of a connection that a script plays: a client's, or a target's.
class Connection {
    unowned let world: World
    let name: String
    /// Nil once it is closed.
    private(set) var socket: Socket?
    private var token = Token.none
    private var isConnected: Bool
    private var mayRead = false
    /// Reads nothing while it is set.
    var isPaused = false
    var input = ByteQueue()
    var output = ByteQueue()
    /// The other side has ended its direction, or both.
    private(set) var isEnded = false
    private(set) var isBroken = false
    private(set) var isShut = false
    /// Ends its direction once all is written.
    var endsWhenWritten = false

    init(_ world: World, _ name: String, _ socket: Socket, isConnected: Bool) {
        self.world = world
        self.name = name
        self.socket = socket
        self.isConnected = isConnected
        token = world.watch(self, socket)
    }

    var isOpen: Bool { socket != nil }
    /// Whether a FIN now would pass for a good end of something that is not at its end.
    var endsOnlyByReset: Bool { false }

    // MARK: What a script adds

    /// The connection is there.
    func connected() {}
    /// Something has come, or the end of it.
    func process() {}
    /// What is to be done whenever there is room.
    func produce() {}
    /// The connection is gone.
    func gone() {}

    // MARK: Doing

    func ready(_ ready: Poller.Ready) {
        guard let socket else { return }
        if !isConnected {
            if ready.isDead {
                _ = socket.takeError()
                isBroken = true
                return close()
            }
            guard ready.isWritable else { return }
            isConnected = true
            connected()
        }
        if ready.isReadable { mayRead = true }
        proceed()
    }

    /// Reads and writes as far as it goes.
    func proceed() {
        guard isConnected, isOpen else { return }
        flush()
        fill()
        if isOpen { process() }
        flush()
    }

    /// After `time`, if the connection is still there.
    func after(_ time: Nanoseconds, _ action: @escaping () -> Void) {
        world.after(time) { [self] in
            guard isOpen else { return }
            action()
            proceed()
        }
    }

    /// Reads nothing for a while.
    func pause(_ time: Nanoseconds) {
        guard !isPaused else { return }
        isPaused = true
        after(time) { [self] in isPaused = false }
    }

    private func fill() {
        guard let socket, mayRead, !isPaused, !isEnded else { return }
        let scratch = world.scratch
        while true {
            scratch.removeAll()
            switch socket.read(into: scratch) {
            case .bytes: input.append(scratch.array)
            case .wouldBlock:
                mayRead = false
                return
            case .endOfStream:
                isEnded = true
                return
            case .failed:
                isEnded = true
                isBroken = true
                return
            }
        }
    }

    private func flush() {
        produce()
        while let socket, !output.isEmpty {
            let scratch = world.scratch
            scratch.removeAll()
            scratch.append(Array(output.waiting.prefix(scratch.capacity)).span)
            let offered = scratch.count
            switch socket.write(scratch) {
            case .bytes(let count):
                output.consume(count)
                if count < offered { return }
                produce()
            case .wouldBlock: return
            case .failed:
                isBroken = true
                output.removeAll()
                return
            }
        }
        guard endsWhenWritten, !isShut, let socket else { return }
        isShut = true
        socket.shutdownWrite()
    }

    /// Closes the connection once our direction has ended, or the other side broke it.
    func closeWhenShut() {
        if isShut || isBroken { close() } else { after(5_000_000) { [self] in closeWhenShut() } }
    }

    func close(reset: Bool = false) {
        guard let socket else { return }
        self.socket = nil
        world.forget(token)
        if reset { socket.closeWithReset() } else { socket.close() }
        gone()
    }
}

extension Buffer {
    var array: [UInt8] {
        let bytes = bytes
        return unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
    }
}
