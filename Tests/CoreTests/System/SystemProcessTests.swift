import Core
import Glibc
import Testing

@Suite struct SystemProcessTests {
    @Test func knowsItself() {
        #expect(SystemProcess.processorCount >= 1)
        #expect(SystemProcess.id == getpid())
    }

    @Test func raisesTheLimitOfDescriptorsToWhatIsAllowed() async {
        await #expect(processExitsWith: .success) {
            try ProcessLimits.setDescriptors(100, most: 500)
            #expect(SystemProcess.raiseDescriptorLimit() == 500)
            #expect(ProcessLimits.descriptors == 500)
            #expect(SystemProcess.raiseDescriptorLimit() == 500)
        }
    }

    @Test func takesVariablesOfTheEnvironment() async {
        await #expect(processExitsWith: .success) {
            _ = unsafe setenv("APUS_TAKEN", "value", 1)
            _ = unsafe setenv("APUS_EMPTY", "", 1)
            #expect(SystemProcess.takeEnvironment("APUS_TAKEN") == "value")
            #expect(SystemProcess.takeEnvironment("APUS_TAKEN") == nil)
            #expect(Terminal.environment("APUS_TAKEN") == nil)
            #expect(SystemProcess.takeEnvironment("APUS_EMPTY") == nil)
            let isUnset = unsafe getenv("APUS_EMPTY") == nil
            #expect(isUnset)
        }
    }
}
