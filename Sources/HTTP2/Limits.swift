import HTTP1

/// The most that the other side of a session may make us hold or do. Defaults; `HTTP2Settings` may say less or more.
///
/// Source: RFC 9113 §10.5; docs/elbv2.md, "HTTP connections"; docs/threats.md, "HTTP/2".
public enum Limits {
    /// Streams the other side may have open. Beyond: RST_STREAM REFUSED_STREAM until it knows our settings, then GOAWAY
    /// PROTOCOL_ERROR. ALB's figure.
    public static let streamCountMax = 128
    /// Bytes of DATA that one stream may send before `consumed` says they were passed on. What a stream can pile up
    /// fits a large buffer of Core. Beyond: it is not told of, and RST_STREAM FLOW_CONTROL_ERROR.
    public static let streamWindowBytes = 64 * 1024
    /// Bytes of one request head as RFC 9113 §6.5.2 counts them: name, value and 32 per field. Beyond: 413.
    public static let requestHeadBytesMax = HTTP1.Limits.requestHeadBytesMax
    /// The same of a response head. Beyond: RST_STREAM PROTOCOL_ERROR.
    public static let responseHeadBytesMax = HTTP1.Limits.responseHeadBytesMax
    /// Bytes of one trailer section, counted alike. As for heads: the status of a gRPC call is in trailers, and a
    /// message or details of 10 KiB beside it are usual. Beyond: RST_STREAM PROTOCOL_ERROR.
    public static let trailerBytesMax = responseHeadBytesMax
    /// How many times the largest head one may decode to before it ends: up to there an honest client hears that its
    /// head is too large. A byte on the wire can stand for 4,096 of them (HPACK), and each is decoded and judged before
    /// it can be thrown away. Beyond: ENHANCE_YOUR_CALM.
    static let headFloodFactor = 4
    /// What may be done for a connection before others have their turn, in units of about a nanosecond: half a
    /// millisecond. The rest waits for the next turn.
    public static let turnWorkMax = 512 * 1024
    /// What a frame costs of it: that nghttp2 reads it, that we judge it, and an event.
    static let workPerFrame = 256
    /// What a byte of a frame that is not DATA costs: Huffman codes are read by the half byte, and a table may change
    /// its size with each byte.
    static let workPerByte = 8
    /// What a head costs here. That its request is decided, sent and answered costs ten times as much; but the usual
    /// burst of some thirty requests should fit into the shortest turn.
    static let workPerHead = 1024
    /// What a field costs beside its bytes.
    static let workPerField = 128
    /// Bytes of all heads and trailers whose streams are open. A byte on the wire can stand for thousands in a head
    /// (HPACK), so the largest head on each stream would be too much. Beyond: RST_STREAM REFUSED_STREAM, which says try
    /// again.
    public static let openHeadBytesMax = 1024 * 1024
    /// RST_STREAM frames that come at once, theirs and those they force us to send ("Rapid Reset", "MadeYouReset").
    /// A browser that leaves a page resets every open stream, twice the streams is fair. Beyond: ENHANCE_YOUR_CALM.
    public static let resetBurst = 256
    /// The same in the long run; and one for every request that a target has served, so that a client who gives up some
    /// of many (hedging, deadlines) goes on.
    public static let resetsPerSecond = 32
    /// What a target may do of it: whatever it resets, it resets of what many clients asked for.
    public static let targetResetBurst = 4096
    /// The same in the long run.
    public static let targetResetsPerSecond = 1024
    /// Frames that come at once and bring nothing: PING, SETTINGS, PRIORITY, empty DATA and their like, and
    /// WINDOW_UPDATE beyond what our DATA calls for. Beyond: ENHANCE_YOUR_CALM.
    public static let controlBurst = 512
    /// The same in the long run.
    public static let controlsPerSecond = 64
    /// What one head that we can use gives back to that budget.
    static let controlsPerHead = 5
    /// What a DATA frame of ours gives back.
    static let controlsPerData = 2
    /// So many bytes of our DATA give one more: a window may be opened for every 2 KiB.
    static let dataBytesPerControl = 1024
    /// DATA frames that may be on their way on a stream when we close it: a window full of messages of 32 bytes, as
    /// gRPC sends them. Beyond, they are charged like frames that bring nothing.
    static let lateDataPerStream = 2048
    /// The same of all streams that were closed so.
    static let lateDataMax = 16 * 1024
    /// CONTINUATION frames of one head; a head of 64 KiB needs four. Beyond: ENHANCE_YOUR_CALM.
    public static let continuationCountMax = 8
    /// Acknowledgements of PING and SETTINGS that wait to be written. Beyond: ENHANCE_YOUR_CALM.
    public static let acknowledgementCountMax = 256
    /// Entries of one SETTINGS frame; eight are known. Beyond: ENHANCE_YOUR_CALM.
    public static let settingCountMax = 32
    /// Bytes that nghttp2 holds for one session: header tables, streams, frames that wait to be written.
    /// Beyond: ENHANCE_YOUR_CALM.
    public static let sessionBytesMax = 4 * 1024 * 1024
    /// Bytes of frames that `receive` takes out of nghttp2 early, to see what it has decided; any that wait beyond
    /// this stay with nghttp2, whose own limits hold.
    static let controlBytesMax = 8 * 1024
    /// A frame that is not DATA, its header included: `produce` asks for so much room. nghttp2 cuts header blocks into
    /// pieces of 16,384 bytes.
    static let frameBytesMax = 9 + 16 * 1024 + 32
}
