import Testing

@testable import TLS

@Suite struct CookieCipherTests {
    private static func plaintext(_ first: UInt8) -> CookieCipher.Plaintext { InlineArray { first &+ UInt8($0) } }

    private static func array(_ bytes: CookieCipher.Plaintext?) -> [UInt8]? { bytes.map { Array(copying: $0.span) } }

    private static func characters(_ text: CookieCipher.Text) -> [UInt8] { Array(copying: text.span) }

    @Test func whatWasSealedIsOpened() {
        let key = CookieKey.random(createdAt: 1)
        let cipher = CookieCipher([key])
        for first: UInt8 in 0...255 {
            let text = cipher.seal(Self.plaintext(first))
            #expect(Self.array(cipher.open(text.span)) == Self.array(Self.plaintext(first)))
            #expect(Self.characters(text).allSatisfy { $0.isLetter || $0.isDigit || "-_".utf8.contains($0) })
        }
    }

    /// Another worker, or the next process, has the same key.
    @Test func anotherCipherWithTheKeyOpensIt() {
        let key = CookieKey.random(createdAt: 1)
        let text = CookieCipher([key]).seal(Self.plaintext(7))
        #expect(Self.array(CookieCipher([key]).open(text.span)) == Self.array(Self.plaintext(7)))
        #expect(CookieCipher([.random(createdAt: 1)]).open(text.span) == nil)
    }

    /// A key that has another's id is still another.
    @Test func theIdAloneOpensNothing() throws {
        let key = CookieKey.random(createdAt: 1)
        let other = try #require(
            CookieKey(id: key.id, secret: CookieKey.random(createdAt: 1).secret, createdAt: 1))
        #expect(CookieCipher([other]).open(CookieCipher([key]).seal(Self.plaintext(7)).span) == nil)
    }

    @Test func afterARotationTheOldKeyOpensAndTheNewOneSeals() {
        let old = CookieKey.random(createdAt: 1), new = CookieKey.random(createdAt: 2)
        let cipher = CookieCipher([old])
        let before = cipher.seal(Self.plaintext(1))
        cipher.adopt([new, old])
        let after = cipher.seal(Self.plaintext(2))
        #expect(Self.array(cipher.open(before.span)) == Self.array(Self.plaintext(1)))
        #expect(Self.array(cipher.open(after.span)) == Self.array(Self.plaintext(2)))
        #expect(CookieCipher([old]).open(after.span) == nil)
        cipher.adopt([new])
        #expect(cipher.open(before.span) == nil && cipher.open(after.span) != nil)
    }

    /// No character can be changed, left out or added.
    @Test func whatWasChangedIsNotOpened() {
        let cipher = CookieCipher([.random(createdAt: 1)])
        let text = Self.characters(cipher.seal(Self.plaintext(9)))
        for place in text.indices {
            for character in [UInt8(ascii: "A"), UInt8(ascii: "b"), UInt8(ascii: "%"), 0, 255]
            where character != text[place] {
                var changed = text
                changed[place] = character
                #expect(cipher.open(changed.span) == nil, "place \(place)")
            }
        }
        for count in 0..<text.count { #expect(cipher.open(Array(text.prefix(count)).span) == nil) }
        #expect(cipher.open((text + text).span) == nil && cipher.open((text + [UInt8(ascii: "=")]).span) == nil)
    }

    /// A failed attempt leaves nothing behind that the next one meets.
    @Test func afterAForgedOneAGoodOneIsOpened() {
        let cipher = CookieCipher([.random(createdAt: 1)])
        let good = cipher.seal(Self.plaintext(3))
        var forged = Self.characters(good)
        forged[40] = forged[40] == 0x41 ? 0x42 : 0x41
        for _ in 0..<3 {
            #expect(cipher.open(forged.span) == nil)
            #expect(cipher.open(good.span) != nil)
        }
    }

    /// The last character has two bits that stand for nothing.
    @Test func aValueHasOneForm() {
        let cipher = CookieCipher([.random(createdAt: 1)])
        let text = Self.characters(cipher.seal(Self.plaintext(9)))
        let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
        let opened = alphabet.filter { last in
            let changed = text.dropLast() + [last]
            return cipher.open(Array(changed).span) != nil
        }
        #expect(opened == [text[74]])
    }

    /// Two cookies that say the same have nothing in common but the key's id.
    @Test func noncesDoNotRepeat() {
        let key = CookieKey.random(createdAt: 1)
        let ciphers = [CookieCipher([key]), CookieCipher([key])]
        var seen: Set<[UInt8]> = []
        for _ in 0..<500 { for cipher in ciphers { seen.insert(Self.characters(cipher.seal(Self.plaintext(0)))) } }
        #expect(seen.count == 1000)
        let starts = Set(seen.map { Array($0[0..<5]) })
        #expect(starts.count == 1, "the first 30 bits are the key's id")
    }
}
