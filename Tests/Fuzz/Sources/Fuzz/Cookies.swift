import Core
import Routing
import TLS

/// Checks that the cookies of a request are found where a plain reader finds them, that only what was sealed here is
/// opened, and that it says then what was sealed.
enum Cookies {
    /// What was sealed, by whom, and whether it is to be opened.
    private struct Sealed: Sendable {
        let cookie: StickyCookie
        let text: [UInt8]
        let isOurs: Bool
    }

    /// The names of the targets; the last two are the same.
    private static let names: [UInt64] = [7, 1 << 63, 0, 4, 8, 8]
    /// The newest key, an older one, and one that is not accepted any more.
    private static let keys = (UInt8(1)...3).compactMap { key in
        CookieKey(id: UInt32(key), secret: Array(repeating: key, count: CookieKey.secretCount), createdAt: 0)
    }
    private static let sealed = seal()
    /// Accepts the first two keys; the one thread that libFuzzer has is the only one that uses it.
    nonisolated(unsafe) private static let cipher = CookieCipher(Array(keys[..<2]))
    private static let table = TargetNames(names)

    /// Each line of the input is the value of a Cookie field. In it `@` and a byte stand for one of the values that
    /// were sealed; if the byte has its highest bit, the two behind it say which character of the value is another one,
    /// and which. The first 24 bytes of the input are also taken for what a cookie says.
    static func check(_ input: Span<UInt8>) {
        checkPlaintext(input)
        let head = Head()
        var expected: [[[UInt8]]] = []
        for line in copyBytes(input).split(separator: .lineFeed, omittingEmptySubsequences: false).prefix(100) {
            let value = filled(line)
            let field = head.beginField("Cookie")
            head.append(value.span)
            head.endField(field, id: .other)
            expected += cookies(value)
        }
        var walk = CookieWalk()
        var found: [[[UInt8]]] = []
        while let cookie = walk.next(in: head) {
            let value = head.bytes(cookie.value)
            found.append([copyBytes(head.bytes(cookie.name)), copyBytes(value)])
            checkOpening(value)
        }
        demand(found == expected, "cookies \(found), not \(expected)")
    }

    /// Each kind of cookie, sealed by each key.
    private static func seal() -> [Sealed] {
        keys.enumerated().flatMap { place, key in
            let cipher = CookieCipher([key])
            return [StickyCookie.Kind.target, .application, .group].map { kind in
                let cookie = StickyCookie(kind, issuedAt: 1_700_000_000, scope: 42, name: names[place])
                let text = cipher.seal(cookie.bytes)
                return Sealed(cookie: cookie, text: copyBytes(text.span), isOurs: place < 2)
            }
        }
    }

    private static func filled(_ line: ArraySlice<UInt8>) -> [UInt8] {
        var rest = line
        var value: [UInt8] = []
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "@"), let number = rest.popFirst() else {
                value.append(byte)
                continue
            }
            var text = sealed[Int(number) % sealed.count].text
            if number >= 0x80, let place = rest.popFirst(), let character = rest.popFirst() {
                text[Int(place) % text.count] = character
            }
            value += text
        }
        return value
    }

    /// The names and values in one Cookie field. Source: RFC 6265 §4.2.1.
    private static func cookies(_ field: [UInt8]) -> [[[UInt8]]] {
        field.split(separator: .semicolon, omittingEmptySubsequences: false).compactMap { pair in
            guard let equals = pair.firstIndex(of: .equalsSign) else { return nil }
            let name = trimmed(pair[..<equals])
            return name.isEmpty ? nil : [name, trimmed(pair[equals...].dropFirst())]
        }
    }

    private static func trimmed(_ text: ArraySlice<UInt8>) -> [UInt8] {
        func isBlank(_ byte: UInt8) -> Bool { byte == .space || byte == .tab }
        return text.drop(while: isBlank).reversed().drop(while: isBlank).reversed()
    }

    /// A value is opened exactly if a key that is accepted has sealed it, character by character.
    private static func checkOpening(_ value: Span<UInt8>) {
        let text = copyBytes(value)
        let wanted = sealed.first { $0.isOurs && $0.text == text }?.cookie
        let opened = unsafe cipher.open(value).flatMap { StickyCookie($0) }
        demand(opened == wanted, "\(shown(value)) says \(String(describing: opened))")
        guard let opened else { return }
        let place = table.index(of: opened.name)
        demand(place == names.firstIndex(of: opened.name), "\(opened.name) is at \(String(describing: place))")
    }

    /// Whatever a key may have sealed is refused, or written as it was read; and names are looked up without a trap.
    private static func checkPlaintext(_ input: Span<UInt8>) {
        guard input.count >= 24 else { return }
        let first = copyBytes(input.extracting(first: 24))
        let bytes = CookieCipher.Plaintext { first[$0] }
        guard let cookie = StickyCookie(bytes) else { return }
        let again = cookie.bytes
        demand(again.indices.allSatisfy { again[$0] == bytes[$0] }, "\(cookie) is written in another way")
        let all = names + [cookie.scope, cookie.name, cookie.scope]
        let table = TargetNames(all)
        for name in all + [cookie.name &+ 1] {
            demand(table.index(of: name) == all.firstIndex(of: name), "\(name) is not found")
        }
        let now = UInt32(truncatingIfNeeded: cookie.scope), seconds = UInt32(truncatingIfNeeded: cookie.name)
        let age = Int64(now) - Int64(cookie.issuedAt)
        demand(cookie.isStale(after: seconds, now: now) == (age.magnitude > UInt64(seconds)), "\(age) s, \(seconds) s")
    }
}
