import Glibc

/// A system call that failed, in words: what was being done, to what, and what the kernel said.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was being done, as in "bind 127.0.0.1:8080".
    public let operation: String
    /// The value of errno(3).
    public let code: Int32
    /// Set where the kernel's words for `code` do not say what is wrong.
    private let ownReason: String?

    public init(_ operation: String, code: Int32 = errno) {
        self.operation = operation
        self.code = code
        ownReason = nil
    }

    /// An error that we found, not the kernel.
    init(_ operation: String, code: Int32, reason: String) {
        self.operation = operation
        self.code = code
        ownReason = reason
    }

    /// Whether what was to be written to is a FIFO that nobody reads. Trying again may bring another result.
    public var isUnreadFIFO: Bool { code == ENXIO }

    /// Whether it was refused because this process lacks the right.
    public var isRefusal: Bool { code == EACCES || code == EPERM }

    /// Why it failed: in the kernel's words for `code` (strerror(3)), or in ours where it was not the kernel's refusal.
    public var reason: String { ownReason ?? systemErrorText(code) }
    public var description: String { "\(operation): \(reason)" }
}

/// The kernel's words for an errno value. Source: strerror(3).
public func systemErrorText(_ code: Int32) -> String {
    unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}
