import Core
import Glibc
import Testing

@Suite struct EventDescriptorTests {
    private func isReadable(_ event: EventDescriptor) -> Bool {
        var watched = pollfd(fd: event.descriptor, events: Int16(POLLIN), revents: 0)
        return unsafe poll(&watched, 1, 0) == 1
    }

    @Test func isReadableUntilCleared() {
        let event = EventDescriptor()
        #expect(!isReadable(event))
        event.signal()
        #expect(isReadable(event) && isReadable(event))
        event.clear()
        #expect(!isReadable(event))
        event.clear()
        #expect(!isReadable(event), "clearing an event that was not signalled neither blocks nor signals")
    }

    @Test func severalSignalsCountOnce() {
        let event = EventDescriptor()
        for _ in 0..<1000 { event.signal() }
        event.clear()
        #expect(!isReadable(event))
    }

    @Test func waitingEndsByASignalOfAnotherThread() {
        let event = EventDescriptor()
        let thread = Thread.start(name: "ringing") { event.signal() }
        event.wait(timeoutMilliseconds: 10_000)
        #expect(isReadable(event), "waiting does not clear it")
        thread.join()
    }

    @Test func waitingEndsByTime() {
        let event = EventDescriptor()
        let start = Instant.now()
        event.wait(timeoutMilliseconds: 3)
        #expect(Instant.now().since(start) >= 3_000_000)
        event.wait(timeoutMilliseconds: 0)
        #expect(!isReadable(event))
    }

    @Test func isPrivateToTheProcess() {
        let event = EventDescriptor()
        #expect(fcntl(event.descriptor, F_GETFD) & FD_CLOEXEC != 0)
        #expect(fcntl(event.descriptor, F_GETFL) & O_NONBLOCK != 0)
    }
}
