import Core

@testable import Telemetry

extension LogRing {
    /// Takes what is there, as text.
    func takeText() -> String {
        var text = ""
        // What wraps comes in two pieces.
        for _ in 0..<2 {
            take { piece in
                text += piece.text
                return piece.count
            }
        }
        return text
    }
}
