import Model
import Testing

@testable import Control

/// Lists of instances as bytes.
@Suite struct InstanceListTests {
    private func read(_ text: String) -> Result<FoundTargets, ConfigErrors> {
        FoundTargets.read(Array(text.utf8), file: "a.json")
    }

    @Test func namesAndRefusals() throws {
        let found = try read(#"[{"id": "a", "address": "10.0.0.1", "port": 1}, {"id": "b", "port": 0}]"#).get()
        #expect(
            found.targets == [
                Discovered.Target(TargetDescription(id: "10.0.0.1", port: 1), name: "a", identity: "a")
            ])
        #expect(found.refusals.map(\.name) == ["b"])
    }

    @Test func nothingIsAnAnswer() throws { #expect(try read("[]").get() == FoundTargets()) }

    /// What is wrong as a whole must not take out what was there.
    @Test(arguments: ["", "[", "{}", "null", "[1]", #"[{"id": "a b"}, {"id": 7}]"#, "[[[[[[", "\u{0}"])
    func whatIsNoListIsAFailure(text: String) {
        guard case .failure(let error) = read(text) else {
            Issue.record("read: \(text)")
            return
        }
        #expect(error.first.file == "a.json")
    }

    @Test func whatIsTooLongIsNotRead() {
        let bytes = [UInt8](repeating: 0x20, count: Limits.discoveryBytesMax + 1)
        guard case .failure = FoundTargets.read(bytes, file: "a.json") else {
            Issue.record("read")
            return
        }
    }
}
