import Model

/// Readings of a configuration: of the file, and of one that is only checked.
enum ReloadRoutes {
    static var all: [AdminRoutes.Route] {
        [
            .init("/v1/reload", ("POST", .all, reload)),
            .init("/v1/check", ("POST", .all, check)),
        ]
    }

    private static func reload(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        var isDiscarding = false
        if !call.request.body.isEmpty {
            let body = try call.request.json()
            let known = body.members?.allSatisfy { $0.key == "discardChanges" && $0.value.bool != nil } ?? false
            guard known else {
                throw AdminError(
                    code: "ValidationError",
                    message: "The body may hold discardChanges, true or false, and nothing else.",
                    remedy: "Send {\"discardChanges\": true}, or no body.")
            }
            isDiscarding = body["discardChanges"]?.bool ?? false
        }
        call.services.reloads.reload(discardingChanges: isDiscarding, if: call.condition) { result in
            switch result {
            case .failure(let errors):
                let status = call.status.isStopping ? ChangeQueue.statusUnavailable : nil
                completion(.refused(AdminError(errors, status: status)))
            case .success(let report):
                var answer: Value = [
                    "generation": .int(Int(clamping: report.generation)),
                    "changes": .array(report.changes.map { .string($0) }),
                    "changesNotApplied": .array(report.changesNotApplied.map { .string($0) }),
                    "overridden": .array(report.overrides.map(\.value)),
                    "needsRestart": .array(report.needsRestart.map { .string($0) }),
                ]
                answer["putAside"] = report.putAside.map { .string($0) }
                let warnings = call.status.document.warnings().map { Warning($0, DocumentPlaces()).value }
                if !warnings.isEmpty { answer["warnings"] = .array(warnings) }
                completion(.value(answer))
            }
        }
    }

    /// Checks a whole document, in JSON or YAML, as a reload would. The query may name the `file` in which the mistakes
    /// are, and the `folder` in which its relative paths begin.
    private static func check(
        _ call: AdminCallContext, _ completion: @escaping (AdminAnswer) -> Void
    ) throws(AdminError) {
        try call.requireGeneration()
        var names: [String: String] = [:]
        for (key, value) in call.request.query {
            guard ["file", "folder"].contains(key) else {
                throw AdminError(
                    code: "ValidationError", message: "The query may hold file and folder, but found \"\(key)\".",
                    remedy: "Write it as in /v1/check?file=edge.yaml&folder=/etc/apus.")
            }
            names[key] = value
        }
        call.services.reloads.check(call.request.body, file: names["file"] ?? "", folder: names["folder"]) { check in
            guard check.mistakes.isEmpty else { return completion(.refused(AdminError(ConfigErrors(check.mistakes)))) }
            completion(.value(check.value))
        }
    }
}
