import Foundation
import Glibc

/// A FIFO with a reader that does not read, or without a reader.
///
/// Shape:  the file goes with its folder, the descriptors with this.
final class Fifo: Sendable {
    /// Where it is.
    let path: String
    private let descriptor: Int32

    /// Makes it at `path`. With `open` somebody holds both of its ends and does not read.
    init(at path: String, open isOpen: Bool = false) throws {
        self.path = path
        guard mkfifo(path, 0o600) == 0 else { throw SocketError(call: "mkfifo \(path)", code: errno) }
        descriptor = isOpen ? open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC) : -1
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Opens the file at `path` for reading, as a FIFO's reader that does not wait for a writer.
    static func reader(of path: String) -> FileHandle {
        FileHandle(fileDescriptor: open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), closeOnDealloc: true)
    }

    /// Reads and returns its content.
    func take() -> String { Self.take(from: descriptor) }

    /// Reads and returns the content of a FIFO.
    static func take(from descriptor: Int32) -> String {
        var text = "", piece = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = unsafe read(descriptor, &piece, piece.count)
            guard count > 0 else { return text }
            text += String(decoding: piece[..<count], as: UTF8.self)
        }
    }
}
