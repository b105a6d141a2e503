/// What this module caps, why, and what happens at the cap.
public enum Limits {
    /// Streams that a client may have open at once on one connection, as ALB has it. More are refused (REFUSED_STREAM).
    static let concurrentStreamsMax: UInt32 = 128
    /// Octets of data that may come on one stream before its exchange has taken them: 64 KiB, so that they fit a
    /// buffer.
    static let streamWindowBytes: UInt32 = 65_535
    /// Octets of data in flight on one connection: what all its streams' windows let in, up to 1 MiB. Data is taken
    /// from
    /// the connection at once, so a slow stream holds up no other.
    static let connectionWindowBytes: Int32 = 1 << 20
    /// Octets of a head, each field counted as its name, its value and 32 more (RFC 9113 §6.5.2): as large as HTTP/1's.
    /// What is beyond is decoded and dropped; the request is answered with 413, a response fails.
    static let headListBytesMax = 64 * 1024
    /// Octets that are decoded of one head though they are dropped: a bomb of references to the dynamic table costs us
    /// work. Beyond: ENHANCE_YOUR_CALM.
    static let decodedBytesMax = 4 * headListBytesMax
    /// Frames that may continue a HEADERS frame (CVE-2024-27316). Beyond, nghttp2 ends the connection.
    static let continuationsMax = 16
    /// Streams reset by either side: so many at once, and so many more in each second. Each of them made us do work
    /// that
    /// nobody waits for: CVE-2023-44487 ("rapid reset"), CVE-2025-8671 ("MadeYouReset"). Beyond: ENHANCE_YOUR_CALM.
    static let resetsBurst = 256
    static let resetsPerSecond = 32
    /// Frames that bring nothing (PING, SETTINGS, PRIORITY, empty DATA and so on): so many at once, one more for each
    /// head, and so many more in each second. Beyond: ENHANCE_YOUR_CALM.
    static let idleFramesBurst = 512
    static let idleFramesPerSecond = 64
    /// Octets that may come without a head or data among them, whatever their frames are: 1 MiB. Beyond:
    /// ENHANCE_YOUR_CALM.
    static let idleOctetsMax = 1 << 20
    /// Acknowledgements of SETTINGS and PING that may wait to be sent. Beyond, nghttp2 ends the connection.
    static let outboundAcknowledgementsMax = 256
    /// Octets that nghttp2 may hold for one connection: 1 MiB. Beyond: ENHANCE_YOUR_CALM.
    static let sessionBytesMax = 1 << 20
    /// Octets of room that `produce` wants before it makes a frame: the largest one with its header.
    public static let frameRoomBytes = 16_384 + 9 + 256
    /// Octets of room below which no DATA frame is made: better none than a tiny one.
    static let dataRoomBytes = 1024
    /// Streams on one connection to a target while its settings are not known yet, and where it sets no limit.
    static let targetStreamsMax: UInt32 = 100
}
