// OpenSSL 3 for Swift: its headers, and what Swift cannot import of them, the macros with arguments. One call each;
// anything with an `if` belongs in Swift. Only the module TLS and its tests import this.
#ifndef APUS_COPENSSL_H
#define APUS_COPENSSL_H

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/ocsp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

static const uint64_t APUS_SSL_OP_NO_RENEGOTIATION = SSL_OP_NO_RENEGOTIATION;
static const uint64_t APUS_SSL_OP_NO_COMPRESSION = SSL_OP_NO_COMPRESSION;
static const uint64_t APUS_SSL_OP_NO_TICKET = SSL_OP_NO_TICKET;
static const uint64_t APUS_SSL_OP_CIPHER_SERVER_PREFERENCE = SSL_OP_CIPHER_SERVER_PREFERENCE;
static const unsigned long APUS_XN_FLAG_RFC2253 = XN_FLAG_RFC2253;

// Contexts.
static inline int apus_ctx_set_min_version(SSL_CTX *c, int v) { return (int)SSL_CTX_set_min_proto_version(c, v); }
static inline int apus_ctx_set_max_version(SSL_CTX *c, int v) { return (int)SSL_CTX_set_max_proto_version(c, v); }
static inline void apus_ctx_set_mode(SSL_CTX *c, long mode) { SSL_CTX_set_mode(c, mode); }
static inline void apus_ctx_set_session_cache_mode(SSL_CTX *c, long mode) { SSL_CTX_set_session_cache_mode(c, mode); }
static inline void apus_ctx_set_max_cert_list(SSL_CTX *c, long bytes) { SSL_CTX_set_max_cert_list(c, bytes); }
static inline int apus_ctx_set_groups(SSL_CTX *c, const char *list) { return (int)SSL_CTX_set1_groups_list(c, list); }
static inline int apus_ctx_set_client_sigalgs(SSL_CTX *c, const char *list) {
    return (int)SSL_CTX_set1_client_sigalgs_list(c, list);
}
static inline void apus_ctx_set_servername_callback(SSL_CTX *c, int (*callback)(SSL *, int *, void *)) {
    SSL_CTX_set_tlsext_servername_callback(c, callback);
}
static inline void apus_ctx_set_status_callback(SSL_CTX *c, int (*callback)(SSL *, void *)) {
    SSL_CTX_set_tlsext_status_cb(c, callback);
}

// Sessions.
static inline void apus_ssl_set_msg_callback_arg(SSL *s, void *argument) { SSL_set_msg_callback_arg(s, argument); }
static inline int apus_ssl_negotiated_group(SSL *s) { return (int)SSL_get_negotiated_group(s); }
static inline int apus_ssl_set_server_name(SSL *s, const char *name) { return (int)SSL_set_tlsext_host_name(s, name); }
static inline void apus_ssl_set_ocsp_response(SSL *s, unsigned char *der, long count) {
    SSL_set_tlsext_status_ocsp_resp(s, der, count);
}
static inline void *apus_openssl_malloc(size_t count) { return OPENSSL_malloc(count); }
static inline void apus_openssl_free(void *memory) { OPENSSL_free(memory); }

// Texts whose addresses OSSL_PARAM keeps: a Swift String is passed as a copy that is gone after the call.
static inline const char *apus_mac_param_key(void) { return OSSL_MAC_PARAM_KEY; }
static inline const char *apus_mac_param_digest(void) { return OSSL_MAC_PARAM_DIGEST; }
static inline char *apus_mac_sha256(void) { return (char *)"SHA256"; }

#endif
