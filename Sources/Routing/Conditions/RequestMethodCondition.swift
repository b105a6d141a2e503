import Core

/// The condition `http-request-method`: the method of a request. It holds when it is any of these, in the same case.
public struct RequestMethodCondition: Equatable, Sendable {
    /// The methods.
    let methods: [[UInt8]]

    /// A condition with these methods.
    public init(_ methods: [String]) { self.methods = methods.map { Array($0.utf8) } }

    /// Whether it holds.
    func matches(_ facts: borrowing RuleFacts) -> Bool {
        let method = facts.bytes.extracting(facts.method)
        let methods = methods.span
        for index in methods.indices where method.equals(methods[index].span) { return true }
        return false
    }
}
