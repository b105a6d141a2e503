import COpenSSL
import Testing

@testable import TLS

@Suite struct TLSCertificateTests {
    private func problem(
        _ chain: [UInt8], _ key: [UInt8], ocsp: [UInt8]? = nil, now: Int = Minted.now
    ) -> String? {
        do throws(TLSMaterialError) {
            _ = try TLSCertificate(chain: chain, privateKey: key, name: "a.pem", ocspResponse: ocsp, now: now)
            return nil
        } catch {
            #expect(error.problem.hasSuffix(".") && error.remedy.hasSuffix("."))
            #expect(error.problem.contains("a.pem"))
            #expect(error.description == "\(error.problem) \(error.remedy)")
            return error.problem
        }
    }

    private func problem(_ minted: Minted) -> String? { problem(minted.chainPEM, minted.keyPEM) }

    @Test func hasItsFacts() {
        let served = Mint.ecdsa.served("a.pem")
        #expect(served.name == "a.pem")
        #expect(served.names == ["a.example.com", "localhost", "*.wild.example.com"])
        #expect(served.key == .ecdsa(.p256))
        #expect(abs(served.notBefore - (Minted.now - Minted.day)) < 60)
        #expect(abs(served.notAfter - (Minted.now + 30 * Minted.day)) < 60)
        #expect(served.fingerprint.count == 32)
        #expect(served.fingerprint != Mint.rsa.served().fingerprint)
        #expect(Mint.rsa.served().key == .rsa(bits: 2048))
        #expect(Minted("a", kind: .p384).served().key == .ecdsa(.p384))
        #expect(Minted("a", kind: .p521).served().key == .ecdsa(.p521))
    }

    @Test func theCommonNameCountsOnlyWithoutAlternativeNames() {
        #expect(Minted("Common.Example.COM").served().names == ["common.example.com"])
        #expect(Minted("common.example.com", names: "DNS:other.test").served().names == ["other.test"])
        #expect(Minted("common.example.com", names: "IP:127.0.0.1").served().names == [])
        #expect(Minted("not a host name").served().names == [])
    }

    @Test func keysMayBePKCS8OrTraditional() {
        for minted in [Mint.ecdsa, Mint.rsa] {
            #expect(problem(minted.chainPEM, minted.keyPEM) == nil)
            #expect(problem(minted.chainPEM, minted.traditionalKeyPEM) == nil)
        }
    }

    @Test func anEncryptedKeyIsRefusedByName() {
        #expect(
            problem(Mint.ecdsa.chainPEM, Mint.ecdsa.encryptedKeyPEM)
                == "The private key of certificate a.pem is encrypted.")
        let old = Array("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: x\n\n".utf8)
        #expect(problem(Mint.ecdsa.chainPEM, old) == "The private key of certificate a.pem is encrypted.")
    }

    @Test func rejectsOtherFiles() {
        #expect(problem([], Mint.ecdsa.keyPEM) == "There is no certificate in a.pem.")
        #expect(problem(Mint.ecdsa.keyPEM, Mint.ecdsa.keyPEM) == "There is no certificate in a.pem.")
        let cut = Array(Mint.ecdsa.pem.dropLast(40))
        #expect(problem(cut, Mint.ecdsa.keyPEM)?.hasPrefix("The PEM of certificate a.pem cannot be read (") == true)
        for key in [[], Mint.ecdsa.pem, Array(Mint.ecdsa.keyPEM.dropLast(40))] {
            #expect(problem(Mint.ecdsa.pem, key)?.hasPrefix("The private key of certificate a.pem cannot be") == true)
        }
        #expect(
            problem(Mint.ecdsa.chainPEM, Mint.rsa.keyPEM) == "The private key does not belong to certificate a.pem.")
    }

    @Test func everyPrefixOfACertificateIsRefused() {
        let pem = Mint.ecdsa.pem
        for count in stride(from: 0, to: pem.count - 1, by: 7) {
            #expect(problem(Array(pem[..<count]), Mint.ecdsa.keyPEM) != nil)
        }
    }

    @Test func checksValidity() {
        let (pem, key) = (Mint.ecdsa.chainPEM, Mint.ecdsa.keyPEM)
        let (early, late) = (Minted.now - 2 * Minted.day, Minted.now + 31 * Minted.day)
        #expect(problem(pem, key, now: early)?.hasPrefix("Certificate a.pem is not valid yet, but from 20") == true)
        #expect(problem(pem, key, now: late)?.hasPrefix("Certificate a.pem expired at 20") == true)
    }

    @Test func weakAndUnusualKeysAreRefused() {
        #expect(
            problem(Minted("a", kind: .rsa(1024))) == "The RSA key of certificate a.pem has 1024 bits, 2048 at least.")
        for kind in [Minted.KeyKind.ed25519, .secp256k1] {
            #expect(problem(Minted("a", kind: kind))?.contains("is neither RSA nor ECDSA on P-256") == true)
        }
    }

    @Test func weakSignaturesAreRefusedExceptOfRoots() {
        let weak = "has a signature weaker than SHA-256."
        #expect(problem(Minted("a", by: Mint.root, digest: "SHA1"))?.contains(weak) == true)
        let middle = Minted("Middle", by: Mint.root, isCA: true, digest: "SHA1")
        #expect(problem(Minted("a", by: middle))?.contains("CN=Middle") == true)
        let oldRoot = Minted("Old root", isCA: true, digest: "SHA1")
        let fine = Minted("a", by: oldRoot)
        #expect(problem(fine.pem + oldRoot.pem, fine.keyPEM) == nil)
    }

    @Test func weakIssuersAreRefused() {
        let old = Minted("Old root", kind: .rsa(1024), isCA: true)
        let middle = Minted("Middle", by: old, isCA: true)
        let leaf = Minted("a", by: middle)
        #expect(problem(leaf.pem + middle.pem + old.pem, leaf.keyPEM)?.hasPrefix("Certificate CN=Old root") == true)
        #expect(problem(leaf.pem + middle.pem, leaf.keyPEM) == nil)
    }

    @Test func eachLinkOfTheChainIsChecked() {
        let (leaf, middle, root) = (Mint.ecdsa, Mint.intermediate, Mint.root)
        #expect(problem(leaf.pem + middle.pem + root.pem, leaf.keyPEM) == nil)
        #expect(problem(leaf.pem, leaf.keyPEM) == nil)
        let broken = problem(leaf.pem + root.pem, leaf.keyPEM)
        #expect(broken?.contains("CN=ecdsa,O=Apus tests was not issued by the certificate behind it, CN=Root") == true)
        // The issuer's name alone is not enough.
        let namesake = Minted("Intermediate", by: root, isCA: true)
        #expect(problem(leaf.pem + namesake.pem, leaf.keyPEM)?.contains("was not issued by") == true)
        #expect(problem(middle.pem + leaf.pem, leaf.keyPEM) != nil)
    }

    @Test func chainLengthIsLimited() {
        let many = (0..<11).flatMap { _ in Mint.ecdsa.pem }
        #expect(problem(many, Mint.ecdsa.keyPEM) == "The chain of certificate a.pem has 11 certificates, 10 at most.")
        let names = (0..<400).map { "DNS:\($0).a-rather-long-name-to-fill-the-certificate.example.com" }
        let large = Minted("large", names: names.joined(separator: ","))
        let problem = problem(large.pem + large.pem + large.pem, large.keyPEM)
        #expect(problem?.hasSuffix("bytes, 40960 at most.") == true)
    }
}
