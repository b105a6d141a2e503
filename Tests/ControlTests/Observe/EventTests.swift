import Model
import Testing

@testable import Control

@Suite struct EventTests {
    static let targets = [TargetDescription(id: "10.0.0.1", port: 80), TargetDescription(id: "::1", port: 81)]
    static let cases: [(Event, String)] = [
        (
            .targetHealthChanged(
                group: "a", id: "10.0.0.1", port: 80, from: "healthy", to: "unhealthy", reason: "Target.Timeout"),
            #""event":"target-health-changed","targetGroupName":"a","target":{"id":"10.0.0.1","port":80},"#
                + #""from":"healthy","#
                + #""to":"unhealthy","reason":"Target.Timeout""#
        ),
        (
            .targetHealthChanged(group: "a", id: "i-1", port: 80, from: "initial", to: "healthy", reason: nil),
            #""event":"target-health-changed","targetGroupName":"a","target":{"id":"i-1","port":80},"from":"initial","#
                + #""to":"healthy""#
        ),
        (
            .targetsRegistered(group: "a", targets: targets),
            #""event":"targets-registered","targetGroupName":"a","targets":[{"id":"10.0.0.1","port":80},"#
                + #"{"id":"::1","port":81}]"#
        ),
        (
            .targetsDeregistered(group: "a", targets: []),
            #""event":"targets-deregistered","targetGroupName":"a","targets":[]"#
        ),
        (
            .targetDrained(group: "a", DrainReport(id: "::1", port: 81, finished: 3, cut: 0, seconds: 2)),
            #""event":"target-drained","targetGroupName":"a","target":{"id":"::1","port":81,"finished":3,"#
                + #""cut":0,"left":0,"seconds":2}"#
        ),
        (
            .targetEjected(group: "a", id: "::1", port: 81, cause: "error_share", seconds: 1.5),
            #""event":"target-ejected","targetGroupName":"a","target":{"id":"::1","port":81},"#
                + #""cause":"error_share","seconds":1.5"#
        ),
        (
            .targetReturned(group: "a", id: "::1", port: 81),
            #""event":"target-returned","targetGroupName":"a","target":{"id":"::1","port":81}"#
        ),
        (
            .targetRemovalHeld(group: "a", id: "::1", port: 81),
            #""event":"target-removal-held","targetGroupName":"a","target":{"id":"::1","port":81}"#
        ),
        (.groupFailedOpen(group: "a"), #""event":"group-failed-open","targetGroupName":"a""#),
        (.groupRecovered(group: "a"), #""event":"group-recovered","targetGroupName":"a""#),
        (
            .configurationReloaded(generation: 4, changes: ["x"]),
            #""event":"configuration-reloaded","generation":4,"changes":["x"]"#
        ),
        (
            .changeApplied(description: "put a", user: 7, generation: 5),
            #""event":"change-applied","generation":5,"change":"put a","uid":7"#
        ),
        (
            .changeApplied(description: "put a", user: nil, generation: 5),
            #""event":"change-applied","generation":5,"change":"put a""#
        ),
        (.listenerOpened(loadBalancer: "w", port: 80), #""event":"listener-opened","loadBalancerName":"w","port":80"#),
        (.listenerClosed(loadBalancer: "w", port: 80), #""event":"listener-closed","loadBalancerName":"w","port":80"#),
        (.shutdownBegan, #""event":"shutdown-began""#),
        (
            .processReplaced(from: 12, oldVersion: "0.1.0", to: 34, newVersion: "0.1.1"),
            #""event":"process-replaced","from":{"pid":12,"version":"0.1.0"},"to":{"pid":34,"version":"0.1.1"}"#
        ),
        (
            .upgradeFailed(binary: "/bin/true", reason: "It ended."),
            #""event":"upgrade-failed","binary":"/bin/true","reason":"It ended.""#
        ),
    ]

    @Test(arguments: cases) func isOneLineOfJSON(event: Event, json: String) {
        let record = EventLog.Record(sequence: 9, time: 1_700_000_000_000_000_000, event: event)
        #expect(record.value.json() == #"{"sequence":9,"time":"2023-11-14T22:13:20.000Z",\#(json)}"#)
    }
}
