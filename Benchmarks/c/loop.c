/* The work of both ends, whatever the engine. See loop.h. */
#define _GNU_SOURCE
#include "loop.h"
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

struct options options = { .count = 1, .size = 16384 };

void fail(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s: %s\n", options.program, what, why);
    exit(1);
}

static void *memory(size_t count)
{
    void *p = malloc(count);
    if (!p)
        fail("memory", "there is none");
    return p;
}

/* -------------------------------------------------------------------- the wire */

size_t wire_take(struct wire *w, void *target, size_t count)
{
    size_t there = w->in_end - w->in_start;
    if (count > there)
        count = there;
    memcpy(target, w->in + w->in_start, count);
    w->in_start += count;
    return count;
}

void wire_put(struct wire *w, const void *bytes, size_t count)
{
    if (w->out_capacity - w->out_end < count) {
        w->out_capacity = w->out_end + count + WIRE_BATCH;
        w->out = realloc(w->out, w->out_capacity);
        if (!w->out)
            fail("memory", "there is none");
    }
    memcpy(w->out + w->out_end, bytes, count);
    w->out_end += count;
}

ssize_t wire_receive(struct wire *w)
{
    if (w->ended)
        return 0;
    if (!w->in)
        w->in = memory(WIRE_BATCH);
    ssize_t n;
    do
        n = recv(w->fd, w->in, WIRE_BATCH, 0);
    while (n < 0 && errno == EINTR);
    w->in_start = 0;
    w->in_end = n > 0 ? (size_t)n : 0;
    w->ended = n == 0;
    return n;
}

bool wire_send(struct wire *w)
{
    size_t done = 0;
    while (done < w->out_end) {
        ssize_t n = send(w->fd, w->out + done, w->out_end - done, MSG_NOSIGNAL);
        if (n > 0)
            done += (size_t)n;
        else if (errno != EINTR)
            return false;
    }
    w->out_end = 0;
    return true;
}

void wire_release(struct wire *w)
{
    if (w->in_start == w->in_end) {
        free(w->in);
        w->in = NULL;
        w->in_start = w->in_end = 0;
    }
    free(w->out);
    w->out = NULL;
    w->out_end = w->out_capacity = 0;
}

/* ------------------------------------------------------------------ the request */

struct request {
    char operation;
    uint64_t total, size;
};
enum { REQUEST = 24 };

static void store(unsigned char *p, uint64_t number)
{
    for (int i = 0; i < 8; i++, number >>= 8)
        p[i] = number & 255;
}

static uint64_t load(const unsigned char *p)
{
    uint64_t number = 0;
    for (int i = 7; i >= 0; i--)
        number = number * 256 + p[i];
    return number;
}

static bool ask(struct tls *t, char operation, uint64_t total, uint64_t size)
{
    unsigned char b[REQUEST] = { (unsigned char)operation };
    store(b + 8, total);
    store(b + 16, size);
    return tls_write(t, b, sizeof b) && tls_flush(t);
}

static bool read_fully(struct tls *t, unsigned char *target, size_t count)
{
    while (count) {
        ssize_t n = tls_read(t, target, count);
        if (n <= 0)
            return false;
        target += n;
        count -= (size_t)n;
    }
    return true;
}

static unsigned char *scratch;
static size_t scratch_size;

static void need_scratch(size_t count)
{
    if (count <= scratch_size)
        return;
    free(scratch);
    scratch = memory(count);
    scratch_size = count;
    memset(scratch, 'x', count);
}

/* ------------------------------------------------------------------- the server */

static bool acknowledge(struct tls *t) { return tls_write(t, "k", 1) && tls_flush(t); }

/* True when the connection is to be kept open. */
static bool serve(struct tls *t)
{
    unsigned char b[REQUEST];
    if (!tls_handshake(t) || !read_fully(t, b, sizeof b))
        return false;
    struct request r = { (char)b[0], load(b + 8), load(b + 16) };
    need_scratch(r.size);
    switch (r.operation) {
    case 'S':
        for (uint64_t got = 0; got < r.total;) {
            ssize_t n = tls_read(t, scratch, scratch_size);
            if (n <= 0)
                return false;
            got += (uint64_t)n;
        }
        if (!acknowledge(t))
            return false;
        break;
    case 'R':
        for (uint64_t sent = 0; sent < r.total; sent += r.size)
            if (!tls_write(t, scratch, r.size))
                return false;
        if (!tls_flush(t))
            return false;
        break;
    case 'P':
        while (read_fully(t, scratch, r.size))
            if (!tls_write(t, scratch, r.size) || !tls_flush(t))
                break;
        return false;
    case 'H':
        if (!acknowledge(t))
            return false;
        break;
    case 'I':
        if (!acknowledge(t))
            return false;
        tls_rest(t);
        return true;
    default: return false;
    }
    while (tls_read(t, scratch, scratch_size) > 0) { }
    return false;
}

static struct sockaddr_in loopback(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons((uint16_t)options.port) };
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return a;
}

static void no_delay(int fd)
{
    int yes = 1;
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
}

static void run_server(void)
{
    struct sockaddr_in a = loopback();
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(listener, (struct sockaddr *)&a, sizeof a) || listen(listener, 128))
        fail("listen", strerror(errno));
    puts("READY");
    fflush(stdout);
    for (;;) {
        int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd < 0)
            fail("accept", strerror(errno));
        no_delay(fd);
        struct tls *t = tls_open(fd, NULL);
        if (!serve(t))
            tls_close(t);
    }
}

/* ------------------------------------------------------------------- the client */

static struct tls *dial(void *session)
{
    struct sockaddr_in a = loopback();
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof a))
        fail("connect", strerror(errno));
    no_delay(fd);
    struct tls *t = tls_open(fd, session);
    if (!tls_handshake(t))
        fail("handshake", "failed");
    return t;
}

static void expect(bool good)
{
    if (!good)
        fail("connection", "broke");
}

struct clock {
    double wall, user, system;
};
static struct clock started;

static struct clock now(void)
{
    struct timespec t;
    struct rusage u;
    clock_gettime(CLOCK_MONOTONIC, &t);
    getrusage(RUSAGE_SELF, &u);
    return (struct clock){ t.tv_sec + t.tv_nsec * 1e-9, u.ru_utime.tv_sec + u.ru_utime.tv_usec * 1e-6,
                           u.ru_stime.tv_sec + u.ru_stime.tv_usec * 1e-6 };
}

static void report(double amount, const char *unit, uint64_t bytes, size_t resumed)
{
    struct clock end = now();
    double seconds = end.wall - started.wall;
    printf("{\"peer\":\"%s\",\"mode\":\"%s\",\"value\":%.3f,\"unit\":\"%s\",\"n\":%zu,\"size\":%zu,\"bytes\":%lu,"
           "\"seconds\":%.6f,\"cpu_user\":%.6f,\"cpu_sys\":%.6f,\"tls\":\"\",\"resumed\":%zu}\n",
           options.program, options.mode, amount / seconds, unit, options.count, options.size, (unsigned long)bytes,
           seconds, end.user - started.user, end.system - started.system, resumed);
    fflush(stdout);
}

static void bulk(bool sends)
{
    uint64_t total = (uint64_t)options.count * options.size;
    struct tls *t = dial(NULL);
    started = now();
    expect(ask(t, sends ? 'S' : 'R', total, options.size));
    if (sends) {
        for (size_t i = 0; i < options.count; i++)
            expect(tls_write(t, scratch, options.size));
        expect(tls_flush(t) && read_fully(t, scratch, 1));
    } else {
        for (uint64_t got = 0; got < total;) {
            ssize_t n = tls_read(t, scratch, scratch_size);
            expect(n > 0);
            got += (uint64_t)n;
        }
    }
    report(total / 1e6, "MB/s", total, 0);
    tls_close(t);
}

static void handshakes(bool resumes)
{
    void *session = NULL;
    size_t resumed = 0;
    for (size_t i = 0; i <= options.count; i++) { /* the first one warms up */
        if (i == 1) {
            started = now();
            resumed = 0;
        }
        struct tls *t = dial(session);
        expect(ask(t, 'H', 0, 0) && read_fully(t, scratch, 1));
        if (resumes) {
            resumed += tls_was_resumed(t);
            void *next = tls_session(t);
            if (next) {
                if (session)
                    tls_session_free(session);
                session = next;
            }
        }
        tls_close(t);
    }
    report((double)options.count, "1/s", 0, resumed);
}

static void pingpong(void)
{
    struct tls *t = dial(NULL);
    size_t warm = options.count / 20 + 1;
    expect(ask(t, 'P', 0, options.size));
    for (size_t i = 0; i < options.count + warm; i++) {
        if (i == warm)
            started = now();
        expect(tls_write(t, scratch, options.size) && tls_flush(t) && read_fully(t, scratch, options.size));
    }
    report((double)options.count, "1/s", 0, 0);
    tls_close(t);
}

static void idle(void)
{
    for (size_t i = 0; i < options.count; i++) {
        struct tls *t = dial(NULL);
        expect(ask(t, 'I', 0, 0) && read_fully(t, scratch, 1));
        tls_rest(t);
        if (i == 0) {
            printf("{\"peer\":\"%s\",\"mode\":\"idle\",\"baseline\":1}\n", options.program);
            fflush(stdout);
            if (getchar() == EOF)
                return;
            started = now();
        }
    }
    report((double)options.count - 1, "1/s", 0, 0);
    while (getchar() != EOF) { }
}

static void run_client(void)
{
    if (!options.mode)
        fail("--mode", "missing");
    else if (!strcmp(options.mode, "bulk-send"))
        bulk(true);
    else if (!strcmp(options.mode, "bulk-recv"))
        bulk(false);
    else if (!strcmp(options.mode, "handshake"))
        handshakes(false);
    else if (!strcmp(options.mode, "resume"))
        handshakes(true);
    else if (!strcmp(options.mode, "pingpong"))
        pingpong();
    else if (!strcmp(options.mode, "idle"))
        idle();
    else
        exit(77);
}

int main(int count, char **arguments)
{
    options.program = arguments[0];
    for (int i = 1; i < count; i++) {
        const char *name = arguments[i], *value = i + 1 < count ? arguments[i + 1] : "";
        if (!strcmp(name, "server") || !strcmp(name, "client")) {
            options.is_server = *name == 's';
            continue;
        }
        i++;
        if (!strcmp(name, "--port"))
            options.port = atoi(value);
        else if (!strcmp(name, "--cert"))
            options.certificate = value;
        else if (!strcmp(name, "--key"))
            options.key = value;
        else if (!strcmp(name, "--ca"))
            options.authority = value;
        else if (!strcmp(name, "--mode"))
            options.mode = value;
        else if (!strcmp(name, "--n"))
            options.count = strtoul(value, NULL, 10);
        else if (!strcmp(name, "--size"))
            options.size = strtoul(value, NULL, 10);
        else if (!strcmp(name, "--tls"))
            *(strcmp(value, "1.2") ? &options.only13 : &options.only12) = true;
        else if (!strcmp(name, "--cipher"))
            options.cipher = value;
        else if (!strcmp(name, "--opt") && !strcmp(value, "io=memory"))
            options.in_memory = true;
    }
    signal(SIGPIPE, SIG_IGN);
    need_scratch(options.size > WIRE_BATCH ? options.size : WIRE_BATCH);
    engine_start();
    if (options.is_server)
        run_server();
    else
        run_client();
    return 0;
}
