extension ForwardAction {
    /// Reports stickiness that lacks its duration, or that `listener` does not have, and groups whose own stickiness
    /// does not go together with that of the action. Source: ELBv2 TargetGroupStickinessConfig; Application Load
    /// Balancer user guide, "Edit target group attributes".
    func validateStickiness(_ groups: GroupNames, on listener: Listener, _ findings: inout Findings) {
        guard listener.protocol.kind == .application else {
            findings.misplaced(
                [("apus.cohorts", cohorts != nil)], belongTo: "application load balancers",
                found: "it on a network load balancer",
                remedy: "Remove it: stickiness goes by the client's address here."
            )
            if let seconds = stickiness.durationSeconds {
                findings.within([.key("targetGroupStickinessConfig"), .key("durationSeconds")]) { findings in
                    findings.report(
                        "durationSeconds belongs to application load balancers: here clients stay by their address",
                        found: "\(seconds)", remedy: "Remove it.", code: .invalidConfigurationRequest)
                }
            }
            return
        }
        if stickiness.isEnabled, stickiness.durationSeconds == nil {
            findings.within(.key("targetGroupStickinessConfig")) { findings in
                findings.report(
                    "stickiness on an application load balancer must have the key durationSeconds", found: "none",
                    remedy: "Add durationSeconds: a whole number of seconds from 1 to 604800, such as 3600.",
                    code: .invalidConfigurationRequest)
            }
        }
        guard targetGroups.count > 1 else { return }
        let sticky = targetGroups.map(\.targetGroupName).filter { groups.sticky[$0] != nil }
        if let group = sticky.first(where: { groups.sticky[$0]?.type == .applicationCookie }) {
            findings.within(.key("targetGroups")) { findings in
                findings.report(
                    "an action with several target groups must have none whose stickiness.type is app_cookie",
                    found: group,
                    remedy: "Give the action this group alone, or the group the stickiness.type lb_cookie.",
                    code: .invalidConfigurationRequest)
            }
        }
        guard !stickiness.isEnabled, let group = sticky.first else { return }
        findings.within(.key("targetGroupStickinessConfig")) { findings in
            findings.report(
                "stickiness must be enabled for an action with several target groups of which one has it",
                found: "stickiness.enabled in target group \(group), and none here",
                remedy: "Write targetGroupStickinessConfig: {enabled: true, durationSeconds: 3600}, or "
                    + "stickiness.enabled: false in the group.", code: .invalidConfigurationRequest)
        }
    }
}
