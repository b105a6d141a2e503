import Testing

@testable import CLI

@Suite struct EventsCommandTests {
    static let lines: [(String, String?)] = [
        (#"{"time":"T","event":"heartbeat"}"#, nil),
        (#"{"time":"T","event":"missed","count":4}"#, "T  missed  count=4\n"),
        (
            #"{"sequence":1,"time":"T","event":"target-health-changed","targetGroupName":"a","#
                + #""target":{"id":"::1","port":80},"#
                + #""from":"initial","to":"healthy"}"#,
            "T  target-health-changed  targetGroupName=a  [::1]:80  from=initial  to=healthy\n"
        ),
        (
            #"{"sequence":1,"time":"T","event":"target-drained","targetGroupName":"a","#
                + #""target":{"id":"b","port":1,"finished":2,"#
                + #""cut":0,"seconds":0.5}}"#,
            "T  target-drained  targetGroupName=a  b:1  finished=2  cut=0  took=0.5s\n"
        ),
        (
            #"{"sequence":1,"time":"T","event":"targets-registered","targets":[{"id":"b","port":1},{"id":"c"}]}"#,
            "T  targets-registered  b:1 c\n"
        ),
        (#"{"time":"T","event":"configuration-reloaded","changes":["x","y"]}"#, "T  configuration-reloaded  x; y\n"),
        ("not JSON", "not JSON\n"),
    ]

    @Test(arguments: lines) func sentences(line: String, expected: String?) {
        #expect(EventView.sentence(line) == expected)
    }
}
