import Core
import Model

/// The kind of request, which decides to which target groups it may be forwarded.
enum RequestProtocol {
    case http1, http2, grpc, webSocket

    /// What `request` is.
    init(_ request: Head) {
        if request.isWebSocket {
            self = .webSocket
        } else if request.isHTTP2 {
            self = request.isGRPC ? .grpc : .http2
        } else {
            self = .http1
        }
    }

    /// Whether a target group of `version` takes such requests; else they are answered 464. Source: docs/elbv2.md,
    /// "Which protocols go together".
    func mayGo(to version: TargetGroup.ProtocolVersion, isPOST: Bool) -> Bool {
        switch (self, version) {
        case (.http1, .http1), (.http2, .http1), (.webSocket, .http1): true
        case (.grpc, .http1): false
        case (.http2, .http2), (.grpc, .http2): true
        case (.http1, .http2), (.webSocket, .http2): false
        case (.grpc, .grpc): true
        case (.http2, .grpc): isPOST
        case (.http1, .grpc), (.webSocket, .grpc): false
        }
    }
}

extension Head {
    /// Whether its content type is gRPC: `application/grpc`, alone or with `+proto`, `+json` or parameters.
    /// Source: gRPC over HTTP2, "Requests".
    var isGRPC: Bool {
        guard let index = firstField(.contentType) else { return false }
        let value = bytes(field(index).value)
        guard value.count >= 16, value.extracting(0..<16).equalsIgnoringCase("application/grpc") else { return false }
        return value.count == 16 || value[16] == 0x2B || value[16] == .semicolon || value[16] == .space
    }

    /// Whether its gRPC status, if it has one, says that the server has failed and not the caller.
    var saysGRPCFailed: Bool {
        for index in 0..<fieldCount {
            let field = field(index)
            guard field.name.count == 11, bytes(field.name).equalsIgnoringCase("grpc-status") else { continue }
            let value = bytes(field.value)
            var number = 0
            for position in 0..<min(value.count, 3) where value[position].isDigit {
                number = number * 10 + Int(value[position] - 0x30)
            }
            return GRPCStatus.isFailure(number)
        }
        return false
    }
}

/// The status of a call, as gRPC numbers them. Source: gRPC, "Status codes and their use", "HTTP to gRPC status
/// mapping".
struct GRPCStatus {
    let number: UInt8

    /// Whether a status tells of a fault of the server: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL,
    /// UNAVAILABLE and DATA_LOSS. The others are what the caller has asked for.
    static func isFailure(_ number: Int) -> Bool { number == 2 || number == 4 || (12...15).contains(number) }

    /// The gRPC status for an HTTP status that Apus generates.
    init(httpStatus: UInt16) {
        number =
            switch httpStatus {
            case 400: 13  // INTERNAL
            case 401: 16  // UNAUTHENTICATED
            case 403: 7  // PERMISSION_DENIED
            case 404, 501: 12  // UNIMPLEMENTED
            case 408, 504: 4  // DEADLINE_EXCEEDED
            case 413: 8  // RESOURCE_EXHAUSTED
            case 429, 502, 503: 14  // UNAVAILABLE
            default: 2  // UNKNOWN
            }
    }
}
