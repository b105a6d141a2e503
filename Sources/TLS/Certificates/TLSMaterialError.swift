import COpenSSL

/// What is wrong with the operator's certificate, key, trust store or policy. Thrown to control, never by a session.
public struct TLSMaterialError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, as a sentence.
    public let problem: String
    /// What to do about it, as a sentence.
    public let remedy: String
    /// The file that has the problem.
    public let part: Part

    /// The files that a certificate or a trust store is made of.
    public enum Part: Equatable, Sendable {
        /// The certificate with its chain, or the bundle of CAs.
        case main
        case privateKey
        /// The index of the file among those of revocation lists.
        case revocationList(Int)
    }

    public var description: String { "\(problem) \(remedy)" }

    /// `problem` and `remedy` are whole sentences.
    public init(_ problem: String, remedy: String, part: Part = .main) {
        self.problem = problem
        self.remedy = remedy
        self.part = part
    }
}

/// The text in OpenSSL's error queue about the call that just failed; empties the queue.
func takeQueueText() -> String {
    let code = ERR_get_error()
    ERR_clear_error()
    guard code != 0, let words = unsafe ERR_reason_error_string(code) else { return "no reason given" }
    return unsafe String(cString: words)
}
