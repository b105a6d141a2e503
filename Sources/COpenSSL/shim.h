// What Swift cannot import of OpenSSL: macros and inline functions. One call each, no decision.
#ifndef APUS_COPENSSL_H
#define APUS_COPENSSL_H

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/objects.h>
#include <openssl/ocsp.h>
#include <openssl/params.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

// Options that are macros of a form that Swift does not read.
static const uint64_t SSL_OP_CIPHER_SERVER_PREFERENCE_apus = SSL_OP_CIPHER_SERVER_PREFERENCE;
static const uint64_t SSL_OP_NO_RENEGOTIATION_apus = SSL_OP_NO_RENEGOTIATION;
static const uint64_t SSL_OP_NO_COMPRESSION_apus = SSL_OP_NO_COMPRESSION;
static const uint64_t SSL_OP_NO_TICKET_apus = SSL_OP_NO_TICKET;
static const unsigned long XN_FLAG_RFC2253_apus = XN_FLAG_RFC2253;
static const long SSL_MODE_RELEASE_BUFFERS_apus = SSL_MODE_RELEASE_BUFFERS;

static inline void apus_bio_retry_read(BIO *bio) { BIO_set_retry_read(bio); }
static inline void apus_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

static inline int apus_ctx_set_versions(SSL_CTX *ctx, int low, int high) {
    return SSL_CTX_set_min_proto_version(ctx, low) && SSL_CTX_set_max_proto_version(ctx, high);
}
static inline long apus_ctx_set_mode(SSL_CTX *ctx, long mode) { return SSL_CTX_set_mode(ctx, mode); }
static inline void apus_ctx_set_read_ahead(SSL_CTX *ctx) { SSL_CTX_set_read_ahead(ctx, 1); }
static inline long apus_ctx_set_cache_mode(SSL_CTX *ctx, long mode) { return SSL_CTX_set_session_cache_mode(ctx, mode); }
static inline long apus_ctx_set_groups(SSL_CTX *ctx, const char *list) { return SSL_CTX_set1_groups_list(ctx, list); }
static inline long apus_ctx_add_chain(SSL_CTX *ctx, X509 *cert) { return SSL_CTX_add1_chain_cert(ctx, cert); }
static inline long apus_ctx_set_servername_callback(SSL_CTX *ctx, int (*callback)(SSL *, int *, void *)) {
    return SSL_CTX_set_tlsext_servername_callback(ctx, callback);
}
static inline long apus_ctx_set_status_callback(SSL_CTX *ctx, int (*callback)(SSL *, void *)) {
    return SSL_CTX_set_tlsext_status_cb(ctx, callback);
}
static inline long apus_ssl_set_host_name(SSL *ssl, const char *name) { return SSL_set_tlsext_host_name(ssl, name); }
static inline long apus_ssl_set_ocsp(SSL *ssl, unsigned char *response, long count) {
    return SSL_set_tlsext_status_ocsp_resp(ssl, response, count);
}
static inline int apus_ssl_negotiated_group(SSL *ssl) { return (int)SSL_get_negotiated_group(ssl); }
static inline const char *apus_ssl_cipher_name(const SSL *ssl) { return SSL_get_cipher_name(ssl); }
static inline X509 *apus_ssl_client_certificate(const SSL *ssl) { return SSL_get0_peer_certificate(ssl); }

static inline int apus_x509_count(const STACK_OF(X509) *stack) { return sk_X509_num(stack); }
static inline X509 *apus_x509_at(const STACK_OF(X509) *stack, int index) { return sk_X509_value(stack, index); }
static inline STACK_OF(X509) *apus_x509_stack(void) { return sk_X509_new_null(); }
static inline int apus_x509_push(STACK_OF(X509) *stack, X509 *cert) { return sk_X509_push(stack, cert); }
static inline void apus_x509_stack_free(STACK_OF(X509) *stack) { sk_X509_pop_free(stack, X509_free); }
static inline STACK_OF(X509_NAME) *apus_name_stack(void) { return sk_X509_NAME_new_null(); }
static inline int apus_name_push(STACK_OF(X509_NAME) *stack, X509_NAME *name) { return sk_X509_NAME_push(stack, name); }

static inline GENERAL_NAMES *apus_alternative_names(X509 *cert) {
    return (GENERAL_NAMES *)X509_get_ext_d2i(cert, NID_subject_alt_name, 0, 0);
}
static inline int apus_name_count(const GENERAL_NAMES *names) { return sk_GENERAL_NAME_num(names); }
static inline GENERAL_NAME *apus_name_at(const GENERAL_NAMES *names, int index) {
    return sk_GENERAL_NAME_value(names, index);
}
static inline ASN1_STRING *apus_dns_name(const GENERAL_NAME *name) {
    return name->type == GEN_DNS ? name->d.dNSName : 0;
}
static inline long apus_memory_count(BIO *bio, char **start) { return BIO_get_mem_data(bio, start); }
// HMAC with SHA-256. The parameters point at strings that must outlive them, which Swift's do not.
static inline int apus_mac_set_key(EVP_MAC_CTX *ctx, const unsigned char *key, size_t count) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)key, count),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    return EVP_MAC_CTX_set_params(ctx, parameters);
}

static inline const char *apus_openssl_version(void) { return OpenSSL_version(OPENSSL_VERSION_STRING); }

#endif
