import CLinux
import Glibc

/// A non-blocking socket: one descriptor and the calls a proxy makes on it.
///
/// Shape:  a trivial value; its owner closes it, once.
/// Errors: outcomes that the network causes are enum cases. A bad descriptor or pointer traps, since it is a bug of
/// ours.
/// Source: socket(7), tcp(7), unix(7).
public struct Socket: Equatable, Sendable {
    /// The kernel's number for it.
    public let descriptor: Int32

    public init(descriptor: Int32) { self.descriptor = descriptor }

    /// The result of a read.
    public enum ReadResult: Equatable {
        /// This many bytes were appended; more than zero.
        case bytes(Int)
        /// Nothing to read now: wait for the poller.
        case wouldBlock
        /// The other side has ended its direction (half-close): it will send no more.
        case endOfStream
        /// The connection is dead (errno): reset, timed out, unreachable. Close it.
        case failed(Int32)
    }

    /// The result of a write.
    public enum WriteResult: Equatable {
        /// This many bytes were taken by the kernel; may be fewer than offered, then wait for the poller.
        case bytes(Int)
        case wouldBlock
        /// The connection is dead (errno). Close it.
        case failed(Int32)
    }

    /// Reads once, at most `most` bytes, into the free space of `buffer`, which must not be full.
    ///
    /// With `peeks` the bytes stay in the socket, and the next read returns them again.
    public func read(into buffer: Buffer, most: Int = .max, peeks: Bool = false) -> ReadResult {
        // A read of zero bytes returns zero, which would look like the end of the stream.
        precondition(buffer.freeCount > 0, "read: no room")
        var failure: Int32 = 0
        let count = unsafe buffer.appendInPlace { free in
            while true {
                let count = unsafe recv(
                    descriptor, free.baseAddress, min(free.count, most), peeks ? Int32(MSG_PEEK) : 0)
                if count >= 0 { return count }
                if errno == EINTR { continue }
                failure = errno
                return 0
            }
        }
        if count > 0 { return .bytes(count) }
        if failure == 0 { return .endOfStream }
        if failure == EAGAIN { return .wouldBlock }
        precondition(failure != EBADF && failure != EFAULT && failure != ENOTSOCK, "recv: our own fault")
        return .failed(failure)
    }

    /// Writes the bytes of `buffer` and consumes those that the kernel took.
    public func write(_ buffer: Buffer) -> WriteResult {
        let result = unsafe buffer.bytes.withUnsafeBufferPointer { bytes in
            unsafe sendOnce(bytes.baseAddress, bytes.count)
        }
        if case .bytes(let count) = result { buffer.consume(count) }
        return result
    }

    /// Writes `first` and then the first `secondCount` bytes of `second` in one call, and consumes what the kernel took
    /// of each. The result counts both.
    public func write(_ first: Buffer, then second: Buffer, count secondCount: Int) -> WriteResult {
        precondition(secondCount <= second.count, "write: more than there is")
        let result = unsafe first.bytes.withUnsafeBufferPointer { head in
            unsafe second.bytes.withUnsafeBufferPointer { body in
                unsafe sendBoth(head, UnsafeBufferPointer(rebasing: body[..<secondCount]))
            }
        }
        if case .bytes(let count) = result {
            let ofFirst = min(count, first.count)
            first.consume(ofFirst)
            second.consume(count - ofFirst)
        }
        return result
    }

    /// Writes the first `count` bytes of `buffer` and consumes those that the kernel took.
    public func write(_ buffer: Buffer, count: Int) -> WriteResult {
        precondition(count <= buffer.count, "write: more than there is")
        let result = unsafe buffer.bytes.withUnsafeBufferPointer { bytes in
            unsafe sendOnce(bytes.baseAddress, count)
        }
        if case .bytes(let taken) = result { buffer.consume(taken) }
        return result
    }

    private func sendOnce(_ start: UnsafePointer<UInt8>?, _ count: Int) -> WriteResult {
        while true {
            let sent = unsafe send(descriptor, start, count, Int32(MSG_NOSIGNAL))
            if sent >= 0 { return .bytes(sent) }
            if errno != EINTR { return writeFailure(errno) }
        }
    }

    private func sendBoth(_ head: UnsafeBufferPointer<UInt8>, _ body: UnsafeBufferPointer<UInt8>) -> WriteResult {
        var pieces: (iovec, iovec) = unsafe (
            iovec(iov_base: UnsafeMutableRawPointer(mutating: head.baseAddress), iov_len: head.count),
            iovec(iov_base: UnsafeMutableRawPointer(mutating: body.baseAddress), iov_len: body.count)
        )
        return unsafe withUnsafeMutablePointer(to: &pieces) { pieces in
            unsafe pieces.withMemoryRebound(to: iovec.self, capacity: 2) { vector in
                var message = unsafe msghdr()
                unsafe message.msg_iov = vector
                unsafe message.msg_iovlen = 2
                while true {
                    let sent = unsafe sendmsg(descriptor, &message, Int32(MSG_NOSIGNAL))
                    if sent >= 0 { return .bytes(sent) }
                    if errno != EINTR { return writeFailure(errno) }
                }
            }
        }
    }

    private func writeFailure(_ code: Int32) -> WriteResult {
        if code == EAGAIN { return .wouldBlock }
        precondition(code != EBADF && code != EFAULT && code != ENOTSOCK, "send: our own fault")
        return .failed(code)
    }

    /// Ends our direction by a FIN (half-close); reading stays possible. Source: shutdown(2).
    public func shutdownWrite() { _ = shutdown(descriptor, Int32(SHUT_WR)) }

    /// Closes the descriptor, which also removes it from the poller.
    public func close() {
        let status = closeDescriptor(descriptor)
        precondition(status == 0 || errno != EBADF, "close: descriptor \(descriptor) is not ours")
    }

    /// Closes with a reset (RST) instead of a FIN, so that the other side cannot take a truncated message for a
    /// complete one.
    public func closeWithReset() {
        var linger = linger(l_onoff: 1, l_linger: 0)
        _ = unsafe setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &linger, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// The error that ended a connection attempt, or 0. Reading clears it. Source: socket(7), `SO_ERROR`.
    public func takeError() -> Int32 {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        let status = unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &length)
        return status == 0 ? code : errno
    }

    /// Bytes that were written and that the other side has not acknowledged, so the kernel still holds them.
    /// Source: tcp(7), `SIOCOUTQ`.
    public var unacknowledgedByteCount: UInt64 {
        var count: Int32 = 0
        let status = unsafe apus_unacknowledged(descriptor, &count)
        return status == 0 ? UInt64(max(0, count)) : 0
    }

    /// Whether the other side's kernel owes an acknowledgement and has sent nothing for `time`. False if its window is
    /// full and it answers window probes: then the program does not read, but the host is alive.
    /// Source: tcp(7), `TCP_INFO`.
    public func isUnresponsive(for time: UInt64) -> Bool {
        var info = tcp_info()
        var length = socklen_t(MemoryLayout<tcp_info>.size)
        guard unsafe getsockopt(descriptor, Int32(IPPROTO_TCP), TCP_INFO, &info, &length) == 0 else { return false }
        let silence = UInt64(info.tcpi_last_ack_recv) * 1_000_000
        // Segments in flight; or, with a full window, probes that were not answered.
        let isOwed = info.tcpi_unacked > 0 || info.tcpi_probes >= 2
        return isOwed && silence >= time
    }

    /// The address on our side. Source: getsockname(2).
    public var localAddress: SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        guard unsafe apus_getsockname(descriptor, &storage, &length) == 0 else { return nil }
        return SocketAddress(storage)
    }
}

/// The errno(3) of a write to a connection that the other side had ended before it broke.
public let brokenPipeError = EPIPE
/// errno(3) of a connection attempt that the kernel gave up.
public let timedOutError = ETIMEDOUT
/// errno(3) when no socket listens at an address.
public let connectionRefusedError = ECONNREFUSED
/// errno(3) when the process has reached its limit on descriptors.
public let tooManyFilesError = EMFILE
/// errno(3) of connecting when no port is left towards that address, or the address to come from is not this host's.
public let addressNotAvailableError = EADDRNOTAVAIL
/// errno(3) of connecting a socket for datagrams when no port is left. Source: udp(7).
public let tryAgainError = EAGAIN
/// errno(3) when a host cannot be reached.
public let hostUnreachableError = EHOSTUNREACH
/// errno(3) when a network cannot be reached.
public let networkUnreachableError = ENETUNREACH
/// errno(3) when a host does not support the protocol.
public let noProtocolError = ENOPROTOOPT
/// errno(3) when a router on the way prohibits it. Source: RFC 4443 §3.1, code 1.
public let accessDeniedError = EACCES
