import HTTP1

/// What a session allows the other side. The defaults are in `Limits`.
public struct HTTP2Settings: Sendable {
    /// The settings for connections to targets.
    public static var target: HTTP2Settings {
        var settings = HTTP2Settings()
        settings.resetBurst = Limits.targetResetBurst
        settings.resetsPerSecond = Limits.targetResetsPerSecond
        return settings
    }

    /// How request heads are parsed; servers only.
    public var requestOptions = RequestOptions()
    /// SETTINGS_MAX_CONCURRENT_STREAMS; in a client, how many streams it opens at most.
    public var streamCountMax = Limits.streamCountMax
    /// In a client, how many streams it opens before the target's SETTINGS arrive. The target may allow fewer than any
    /// guess, and would refuse the rest.
    public var streamCountBeforeSettings = 1
    /// SETTINGS_INITIAL_WINDOW_SIZE.
    public var streamWindowBytes = Limits.streamWindowBytes
    /// SETTINGS_MAX_HEADER_LIST_SIZE of a server.
    public var requestHeadBytesMax = Limits.requestHeadBytesMax
    /// SETTINGS_MAX_HEADER_LIST_SIZE of a client.
    public var responseHeadBytesMax = Limits.responseHeadBytesMax
    /// SETTINGS_ENABLE_CONNECT_PROTOCOL: whether clients may open WebSockets. Source: RFC 8441.
    public var allowsWebSocket = true
    /// Bytes of the heads of all open streams.
    public var openHeadBytesMax = Limits.openHeadBytesMax
    /// Burst of resets.
    public var resetBurst = Limits.resetBurst
    /// Sustained rate of resets.
    public var resetsPerSecond = Limits.resetsPerSecond
    /// Burst of useless control frames.
    public var controlBurst = Limits.controlBurst
    /// Sustained rate of useless control frames.
    public var controlsPerSecond = Limits.controlsPerSecond
    /// Bytes that nghttp2 may hold.
    public var sessionBytesMax = Limits.sessionBytesMax

    public init() {}
}
