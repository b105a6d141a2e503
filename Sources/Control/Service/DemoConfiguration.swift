import Core

/// What `apus demo` serves without a file: conf/quickstart.yaml, or the same with other ports and another folder, so
/// that several demos can run at once.
struct DemoConfiguration {
    /// Where its admin socket, state and log are.
    let folder: String
    /// Where clients connect.
    let port: Int
    /// The first of four ports for sample targets.
    let firstTargetPort: Int

    /// What conf/quickstart.yaml says.
    static let first = DemoConfiguration(folder: "/tmp/apus-demo", port: 8080, firstTargetPort: 9001)

    /// The admin socket.
    var socket: String { "\(folder)/admin.sock" }

    /// The demo with this number, from 1; nil if another process has ports that it needs, or its socket.
    static func free(_ number: Int) -> DemoConfiguration? {
        let folder = first.folder + (number == 1 ? "" : "-\(number)")
        let target = first.firstTargetPort + 10 * (number - 1)
        let wanted = first.port + number - 1
        guard let port = (wanted...wanted + Limits.demoPortsMax).first(where: isFree) else { return nil }
        let demo = DemoConfiguration(folder: folder, port: port, firstTargetPort: target)
        let isTaken = !(target..<target + 4).allSatisfy(isFree) || UnixPath.occupant(of: demo.socket) == .liveSocket
        return isTaken ? nil : demo
    }

    /// Whether nobody listens on this port of 127.0.0.1.
    private static func isFree(_ port: Int) -> Bool {
        guard let port = UInt16(exactly: port), let address = SocketAddress(literal: "127.0.0.1", port: port) else {
            return false
        }
        do throws(SystemError) {
            try Socket.listen(on: address, sharesPort: false).close()
            return true
        } catch {
            return false
        }
    }

    /// It as a configuration file.
    var text: String {
        """
        # What `apus demo` runs: one load balancer in front of a service in two versions, blue and green.
        # Nine of ten requests go to blue. Every key and its meaning: reference.yaml.

        admin:
          socket: \(socket)
        runtime:
          stateDirectory: \(folder)/state
        logs:
          access: { path: \(folder)/access.log }

        loadBalancers:
          - name: web
            type: application
            addresses: [127.0.0.1]
            listeners:
              - protocol: HTTP
                port: \(port)
                defaultActions:
                  - type: forward
                    forwardConfig:
                      targetGroups:
                        - { targetGroupName: blue, weight: 90 }
                        - { targetGroupName: green, weight: 10 }
                rules:
                  - priority: 10
                    conditions:
                      - { field: path-pattern, values: [/hello] }
                    actions:
                      - type: fixed-response
                        fixedResponseConfig:
                          statusCode: "200"
                          contentType: text/plain
                          messageBody: "Hello from Apus: this answer needs no target.\\n"

        # What both groups have.
        defaults:
          targetGroups:
            targetType: ip
            protocol: HTTP
            healthCheckPath: /health
            healthCheckIntervalSeconds: 1
            healthCheckTimeoutSeconds: 0.5
            healthyThresholdCount: 2
            unhealthyThresholdCount: 2

        targetGroups:
          - name: blue
            port: \(firstTargetPort)
            targets:
              - { id: 127.0.0.1, port: \(firstTargetPort) }
              - { id: 127.0.0.1, port: \(firstTargetPort + 1) }
          - name: green
            port: \(firstTargetPort + 2)
            targets:
              - { id: 127.0.0.1, port: \(firstTargetPort + 2) }
              - { id: 127.0.0.1, port: \(firstTargetPort + 3) }

        """
    }
}
