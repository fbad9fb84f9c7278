/* What Swift's Glibc module lacks: epoll, eventfd, secure_getenv, accept4. No code of our own. */
#ifndef CSSLLINUX_H
#define CSSLLINUX_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

static inline const char *ssllinux_secure_getenv(const char *name) { return secure_getenv(name); }
static inline int ssllinux_accept4(int fd, struct sockaddr *address, socklen_t *length, int flags) {
    return accept4(fd, address, length, flags);
}
static inline uint32_t ssllinux_epollet(void) { return (uint32_t)EPOLLET; }
static inline void ssllinux_wipe(void *bytes, size_t count) { explicit_bzero(bytes, count); }
#endif
