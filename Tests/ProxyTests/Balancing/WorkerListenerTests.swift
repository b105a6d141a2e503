import Core
import HTTP1
import Routing
import Testing

@testable import Proxy

@Suite struct WorkerListenerTests {
    private func group(_ id: Int, _ name: String) -> Group {
        let plan = Plans.group(id, name, [])
        return Group(plan, pools: [], random: 0)
    }

    private func forward(_ groups: [Group], _ weights: [Int]) -> Forward {
        Forward(
            ForwardPlan(groups: groups.map(\.plan.id), weights: weights), groups: groups,
            turns: SmoothWeights(weights: weights))
    }

    @Test func readsItsPlan() {
        var settings = Plans.settings
        settings.dropsInvalidNames = true
        let listener = WorkerListener(Plans.listener(settings: settings), actions: [], tickets: Plans.tickets)
        #expect(listener.logName == Array("app/web".utf8))
        #expect(listener.settings == settings)
        #expect(listener.options == RequestOptions(dropsInvalidNames: true, keepsDuplicateHosts: false))
        #expect(!listener.isRemoved)

        settings.dropsInvalidNames = false
        settings.preservesHost = true
        let after = Plans.listener(settings: settings)
        listener.adopt(after, actions: [], tickets: Plans.tickets)
        #expect(listener.plan === after && listener.settings == settings)
        #expect(listener.options == RequestOptions(dropsInvalidNames: false, keepsDuplicateHosts: true))
    }

    /// The forward action of a rule is found by its priority, whatever its place; the default action comes last.
    @Test func findsForwardsByPriority() {
        let blue = group(0, "blue"), green = group(1, "green")
        let first = forward([blue], [1]), last = forward([green], [1])
        let plan = Plans.listener(
            rules: [(10, .forward(first.plan)), (20, Plans.fixed(200))], defaultAction: .forward(last.plan))
        let fixed = FixedResponsePlan(status: 200, contentType: [], body: [])
        let listener = WorkerListener(
            plan, actions: [.forward(first), .fixedResponse(fixed), .forward(last)], tickets: Plans.tickets)
        #expect(listener.forward(priority: 10) === first)
        #expect(listener.forward(priority: 20) == nil, "does not forward")
        #expect(listener.forward(priority: 30) == nil, "is not there")
        #expect(listener.forward(priority: nil) === last)
    }

    @Test func theDefaultActionNeedNotForward() {
        let fixed = FixedResponsePlan(status: 200, contentType: [], body: [])
        let listener = WorkerListener(Plans.listener(), actions: [.fixedResponse(fixed)], tickets: Plans.tickets)
        #expect(listener.forward(priority: nil) == nil)
    }

    /// On a listener of one address every client has connected to that. On one of all addresses the socket of the
    /// client knows, and is asked once.
    @Test(arguments: [("127.0.0.1", true), ("0.0.0.0", false)])
    func knowsWhatClientsConnectTo(_ host: String, isOfListener: Bool) throws {
        let address = try #require(SocketAddress(literal: host, port: 0))
        let listening = try Socket.listen(on: address, sharesPort: false)
        defer { listening.close() }
        let other = try Socket.listen(on: address, sharesPort: false)
        defer { other.close() }
        let listener = WorkerListener(Plans.listener(), actions: [], tickets: Plans.tickets)
        listener.recordAddress(of: listening)

        var known: SocketAddress?
        let first = listener.localAddress(of: other, known: &known)
        #expect(first == (isOfListener ? listening : other).localAddress)
        #expect(known == (isOfListener ? nil : first))
        #expect(listener.localAddress(of: listening, known: &known) == first)
    }

    // MARK: Forward

    @Test func takesTurnsByWeight() {
        let groups = [group(4, "blue"), group(7, "green")]
        let forward = forward(groups, [3, 1])
        let names = (0..<40).map { _ in forward.next()?.plan.name }
        #expect(names.filter { $0 == "blue" }.count == 30)
        #expect(names.filter { $0 == "green" }.count == 10)
    }

    @Test func weightsOfZeroPickNoGroup() {
        let forward = forward([group(0, "blue"), group(1, "green")], [0, 0])
        #expect(forward.next() == nil)
    }

    /// An id that another group has taken over, or nobody, makes a forward outdated.
    @Test func knowsWhetherItsGroupsAreStillThere() {
        let blue = group(0, "blue"), green = group(2, "green")
        let forward = forward([blue, green], [1, 1])
        #expect(forward.isCurrent(in: [blue, nil, green]))
        #expect(!forward.isCurrent(in: [blue, nil, nil]))
        #expect(!forward.isCurrent(in: [blue, nil, group(2, "green")]))
        #expect(!forward.isCurrent(in: [green, nil, blue]))
    }

    @Test func aGroupForEveryName() async {
        await #expect(processExitsWith: .failure) {
            _ = Forward(
                ForwardPlan(groups: [0], weights: [1]), groups: [], turns: SmoothWeights(weights: [1]))
        }
    }
}
