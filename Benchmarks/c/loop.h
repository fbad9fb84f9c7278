/* A bare client and server loop over one TLS engine: what our library is measured against.
 *
 * loop.c holds the work and the command line, loop_gnutls.c and loop_openssl.c the engine. Each engine is driven in
 * two ways: over the descriptor itself, as its manual shows, and over memory with 64 KiB per system call. */
#ifndef LOOP_H
#define LOOP_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* The command line. */
struct options {
    const char *program;
    bool is_server;
    bool in_memory;      /* --opt io=memory; otherwise the engine has the descriptor */
    int port;
    const char *certificate, *key, *authority;
    const char *mode;
    bool only12, only13; /* --tls */
    const char *cipher;  /* aes128, aes256, chacha; NULL for the engine's own choice */
    size_t count, size;
};
extern struct options options;

/* Between an engine and the network when it is driven over memory. */
struct wire {
    int fd;
    bool ended;
    unsigned char *in, *out;
    size_t in_start, in_end;
    size_t out_end, out_capacity;
};
enum { WIRE_BATCH = 65536 };

/* The engine took or made octets. wire_take returns 0 when nothing is there. */
size_t wire_take(struct wire *wire, void *target, size_t count);
void wire_put(struct wire *wire, const void *bytes, size_t count);
/* The network: both block. wire_receive returns 0 at the end of the stream. */
ssize_t wire_receive(struct wire *wire);
bool wire_send(struct wire *wire);
void wire_release(struct wire *wire);

/* One connection, as the engine sees it. Calls return false, or -1, on failure; tls_read returns 0 at the end. */
struct tls;
void engine_start(void);
struct tls *tls_open(int fd, void *session);
bool tls_handshake(struct tls *tls);
ssize_t tls_read(struct tls *tls, void *target, size_t count);
bool tls_write(struct tls *tls, const void *bytes, size_t count);
bool tls_flush(struct tls *tls);
void tls_rest(struct tls *tls);
void tls_close(struct tls *tls);
bool tls_was_resumed(struct tls *tls);
/* A session to give to the next tls_open, or NULL; the caller frees it. */
void *tls_session(struct tls *tls);
void tls_session_free(void *session);

void fail(const char *what, const char *why) __attribute__((noreturn));
#endif
