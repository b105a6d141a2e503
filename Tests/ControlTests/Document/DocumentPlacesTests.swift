import Model
import Testing

@testable import Control

@Suite struct DocumentPlacesTests {
    private static let yaml = """
        runtime:
          user: apus
        loadBalancers:
          - name: web
            listeners:
              - protocol: HTTPS
                port: 8443
                certificates:
                  - certificateFile: a.pem
                    privateKeyFile: a.key
                  - certificateFile: b.pem
        targetGroups:
          - name: blue
            attributes:
              apus.target_tls.verify: roots.pem
        """

    private func places() throws -> DocumentPlaces {
        DocumentPlaces(try Value.parse(yaml: Array(Self.yaml.utf8), file: "apus.yaml"), file: "apus.yaml")
    }

    @Test func whatTheFileSaysHasItsLine() throws {
        let places = try places()
        let second = places.listener("web", 8443).key("certificates").index(1).key("certificateFile")
        #expect(second.path == "loadBalancers[web].listeners[8443].certificates[1].certificateFile")
        #expect(second.file == "apus.yaml" && second.location?.line == 11)
        #expect(places.setting("runtime", "user").location?.line == 2)
        let roots = places.group("blue").key("attributes").key("apus.target_tls.verify")
        #expect(roots.path == "targetGroups[blue].attributes.apus.target_tls.verify" && roots.location?.line == 15)
    }

    /// What the file does not say is named, and found at what is around it.
    @Test func whatItDoesNotSayIsAtWhatIsAroundIt() throws {
        let places = try places()
        let key = places.listener("web", 8443).key("certificates").index(1).key("privateKeyFile")
        #expect(key.path.hasSuffix("certificates[1].privateKeyFile") && key.location?.line == 11)
        let third = places.listener("web", 8443).key("certificates").index(2)
        #expect(
            third.path.hasSuffix("certificates[2]")
                && third.location == places.listener("web", 8443).key("certificates").location)
        #expect(places.setting("runtime", "stateDirectory").location?.line == 2)
    }

    /// What came over the socket has no file and no line.
    @Test func whatIsNotOfTheFileHasNoPlace() throws {
        let places = try places()
        for place in [places.listener("web", 9000), places.listener("other", 8443), places.group("green")] {
            #expect(place.file.isEmpty && place.location == nil && !place.path.isEmpty)
        }
        #expect(DocumentPlaces().setting("runtime", "user").file.isEmpty)
    }

    @Test func aMistakeTellsWhereItIs() throws {
        let mistake = try places().listener("web", 8443).key("port").mistake("The port is taken.", remedy: "Free it.")
        #expect(mistake.file == "apus.yaml" && mistake.location?.line == 7)
        #expect("\(mistake)".contains("apus.yaml:7:") && "\(mistake)".contains("The port is taken"))
    }
}
