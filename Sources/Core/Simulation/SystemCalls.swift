#if DEBUG
    import CLinux
    import Glibc

    // In debug builds these functions stand before the system calls of the same names, in all of Core: what concerns a
    // descriptor of a simulation is answered by its `SimulatedNetwork`, everything else by the kernel. A release build
    // has none of this.

    func socket(_ domain: Int32, _ type: Int32, _ protocol: Int32) -> Int32 {
        guard domain == AF_INET || domain == AF_INET6, type & 0xF == Int32(SOCK_STREAM.rawValue),
            let network = SimulatedNetwork.current
        else { return Glibc.socket(domain, type, `protocol`) }
        return network.makeStream()
    }

    func apus_bind(_ descriptor: Int32, _ address: UnsafePointer<sockaddr_storage>, _ length: socklen_t) -> Int32 {
        guard let network = SimulatedNetwork.owner(of: descriptor) else {
            return unsafe CLinux.apus_bind(descriptor, address, length)
        }
        return network.bind(descriptor, unsafe SocketAddress(address.pointee))
    }

    func apus_connect(_ descriptor: Int32, _ address: UnsafePointer<sockaddr_storage>, _ length: socklen_t) -> Int32 {
        guard let network = SimulatedNetwork.owner(of: descriptor) else {
            return unsafe CLinux.apus_connect(descriptor, address, length)
        }
        return network.connect(descriptor, unsafe SocketAddress(address.pointee))
    }

    func apus_accept4(
        _ descriptor: Int32, _ address: UnsafeMutablePointer<sockaddr_storage>,
        _ length: UnsafeMutablePointer<socklen_t>, _ flags: Int32
    ) -> Int32 {
        guard let network = SimulatedNetwork.owner(of: descriptor) else {
            return unsafe CLinux.apus_accept4(descriptor, address, length, flags)
        }
        guard let (accepted, client) = network.accept(descriptor) else { return -1 }
        unsafe client.withSystemAddress { storage, _ in unsafe address.pointee = storage.pointee }
        return accepted
    }

    func apus_getsockname(
        _ descriptor: Int32, _ address: UnsafeMutablePointer<sockaddr_storage>,
        _ length: UnsafeMutablePointer<socklen_t>
    ) -> Int32 {
        guard let network = SimulatedNetwork.owner(of: descriptor) else {
            return unsafe CLinux.apus_getsockname(descriptor, address, length)
        }
        unsafe network.localAddress(descriptor).withSystemAddress { storage, _ in
            unsafe address.pointee = storage.pointee
        }
        return 0
    }

    func apus_unacknowledged(_ descriptor: Int32, _ count: UnsafeMutablePointer<Int32>) -> Int32 {
        guard let network = SimulatedNetwork.owner(of: descriptor) else {
            return unsafe CLinux.apus_unacknowledged(descriptor, count)
        }
        unsafe count.pointee = Int32(network.unacknowledgedCount(descriptor))
        return 0
    }

    func recv(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int, _ flags: Int32) -> Int {
        guard let network = SimulatedNetwork.owner(of: descriptor) else {
            return unsafe Glibc.recv(descriptor, bytes, count, flags)
        }
        let room = unsafe UnsafeMutableRawBufferPointer(start: bytes, count: count)
        return unsafe network.receive(descriptor, into: room, peeks: flags & Int32(MSG_PEEK) != 0)
    }

    func send(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int, _ flags: Int32) -> Int {
        guard let network = SimulatedNetwork.owner(of: descriptor) else {
            return unsafe Glibc.send(descriptor, bytes, count, flags)
        }
        return unsafe network.send(descriptor, [UnsafeRawBufferPointer(start: bytes, count: count)])
    }

    func sendmsg(_ descriptor: Int32, _ message: UnsafePointer<msghdr>, _ flags: Int32) -> Int {
        guard let network = SimulatedNetwork.owner(of: descriptor) else {
            return unsafe Glibc.sendmsg(descriptor, message, flags)
        }
        let pieces = unsafe UnsafeBufferPointer(start: message.pointee.msg_iov, count: message.pointee.msg_iovlen)
        return unsafe network.send(
            descriptor, pieces.map { unsafe UnsafeRawBufferPointer(start: $0.iov_base, count: $0.iov_len) })
    }

    func shutdown(_ descriptor: Int32, _ direction: Int32) -> Int32 {
        guard let network = SimulatedNetwork.owner(of: descriptor) else {
            return Glibc.shutdown(descriptor, direction)
        }
        network.shutdownWrite(descriptor)
        return 0
    }

    func close(_ descriptor: Int32) -> Int32 {
        guard let network = SimulatedNetwork.owner(of: descriptor) else { return Glibc.close(descriptor) }
        network.close(descriptor)
        return 0
    }

    func setsockopt(
        _ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: UnsafeRawPointer, _ length: socklen_t
    ) -> Int32 {
        guard let network = SimulatedNetwork.owner(of: descriptor) else {
            return unsafe Glibc.setsockopt(descriptor, level, option, value, length)
        }
        // Of those that Core sets, only this one is seen from outside, and it is always set to no lingering at all.
        if level == SOL_SOCKET, option == SO_LINGER { network.resetAtClose(descriptor) }
        return 0
    }

    func getsockopt(
        _ descriptor: Int32, _ level: Int32, _ option: Int32, _ value: UnsafeMutableRawPointer,
        _ length: UnsafeMutablePointer<socklen_t>
    ) -> Int32 {
        guard let network = SimulatedNetwork.owner(of: descriptor) else {
            return unsafe Glibc.getsockopt(descriptor, level, option, value, length)
        }
        if level == SOL_SOCKET, option == SO_ERROR {
            unsafe value.storeBytes(of: network.takeError(descriptor), as: Int32.self)
            return 0
        }
        precondition(level == Int32(IPPROTO_TCP) && option == TCP_INFO, "simulation: this option has no answer")
        var info = tcp_info()
        (info.tcpi_unacked, info.tcpi_probes, info.tcpi_last_ack_recv) = network.acknowledgementInfo(descriptor)
        unsafe value.storeBytes(of: info, as: tcp_info.self)
        return 0
    }

    func eventfd(_ count: UInt32, _ flags: Int32) -> Int32 {
        guard let network = SimulatedNetwork.current else { return CLinux.eventfd(count, flags) }
        return network.makeEventDescriptor()
    }

    func read(_ descriptor: Int32, _ bytes: UnsafeMutableRawPointer?, _ count: Int) -> Int {
        guard let network = SimulatedNetwork.owner(of: descriptor) else {
            return unsafe Glibc.read(descriptor, bytes, count)
        }
        network.silence(descriptor)
        return count
    }

    func write(_ descriptor: Int32, _ bytes: UnsafeRawPointer?, _ count: Int) -> Int {
        guard let network = SimulatedNetwork.owner(of: descriptor) else {
            return unsafe Glibc.write(descriptor, bytes, count)
        }
        network.ring(descriptor)
        return count
    }

    func epoll_create1(_ flags: Int32) -> Int32 {
        SimulatedNetwork.current?.makePoller() ?? CLinux.epoll_create1(flags)
    }

    func apus_epoll_ctl(
        _ epoll: Int32, _ operation: Int32, _ descriptor: Int32, _ events: UInt32, _ token: UInt64
    ) -> Int32 {
        guard let network = SimulatedNetwork.owner(of: epoll) else {
            return CLinux.apus_epoll_ctl(epoll, operation, descriptor, events, token)
        }
        if operation == EPOLL_CTL_DEL {
            network.unwatch(descriptor)
        } else {
            network.watch(epoll, descriptor, events, token)
        }
        return 0
    }

    /// Does not wait: the driver of the simulation lets the time pass.
    func epoll_wait(
        _ epoll: Int32, _ events: UnsafeMutablePointer<epoll_event>, _ count: Int32, _ timeout: Int32
    ) -> Int32 {
        guard let network = SimulatedNetwork.owner(of: epoll) else {
            return unsafe CLinux.epoll_wait(epoll, events, count, timeout)
        }
        let ready = network.takeReady(epoll, most: Int(count))
        for (index, event) in ready.enumerated() {
            unsafe apus_epoll_set_token(events + index, event.token)
            unsafe events[index].events = event.mask
        }
        return Int32(ready.count)
    }

    func clock_gettime(_ clock: clockid_t, _ time: UnsafeMutablePointer<timespec>) -> Int32 {
        guard let network = SimulatedNetwork.current else { return unsafe Glibc.clock_gettime(clock, time) }
        // The day on which the simulation begins is always the same.
        let nanoseconds = network.now.nanoseconds + (clock == CLOCK_REALTIME ? 1_750_000_000_000_000_000 : 0)
        unsafe time.pointee = timespec(
            tv_sec: Int(nanoseconds / 1_000_000_000), tv_nsec: Int(nanoseconds % 1_000_000_000))
        return 0
    }
#endif
