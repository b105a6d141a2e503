import Core
import Foundation
import Model
import Testing

@testable import Control

/// Which role each method of each path takes: as docs/admin-api.md says, and before anything else is looked at.
@Suite struct AdminRoutesRolesTests {
    /// Each method with its path and its role, in the order of the table.
    private static func declared(_ routes: AdminRoutes) -> [String] {
        routes.table.flatMap { route in route.methods.map { "\($0.name) \(route.pattern) \($0.role.name)" } }
    }

    private static func routes() -> (AdminRoutes, RecordingActions) {
        let actions = RecordingActions(document: AdminHarness.document, loop: ControlLoop())
        return (AdminRoutes(actions), actions)
    }

    @Test func thePageHasEveryRoute() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let page = try String(contentsOf: root.appendingPathComponent("docs/admin-api.md"), encoding: .utf8)
        var listed: [String] = []
        for line in page.split(separator: "\n") where line.hasPrefix("| `/") {
            let cells = line.split(separator: "|", omittingEmptySubsequences: false)
                .map { $0.trimmingCharacters(in: .whitespaces) }
            let paths = cells[1].split(separator: ",").map { $0.filter { !"` ".contains($0) } }
            var methods = cells[2].isEmpty ? [] : ["GET \(cells[2])"]
            methods += cells[3].split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces) }
            for path in paths {
                for method in methods {
                    let words = method.filter { $0 != "`" }.split(separator: " ")
                    try #require(words.count == 2, "\(line)")
                    listed.append("\(words[0]) \(path) \(words[1])")
                }
            }
        }
        #expect(listed.count > 30)
        #expect(listed.sorted() == Self.declared(Self.routes().0).sorted())
    }

    /// Whatever a route is asked for with, nothing is done for a client that has no role for it.
    @Test func nothingIsDoneWithoutTheRole() throws {
        let (routes, actions) = Self.routes()
        let refusal = AdminError(code: "AccessDenied", status: 403, message: "No.", remedy: "No.")
        for route in routes.table {
            // No name of the path is looked at before the role is.
            let path = "/" + route.segments.map { $0.first == "{" ? "80" : String($0) }.joined(separator: "/")
            for (name, role, _) in route.methods {
                var needed: [AdminRole] = []
                var status: UInt16?
                routes.answer(
                    Self.request(name, path), for: Requester(),
                    unless: { role in
                        needed.append(role)
                        return refusal
                    }
                ) { status = $0.status }
                #expect(status == 403 && needed == [role], "\(name) \(path)")
            }
        }
        #expect(actions.asked.isEmpty)
    }

    private static func request(_ method: String, _ path: String) -> AdminRequest {
        let head = Head()
        head.appendMethod(Array(method.utf8).span)
        head.path = head.append(Array(path.utf8).span)
        return AdminRequest(head: head, body: Array("{}".utf8), client: nil)
    }

    /// Nothing that changes what is served is for the role `read`, and nothing that only reads takes more.
    @Test func readingIsForAllRoles() {
        for route in Self.routes().0.table {
            for (name, role, _) in route.methods {
                let reads = name == "GET" || route.pattern == "/v1/explain"
                #expect(reads == (role == .read), "\(name) \(route.pattern)")
            }
        }
    }
}
