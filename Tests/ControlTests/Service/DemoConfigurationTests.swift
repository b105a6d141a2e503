import Foundation
import Model
import Testing

@testable import Control

@Suite struct DemoConfigurationTests {
    /// People read conf/quickstart.yaml and run the demo: it must be the same.
    @Test func isTheQuickstart() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent()
        let file = try String(contentsOf: root.appending(path: "conf/quickstart.yaml"), encoding: .utf8)
        #expect(DemoConfiguration.first.text == file)
    }

    @Test func othersHaveTheirOwnPortsAndFolder() throws {
        let other = DemoConfiguration(folder: "/tmp/apus-demo-2", port: 8081, firstTargetPort: 9011)
        let document = try Document.load(yaml: other.text, file: "")
        #expect(document.admin.socket == other.socket && document.runtime.stateDirectory == "/tmp/apus-demo-2/state")
        #expect(document.loadBalancers[0].listeners[0].port == 8081)
        #expect(document.targetGroups.flatMap(\.targets).map(\.port) == [9011, 9012, 9013, 9014])
        #expect(!other.text.contains("8080") && !other.text.contains("/tmp/apus-demo/"))
    }
}
