import Synchronization

/// An address that one thread notes and any other may read.
///
/// Shape:  a sequence lock: the writer never waits, and a reader that comes in between reads again.
public struct SharedAddress: ~Copyable, Sendable {
    /// Odd while the words are being written.
    private let version = Atomic<UInt64>(0)
    private let high = Atomic<UInt64>(0)
    private let low = Atomic<UInt64>(0)

    /// None.
    public init() {}

    /// Notes the host of `address`. Only the owning thread may call this.
    public func note(_ address: SocketAddress) {
        let next = version.load(ordering: .relaxed) &+ 1
        version.store(next, ordering: .relaxed)
        atomicMemoryFence(ordering: .releasing)
        high.store(address.words.high, ordering: .relaxed)
        // An IPv4 address as the IPv6 address that maps it.
        low.store(address.words.low | (address.family == .ipv4 ? 0xFFFF << 32 : 0), ordering: .relaxed)
        version.store(next &+ 1, ordering: .releasing)
    }

    /// The address that was noted last, with port 0; nil if none was.
    public var value: SocketAddress? {
        while true {
            let before = version.load(ordering: .acquiring)
            if before == 0 { return nil }
            let words = (high.load(ordering: .relaxed), low.load(ordering: .relaxed))
            atomicMemoryFence(ordering: .acquiring)
            if before % 2 == 0, version.load(ordering: .relaxed) == before {
                return SocketAddress(high: words.0, low: words.1, port: 0)
            }
        }
    }
}
