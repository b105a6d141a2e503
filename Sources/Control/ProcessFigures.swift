import Core
import Foundation

/// What the process uses of the system, for metrics.
///
/// Source: proc(5): `/proc/self/status`, `/proc/self/stat`, `/proc/self/fd`.
struct ProcessFigures: Equatable, Sendable {
    /// Memory in use, in bytes.
    let residentBytes: UInt64
    /// Descriptors that are open.
    let openDescriptors: UInt64
    /// User and system time of all threads. Units: nanoseconds, in steps of 10 ms.
    let cpuTime: Nanoseconds
    /// Threads there are.
    let threads: UInt64

    /// Clock ticks per second in `/proc`, which the kernel has promised to programs (`USER_HZ`).
    private static let ticksPerSecond: UInt64 = 100

    /// What the process uses now; what the system does not tell is 0.
    static func read() -> ProcessFigures {
        let status = text(of: "/proc/self/status").split(separator: "\n")
        let resident = status.first { $0.hasPrefix("VmRSS:") }?.split(whereSeparator: \.isWhitespace)
        // The name in field 2 may hold spaces: fields are counted from its closing bracket, behind which is field 3.
        let stat = text(of: "/proc/self/stat")
        let fields = stat.lastIndex(of: ")").map { stat[stat.index(after: $0)...].split(separator: " ") } ?? []
        func field(_ number: Int) -> UInt64 { fields.count > number - 3 ? UInt64(fields[number - 3]) ?? 0 : 0 }
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count ?? 0
        return ProcessFigures(
            residentBytes: (resident?.dropFirst().first.flatMap { UInt64($0) } ?? 0) * 1024,
            openDescriptors: UInt64(descriptors),
            cpuTime: (field(14) + field(15)) * (1_000_000_000 / ticksPerSecond), threads: field(20))
    }

    private static func text(of path: String) -> String {
        (try? readFile(path)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
