/// Why a request to control was refused: what the admin socket answers, and what the command line prints.
///
/// Shape: one sentence of what is wrong, one of what to do, and ELBv2's name for it, which scripts can test.
/// Source: docs/admin-api.md; docs/elbv2.md, "Error codes". Refusals that HTTP itself defines have codes in the same
///         style.
public struct AdminError: Error, Equatable, Sendable, CustomStringConvertible {
    /// ELBv2's name for the mistake, as in `TargetGroupNotFound`.
    public let code: String
    /// The HTTP status that fits it.
    public let status: UInt16
    /// What is wrong: a sentence.
    public let message: String
    /// What to do: a sentence.
    public let remedy: String
    /// The mistakes of a validation, one by one, with their places: the first ones, if there are many.
    public let details: [ConfigError]
    /// How many mistakes `details` leaves out.
    public let detailsLeftOut: Int

    /// A refusal; without `status`, the one that fits `code`. Message and remedy are cut to `Limits.adminErrorBytesMax`
    /// bytes each.
    public init(
        code: String, status: UInt16? = nil, message: String, remedy: String, details: [ConfigError] = [],
        detailsLeftOut: Int = 0
    ) {
        self.code = code
        self.status = status ?? Self.status(of: code)
        self.message = message.cut(to: Limits.adminErrorBytesMax)
        self.remedy = remedy.cut(to: Limits.adminErrorBytesMax)
        self.details = details
        self.detailsLeftOut = detailsLeftOut
    }

    /// What a validation found: its first mistake, and all of them as details. Without `status`, the
    /// one that fits its code.
    public init(_ errors: ConfigErrors, status: UInt16? = nil) {
        let first = errors.first
        let others = errors.all.count - 1
        // Its place and its message: the remedy has a key of its own.
        let mistake = first.description.dropLast(first.remedy.count + 1)
        self.init(
            code: first.code.rawValue, status: status,
            message: others == 0 ? String(mistake) : "\(mistake) And \(counted(others, "more mistake")).",
            remedy: first.remedy, details: Array(errors.all.prefix(Limits.errorsShownMax)),
            detailsLeftOut: max(0, errors.all.count - Limits.errorsShownMax))
    }

    /// A failure of Apus itself, such as a disk that refuses to write: nothing was changed.
    public static func failure(_ message: String, remedy: String) -> AdminError {
        AdminError(code: "InternalFailure", message: message, remedy: remedy)
    }

    /// The message and the remedy, on one line.
    public var description: String { "\(message) \(remedy)" }

    /// The whole text for a person: each mistake on a line of its own.
    public var lines: [String] {
        guard details.count > 1 else { return ["\(self)"] }
        return details.map(\.description) + (detailsLeftOut > 0 ? ["… and \(detailsLeftOut) more."] : [])
    }

    /// 404 for what is not there, 409 for what collides with something that is, 500 for our own failures, else 400.
    static func status(of code: String) -> UInt16 {
        switch code {
        case "InternalFailure": 500
        case "ResourceInUse", "PriorityInUse": 409
        case "PreconditionFailed": 412
        case _ where code.hasSuffix("NotFound"): 404
        case _ where code.hasPrefix("Duplicate"): 409
        default: 400
        }
    }

    /// The body of the answer, as text that ends with a line feed.
    public var json: String { value.json(pretty: true) }

    /// The body of the answer: `{"error":{"code":…,"message":…,"remedy":…}}`, and `details` if there are any: each with
    /// `code`, `message` and `remedy`, and with `file`, `line`, `column` and `path` as far as they are known.
    public var value: Value {
        var error: Value = ["code": .string(code), "message": .string(message), "remedy": .string(remedy)]
        if !details.isEmpty { error["details"] = .array(details.map(\.value)) }
        if detailsLeftOut > 0 { error["detailsLeftOut"] = .int(detailsLeftOut) }
        return ["error": error]
    }
}

extension AdminError {
    /// Reads the body of a refusal; nil when it does not have the form of `value`.
    public init?(body: [UInt8], status: UInt16) {
        guard let error = try? Value.parse(json: body)["error"], let code = error["code"]?.string,
            let message = error["message"]?.string, let remedy = error["remedy"]?.string
        else { return nil }
        self.init(
            code: code, status: status, message: message, remedy: remedy,
            details: (error["details"]?.array ?? []).compactMap(ConfigError.init(_:)),
            detailsLeftOut: error["detailsLeftOut"]?.int ?? 0)
    }
}
