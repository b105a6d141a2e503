import Core

extension Buffer {
    /// Takes the oldest `count` bytes out.
    func takeBytes(_ count: Int) -> [UInt8] {
        var taken: [UInt8] = []
        taken.reserveCapacity(count)
        for index in 0..<count { taken.append(bytes[index]) }
        consume(count)
        return taken
    }
}

extension Head {
    /// Whether the request's method is HEAD, whose answer has no body.
    var isHEAD: Bool { bytes(method).equals("HEAD") }
}
