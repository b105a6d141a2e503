/// Exchanges that wait, oldest first: for a stream on an HTTP/2 connection to one target, for a descriptor, or until a
/// target takes one more request.
///
/// Shape:  a list of places with ascending tickets, so that an exchange that goes to another target leaves the queue in
///         one step.
/// Limits: the exchanges of the worker.
struct StreamQueue {
    private struct Place {
        let exchange: Exchange
        /// The server name that TLS asks the target for; empty without TLS.
        let serverName: [UInt8]
    }

    private var places: [Place?] = []
    /// The ticket of `places[0]`.
    private var firstTicket = 0
    /// The first place that is taken.
    private var head = 0
    /// The number of exchanges that wait.
    private(set) var count = 0

    var isEmpty: Bool { count == 0 }

    /// Appends an exchange, and returns the ticket with which `remove` takes it out.
    mutating func append(_ exchange: Exchange, for serverName: [UInt8]) -> Int {
        places.append(Place(exchange: exchange, serverName: serverName))
        count += 1
        return firstTicket + places.count - 1
    }

    /// Takes out the exchange with this ticket.
    mutating func remove(ticket: Int) {
        precondition(places[ticket - firstTicket] != nil, "stream queue: a ticket removed twice")
        places[ticket - firstTicket] = nil
        count -= 1
        trim()
    }

    /// The exchange that has waited longest for a connection with this server name. It stays in the queue until
    /// `remove`.
    func first(for serverName: [UInt8]) -> Exchange? {
        for case let place? in places[head...] where place.serverName == serverName { return place.exchange }
        return nil
    }

    /// The exchange that has waited longest; or, of the next `looks`, the first that `isWanted`.
    func first(of looks: Int, where isWanted: (Exchange) -> Bool) -> Exchange? {
        guard !isEmpty else { return nil }
        var left = looks
        for case let place? in places[head...] {
            if isWanted(place.exchange) { return place.exchange }
            left -= 1
            if left == 0 { break }
        }
        return places[head]?.exchange
    }

    /// The server name of the exchange that has waited longest; nil if none waits.
    var firstName: [UInt8]? { isEmpty ? nil : places[head]?.serverName }

    /// The number of exchanges that wait for a connection with this server name.
    func count(for serverName: [UInt8]) -> Int {
        places[head...].reduce(0) { $0 + ($1?.serverName == serverName ? 1 : 0) }
    }

    /// Takes out all exchanges that wait for a connection with this server name, oldest first.
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

    /// Skips empty places at the front, and frees their memory once there are many.
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
