import Core
import RegularExpressions

@testable import Routing

/// A request for conditions to look at.
struct SampleRequest: Sendable {
    var method = "GET"
    var host = "a.example"
    var path = "/"
    /// With its question mark.
    var query = ""
    var fields: [(name: String, value: String)] = []
    var client = "192.0.2.1"

    /// Its head, as a parser would have made it.
    var head: Head {
        let head = Head()
        head.appendMethod(Array(method.utf8).span)
        head.authority = head.append(Array(host.utf8).span)
        head.noteAuthority(hostCount: host.utf8.count)
        head.path = head.append(Array(path.utf8).span)
        head.query = head.append(Array(query.utf8).span)
        for field in fields {
            let name = Array(field.name.utf8)
            let line = head.appendFieldLine(name.span, Array(field.value.utf8).span)
            head.addField(name: line.name, value: line.value, id: FieldID(name.span))
        }
        return head
    }

    /// Whether `condition` holds for it.
    func meets(_ condition: CompiledCondition) -> Bool {
        let head = head
        return condition.matches(
            RuleFacts(head, host: head.host, client: SocketAddress(literal: client, port: 4000)!))
    }

    /// What testing `condition` comes to for it.
    func test(_ condition: CompiledCondition) -> ConditionOutcome {
        let head = head
        return condition.test(
            RuleFacts(head, host: head.host, client: SocketAddress(literal: client, port: 4000)!), in: MatchSpace())
    }
}

extension CompiledCondition {
    /// Whether it holds, which has no regular expressions.
    func matches(_ facts: borrowing RuleFacts) -> Bool { test(facts, in: nil) == .holds }
}
