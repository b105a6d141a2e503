import Core
import HTTP1
import Telemetry

/// One request and its response, which joins a client's side to a target's.
///
/// Shape:  reused through its worker's free list, with the arena of its request head. Both sides point here and are
///         pointed at from here; `Worker.releaseExchange` breaks the reference cycle.
final class Exchange {
    /// The request, kept to the end: retries and the log record need it.
    var request = Head()
    var state = ExchangeState()
    private var joinedClient: ClientSide?
    var target: TargetSide?
    /// The registered target of the attempt under way, once it is connected.
    var pool: TargetPool?
    var group: Group?
    /// What its target is found by, where the group's algorithm is one of hashing; else 0.
    var hash: UInt64 = 0
    /// Whether its client stays with a target or a group by cookies, which its response carries.
    var stickiness = ExchangeStickiness()
    /// The targets it was tried on, and those that are being connected to.
    var attempts = Attempts()
    /// When the attempt under way began; nil if none is, or none is connected yet.
    var attemptBeganAt: Instant?
    /// The request's body so far, kept for retries until a response begins.
    var keptBody = KeptBody()
    /// How many bytes of it may be kept.
    var keptBytesMax = 0

    /// What the request's head said.
    var facts = RequestFacts()

    var requestProgress = RequestProgress.received
    var responseProgress = ResponseProgress.awaited
    /// Whether each connection serves another exchange.
    var clientPersistence = Persistence.undecided
    var targetPersistence = Persistence.undecided
    var share = ShareState.none

    /// The client's fault on its HTTP/2 stream, for the log.
    var clientFault: StaticString?
    /// Bytes of the request's head that the worker's budget was charged with.
    var chargedByteCount = 0
    /// Its place in `Worker.descriptorQueue`, while it waits there.
    var descriptorTicket: Int?
    /// Its place among those that wait until a target takes one more request, while it waits there.
    var targetWait: TargetWait?
    /// A slot that it was given while it waited, until it makes its first attempt there.
    var slot: TargetPool?
    /// The violation in the request's body, if any, which decides the status and the reason code.
    var bodyViolation: Violation?
    /// The fault of the target's response, if any.
    var responseFault: ResponseFault?
    var interimResponses = 0
    /// Whether its target is told which group its user belongs to.
    var tellsCohort = false
    /// Whether its target cut the response short, or a gRPC status says that it has failed.
    var isSpoiled = false

    /// What the rule does to fields; nil if nothing is.
    var fieldChanges: FieldChanges?
    /// What the log record tells.
    var record: AccessRecord
    /// The Location of a redirect, in the request's arena.
    var redirectURL = ByteRange.empty
    /// `consumedCount` and `writtenCount` of the client's side when the exchange began.
    var consumedAtStart: UInt64 = 0
    var writtenAtStart: UInt64 = 0
    /// Monotonic moments: request head read, request passed on, response head read.
    var startedAt = Instant(nanoseconds: 0)
    var sentAt = Instant(nanoseconds: 0)
    var answeredAt = Instant(nanoseconds: 0)

    /// The client's side. An exchange without a client is in the free list.
    var client: ClientSide {
        guard let joinedClient else { preconditionFailure("exchange: used after its release") }
        return joinedClient
    }

    init() { record = AccessRecord(createdAt: 0, client: .unspecified, listener: .unspecified) }

    /// Whether it has failed, as its client sees it, for a reason that is not the client's.
    var hasFailed: Bool { record.status >= 500 || isSpoiled }

    /// Whether it has a client, and so is not in the free list.
    var isJoined: Bool { joinedClient != nil }

    /// Begins a new exchange with `client`, reusing only the memory. `timeOfDay` is `WallClock.now()` of this pass.
    func begin(_ client: ClientSide, now: Instant, timeOfDay: UInt64) {
        state = ExchangeState()
        joinedClient = client
        facts = RequestFacts()
        requestProgress = .received
        responseProgress = .awaited
        clientPersistence = .undecided
        targetPersistence = .undecided
        share = .none
        stickiness = ExchangeStickiness()
        clientFault = nil
        attemptBeganAt = nil
        descriptorTicket = nil
        targetWait = nil
        slot = nil
        bodyViolation = nil
        responseFault = nil
        interimResponses = 0
        isSpoiled = false
        tellsCohort = false
        record = AccessRecord(createdAt: timeOfDay, client: client.address, listener: client.address)
        redirectURL = .empty
        consumedAtStart = client.consumedCount
        writtenAtStart = client.writtenCount
        startedAt = now
    }

    /// Releases everything but its memory.
    func end() {
        fieldChanges = nil
        joinedClient = nil
        target = nil
        pool = nil
        group = nil
        attempts.reset()
        request.reset()
    }

    /// Whether it asks for a WebSocket over HTTP/2: any 2xx tells its client that the tunnel is open.
    /// Source: RFC 8441 §4.
    var isExtendedCONNECT: Bool {
        let head = request
        return head.isWebSocket && head.isHTTP2
    }

    /// Whether sending the request twice does no more than sending it once.
    var isIdempotent: Bool { request.methodID.isIdempotent }
}

/// What the head of a request said about the message and its connection.
struct RequestFacts {
    /// The client's connection may serve another request. Source: RFC 9112 §9.3.
    var isPersistent = false
    /// Another parser may read the head differently, so neither connection is reused.
    var isAmbiguous = false
    /// It asks for `100 Continue` before its body. Source: RFC 9110 §10.1.1.
    var expectsContinue = false
    /// Its response has no body. Source: RFC 9110 §9.3.2.
    var isHEAD = false
}

/// How an exchange has to do with cookies by which clients stay where they are.
struct ExchangeStickiness {
    /// Whether its response carries any.
    var isOn = false
    /// Whether it carries one that names the group.
    var remembersGroup = false
    /// The name of the target that a cookie has chosen, which no balancer has picked. The request is sent there again
    /// if that target has only ended an idle connection.
    var boundName: UInt64?
    /// Whether the request has the cookie of the application that the group's stickiness goes by.
    var hasApplicationCookie = false
}
