// What Swift cannot import itself: headers the Glibc module lacks, macros, unions and variadic
// functions. One call each; anything with an `if` belongs in Swift.
#ifndef APUS_CLINUX_H
#define APUS_CLINUX_H

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

// `struct epoll_event` is packed and holds a union; both members are set here in one store.
static inline int apus_epoll_ctl(int epoll, int operation, int descriptor, uint32_t events, uint64_t token) {
    struct epoll_event event = {.events = events, .data = {.u64 = token}};
    return epoll_ctl(epoll, operation, descriptor, &event);
}
static inline void apus_epoll_set_token(struct epoll_event *event, uint64_t token) { event->data.u64 = token; }
static inline uint64_t apus_epoll_token(const struct epoll_event *event) { return event->data.u64; }

// _GNU_SOURCE stays undefined: with it the headers differ from the Glibc module's, and the two cannot be
// imported together. What only _GNU_SOURCE declares is declared where it is used.

// glibc declares the address of these as a transparent union, which Swift cannot pass.
static inline int apus_bind(int descriptor, const struct sockaddr_storage *address, socklen_t length) {
    return bind(descriptor, (const struct sockaddr *)address, length);
}
static inline int apus_connect(int descriptor, const struct sockaddr_storage *address, socklen_t length) {
    return connect(descriptor, (const struct sockaddr *)address, length);
}
static inline int apus_accept4(int descriptor, struct sockaddr_storage *address, socklen_t *length, int flags) {
    extern int accept4(int, struct sockaddr *, socklen_t *, int);
    return accept4(descriptor, (struct sockaddr *)address, length, flags);
}
static inline int apus_getsockname(int descriptor, struct sockaddr_storage *address, socklen_t *length) {
    return getsockname(descriptor, (struct sockaddr *)address, length);
}

// Variadic in C.
static inline int apus_unacknowledged(int descriptor, int *count) { return ioctl(descriptor, TIOCOUTQ, count); }
static inline int apus_open(const char *path, int flags, mode_t mode) { return open(path, flags | O_CLOEXEC, mode); }
static inline int apus_prctl_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }

// `struct ucred` needs _GNU_SOURCE; its layout is the kernel's: pid, uid, gid.
static inline int apus_unix_user_id(int descriptor, uint32_t *user) {
    uint32_t credentials[3] = {0};
    socklen_t length = sizeof credentials;
    int status = getsockopt(descriptor, SOL_SOCKET, 17 /* SO_PEERCRED */, credentials, &length);
    *user = credentials[1];
    return status;
}

// Declared under _GNU_SOURCE only.
static inline int apus_name_thread(const char *name) {
    extern int pthread_setname_np(pthread_t, const char *);
    return pthread_setname_np(pthread_self(), name);
}

// The resource is an enum in C++ and an int in C headers, by feature macro.
static inline int apus_getrlimit_files(struct rlimit *limit) { return getrlimit(RLIMIT_NOFILE, limit); }
static inline int apus_setrlimit_files(const struct rlimit *limit) { return setrlimit(RLIMIT_NOFILE, limit); }

#endif
