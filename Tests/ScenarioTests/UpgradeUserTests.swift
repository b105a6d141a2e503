import Foundation
import Glibc
import Testing

/// Upgrades of a process that was started as root and has become another user.
@Suite(.enabled(if: getuid() == 0, "needs root")) struct UpgradeUserTests {
    /// The first port that anybody may bind.
    private static let unprivilegedPort: UInt16 = {
        let text = try? String(contentsOfFile: "/proc/sys/net/ipv4/ip_unprivileged_port_start", encoding: .utf8)
        return text.flatMap { UInt16($0.trimmingCharacters(in: .whitespacesAndNewlines)) } ?? 1024
    }()

    /// An address of the loopback network that no other test uses, so that its low ports are free.
    private static func address() -> String {
        "127.\(Int.random(in: 64...250)).\(Int.random(in: 1...250)).\(Int.random(in: 1...250))"
    }

    private func user(of id: pid_t) -> String? {
        let status = (try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)) ?? ""
        return status.split(separator: "\n").first { $0.hasPrefix("Uid:") }?.split(separator: "\t").dropFirst().first
            .map(String.init)
    }

    @Test("A port below 1024 goes over to the new process; another one takes the rights of the start")
    func lowPorts() throws {
        var document = Document(try TargetServer("a"))
        document.addresses = [Self.address()]
        let port: UInt16 = 443, other: UInt16 = 444
        document.listeners[0].port = port
        document.runtime["user"] = "nobody"
        let site = try UpgradingApus(document) { folder in
            let nobody = try #require(unsafe getpwnam("nobody"))
            // Its logs and its state lie there.
            #expect(unsafe chown(folder, nobody.pointee.pw_uid, nobody.pointee.pw_gid) == 0)
            return []
        }
        expectServes(site.apus)
        #expect(user(of: site.id) != "0")
        // The one that was built may lie where only root can read.
        let binary = "\(site.apus.folder)/apus"
        try FileManager.default.copyItem(atPath: ApusProcess.binary, toPath: binary)
        let listener: JSON = [
            "protocol": "HTTP", "defaultActions": [Document.forward("blue")],
        ]
        for number in 0..<2 {
            if number > 0 {
                let result = try site.upgrade(binary)
                #expect(result.status == .exited(0), "\(result.output) \(result.errors)")
                #expect(site.ids.count == number + 1 && user(of: site.id) == user(of: site.ids[0]))
                expectServes(site.apus, "the port is the one that root has opened")
            }
            // Before an upgrade it is as after it.
            let answer = try site.apus.admin("PUT", "/v1/load-balancers/web/listeners/\(other)", listener)
            guard other < Self.unprivilegedPort else { continue }
            #expect(answer.status == 400, "\(answer.text)")
            #expect(answer.text.contains("Ports below 1024 need root or CAP_NET_BIND_SERVICE"), "\(answer.text)")
        }
        // Nor does a new process get what the file has come to ask for: the old one goes on.
        document.listeners.append(.init(defaultAction: Document.forward("blue")))
        try site.apus.write(text: document.text(ports: [port, other], folder: site.apus.folder))
        let result = try site.upgrade(binary)
        guard other < Self.unprivilegedPort else { return }
        #expect(result.status == .exited(1) && result.errors.contains("Ports below 1024"), "\(result.errors)")
        expectServes(site.apus)
    }
}
