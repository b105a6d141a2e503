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

/// The text for an errno value. Source: strerror(3).
public func systemErrorText(_ code: Int32) -> String {
    unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}
