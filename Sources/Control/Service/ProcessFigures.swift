import Core
import FoundationEssentials

/// What the process uses of the system, for metrics.
///
/// Source: proc(5): `/proc/self/status`, `/proc/self/stat`, `/proc/self/fd`, `/proc/self/limits`, `/proc/stat`.
struct ProcessFigures: Equatable, Sendable {
    /// Memory in use, in bytes.
    let residentBytes: UInt64
    /// Descriptors that are open.
    let openDescriptors: UInt64
    /// User and system time of all threads. Units: nanoseconds, in steps of 10 ms.
    let cpuTime: Nanoseconds
    /// Threads there are.
    let threads: UInt64
    /// When the process was started, in whole seconds since 1970.
    let startedAt: UInt64
    /// How many descriptors may be open.
    let descriptorsMax: UInt64

    /// Clock ticks per second in `/proc`, which the kernel has promised to programs (`USER_HZ`).
    private static let ticksPerSecond: UInt64 = 100

    /// What the process uses now; what the system does not tell is 0.
    static func read() -> ProcessFigures {
        // The name in field 2 may hold spaces: fields are counted from its closing bracket, behind which is field 3.
        let stat = text(of: "/proc/self/stat")
        let fields = stat.lastIndex(of: ")").map { stat[stat.index(after: $0)...].split(separator: " ") } ?? []
        func field(_ number: Int) -> UInt64 { fields.count > number - 3 ? UInt64(fields[number - 3]) ?? 0 : 0 }
        let descriptors = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd"))?.count ?? 0
        return ProcessFigures(
            residentBytes: residentBytes(),
            openDescriptors: UInt64(descriptors),
            cpuTime: (field(14) + field(15)) * (1_000_000_000 / ticksPerSecond), threads: field(20),
            startedAt: number(1, behind: "btime", in: "/proc/stat") + field(22) / ticksPerSecond,
            descriptorsMax: number(3, behind: "Max open files", in: "/proc/self/limits"))
    }

    /// The memory in use now, in bytes.
    static func residentBytes() -> UInt64 { number(1, behind: "VmRSS:", in: "/proc/self/status") * 1024 }

    /// The number that is word `index` of the line that begins with `start`; 0 when there is none.
    private static func number(_ index: Int, behind start: String, in path: String) -> UInt64 {
        let line = text(of: path).split(separator: "\n").first { $0.hasPrefix(start) }
        let words = line?.split(whereSeparator: \.isWhitespace) ?? []
        return words.indices.contains(index) ? UInt64(words[index]) ?? 0 : 0
    }

    private static func text(of path: String) -> String {
        (try? readFile(path)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
}
