import COpenSSL

/// What is wrong with a certificate, key, trust store or policy of the operator. Thrown to control, never by a session.
public struct TLSMaterialError: Error, Equatable, CustomStringConvertible {
    /// What is wrong, as a sentence.
    public let problem: String
    /// What to do about it, as a sentence.
    public let remedy: String
    /// Which of the files is at fault.
    public let part: Part

    /// The files that a certificate or a trust store is made of.
    public enum Part: Equatable, Sendable {
        /// The certificate with its chain, or the bundle of CAs.
        case main
        case privateKey
        /// Its place among the files of revocation lists.
        case revocationList(Int)
    }

    public var description: String { "\(problem) \(remedy)" }

    /// Both are whole sentences.
    public init(_ problem: String, remedy: String, part: Part = .main) {
        self.problem = problem
        self.remedy = remedy
        self.part = part
    }
}

/// What OpenSSL's queue says about the call that just failed, in its own words; empties the queue.
func takeQueueText() -> String {
    let code = ERR_get_error()
    ERR_clear_error()
    guard code != 0, let words = unsafe ERR_reason_error_string(code) else { return "no reason given" }
    return unsafe String(cString: words)
}
