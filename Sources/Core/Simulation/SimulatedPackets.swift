#if DEBUG
    /// What is on its way, by the time of its arrival; of two that arrive together the one that was sent first.
    struct SimulatedPackets {
        /// What is on its way.
        enum Content {
            /// A client wants to connect; or it may; or nobody listens.
            case connect, accepted, refused
            /// The next so many bytes of what the other side has to send.
            case bytes(Int)
            case end, reset
            /// So many bytes were received.
            case acknowledgement(Int)
            /// There is room again.
            case window
        }

        /// One of them, and when it arrives.
        struct Packet {
            let stream: SimulatedStream
            let content: Content
            var at = Instant(nanoseconds: 0)
            var order = 0
        }

        private var heap: [Packet] = []
        private var count = 0

        var first: Packet? { heap.first }

        mutating func insert(_ packet: Packet, at time: Instant) {
            var packet = packet
            packet.at = time
            packet.order = count
            count += 1
            heap.append(packet)
            var index = heap.count - 1
            while index > 0, isBefore(index, (index - 1) / 2) {
                heap.swapAt(index, (index - 1) / 2)
                index = (index - 1) / 2
            }
        }

        mutating func removeFirst() {
            heap.swapAt(0, heap.count - 1)
            heap.removeLast()
            var index = 0
            while true {
                var least = index
                for child in [2 * index + 1, 2 * index + 2] where child < heap.count && isBefore(child, least) {
                    least = child
                }
                if least == index { return }
                heap.swapAt(index, least)
                index = least
            }
        }

        private func isBefore(_ left: Int, _ right: Int) -> Bool {
            let left = heap[left], right = heap[right]
            return left.at == right.at ? left.order < right.order : left.at < right.at
        }
    }
#endif
