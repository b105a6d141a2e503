import CLinux
import Glibc

/// One end of a connection between two processes of this host, by which they exchange messages and descriptors.
///
/// A descriptor that was sent and the one that is received stand for the same open socket or file: a listening socket
/// goes on with its queue, and a lock of flock(2) is held until both are closed.
///
/// Shape:  a trivial value; its owner closes it, once. A message arrives whole or not at all.
/// Limits: `Limits.messageBytesMax` bytes and `Limits.messageDescriptorsMax` descriptors for each message.
/// Source: unix(7), `SOCK_SEQPACKET`, `SCM_RIGHTS`.
public struct MessageSocket: Equatable, Sendable {
    /// The kernel's number for it.
    public let descriptor: Int32

    /// The end with this number.
    public init(descriptor: Int32) { self.descriptor = descriptor }

    /// The result of `receive`.
    public enum ReceiveResult: Equatable {
        /// A message, and the descriptors that came with it, which are close-on-exec and now belong to the caller.
        case message([UInt8], descriptors: [Int32])
        /// None has come by now.
        case wouldBlock
        /// The other end is closed, by its process or with it.
        case ended
        /// A message was longer than any may be: the other side is no Apus.
        case tooLong
    }

    /// The result of `send`.
    public enum SendResult: Equatable {
        /// The message is on its way; the caller may close the descriptors that went with it.
        case sent
        /// The other side has not read what was sent before: wait for the poller.
        case wouldBlock
        /// The other end is closed (errno).
        case failed(Int32)
    }

    /// Two connected ends, both close-on-exec and non-blocking. Errors: `SystemError`, as when out of descriptors.
    public static func pair() throws(SystemError) -> (MessageSocket, MessageSocket) {
        var ends: (Int32, Int32) = (-1, -1)
        let type = Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue)
        let made = unsafe withUnsafeMutablePointer(to: &ends) { ends in
            unsafe ends.withMemoryRebound(to: Int32.self, capacity: 2) { unsafe socketpair(AF_UNIX, type, 0, $0) }
        }
        guard made == 0 else { throw SystemError("connect two sockets") }
        return (MessageSocket(descriptor: ends.0), MessageSocket(descriptor: ends.1))
    }

    /// The end that this process was started with as the descriptor `number`; from now on the programs that it starts
    /// do not inherit it. Nil if that is no such socket.
    public static func inherited(_ number: Int32) -> MessageSocket? {
        var type: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        guard unsafe getsockopt(number, SOL_SOCKET, SO_TYPE, &type, &length) == 0,
            type == Int32(SOCK_SEQPACKET.rawValue), apus_set_close_on_exec(number) == 0
        else { return nil }
        return MessageSocket(descriptor: number)
    }

    /// Sends a message with `descriptors`, which stay open here.
    public func send(_ bytes: [UInt8], descriptors: [Int32] = []) -> SendResult {
        precondition(!bytes.isEmpty && bytes.count <= Limits.messageBytesMax, "message: of \(bytes.count) bytes")
        precondition(descriptors.count <= Limits.messageDescriptorsMax, "message: \(descriptors.count) descriptors")
        while true {
            let sent = unsafe bytes.withUnsafeBufferPointer { bytes in
                unsafe descriptors.withUnsafeBufferPointer { descriptors in
                    unsafe apus_send_descriptors(
                        descriptor, bytes.baseAddress, bytes.count, descriptors.baseAddress, descriptors.count)
                }
            }
            if sent >= 0 { return .sent }
            // ETOOMANYREFS: too many descriptors are under way. Reading them makes room as well.
            if errno == EAGAIN || errno == ETOOMANYREFS || errno == ENOBUFS { return .wouldBlock }
            precondition(errno != EBADF && errno != EFAULT && errno != ENOTSOCK, "message: our own fault")
            if errno != EINTR { return .failed(errno) }
        }
    }

    /// Receives the next message, if one has come.
    public func receive() -> ReceiveResult {
        var numbers = [Int32](repeating: -1, count: Limits.messageDescriptorsMax)
        var numberCount = 0
        var flags: Int32 = 0
        var count = 0
        let bytes = unsafe [UInt8](unsafeUninitializedCapacity: Limits.messageBytesMax) { bytes, byteCount in
            repeat {
                count = unsafe apus_receive_descriptors(
                    descriptor, bytes.baseAddress, bytes.count, &numbers, &numberCount, &flags)
            } while count < 0 && errno == EINTR
            byteCount = max(0, count)
        }
        if count < 0 { return errno == EAGAIN ? .wouldBlock : .ended }
        let descriptors = Array(numbers.prefix(numberCount))
        guard flags & Int32(MSG_TRUNC | MSG_CTRUNC) == 0 else {
            for number in descriptors { _ = closeDescriptor(number) }
            return .tooLong
        }
        return count == 0 ? .ended : .message(bytes, descriptors: descriptors)
    }

    /// Waits for the next message until `deadline`; `wouldBlock` if none has come by then. For the start of a process.
    public func receive(until deadline: Instant) -> ReceiveResult {
        while true {
            let result = receive()
            let now = Instant.now()
            guard result == .wouldBlock, now < deadline else { return result }
            var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            _ = unsafe poll(&watched, 1, Int32(clamping: deadline.since(now) / 1_000_000 + 1))
        }
    }

    /// Closes this end, which the other side notices.
    public func close() { _ = closeDescriptor(descriptor) }
}
