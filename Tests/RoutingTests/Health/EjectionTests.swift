import Core
import Testing

@testable import Routing

@Suite struct EjectionTests {
    private static let second: Nanoseconds = 1_000_000_000
    private static let rules = EjectionRules(
        failuresInARow: 5, margin: 0.2, time: 10 * second, timeMax: 25 * second, percentMax: 50)

    private func at(_ seconds: UInt64) -> Instant { Instant(nanoseconds: (1000 + seconds) * Self.second) }

    struct Case: Sendable, CustomTestStringConvertible {
        let isEjected: Bool, event: Ejection.Event, seconds: UInt64, effect: Ejection.Effect
        var testDescription: String { "\(isEjected ? "ejected" : "used"), \(event) after \(seconds) s" }
    }

    static let cases = [
        Case(isEjected: false, event: .failed(.failuresInARow), seconds: 1, effect: .wasEjected(10 * second)),
        Case(isEjected: false, event: .failed(.errorShare), seconds: 1, effect: .wasEjected(10 * second)),
        Case(isEjected: false, event: .timePassed, seconds: 1, effect: .nothing),
        Case(isEjected: false, event: .released, seconds: 1, effect: .nothing),
        Case(isEjected: true, event: .failed(.failuresInARow), seconds: 1, effect: .nothing),
        Case(isEjected: true, event: .timePassed, seconds: 9, effect: .nothing),
        Case(isEjected: true, event: .timePassed, seconds: 10, effect: .returned),
        Case(isEjected: true, event: .released, seconds: 1, effect: .returned),
    ]

    @Test(arguments: cases) func everyPhaseAndEvent(_ test: Case) {
        var ejection = Ejection()
        if test.isEjected { _ = ejection.receive(.failed(.errorShare), Self.rules, now: at(0)) }
        #expect(ejection.isEjected == test.isEjected)
        let effect = ejection.receive(test.event, Self.rules, now: at(test.seconds))
        #expect(effect == test.effect)
        switch test.effect {
        case .nothing: #expect(ejection.isEjected == test.isEjected)
        case .wasEjected: #expect(ejection.isEjected)
        case .returned: #expect(!ejection.isEjected)
        }
    }

    /// 10, 20, and 25 seconds as the most; a time of 10 seconds in use makes one forgotten.
    @Test func itTakesLongerEachTimeUntilThatIsForgotten() {
        var ejection = Ejection()
        func eject(_ seconds: UInt64) -> Ejection.Effect {
            ejection.receive(.failed(.failuresInARow), Self.rules, now: at(seconds))
        }
        func end(_ seconds: UInt64) {

            let effect = ejection.receive(.timePassed, Self.rules, now: at(seconds))
            #expect(effect == .returned)

        }
        #expect(eject(0) == .wasEjected(10 * Self.second))
        end(10)
        #expect(eject(11) == .wasEjected(20 * Self.second))
        end(31)
        #expect(eject(32) == .wasEjected(25 * Self.second))
        end(57)
        #expect(eject(57 + 25) == .wasEjected(20 * Self.second), "three, of which two are forgotten, and one more")
        end(102)
        #expect(eject(1000) == .wasEjected(10 * Self.second))
    }

    struct Share: Sendable {
        let ejected: Int, registered: Int, usable: Int, needed: Int, isAllowed: Bool
    }

    @Test(arguments: [
        Share(ejected: 0, registered: 2, usable: 2, needed: 0, isAllowed: true),
        Share(ejected: 0, registered: 1, usable: 1, needed: 0, isAllowed: false),
        Share(ejected: 1, registered: 3, usable: 2, needed: 0, isAllowed: false),
        Share(ejected: 1, registered: 4, usable: 3, needed: 1, isAllowed: true),
        Share(ejected: 2, registered: 4, usable: 2, needed: 1, isAllowed: false),
        Share(ejected: 0, registered: 4, usable: 3, needed: 3, isAllowed: false),
        Share(ejected: 0, registered: 0, usable: 0, needed: 0, isAllowed: false),
    ])
    func neverMoreThanAShareAndNeverTheLast(_ test: Share) {
        #expect(
            Self.rules.allow(
                ejected: test.ejected, of: test.registered, usable: test.usable, needed: test.needed)
                == test.isAllowed, "\(test)")
    }

    @Test func rulesAreOffByTheirNumbers() {
        var rules = Self.rules
        #expect(rules.isOn)
        rules.failuresInARow = 0
        #expect(rules.isOn)
        rules.margin = 0
        #expect(!rules.isOn)
    }
}
