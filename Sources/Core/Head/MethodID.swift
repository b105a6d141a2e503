/// The methods that some part of Apus asks for, numbered so that asking costs no comparison of bytes.
///
/// Methods are case-sensitive. Source: RFC 9110 §9; RFC 5789 (PATCH).
public enum MethodID: UInt8, Sendable, CaseIterable {
    case other = 0
    case get, head, post, put, delete, options, patch, connect, trace

    /// Recognises a method.
    public init(_ name: Span<UInt8>) {
        self =
            switch name.count {
            case 3: name.equals("GET") ? .get : name.equals("PUT") ? .put : .other
            case 4: name.equals("POST") ? .post : name.equals("HEAD") ? .head : .other
            case 5: name.equals("PATCH") ? .patch : name.equals("TRACE") ? .trace : .other
            case 6: name.equals("DELETE") ? .delete : .other
            case 7: name.equals("OPTIONS") ? .options : name.equals("CONNECT") ? .connect : .other
            default: .other
            }
    }

    /// Whether it asks for no change. Source: RFC 9110 §9.2.1.
    public var isSafe: Bool { self == .get || self == .head || self == .options }

    /// Whether sending a request twice does no more than sending it once. Source: RFC 9110 §9.2.2.
    public var isIdempotent: Bool { isSafe || self == .put || self == .delete }
}
