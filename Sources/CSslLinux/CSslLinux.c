#define _GNU_SOURCE
#include "CSslLinux.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/auxv.h>
#include <string.h>
#include <sys/eventfd.h>

const char *ssllinux_secure_getenv(const char *name) { return secure_getenv(name); }
int ssllinux_is_privileged(void) { return getauxval(AT_SECURE) != 0; }

int ssllinux_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    return accept4(fd, address, length, flags);
}

void ssllinux_wipe(void *bytes, size_t count) { explicit_bzero(bytes, count); }

int ssllinux_eventfd(unsigned int initial) { return eventfd(initial, EFD_CLOEXEC | EFD_NONBLOCK); }

short ssllinux_pollrdhup(void) { return POLLRDHUP; }

const char *ssllinux_error_text(int error, char *buffer, size_t size) { return strerror_r(error, buffer, size); }

int ssllinux_thread_name(pthread_t thread, const char *name) { return pthread_setname_np(thread, name); }

void ssllinux_helper_thread_signals(sigset_t *set) {
    static const int kept[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGABRT, SIGSYS, SIGPROF};
    sigfillset(set);
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) sigdelset(set, kept[i]);
}

const void *ssllinux_find(const void *bytes, size_t count, const void *needle, size_t needle_count) {
    return memmem(bytes, count, needle, needle_count);
}
