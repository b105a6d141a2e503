import CLinux
import Glibc

/// A fixed number of messages that one call receives from a socket and one call sends over another, without copying
/// them.
///
/// A message is a datagram, or several of the same sender and the same size that the kernel joined: all have
/// `segmentSize` bytes but the last, which may have fewer. A joined message (GRO) is sent joined as well (GSO), and the
/// kernel or the network card splits it again, so the boundaries between datagrams are kept.
///
/// Shape:  `capacity` slots of 64 KiB, allocated once; memory is used only as far as messages fill it. Messages stay
///         until the next `receive`, and may be forwarded more than once. Not thread-safe: its worker owns it.
/// Source: recvmmsg(2), sendmmsg(2), udp(7), cmsg(3); `UDP_GRO` and `UDP_SEGMENT` of linux/udp.h.
@safe public final class DatagramBatch {
    /// How many messages fit.
    public let capacity: Int
    /// How many messages the last `receive` returned.
    public private(set) var count = 0
    private var received: [Message]
    private let headers: UnsafeMutablePointer<apus_message>
    private let envelopes: UnsafeMutablePointer<apus_envelope>
    private let contents: UnsafeMutablePointer<UInt8>

    /// A received datagram, or several of one sender that the kernel joined.
    public struct Message: Sendable {
        /// Who sent it.
        public let source: SocketAddress
        /// Which of our addresses it was sent to; nil from a connected socket, which does not request it.
        public let destination: LocalAddress?
        /// Bytes of each datagram but the last, when there are several; 0 for a single one.
        public let segmentSize: Int
        fileprivate var unsent: Range<Int>

        /// Bytes in all. Of a message that is partly sent, the rest.
        public var byteCount: Int { unsent.count }
        /// How many datagrams this is. Of a message that is partly sent, the rest.
        public var datagramCount: Int { isSingle ? 1 : (unsent.count + segmentSize - 1) / segmentSize }
        fileprivate var isSingle: Bool { segmentSize == 0 || unsent.count <= segmentSize }
    }

    /// The result of a receive.
    public enum ReceiveResult: Equatable {
        /// This many messages; more than zero. Call again until it would block.
        case messages(Int)
        /// Nothing to receive now: wait for the poller.
        case wouldBlock
        /// The socket has an error (errno), which is reported once: on a connected socket, the ICMP error for a
        /// datagram sent earlier (ECONNREFUSED: no socket listens there). The socket stays usable.
        case failed(Int32)
    }

    /// The result of a send.
    public enum SendResult: Equatable {
        /// The first this many messages are sent; zero only if there were none. To learn why the next one was not, send
        /// it again.
        case messages(Int)
        /// The first message does not fit into the socket's queue now: wait for the poller, or drop it.
        case wouldBlock
        /// The first message is not sent (errno): either it cannot be, as with EMSGSIZE or no route, or the kernel
        /// reports, once, the ICMP error for a datagram sent earlier (ECONNREFUSED). Skip it, or try again.
        case failed(Int32)
    }

    /// Allocates the slots. Limits: 1024 messages, as more do not fit into one call (`UIO_MAXIOV`).
    public init(capacity: Int = Limits.datagramBatchMessages) {
        precondition(capacity > 0 && capacity <= 1024, "datagrams: \(capacity) messages in one call")
        self.capacity = capacity
        let nothing = Message(
            source: .unspecified, destination: nil, segmentSize: 0, unsent: 0..<0)
        received = Array(repeating: nothing, count: capacity)
        unsafe headers = .allocate(capacity: capacity)
        unsafe envelopes = .allocate(capacity: capacity)
        unsafe contents = .allocate(capacity: capacity * Limits.datagramMessageBytes)
        for index in 0..<capacity { expect(index) }
    }

    deinit {
        unsafe headers.deallocate()
        unsafe envelopes.deallocate()
        unsafe contents.deallocate()
    }

    /// The `index`-th message.
    public subscript(index: Int) -> Message {
        precondition(index >= 0 && index < count, "datagrams: no such message")
        return received[index]
    }

    /// The bytes of the `index`-th message. Of a message that is partly sent, the rest.
    @_lifetime(borrow self)
    public func bytes(_ index: Int) -> Span<UInt8> {
        let unsent = self[index].unsent
        let start = unsafe slot(index) + unsent.lowerBound
        let span = unsafe Span(_unsafeStart: start, count: unsent.count)
        return unsafe _overrideLifetime(span, borrowing: self)
    }

    /// The messages from the `index`-th on that share its source and destination, and can be sent in one call.
    public func run(from index: Int) -> Range<Int> {
        let first = self[index]
        var end = index + 1
        while end < count, received[end].source == first.source, received[end].destination == first.destination {
            end += 1
        }
        return index..<end
    }

    // MARK: Receiving

    /// Drops the messages and receives as many as wait and fit.
    public func receive(from socket: DatagramSocket) -> ReceiveResult {
        // The slots after `count` were neither filled nor sent since they were prepared.
        for index in 0..<count { expect(index) }
        count = 0
        while true {
            let arrived = unsafe apus_recvmmsg(socket.descriptor, headers, UInt32(capacity))
            if arrived > 0 {
                count = Int(arrived)
                for index in 0..<count { received[index] = message(index) }
                return .messages(count)
            }
            if errno == EAGAIN { return .wouldBlock }
            if errno != EINTR { return .failed(checked(errno)) }
        }
    }

    private func slot(_ index: Int) -> UnsafeMutablePointer<UInt8> {
        unsafe contents + index * Limits.datagramMessageBytes
    }

    private func expect(_ index: Int) {
        unsafe apus_expect(headers + index, envelopes + index, slot(index), Limits.datagramMessageBytes)
    }

    /// The `index`-th message as the kernel describes it.
    private func message(_ index: Int) -> Message {
        let header = unsafe headers + index
        var destination: LocalAddress?
        var segmentSize = 0
        var next = unsafe apus_first_control(header)
        while let control = unsafe next {
            switch unsafe (control.pointee.cmsg_level, control.pointee.cmsg_type) {
            case (Int32(IPPROTO_IP), IP_PKTINFO):
                // Not the header's destination, which may be a broadcast address, and no reply can be sent from one.
                let storage = unsafe apus_ipv4_storage(apus_ipv4_info(control).ipi_spec_dst)
                destination = SocketAddress(storage).map { LocalAddress($0) }
            case (Int32(IPPROTO_IPV6), IPV6_PKTINFO):
                let info = unsafe apus_ipv6_info(control)
                let interface = apus_is_link_local(info.address) ? info.interface : 0
                destination = SocketAddress(apus_ipv6_storage(info.address)).map {
                    LocalAddress($0, interfaceIndex: interface)
                }
            case (Int32(IPPROTO_UDP), UDP_GRO):
                segmentSize = unsafe Int(apus_int_info(control))
            default: break
            }
            unsafe next = apus_next_control(header, control)
        }
        let byteCount = unsafe Int(header.pointee.byte_count)
        return Message(
            source: unsafe SocketAddress(envelopes[index].address) ?? .unspecified, destination: destination,
            segmentSize: segmentSize < byteCount ? segmentSize : 0,
            unsent: 0..<byteCount)
    }

    // MARK: Sending

    /// Sends `messages` over `socket`, all by the same route; on a connected socket without a destination.
    public func forward(
        _ messages: Range<Int>, over socket: DatagramSocket, to destination: SocketAddress? = nil,
        from source: LocalAddress? = nil
    ) -> SendResult {
        let route = DatagramRoute(to: destination, from: source)
        return forward(messages, over: socket) { _ in route }
    }

    /// Sends `messages` over `socket`, each by the route that `route` returns for its index.
    ///
    /// Limits: joined datagrams that the kernel refuses to split are sent one by one, at the cost of a call each. It
    ///         refuses where they would be fragmented on the way, and with IPsec.
    public func forward(
        _ messages: Range<Int>, over socket: DatagramSocket, route: (Int) -> DatagramRoute
    ) -> SendResult {
        precondition(messages.lowerBound >= 0 && messages.upperBound <= count, "datagrams: no such messages")
        guard let first = messages.first else { return .messages(0) }
        // The kernel refused to split it before, and sending one by one was interrupted.
        if received[first].unsent.lowerBound > 0 { return forwardOneByOne(first, over: socket, route(first)) }
        for index in messages {
            let message = received[index]
            enclose(index, message.unsent, route(index), segmentSize: message.isSingle ? 0 : message.segmentSize)
        }
        let sent = send(messages, over: socket)
        if sent > 0 { return .messages(Int(sent)) }
        if errno == EAGAIN { return .wouldBlock }
        let code = checked(errno)
        if received[first].isSingle || !mayBeRefusalToSplit(code) { return .failed(code) }
        return forwardOneByOne(first, over: socket, route(first))
    }

    /// Sends the unsent datagrams of a message one by one; when all are sent, the message is complete again.
    private func forwardOneByOne(_ index: Int, over socket: DatagramSocket, _ route: DatagramRoute) -> SendResult {
        let end = received[index].unsent.upperBound
        while !received[index].unsent.isEmpty {
            let start = received[index].unsent.lowerBound
            let segment = start..<min(start + received[index].segmentSize, end)
            enclose(index, segment, route, segmentSize: 0)
            if send(index..<index + 1, over: socket) < 0 {
                return errno == EAGAIN ? .wouldBlock : .failed(checked(errno))
            }
            received[index].unsent = segment.upperBound..<end
        }
        received[index].unsent = 0..<end
        return .messages(1)
    }

    /// Prepares the `index`-th header for sending `part` of the slot.
    private func enclose(_ index: Int, _ part: Range<Int>, _ route: DatagramRoute, segmentSize: Int) {
        let header = unsafe headers + index
        unsafe apus_enclose(header, envelopes + index, slot(index) + part.lowerBound, part.count)
        if let destination = route.destination {
            unsafe destination.withSystemAddress { unsafe apus_add_destination(header, $0, $1) }
        }
        if let source = route.source {
            unsafe source.address.withSystemAddress { address, _ in
                switch source.address.family {
                case .ipv4: unsafe apus_add_ipv4_source(header, address)
                case .ipv6: unsafe apus_add_ipv6_source(header, address, source.interfaceIndex)
                }
            }
        }
        if segmentSize > 0 {
            var size = UInt16(segmentSize)
            unsafe apus_add_control(header, Int32(IPPROTO_UDP), UDP_SEGMENT, &size, MemoryLayout<UInt16>.size)
        }
    }

    private func send(_ messages: Range<Int>, over socket: DatagramSocket) -> Int32 {
        while true {
            let first = unsafe headers + messages.lowerBound
            let sent = unsafe apus_sendmmsg(socket.descriptor, first, UInt32(messages.count))
            if sent >= 0 || errno != EINTR { return sent }
        }
    }
}

/// Whether the kernel may have refused to split the message rather than to send it: the segments are longer than the
/// path's MTU, too many, to be encrypted, or together longer than any datagram.
private func mayBeRefusalToSplit(_ code: Int32) -> Bool {
    code == EINVAL || code == EMSGSIZE || code == EIO || code == EOPNOTSUPP
}

private func checked(_ code: Int32) -> Int32 {
    precondition(code != EBADF && code != EFAULT && code != ENOTSOCK, "datagrams: our own fault")
    return code
}
