import Testing

@testable import TLS

@Suite struct CertificateTableTests {
    typealias Entry = CertificateTable.Entry
    typealias Choice = CertificateTable.Choice

    private func ecdsa(_ names: [String], bits: Int = 256, until: Int = 0) -> Entry {
        Entry(names: names, isECDSA: true, bits: bits, notAfter: until)
    }

    private func rsa(_ names: [String], bits: Int = 2048, until: Int = 0) -> Entry {
        Entry(names: names, isECDSA: false, bits: bits, notAfter: until)
    }

    private func choose(_ name: String, _ entries: [Entry]) -> Choice {
        let table = CertificateTable(entries)
        return table.sets[table.set(for: Array(name.utf8)) ?? 0]
    }

    @Test func exactBeforeWildcardBeforeDefault() {
        let entries = [ecdsa(["default.test"]), ecdsa(["*.a.test"]), ecdsa(["x.a.test"]), ecdsa(["*.test"])]
        for (name, index) in [
            ("default.test", 0), ("y.a.test", 1), ("x.a.test", 2), ("b.test", 3), ("a.test", 3), ("x.y.a.test", 0),
            ("test", 0), (".test", 0), ("", 0), (".", 0), ("x.", 0), ("other", 0), ("*.a.test", 1),
        ] {
            #expect(choose(name, entries) == Choice(ecdsa: index), "\(name)")
        }
    }

    @Test func oneOfEachKindIsOfferedTogether() {
        let entries = [ecdsa(["a.test"]), rsa(["b.test"]), ecdsa(["b.test"]), rsa(["c.test"])]
        #expect(choose("b.test", entries) == Choice(ecdsa: 2, rsa: 1))
        #expect(choose("c.test", entries) == Choice(rsa: 3))
        #expect(choose("d.test", entries) == Choice(ecdsa: 0))
    }

    @Test func theLongestKeyWinsThenTheOneValidLongestThenTheFirst() {
        let names = ["a.test"]
        #expect(choose("a.test", [rsa(["x"]), rsa(names), rsa(names, bits: 4096), rsa(names)]).rsa == 2)
        #expect(choose("a.test", [rsa(["x"]), rsa(names, until: 5), rsa(names, until: 7)]).rsa == 2)
        #expect(choose("a.test", [rsa(["x"]), rsa(names, bits: 4096, until: 5), rsa(names, until: 7)]).rsa == 1)
        #expect(choose("a.test", [rsa(["x"]), rsa(names, until: 5), rsa(names, until: 5)]).rsa == 1)
        #expect(choose("a.test", [ecdsa(["x"]), ecdsa(names), ecdsa(names, bits: 384)]).ecdsa == 2)
    }

    @Test func defaultSetHasBothKindsForTheSameNames() {
        let names = ["a.test", "b.test"]
        #expect(choose("none", [rsa(names), ecdsa(names.reversed())]) == Choice(ecdsa: 1, rsa: 0))
        #expect(choose("none", [rsa(names), ecdsa(["a.test"])]) == Choice(rsa: 0))
        #expect(choose("none", [rsa([]), ecdsa([])]) == Choice(rsa: 0))
        // A stronger certificate of the same kind does not replace it.
        #expect(choose("none", [rsa(names), rsa(names, bits: 4096)]) == Choice(rsa: 0))
    }

    @Test func wildcardCompletesTheSet() {
        let entries = [ecdsa(["x"]), ecdsa(["a.b.test"]), rsa(["*.b.test"]), ecdsa(["*.b.test"], bits: 384)]
        #expect(choose("a.b.test", entries) == Choice(ecdsa: 1, rsa: 2))
        #expect(choose("c.b.test", entries) == Choice(ecdsa: 3, rsa: 2))
    }

    @Test func equalSetsAreShared() {
        let names = (0..<10_000).map { "host\($0).test" }
        #expect(CertificateTable([ecdsa(names)]).sets == [Choice(ecdsa: 0)])
    }
}
