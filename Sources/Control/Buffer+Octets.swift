import Core

extension Buffer {
    /// Takes the oldest `count` octets out.
    func takeOctets(_ count: Int) -> [UInt8] {
        var octets: [UInt8] = []
        octets.reserveCapacity(count)
        for index in 0..<count { octets.append(bytes[index]) }
        consume(count)
        return octets
    }
}
