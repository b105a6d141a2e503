import Glibc

/// The functions of real numbers that statistics need, for modules that may not import Glibc.
extension Double {
    /// The natural logarithm; −∞ for 0.
    public var naturalLogarithm: Double { log(self) }

    /// e to the power of this number.
    public var exponential: Double { exp(self) }

    /// The logarithm of the gamma function at this number, which is positive.
    /// Source: lgamma(3); the variant that writes no global variable.
    public var logGamma: Double {
        var sign: Int32 = 0
        return unsafe lgamma_r(self, &sign)
    }

    /// The logarithm of the sum of what these numbers are the logarithms of; −∞ without any. Large and small ones
    /// neither overflow nor vanish.
    public static func logSum(of logarithms: [Double]) -> Double {
        guard let largest = logarithms.max(), largest > -.infinity else { return -.infinity }
        return largest + log(logarithms.reduce(0) { $0 + exp($1 - largest) })
    }
}
