/// What a rule does to a header field of its requests, or of the responses to them: an element of
/// `apus.requestHeaders` and `apus.responseHeaders`.
public struct FieldChange: Hashable, Sendable {
    /// How the field is changed.
    public enum Action: String, Hashable, Sendable, CaseIterable {
        /// It gets this value, in place of all that it has.
        case set
        /// It gets this value beside those that it has.
        case append
        /// It is removed.
        case remove
    }

    /// How the field is changed.
    public var action: Action
    /// Its name, in any case.
    public var name: String
    /// Literal text and placeholders of the request, such as `#{host}`; nil where the field is removed.
    public var value: String?

    /// A change of a field.
    public init(action: Action, name: String, value: String? = nil) {
        self.action = action
        self.name = name
        self.value = value
    }
}
