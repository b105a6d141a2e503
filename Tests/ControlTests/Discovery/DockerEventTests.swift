import Model
import Testing

@testable import Control

/// What events of Docker's mean.
@Suite struct DockerEventTests {
    private func event(_ text: String) throws -> DockerEvent? { try DockerEvent(Array(text.utf8)) }

    private func kind(_ action: String, _ attributes: String = "{}") throws -> DockerEvent.Kind? {
        try event(
            #"{"Type":"container","Action":"\#(action)","Actor":{"ID":"0a","Attributes":\#(attributes)}}"#)?.kind
    }

    @Test func actionsOfContainers() throws {
        #expect(try kind("start") == .changed(isNew: true))
        #expect(try kind("unpause") == .changed(isNew: false) && kind("rename") == .changed(isNew: false))
        #expect(try kind("die", #"{"exitCode":"137"}"#) == .ended)
        #expect(try kind("pause") == .paused && kind("destroy") == .changed(isNew: false))
        // It says what "die" has said, and may be told when the container runs again.
        #expect(try kind("stop") == nil && !DockerEvent.filters.json().contains("stop"))
        #expect(try kind("kill", #"{"signal":"15"}"#) == .signalled(15))
        #expect(try kind("kill", #"{"signal":"SIGHUP"}"#) == .signalled(1))
        #expect(try kind("kill") == nil && kind("kill", #"{"signal":"x"}"#) == nil)
        #expect(try kind("health_status: unhealthy") == .health(.unhealthy))
        #expect(try kind("health_status: healthy") == .health(.passing))
        #expect(try kind("exec_start: sh") == nil && kind("") == nil)
    }

    @Test func timesAreAsTheAPIWantsThem() throws {
        let event = try event(
            #"{"Type":"container","Action":"die","Actor":{"ID":"0a"},"timeNano":1796036400000000042}"#)
        #expect(event?.time == 1_796_036_400_000_000_042)
        #expect(DockerEvent.text(time: 1_796_036_400_000_000_042) == "1796036400.000000042")
        #expect(DockerEvent.text(time: 7) == "0.000000007")
    }

    @Test func labelsAreTold() throws {
        let event = try event(
            #"{"Type":"container","Action":"start","Actor":{"ID":"0a","Attributes":{"app":"web","n":7}},"x":[1]}"#)
        #expect(event?.id == "0a" && event?.labels == ["app": "web"])
    }

    @Test func networksAreOfContainers() throws {
        let event = try event(
            #"{"Type":"network","Action":"connect","Actor":{"ID":"ff","Attributes":{"container":"0b"}}}"#)
        #expect(event?.id == "0b" && event?.kind == .networkChanged && event?.labels == nil)
    }

    @Test(arguments: [
        #"{}"#, #"{"Type":"container","Action":"start"}"#, #"{"Action":7,"Actor":{"ID":"0a"}}"#,
        #"{"Action":"start","Actor":{"ID":"../../x"}}"#, #"{"Action":"start","Actor":7}"#,
        #"{"Type":"network","Action":"connect","Actor":{"ID":"ff"}}"#,
    ])
    func whatDoesNotMatterIsPassedOver(text: String) throws { #expect(try event(text) == nil) }

    @Test(arguments: ["", "{", "[]", "7", "null", "{}{}", "\u{0}"])
    func whatIsNoEventIsAMistake(text: String) { #expect(throws: ConfigErrors.self) { try event(text) } }

    @Test func textIsEncodedForAQuery() {
        #expect(percentEncoded(#"{"a":["b=ü"]}"#) == "%7B%22a%22%3A%5B%22b%3D%C3%BC%22%5D%7D")
        #expect(percentEncoded("aZ0-._~") == "aZ0-._~")
    }
}
