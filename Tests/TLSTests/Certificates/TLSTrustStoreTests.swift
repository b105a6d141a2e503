import Testing

@testable import TLS

@Suite struct TLSTrustStoreTests {
    private func problem(
        _ bundle: [UInt8], _ crls: [[UInt8]] = [], advertisesNames: Bool = false
    ) -> String? {
        do throws(TLSMaterialError) {
            _ = try TLSTrustStore(
                caBundle: bundle, crls: crls, ignoresExpiry: false, advertisesNames: advertisesNames)
            return nil
        } catch {
            #expect(error.problem.hasSuffix(".") && error.remedy.hasSuffix("."))
            return error.problem
        }
    }

    @Test func commentsAndBlankLinesAreFine() {
        let bundle = Array("# The first\n\n".utf8) + Mint.root.pem + Array("\n# Another\n".utf8) + Mint.other.pem
        #expect(problem(bundle, [Mint.root.revoking([])]) == nil)
    }

    @Test func rejectsAFileWithoutCertificates() {
        #expect(problem([]) == "There is no certificate in the CA bundle.")
        #expect(problem(Array("nothing".utf8)) == "There is no certificate in the CA bundle.")
        let broken = Array(Mint.root.pem.dropLast(40))
        #expect(problem(broken)?.hasPrefix("The PEM of the CA bundle cannot be read (") == true)
        #expect(problem(Mint.root.pem + broken)?.hasPrefix("The PEM of the CA bundle cannot be read (") == true)
    }

    @Test func rejectsAFileWithoutRevocationList() {
        #expect(problem(Mint.root.pem, [[]])?.hasPrefix("The PEM of a revocation list cannot be read") == true)
        #expect(problem(Mint.root.pem, [Mint.root.pem])?.hasPrefix("The PEM of a revocation list") == true)
        let many = [[UInt8]](repeating: Mint.root.revoking([]), count: 31)
        #expect(problem(Mint.root.pem, many) == "There are more than 30 revocation lists.")
    }

    @Test func sizesAreLimited() {
        let names = (0..<300).map { "DNS:\($0).a-rather-long-name-to-fill-the-certificate.example.com" }
        let large = Minted("large", names: names.joined(separator: ","), isCA: true)
        #expect(problem(large.pem)?.hasSuffix("has more than 16384 bytes.") == true)
        let many = (0...1000).flatMap { _ in Mint.root.pem }
        #expect(problem(many) == "The CA bundle has 1001 certificates, 1000 at most.")
        let some = (0..<900).flatMap { _ in Mint.root.pem }
        #expect(problem(some) == nil)
        #expect(problem(some, advertisesNames: true)?.hasPrefix("The names of the CAs have") == true)
    }

    @Test func digestCoversEverything() throws {
        func digest(_ bundle: [UInt8], _ crls: [[UInt8]] = [], expiry: Bool = false, names: Bool = false) throws
            -> [UInt8]
        {
            try TLSTrustStore(caBundle: bundle, crls: crls, ignoresExpiry: expiry, advertisesNames: names).digest
        }
        let list = Mint.root.revoking([])
        let digests = [
            try digest(Mint.root.pem), try digest(Mint.other.pem), try digest(Mint.root.pem, [list]),
            try digest(Mint.root.pem, expiry: true), try digest(Mint.root.pem, names: true),
        ]
        #expect(Set(digests).count == 5)
        #expect(try digest(Mint.root.pem, [list]) == digests[2])
        let filtered = try TLSTrustStore(
            caBundle: Mint.root.pem, crls: [], ignoresExpiry: false, advertisesNames: false,
            identityFilters: IdentityFilters([.init(.commonName, "a")]))
        #expect(!digests.contains(filtered.digest))
    }
}
