/* OpenSSL under the bare loop; over memory by a BIO of our own. See loop.h. */
#include "loop.h"
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tls {
    SSL *ssl;
    struct wire wire;
    SSL_SESSION *ticket;
};

static SSL_CTX *context;
static BIO_METHOD *method;

static void must(int good)
{
    if (good != 1)
        fail("openssl", ERR_reason_error_string(ERR_peek_last_error()));
}

static int on_ticket(SSL *ssl, SSL_SESSION *session)
{
    struct tls *t = SSL_get_app_data(ssl);
    SSL_SESSION_free(t->ticket);
    t->ticket = session;
    return 1;
}

static int bio_read(BIO *bio, char *target, int count)
{
    struct tls *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    size_t n = wire_take(&t->wire, target, (size_t)count);
    if (n)
        return (int)n;
    if (t->wire.ended)
        return 0;
    BIO_set_retry_read(bio);
    return -1;
}

static int bio_write(BIO *bio, const char *bytes, int count)
{
    struct tls *t = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    wire_put(&t->wire, bytes, (size_t)count);
    return count;
}

static long bio_control(BIO *bio, int command, long number, void *pointer)
{
    (void)number, (void)pointer;
    struct tls *t = BIO_get_data(bio);
    if (command == BIO_CTRL_EOF)
        return t->wire.ended && t->wire.in_start == t->wire.in_end;
    return command == BIO_CTRL_FLUSH;
}

void engine_start(void)
{
    context = SSL_CTX_new(options.is_server ? TLS_server_method() : TLS_client_method());
    if (!context)
        must(0);
    if (options.only12 || options.only13) {
        int version = options.only12 ? TLS1_2_VERSION : TLS1_3_VERSION;
        must(SSL_CTX_set_min_proto_version(context, version));
        must(SSL_CTX_set_max_proto_version(context, version));
    }
    if (options.cipher) {
        bool small = !strcmp(options.cipher, "aes128"), large = !strcmp(options.cipher, "aes256");
        must(SSL_CTX_set_ciphersuites(context, small   ? "TLS_AES_128_GCM_SHA256"
                                               : large ? "TLS_AES_256_GCM_SHA384"
                                                       : "TLS_CHACHA20_POLY1305_SHA256"));
        must(SSL_CTX_set_cipher_list(context, small   ? "ECDHE+AESGCM+AES128"
                                              : large ? "ECDHE+AESGCM+AES256"
                                                      : "ECDHE+CHACHA20"));
    }
    if (options.is_server) {
        must(SSL_CTX_use_certificate_chain_file(context, options.certificate));
        must(SSL_CTX_use_PrivateKey_file(context, options.key, SSL_FILETYPE_PEM));
    } else {
        must(SSL_CTX_load_verify_file(context, options.authority));
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
        SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
        SSL_CTX_sess_set_new_cb(context, on_ticket);
    }
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_AUTO_RETRY);
    method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "wire");
    BIO_meth_set_read(method, bio_read);
    BIO_meth_set_write(method, bio_write);
    BIO_meth_set_ctrl(method, bio_control);
}

struct tls *tls_open(int fd, void *session)
{
    struct tls *t = calloc(1, sizeof *t);
    if (!t)
        fail("memory", "there is none");
    t->wire.fd = fd;
    t->ssl = SSL_new(context);
    SSL_set_app_data(t->ssl, t);
    if (options.in_memory) {
        BIO *bio = BIO_new(method);
        BIO_set_data(bio, t);
        BIO_set_init(bio, 1);
        SSL_set_bio(t->ssl, bio, bio);
    } else {
        must(SSL_set_fd(t->ssl, fd));
    }
    if (options.is_server) {
        SSL_set_accept_state(t->ssl);
    } else {
        SSL_set_connect_state(t->ssl);
        must((int)SSL_set_tlsext_host_name(t->ssl, "localhost"));
        must(SSL_set1_host(t->ssl, "localhost"));
        if (session)
            must(SSL_set_session(t->ssl, session));
    }
    return t;
}

/* After WANT_READ. False on failure. */
static bool more(struct tls *t) { return wire_send(&t->wire) && wire_receive(&t->wire) >= 0; }

bool tls_handshake(struct tls *t)
{
    for (;;) {
        int code = SSL_do_handshake(t->ssl);
        if (code == 1)
            return wire_send(&t->wire);
        if (SSL_get_error(t->ssl, code) != SSL_ERROR_WANT_READ || t->wire.ended || !more(t)) {
            ERR_clear_error();
            return false;
        }
    }
}

ssize_t tls_read(struct tls *t, void *target, size_t count)
{
    for (;;) {
        size_t n;
        int code = SSL_read_ex(t->ssl, target, count, &n);
        if (code == 1)
            return (ssize_t)n;
        switch (SSL_get_error(t->ssl, code)) {
        case SSL_ERROR_ZERO_RETURN: return 0;
        case SSL_ERROR_WANT_READ:
            if (more(t))
                continue;
            return -1;
        default: ERR_clear_error(); return -1;
        }
    }
}

bool tls_write(struct tls *t, const void *bytes, size_t count)
{
    const char *rest = bytes;
    while (count) {
        size_t n;
        if (SSL_write_ex(t->ssl, rest, count, &n) != 1)
            return false;
        rest += n;
        count -= n;
    }
    return t->wire.out_end < WIRE_BATCH || wire_send(&t->wire);
}

bool tls_flush(struct tls *t) { return wire_send(&t->wire); }

void tls_rest(struct tls *t) { wire_release(&t->wire); }

void tls_close(struct tls *t)
{
    SSL_shutdown(t->ssl);
    wire_send(&t->wire);
    SSL_free(t->ssl);
    SSL_SESSION_free(t->ticket);
    close(t->wire.fd);
    free(t->wire.in);
    free(t->wire.out);
    free(t);
}

bool tls_was_resumed(struct tls *t) { return SSL_session_reused(t->ssl); }

void *tls_session(struct tls *t)
{
    void *session = t->ticket;
    t->ticket = NULL;
    return session;
}

void tls_session_free(void *session) { SSL_SESSION_free(session); }
