/// A secret key for hashes of bytes that strangers choose: without it nobody can make many of them collide in a table.
///
/// Shape:  two random words; a hash is a few multiplications, a tenth of what SipHash takes. Not for anything that
///         leaves the process.
/// Source: wyhash (github.com/wangyi-fudan/wyhash), the multiplication folded to 64 bits.
public struct HashKey: Sendable {
    private let first: UInt64
    private let second: UInt64

    /// The key of this process.
    public static let ofProcess = HashKey(first: .random(in: 1...(.max)), second: .random(in: 1...(.max)))

    init(first: UInt64, second: UInt64) {
        self.first = first
        self.second = second
    }

    /// Makes one word of two, of which each bit depends on all of theirs and on the key.
    public func fold(_ one: UInt64, _ other: UInt64) -> UInt64 {
        let product = (one ^ first).multipliedFullWidth(by: other ^ second)
        return product.high ^ product.low
    }
}
