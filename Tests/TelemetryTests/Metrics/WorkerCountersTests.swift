import Testing

@testable import Telemetry

@Suite struct WorkerCountersTests {
    static let classes: [(UInt16, StatusClass)] = [
        (100, .informational), (199, .informational), (200, .success), (299, .success), (301, .redirection),
        (404, .clientError), (499, .clientError), (500, .serverError), (599, .serverError),
    ]

    @Test(arguments: classes) func classifies(status: UInt16, expected: StatusClass) {
        #expect(StatusClass(status) == expected)
    }

    @Test func namesGeneratedStatusesByTheirCode() {
        var known: [UInt16] = []
        for code in UInt16(100)...599 {
            guard let status = GeneratedStatus(code: code) else { continue }
            #expect("\(status.label)" == "\(code)")
            known.append(code)
        }
        #expect(known == [400, 405, 408, 413, 414, 417, 421, 429, 460, 463, 464, 500, 501, 502, 503, 504, 505, 507])
    }

    @Test func countsGeneratedResponsesTwice() {
        let counters = WorkerCounters()
        counters.countGenerated(status: 502)
        counters.countGenerated(status: 502)
        counters.countGenerated(status: 400)
        #expect(counters.generatedStatuses.value(.badGateway) == 2)
        #expect(counters.generatedResponses.value(.serverError) == 2)
        #expect(counters.generatedResponses.value(.clientError) == 1)
    }

    /// 460 says that there was nobody left to answer.
    @Test func counts460AsNoResponse() {
        let counters = WorkerCounters()
        counters.countGenerated(status: 460)
        #expect(counters.generatedStatuses.value(.clientClosed) == 1)
        #expect(counters.generatedResponses.value(.clientError) == 0)
    }
}
