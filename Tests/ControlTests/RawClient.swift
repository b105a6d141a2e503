import Core
import Foundation

@testable import Control

/// A client that sends exactly what it is told, and reads responses by their framing.
final class RawClient {
    /// One response.
    struct Response: Equatable {
        let status: Int
        let fields: [String: String]
        let body: String
    }

    private let socket: Socket
    private var unread: [UInt8] = []
    private let buffer = Buffer(capacity: 64 * 1024)

    init(_ path: String) throws { socket = try Socket.connect(toUnixPath: path) }

    deinit { socket.close() }

    func send(_ text: String) { send(Array(text.utf8)) }

    /// Sends everything, or as much as is wanted: whoever refuses a body closes before its end.
    func send(_ bytes: [UInt8]) {
        let out = Buffer(capacity: 64 * 1024)
        var start = 0
        while start < bytes.count {
            let end = min(start + out.freeCount, bytes.count)
            out.append(bytes.span.extracting(start..<end))
            start = end
            while !out.isEmpty { guard case .bytes = socket.write(out) else { return } }
        }
    }

    func finishSending() { socket.shutdownWrite() }

    /// The next line without its end; nil at the end of the connection.
    func line() -> String? {
        while true {
            if let end = unread.firstIndex(of: 0x0A) {
                let line = String(decoding: unread[..<end], as: UTF8.self)
                unread.removeFirst(end + 1)
                return line.hasSuffix("\r") ? String(line.dropLast()) : line
            }
            guard fill() else { return nil }
        }
    }

    /// The next so many bytes, or what there is at the end of the connection.
    func bytes(_ count: Int) -> [UInt8] {
        while unread.count < count, fill() {}
        let taken = Array(unread.prefix(count))
        unread.removeFirst(taken.count)
        return taken
    }

    /// The next response; nil at the end of the connection. `isHEAD` says that it has no body.
    func response(isHEAD: Bool = false) -> Response? {
        guard let first = line(), let status = Int(first.split(separator: " ").dropFirst().first ?? "") else {
            return nil
        }
        var fields: [String: String] = [:]
        while let line = line(), !line.isEmpty {
            let parts = line.split(separator: ":", maxSplits: 1)
            fields[parts[0].lowercased()] = String(parts[1]).trimmingCharacters(in: .whitespaces)
        }
        var body: [UInt8] = []
        if !isHEAD, status >= 200 {
            if fields["transfer-encoding"] == "chunked" {
                while let chunk = chunk(), !chunk.isEmpty { body += chunk }
            } else {
                body = bytes(fields["content-length"].flatMap { Int($0) } ?? Int.max)
            }
        }
        return Response(status: status, fields: fields, body: String(decoding: body, as: UTF8.self))
    }

    /// The head of a response whose body is read by `chunk`.
    func streamHead() -> [String] {
        var lines: [String] = []
        while let line = line(), !line.isEmpty { lines.append(line) }
        return lines
    }

    /// The next chunk; empty for the last one, nil at the end of the connection.
    func chunk() -> [UInt8]? {
        guard let size = line().flatMap({ Int($0, radix: 16) }) else { return nil }
        let data = bytes(size)
        _ = line()
        return data
    }

    /// Whether the connection has ended.
    var isAtEnd: Bool { unread.isEmpty && !fill() }

    private func fill() -> Bool {
        buffer.removeAll()
        guard case .bytes = socket.read(into: buffer) else { return false }
        unread += buffer.takeBytes(buffer.count)
        return true
    }
}
