import Glibc

/// A failed system call, as a message: the operation, its object, and the kernel's error.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was being done, as in "bind 127.0.0.1:8080".
    public let operation: String
    /// The value of errno(3).
    public let code: Int32
    /// Set where strerror(3) of `code` does not explain what is wrong.
    private let ownReason: String?

    public init(_ operation: String, code: Int32 = errno) {
        self.operation = operation
        self.code = code
        ownReason = nil
    }

    /// An error that Apus detected, not the kernel.
    public init(_ operation: String, code: Int32, reason: String) {
        self.operation = operation
        self.code = code
        ownReason = reason
    }

    /// Whether a FIFO could not be opened because no process reads it. A later retry may succeed.
    public var isUnreadFIFO: Bool { code == ENXIO }

    /// Whether this process lacks the permission.
    public var isRefusal: Bool { code == EACCES || code == EPERM }

    /// Why it failed: strerror(3) of `code`, or our own text if Apus detected the error.
    public var reason: String { ownReason ?? systemErrorText(code) }
    public var description: String { "\(operation): \(reason)" }
}

// The values of errno(3) that other targets distinguish.
extension SystemError {
    /// EACCES and EPERM: this process may not do that.
    public static let permissionDenied = EACCES, notPermitted = EPERM
    /// ENOENT: there is no such file.
    public static let noSuchFile = ENOENT
    /// EWOULDBLOCK, which is EAGAIN: not now.
    public static let wouldBlock = EWOULDBLOCK
    /// EADDRINUSE: another socket has the address.
    public static let addressInUse = EADDRINUSE
    /// EADDRNOTAVAIL: no interface has the address, or no port of it is left.
    public static let addressNotAvailable = EADDRNOTAVAIL
    /// ETIMEDOUT: the other end did not answer.
    public static let timedOut = ETIMEDOUT
    /// EMFILE and ENFILE: this process, or the system, has as many descriptors as it may.
    public static let tooManyDescriptors = EMFILE, tooManyDescriptorsOfAll = ENFILE
    /// ENOBUFS and ENOMEM: the kernel has no room for it.
    public static let noBufferSpace = ENOBUFS, noMemory = ENOMEM
    /// E2BIG: more of something than fits.
    public static let tooMany = E2BIG
}

/// The text for an errno value. Source: strerror(3).
public func systemErrorText(_ code: Int32) -> String {
    unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}
