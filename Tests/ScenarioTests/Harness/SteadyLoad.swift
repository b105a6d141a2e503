import Foundation
import Glibc
import Testing

/// Clients of HTTP/2, gRPC or WebSocket in a process of their own, which check every answer: `steady_load`.
///
/// Shape: bounded in time; killed when let go.
final class SteadyLoad: Sendable {
    /// What the clients speak, always over TLS.
    enum Kind: String { case http2, grpc, websocket }

    /// What the clients have seen.
    struct Report: Sendable {
        /// Requests, calls or messages that were answered, rightly or not.
        let answeredCount: Int
        /// Connections that were opened.
        let connectionCount: Int
        /// How many requests, calls, messages or connections failed, and the first of them.
        let failedCount: Int
        let failures: [String]
    }

    private let child: ChildProcess

    /// Starts so many clients of the listener on `port`, whose certificate the authority at `roots` has issued, for
    /// `seconds` at most.
    init(_ kind: Kind, port: UInt16, roots: String, clients: Int, seconds: Double, in folder: String) throws {
        child = try ChildProcess(
            [Tool.python, Tool.script("steady_load"), kind.rawValue, "\(port)", roots, "\(clients)", "\(seconds)"],
            folder: folder,
            label: "steady-\(kind.rawValue)-\(UUID().uuidString)")
    }

    /// What the clients have seen so far.
    var soFar: Report {
        let lines = child.standardOutput.split(separator: "\n", omittingEmptySubsequences: false).dropLast()
        let line = lines.last.map { JSON(parsing: Array($0.utf8)) } ?? .null
        return Report(
            answeredCount: line["answered"].int ?? 0, connectionCount: line["connections"].int ?? 0,
            failedCount: line["failed"].int ?? 0, failures: line["failures"].elements.compactMap(\.string))
    }

    /// Stops after what is under way, and returns the report.
    func finish(sourceLocation: SourceLocation = #_sourceLocation) -> Report {
        child.signal(SIGTERM)
        let status = child.waitForExit(within: 90)
        #expect(status == .exited(0), "\(child.standardError.suffix(2_000))", sourceLocation: sourceLocation)
        return soFar
    }
}
