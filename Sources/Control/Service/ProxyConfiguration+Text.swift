import Model

extension ProxyConfiguration {
    /// What a text is made for, which says where the admin socket and the state are.
    enum Purpose {
        /// A run without a file, in whose folder they are.
        case run(in: String)
        /// A file of a user's, with a folder for them.
        case file(in: String)
        /// A file of root's, with the defaults.
        case service
    }

    /// The configuration file that says the same as the options, in YAML.
    func text(for purpose: Purpose) -> String {
        [Self.heading(purpose), loadBalancer, targetGroup].joined(separator: "\n")
    }

    private static func heading(_ purpose: Purpose) -> String {
        switch purpose {
        case .run(let folder):
            """
            # What this apus serves. Ctrl-C ends it and leaves nothing behind; with --print it is a file to begin with.
            # By its socket "apus status" and the other commands find it: export APUS_SOCKET=\(folder)/admin.sock

            \(ownFiles(folder))
            """
        case .file(let folder):
            """
            \(howToGoOn)
            # The admin socket, by which "apus status" and the other commands find this apus (--socket, APUS_SOCKET),
            # and the folder of what they change.
            \(ownFiles(folder))
            """
        case .service:
            """
            \(howToGoOn)
            # The admin socket, by which "apus status" and the other commands find this apus, and the folder of what
            # they change. These are the defaults.
            # admin: { socket: /run/apus/admin.sock }
            # runtime: { stateDirectory: /var/lib/apus }

            """
        }
    }

    private static let howToGoOn = """
        # One listener in front of one target group. Save this as a file, and go on from there:
        #   apus check FILE    says what is wrong with it
        #   apus run FILE      serves it; "apus reload" has it read again
        # conf/reference.yaml has every key with its meaning, and "apus schema" has them for editors.

        """

    private static func ownFiles(_ folder: String) -> String {
        """
        admin:
          socket: \(Value.quoted("\(folder)/admin.sock"))
        runtime:
          stateDirectory: \(Value.quoted("\(folder)/state"))

        """
    }

    private var loadBalancer: String {
        let hasTLS = certificate != nil
        var text = """
            loadBalancers:
              - name: proxy
                type: \(isNetwork ? "network" : "application")
                addresses: [\(Value.quoted(listen.address))]
                listeners:
                  - protocol: \(isNetwork ? (hasTLS ? "TLS" : "TCP") : (hasTLS ? "HTTPS" : "HTTP"))
                    port: \(listen.port)

            """
        if let certificate {
            text += """
                        certificates:
                          - certificateFile: \(Value.quoted(certificate.file))
                            privateKeyFile: \(Value.quoted(certificate.keyFile))

                """
        }
        return text + """
                    defaultActions:
                      - { type: forward, targetGroupName: targets }

            """
    }

    private var targetGroup: String {
        let scheme = targets.first?.scheme == .https ? "HTTPS" : "HTTP"
        var text = """
            targetGroups:
              - name: targets
                targetType: ip
                protocol: \(isNetwork ? "TCP" : scheme)
                # Of targets that have no port of their own.
                port: \(targets.first?.port ?? 80)

            """
        text += healthCheck(scheme)
        text += """
                healthCheckIntervalSeconds: 5
                healthCheckTimeoutSeconds: 2
                healthyThresholdCount: 2
                unhealthyThresholdCount: 2
                targets:

            """
        for target in targets {
            let weight = target.weight.map { ", apus.weight: \($0)" } ?? ""
            text += "      - { id: \(Value.quoted(target.address)), port: \(target.port)\(weight) }\n"
        }
        return text
    }

    private func healthCheck(_ scheme: String) -> String {
        if isNetwork, healthPath == nil { return "    healthCheckProtocol: TCP\n" }
        let comment =
            healthPath == nil
            ? "    # Any answer below 500 passes. Better is a path that tells whether the target can do its work.\n"
            : ""
        return comment + """
                healthCheckProtocol: \(scheme)
                healthCheckPath: \(Value.quoted(healthPath ?? "/"))
                matcher: { httpCode: "\(healthPath == nil ? "200-499" : "200-299")" }

            """
    }
}
