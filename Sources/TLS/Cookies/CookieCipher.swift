import COpenSSL
import Core

/// Seals and opens the values of cookies that Apus sets, so that clients can neither read nor make them.
///
/// A value is the key's id, a nonce, 24 encrypted bytes and their tag, in base64url without padding: 75 characters, of
/// which none needs an escape in a cookie.
///
/// Shape:  of one worker. Each key has an OpenSSL context in which its schedule is ready, so nothing is allocated for a
///         cookie. The nonces of a worker count up from a random number, so that they do not repeat: of two workers, or
///         of two runs, they are as far apart as random numbers of 96 bits.
/// Limits: as many keys as it is given; to find one takes a look at each that is newer.
/// Source: NIST SP 800-38D; RFC 4648 §5.
public final class CookieCipher {
    /// What a cookie says.
    public typealias Plaintext = InlineArray<24, UInt8>
    /// The value of a cookie.
    public typealias Text = InlineArray<75, UInt8>

    private static let nonceCount = 12
    /// Characters of a value.
    public static let textCount = 75

    /// The key's id (4 bytes), the nonce (12), the encrypted bytes (24) and their tag (16).
    private typealias Sealed = InlineArray<56, UInt8>

    /// A key with its context.
    private struct Entry {
        let id: UInt32
        let context: OpaquePointer
    }

    private let cipher: OpaquePointer
    /// The newest key first, with which cookies are sealed.
    private var entries: [Entry] = []
    /// Seals with the newest key.
    private var sealing: OpaquePointer?
    private var nonce: InlineArray<12, UInt8>

    /// Works with these keys, the newest first; there is at least one.
    public init(_ keys: [CookieKey]) {
        guard let cipher = unsafe EVP_CIPHER_fetch(nil, "AES-256-GCM", nil) else {
            preconditionFailure("tls: OpenSSL has no AES-256-GCM")
        }
        unsafe self.cipher = unsafe cipher
        let start = randomBytes(Self.nonceCount)
        nonce = InlineArray { start[$0] }
        adopt(keys)
    }

    deinit {
        releaseContexts()
        unsafe EVP_CIPHER_free(cipher)
    }

    /// Works with these keys from now on.
    public func adopt(_ keys: [CookieKey]) {
        guard let newest = keys.first else { preconditionFailure("cookie cipher: no key") }
        releaseContexts()
        entries = keys.map { unsafe Entry(id: $0.id, context: context($0, isSealing: false)) }
        unsafe sealing = context(newest, isSealing: true)
    }

    private func releaseContexts() {
        for entry in entries { unsafe EVP_CIPHER_CTX_free(entry.context) }
        entries = []
        unsafe EVP_CIPHER_CTX_free(sealing)
        unsafe sealing = nil
    }

    private func context(_ key: CookieKey, isSealing: Bool) -> OpaquePointer {
        let context = unsafe EVP_CIPHER_CTX_new()
        guard let context = unsafe context,
            unsafe EVP_CipherInit_ex2(context, cipher, key.secret, nil, isSealing ? 1 : 0, nil) == 1
        else { preconditionFailure("tls: OpenSSL has refused a cookie key") }
        return unsafe context
    }

    /// Seals what a cookie says, with the newest key.
    public func seal(_ plaintext: Plaintext) -> Text {
        var sealed = Sealed(repeating: 0)
        for index in 0..<4 { sealed[index] = UInt8(truncatingIfNeeded: entries[0].id >> (24 - 8 * UInt32(index))) }
        advanceNonce()
        for index in nonce.indices { sealed[4 + index] = nonce[index] }
        var plain = plaintext
        let isSealed = unsafe withUnsafeMutableBytes(of: &sealed) { out in
            unsafe withUnsafeMutableBytes(of: &plain) { plain in
                unsafe seal(plain.assumingMemoryBound(to: UInt8.self), into: out.assumingMemoryBound(to: UInt8.self))
            }
        }
        precondition(isSealed, "tls: OpenSSL cannot encrypt a cookie")
        return Self.text(of: sealed)
    }

    /// What a cookie with the value `text` says; nil if no key has sealed it as it is.
    public func open(_ text: Span<UInt8>) -> Plaintext? {
        guard var sealed = Self.bytes(of: text) else { return nil }
        var id: UInt32 = 0
        for index in 0..<4 { id = id << 8 | UInt32(sealed[index]) }
        guard let place = entries.firstIndex(where: { $0.id == id }) else { return nil }
        let context = unsafe entries[place].context
        var plaintext = Plaintext(repeating: 0)
        let isOpened = unsafe withUnsafeMutableBytes(of: &sealed) { bytes in
            unsafe withUnsafeMutableBytes(of: &plaintext) { plain in
                unsafe open(
                    bytes.assumingMemoryBound(to: UInt8.self), with: context,
                    into: plain.assumingMemoryBound(to: UInt8.self))
            }
        }
        return isOpened ? plaintext : nil
    }

    /// Encrypts by the nonce that stands in `out`, and puts the tag behind.
    private func seal(_ plain: UnsafeMutableBufferPointer<UInt8>, into out: UnsafeMutableBufferPointer<UInt8>) -> Bool {
        guard let start = out.baseAddress else { return false }
        var count: Int32 = 0
        return unsafe EVP_EncryptInit_ex2(sealing, nil, nil, start + 4, nil) == 1
            && EVP_EncryptUpdate(sealing, start + 16, &count, plain.baseAddress, 24) == 1
            && EVP_EncryptFinal_ex(sealing, start + 40, &count) == 1
            && EVP_CIPHER_CTX_ctrl(sealing, EVP_CTRL_AEAD_GET_TAG, 16, start + 40) == 1
    }

    /// Decrypts what `seal` has made. False if the tag is another's.
    private func open(
        _ bytes: UnsafeMutableBufferPointer<UInt8>, with context: OpaquePointer,
        into plain: UnsafeMutableBufferPointer<UInt8>
    ) -> Bool {
        guard let start = bytes.baseAddress else { return false }
        var count: Int32 = 0
        return unsafe EVP_DecryptInit_ex2(context, nil, nil, start + 4, nil) == 1
            && EVP_DecryptUpdate(context, plain.baseAddress, &count, start + 16, 24) == 1
            && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, start + 40) == 1
            && EVP_DecryptFinal_ex(context, plain.baseAddress, &count) == 1
    }

    private func advanceNonce() {
        for index in nonce.indices.reversed() {
            nonce[index] &+= 1
            if nonce[index] != 0 { return }
        }
    }

    // MARK: base64url

    private static func text(of sealed: Sealed) -> Text {
        var text = Text(repeating: 0)
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        var place = 0
        for index in sealed.indices {
            bits = bits << 8 | UInt32(sealed[index])
            bitCount += 8
            while bitCount >= 6 {
                bitCount -= 6
                text[place] = character(UInt8(truncatingIfNeeded: bits >> bitCount) & 63)
                place += 1
            }
        }
        text[place] = character(UInt8(truncatingIfNeeded: bits << (6 - bitCount)) & 63)
        return text
    }

    private static func bytes(of text: Span<UInt8>) -> Sealed? {
        guard text.count == textCount else { return nil }
        var sealed = Sealed(repeating: 0)
        var bits: UInt32 = 0
        var bitCount: UInt32 = 0
        var place = 0
        for index in text.indices {
            guard let value = value(text[index]) else { return nil }
            bits = bits << 6 | UInt32(value)
            bitCount += 6
            guard bitCount >= 8 else { continue }
            bitCount -= 8
            sealed[place] = UInt8(truncatingIfNeeded: bits >> bitCount)
            place += 1
        }
        // Bits that stand for nothing are 0, so that a value has one form.
        return bits & (1 << bitCount - 1) == 0 ? sealed : nil
    }

    private static func character(_ value: UInt8) -> UInt8 {
        switch value {
        case 0..<26: value + UInt8(ascii: "A")
        case 26..<52: value - 26 + UInt8(ascii: "a")
        case 52..<62: value - 52 + UInt8(ascii: "0")
        case 62: UInt8(ascii: "-")
        default: UInt8(ascii: "_")
        }
    }

    private static func value(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
        case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
        case UInt8(ascii: "-"): 62
        case UInt8(ascii: "_"): 63
        default: nil
        }
    }
}
