import Testing

@testable import TLS

@Suite struct TLSPolicyTests {
    @Test func supportedPolicyHasNoReason() {
        #expect(Contexts.policy.unsupportedReason() == nil)
        var policy = Contexts.versions(.tls10, .tls13)
        policy.ciphers = ["ECDHE-RSA-AES128-SHA", "AES256-SHA256"]
        #expect(policy.unsupportedReason() == nil)
        policy = Contexts.versions(.tls13, .tls13)
        policy.ciphers = []
        #expect(policy.unsupportedReason() == nil)
    }

    @Test func reasonNamesWhatIsMissing() {
        var policy = Contexts.policy
        policy.ciphers.append("ROT13")
        let library = "OpenSSL \(TLSLibrary.version)"
        #expect(policy.unsupportedReason() == "\(library) has no cipher ROT13, which policy test names.")
        policy = Contexts.policy
        policy.ciphersuites.append("TLS_ROT13")
        #expect(
            policy.unsupportedReason()
                == "OpenSSL \(TLSLibrary.version) has no cipher suite TLS_ROT13, which policy test names.")
        policy = Contexts.versions(.tls13, .tls12)
        #expect(policy.unsupportedReason() == "Policy test ends with an older version than it begins with.")
        policy = Contexts.policy
        policy.ciphers = []
        #expect(policy.unsupportedReason() == "Policy test allows a version of TLS without a cipher for it.")
        policy = Contexts.policy
        policy.ciphersuites = []
        #expect(policy.unsupportedReason() == "Policy test allows a version of TLS without a cipher for it.")
    }

    @Test func postQuantumGroupsNeedAnOpenSSLThatHasThem() {
        var policy = Contexts.policy
        policy.postQuantumGroups = true
        if let reason = policy.unsupportedReason() {
            let library = "OpenSSL \(TLSLibrary.version)"
            #expect(reason == "\(library) has no group X25519MLKEM768, which policy test needs; 3.5 has it.")
        } else {
            #expect(Pair(Contexts.server(policy: policy)).handshake().isDone)
        }
    }

    @Test func contentCoversEveryPart() {
        var policies = [TLSPolicy](repeating: Contexts.policy, count: 7)
        policies[1].name = "other"
        policies[2].minimum = .tls11
        policies[3].maximum = .tls12
        policies[4].ciphers.reverse()
        policies[5].ciphersuites.reverse()
        policies[6].postQuantumGroups = true
        #expect(Set(policies.map(\.content)).count == 7)
    }

    @Test func theLibraryHasAVersion() {
        #expect(TLSLibrary.version.wholeMatch(of: /3\.\d+\.\d+.*/) != nil)
    }
}
