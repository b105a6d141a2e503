import Core
import Foundation
import Model
import Testing

@testable import Control

@Suite struct ServiceTests {
    private let folder: TemporaryFolder

    init() throws { folder = try TemporaryFolder() }

    private var socket: String { folder.file("admin.sock") }

    private func write(_ name: String, port: UInt16, state: String = "state", more: String = "") throws -> String {
        let text = """
            admin: { socket: \(socket) }
            runtime: { workers: 1, stateDirectory: \(folder.file(state)) }
            logs: { access: { path: off } }
            loadBalancers:
              - name: web
                addresses: [127.0.0.1]
                listeners:
                  - protocol: HTTP
                    port: \(port)
                    defaultActions: [ { type: fixed-response, fixedResponseConfig: { statusCode: "200" } } ]
            \(more)
            """
        try Data(text.utf8).write(to: URL(fileURLWithPath: folder.file(name)))
        return folder.file(name)
    }

    private func refusal(_ file: String) -> String {
        let error = #expect(throws: StartError.self) {
            try Service(file: file, discardingChanges: false, logger: quiet)
        }
        return error?.description ?? ""
    }

    @Test func refusesWhatCannotBegin() throws {
        let taken = try Socket.listen(on: SocketAddress(literal: "127.0.0.1", port: 0)!, sharesPort: false)
        defer { taken.close() }
        let free = try freePort()
        #expect(refusal(folder.file("missing.yaml")).contains("missing.yaml"))
        #expect(refusal(try write("bad.yaml", port: free, more: "surprise: 1")).contains("surprise"))
        let address = try #require(taken.localAddress)
        #expect(refusal(try write("taken.yaml", port: address.port)).contains("\(address)"))
        #expect(!FileManager.default.fileExists(atPath: socket), "a start that was refused leaves no socket")

        try Data("precious".utf8).write(to: URL(fileURLWithPath: socket))
        #expect(refusal(try write("file.yaml", port: free)).contains(socket))
        #expect(try readFile(socket) == Array("precious".utf8))
    }

    @Test func aSecondOneOnTheSameSocketIsRefused() throws {
        let first = try Socket.listen(onUnixPath: socket, mode: 0o660)
        defer { first.close() }
        #expect(refusal(try write("second.yaml", port: try freePort())).contains(socket))
        #expect(FileManager.default.fileExists(atPath: socket))
    }

    struct BudgetCase: Sendable, CustomTestStringConvertible {
        let descriptors: Int, wanted: Int?, connections: Int, checks: Int, isTight: Bool
        var testDescription: String { "\(descriptors) descriptors, \(wanted ?? 0) wanted" }
    }

    @Test(arguments: [
        BudgetCase(descriptors: 20_000, wanted: nil, connections: 9247, checks: 1250, isTight: false),
        BudgetCase(descriptors: 20_000, wanted: 100, connections: 100, checks: 1250, isTight: false),
        BudgetCase(descriptors: 20_000, wanted: 50_000, connections: 9247, checks: 1250, isTight: false),
        BudgetCase(descriptors: 1024, wanted: nil, connections: 352, checks: 64, isTight: true),
        BudgetCase(descriptors: 1024, wanted: 100, connections: 100, checks: 64, isTight: false),
        BudgetCase(descriptors: 256, wanted: nil, connections: 88, checks: 16, isTight: true),
        BudgetCase(descriptors: 64, wanted: nil, connections: 16, checks: 16, isTight: true),
        BudgetCase(descriptors: 16, wanted: nil, connections: 2, checks: 16, isTight: true),
    ]) func dividesDescriptors(_ test: BudgetCase) {
        let document = Document(runtime: Runtime(workers: 2, connections: test.wanted))
        let budget = DescriptorBudget(document, descriptors: test.descriptors)
        #expect(budget.workerCount == 2)
        #expect(budget.connectionsMax == test.connections)
        #expect(budget.runningChecksMax == test.checks)
        #expect(budget.isTight == test.isTight)
    }
}
