import Testing

@testable import Model

/// Secrets by reference, wherever they may stand. What stands there instead is never repeated.
@Suite struct SecretReferenceKeysTests {
    private static func discovery(_ yaml: String) throws -> HTTPDiscovery? {
        let text = """
            targetGroups:
              - name: a
                targetType: ip
                protocol: HTTP
                port: 80
                discovery:
                  http:
                    url: http://127.0.0.1/
                    \(yaml)
            """
        return try Document.load(yaml: text, file: "a.yaml").targetGroups.first?.discovery?.http
    }

    private static func certificate(_ yaml: String) throws -> CertificateFiles? {
        let text = """
            loadBalancers:
              - name: web
                listeners:
                  - protocol: HTTPS
                    port: 443
                    certificates: [ { certificateFile: a.pem, \(yaml) } ]
                    defaultActions: [ { type: fixed-response, fixedResponseConfig: { statusCode: "200" } } ]
            """
        return try Document.load(yaml: text, file: "a.yaml").loadBalancers.first?.listeners.first?.certificates.first
    }

    @Test(arguments: [
        ("{ file: tls/a.key }", SecretReference.Place.file("tls/a.key"), "tls/a.key"),
        ("{ credential: a.key }", .credential("a.key"), "credential a.key"),
        ("{ env: A_KEY }", .variable("A_KEY"), "variable A_KEY"),
    ])
    func allPlacesMayBeNamed(_ yaml: String, _ place: SecretReference.Place, _ shown: String) throws {
        let discovery = try #require(try Self.discovery("token: \(yaml)"))
        #expect(discovery.token?.place == place && "\(SecretReference(place))" == shown)
        #expect(discovery.token == SecretReference(place))
        let certificate = try #require(try Self.certificate("privateKey: \(yaml)"))
        #expect(certificate.keySource.place == place && certificate.privateKeyFile == nil)
        #expect(
            try HTTPDiscovery.description.codec.read(HTTPDiscovery.description.codec.encode(discovery)) == discovery)
        let headers = try #require(try Self.discovery("headers: { X-Token: \(yaml) }"))
        #expect(headers.headers["X-Token"]?.place == place && headers.secrets.map(\.place) == [place])
    }

    @Test func theFormOfEverRemains() throws {
        let certificate = try #require(try Self.certificate("privateKeyFile: a.key"))
        #expect(certificate.keySource.place == .file("a.key"))
        #expect(
            CertificateFiles.description.codec.encode(certificate).json()
                == #"{"certificateFile":"a.pem","privateKeyFile":"a.key"}"#)
    }

    private static let secret = "s3cr3t-Value"

    @Test(arguments: [
        ("token: \(secret)", "9:16: token must be a secret by reference, but found text that is not shown here."),
        ("token: [\(secret)]", "token must be a secret by reference, but found a list."),
        ("token: { value: \(secret) }", "expected a key of a secret by reference, but found \"value\"."),
        ("token: { env: \(secret) }", "9:23: env must be the name of a variable: letters, digits and underscores"),
        ("token: { env: 1A }", "env must be the name of a variable"),
        ("token: { credential: \"../\(secret)\" }", "credential must be the name of a credential"),
        ("token: { credential: .. }", "credential must be the name of a credential"),
        ("token: { file: \"-----BEGIN \(secret)\" }", "file must be the path of a file, not what it holds"),
        ("token: { file: a, env: B }", "token must have exactly one of file, credential and env, but found 2 of them."),
        ("token: {}", "token must have exactly one of file, credential and env, but found none."),
        ("headers: \(secret)", "headers must be an object with names as keys"),
        ("headers: { X-Token: \(secret) }", "9:29: X-Token must be a secret by reference, but found text that is not"),
        ("headers: { Host: { file: a } }", "none that HTTP itself needs, but found \"Host\"."),
        ("headers: { \"A B\": { file: a } }", "but found \"A B\". Write a name such as X-Consul-Token."),
        ("headers: { X: { file: a }, x: { file: a } }", "x must be sent once, but found it twice. Remove one of them."),
        (
            "token: { file: a }\n        headers: { authorization: { file: a } }",
            "authorization must be sent once, but found it twice. Remove it, or token, which is sent in it."
        ),
    ])
    func mistakesAreNamedAndNotRepeated(_ yaml: String, _ message: String) {
        let error = #expect(throws: ConfigErrors.self) { try Self.discovery(yaml) }
        let text = error?.description ?? "-"
        #expect(text.contains(message), "\(text)")
        #expect(!text.contains(Self.secret))
    }

    @Test(arguments: [
        ("privateKeyFile: \"-----BEGIN \(secret)\"", "privateKeyFile must be the path of a file, not what it holds"),
        ("privateKey: \(secret)", "privateKey must be a secret by reference, but found text that is not shown here."),
        (
            "privateKeyFile: a.key, privateKey: { env: A }",
            "a certificate has one private key, but found privateKeyFile"
        ),
        ("", "a certificate must have the key privateKeyFile."),
    ])
    func mistakesInKeysAreNamed(_ yaml: String, _ message: String) {
        let error = #expect(throws: ConfigErrors.self) { try Self.certificate(yaml) }
        let text = error?.description ?? "-"
        #expect(text.contains(message), "\(text)")
        #expect(!text.contains(Self.secret))
    }

    @Test func fieldsAreLimited() {
        let many = (0...Limits.discoveryFieldsMax).map { "X-\($0): { file: a }" }.joined(separator: ", ")
        let error = #expect(throws: ConfigErrors.self) { try Self.discovery("headers: { \(many) }") }
        #expect(error?.description.contains("headers must be at most 16, but found 17.") == true)
    }
}
