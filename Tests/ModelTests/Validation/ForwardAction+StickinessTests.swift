import Testing

@testable import Model

/// Stickiness of actions beside that of their groups, in a file and over the socket.
@Suite struct ForwardActionStickinessTests {
    private func group(_ name: String, _ type: StickinessAttributes.Kind? = nil, isSticky: Bool = true) -> TargetGroup {
        var group = TargetGroup(name: name, port: 80)
        group.attributes.stickiness.isEnabled = isSticky
        group.attributes.stickiness.type = type
        group.attributes.stickiness.cookieName = type == .applicationCookie ? "SESSION" : ""
        return group
    }

    private func document(_ groups: [TargetGroup], isSticky: Bool) -> Document {
        let action = ForwardAction(
            targetGroups: groups.map { WeightedTargetGroup(targetGroupName: $0.name) },
            stickiness: TargetGroupStickiness(isEnabled: isSticky, durationSeconds: isSticky ? 60 : nil))
        return Document(
            loadBalancers: [
                LoadBalancer(
                    name: "web",
                    listeners: [Listener(protocol: .http, port: 80, defaultActions: [.forward(action)])])
            ], targetGroups: groups)
    }

    private func mistakes(_ document: Document) -> [String] { document.validate().map(\.description) }

    @Test func aStickyGroupBesideOthersNeedsAStickyAction() {
        let blue = group("blue"), green = group("green", isSticky: false)
        #expect(mistakes(document([blue, green], isSticky: true)) == [])
        #expect(mistakes(document([blue], isSticky: false)) == [], "alone it has no choice")
        #expect(
            mistakes(document([green, blue], isSticky: false)) == [
                "loadBalancers[0].listeners[0].defaultActions[0].forwardConfig.targetGroupStickinessConfig: stickiness "
                    + "must be enabled for an action with several target groups of which one has it, but found "
                    + "stickiness.enabled in target group blue, and none here. Write targetGroupStickinessConfig: "
                    + "{enabled: true, durationSeconds: 3600}, or stickiness.enabled: false in the group."
            ])
    }

    @Test func applicationCookiesStandAlone() {
        let blue = group("blue", .applicationCookie), green = group("green", isSticky: false)
        #expect(mistakes(document([blue], isSticky: true)) == [])
        #expect(
            mistakes(document([green, blue], isSticky: true)) == [
                "loadBalancers[0].listeners[0].defaultActions[0].forwardConfig.targetGroups: an action with several "
                    + "target groups must have none whose stickiness.type is app_cookie, but found blue. Give the "
                    + "action this group alone, or the group the stickiness.type lb_cookie."
            ])
    }

    /// A group that becomes sticky is refused where an action could not have it.
    @Test func aGroupLearnsOfItsActions() {
        let blue = group("blue", isSticky: false), green = group("green", isSticky: false)
        let document = document([blue, green], isSticky: false)
        #expect(document.validate() == [])
        let error = #expect(throws: ConfigErrors.self) { try document.applying(.putTargetGroup(group("blue"))) }
        #expect(
            error?.description
                == "attributes.stickiness.enabled: web:80 forwards to target group blue, and stickiness must be "
                + "enabled for an action with several target groups of which one has it, but found stickiness.enabled "
                + "in target group blue, and none here. Take it out of that listener first, or put a group with "
                + "another name.")
    }
}
