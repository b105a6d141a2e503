import Core
import Routing
import TLS

// The results of a transport's calls.
extension Transport {
    /// Whether the other side is a client or a target.
    package enum OtherSide { case client, target }

    /// What one read brought.
    package enum ReadResult: Equatable {
        /// There is more in the buffer.
        case got
        /// Nothing now, or no room.
        case nothing
        /// The other side will send no more.
        case ended
        /// The connection is dead.
        case failed
    }

    /// What a write achieved.
    package enum WriteResult: Equatable {
        /// Nothing waits any more.
        case done
        /// No more is taken now: an event will say when it is.
        case blocked
        /// The connection is dead.
        case failed
    }

    /// How opening a connection goes.
    package enum ConnectStep {
        case waiting, connected
        case failed(AttemptOutcome.Ending)
    }

    /// How a handshake goes.
    package enum HandshakeStep {
        case done
        /// Until an event.
        case waiting
        case failed(TLSFailure)
        /// The other side has gone.
        case closed
    }
}
