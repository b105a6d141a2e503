#if DEBUG
    import CLinux
    import Glibc

    /// What a descriptor stands for, and who watches it.
    final class SimulatedDescriptor {
        /// What it stands for.
        enum Kind {
            case stream(SimulatedStream)
            case listener(SocketAddress)
            case event
            case poller(SimulatedPoller)
        }

        let kind: Kind
        let party: Int
        var number: Int32 = -1
        /// Connections that wait at a listener.
        var waiting: [SimulatedStream] = []
        /// Whether an event descriptor was rung.
        var isRung = false
        var poller: SimulatedPoller?
        var token: UInt64 = 0
        var interest: UInt32 = 0
        /// Whether it is among those that its poller has to look at.
        var isQueued = false

        init(_ kind: Kind, party: Int) {
            self.kind = kind
            self.party = party
        }

        /// What is ready now, of what is watched.
        var readyMask: UInt32 {
            let mask: UInt32 =
                switch kind {
                case .stream(let stream): stream.mask
                case .listener: waiting.isEmpty ? 0 : EPOLLIN.rawValue
                case .event: isRung ? EPOLLIN.rawValue : 0
                case .poller: 0
                }
            return mask & (interest | EPOLLERR.rawValue | EPOLLHUP.rawValue)
        }

        /// Something has changed.
        func wake() {
            guard let poller, !isQueued else { return }
            isQueued = true
            poller.queue.append(self)
        }
    }

    /// An epoll instance: those whose state has changed, or of which it has to be told as long as they are ready.
    final class SimulatedPoller {
        let party: Int
        var queue: [SimulatedDescriptor] = []

        init(party: Int) { self.party = party }

        var isReady: Bool { queue.contains { $0.readyMask != 0 } }
    }

    extension SimulatedNetwork {
        func makePoller() -> Int32 {
            let poller = SimulatedPoller(party: party)
            pollers.append(poller)
            return insert(SimulatedDescriptor(.poller(poller), party: party))
        }

        func makeEventDescriptor() -> Int32 { insert(SimulatedDescriptor(.event, party: party)) }

        func ring(_ number: Int32) {
            self[number].isRung = true
            self[number].wake()
        }

        func silence(_ number: Int32) { self[number].isRung = false }

        func watch(_ poller: Int32, _ number: Int32, _ interest: UInt32, _ token: UInt64) {
            guard case .poller(let poller) = self[poller].kind else { preconditionFailure("simulation: no poller") }
            let descriptor = self[number]
            precondition(descriptor.poller == nil, "simulation: watched twice")
            descriptor.poller = poller
            descriptor.interest = interest
            descriptor.token = token
            if descriptor.readyMask != 0 { descriptor.wake() }
        }

        func unwatch(_ number: Int32) { unwatch(self[number]) }

        func unwatch(_ descriptor: SimulatedDescriptor) {
            guard let poller = descriptor.poller else { return }
            poller.queue.removeAll { $0 === descriptor }
            descriptor.poller = nil
            descriptor.isQueued = false
        }

        /// What a wait returns: in any order, and not always all.
        func takeReady(_ number: Int32, most: Int) -> [(token: UInt64, mask: UInt32)] {
            elapse()
            guard case .poller(let poller) = self[number].kind else { preconditionFailure("simulation: no poller") }
            var queue = poller.queue
            queue.shuffle(using: &random)
            var limit = most
            if conditions.partialWaits > 0, queue.count > 1, random.next(below: conditions.partialWaits) == 0 {
                limit = min(most, 1 + random.next(below: queue.count))
            }
            var ready: [(token: UInt64, mask: UInt32)] = []
            poller.queue = []
            for descriptor in queue {
                let mask = descriptor.readyMask
                if mask != 0, ready.count < limit {
                    ready.append((descriptor.token, mask))
                    // Once per change, or as long as it is so.
                    if descriptor.interest & EPOLLET.rawValue != 0 {
                        descriptor.isQueued = false
                        continue
                    }
                }
                if mask == 0 { descriptor.isQueued = false } else { poller.queue.append(descriptor) }
            }
            return ready
        }
    }
#endif
