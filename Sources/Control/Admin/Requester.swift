/// The client that waits for the answer to one request, and may disconnect before it comes.
///
/// Shape: one object of the control thread for each request.
final class Requester {
    /// Whether the client has disconnected.
    private(set) var hasDisconnected = false
    /// Frees what is kept for this requester alone. Called once, when it disconnects; never if it had done so before.
    var cancel: () -> Void = {}

    /// The client has disconnected. May be called again.
    func disconnect() {
        guard !hasDisconnected else { return }
        hasDisconnected = true
        cancel()
        cancel = {}
    }
}
