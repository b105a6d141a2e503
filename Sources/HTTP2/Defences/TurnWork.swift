/// The work that may still be done for a connection in one turn of its worker, so that no connection starves the
/// others.
///
/// Bytes read are no measure of work: a byte may be part of a body, or expand to four thousand bytes of a head (HPACK).
/// Shape:  a trivial value; a unit is about a nanosecond, estimated and not measured, so that the same bytes always
///         lead to the same turns.
/// Limits: a frame is admitted as a whole, but decoding a head can be interrupted, so a turn exceeds its limit by at
///         most one frame and one field.
struct TurnWork {
    private var left: Int
    private var fieldsLeft: Int

    /// A turn of `work` units.
    init(_ work: Int) {
        left = work
        fieldsLeft = work
    }

    /// Whether the rest has to wait for the next turn.
    var isDone: Bool { left <= 0 || fieldsLeft <= 0 }

    /// A frame was admitted.
    mutating func take(_ frame: FrameHeader) {
        switch frame.type {
        case FrameType.data: left -= Limits.workPerFrame + frame.length / 2
        case FrameType.headers: left -= Limits.workPerHead + frame.length * Limits.workPerByte
        default: left -= Limits.workPerFrame + frame.length * Limits.workPerByte
        }
    }

    /// A field was decoded. Counted separately, since its frame was charged when it was admitted and may have used up
    /// the turn.
    mutating func takeField(byteCount: Int) { fieldsLeft -= Limits.workPerField + byteCount }
}
