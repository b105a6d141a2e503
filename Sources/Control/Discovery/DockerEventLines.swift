import Core

/// Makes lines of the pieces in which events of Docker's come.
///
/// Limits: a line of more than `Limits.dockerEventBytesMax` bytes is skipped, since any container can have labels that
///         make its events as long as it likes; one of more than `Limits.discoveryBytesMax` ends the connection.
struct DockerEventLines {
    /// What has come.
    enum Line: Equatable {
        /// An event.
        case event([UInt8])
        /// One that is too long to be looked at.
        case skipped
        /// One without an end: nothing else is expected.
        case endless
    }

    private var line: [UInt8] = []
    private var skippedCount = 0

    /// The lines that are whole with `bytes`.
    mutating func take(_ bytes: [UInt8]) -> [Line] {
        var lines: [Line] = []
        for byte in bytes {
            if byte == .lineFeed {
                if skippedCount > 0 { lines.append(.skipped) } else if !line.isEmpty { lines.append(.event(line)) }
                (line, skippedCount) = ([], 0)
            } else if line.count < Limits.dockerEventBytesMax {
                line.append(byte)
            } else {
                skippedCount += 1
                guard skippedCount < Limits.discoveryBytesMax else { return lines + [.endless] }
            }
        }
        return lines
    }
}
