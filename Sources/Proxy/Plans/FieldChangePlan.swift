import Core
import Routing

/// What becomes of one field, by a rule.
public struct FieldChangePlan: Sendable {
    /// How a field is changed.
    public enum Action: Sendable { case set, append, remove }

    /// How it is changed.
    let action: Action
    /// Its name, as it is written.
    let name: [UInt8]
    /// Which field that is.
    let id: FieldID
    /// Its value; nothing where it is removed.
    let value: FieldTemplate

    /// A change of the field called `name`.
    public init(_ action: Action, name: String, value: String) {
        self.action = action
        let bytes = Array(name.utf8)
        self.name = bytes
        id = FieldID(bytes.span)
        self.value = FieldTemplate(value)
    }
}

/// What a rule does to the fields of its requests and of the responses to them.
public final class FieldChangesPlan: Sendable {
    /// To those that the target gets.
    let request: [FieldChangePlan]
    /// To those that the client gets.
    let response: [FieldChangePlan]

    /// The changes of a rule, of which there is at least one.
    public init(request: [FieldChangePlan], response: [FieldChangePlan]) {
        self.request = request
        self.response = response
    }
}
