/// How much was done for a connection in one turn of its worker.
///
/// Reads are no measure: a byte may be a part of a body, or stand for four thousand of a head.
/// Shape:  a trivial value; units are about nanoseconds, estimated and not measured, so that the same bytes always
///         make the same turns.
/// Limits: a frame, once begun, is admitted whole; a head that is being decoded is not, so that a
///         turn is too long by one frame and one field at most.
struct TurnWork {
    private var left: Int
    private var fieldsLeft: Int

    /// A turn for so much work.
    init(_ work: Int) {
        left = work
        fieldsLeft = work
    }

    /// Whether the rest is for another turn.
    var isDone: Bool { left <= 0 || fieldsLeft <= 0 }

    /// A frame was admitted.
    mutating func take(_ frame: FrameHeader) {
        switch frame.type {
        case FrameType.data: left -= Limits.workPerFrame + frame.length / 2
        case FrameType.headers: left -= Limits.workPerHead + frame.length * Limits.workPerByte
        default: left -= Limits.workPerFrame + frame.length * Limits.workPerByte
        }
    }

    /// A field was decoded. Counted apart: its frame was admitted before, maybe with all that the turn has left.
    mutating func takeField(byteCount: Int) { fieldsLeft -= Limits.workPerField + byteCount }
}
