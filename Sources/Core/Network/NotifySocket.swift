import CLinux
import Glibc

/// The Unix socket on which a service manager is told about a service, by datagrams.
///
/// Shape:  a trivial value; its owner closes it, once. Each datagram finds the socket by its name again, so that one
///         which a restarted service manager made anew is found as well.
/// Source: sd_notify(3); unix(7), "Abstract sockets".
public struct NotifySocket: Equatable, Sendable {
    private let descriptor: Int32
    private let name: String
    private let isAbstract: Bool

    /// The result of a send.
    public enum SendResult: Equatable, Sendable {
        case sent
        /// The receiver has not read what was sent before: try again later.
        case wouldBlock
        /// It cannot be told at all now, as when there is no such socket.
        case failed(SystemError)
    }

    /// A socket for datagrams to `address`: an absolute path, or a name outside the file system behind `@`.
    ///
    /// Errors: `SystemError` for an address of another kind.
    public init(_ address: String) throws(SystemError) {
        let operation = "use the notify socket \(address)"
        isAbstract = address.hasPrefix("@")
        guard isAbstract || address.hasPrefix("/") else {
            throw SystemError(operation, code: EAFNOSUPPORT, reason: "neither an absolute path nor a name behind @")
        }
        name = isAbstract ? String(address.dropFirst()) : address
        guard !name.isEmpty, name.utf8.count <= unixPathBytesMax else {
            throw SystemError(operation, code: ENAMETOOLONG, reason: "not of 1 to \(unixPathBytesMax) bytes")
        }
        descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw SystemError(operation) }
    }

    /// Sends `text` as one datagram. Never waits.
    public func send(_ text: String) -> SendResult {
        let bytes = Array(text.utf8)
        while true {
            let sent = unsafe bytes.withUnsafeBytes { bytes in
                unsafe withUnixAddress(name, isAbstract: isAbstract) {
                    unsafe Int32(clamping: apus_sendto(descriptor, bytes.baseAddress, bytes.count, $0, $1))
                }
            }
            if sent >= 0 { return .sent }
            switch errno {
            case EINTR: continue
            case EAGAIN, ENOBUFS: return .wouldBlock
            default: return .failed(SystemError("tell \(isAbstract ? "@" : "")\(name)"))
            }
        }
    }

    /// Closes the descriptor.
    public func close() { _ = closeDescriptor(descriptor) }
}
