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
}
