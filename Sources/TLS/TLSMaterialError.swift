/// Why a certificate, key, trust store or OCSP response cannot be used: the operator has to do something.
public struct TLSMaterialError: Error, Equatable, Sendable {
    /// What is wrong, as the end of a sentence that begins with the file's name.
    public let problem: String
    /// What to do about it, as a sentence.
    public let remedy: String

    public init(_ problem: String, remedy: String) {
        self.problem = problem
        self.remedy = remedy
    }
}
