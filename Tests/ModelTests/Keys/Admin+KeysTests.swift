import Testing

@testable import Model

/// The keys of `admin`: what they mean, and every mistake in them.
@Suite struct AdminKeysTests {
    private static func read(_ yaml: String) throws -> Admin {
        try Document.load(yaml: "admin:\n  \(yaml)\n", file: "a.yaml").admin
    }

    @Test func readsWhatIsWritten() throws {
        let admin = try Self.read(
            """
            socket: /s
              group: ops
              mode: 0600
              readOnlySocket: { path: /r, group: 12, mode: "0666" }
              roles: { read: ["group:mon"], targets: ["user:1000", "user:deploy@corp"], all: ["group:0"] }
            """)
        #expect(admin.group == .name("ops") && admin.mode == .owner)
        #expect(admin.readOnlySocket == ReadOnlySocket(path: "/r", group: .number(12), mode: .everybody))
        #expect(admin.roles?.read == [.group(.name("mon"))])
        #expect(admin.roles?.targets == [.user(.number(1000)), .user(.name("deploy@corp"))])
        #expect(admin.roles?.all == [.group(.number(0))])
        #expect(try Document(Document(admin: admin).encoded()).admin == admin)
    }

    @Test func withoutThemItIsAsEver() throws {
        let admin = try Self.read("socket: /s")
        #expect(admin.mode.permissions == 0o660 && admin.group == nil && admin.roles == nil)
        #expect(admin.readOnlySocket == nil)
        #expect(Admin.description.codec.encode(admin).json() == #"{"socket":"/s","mode":"0660"}"#)
    }

    @Test func emptyRolesAreRoles() throws { #expect(try Self.read("roles: {}").roles == AdminRoles()) }

    @Test(arguments: [
        ("mode: 0640", "2:9: mode must be 0600, 0660 or 0666, but found 640."),
        ("mode: 432", "2:9: mode must be 0600, 0660 or 0666, but found 432."),
        ("mode: rw", "2:9: mode must be 0600, 0660 or 0666, but found \"rw\"."),
        (
            "mode: 0666",
            "2:9: mode 0666 needs roles, since every user of this host may do everything without them. Write mode 0660"
        ),
        ("group: -1", "2:10: group must be the name or the number of a group, but found -1."),
        ("group: 4294967295", "2:10: group must be the name or the number of a group, but found 4294967295."),
        ("group: [ops]", "2:10: group must be the name or the number of a group, but found a list"),
        ("group: \"a b\"", "2:10: group must be the name or the number of a group, but found \"a b\"."),
        ("roles: [a]", "2:10: roles must be the roles of the admin socket, an object with keys"),
        (
            "roles: { reed: [] }",
            "2:12: expected a key of the roles of the admin socket, but found \"reed\". Did you mean read?"
        ),
        ("roles: { read: \"user:a\" }", "2:18: read must be a list of at most 256, each user: or group:"),
        (
            "roles: { all: [deploy] }",
            "2:18: all[0] must be user: or group: with a name or a number of this system, but found \"deploy\". "
                + "Write user:deploy or group:deploy."
        ),
        ("roles: { all: [1000] }", "but found 1000. Write user:1000 or group:1000."),
        ("roles: { all: [\"user:\"] }", "Write it as in user:deploy, group:ops or user:1000."),
        ("roles: { all: [\"role:a\"] }", "but found \"role:a\". Write it as in user:deploy"),
        ("roles: { all: [\"user:4294967295\"] }", "2:18: all[0] must be user: or group:"),
        (
            "roles: { all: [\"user:a\", \"user:a\"] }",
            "2:28: user:a must stand in roles once, but found it twice. Remove it here."
        ),
        (
            "roles: { read: [\"user:a\"], all: [\"user:a\"] }",
            "2:19: user:a must stand in roles once, but found it in all too. Remove it here: all includes read."
        ),
        ("readOnlySocket: /r", "2:19: readOnlySocket must be a socket, an object with keys"),
        ("readOnlySocket: { mode: 0660 }", "a socket must have the key path."),
        (
            "readOnlySocket: { path: /run/apus/admin.sock }",
            "path must not be that of admin.socket, but found \"/run/apus/admin.sock\"."
        ),
    ])
    func mistakesAreNamed(_ yaml: String, _ message: String) {
        let error = #expect(throws: ConfigErrors.self) { try Self.read(yaml) }
        #expect(error?.description.contains(message) == true, "\(error?.description ?? "-")")
    }

    @Test func aRoleMayNotBeGivenToEverybody() {
        let many = (0...Limits.adminPrincipalsMax).map { "\"user:\($0)\"" }.joined(separator: ", ")
        let error = #expect(throws: ConfigErrors.self) { try Self.read("roles: { read: [\(many)] }") }
        #expect(error?.first.expected.contains("at most 256") == true)
    }
}
