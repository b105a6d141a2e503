import Core
import Foundation
import Model
import TLS
import TestCertificates
import Testing

@testable import Control

/// What the files that a document names hold: read before it is in force, and again when they change.
@Suite struct CertificateStoreTests {
    static let authority = TestAuthority()
    static let first = authority.issue(["localhost"])
    static let second = authority.issue(["localhost"])

    /// A folder with a certificate under the names that the document uses.
    private final class Scene {
        let folder: TemporaryFolder
        let store: CertificateStore

        init() throws {
            folder = try TemporaryFolder()
            store = CertificateStore(configurationFile: folder.file("apus.yaml"))
            write(CertificateStoreTests.first)
            write("roots.pem", CertificateStoreTests.authority.own.certificate)
            write("list.pem", CertificateStoreTests.authority.revocationList([]))
        }

        func write(_ pair: TestAuthority.Pair) {
            write("a.pem", pair.certificate)
            write("a.key", pair.privateKey)
        }

        func write(_ name: String, _ bytes: [UInt8]) { TestAuthority.write(bytes, folder.file(name)) }

        static let yaml = """
            loadBalancers:
              - name: web
                listeners:
                  - protocol: HTTPS
                    port: 8443
                    certificates:
                      - certificateFile: a.pem
                        privateKeyFile: a.key
                    mutualAuthentication:
                      mode: verify
                      trustStoreFile: roots.pem
                      crlFiles: [list.pem]
                    defaultActions: [{ type: fixed-response, fixedResponseConfig: { statusCode: 200 } }]
            targetGroups:
              - name: blue
                protocol: HTTPS
                port: 443
                attributes:
                  apus.target_tls.verify: roots.pem
            """

        func document() throws(ConfigErrors) -> Document { try Document.load(yaml: Self.yaml, file: "apus.yaml") }

        func read() throws(ConfigErrors) -> CertificateStore.Content {
            let value = try Value.parse(yaml: Array(Self.yaml.utf8), file: "apus.yaml")
            let document = try Document(value, file: "apus.yaml")
            return try store.read(
                for: document, onlyNew: false, from: contents(document), DocumentPlaces(value, file: "apus.yaml"))
        }

        func contents(_ document: Document) -> FileContents {
            FileContents(reading: store.files(for: document, onlyNew: false))
        }

        func prepareAgain() throws(ConfigErrors) -> [ConfigError] {
            let document = try document()
            return store.prepareAgain(for: document, from: contents(document))
        }

        var listener: Listener {
            get throws { try document().loadBalancers[0].listeners[0] }
        }
    }

    /// Each mistake names the file, the key and the line where it stands.
    @Test(arguments: [
        ("a.pem", "7:30", "certificateFile a.pem"), ("a.key", "8:29", "privateKeyFile a.key"),
        ("roots.pem", "11:27", "trustStoreFile roots.pem"), ("list.pem", "12:22", "crlFiles list.pem"),
    ])
    func aMistakeNamesItsFile(name: String, place: String, file: String) throws {
        for content in [nil, Array("nonsense".utf8)] as [[UInt8]?] {
            let scene = try Scene()
            if let content {
                scene.write(name, content)
            } else {
                try FileManager.default.removeItem(atPath: scene.folder.file(name))
            }
            do throws(ConfigErrors) {
                _ = try scene.read()
                Issue.record("\(name) was taken")
            } catch {
                let text = error.first.description
                #expect(text.hasPrefix("apus.yaml:\(place): \(file) cannot be used: "), "\(text)")
            }
        }
    }

    @Test func aKeyOfAnotherCertificateIsReportedAtTheKey() throws {
        let scene = try Scene()
        scene.write("a.key", Self.second.privateKey)
        #expect(throws: ConfigErrors.self) { try scene.read() }
        do throws(ConfigErrors) { _ = try scene.read() } catch {
            #expect(error.first.description.contains("8:29: privateKeyFile a.key cannot be used: The private key"))
        }
    }

    /// A pair half written changes nothing; once it is whole it is in force.
    @Test func halfAPairIsLeftAloneUntilItIsWhole() throws {
        let scene = try Scene()
        scene.store.prepare(try scene.read())
        #expect(scene.store.commit())
        let before = try #require(scene.store.certificates.first).certificate
        scene.write("a.pem", Self.second.certificate)
        #expect(try scene.prepareAgain().count == 1)
        #expect(!scene.store.commit())
        #expect(scene.store.certificates.first?.certificate === before)
        scene.write("a.key", Self.second.privateKey)
        #expect(try scene.prepareAgain().isEmpty)
        #expect(scene.store.commit())
        let after = try #require(scene.store.certificates.first).certificate
        #expect(after !== before && after.fingerprint != before.fingerprint)
    }

    /// What did not change stays the same object, so that the state that belongs to it is kept.
    @Test func whatDidNotChangeStays() throws {
        let scene = try Scene()
        scene.store.prepare(try scene.read())
        scene.store.commit()
        let version = scene.store.version
        let before = scene.store.configuration(of: try scene.listener, LoadBalancerAttributes())
        scene.store.prepare(try scene.read())
        #expect(!scene.store.commit())
        #expect(scene.store.version == version)
        #expect(scene.store.configuration(of: try scene.listener, LoadBalancerAttributes()) == before)
    }

    @Test func expiryAndUselessResponsesAreWarnedOf() throws {
        let scene = try Scene()
        scene.write(Self.authority.issue(["localhost"], days: 1))
        scene.write("a.pem.ocsp", [1, 2, 3])
        let warnings = try scene.read().warnings
        #expect(warnings.map(\.file) == ["a.pem", "a.pem.ocsp"])
        #expect(warnings.first?.description.hasPrefix("A certificate expires soon. It expires in ") == true)
        #expect(warnings.last?.description.contains("is not DER") == true)
    }
}
