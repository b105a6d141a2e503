import COpenSSL

/// Encrypts and decrypts session tickets with the worker's keys. Source: SSL_CTX_set_tlsext_ticket_key_evp_cb(3).
///
/// Returns 1 for a ticket that was encrypted or can be decrypted, 2 for one that has to be renewed, 0 for one of an
/// unknown key (a full handshake follows), -1 if OpenSSL failed.
let ticketCallback:
    @convention(c) (
        OpaquePointer?, UnsafeMutablePointer<UInt8>?, UnsafeMutablePointer<UInt8>?, OpaquePointer?, OpaquePointer?,
        Int32
    ) -> Int32 = { ssl, name, iv, cipher, mac, isSealing in
        guard let server = unsafe runningSession(ssl)?.server, let name = unsafe name, let iv = unsafe iv
        else { return -1 }
        let ring = server.tickets
        if isSealing == 1 {
            let key = ring.current
            for index in key.name.indices { unsafe name[index] = key.name[index] }
            guard unsafe RAND_bytes(iv, EVP_CIPHER_get_iv_length(server.ticketCipher)) == 1,
                unsafe EVP_EncryptInit_ex2(cipher, server.ticketCipher, key.encryptionKey, iv, nil) == 1,
                unsafe setKey(mac, key)
            else { return -1 }
            return 1
        }
        let isCurrent = unsafe hasName(name, ring.current)
        guard let key = isCurrent ? ring.current : ring.previous, unsafe hasName(name, key) else { return 0 }
        guard unsafe EVP_DecryptInit_ex2(cipher, server.ticketCipher, key.encryptionKey, iv, nil) == 1,
            unsafe setKey(mac, key)
        else { return -1 }
        // In TLS 1.3 a ticket is for one use, so each resumption issues a new one.
        return unsafe isCurrent && SSL_version(ssl) < TLS1_3_VERSION ? 1 : 2
    }

private func hasName(_ name: UnsafePointer<UInt8>, _ key: TLSTicketKey) -> Bool {
    key.name.indices.allSatisfy { unsafe name[$0] == key.name[$0] }
}

/// Sets the HMAC key. OpenSSL's parameters keep pointers to their names, so the names have to outlive the call.
private func setKey(_ mac: OpaquePointer?, _ key: TLSTicketKey) -> Bool {
    var secret = key.authenticationKey
    return unsafe secret.withUnsafeMutableBytes { bytes in
        let parameters = unsafe [
            OSSL_PARAM_construct_octet_string(apus_mac_param_key(), bytes.baseAddress, bytes.count),
            OSSL_PARAM_construct_utf8_string(apus_mac_param_digest(), apus_mac_sha256(), 0),
            OSSL_PARAM_construct_end(),
        ]
        return unsafe EVP_MAC_CTX_set_params(mac, parameters) == 1
    }
}
