import COpenSSL

/// A response of a certificate's issuer that says the certificate is good, to be stapled. Source: RFC 6960; RFC 6066
/// §8.
enum OCSPResponse {
    /// Checks that `response` is about `leaf`, says good and is current. `now` is in seconds since 1970.
    static func check(_ response: [UInt8], leaf: OpaquePointer, issuer: OpaquePointer, now: Int)
        throws(TLSMaterialError)
    {
        let remedy = "Fetch a new response from the issuer, or remove the file."
        let parsed = unsafe response.withUnsafeBufferPointer { octets in
            var start = octets.baseAddress
            return unsafe d2i_OCSP_RESPONSE(nil, &start, octets.count)
        }
        guard let parsed = unsafe parsed else {
            ERR_clear_error()
            throw TLSMaterialError("is not an OCSP response", remedy: remedy)
        }
        defer { unsafe OCSP_RESPONSE_free(parsed) }
        guard unsafe OCSP_response_status(parsed) == OCSP_RESPONSE_STATUS_SUCCESSFUL,
            let basic = unsafe OCSP_response_get1_basic(parsed)
        else { throw TLSMaterialError("is an OCSP response that reports a failure", remedy: remedy) }
        defer { unsafe OCSP_BASICRESP_free(basic) }
        let id = unsafe OCSP_cert_to_id(nil, leaf, issuer)
        defer { unsafe OCSP_CERTID_free(id) }
        var status: Int32 = 0
        var thisUpdate: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        var nextUpdate: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        guard unsafe OCSP_resp_find_status(basic, id, &status, nil, nil, &thisUpdate, &nextUpdate) == 1 else {
            throw TLSMaterialError("is an OCSP response about another certificate", remedy: remedy)
        }
        guard status == V_OCSP_CERTSTATUS_GOOD else {
            throw TLSMaterialError("is an OCSP response that does not call the certificate good", remedy: remedy)
        }
        if unsafe nextUpdate != nil, unsafe X509Reader.seconds(nextUpdate) <= now {
            throw TLSMaterialError(
                "is an OCSP response that was good until \(UTCDate(unsafe X509Reader.seconds(nextUpdate)))",
                remedy: remedy)
        }
    }
}
