/// A small, fast pseudorandom number generator that is not cryptographically secure: for jitter, starting points and
/// tests.
///
/// Shape:  eight bytes; each worker and each test has its own, so nothing is shared. The same seed gives the
///         same sequence on every machine, and any seed will do, zero too.
/// Limits: repeats after 2^64 numbers. Two outputs are enough to predict the rest, so never use it for cookies, keys or
///         anything else that must not be guessed.
/// Source: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators", 2014 (SplitMix64).
public struct FastRandom: RandomNumberGenerator, Sendable {
    private var state: UInt64

    /// The sequence of `seed`.
    public init(seed: UInt64) { state = seed }

    /// The next 64 bits.
    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }

    /// A number from zero to `bound` − 1; `bound` is at least one.
    ///
    /// Takes the high half of a product instead of a remainder: no division, and a bias below `bound` / 2^64.
    public mutating func next(below bound: Int) -> Int {
        precondition(bound > 0, "random: no number is below \(bound)")
        return Int(next().multipliedFullWidth(by: UInt64(bound)).high)
    }
}
