import Core
import Glibc
import Testing

@Suite struct SystemProcessTests {
    @Test func knowsItself() {
        #expect(SystemProcess.processorCount >= 1)
        #expect(SystemProcess.id == getpid())
        #expect(SystemProcess.exists(getpid()))
        #expect(SystemProcess.exists(1), "one may not signal it, but it is there")
        #expect(!SystemProcess.exists(Int32.max))
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
