import Foundation
import Glibc

/// The notify socket of a service manager, as a service sees it: what it is told is read by a test.
///
/// Shape:  any thread may read. The socket is gone with the last owner.
/// Source: sd_notify(3), unix(7).
public final class NotifyReceiver: Sendable {
    /// What `NOTIFY_SOCKET` has to say.
    public let address: String
    private let descriptor: Int32

    /// Listens at `path`, or at a name outside the file system.
    public init(isAbstract: Bool = false, path: String = TestRun.newPath()) throws {
        address = isAbstract ? "@" + path : path
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var storage = sockaddr_un()
        storage.sun_family = sa_family_t(AF_UNIX)
        let bytes = (isAbstract ? [0] : []) + Array(path.utf8)
        unsafe withUnsafeMutableBytes(of: &storage.sun_path) { unsafe $0.copyBytes(from: bytes) }
        let length = socklen_t(2 + bytes.count)
        let status = unsafe withUnsafePointer(to: &storage) { [descriptor] in
            unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { unsafe bind(descriptor, $0, length) }
        }
        guard status == 0 else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EINVAL) }
    }

    deinit {
        _ = close(descriptor)
        if !address.hasPrefix("@") { _ = unsafe unlink(address) }
    }

    /// The lines of the next datagram; nil if none comes within `seconds`.
    public func next(within seconds: Double = 20) -> [String]? {
        var watched = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        guard unsafe poll(&watched, 1, Int32(seconds * 1000)) == 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = unsafe recv(descriptor, &bytes, bytes.count, 0)
        guard count >= 0 else { return nil }
        return String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n").map(String.init)
    }

    /// The lines of the next datagram that has `line`, whatever comes before; nil if none comes while others come, or
    /// within `seconds`.
    public func next(with line: String, within seconds: Double = 20) -> [String]? {
        for _ in 0..<10_000 {
            guard let lines = next(within: seconds) else { return nil }
            if lines.contains(line) { return lines }
        }
        return nil
    }
}
