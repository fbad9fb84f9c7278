/* What Swift's Glibc module lacks: epoll, eventfd and the GNU functions. No code of our own.

   The functions are defined in the .c file, because _GNU_SOURCE changes the shape of types (fd_set) and the Glibc module is
   made without it: a header that asked for it would show Swift two versions of one type. */
#ifndef CSSLLINUX_H
#define CSSLLINUX_H
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/socket.h>

/* EPOLLET is 1 << 31, which Swift does not import as a macro. */
static inline uint32_t ssllinux_epollet(void) { return (uint32_t)EPOLLET; }

/* getenv that answers NULL in a program that runs with more rights than its user. */
const char *ssllinux_secure_getenv(const char *name);
/* The process has rights that its user has not: set-user-ID, set-group-ID, file capabilities. */
int ssllinux_is_privileged(void);

/* accept4(2). */
int ssllinux_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags);

/* Clears memory in a way that the compiler does not drop. */
void ssllinux_wipe(void *bytes, size_t count);

/* An eventfd that is non-blocking and not inherited by programs started from this one. */
int ssllinux_eventfd(unsigned int initial);

/* POLLRDHUP of poll(2). */
short ssllinux_pollrdhup(void);

/* The text of an errno. `buffer` is only used for one that has no fixed text. */
const char *ssllinux_error_text(int error, char *buffer, size_t size);

/* Names a thread for debuggers; at most 15 characters. */
int ssllinux_thread_name(pthread_t thread, const char *name);

/* What a helper thread blocks: every signal but the profiler's and those that a fault raises in the faulting thread. */
void ssllinux_helper_thread_signals(sigset_t *set);

/* memmem: where `needle` begins in `bytes`; NULL when it is not there. */
const void *ssllinux_find(const void *bytes, size_t count, const void *needle, size_t needle_count);
#endif
