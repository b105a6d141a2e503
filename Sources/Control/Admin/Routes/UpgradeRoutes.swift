import Core
import Model

/// Another process that takes over.
enum UpgradeRoutes {
    static var all: [AdminRoutes.Route] { [.init("/v1/upgrade", ("POST", .all, upgrade))] }

    /// Answers when the other process serves, or has failed to.
    private static func upgrade(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        try call.requireGeneration()
        var request = UpgradeRequest()
        if !call.request.body.isEmpty {
            guard let members = try call.request.json().members else { throw notUnderstood }
            for member in members {
                switch (member.key, member.value.content) {
                case ("binary", .string(let path)): request.binary = path
                case ("graceSeconds", .int(let seconds)): request.graceSeconds = Double(seconds)
                case ("graceSeconds", .double(let seconds)): request.graceSeconds = seconds
                default: throw notUnderstood
                }
            }
        }
        if let seconds = request.graceSeconds, !(0...Limits.upgradeGraceSecondsMax).contains(seconds) {
            throw notUnderstood
        }
        // The socket's group may change what is served, and not start whatever program it likes as this user.
        let user = call.request.user
        guard request.binary == nil || user == 0 || user == SystemUser.currentID else {
            throw AdminError(
                code: "AccessDenied", status: 403,
                message: "Only root and user \(SystemUser.currentName) may name the program that takes over.",
                remedy: "Put it where the running one was started from, and leave binary out.")
        }
        call.services.upgrades.upgrade(request) { result in
            switch result {
            case .failure(let error): completion(.refused(error))
            case .success(let report): completion(.value(report.value))
            }
        }
    }

    private static var notUnderstood: AdminError {
        AdminError(
            code: "ValidationError",
            message: "The body may hold binary, an absolute path, and graceSeconds, from 0 to "
                + "\(Int(Limits.upgradeGraceSecondsMax)), and nothing else.",
            remedy: "Send {\"binary\": \"/usr/local/bin/apus\", \"graceSeconds\": 60}, or no body.")
    }
}

extension UpgradeReport {
    /// As the socket shows it.
    fileprivate var value: Value {
        [
            "from": old.value, "to": ["pid": .int(id), "version": .string(version)],
            "graceSeconds": .number(graceSeconds),
        ]
    }
}
