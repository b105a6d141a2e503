/// One line of the access log in ALB's format: 34 fields separated by spaces, some in double quotes.
///
/// Source: docs/elbv2.md, "Access log". Fields are counted from 1, as there.
struct AccessLogLine: Sendable {
    /// The line as it was written.
    let line: String
    private let fields: [String]

    /// Cuts a line into its fields.
    init(_ line: String) {
        self.line = line
        var fields: [String] = []
        var field = ""
        var quoted = false
        for character in line {
            switch character {
            case "\"": quoted.toggle()
            case " " where !quoted:
                fields.append(field)
                field = ""
            default: field.append(character)
            }
        }
        self.fields = fields + [field]
    }

    /// How many fields it has; ALB's have 34.
    var fieldsCount: Int { fields.count }
    /// A field by its number; empty when there are fewer.
    subscript(_ number: Int) -> String { fields.indices.contains(number - 1) ? fields[number - 1] : "" }

    var kind: String { self[1] }
    var time: String { self[2] }
    var client: String { self[4] }
    var target: String { self[5] }
    var requestProcessingSeconds: Double? { Double(self[6]) }
    var targetProcessingSeconds: Double? { Double(self[7]) }
    var status: Int? { Int(self[9]) }
    /// `nil` for `-`: no target answered.
    var targetStatus: Int? { Int(self[10]) }
    var receivedBytes: Int? { Int(self[11]) }
    var sentBytes: Int? { Int(self[12]) }
    /// METHOD scheme://host:port/uri HTTP/x.
    var request: String { self[13] }
    var targetGroup: String { self[17] }
    var traceID: String { self[18] }
    var rulePriority: String { self[21] }
    var actions: String { self[23] }
    var redirectURL: String { self[24] }
    var errorReason: String { self[25] }
    var classification: String { self[28] }
    var classificationReason: String { self[29] }
}
