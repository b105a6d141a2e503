extension Admin {
    /// The keys of `admin`.
    static let description = Description(
        "Admin", "the admin settings", blank: Admin(),
        keys: [
            Key(
                "socket", \.socket, .text(.socketPath),
                "Path of the Unix socket. Changing it needs a restart."),
            Key(
                optional: "group", \.group, .systemGroup,
                "The group that the socket belongs to; without it that of the process. Changing it needs a restart."),
            Key(
                "mode", \.mode, .socketMode,
                "Who may connect to the socket: its user, its group too, or everybody, which takes roles. Changing it "
                    + "needs a restart."),
            Key(
                optional: "readOnlySocket", \.readOnlySocket, ReadOnlySocket.description.codec,
                "A second socket, over which everything can be read and nothing be changed. Changing it needs a "
                    + "restart."),
            Key(
                optional: "roles", \.roles, AdminRoles.description.codec,
                "Who may do what over both sockets; without it, whoever can connect may do everything."),
            Key(
                optional: "metrics", \.metrics,
                Codec.text(.tcpAddress).converted(to: { text, _ in TCPAddress(text) }, from: \.description),
                "Where GET /metrics and GET /health are answered over TCP, and nothing else; whoever can connect may "
                    + "read them."),
        ],
        check: { admin, findings in
            if admin.mode == .everybody, admin.roles == nil {
                findings.within(.key("mode")) { findings in
                    findings.report(
                        "mode 0666 needs roles, since every user of this host may do everything without them",
                        remedy: "Write mode 0660 and a group, or say in roles who may do what.",
                        code: .invalidConfigurationRequest)
                }
            }
            guard admin.readOnlySocket?.path == admin.socket else { return }
            findings.within(.key("readOnlySocket")) { findings in
                findings.within(.key("path")) { findings in
                    findings.report(
                        "path must not be that of admin.socket", found: Value.quoted(admin.socket),
                        remedy: "Choose another one, such as /run/apus/read.sock.", code: .invalidConfigurationRequest)
                }
            }
        })
}

extension ReadOnlySocket {
    /// The keys of `admin.readOnlySocket`.
    static let description = Description(
        "ReadOnlySocket", "a socket", blank: ReadOnlySocket(path: ""),
        keys: [
            Key("path", \.path, .text(.socketPath), required: true, "Path of the second Unix socket."),
            Key(
                optional: "group", \.group, .systemGroup,
                "The group that this socket belongs to; without it that of the process."),
            Key("mode", \.mode, .socketMode, "Who may connect to this socket: its user, its group too, or everybody."),
        ])
}

extension AdminRoles {
    /// The keys of `admin.roles`.
    static let description = Description(
        "AdminRoles", "the roles of the admin socket", blank: AdminRoles(),
        keys: [
            Key("read", \.read, .principals, "Who may see everything, and change nothing."),
            Key(
                "targets", \.targets, .principals,
                "Who may register and deregister targets and instances and set weights as well."),
            Key("all", \.all, .principals, "Who may do everything, as root and the user of the process always may."),
        ],
        check: { roles, findings in
            var known: [Principal: AdminRole] = [:]
            for role in AdminRole.allCases.reversed() {
                findings.within(.key(role.name)) { findings in
                    for (index, principal) in roles[role].enumerated() {
                        findings.within(.index(index)) { findings in
                            guard let other = known.updateValue(role, forKey: principal) else { return }
                            findings.report(
                                "\(principal) must stand in roles once",
                                found: other == role ? "it twice" : "it in \(other.name) too",
                                remedy: "Remove it here\(other == role ? "" : ": \(other.name) includes \(role.name)")."
                            )
                        }
                    }
                }
            }
        })
}

extension Codec where Model == SystemID {
    /// A group by its name or its number.
    fileprivate static let systemGroup = Codec(
        shape: .either(.text(.systemName), Codec<Int>.integer(0...Principal.numberMax).shape),
        decode: { value, findings in
            if let number = value.int, (0...Principal.numberMax).contains(number) { return .number(UInt32(number)) }
            if let id = value.string.flatMap(SystemID.init) { return id }
            findings.report(
                "\(findings.subject) must be the name or the number of a group", found: value.brief, at: value.location,
                remedy: TextRule.systemName.remedy)
            return nil
        },
        encode: { id in
            switch id {
            case .name(let name): .string(name)
            case .number(let number): .int(Int(number))
            }
        })
}

extension Codec where Model == SocketMode {
    /// Permissions in octal digits, which YAML takes for a number unless they are quoted.
    fileprivate static let socketMode: Codec = {
        let words = Codec.word(aliases: ["600": .owner, "660": .ownerAndGroup, "666": .everybody])
        return Codec(
            shape: words.shape,
            decode: { value, findings in
                if let mode = value.int.flatMap({ SocketMode(rawValue: "0\($0)") }) { return mode }
                return words.decode(value, &findings)
            },
            encode: words.encode)
    }()
}

extension Codec where Model == [Principal] {
    /// Those who have a role.
    fileprivate static let principals = Codec.list(.principal, count: 0...Limits.adminPrincipalsMax)
}

extension Codec where Model == Principal {
    /// `user:` or `group:` with a name or a number.
    fileprivate static let principal = Codec(
        shape: .text(.principal),
        decode: { value, findings in
            if let principal = value.string.flatMap(Principal.init) { return principal }
            let bare = value.string ?? value.int.map { "\($0)" } ?? ""
            let remedy =
                SystemID(bare) == nil ? TextRule.principal.remedy : "Write user:\(bare) or group:\(bare)."
            findings.report(
                "\(findings.subject) must be \(TextRule.principal.expected)", found: value.brief, at: value.location,
                remedy: remedy)
            return nil
        },
        encode: { .string($0.description) })
}

extension Principal {
    /// The largest number of a user or a group: the one above stands for none. Source: chown(2).
    static let numberMax = Int(UInt32.max) - 1

    /// Reads `user:NAME`, `user:NUMBER` and the same of groups; nil for anything else.
    init?(_ text: String) {
        if text.hasPrefix("user:"), let id = SystemID(String(text.dropFirst("user:".count))) {
            self = .user(id)
        } else if text.hasPrefix("group:"), let id = SystemID(String(text.dropFirst("group:".count))) {
            self = .group(id)
        } else {
            return nil
        }
    }
}

extension SystemID {
    /// Reads a name or a number; nil for anything else.
    init?(_ text: String) {
        if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            guard let number = UInt32(text), number <= Principal.numberMax else { return nil }
            self = .number(number)
        } else {
            guard TextRule.isSystemName(text) else { return nil }
            self = .name(text)
        }
    }
}

extension TextRule {
    /// A user or a group, as it gets a role.
    fileprivate static let principal = TextRule(
        "user: or group: with a name or a number of this system", length: 6...262,
        pattern: "^(user|group):[^:,/\\s]+$", remedy: "Write it as in user:deploy, group:ops or user:1000."
    ) { Principal($0) != nil }

    /// A group.
    fileprivate static let systemName = TextRule(
        "the name of a group of this system", length: 1...256, pattern: "^[^:,/\\s]+$",
        remedy: "Write a name such as apus."
    ) { SystemID($0) != nil }

    /// Whether a user or a group may have this name. Directories allow more characters than /etc/passwd does.
    fileprivate static func isSystemName(_ text: String) -> Bool {
        (1...256).contains(text.unicodeScalars.count)
            && text.unicodeScalars.allSatisfy {
                $0.value > 0x20 && $0.value != 0x7F && !":,/".unicodeScalars.contains($0)
            } && !text.hasPrefix("-")
    }
}
