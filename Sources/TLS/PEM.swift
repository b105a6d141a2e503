import COpenSSL

/// Reads PEM files. Source: RFC 7468; PEM_read_bio_X509(3).
enum PEM {
    /// All certificates of a file, which the caller owns.
    static func certificates(_ octets: [UInt8]) throws(TLSMaterialError) -> [OpaquePointer] {
        try checkSize(octets)
        var found: [OpaquePointer] = unsafe []
        let failure = unsafe withMemory(octets) { bio in
            while let certificate = unsafe PEM_read_bio_X509(bio, nil, noPassword, nil) {
                unsafe found.append(certificate)
            }
            return takeReadFailure()
        }
        if failure != PEM_R_NO_START_LINE {
            for index in unsafe found.indices { unsafe X509_free(found[index]) }
            throw TLSMaterialError(
                "holds a certificate that cannot be read", remedy: "Make the file anew: PEM, complete.")
        }
        if unsafe found.isEmpty {
            throw TLSMaterialError("holds no certificate", remedy: "Give a PEM file with -----BEGIN CERTIFICATE-----.")
        }
        return unsafe found
    }

    /// The private key of a file, which the caller owns.
    static func privateKey(_ octets: [UInt8]) throws(TLSMaterialError) -> OpaquePointer {
        try checkSize(octets)
        var key: OpaquePointer?
        let failure = unsafe withMemory(octets) { bio in
            unsafe key = unsafe PEM_read_bio_PrivateKey(bio, nil, noPassword, nil)
            return takeReadFailure()
        }
        if let key = unsafe key { return unsafe key }
        if String(decoding: octets, as: UTF8.self).contains("ENCRYPTED") {
            throw TLSMaterialError(
                "is encrypted with a password", remedy: "Decrypt it: openssl pkey -in FILE -out NEWFILE.")
        }
        if failure == PEM_R_NO_START_LINE {
            throw TLSMaterialError("holds no private key", remedy: "Give a PEM file with -----BEGIN PRIVATE KEY-----.")
        }
        throw TLSMaterialError("holds a private key that cannot be read", remedy: "Make the file anew: PEM, complete.")
    }

    /// All revocation lists of a file, which the caller owns.
    static func revocationLists(_ octets: [UInt8]) throws(TLSMaterialError) -> [OpaquePointer] {
        var found: [OpaquePointer] = unsafe []
        _ = unsafe withMemory(octets) { bio in
            while let list = unsafe PEM_read_bio_X509_CRL(bio, nil, noPassword, nil) { unsafe found.append(list) }
            return takeReadFailure()
        }
        if unsafe found.isEmpty {
            throw TLSMaterialError(
                "holds no certificate revocation list", remedy: "Give a PEM file with -----BEGIN X509 CRL-----.")
        }
        return unsafe found
    }

    private static func checkSize(_ octets: [UInt8]) throws(TLSMaterialError) {
        guard octets.count <= Limits.fileBytesMax else {
            throw TLSMaterialError(
                "is larger than \(Limits.fileBytesMax) octets", remedy: "Give a file with one chain or one key.")
        }
    }

    /// Lends `octets` as a BIO.
    private static func withMemory<Result>(_ octets: [UInt8], _ body: (OpaquePointer?) -> Result) -> Result {
        ERR_clear_error()
        return unsafe octets.withUnsafeBufferPointer { octets in
            let bio = unsafe BIO_new_mem_buf(octets.baseAddress, Int32(octets.count))
            defer { unsafe BIO_free(bio) }
            return unsafe body(bio)
        }
    }

    /// The reason of the last error, if it is one of the PEM reader's, and 0 else; the queue is emptied.
    private static func takeReadFailure() -> Int32 {
        let code = ERR_peek_last_error()
        ERR_clear_error()
        return code >> 23 & 0xFF == UInt(ERR_LIB_PEM) ? Int32(truncatingIfNeeded: code & 0x7F_FFFF) : 0
    }

    /// Never asks for a password, which would wait for a terminal.
    private static let noPassword:
        @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?)
            -> Int32 = { _, _, _, _ in -1 }
}
