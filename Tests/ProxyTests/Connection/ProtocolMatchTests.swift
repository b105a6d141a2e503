import Core
import Testing

@testable import Proxy

/// Which requests go to which groups. Source: docs/elbv2.md, "Which protocols go together".
@Suite struct ProtocolMatchTests {
    static let table: [(RequestProtocol, http1: Bool, http2: Bool, grpc: Bool)] = [
        (.http1, true, false, false), (.http2, true, true, true), (.grpc, false, true, true),
        (.webSocket, true, false, false),
    ]

    @Test(arguments: table) func followsTheTable(_ kind: RequestProtocol, http1: Bool, http2: Bool, grpc: Bool) {
        #expect(kind.mayGo(to: .http1, isPOST: true) == http1)
        #expect(kind.mayGo(to: .http2, isPOST: true) == http2)
        #expect(kind.mayGo(to: .grpc, isPOST: true) == grpc)
    }

    @Test func onlyPostsGoToGroupsOfGRPC() {
        #expect(!RequestProtocol.http2.mayGo(to: .grpc, isPOST: false))
        #expect(RequestProtocol.http2.mayGo(to: .http2, isPOST: false))
    }

    @Test(arguments: [
        ("application/grpc", true), ("Application/gRPC+proto", true), ("application/grpc; charset=utf-8", true),
        ("application/grpc-web", false), ("application/grpcish", false), ("application/json", false), ("", false),
    ])
    func contentTellsGRPC(type: String, isGRPC: Bool) {
        let head = Head()
        head.isHTTP2 = true
        if !type.isEmpty {
            let value = head.append(Array(type.utf8).span)
            head.addField(name: head.append("content-type"), value: value, id: .contentType)
        }
        #expect(head.isGRPC == isGRPC)
        #expect((RequestProtocol(head) == .grpc) == isGRPC)
    }

    @Test(arguments: [(400, 13), (404, 12), (413, 8), (502, 14), (503, 14), (504, 4), (418, 2)] as [(UInt16, UInt8)])
    func answersMadeHereHaveAStatus(http: UInt16, grpc: UInt8) {
        #expect(GRPCStatus(httpStatus: http).number == grpc)
    }

    @Test(arguments: [
        ("0", false), ("2", true), ("4", true), ("5", false), ("8", false), ("12", true), ("13", true), ("14", true),
        ("15", true), ("16", false), ("", false), ("142", false), ("1444444444444444444444", false),
    ])
    func someStatusesSayThatTheServerFailed(_ status: String, isFailure: Bool) {
        let head = Head()
        head.addField(
            name: head.append(Array("Grpc-Status".utf8).span), value: head.append(Array(status.utf8).span), id: .other)
        #expect(head.saysGRPCFailed == isFailure)
    }

    @Test func withoutAStatusNothingIsSaid() { #expect(!Head().saysGRPCFailed) }
}
