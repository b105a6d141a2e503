import Core

/// The beginning of a request's body, kept for a retry until the response begins.
///
/// Shape:  part of its exchange. Pieces are added when they are forwarded to a target. For a retry they become the
///         `replay`, which is forwarded to the next target and so kept again.
/// Limits: `AttemptSettings.bodyBytesMax`, in two buffers of the worker at most, which its budget is charged with. A
///         longer body is not kept at all.
struct KeptBody {
    /// What was handed to the target under way.
    private var buffer: Buffer?
    /// What has to be handed to it before anything more is read from the client.
    private(set) var replay: Buffer?
    /// More was read than may be kept, or trailers, or it was not to be kept at all.
    private(set) var isLost = false
    /// The client's side has ended the body.
    var isEnded = false

    /// Bytes of buffers held.
    var heldByteCount: Int { (buffer?.capacity ?? 0) + (replay?.capacity ?? 0) }

    /// Nothing of the body is kept from now on.
    mutating func lose(_ buffers: inout BufferPool) {
        isLost = true
        if let buffer = buffer.take() { buffers.release(buffer) }
        // A replay in progress continues: only its rest is not kept for another one.
    }

    /// Keeps the first `count` bytes of `source`, which are about to be handed to a target, unless that is too much.
    mutating func keep(_ source: Buffer, count: Int, most: Int, _ buffers: inout BufferPool) {
        guard !isLost else { return }
        let held = buffer?.count ?? 0
        guard held + count <= most else { return lose(&buffers) }
        let target = room(for: held + count, &buffers)
        target.append(source.bytes.extracting(first: count))
    }

    /// Of what was kept last, the target did not take the last `count` bytes.
    mutating func unkeep(_ count: Int) {
        if count > 0, !isLost { buffer?.truncate(by: count) }
    }

    /// The request goes out again from its beginning: what was handed over is handed over once more.
    mutating func rewind(_ buffers: inout BufferPool) {
        precondition(!isLost, "kept body: rewound without it")
        if let rest = replay.take() {
            if !rest.isEmpty { room(for: (buffer?.count ?? 0) + rest.count, &buffers).append(rest.bytes) }
            buffers.release(rest)
        }
        replay = buffer.take()
    }

    /// Gives back the replay once all of it was handed over.
    mutating func endReplay(_ buffers: inout BufferPool) {
        if let replay = replay.take() { buffers.release(replay) }
    }

    /// Gives everything back.
    mutating func reset(_ buffers: inout BufferPool) {
        endReplay(&buffers)
        if let buffer = buffer.take() { buffers.release(buffer) }
        isLost = false
        isEnded = false
    }

    private mutating func room(for count: Int, _ buffers: inout BufferPool) -> Buffer {
        if let buffer, buffer.capacity >= count { return buffer }
        guard let small = buffer.take() else {
            let new = count <= Core.Limits.smallBufferBytes ? buffers.acquireSmall() : buffers.acquireLarge()
            buffer = new
            return new
        }
        let large = buffers.enlarge(small)
        buffer = large
        return large
    }
}
