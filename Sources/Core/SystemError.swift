import Glibc

/// A system call that failed, in words: what was being done, to what, and what the kernel said.
public struct SystemError: Error, Equatable, Sendable, CustomStringConvertible {
    /// What was being done, as in "bind 127.0.0.1:8080".
    public let operation: String
    /// The value of errno(3).
    public let code: Int32

    public init(_ operation: String, code: Int32 = errno) {
        self.operation = operation
        self.code = code
    }

    /// The kernel's words for `code`. Source: strerror(3).
    public var reason: String { systemErrorText(code) }
    public var description: String { "\(operation): \(reason)" }
}

/// The kernel's words for an errno value. Source: strerror(3).
public func systemErrorText(_ code: Int32) -> String {
    unsafe strerror(code).map { unsafe String(cString: $0) } ?? "error \(code)"
}
