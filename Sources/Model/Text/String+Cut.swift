extension String {
    /// This text if it has at most `limit` bytes of UTF-8; else its beginning with a note of its length, `limit` bytes
    /// together, so that a text that was cut is not cut again. The cut is between two characters.
    public func cut(to limit: Int) -> String {
        let bytes = utf8
        guard bytes.count > limit else { return self }
        let note = "… (\(bytes.count) bytes)"
        var end = bytes.index(bytes.startIndex, offsetBy: max(0, limit - note.utf8.count))
        while bytes[end] & 0xC0 == 0x80 { end = bytes.index(before: end) }
        return self[..<end] + note
    }
}
