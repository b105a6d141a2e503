import CLinux
import Glibc
import Synchronization

/// Reports that the file at a path may have changed: a file was written and closed, moved, created, removed, or its
/// permissions changed; a folder of the path was renamed; or a symbolic link of the path now points elsewhere.
///
/// So every folder is watched that the kernel visits to resolve the path, along each link, and in each folder the one
/// name that is part of the path. This covers certbot's links in `live/`, the `..data` link of Kubernetes, and
/// deployments that swap a link named `current`.
///
/// Shape:  one descriptor for all watched folders, level-triggered. What changed is not reported: read the file again,
///         and watch again, since the path may resolve differently now. Two threads may use it: one that may wait for a
///         disk calls `watch`, another takes the events.
/// Limits: what the system allows a user to watch (`fs.inotify.max_user_watches`); a folder beyond it is not watched.
/// Source: inotify(7), path_resolution(7).
public final class FolderWatch: Sendable {
    /// Readable when something has changed.
    public let descriptor: Int32
    /// For each watched folder, the names in it that are part of a path.
    private let names = Mutex<[Int32: Set<String>]>([:])

    /// Symbolic links that are followed for one path, as many as the kernel follows.
    private static let linksMax = 40

    /// Errors: `SystemError`, as when the user has no instance left (`fs.inotify.max_user_instances`).
    public init() throws(SystemError) {
        descriptor = inotify_init1(Int32(IN_NONBLOCK | IN_CLOEXEC))
        guard descriptor >= 0 else { throw SystemError("inotify_init1") }
    }

    deinit { _ = close(descriptor) }

    /// Watches `paths` from now on; with `forgettingOthers`, all other paths are no longer watched. A path need not
    /// exist yet. May wait for a disk.
    public func watch(_ paths: Set<String>, forgettingOthers: Bool = false) {
        var found: [Int32: Set<String>] = [:]
        for path in paths { follow(path, into: &found) }
        let stale = names.withLock { names in
            let stale = forgettingOthers ? names.keys.filter { found[$0] == nil } : []
            for watch in stale { names[watch] = nil }
            names.merge(found) { $0.union($1) }
            return stale
        }
        for watch in stale { _ = inotify_rm_watch(descriptor, watch) }
    }

    /// Resolves `path`. Each folder is watched before it is read, so that no change is missed.
    private func follow(_ path: String, into found: inout [Int32: Set<String>]) {
        var folder = path.hasPrefix("/") ? "/" : "."
        var rest = Array(path.split(separator: "/").reversed())
        var linksCount = 0
        while let name = rest.popLast() {
            if name == "." { continue }
            let next = folder == "/" ? "/\(name)" : "\(folder)/\(name)"
            if name == ".." {
                folder = next
                continue
            }
            if let watch = add(folder, isLast: rest.isEmpty) { found[watch, default: []].insert(String(name)) }
            guard let target = Self.target(ofLink: next) else {
                folder = next
                continue
            }
            linksCount += 1
            if linksCount > Self.linksMax { return }
            if target.hasPrefix("/") { folder = "/" }
            rest += target.split(separator: "/").reversed()
        }
    }

    /// Watches one folder. Nil if it does not exist or cannot be read; an unreadable folder may still be traversed.
    private func add(_ folder: String, isLast: Bool) -> Int32? {
        var events = IN_MOVED_TO | IN_MOVED_FROM | IN_CREATE | IN_DELETE | IN_ATTRIB | IN_ONLYDIR | IN_MASK_ADD
        if isLast { events |= IN_CLOSE_WRITE }
        let watch = unsafe inotify_add_watch(descriptor, folder, UInt32(bitPattern: events))
        return watch >= 0 ? watch : nil
    }

    /// The target of a symbolic link; nil for anything else.
    private static func target(ofLink path: String) -> String? {
        var bytes = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = unsafe readlink(path, &bytes, bytes.count)
        guard count > 0 else { return nil }
        return String(decoding: bytes[..<count].map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Removes all waiting events. Returns whether one of them concerns a watched path.
    public func takeEvents() -> Bool {
        var hasChanged = false
        var events = [UInt8](repeating: 0, count: 16 * 1024)
        while true {
            let count = unsafe read(descriptor, &events, events.count)
            guard count > 0 else { return hasChanged }
            var rest = events[..<count]
            while let event = Event(&rest) { hasChanged = matters(event) || hasChanged }
        }
    }

    private func matters(_ event: Event) -> Bool {
        names.withLock { names in
            // The watch has ended: the folder was removed, or we removed the watch ourselves.
            if event.mask & UInt32(IN_IGNORED) != 0 { return names.removeValue(forKey: event.watch) != nil }
            guard event.mask & UInt32(IN_Q_OVERFLOW | IN_UNMOUNT) == 0, let names = names[event.watch] else {
                // The queue overflowed; or the folder's watch is so new that its names are not recorded yet.
                return true
            }
            return names.contains(event.name)
        }
    }

    /// One event as the kernel writes it. Source: inotify(7).
    private struct Event {
        let watch: Int32
        let mask: UInt32
        /// The entry of the folder; empty if the event is about the folder itself.
        let name: String

        /// Reads the first event of `bytes` and removes it; nil if there is none.
        init?(_ bytes: inout ArraySlice<UInt8>) {
            guard bytes.count >= 16 else { return nil }
            func word(_ index: Int) -> UInt32 {
                let start = bytes.startIndex + index * 4
                let word = (0..<4).reversed().reduce(0 as UInt32) { $0 << 8 | UInt32(bytes[start + $1]) }
                return UInt32(littleEndian: word).littleEndian
            }
            watch = Int32(bitPattern: word(0))
            mask = word(1)
            let padded = bytes.dropFirst(16).prefix(Int(word(3)))
            name = String(decoding: padded.prefix { $0 != 0 }, as: UTF8.self)
            bytes = bytes.dropFirst(16 + padded.count)
        }
    }
}
