/* GnuTLS under the bare loop. See loop.h. */
#include "loop.h"
#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct tls {
    gnutls_session_t session;
    struct wire wire;
};

static gnutls_certificate_credentials_t credentials;
static gnutls_priority_t priority;
static gnutls_datum_t ticket_key;

static void must(int code)
{
    if (code < 0)
        fail("gnutls", gnutls_strerror(code));
}

void engine_start(void)
{
    char words[128] = "NORMAL";
    if (options.only12 || options.only13)
        strcat(strcat(words, ":-VERS-ALL:+VERS-TLS1."), options.only12 ? "2" : "3");
    if (options.cipher) {
        strcat(words, ":-CIPHER-ALL:+");
        strcat(words, !strcmp(options.cipher, "aes128")   ? "AES-128-GCM"
                      : !strcmp(options.cipher, "aes256") ? "AES-256-GCM"
                                                          : "CHACHA20-POLY1305");
    }
    must(gnutls_priority_init(&priority, words, NULL));
    must(gnutls_certificate_allocate_credentials(&credentials));
    if (options.is_server) {
        must(gnutls_certificate_set_x509_key_file(credentials, options.certificate, options.key, GNUTLS_X509_FMT_PEM));
        must(gnutls_session_ticket_key_generate(&ticket_key));
    } else {
        must(gnutls_certificate_set_x509_trust_file(credentials, options.authority, GNUTLS_X509_FMT_PEM));
    }
}

static ssize_t pull(gnutls_transport_ptr_t context, void *target, size_t count)
{
    struct tls *t = context;
    size_t n = wire_take(&t->wire, target, count);
    if (n || t->wire.ended)
        return (ssize_t)n;
    gnutls_transport_set_errno(t->session, EAGAIN);
    return -1;
}

static int pull_timeout(gnutls_transport_ptr_t context, unsigned milliseconds)
{
    struct tls *t = context;
    (void)milliseconds;
    return t->wire.ended || t->wire.in_end > t->wire.in_start;
}

static ssize_t push(gnutls_transport_ptr_t context, const void *bytes, size_t count)
{
    wire_put(&((struct tls *)context)->wire, bytes, count);
    return (ssize_t)count;
}

struct tls *tls_open(int fd, void *session)
{
    struct tls *t = calloc(1, sizeof *t);
    if (!t)
        fail("memory", "there is none");
    t->wire.fd = fd;
    must(gnutls_init(&t->session, (options.is_server ? GNUTLS_SERVER : GNUTLS_CLIENT) | GNUTLS_NO_SIGNAL |
                                      (options.in_memory ? GNUTLS_NONBLOCK : 0)));
    must(gnutls_priority_set(t->session, priority));
    must(gnutls_credentials_set(t->session, GNUTLS_CRD_CERTIFICATE, credentials));
    if (options.is_server) {
        must(gnutls_session_ticket_enable_server(t->session, &ticket_key));
    } else {
        must(gnutls_server_name_set(t->session, GNUTLS_NAME_DNS, "localhost", strlen("localhost")));
        gnutls_session_set_verify_cert(t->session, "localhost", 0);
        gnutls_datum_t *old = session;
        if (old)
            must(gnutls_session_set_data(t->session, old->data, old->size));
    }
    if (options.in_memory) {
        gnutls_transport_set_ptr(t->session, t);
        gnutls_transport_set_pull_function(t->session, pull);
        gnutls_transport_set_pull_timeout_function(t->session, pull_timeout);
        gnutls_transport_set_push_function(t->session, push);
    } else {
        gnutls_transport_set_int(t->session, fd);
    }
    return t;
}

/* After AGAIN: what is new is fetched once the old has been used up. False at the end. */
static bool more(struct tls *t)
{
    if (!options.in_memory || t->wire.in_end > t->wire.in_start)
        return true;
    return wire_send(&t->wire) && wire_receive(&t->wire) >= 0;
}

bool tls_handshake(struct tls *t)
{
    for (;;) {
        int code = gnutls_handshake(t->session);
        if (code == 0)
            return !options.in_memory || wire_send(&t->wire);
        if (gnutls_error_is_fatal(code)) {
            fprintf(stderr, "%s: %s\n", options.program, gnutls_strerror(code));
            return false;
        }
        if (!more(t))
            return false;
    }
}

ssize_t tls_read(struct tls *t, void *target, size_t count)
{
    for (;;) {
        ssize_t n = gnutls_record_recv(t->session, target, count);
        if (n >= 0)
            return n;
        if (gnutls_error_is_fatal((int)n) || !more(t))
            return -1;
    }
}

bool tls_write(struct tls *t, const void *bytes, size_t count)
{
    const char *rest = bytes;
    while (count) {
        ssize_t n = gnutls_record_send(t->session, rest, count);
        if (n < 0)
            return false;
        rest += n;
        count -= (size_t)n;
    }
    return t->wire.out_end < WIRE_BATCH || wire_send(&t->wire);
}

bool tls_flush(struct tls *t) { return wire_send(&t->wire); }

void tls_rest(struct tls *t) { wire_release(&t->wire); }

void tls_close(struct tls *t)
{
    gnutls_bye(t->session, GNUTLS_SHUT_WR);
    wire_send(&t->wire);
    gnutls_deinit(t->session);
    close(t->wire.fd);
    free(t->wire.in);
    free(t->wire.out);
    free(t);
}

bool tls_was_resumed(struct tls *t) { return gnutls_session_is_resumed(t->session); }

void *tls_session(struct tls *t)
{
    if (gnutls_protocol_get_version(t->session) == GNUTLS_TLS1_3 &&
        !(gnutls_session_get_flags(t->session) & GNUTLS_SFLAGS_SESSION_TICKET))
        return NULL;
    gnutls_datum_t *data = malloc(sizeof *data);
    if (data && gnutls_session_get_data2(t->session, data) < 0) {
        free(data);
        data = NULL;
    }
    return data;
}

void tls_session_free(void *session)
{
    gnutls_datum_t *data = session;
    gnutls_free(data->data);
    free(data);
}
