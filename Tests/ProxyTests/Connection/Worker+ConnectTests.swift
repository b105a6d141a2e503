import Core
import Glibc
import Routing
import Testing

@testable import Proxy

@Suite struct WorkerConnectTests {
    /// What the network says of the target counts against it; what we lack does not.
    @Test(arguments: [
        (ECONNREFUSED, AttemptOutcome.Ending.connectFailed), (EHOSTUNREACH, .connectFailed),
        (ENETUNREACH, .connectFailed), (ENOPROTOOPT, .connectFailed), (EACCES, .connectFailed),
        (EMFILE, .notAttempted), (EADDRNOTAVAIL, .notAttempted), (ENOBUFS, .notAttempted), (EMSGSIZE, .notAttempted),
    ]) func errorsOfTheNetworkAreTheTargets(_ code: Int32, _ ending: AttemptOutcome.Ending) {
        let bench = WorkerBench()
        #expect(bench.worker.connectEnding(code) == ending)
    }

    @Test func withoutADescriptorNothingIsAttempted() throws {
        let target = try LoopbackTarget()
        var worker = try ServingWorker(
            Plans.listener(defaultAction: Plans.forward([0], [1])), [Plans.group(0, "blue", [target.plan])],
            descriptorsMax: 1)
        let pool = TargetPool(target.plan)
        worker.bench.counters.targetConnectionsActive.add()
        guard case .failed(let code) = worker.bench.worker.openTransport(pool, nil, []) else {
            Issue.record("opened beyond the limit")
            return
        }
        #expect(code == EMFILE)
        worker.bench.counters.targetConnectionsActive.subtract()
        guard case .opened(var transport) = worker.bench.worker.openTransport(pool, nil, []) else {
            Issue.record("not opened within the limit")
            return
        }
        transport.close(reset: true, &worker.bench.worker.resources)
        worker.stop()
    }

    // MARK: The name that TLS asks for

    private func name(
        host: String, transformed: String = "", configured: String = "", hasTLS: Bool = true
    ) -> String {
        var bench = WorkerBench()
        let tls = hasTLS ? TargetTLS(verification: .off, serverName: configured) : nil
        bench.adopt(
            [Plans.listener(defaultAction: Plans.forward([0], [1]))],
            [Plans.group(0, "blue", [Plans.target(0)], tls: tls)])
        let exchange = bench.begin(at: Instant(nanoseconds: 1))
        exchange.group = bench.worker.groups[0]
        let request = exchange.request
        let bytes = Array(host.utf8)
        request.authority = request.append(bytes.span)
        let isBracketed = host.hasPrefix("[")
        let hostCount = isBracketed ? host.prefix { $0 != "]" }.utf8.count + 1 : host.prefix { $0 != ":" }.utf8.count
        if !host.isEmpty { request.noteAuthority(hostCount: hostCount) }
        let other = Array(transformed.utf8)
        if !transformed.isEmpty { exchange.record.transformedHost = request.append(other.span) }
        guard let pool = bench.worker.pools[0] else { return "no pool" }
        let name = bench.worker.targetServerName(exchange, pool)
        return String(decoding: name, as: UTF8.self)
    }

    @Test func itIsTheGroupsElseTheHostElseTheAddress() {
        #expect(name(host: "www.example", configured: "fixed.example") == "fixed.example")
        #expect(name(host: "www.example") == "www.example")
        #expect(name(host: "www.example:8443") == "www.example")
        #expect(name(host: "") == "10.0.0.1")
        #expect(name(host: "www.example", hasTLS: false).isEmpty)
    }

    /// The name is the one that the target sees.
    @Test func aTransformChangesIt() {
        #expect(name(host: "www.example", transformed: "internal.example") == "internal.example")
        #expect(name(host: "www.example", transformed: "internal.example:8443") == "internal.example")
        #expect(
            name(host: "www.example", transformed: "internal.example", configured: "fixed.example") == "fixed.example")
    }

    /// Certificates have addresses without brackets.
    @Test func bracketsAreLeftOut() {
        #expect(name(host: "[2001:db8::1]") == "2001:db8::1")
        #expect(name(host: "[2001:db8::1]:443") == "2001:db8::1")
        #expect(name(host: "www.example", transformed: "[::1]:443") == "::1")
    }
}
