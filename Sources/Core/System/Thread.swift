import CLinux
import Glibc

/// A thread of the kernel, with a name that `top -H` and a debugger show.
///
/// Shape: `Sendable` because the handle is only a number; the owner calls `join` once.
public struct Thread: Sendable {
    private let handle: pthread_t

    /// Starts `body` on a new thread. Signals stay blocked there: the control thread reads them by signalfd(2).
    /// Limits: the kernel keeps 15 bytes of the name; a longer one is truncated at a character boundary.
    public static func start(name: String, _ body: @escaping @Sendable () -> Void) -> Thread {
        let start = unsafe Unmanaged.passRetained(Start(name: name, body: body))
        var handle = pthread_t()
        let status = unsafe pthread_create(
            &handle, nil,
            { argument in
                let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                _ = unsafe apus_name_thread(start.name)
                start.body()
                return nil
            }, unsafe start.toOpaque())
        precondition(status == 0, "pthread_create: \(systemErrorText(status))")
        return Thread(handle: handle)
    }

    /// Waits for the thread to end.
    public func join() { _ = pthread_join(handle, nil) }

    private final class Start: Sendable {
        let name: String
        let body: @Sendable () -> Void

        init(name: String, body: @escaping @Sendable () -> Void) {
            var kept = name
            while kept.utf8.count > 15 { kept.removeLast() }
            self.name = kept
            self.body = body
        }
    }
}
