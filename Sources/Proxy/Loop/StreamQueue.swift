/// Exchanges that wait for a stream on an HTTP/2 connection to one target, oldest first.
///
/// Shape:  a ring of places with tickets that count up, so that an exchange which goes elsewhere gives its place back
///         in one step.
/// Limits: the exchanges of the worker.
struct StreamQueue {
    private struct Place {
        let exchange: Exchange
        /// The name that TLS asks the target for; empty without TLS.
        let serverName: [UInt8]
    }

    private var places: [Place?] = []
    /// The ticket of `places[0]`.
    private var firstTicket = 0
    /// The first place that is taken.
    private var head = 0
    /// How many wait.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Takes in an exchange. Its ticket is for `remove`.
    mutating func append(_ exchange: Exchange, for serverName: [UInt8]) -> Int {
        places.append(Place(exchange: exchange, serverName: serverName))
        count += 1
        return firstTicket + places.count - 1
    }

    /// An exchange does not wait any more.
    mutating func remove(ticket: Int) {
        precondition(places[ticket - firstTicket] != nil, "stream queue: a ticket given back twice")
        places[ticket - firstTicket] = nil
        count -= 1
        trim()
    }

    /// The exchange that waits longest for a connection whose TLS has asked for this name. It stays until its ticket is
    /// given back.
    func first(for serverName: [UInt8]) -> Exchange? {
        for case let place? in places[head...] where place.serverName == serverName { return place.exchange }
        return nil
    }

    /// The name for which the one that waits longest needs a connection; nil if none waits.
    var firstName: [UInt8]? { isEmpty ? nil : places[head]?.serverName }

    /// How many wait for a connection whose TLS has asked for this name.
    func count(for serverName: [UInt8]) -> Int {
        places[head...].reduce(0) { $0 + ($1?.serverName == serverName ? 1 : 0) }
    }

    /// Takes out all that wait for a connection whose TLS has asked for this name, oldest first.
    mutating func removeAll(for serverName: [UInt8]) -> [Exchange] {
        var removed: [Exchange] = []
        for index in places.indices {
            guard let place = places[index], place.serverName == serverName else { continue }
            removed.append(place.exchange)
            places[index] = nil
        }
        count -= removed.count
        trim()
        return removed
    }

    /// All that wait, oldest first.
    var all: [Exchange] { places.compactMap { $0?.exchange } }

    /// Steps over empty places at the front, and now and then frees their memory.
    private mutating func trim() {
        if count == 0 {
            firstTicket += places.count
            places.removeAll(keepingCapacity: places.count <= 256)
            head = 0
            return
        }
        while places[head] == nil { head += 1 }
        guard head > 64, head * 2 > places.count else { return }
        places.removeFirst(head)
        firstTicket += head
        head = 0
    }
}
