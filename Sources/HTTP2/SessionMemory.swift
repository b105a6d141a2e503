import CNghttp2
import Core

/// Makes nghttp2 sessions whose memory is counted. Source: nghttp2_session_server_new3(3).
@safe final class SessionMemory {
    private let count: UnsafeMutablePointer<Int>

    init() {
        unsafe count = .allocate(capacity: 1)
        unsafe count.initialize(to: 0)
    }

    deinit { unsafe count.deallocate() }

    /// Octets that nghttp2 holds now.
    var heldByteCount: Int { unsafe count.pointee }

    /// A session that tells `Callbacks` everything.
    func makeSession(_ role: HTTP2Session.Role) -> OpaquePointer {
        var memory = unsafe nghttp2_mem(
            mem_user_data: count,
            malloc: { size, count in unsafe SessionMemory.added(malloc(size), count) },
            free: { pointer, count in
                unsafe SessionMemory.subtract(pointer, count)
                unsafe free(pointer)
            },
            calloc: { number, size, count in unsafe SessionMemory.added(calloc(number, size), count) },
            realloc: { pointer, size, count in
                unsafe SessionMemory.subtract(pointer, count)
                return unsafe SessionMemory.added(realloc(pointer, size), count)
            })
        let callbacks = unsafe Callbacks.make()
        let option = unsafe Self.option(role)
        defer {
            unsafe nghttp2_session_callbacks_del(callbacks)
            unsafe nghttp2_option_del(option)
        }
        var session: OpaquePointer?
        let status =
            switch role {
            case .server: unsafe nghttp2_session_server_new3(&session, callbacks, nil, option, &memory)
            case .client: unsafe nghttp2_session_client_new3(&session, callbacks, nil, option, &memory)
            }
        guard status == 0, let session = unsafe session else { preconditionFailure("HTTP/2: no memory") }
        return unsafe session
    }

    /// Has the callbacks of `session` find `owner`.
    func bind(_ owner: HTTP2Session, to session: OpaquePointer) {
        unsafe nghttp2_session_set_user_data(session, Unmanaged.passUnretained(owner).toOpaque())
    }

    private static func option(_ role: HTTP2Session.Role) -> OpaquePointer? {
        var option: OpaquePointer?
        _ = unsafe nghttp2_option_new(&option)
        unsafe nghttp2_option_set_no_auto_window_update(option, 1)
        unsafe nghttp2_option_set_max_outbound_ack(option, Limits.outboundAcknowledgementsMax)
        unsafe nghttp2_option_set_max_continuations(option, Limits.continuationsMax)
        unsafe nghttp2_option_set_no_closed_streams(option, 1)
        // Ours counts what we reset, too, and by the time that is handed in.
        unsafe nghttp2_option_set_stream_reset_rate_limit(option, .max, .max)
        unsafe nghttp2_option_set_peer_max_concurrent_streams(option, Limits.targetStreamsMax)
        if role == .server {
            unsafe nghttp2_option_set_builtin_recv_extension_type(option, UInt8(NGHTTP2_PRIORITY_UPDATE.rawValue))
        }
        return unsafe option
    }

    private static func added(_ pointer: UnsafeMutableRawPointer?, _ count: UnsafeMutableRawPointer?)
        -> UnsafeMutableRawPointer?
    {
        unsafe count?.assumingMemoryBound(to: Int.self).pointee += malloc_usable_size(pointer)
        return unsafe pointer
    }

    private static func subtract(_ pointer: UnsafeMutableRawPointer?, _ count: UnsafeMutableRawPointer?) {
        unsafe count?.assumingMemoryBound(to: Int.self).pointee -= malloc_usable_size(pointer)
    }
}
