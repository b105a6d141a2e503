/// Which answers to a health check pass. Source: ELBv2 Matcher.
public struct Matcher: Hashable, Sendable {
    /// Status codes, of HTTP/1 and HTTP/2 groups.
    public var httpCode: HTTPCodes
    /// Status codes of gRPC, of gRPC groups.
    public var grpcCode: GRPCCodes?

    /// Without arguments, 200 passes; in a gRPC group, 12.
    public init(httpCode: HTTPCodes = HTTPCodes(), grpcCode: GRPCCodes? = nil) {
        self.httpCode = httpCode
        self.grpcCode = grpcCode
    }

    /// The codes that pass in a gRPC group: 12 (UNIMPLEMENTED) unless others are written, as ELB has it.
    public var grpcCodes: GRPCCodes { grpcCode ?? GRPCCodes() }
}
