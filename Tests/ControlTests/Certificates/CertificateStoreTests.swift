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

    // MARK: Secrets by reference

    private static let secretYAML = """
        loadBalancers:
          - name: web
            listeners:
              - protocol: HTTPS
                port: 8443
                certificates:
                  - certificateFile: a.pem
                    privateKey: { credential: a.key }
                defaultActions: [{ type: fixed-response, fixedResponseConfig: { statusCode: 200 } }]
        targetGroups:
          - name: blue
            targetType: ip
            protocol: HTTP
            port: 80
            discovery:
              http:
                url: http://127.0.0.1/
                token: { file: token }
                headers: { X-Region: { env: REGION } }
        """

    /// A store whose credentials are in the folder of the certificates.
    private static func secretStore(
        _ scene: Scene, credentials: Bool = true, region: String? = "eu 1"
    ) throws -> (CertificateStore, Document, DocumentPlaces) {
        var sources = SecretSources(folder: scene.folder.path)
        sources.credentials = credentials ? scene.folder.path : nil
        sources.variable = { $0 == "REGION" ? region : nil }
        let (document, places) = try Document.parse(Array(secretYAML.utf8), file: "apus.yaml")
        return (
            CertificateStore(configurationFile: scene.folder.file("apus.yaml"), sources: sources), document, places
        )
    }

    @Test func secretsAreReadByTheirReferences() throws {
        let scene = try Scene()
        scene.write("token", Array("one\n".utf8))
        let (store, document, places) = try Self.secretStore(scene)
        #expect(store.files(for: document, onlyNew: false).contains(scene.folder.file("token")))
        #expect(store.files(for: document, onlyNew: false).contains(scene.folder.file("a.key")))
        func read() -> FileContents { FileContents(reading: store.files(for: document, onlyNew: false)) }
        let http = try #require(document.targetGroups[0].discovery?.http)
        func fields() -> [String] {
            store.fields(of: http).map { "\($0.name): \(String(decoding: $0.value, as: UTF8.self))" }
        }
        store.prepare(try store.read(for: document, onlyNew: false, from: read(), places))
        #expect(store.commit() && store.certificates.count == 1 && store.secretsVersion == 1)
        #expect(fields() == ["Authorization: Bearer one", "X-Region: eu 1"])
        #expect(store.files(for: document, onlyNew: true).isEmpty)

        scene.write("token", Array("two".utf8))
        #expect(store.prepareAgain(for: document, from: read()).isEmpty)
        #expect(!store.commit() && store.secretsVersion == 2)
        #expect(fields().first == "Authorization: Bearer two")

        scene.write("token", Array("not a\ntoken".utf8))
        let mistakes = store.prepareAgain(for: document, from: read())
        #expect(mistakes.count == 1 && !store.commit())
        #expect(fields().first == "Authorization: Bearer two", "what was good stays")
        #expect(mistakes.first?.description.contains("not a") == false, "the secret is not shown")
    }

    @Test func aSecretThatCannotBeUsedHasItsPlace() throws {
        let scene = try Scene()
        let (store, document, places) = try Self.secretStore(scene, credentials: false, region: nil)
        let files = FileContents(reading: store.files(for: document, onlyNew: false))
        let mistakes = store.tryReading(for: document, from: files, places).mistakes.map(\.description)
        try #require(mistakes.count == 3)
        #expect(
            mistakes[0].hasPrefix(
                "apus.yaml:8:25: privateKey credential a.key cannot be used: This process was passed no credentials"))
        #expect(mistakes[1].hasPrefix("apus.yaml:18:16: token token cannot be used: It cannot be read"))
        #expect(mistakes[2].hasPrefix("apus.yaml:19:30: X-Region variable REGION cannot be used: The environment"))
        let found = CertificateStore.findings(document, places, scene.folder.path + "/", mayBePassedLater: true)
        #expect(found.mistakes.count == 1 && found.mistakes[0].description.contains("token token cannot be used"))
        #expect(found.warnings.count { $0.message.hasSuffix("What starts Apus may pass it.") } == 2)
    }
}
