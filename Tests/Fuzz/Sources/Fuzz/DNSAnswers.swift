import Core
import DNS

/// Checks that the messages of name servers are read within bounds: that names are plain text, and that what is found
/// for a name is of the type that was asked for.
enum DNSAnswers {
    /// The longest name as text: 253 bytes, of which each may be written as four.
    private static let nameBytesMax = 4 * 253

    /// The input is a message, which answers a question for `web.test`.
    static func check(_ input: Span<UInt8>) {
        guard let message = try? DNSMessage(copyBytes(input)) else { return }
        demand(message.records.count <= input.count / 11, "\(message.records.count) records in \(input.count) bytes")
        for record in message.records {
            checkName(record.name)
            switch record.content {
            case .address: break
            case .alias(let name): checkName(name)
            case .service(let service): checkName(service.host)
            }
        }
        for type in [DNSRecordType.a, .aaaa, .srv] {
            guard case .found(let records, _) = message.answer(to: "web.test", type) else { continue }
            demand(!records.isEmpty, "nothing is found and said to be there")
            for record in records {
                let isOfType =
                    switch record {
                    case .address(let address): type == (address.family == .ipv4 ? .a : .aaaa)
                    case .service: type == .srv
                    case .alias: false
                    }
                demand(isOfType, "\(record) for a question of type \(type.label)")
            }
        }
    }

    private static func checkName(_ name: String) {
        let isPlain = name.utf8.allSatisfy { (0x21...0x7E).contains($0) && !(0x41...0x5A).contains($0) }
        demand(isPlain && name.utf8.count <= nameBytesMax, "not a name: \(name.debugDescription)")
    }
}
