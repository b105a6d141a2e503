import Core
import FoundationEssentials
import Model
import TLS

/// The file that keeps the keys of cookies over a restart: `cookie-keys.json` in `runtime.stateDirectory`.
///
/// It is always replaced as a whole and synced, and only its owner may read it. Processes that share such a file accept
/// each other's cookies.
///
/// Shape: JSON, an object with a list `keys`, of which each has `id`, `secret`, both in hexadecimal, and `createdAt` in
///        seconds since 1970; the newest first.
struct CookieKeyFile: Sendable {
    /// Where it is.
    let path: String

    /// The file in the folder of the state.
    init(inFolder folder: String) { path = folder + "/cookie-keys.json" }

    /// Why it cannot be used: a sentence.
    struct Damage: Error, Equatable {
        let reason: String
    }

    /// The keys that `save` wrote last, the newest first; none if nothing was ever saved.
    ///
    /// Errors: the file is there and cannot be read or understood. It is left as it is; put it aside before `save`
    /// replaces it.
    func load() throws(Damage) -> [CookieKey] {
        let content: [UInt8]
        do throws(SystemError) {
            content = try readFile(path)
        } catch {
            if error.code == SystemError.noSuchFile { return [] }
            throw Damage(reason: "\(error)")
        }
        let value: Value
        do throws(ConfigErrors) { value = try Value.parse(json: content, file: path) } catch {
            throw Damage(reason: error.first.message)
        }
        guard let written = value["keys"]?.array else { throw Damage(reason: "\(path) has no list of keys") }
        var keys: [CookieKey] = []
        for (index, value) in written.enumerated() {
            guard let key = CookieKey(value) else {
                throw Damage(reason: "keys[\(index)] of \(path) is not a valid key")
            }
            keys.append(key)
        }
        // In their order, not by their times: the clock may have been set back.
        return Array(keys.prefix(Limits.cookieKeysMax))
    }

    /// Gives the file another name, by which an operator finds it, and returns that name; nil if that is refused.
    func setAside() -> String? {
        let aside = path + ".damaged"
        try? FileManager.default.removeItem(atPath: aside)
        do { try FileManager.default.moveItem(atPath: path, toPath: aside) } catch { return nil }
        return aside
    }

    /// Makes `keys` what `load` gives, before it returns.
    ///
    /// Errors: `SystemError`; the file is then as it was.
    func save(_ keys: [CookieKey]) throws(SystemError) {
        let value = Value.object([Value.Member("keys", .array(keys.map(\.written)))])
        try replaceFile(path, with: Array((value.json() + "\n").utf8))
    }
}

extension CookieKey {
    /// Reads a key of the file; nil if `value` is not a valid key.
    fileprivate init?(_ value: Value) {
        // One condition a statement: with all in one the optimizer of Swift 6.3.1 fails.
        guard let idText = value["id"]?.string, let id = UInt32(idText, radix: 16) else { return nil }
        guard let secretText = value["secret"]?.string, let secret = [UInt8](hexadecimal: secretText) else {
            return nil
        }
        guard let seconds = value["createdAt"]?.int, let createdAt = UInt64(exactly: seconds) else { return nil }
        self.init(id: id, secret: secret, createdAt: createdAt)
    }

    /// The key as the file has it.
    fileprivate var written: Value {
        .object([
            Value.Member("id", .string(String(id, radix: 16))),
            Value.Member("secret", .string(secret.map(Self.hexadecimal).joined())),
            Value.Member("createdAt", .int(Int(createdAt))),
        ])
    }

    private static func hexadecimal(_ byte: UInt8) -> String { (byte < 16 ? "0" : "") + String(byte, radix: 16) }
}

extension [UInt8] {
    /// The bytes of an even number of hexadecimal digits; nil for anything else.
    fileprivate init?(hexadecimal text: String) {
        let digits = text.utf8.map(\.hexadecimalValue)
        guard digits.count.isMultiple(of: 2) else { return nil }
        self = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = digits[index], let low = digits[index + 1] else { return nil }
            append(high << 4 | low)
        }
    }
}
