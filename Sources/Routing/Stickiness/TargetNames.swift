/// Finds the targets of a group by the hashes of their names.
///
/// Shape:  a table with open addressing, at most half full, made when the targets of the group change. A look takes a
///         step or two, whatever their number.
/// Limits: of two targets with the same hash the first is found.
public struct TargetNames: Sendable {
    /// A hash, and the place of the target in its group.
    private struct Entry {
        let name: UInt64
        let index: Int32
    }

    private var entries: [Entry?]
    private let mask: Int

    /// The targets with these names, in the order of the group.
    public init(_ names: [UInt64]) {
        var capacity = 4
        while capacity < names.count * 2 { capacity *= 2 }
        mask = capacity - 1
        entries = Array(repeating: nil, count: capacity)
        for (index, name) in names.enumerated() where self.index(of: name) == nil {
            entries[freePlace(for: name)] = Entry(name: name, index: Int32(index))
        }
    }

    /// The place of the target with this name in its group; nil if there is none.
    public func index(of name: UInt64) -> Int? {
        var place = Int(truncatingIfNeeded: name) & mask
        while let entry = entries[place] {
            if entry.name == name { return Int(entry.index) }
            place = (place + 1) & mask
        }
        return nil
    }

    private func freePlace(for name: UInt64) -> Int {
        var place = Int(truncatingIfNeeded: name) & mask
        while entries[place] != nil { place = (place + 1) & mask }
        return place
    }
}
