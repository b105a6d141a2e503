import HTTP1

/// The most that the other side of a session may make us hold or do. These are defaults; `HTTP2Settings` may differ.
///
/// Source: RFC 9113 §10.5; docs/elbv2.md, "HTTP connections"; docs/threats.md, "HTTP/2".
public enum Limits {
    /// Streams the other side may have open. Beyond: RST_STREAM REFUSED_STREAM until it knows our settings, then GOAWAY
    /// PROTOCOL_ERROR. The figure of ALB.
    public static let streamCountMax = 128
    /// Bytes of DATA that one stream may send before `consumed` reports that they were forwarded (backpressure). They
    /// fit a large buffer of Core. Beyond: the DATA is dropped, and RST_STREAM FLOW_CONTROL_ERROR.
    public static let streamWindowBytes = 64 * 1024
    /// Bytes of one request head as RFC 9113 §6.5.2 counts them: name, value and 32 per field. Beyond: 413.
    public static let requestHeadBytesMax = HTTP1.Limits.requestHeadBytesMax
    /// Bytes of one response head, counted alike. Beyond: RST_STREAM PROTOCOL_ERROR.
    public static let responseHeadBytesMax = HTTP1.Limits.responseHeadBytesMax
    /// Bytes of one trailer section, counted alike. As large as a head, since a gRPC call has its status in the
    /// trailers, often with a message or details of 10 KiB. Beyond: RST_STREAM PROTOCOL_ERROR.
    public static let trailerBytesMax = responseHeadBytesMax
    /// How many times the largest allowed head a header block may decode to. Up to there an honest client is told that
    /// its head is too large. A byte on the wire can expand to 4,096 bytes (HPACK bomb), and each is decoded and
    /// checked before it is dropped. Beyond: ENHANCE_YOUR_CALM.
    static let headFloodFactor = 4
    /// Work that may be done for a connection before others have their turn, in units of about a nanosecond: half a
    /// millisecond. The rest waits for the next turn.
    public static let turnWorkMax = 512 * 1024
    /// Cost of a frame: nghttp2 parses it, we check it, and an event is recorded.
    static let workPerFrame = 256
    /// Cost of a byte of a frame other than DATA: Huffman codes are decoded by half bytes, and each byte may resize the
    /// header table.
    static let workPerByte = 8
    /// Cost of a head in this module. Routing, forwarding and answering the request costs ten times as much, but the
    /// usual burst of some thirty requests should fit into the shortest turn.
    static let workPerHead = 1024
    /// Cost of a field, without its bytes.
    static let workPerField = 128
    /// Bytes of the heads and trailers of all open streams. A byte on the wire can expand to thousands (HPACK), so the
    /// largest head on every stream would be too much. Beyond: RST_STREAM REFUSED_STREAM, which tells the client to
    /// retry.
    public static let openHeadBytesMax = 1024 * 1024
    /// Burst of RST_STREAM frames: those of the client, and those that it forces us to send ("Rapid Reset",
    /// "MadeYouReset"). A browser that leaves a page resets every open stream, so twice the streams is allowed. Beyond:
    /// ENHANCE_YOUR_CALM.
    public static let resetBurst = 256
    /// Sustained rate of them. Every request that a target has served allows one more, so that a client that cancels
    /// some of many requests (hedging, deadlines) is not cut off.
    public static let resetsPerSecond = 32
    /// Burst of RST_STREAM frames of a target, whose streams belong to many clients.
    public static let targetResetBurst = 4096
    /// Sustained rate of them.
    public static let targetResetsPerSecond = 1024
    /// Burst of useless frames: PING, SETTINGS, PRIORITY, empty DATA and the like, and WINDOW_UPDATE beyond what our
    /// DATA calls for. Beyond: ENHANCE_YOUR_CALM.
    public static let controlBurst = 512
    /// The same in the long run.
    public static let controlsPerSecond = 64
    /// What one valid head adds to that budget.
    static let controlsPerHead = 5
    /// What one DATA frame of ours adds to it.
    static let controlsPerData = 2
    /// Bytes of our DATA that add one more: a window may be opened for every 2 KiB.
    static let dataBytesPerControl = 1024
    /// DATA frames that may be in flight on a stream when we close it: a window full of gRPC messages of 32 bytes.
    /// Beyond, they are charged like useless frames.
    static let lateDataPerStream = 2048
    /// DATA frames that may be in flight on all such streams together.
    static let lateDataMax = 16 * 1024
    /// CONTINUATION frames of one head; a head of 64 KiB needs four. Beyond: ENHANCE_YOUR_CALM.
    public static let continuationCountMax = 8
    /// Queued acknowledgements of PING and SETTINGS. Beyond: ENHANCE_YOUR_CALM.
    public static let acknowledgementCountMax = 256
    /// Entries of one SETTINGS frame; eight are registered. Beyond: ENHANCE_YOUR_CALM.
    public static let settingCountMax = 32
    /// Bytes that nghttp2 holds for one session: header tables, streams, frames that wait to be written.
    /// Beyond: ENHANCE_YOUR_CALM.
    public static let sessionBytesMax = 4 * 1024 * 1024
    /// Bytes of frames that `receive` drains from nghttp2 at once, to learn what it has decided. More stay with
    /// nghttp2, whose own limits apply.
    static let controlBytesMax = 8 * 1024
    /// The largest frame other than DATA, its header included: `produce` needs so much free space. nghttp2 splits
    /// header blocks into pieces of 16,384 bytes.
    static let frameBytesMax = 9 + 16 * 1024 + 32
}
