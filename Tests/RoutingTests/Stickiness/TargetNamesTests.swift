import Testing

@testable import Routing

@Suite struct TargetNamesTests {
    @Test(arguments: [0, 1, 2, 3, 100, 10_000]) func everyTargetIsFound(count: Int) {
        let names = (0..<count).map { number in
            var hash = FlowHash()
            hash.add(UInt64(number))
            return hash.value
        }
        let table = TargetNames(names)
        for (index, name) in names.enumerated() { #expect(table.index(of: name) == index) }
        for name: UInt64 in [0, 1, .max] where !names.contains(name) { #expect(table.index(of: name) == nil) }
    }

    /// Hashes that all begin at the same place of the table.
    @Test func neighboursAreToldApart() {
        let names = (0..<8).map { UInt64($0) << 32 | 5 }
        let table = TargetNames(names)
        for (index, name) in names.enumerated() { #expect(table.index(of: name) == index) }
        #expect(table.index(of: 99 << 32 | 5) == nil && table.index(of: 6) == nil)
    }

    @Test func ofTwoWithOneNameTheFirstIsFound() { #expect(TargetNames([7, 8, 7]).index(of: 7) == 0) }
}
