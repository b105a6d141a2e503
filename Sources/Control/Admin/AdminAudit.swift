import Core
import Logging
import Model

/// What the log keeps of a request over an admin socket: each change and each refusal, with who has asked for it. No
/// bodies and no queries, since they are the client's affair.
struct AdminAudit {
    private let request: AdminRequest
    private let role: AdminRole?

    /// `request` is made by a client with `role`; nil for none.
    init(_ request: AdminRequest, role: AdminRole?) {
        self.request = request
        self.role = role
    }

    /// Logs it with its outcome, unless it has read something and was let.
    func log(_ answer: AdminAnswer, _ logger: Logger) {
        let isChange = request.method != "GET" && request.method != "HEAD"
        guard isChange || answer.status == 403 else { return }
        func text(_ number: (some FixedWidthInteger)?) -> String { number.map { "\($0)" } ?? "unknown" }
        var metadata: Logger.Metadata = [
            "uid": "\(text(request.client?.userID))", "gid": "\(text(request.client?.groupID))",
            "pid": "\(text(request.client?.processID))", "role": "\(role?.name ?? "none")",
            "method": "\(request.method)", "path": "\(request.path)", "status": "\(answer.status)",
        ]
        if case .refused(let error, _) = answer {
            metadata["code"] = "\(error.code)"
            metadata["reason"] = "\(error.message)"
        }
        if answer.status == 403 {
            logger.warning("refused an admin request", metadata: metadata)
        } else {
            logger.info("answered an admin request", metadata: metadata)
        }
    }
}
