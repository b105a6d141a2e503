import Core
import Model

/// Targets that a URL lists: it is asked every so often, with the entity tag of what is known already.
///
/// Shape: one object of the control thread; a connection for each question.
/// Source: RFC 9110 §8.8.3, §13.1.2.
final class HTTPSource: DiscoverySource, PollHandler {
    let kind = "http"
    let place: String
    private(set) var record = SourceRecord()
    private let url: HTTPDiscovery.URL
    private let interval: Nanoseconds
    private let loop: ControlLoop
    private let parser: DiskThread
    /// The fields with secrets that it is asked with, as they are in force.
    private let fields: () -> [ControlRequest.Field]
    private weak var observer: (any DiscoveryObserver)?
    private var token = Token.none
    private var backoff = Backoff()
    private var request: ControlRequest?
    /// The entity tag of what was heard last.
    private var entityTag: String?

    /// The URL of `settings`, which is asked with `fields`. What is long is read by `parser`.
    init(
        _ settings: HTTPDiscovery, fields: @escaping () -> [ControlRequest.Field] = { [] }, loop: ControlLoop,
        parser: DiskThread
    ) {
        url = settings.url
        place = settings.url.description
        interval = Nanoseconds(seconds: settings.intervalSeconds)
        self.fields = fields
        self.loop = loop
        self.parser = parser
    }

    func start(_ observer: any DiscoveryObserver, now: Instant) {
        self.observer = observer
        token = loop.add(self, descriptor: nil)
        ask()
    }

    func stop() {
        observer = nil
        request?.cancel()
        request = nil
        loop.remove(token)
    }

    func ready(_ ready: Poller.Ready, now: Instant) {}

    func timerFired(now: Instant) { ask() }

    private func ask() {
        guard let address = SocketAddress(literal: url.address, port: UInt16(url.port)) else {
            preconditionFailure("discovery: \(url) has no address")
        }
        request = ControlRequest(
            .init(target: url.target, host: url.host, entityTag: entityTag, fields: fields()), of: .tcp(address),
            within: Limits.discoveryAnswerTime, bytesMax: Limits.discoveryBytesMax, loop: loop
        ) { [weak self] event in
            self?.request = nil
            self?.take(event)
        }
    }

    private func take(_ event: ControlRequest.Event) {
        switch event {
        case .answer(200, let tag, let body):
            let place = place
            parser.run(within: Limits.discoveryAnswerTime, { FoundTargets.read(body, file: place) }) {
                [weak self] result in
                switch result {
                case .success(let found)?:
                    self?.entityTag = tag.flatMap { $0.utf8.count <= Limits.entityTagBytesMax ? $0 : nil }
                    self?.heard(found)
                case .failure(let error)?: self?.failed("\(error.first)")
                case nil: self?.failed("\(place): its answer could not be read in time.")
                }
            }
        case .answer(304, _, _) where entityTag != nil: heard(record.found ?? FoundTargets())
        case .answer(let status, _, _):
            let why = status == 401 || status == 403 ? ": see its token or headers" : ""
            failed("\(place) answers with status \(status)\(why).")
        case .failed(let reason): failed("\(place) \(reason).")
        case .head, .piece: break
        }
    }

    private func heard(_ found: FoundTargets) {
        guard observer != nil else { return }
        backoff.reset()
        record.heard(found)
        // Not all at once, where many ask the same server.
        loop.schedule(token, at: loop.now + .random(in: interval - interval / 10...interval))
        observer?.changed(self)
    }

    private func failed(_ reason: String) {
        guard observer != nil else { return }
        record.failed(reason, now: loop.now)
        loop.schedule(token, at: loop.now + backoff.next())
        observer?.changed(self)
    }
}
