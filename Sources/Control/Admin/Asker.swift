/// Whoever waits for the answer to one request, and may go away before it comes.
///
/// Shape: one object of the control thread for each request.
final class Asker {
    /// Whether nobody waits for the answer any more.
    private(set) var isGone = false
    /// Gives up what is kept for this asker alone. Called once, when it goes; never if it had gone before.
    var gaveUp: () -> Void = {}

    /// Nobody waits for the answer any more. May be called again.
    func go() {
        guard !isGone else { return }
        isGone = true
        gaveUp()
        gaveUp = {}
    }
}
