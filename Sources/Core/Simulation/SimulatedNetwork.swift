#if DEBUG
    import CLinux
    import Glibc

    /// TCP, epoll, eventfd and the clock in memory: what a kernel would answer, decided by a seed.
    ///
    /// During `run`, all system calls of this thread about sockets, pollers and the time are answered here
    /// (SystemCalls). Nothing waits: the driver of the simulation lets time pass with `advance`, and each call takes a
    /// little of it, in which packets arrive as they would between two calls of a real program.
    /// Shape:  one thread's. Descriptors begin where no kernel's do. Packets are in a heap by the time they arrive.
    /// Limits: none; a simulation ends with its test.
    /// Source: tcp(7), epoll(7), socket(7), tcp_poll in Linux (net/ipv4/tcp.c).
    @safe public final class SimulatedNetwork {
        /// The properties of connections: bounds within which the seed draws them for each.
        public struct Conditions {
            /// The time of a packet, one way.
            public var latencyMax = Nanoseconds(200_000)
            /// What a packet may take beyond its connection's latency.
            public var jitterMax = Nanoseconds(50_000)
            /// Bytes of a packet.
            public var segmentBytesMax = 1460
            /// Bytes of a socket's buffer, one way; at least 1 KiB.
            public var bufferBytesMax = 65_536
            /// The time of a call.
            public var callTimeMax = Nanoseconds(2_000)
            /// One in so many waits returns only some of what is ready; 0: none.
            public var partialWaits = 0

            public init() {}
        }

        static let firstDescriptor: Int32 = 1 << 30

        /// In force for connections that begin from now on.
        public var conditions = Conditions()
        /// Who makes the calls from now on, for `descriptorCount` and the trace: any number.
        public var party = 0
        /// Called with what happens, and which side does it.
        public var trace: ((Int, String) -> Void)?
        /// The simulation's clock.
        public private(set) var now = Instant(nanoseconds: 1_000_000_000)
        var random: FastRandom
        private var descriptors: [SimulatedDescriptor?] = []
        private var packets = SimulatedPackets()
        /// Hosts from and to which nothing gets through, and the packets that are sent again when something does.
        private var silentHosts: [SocketAddress] = []
        private var held: [SimulatedPackets.Packet] = []
        private var streams: [SimulatedStream] = []
        var pollers: [SimulatedPoller] = []
        private var nextPort: UInt16 = 20_000

        private init(seed: UInt64) { random = FastRandom(seed: seed) }

        // MARK: Which simulation

        /// Runs `body` with a network of its own, on this thread. Nothing that was opened in it may outlive it.
        public static func run(seed: UInt64, _ body: (SimulatedNetwork) -> Void) {
            precondition(current == nil, "simulation: one in another")
            let network = SimulatedNetwork(seed: seed)
            _ = unsafe pthread_setspecific(threadKey, Unmanaged.passUnretained(network).toOpaque())
            defer {
                _ = pthread_setspecific(threadKey, nil)
                for stream in network.streams {
                    stream.other = nil
                    stream.descriptor = nil
                }
            }
            body(network)
        }

        /// This thread's.
        static var current: SimulatedNetwork? {
            guard let pointer = unsafe pthread_getspecific(threadKey) else { return nil }
            return unsafe Unmanaged<SimulatedNetwork>.fromOpaque(pointer).takeUnretainedValue()
        }

        /// Whose the descriptor is; nil for one of the kernel's.
        static func owner(of descriptor: Int32) -> SimulatedNetwork? {
            guard descriptor >= firstDescriptor else { return nil }
            guard let current else { preconditionFailure("simulation: a descriptor that has outlived it") }
            return current
        }

        // MARK: Time

        /// When the next packet arrives; nil if none is on its way.
        public var nextArrival: Instant? { packets.first?.at }

        /// Lets packets arrive until `time`, which then is now.
        public func advance(to time: Instant) {
            while let first = packets.first, first.at <= time {
                packets.removeFirst()
                now = max(now, first.at)
                arrive(first)
            }
            now = max(now, time)
        }

        /// A call was made, which takes a moment.
        func elapse() { advance(to: now + random.next() % (conditions.callTimeMax + 1)) }

        // MARK: Hosts

        /// Opens a listening socket; several may share an address.
        public func listen(on address: SocketAddress) -> Socket {
            let listener = SimulatedDescriptor(.listener(address), party: party)
            return Socket(descriptor: insert(listener))
        }

        /// Lets nothing through from or to a host any more: its packets are lost, and so are those to it.
        public func silence(_ host: SocketAddress) { silentHosts.append(host) }

        /// Lets packets through again. Those that were lost meanwhile are sent again, except by sockets that were
        /// reset.
        public func restore(_ host: SocketAddress) {
            silentHosts.removeAll { $0 == host }
            let lost = held
            held = []
            for packet in lost {
                if let sender = packet.stream.other, sender.isReset { sender.loseOutgoing() }
                packets.insert(packet, at: max(now, packet.at))
            }
        }

        /// Descriptors that a party has open.
        public func descriptorCount(of party: Int) -> Int {
            descriptors.reduce(0) { $0 + ($1?.party == party ? 1 : 0) }
        }

        /// Whether a wait of one of the party's pollers would return something.
        public func isReady(_ party: Int) -> Bool {
            pollers.contains { $0.party == party && $0.isReady }
        }

        /// Whether one of the stream's hosts is.
        func isSilent(_ stream: SimulatedStream) -> Bool {
            silentHosts.contains { $0 == stream.localAddress || $0 == stream.remoteAddress }
        }

        // MARK: Descriptors

        func insert(_ descriptor: SimulatedDescriptor) -> Int32 {
            // As a kernel does: the lowest that is free, so that numbers soon name something else.
            let free = descriptors.firstIndex { $0 == nil }
            if let free { descriptors[free] = descriptor } else { descriptors.append(descriptor) }
            descriptor.number = Self.firstDescriptor + Int32(free ?? descriptors.count - 1)
            return descriptor.number
        }

        subscript(number: Int32) -> SimulatedDescriptor {
            guard let descriptor = descriptors[Int(number - Self.firstDescriptor)] else {
                preconditionFailure("simulation: descriptor \(number) is not open")
            }
            return descriptor
        }

        func stream(_ number: Int32) -> SimulatedStream {
            guard case .stream(let stream) = self[number].kind else {
                preconditionFailure("simulation: descriptor \(number) is no stream")
            }
            return stream
        }

        func remove(_ number: Int32) { descriptors[Int(number - Self.firstDescriptor)] = nil }

        func adopt(_ stream: SimulatedStream) -> SimulatedDescriptor {
            streams.append(stream)
            let descriptor = SimulatedDescriptor(.stream(stream), party: party)
            stream.descriptor = descriptor
            return descriptor
        }

        /// The listening sockets at an address.
        func listeners(at address: SocketAddress) -> [SimulatedDescriptor] {
            descriptors.compactMap { descriptor in
                guard let descriptor, case .listener(address) = descriptor.kind else { return nil }
                return descriptor
            }
        }

        /// An address of this party's that nobody has used.
        func unusedAddress() -> SocketAddress {
            nextPort += 1
            guard let address = SocketAddress(literal: "10.1.0.\(party + 1)", port: nextPort) else {
                preconditionFailure("simulation: a bad address")
            }
            return address
        }

        // MARK: Packets

        func post(_ content: SimulatedPackets.Content, to stream: SimulatedStream, isOrdered: Bool = true) {
            var at = now + stream.latency + random.next() % (conditions.jitterMax + 1)
            if isOrdered {
                at = max(at, stream.lastArrival)
                stream.lastArrival = at
            }
            packets.insert(SimulatedPackets.Packet(stream: stream, content: content), at: at)
        }

        private func arrive(_ packet: SimulatedPackets.Packet) {
            let stream = packet.stream
            if isSilent(stream) { return held.append(packet) }
            if stream.receive(packet.content, self) { say(stream.descriptor.party, "\(stream) \(packet.content)") }
        }

        func say(_ party: Int, _ text: @autoclosure () -> String) {
            if let trace { trace(party, text()) }
        }
    }

    private let threadKey: pthread_key_t = {
        var key = pthread_key_t()
        let status = unsafe pthread_key_create(&key, nil)
        precondition(status == 0, "pthread_key_create")
        return key
    }()
#endif
