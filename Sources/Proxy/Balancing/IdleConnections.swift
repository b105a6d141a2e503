/// A target's idle HTTP/1 connections in the order in which they became idle.
///
/// Shape:  an array in which a removed connection leaves an empty place, so that each connection knows its own. Every
///         call takes constant time on average, `last(where:)` excepted.
/// Errors: a connection that is not here cannot be removed; it traps.
struct IdleConnections {
    private var places: [TargetConnection?] = []
    /// No place before is taken.
    private var first = 0
    /// How many there are.
    private(set) var count = 0

    /// Oldest first.
    var all: [TargetConnection] { places.compactMap { $0 } }

    mutating func append(_ connection: TargetConnection) {
        connection.idlePlace = places.count
        places.append(connection)
        count += 1
    }

    mutating func remove(_ connection: TargetConnection) {
        let place = connection.idlePlace
        precondition(
            place < places.count && places[place] === connection, "idle connections: one that is not among them")
        places[place] = nil
        count -= 1
        trim()
    }

    /// Takes out the one that became idle last.
    mutating func popLast() -> TargetConnection? {
        guard let last = places.popLast() else { return nil }
        count -= 1
        trim()
        return last
    }

    /// Takes out the one that became idle first.
    mutating func popFirst() -> TargetConnection? {
        while first < places.count, places[first] == nil { first += 1 }
        guard first < places.count, let connection = places[first] else { return nil }
        remove(connection)
        return connection
    }

    /// The newest for which `isWanted` holds.
    func last(where isWanted: (TargetConnection) -> Bool) -> TargetConnection? {
        for case let connection? in places.reversed() where isWanted(connection) { return connection }
        return nil
    }

    /// Has the last place taken, and no more empty places than taken ones.
    private mutating func trim() {
        while let last = places.last, last == nil { places.removeLast() }
        if places.isEmpty { first = 0 }
        guard places.count > 64, count * 2 < places.count else { return }
        let connections = all
        places.removeAll(keepingCapacity: true)
        first = 0
        for connection in connections {
            connection.idlePlace = places.count
            places.append(connection)
        }
    }
}
