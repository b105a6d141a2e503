import COpenSSL
import Core

/// Checks whether an OCSP response can be stapled. Source: RFC 6960 §3.2, §4.2.
enum OCSPCheck {
    /// The time in seconds since 1970 until which `der` states that the first certificate of `chain` is good; nil if it
    /// names no time. Errors: the certificate is not good, or the response has expired at `now`.
    static func check(
        _ der: [UInt8], for chain: [OpaquePointer], _ name: String, now: Int
    ) throws(TLSMaterialError) -> Int? {
        let remedy = "Fetch a new one from the responder that the certificate names, or configure none."
        if der.count > Limits.ocspResponseBytesMax {
            let limit = Limits.ocspResponseBytesMax
            throw TLSMaterialError(
                "The OCSP response for \(name) has \(der.count) bytes, \(limit) at most.", remedy: remedy)
        }
        guard let response = unsafe decode(der) else {
            ERR_clear_error()
            throw TLSMaterialError("The OCSP response for \(name) is not DER.", remedy: remedy)
        }
        defer { unsafe OCSP_RESPONSE_free(response) }
        guard unsafe OCSP_response_status(response) == OCSP_RESPONSE_STATUS_SUCCESSFUL,
            let basic = unsafe OCSP_response_get1_basic(response)
        else {
            ERR_clear_error()
            throw TLSMaterialError("The OCSP response for \(name) is not a successful one.", remedy: remedy)
        }
        defer { unsafe OCSP_BASICRESP_free(basic) }
        guard let single = unsafe find(in: basic, chain) else {
            throw TLSMaterialError("The OCSP response for \(name) is for another certificate.", remedy: remedy)
        }
        var until: UnsafeMutablePointer<ASN1_GENERALIZEDTIME>?
        let status = unsafe OCSP_single_get0_status(single, nil, nil, nil, &until)
        guard status == V_OCSP_CERTSTATUS_GOOD else {
            throw TLSMaterialError(
                "The OCSP response for \(name) does not say that the certificate is good.",
                remedy: "Ask the certificate's issuer whether it was revoked, and request a new certificate.")
        }
        guard let time = unsafe until, let end = unsafe seconds(time) else { return nil }
        if now > end {
            throw TLSMaterialError(
                "The OCSP response for \(name) was valid until \(utcText(seconds: end)).", remedy: remedy)
        }
        return end
    }

    private static func decode(_ der: [UInt8]) -> OpaquePointer? {
        unsafe der.withUnsafeBufferPointer { bytes in
            var next = bytes.baseAddress
            return unsafe d2i_OCSP_RESPONSE(nil, &next, bytes.count)
        }
    }

    /// The entry for the first certificate of `chain`: the same serial number, and the same issuer if the chain has it.
    private static func find(in basic: OpaquePointer, _ chain: [OpaquePointer]) -> OpaquePointer? {
        for index in unsafe 0..<OCSP_resp_count(basic) {
            guard let single = unsafe OCSP_resp_get0(basic, index), let id = unsafe OCSP_SINGLERESP_get0_id(single)
            else { continue }
            if unsafe isOf(id, chain) { return unsafe single }
        }
        return nil
    }

    private static func isOf(_ id: OpaquePointer, _ chain: [OpaquePointer]) -> Bool {
        var algorithm: OpaquePointer?
        var serial: UnsafeMutablePointer<ASN1_INTEGER>?
        guard unsafe OCSP_id_get0_info(nil, &algorithm, nil, &serial, id) == 1,
            unsafe ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(chain[0])) == 0
        else { return false }
        guard unsafe chain.count > 1, let digest = unsafe EVP_get_digestbyname(OBJ_nid2sn(OBJ_obj2nid(algorithm))),
            let own = unsafe OCSP_cert_to_id(digest, chain[0], chain[1])
        else { return true }
        defer { unsafe OCSP_CERTID_free(own) }
        return unsafe OCSP_id_cmp(own, id) == 0
    }
}
