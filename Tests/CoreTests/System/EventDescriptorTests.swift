import Core
import Glibc
import Testing

@Suite struct EventDescriptorTests {
    private func isReadable(_ bell: EventDescriptor) -> Bool {
        var watched = pollfd(fd: bell.descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&watched, 1, 0) == 1
    }

    @Test func isHeardUntilSilenced() {
        let bell = EventDescriptor()
        #expect(!isReadable(bell))
        bell.ring()
        #expect(isReadable(bell) && isReadable(bell))
        bell.silence()
        #expect(!isReadable(bell))
        bell.silence()
        #expect(!isReadable(bell), "silencing a silent bell neither blocks nor rings")
    }

    @Test func manyRingsCountOnce() {
        let bell = EventDescriptor()
        for _ in 0..<1000 { bell.ring() }
        bell.silence()
        #expect(!isReadable(bell))
    }

    @Test func waitingEndsByARingOfAnotherThread() {
        let bell = EventDescriptor()
        let thread = Thread.start(name: "ringing") { bell.ring() }
        bell.wait(timeoutMilliseconds: 10_000)
        #expect(isReadable(bell), "waiting does not silence")
        thread.join()
    }

    @Test func waitingEndsByTime() {
        let bell = EventDescriptor()
        let start = Instant.now()
        bell.wait(timeoutMilliseconds: 3)
        #expect(Instant.now().since(start) >= 3_000_000)
        bell.wait(timeoutMilliseconds: 0)
        #expect(!isReadable(bell))
    }

    @Test func isPrivateToTheProcess() {
        let bell = EventDescriptor()
        #expect(fcntl(bell.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(bell.descriptor, F_GETFL) & O_NONBLOCK != 0)
    }
}
