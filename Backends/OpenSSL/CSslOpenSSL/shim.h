/*
 * What Swift cannot use from OpenSSL's headers by itself: macros, typed stacks, option bits wider than int,
 * and the one place where a call leaves its stack (the fibre at the end).
 */
#ifndef CSSLOPENSSL_SHIM_H
#define CSSLOPENSSL_SHIM_H
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>
#include "external.h"

/* MARK: Numbers that are macros Swift does not import */

static inline long sslopenssl_build_version(void) { return OPENSSL_VERSION_NUMBER; }
static inline const char *sslopenssl_build_version_text(void) { return OPENSSL_VERSION_TEXT; }
static inline int sslopenssl_error_library(unsigned long e) { return ERR_GET_LIB(e); }
static inline int sslopenssl_error_reason(unsigned long e) { return ERR_GET_REASON(e); }

/* MARK: Contexts */

enum {
    sslopenssl_no_tickets = 1,
    sslopenssl_server_preference = 2,
    sslopenssl_datagram = 4,
};

/* A compressed certificate reaches no callback, so that one without content would not be noticed. Nor is it offered. */
#if defined(SSL_OP_NO_RX_CERTIFICATE_COMPRESSION) && defined(SSL_OP_NO_TX_CERTIFICATE_COMPRESSION)
#define SSLOPENSSL_NO_COMPRESSED_CERTIFICATES (SSL_OP_NO_RX_CERTIFICATE_COMPRESSION | SSL_OP_NO_TX_CERTIFICATE_COMPRESSION)
#else
#define SSLOPENSSL_NO_COMPRESSED_CERTIFICATES 0
#endif

/* Replaces every option, also those that openssl.cnf or a distribution set, by a fixed set. */
static inline void sslopenssl_set_options(SSL_CTX *ctx, int flags) {
    SSL_CTX_clear_options(ctx, SSL_CTX_get_options(ctx));
    uint64_t options = SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_ENABLE_MIDDLEBOX_COMPAT
        | SSLOPENSSL_NO_COMPRESSED_CERTIFICATES;
    if (flags & sslopenssl_no_tickets) options |= SSL_OP_NO_TICKET;
    if (flags & sslopenssl_server_preference) options |= SSL_OP_CIPHER_SERVER_PREFERENCE;
    if (flags & sslopenssl_datagram) options |= SSL_OP_NO_QUERY_MTU;
    SSL_CTX_set_options(ctx, options);
}
/* What no backend option may switch on. */
static inline void sslopenssl_keep_off(SSL_CTX *ctx) {
    SSL_CTX_clear_options(ctx, SSL_OP_ALLOW_UNSAFE_LEGACY_RENEGOTIATION | SSL_OP_ALLOW_CLIENT_RENEGOTIATION);
    SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSLOPENSSL_NO_COMPRESSED_CERTIFICATES);
}
static inline void sslopenssl_ask_for_cookie(SSL *ssl) { SSL_set_options(ssl, SSL_OP_COOKIE_EXCHANGE); }
static inline int sslopenssl_set_versions(SSL_CTX *ctx, int low, int high) {
    return SSL_CTX_set_min_proto_version(ctx, low) == 1 && SSL_CTX_set_max_proto_version(ctx, high) == 1;
}
static inline void sslopenssl_set_mode(SSL_CTX *ctx, long mode) {
    SSL_CTX_clear_mode(ctx, SSL_CTX_get_mode(ctx));
    SSL_CTX_set_mode(ctx, mode);
}
static inline void sslopenssl_set_read_ahead(SSL_CTX *ctx, int on) { SSL_CTX_set_read_ahead(ctx, on); }
static inline void sslopenssl_set_automatic_dh(SSL_CTX *ctx) { SSL_CTX_set_dh_auto(ctx, 1); }
static inline void sslopenssl_set_cache_mode(SSL_CTX *ctx, long mode) { SSL_CTX_set_session_cache_mode(ctx, mode); }
static inline int sslopenssl_set_groups(SSL_CTX *ctx, const char *list) { return (int)SSL_CTX_set1_groups_list(ctx, list); }
static inline int sslopenssl_set_signature_schemes(SSL_CTX *ctx, const char *list) {
    return (int)SSL_CTX_set1_sigalgs_list(ctx, list);
}

/* MARK: Tickets */

/* AES in CBC mode and HMAC-SHA-256, as RFC 5077 section 4 recommends; both keys have the same length, 16 or 32 octets. */
static inline int sslopenssl_set_ticket_key(
    EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, const void *encryption, const void *authentication, size_t length,
    const unsigned char *vector, int is_new) {
    OSSL_PARAM parameters[] = {
        OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)authentication, length),
        OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0),
        OSSL_PARAM_construct_end(),
    };
    const EVP_CIPHER *kind = length == 32 ? EVP_aes_256_cbc() : EVP_aes_128_cbc();
    return EVP_CipherInit_ex2(cipher, kind, (const unsigned char *)encryption, vector, is_new, NULL) == 1
        && EVP_MAC_CTX_set_params(mac, parameters) == 1;
}

/* More than that does not fit a ticket beside the session. */
enum { sslopenssl_longest_chain = 32768 };

/* Puts the client's certificates above its leaf into the session, each with its length before it. */
static inline int sslopenssl_put_chain(SSL *ssl, void *unused) {
    (void)unused;
    STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);
    SSL_SESSION *session = SSL_get_session(ssl);
    if (session == NULL || chain == NULL || sk_X509_num(chain) == 0) return 1;
    size_t total = 0;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        int length = i2d_X509(sk_X509_value(chain, i), NULL);
        if (length <= 0) return 0;
        total += 4 + (size_t)length;
    }
    /* Without it the resumed client would be judged by its leaf alone and refused: a single octet says that the session is not to be resumed. */
    if (total > sslopenssl_longest_chain) return SSL_SESSION_set1_ticket_appdata(session, "", 1);
    unsigned char *octets = (unsigned char *)OPENSSL_malloc(total);
    if (octets == NULL) return 0;
    unsigned char *next = octets;
    for (int i = 0; i < sk_X509_num(chain); i++) {
        unsigned char *head = next;
        next += 4;
        int length = i2d_X509(sk_X509_value(chain, i), &next);
        if (length < 0) length = 0;
        for (int k = 0; k < 4; k++) head[k] = (unsigned char)((unsigned)length >> (24 - 8 * k));
    }
    int done = SSL_SESSION_set1_ticket_appdata(session, octets, total);
    OPENSSL_free(octets);
    return done;
}
/* Passes over the ticket of a client whose certificates were too large for it: the handshake is a full one then. */
static inline SSL_TICKET_RETURN sslopenssl_take_chain(
    SSL *ssl, SSL_SESSION *session, const unsigned char *name, size_t length, SSL_TICKET_STATUS status, void *unused) {
    (void)ssl, (void)name, (void)length, (void)unused;
    if (status != SSL_TICKET_SUCCESS && status != SSL_TICKET_SUCCESS_RENEW) return SSL_TICKET_RETURN_IGNORE_RENEW;
    void *octets = NULL;
    size_t count = 0;
    if (SSL_SESSION_get0_ticket_appdata(session, &octets, &count) == 1 && count == 1) return SSL_TICKET_RETURN_IGNORE_RENEW;
    return status == SSL_TICKET_SUCCESS ? SSL_TICKET_RETURN_USE : SSL_TICKET_RETURN_USE_RENEW;
}

static inline void sslopenssl_keep_chain_in_tickets(SSL_CTX *ctx) {
    SSL_CTX_set_session_ticket_cb(ctx, sslopenssl_put_chain, sslopenssl_take_chain, NULL);
}

/* MARK: Sessions */

static inline int sslopenssl_set_server_name(SSL *ssl, const char *name) { return (int)SSL_set_tlsext_host_name(ssl, name); }
static inline int sslopenssl_group(SSL *ssl) { return (int)SSL_get_negotiated_group(ssl); }
/* The size of the prime of the server's Diffie-Hellman key, as its client got it; 0 when it made none. */
static inline int sslopenssl_dh_bits(SSL *ssl) {
    EVP_PKEY *key = NULL;
    if (SSL_get_peer_tmp_key(ssl, &key) != 1 || key == NULL) return 0;
    int bits = EVP_PKEY_is_a(key, "DH") ? EVP_PKEY_get_bits(key) : 0;
    EVP_PKEY_free(key);
    return bits;
}
static inline int sslopenssl_extended_master_secret(SSL *ssl) { return (int)SSL_get_extms_support(ssl); }
static inline int sslopenssl_signature_hash(SSL *ssl, int of_peer) {
    int nid = 0;
    long ok = of_peer ? SSL_get_peer_signature_nid(ssl, &nid) : SSL_get_signature_nid(ssl, &nid);
    return ok == 1 ? nid : 0;
}
static inline int sslopenssl_set_mtu(SSL *ssl, long mtu) { return (int)SSL_set_mtu(ssl, mtu); }
static inline int sslopenssl_get_timeout(SSL *ssl, struct timeval *left) { return (int)DTLSv1_get_timeout(ssl, left); }
static inline int sslopenssl_handle_timeout(SSL *ssl) { return (int)DTLSv1_handle_timeout(ssl); }

/* MARK: Pre-shared keys */

static inline int sslopenssl_session_mark(void) { return SSL_SESSION_get_ex_new_index(0, NULL, NULL, NULL, NULL); }
/* A session object for an external key of TLS 1.3; NULL without memory or a suite with the hash. */
static inline SSL_SESSION *sslopenssl_psk_session(SSL *ssl, const void *key, size_t length, int sha384, int mark) {
    const unsigned char suite[2] = {0x13, sha384 ? 0x02 : 0x01};
    const SSL_CIPHER *cipher = SSL_CIPHER_find(ssl, suite);
    SSL_SESSION *session = SSL_SESSION_new();
    if (cipher != NULL && session != NULL && SSL_SESSION_set1_master_key(session, (const unsigned char *)key, length) == 1
        && SSL_SESSION_set_cipher(session, cipher) == 1 && SSL_SESSION_set_protocol_version(session, TLS1_3_VERSION) == 1
        && SSL_SESSION_set_ex_data(session, mark, (void *)ssl) == 1)
        return session;
    SSL_SESSION_free(session);
    return NULL;
}
static inline int sslopenssl_session_has_mark(SSL *ssl, int mark) {
    SSL_SESSION *session = SSL_get_session(ssl);
    return session != NULL && SSL_SESSION_get_ex_data(session, mark) != NULL;
}

/* MARK: Stacks */

static inline STACK_OF(X509) *sslopenssl_certificates_new(void) { return sk_X509_new_null(); }
static inline int sslopenssl_certificates_push(STACK_OF(X509) *list, X509 *certificate) {
    if (!X509_up_ref(certificate)) return 0;
    if (sk_X509_push(list, certificate) > 0) return 1;
    X509_free(certificate);
    return 0;
}
static inline int sslopenssl_names_count(const STACK_OF(X509_NAME) *list) { return list == NULL ? 0 : sk_X509_NAME_num(list); }
static inline const X509_NAME *sslopenssl_names_at(const STACK_OF(X509_NAME) *list, int index) { return sk_X509_NAME_value(list, index); }
static inline int sslopenssl_certificates_count(const STACK_OF(X509) *list) { return list == NULL ? 0 : sk_X509_num(list); }
static inline X509 *sslopenssl_certificates_at(const STACK_OF(X509) *list, int i) { return sk_X509_value(list, i); }
static inline void sslopenssl_certificates_free(STACK_OF(X509) *list) { sk_X509_pop_free(list, X509_free); }

static inline int sslopenssl_store_count(X509_STORE *store) { return sk_X509_OBJECT_num(X509_STORE_get0_objects(store)); }

static inline STACK_OF(X509_NAME) *sslopenssl_names_new(void) { return sk_X509_NAME_new_null(); }
/* Takes the name over. */
static inline int sslopenssl_names_push(STACK_OF(X509_NAME) *list, X509_NAME *name) {
    if (sk_X509_NAME_push(list, name) > 0) return 1;
    X509_NAME_free(name);
    return 0;
}
static inline void sslopenssl_names_free(STACK_OF(X509_NAME) *list) { sk_X509_NAME_pop_free(list, X509_NAME_free); }
static inline void sslopenssl_set_authorities(SSL_CTX *ctx, STACK_OF(X509_NAME) *list) { SSL_CTX_set0_CA_list(ctx, list); }

static inline int sslopenssl_ciphers_count(const STACK_OF(SSL_CIPHER) *list) {
    return list == NULL ? 0 : sk_SSL_CIPHER_num(list);
}
static inline const SSL_CIPHER *sslopenssl_ciphers_at(const STACK_OF(SSL_CIPHER) *list, int i) {
    return sk_SSL_CIPHER_value(list, i);
}

static inline void sslopenssl_ciphers_free(STACK_OF(SSL_CIPHER) *list) { sk_SSL_CIPHER_free(list); }

/* MARK: The environment */

/* Hidden by <stdlib.h> unless _GNU_SOURCE is defined before anything else. */
extern char *secure_getenv(const char *name);
static inline const char *sslopenssl_environment(const char *name) { return secure_getenv(name); }

/* MARK: Memory */

/* MARK: Signatures */

/* Signs a hash, or without `digest` a message. PSS has a salt as long as the hash, as TLS wants it (RFC 8446 section 4.2.3). */
static inline int sslopenssl_sign(
    EVP_PKEY *key, const EVP_MD *digest, int is_pss, const unsigned char *input, size_t count, unsigned char *signature,
    size_t *length) {
    int result = 0;
    if (digest == NULL) {
        EVP_MD_CTX *context = EVP_MD_CTX_new();
        result = context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, key) == 1
            && EVP_DigestSign(context, signature, length, input, count) == 1;
        EVP_MD_CTX_free(context);
    } else {
        EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_pkey(NULL, key, NULL);
        result = context != NULL && EVP_PKEY_sign_init(context) == 1 && EVP_PKEY_CTX_set_signature_md(context, digest) == 1
            && (!is_pss
                || (EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_PSS_PADDING) == 1
                    && EVP_PKEY_CTX_set_rsa_pss_saltlen(context, RSA_PSS_SALTLEN_DIGEST) == 1))
            && EVP_PKEY_sign(context, signature, length, input, count) == 1;
        EVP_PKEY_CTX_free(context);
    }
    return result;
}

/* MARK: PKCS#12 */

/* Reads a file whose parts may be encrypted with ciphers that only `library` has. */
static inline PKCS12 *sslopenssl_read_pkcs12(const void *octets, size_t length, OSSL_LIB_CTX *library) {
    const unsigned char *start = (const unsigned char *)octets;
    const unsigned char *end = start + length;
    PKCS12 *file = PKCS12_init_ex(NID_pkcs7_data, library, NULL);
    if (length > LONG_MAX || d2i_PKCS12(&file, &start, (long)length) == NULL) {
        PKCS12_free(file);
        return NULL;
    }
    if (start != end) {
        PKCS12_free(file);
        return NULL;
    }
    return file;
}
/* Key and certificates with AES-256, the seal with SHA-256. */
static inline PKCS12 *sslopenssl_make_pkcs12(
    const char *passphrase, const char *name, EVP_PKEY *key, X509 *own, STACK_OF(X509) *chain) {
    PKCS12 *file = PKCS12_create(passphrase, name, key, own, chain, NID_aes_256_cbc, NID_aes_256_cbc, PKCS12_DEFAULT_ITER, -1, 0);
    if (file != NULL && PKCS12_set_mac(file, passphrase, -1, NULL, 0, PKCS12_DEFAULT_ITER, EVP_sha256()) != 1) {
        PKCS12_free(file);
        return NULL;
    }
    return file;
}
static inline void sslopenssl_free(void *memory) { OPENSSL_free(memory); }
static inline void sslopenssl_clear_free(void *memory, size_t length) { OPENSSL_clear_free(memory, length); }
static inline long sslopenssl_memory(BIO *bio, const uint8_t **start) {
    char *p = NULL;
    long n = BIO_get_mem_data(bio, &p);
    *start = (const uint8_t *)p;
    return p == NULL ? 0 : n;
}

/* MARK: The custom BIO */

static inline void sslopenssl_bio_retry_read(BIO *bio) {
    BIO_clear_retry_flags(bio);
    BIO_set_retry_read(bio);
}
static inline void sslopenssl_bio_clear_retry(BIO *bio) { BIO_clear_retry_flags(bio); }

/* MARK: Calls of the engine */

enum {
    sslopenssl_call_handshake,
    sslopenssl_call_read,
    sslopenssl_call_look_ahead,
};

/* One call of the engine and what came of it. */
typedef struct sslopenssl_call {
    SSL *ssl;
    int kind;
    void *bytes;
    size_t length;
    size_t moved;  /* octets of plaintext */
    int error;     /* SSL_get_error; SSL_ERROR_NONE on success */
    uint8_t first; /* what looking ahead saw */
} sslopenssl_call;

/* OpenSSL's error queue belongs to the thread: what others left in it would be taken for ours. */
static inline void sslopenssl_perform(sslopenssl_call *call) {
    int result;
    ERR_clear_error();
    call->moved = 0;
    if (call->kind == sslopenssl_call_read)
        result = SSL_read_ex(call->ssl, call->bytes, call->length, &call->moved);
    else if (call->kind == sslopenssl_call_look_ahead)
        result = SSL_peek_ex(call->ssl, &call->first, 1, &call->moved);
    else
        result = SSL_do_handshake(call->ssl);
    call->error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(call->ssl, result);
}

/*
 * MARK: A call that can be left in the middle
 *
 * A server's engine asks for the verdict on a client's certificate from inside SSL_do_handshake (or SSL_read) and has no way to
 * return without an answer: SSL_set_retry_verify accepts the peer there. OpenSSL's own way out, SSL_MODE_ASYNC with
 * ASYNC_pause_job, ties the rest of the call to the thread it began on: async_start_func keeps that thread's dispatcher in a
 * local variable and jumps to it when the job ends, wherever it was resumed. A session may change threads, so the call gets a
 * stack of our own here, which remembers nobody but the one who resumed it last.
 *
 * No Swift frame lies on that stack while it is left: the verdict is asked for, the answer comes back, and only then the C
 * function that asked switches.
 */

/* Known to the sanitizers' run-times only; they must hear about every switch. */
extern void __sanitizer_start_switch_fiber(void **fake, const void *bottom, size_t size) __attribute__((weak));
extern void __sanitizer_finish_switch_fiber(void *fake, const void **bottom, size_t *size) __attribute__((weak));
extern void *__tsan_get_current_fiber(void) __attribute__((weak));
extern void *__tsan_create_fiber(unsigned flags) __attribute__((weak));
extern void __tsan_destroy_fiber(void *fiber) __attribute__((weak));
extern void __tsan_switch_to_fiber(void *fiber, unsigned flags) __attribute__((weak));

typedef struct sslopenssl_fibre {
    ucontext_t inside;
    ucontext_t outside;
    sslopenssl_call call;
    int paused;
    void *stack;
    size_t stack_size;
    const void *outer_bottom;
    size_t outer_size;
    void *inner_fake;
    void *tsan_inside;
    void *tsan_outside;
} sslopenssl_fibre;

/* Handshakes need some 12 KiB and a driver's sink a little, but an application that is asked for a pre-shared key may do anything;
   untouched pages cost nothing. The lowest page is a guard. */
enum { sslopenssl_fibre_size = 1024 * 1024 };

/* A fibre for one call; it lives at the top of its own stack. NULL without memory. */
static inline sslopenssl_fibre *sslopenssl_fibre_new(const sslopenssl_call *call) {
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *memory = (uint8_t *)mmap(
        NULL, sslopenssl_fibre_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) return NULL;
    if (mprotect(memory, page, PROT_NONE) != 0) {
        munmap(memory, sslopenssl_fibre_size);
        return NULL;
    }
    size_t top = (sslopenssl_fibre_size - sizeof(sslopenssl_fibre)) & ~(size_t)63;
    sslopenssl_fibre *fibre = (sslopenssl_fibre *)(memory + top);
    fibre->call = *call;
    fibre->stack = memory + page;
    fibre->stack_size = top - page;
    return fibre;
}

static inline void sslopenssl_fibre_free(sslopenssl_fibre *fibre) {
    if (fibre == NULL) return;
    if (fibre->tsan_inside != NULL && __tsan_destroy_fiber != NULL) __tsan_destroy_fiber(fibre->tsan_inside);
    munmap((uint8_t *)fibre->stack - sysconf(_SC_PAGESIZE), sslopenssl_fibre_size);
}

/* Goes from the fibre's stack to whoever resumed it; comes back with the next resume. */
static inline void sslopenssl_fibre_leave(sslopenssl_fibre *fibre, int paused) {
    fibre->paused = paused;
    if (__sanitizer_start_switch_fiber != NULL)
        __sanitizer_start_switch_fiber(paused ? &fibre->inner_fake : NULL, fibre->outer_bottom, fibre->outer_size);
    if (fibre->tsan_outside != NULL && __tsan_switch_to_fiber != NULL) __tsan_switch_to_fiber(fibre->tsan_outside, 0);
    swapcontext(&fibre->inside, &fibre->outside);
    if (__sanitizer_finish_switch_fiber != NULL)
        __sanitizer_finish_switch_fiber(fibre->inner_fake, &fibre->outer_bottom, &fibre->outer_size);
}

/* makecontext hands over ints, hence the pointer in two halves. */
static inline void sslopenssl_fibre_main(unsigned high, unsigned low) {
    sslopenssl_fibre *fibre = (sslopenssl_fibre *)(((uintptr_t)high << 16 << 16) | (uintptr_t)low);
    if (__sanitizer_finish_switch_fiber != NULL)
        __sanitizer_finish_switch_fiber(NULL, &fibre->outer_bottom, &fibre->outer_size);
    sslopenssl_perform(&fibre->call);
    sslopenssl_fibre_leave(fibre, 0);
}

/* Begins the call. Returns 1 when it was left in the middle, 0 when it is done, -1 when there is no way to run it. */
static inline int sslopenssl_fibre_switch(sslopenssl_fibre *fibre) {
    void *fake = NULL;
    if (__tsan_get_current_fiber != NULL) fibre->tsan_outside = __tsan_get_current_fiber();
    if (__sanitizer_start_switch_fiber != NULL) __sanitizer_start_switch_fiber(&fake, fibre->stack, fibre->stack_size);
    if (fibre->tsan_inside != NULL && __tsan_switch_to_fiber != NULL) __tsan_switch_to_fiber(fibre->tsan_inside, 0);
    swapcontext(&fibre->outside, &fibre->inside);
    if (__sanitizer_finish_switch_fiber != NULL) __sanitizer_finish_switch_fiber(fake, NULL, NULL);
    return fibre->paused;
}

static inline int sslopenssl_fibre_start(sslopenssl_fibre *fibre) {
    if (getcontext(&fibre->inside) != 0) return -1;
    fibre->inside.uc_stack.ss_sp = fibre->stack;
    fibre->inside.uc_stack.ss_size = fibre->stack_size;
    fibre->inside.uc_link = NULL;
    makecontext(&fibre->inside, (void (*)(void))sslopenssl_fibre_main, 2,
                (unsigned)((uintptr_t)fibre >> 16 >> 16), (unsigned)(uintptr_t)fibre);
    if (__tsan_create_fiber != NULL) fibre->tsan_inside = __tsan_create_fiber(0);
    return sslopenssl_fibre_switch(fibre);
}

/* MARK: The verdict on the peer */

enum {
    sslopenssl_verdict_undecided = -1,
    /* Otherwise a code of X509_V_*: X509_V_OK accepts, everything else refuses with the alert that goes with it. */
};

/* Asks for the verdict; a server's session also tells the fibre its call runs on. */
typedef int (*sslopenssl_ask)(SSL *ssl, X509_STORE_CTX *store, sslopenssl_fibre **fibre);

/* Called by OpenSSL instead of its own verification. */
static inline int sslopenssl_verify(X509_STORE_CTX *store, void *ask) {
    SSL *ssl = (SSL *)X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    for (;;) {
        sslopenssl_fibre *fibre = NULL;
        int verdict = ssl == NULL ? X509_V_ERR_UNSPECIFIED : ((sslopenssl_ask)ask)(ssl, store, &fibre);
        if (verdict != sslopenssl_verdict_undecided) {
            X509_STORE_CTX_set_error(store, verdict);
            return verdict == X509_V_OK;
        }
        if (fibre != NULL) {
            sslopenssl_fibre_leave(fibre, 1);
        } else if (!SSL_is_server(ssl)) {
            X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
            return SSL_set_retry_verify(ssl);
        } else {
            X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
            return 0;
        }
    }
}
/* MARK: OCSP stapling */

/* Called by OpenSSL when a server's first flight is complete, with or without a response in it. */
static inline int sslopenssl_heard_status(SSL *ssl, void *ask) {
    for (;;) {
        sslopenssl_fibre *fibre = NULL;
        int verdict = ((sslopenssl_ask)ask)(ssl, NULL, &fibre);
        if (verdict != sslopenssl_verdict_undecided) return verdict == X509_V_OK;
        if (fibre == NULL) return 0;
        sslopenssl_fibre_leave(fibre, 1);
    }
}
static inline void sslopenssl_ask_for_status(SSL_CTX *ctx, sslopenssl_ask ask) {
    SSL_CTX_set_tlsext_status_type(ctx, TLSEXT_STATUSTYPE_ocsp);
    SSL_CTX_set_tlsext_status_cb(ctx, sslopenssl_heard_status);
    SSL_CTX_set_tlsext_status_arg(ctx, (void *)ask);
}

/* Staples; answers SSL_TLSEXT_ERR_*. */
typedef int (*sslopenssl_status)(SSL *ssl);
static inline int sslopenssl_wanted_status(SSL *ssl, void *give) { return ((sslopenssl_status)give)(ssl); }
static inline void sslopenssl_give_status(SSL_CTX *ctx, sslopenssl_status give) {
    SSL_CTX_set_tlsext_status_cb(ctx, sslopenssl_wanted_status);
    SSL_CTX_set_tlsext_status_arg(ctx, (void *)give);
}
static inline int sslopenssl_staple(SSL *ssl, const void *response, size_t length) {
    void *copy = OPENSSL_memdup(response, length);
    if (copy != NULL && SSL_set_tlsext_status_ocsp_resp(ssl, copy, (long)length) == 1) return 1;
    OPENSSL_free(copy);
    return 0;
}
/* -1 without a response. */
static inline long sslopenssl_stapled(SSL *ssl, const uint8_t **start) {
    unsigned char *response = NULL;
    long length = SSL_get_tlsext_status_ocsp_resp(ssl, &response);
    *start = response;
    return response == NULL ? -1 : length;
}

static inline void sslopenssl_set_verify(SSL_CTX *ctx, sslopenssl_ask ask) {
    SSL_CTX_set_cert_verify_callback(ctx, sslopenssl_verify, (void *)ask);
}

/* MARK: Messages that are worth an event */

/* Answers with the fibre to leave while a decision is open, and is asked again afterwards; NULL to go on. */
typedef sslopenssl_fibre *(*sslopenssl_heard)(SSL *ssl, uint8_t handshake_type);

/* A Certificate message without a certificate (RFC 5246 section 7.4.2, RFC 8446 section 4.4.2). */
static inline int sslopenssl_is_empty_certificate(SSL *ssl, const uint8_t *message, size_t length) {
    size_t list = SSL_is_dtls(ssl) ? 12 : 4;
    if (SSL_version(ssl) == TLS1_3_VERSION) {
        if (length <= list) return 0;
        list += 1 + (size_t)message[list];
    }
    return length == list + 3 && message[list] == 0 && message[list + 1] == 0 && message[list + 2] == 0;
}

/* Filters here, for OpenSSL calls it several times a record. */
static inline void sslopenssl_message(
    int written, int version, int content_type, const void *bytes, size_t length, SSL *ssl, void *heard) {
    (void)version;
    if (written || content_type != SSL3_RT_HANDSHAKE || length == 0) return;
    uint8_t type = *(const uint8_t *)bytes;
    switch (type) {
    case SSL3_MT_KEY_UPDATE:
    case SSL3_MT_FINISHED:
    case SSL3_MT_CERTIFICATE_REQUEST: ((sslopenssl_heard)heard)(ssl, type); return;
    case SSL3_MT_CERTIFICATE: {
        if (!SSL_is_server(ssl) || !sslopenssl_is_empty_certificate(ssl, (const uint8_t *)bytes, length)) return;
        sslopenssl_fibre *fibre = NULL;
        while ((fibre = ((sslopenssl_heard)heard)(ssl, type)) != NULL) sslopenssl_fibre_leave(fibre, 1);
        return;
    }
    default: return;
    }
}
static inline void sslopenssl_listen(SSL_CTX *ctx, sslopenssl_heard heard) {
    SSL_CTX_set_msg_callback(ctx, sslopenssl_message);
    SSL_CTX_set_msg_callback_arg(ctx, (void *)heard);
}

#endif
