import COpenSSL
import Core

/// The certificate that a client presented, in the form of the X-Amzn-Mtls-* fields and the connection log.
///
/// Shape:  bytes that are safe in a header field; built once per connection.
/// Limits: `chain` is as long as the client sent it, about 90 KiB at most (`Limits.clientCertificateMessageMax`).
/// Source: docs/elbv2.md, "Connection log" and "Client certificates".
public struct ClientCertificate: Equatable, Sendable {
    /// Upper-case hexadecimal digits.
    public let serialNumber: [UInt8]
    /// Source: RFC 2253.
    public let issuer: [UInt8]
    /// Source: RFC 2253.
    public let subject: [UInt8]
    /// As in `NotBefore=2023-09-21T01:50:17Z;NotAfter=2024-09-20T01:50:17Z`.
    public let validity: [UInt8]
    /// The certificate as URL-encoded PEM.
    public let leaf: [UInt8]
    /// The certificate and the chain as the client sent them, URL-encoded PEM.
    public let chain: [UInt8]

    /// Bytes of all parts.
    var byteCount: Int {
        serialNumber.count + issuer.count + subject.count + validity.count + leaf.count + chain.count
    }

    /// Reads an `X509 *`; `others` is the STACK_OF(X509) that the client sent after it, if any.
    init(leaf certificate: OpaquePointer, others: OpaquePointer?) {
        let facts = unsafe X509Facts(certificate)
        serialNumber = facts.serialNumber
        issuer = facts.issuer
        subject = facts.subject
        validity = Array(
            "NotBefore=\(utcText(seconds: facts.notBefore));NotAfter=\(utcText(seconds: facts.notAfter))".utf8)
        leaf = unsafe encodedPEM(certificate)
        var all = leaf
        if let others = unsafe others {
            for index in unsafe 0..<OPENSSL_sk_num(others) {
                guard let other = unsafe OPENSSL_sk_value(others, index) else { continue }
                all += unsafe encodedPEM(OpaquePointer(other))
            }
        }
        chain = all
    }
}

/// A certificate as PEM, URL-encoded except for `+`, `=` and `/`.
private func encodedPEM(_ certificate: OpaquePointer) -> [UInt8] {
    guard let output = unsafe BIO_new(BIO_s_mem()) else { return [] }
    defer { unsafe BIO_free(output) }
    guard unsafe PEM_write_bio_X509(output, certificate) == 1 else { return [] }
    var encoded: [UInt8] = []
    for byte in unsafe takeBytes(output) {
        if byte.isLetter || byte.isDigit || "+=/-._~".utf8.contains(byte) {
            encoded.append(byte)
        } else {
            let digits = Array("0123456789ABCDEF".utf8)
            encoded += [.percent, digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return encoded
}
