import COpenSSL

/// Parses the operator's PEM files. Source: RFC 7468; PEM_read_bio_X509(3).
enum PEM {
    /// The certificates of `text`, in order; the caller frees them. Nil if one cannot be parsed; OpenSSL's error queue
    /// tells why.
    static func certificates(_ text: [UInt8]) -> [OpaquePointer]? {
        unsafe objects(text, read: { unsafe PEM_read_bio_X509($0, nil, refusePassword, nil) }, free: X509_free)
    }

    /// The revocation lists of `text`, with the same rules as `certificates`.
    static func revocationLists(_ text: [UInt8]) -> [OpaquePointer]? {
        unsafe objects(text, read: { unsafe PEM_read_bio_X509_CRL($0, nil, refusePassword, nil) }, free: X509_CRL_free)
    }

    /// The private key of `text`; the caller frees it. Nil if there is none or it cannot be parsed; OpenSSL's error
    /// queue tells why.
    static func privateKey(_ text: [UInt8]) -> OpaquePointer? {
        unsafe withMemory(text) { unsafe PEM_read_bio_PrivateKey($0, nil, refusePassword, nil) }
    }

    /// Whether a key in `text` is encrypted, so that it needs a password.
    static func isEncrypted(_ text: [UInt8]) -> Bool {
        let words = String(decoding: text, as: UTF8.self)
        return words.contains("BEGIN ENCRYPTED PRIVATE KEY") || words.contains("Proc-Type: 4,ENCRYPTED")
    }

    private static func objects(
        _ text: [UInt8], read: (OpaquePointer) -> OpaquePointer?, free: (OpaquePointer?) -> Void
    ) -> [OpaquePointer]? {
        unsafe withMemory(text) { memory in
            var objects: [OpaquePointer] = unsafe []
            ERR_clear_error()
            while let object = unsafe read(memory) { unsafe objects.append(object) }
            let code = ERR_peek_last_error()
            if ERR_GET_LIB(code) == ERR_LIB_PEM && ERR_GET_REASON(code) == PEM_R_NO_START_LINE {
                // The end of the text was reached, which is not an error.
                ERR_clear_error()
                return unsafe objects
            }
            unsafe objects.forEach { unsafe free($0) }
            return nil
        }
    }

    private static func withMemory<Result>(_ text: [UInt8], _ body: (OpaquePointer) -> Result?) -> Result? {
        unsafe text.withUnsafeBytes { bytes in
            guard let memory = unsafe BIO_new_mem_buf(bytes.baseAddress, Int32(bytes.count)) else { return nil }
            defer { unsafe BIO_free(memory) }
            return unsafe body(memory)
        }
    }
}

/// Replaces OpenSSL's password callback, which would ask at the terminal.
private let refusePassword:
    @convention(c) (UnsafeMutablePointer<CChar>?, Int32, Int32, UnsafeMutableRawPointer?) -> Int32 = { _, _, _, _ in -1
    }
