import Core

/// The header fields with one name, as conditions look at them.
///
/// What the client has declared to be for this hop alone, and names that the listener drops, count as absent: targets
/// do not get them. So do the fields by which Apus tells targets how the client came. The fields of HTTP itself that
/// end at this hop, such as Upgrade, count.
struct FieldSelector: Equatable, Sendable {
    /// The name, in lower case.
    let name: [UInt8]
    /// Which well-known field it is.
    private let id: FieldID

    /// The fields with this name, in any case.
    init(_ name: String) {
        let name = name.utf8.map(\.lowercased)
        self.name = name
        id = FieldID(name.span)
    }

    /// Whether `field`, which lies in `bytes`, is one of them.
    func selects(_ field: Field, of bytes: Span<UInt8>) -> Bool {
        // Only Apus may set these: what a client sends under their names never reaches a target.
        guard field.id == id, id != .xAmznTLS, id != .xForwardedProto, id != .xForwardedPort else { return false }
        if id == .other, field.isRemoved { return false }
        let name = name
        return bytes.extracting(field.name).equalsIgnoringCase(name.span)
    }
}
