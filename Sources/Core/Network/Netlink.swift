import CLinux
import Glibc

/// A netlink socket: requests to the kernel about the network, and its answers. Source: netlink(7).
///
/// Shape: one request at a time; the kernel has answered when the request was sent. Numbers are in the processor's byte
///        order, which is little-endian on every supported processor.
struct Netlink {
    /// One request or one part of an answer: a type, then fixed fields, then attributes.
    struct Message {
        let type: UInt16
        let bytes: [UInt8]
    }

    private let descriptor: Int32

    init() throws(SystemError) {
        descriptor = socket(AF_NETLINK, Int32(SOCK_RAW.rawValue | SOCK_CLOEXEC.rawValue), NETLINK_ROUTE)
        guard descriptor >= 0 else { throw SystemError("open a netlink socket") }
    }

    func close() { _ = Glibc.close(descriptor) }

    /// Sends a request and returns the parts of the kernel's answer: one, or any number if it `isDump`. Errors: the
    /// kernel refuses it.
    func ask(_ question: Message, isDump: Bool, _ operation: String) throws(SystemError) -> [Message] {
        let flags = isDump ? NLM_F_REQUEST | NLM_F_DUMP : NLM_F_REQUEST
        var bytes: [UInt8] = []
        bytes.append(number: UInt32(Self.headerByteCount + question.bytes.count))
        bytes.append(number: question.type)
        bytes.append(number: UInt16(flags))
        bytes.append(number: 0 as UInt32)
        bytes.append(number: 0 as UInt32)
        bytes += question.bytes
        guard unsafe send(descriptor, bytes, bytes.count, 0) == bytes.count else { throw SystemError(operation) }
        var answers: [Message] = []
        while true {
            for message in try receive(operation) {
                switch Int32(message.type) {
                case NLMSG_DONE: return answers
                case NLMSG_ERROR:
                    let code = Int32(bitPattern: message.bytes.number(at: 0))
                    throw SystemError(operation, code: -code)
                default: answers.append(message)
                }
            }
            if !isDump { return answers }
        }
    }

    /// The messages of one datagram.
    private func receive(_ operation: String) throws(SystemError) -> [Message] {
        var bytes = [UInt8](repeating: 0, count: 1 << 15)
        let room = bytes.count
        let count = unsafe recv(descriptor, &bytes, room, 0)
        guard count >= 0 else { throw SystemError(operation) }
        var messages: [Message] = []
        var start = 0
        while start + Self.headerByteCount <= count {
            let length = Int(bytes.number(at: start) as UInt32)
            guard length >= Self.headerByteCount, start + length <= count else { break }
            messages.append(
                Message(
                    type: bytes.number(at: start + 4),
                    bytes: Array(bytes[(start + Self.headerByteCount)..<(start + length)])))
            start += (length + 3) & ~3
        }
        return messages
    }

    private static let headerByteCount = 16
}

extension [UInt8] {
    /// Appends `number` in the processor's byte order.
    mutating func append<Number: FixedWidthInteger>(number: Number) {
        for index in 0..<(Number.bitWidth / 8) { append(UInt8(truncatingIfNeeded: number >> Number(index * 8))) }
    }

    /// The number whose bytes begin at `start`; 0 if the bytes end before.
    func number<Number: FixedWidthInteger & UnsignedInteger>(at start: Int) -> Number {
        guard start + Number.bitWidth / 8 <= count else { return 0 }
        return (0..<(Number.bitWidth / 8)).reduce(0) { $0 | Number(self[start + $1]) << Number($1 * 8) }
    }

    /// Appends an attribute, its value padded to a multiple of four bytes.
    mutating func append(attribute type: Int, _ value: [UInt8]) {
        append(number: UInt16(4 + value.count))
        append(number: UInt16(type))
        self += value
        while count % 4 != 0 { append(0) }
    }

    /// The value of the first attribute of this type among the attributes that begin at `start`; nil if there is none.
    func attribute(_ type: Int, from start: Int) -> [UInt8]? {
        var start = start
        while start + 4 <= count {
            let length = Int(number(at: start) as UInt16)
            guard length >= 4, start + length <= count else { return nil }
            if Int(number(at: start + 2) as UInt16) == type { return Array(self[(start + 4)..<(start + length)]) }
            start += (length + 3) & ~3
        }
        return nil
    }
}
