import HTTP1

/// What a session allows the other side. Defaults are those of `Limits`.
public struct HTTP2Settings: Sendable {
    /// What targets are allowed.
    public static var target: HTTP2Settings {
        var settings = HTTP2Settings()
        settings.resetBurst = Limits.targetResetBurst
        settings.resetsPerSecond = Limits.targetResetsPerSecond
        return settings
    }

    /// How request heads are read; servers only.
    public var requestOptions = RequestOptions()
    /// SETTINGS_MAX_CONCURRENT_STREAMS; in a client, how many streams it opens at most.
    public var streamCountMax = Limits.streamCountMax
    /// In a client, how many streams it opens before the other side's settings are known: that side may allow fewer
    /// than any guess, and refuses the rest.
    public var streamCountBeforeSettings = 1
    /// SETTINGS_INITIAL_WINDOW_SIZE.
    public var streamWindowBytes = Limits.streamWindowBytes
    /// SETTINGS_MAX_HEADER_LIST_SIZE of a server.
    public var requestHeadBytesMax = Limits.requestHeadBytesMax
    /// SETTINGS_MAX_HEADER_LIST_SIZE of a client.
    public var responseHeadBytesMax = Limits.responseHeadBytesMax
    /// SETTINGS_ENABLE_CONNECT_PROTOCOL: whether clients may open WebSockets. Source: RFC 8441.
    public var allowsWebSocket = true
    /// Bytes of all heads whose streams are open.
    public var openHeadBytesMax = Limits.openHeadBytesMax
    /// Resets at once.
    public var resetBurst = Limits.resetBurst
    /// Resets in the long run.
    public var resetsPerSecond = Limits.resetsPerSecond
    /// Frames that bring nothing, at once.
    public var controlBurst = Limits.controlBurst
    /// Frames that bring nothing, in the long run.
    public var controlsPerSecond = Limits.controlsPerSecond
    /// Bytes nghttp2 may hold.
    public var sessionBytesMax = Limits.sessionBytesMax

    public init() {}
}
