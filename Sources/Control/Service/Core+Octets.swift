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

extension Head {
    /// Whether the request's method is HEAD, whose answer has no body.
    var isHEAD: Bool { bytes(method).equals("HEAD") }
}
