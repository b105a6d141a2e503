import Testing

@testable import Routing

@Suite struct HealthReasonTests {
    static let cases: [(HealthReason, code: String, description: String)] = [
        (.registrationInProgress, "Elb.RegistrationInProgress", "Target registration is in progress"),
        (.initialHealthChecking, "Elb.InitialHealthChecking", "Initial health checks in progress"),
        (.responseCodeMismatch(503), "Target.ResponseCodeMismatch", "Health checks failed with these codes: [503]"),
        (.timeout, "Target.Timeout", "Request timed out"),
        (.failedHealthChecks, "Target.FailedHealthChecks", "Health checks failed"),
        (.notServing, "Target.FailedHealthChecks", "The target's health service does not say SERVING"),
        (.notRegistered, "Target.NotRegistered", "Target is not registered to the target group"),
        (
            .notInUse, "Target.NotInUse",
            "Target group is not configured to receive traffic from the load balancer"
        ),
        (.invalidState, "Target.InvalidState", "Target instance is not in the instance registry"),
        (.ipUnusable, "Target.IpUnusable", "Target IP address is not usable"),
        (
            .healthChecksDisabled, "Target.HealthCheckDisabled", "Health checks are disabled for this target group"
        ),
        (.deregistrationInProgress, "Target.DeregistrationInProgress", "Target deregistration is in progress"),
    ]

    @Test(arguments: cases) func wordsOfELBv2(_ reason: HealthReason, _ code: String, _ description: String) {
        #expect(reason.code == code)
        #expect(reason.description == description)
    }
}
