import Routing
import TLS

/// A cookie as it was sealed last. It does not depend on the client, so within a second all clients get the same, and
/// sealing costs next to nothing.
struct SealedCookie {
    private var cookie: StickyCookie?
    private var text = CookieCipher.Text(repeating: 0)

    /// The value of `cookie`, sealed by `cipher` unless it was the last one.
    mutating func text(of cookie: StickyCookie, by cipher: CookieCipher) -> CookieCipher.Text {
        if cookie != self.cookie {
            text = cipher.seal(cookie.bytes)
            self.cookie = cookie
        }
        return text
    }
}
