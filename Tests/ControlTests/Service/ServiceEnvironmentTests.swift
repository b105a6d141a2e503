import Testing

@testable import Control

@Suite struct ServiceEnvironmentTests {
    @Test func saysNothingWithoutVariables() {
        #expect(ServiceEnvironment([:]) == ServiceEnvironment())
    }

    @Test func readsWhatSystemdSays() {
        let environment = ServiceEnvironment(
            ["NOTIFY_SOCKET": "/run/systemd/notify", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "12"], processID: 12)
        #expect(environment.notifySocket == "/run/systemd/notify" && environment.mistakes.isEmpty)
        #expect(environment.watchdogTime == 30_000_000_000)
    }

    @Test func theWatchdogOfAnotherProcessIsNotOurs() {
        for id in ["13", "", "twelve", "012"] {
            let variables = ["NOTIFY_SOCKET": "@a", "WATCHDOG_USEC": "1000", "WATCHDOG_PID": id]
            let environment = ServiceEnvironment(variables, processID: 12)
            #expect(environment.watchdogTime == nil && environment.notifySocket == "@a", "\(id)")
        }
        #expect(ServiceEnvironment(["WATCHDOG_USEC": "1000"], processID: 12).watchdogTime == 1_000_000)
    }

    /// It is another process, for which nothing is meant that names this one.
    @Test func aSuccessorGetsToKnowWhomToTell() {
        #expect(ServiceEnvironment().variablesOfSuccessor.isEmpty)
        let variables = [
            "NOTIFY_SOCKET": "@a", "WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "12", "LISTEN_FDS": "1",
            "LISTEN_PID": "12",
        ]
        let environment = ServiceEnvironment(variables, processID: 12)
        #expect(environment.variablesOfSuccessor == ["NOTIFY_SOCKET=@a", "WATCHDOG_USEC=30000000"])
    }

    @Test func socketsAreForTheProcessThatIsNamed() {
        let variables = ["LISTEN_FDS": "3", "LISTEN_PID": "12", "LISTEN_FDNAMES": "web::dns"]
        let environment = ServiceEnvironment(variables, processID: 12)
        #expect(environment.passedCount == 3 && environment.passedNames == ["web", "", "dns"])
        #expect(ServiceEnvironment(variables, processID: 13) == ServiceEnvironment())
        #expect(ServiceEnvironment(["LISTEN_FDS": "3"]) == ServiceEnvironment(), "nobody is named")
        for text in ["-1", "4097", "many", "99999999999"] {
            let environment = ServiceEnvironment(["LISTEN_FDS": text, "LISTEN_PID": "1"], processID: 1)
            #expect(environment.passedCount == 0 && environment.mistakes.count == 1, "\(text)")
        }
    }

    @Test(arguments: ["0", "-1", "soon", "1.5", " 1", "99999999999999999999", "18446744073709551615"])
    func leavesNonsenseAside(text: String) {
        let environment = ServiceEnvironment(["WATCHDOG_USEC": text])
        #expect(environment.watchdogTime == nil)
        #expect(environment.mistakes == ["WATCHDOG_USEC is \(text), which is no number of microseconds."])
    }
}
