// What Swift cannot import itself: headers the Glibc module lacks, macros, unions and variadic
// functions. One call each; anything with an `if` belongs in Swift.
#ifndef APUS_CLINUX_H
#define APUS_CLINUX_H

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fib_rules.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <malloc.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
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

// What main(3) was given. Swift looks for it on the stack, where /proc/self/maps says that is: in vain where there is
// no /proc, as in some containers, and where a preloaded library stands in between, as libfaketime does. Then apus was
// without any words, and printed its usage. None where the C library does not tell.
int apus_argument_count(void);
const char *apus_argument(int index);

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

// Never waits for the receiver.
static inline ssize_t apus_sendto(
    int descriptor, const void *bytes, size_t count, const struct sockaddr_storage *address, socklen_t length) {
    int flags = MSG_DONTWAIT | MSG_NOSIGNAL;
    return sendto(descriptor, bytes, count, flags, (const struct sockaddr *)address, length);
}

// Datagrams. `struct mmsghdr` and `struct in6_pktinfo` need _GNU_SOURCE; their layouts are the kernel's.
struct apus_message { struct msghdr header; unsigned int byte_count; };
struct apus_ipv6_info { struct in6_addr address; unsigned int interface; };
_Static_assert(sizeof(struct apus_message) == sizeof(struct msghdr) + sizeof(size_t), "as long as struct mmsghdr");
_Static_assert(sizeof(struct apus_ipv6_info) == 20, "as long as struct in6_pktinfo");

// What surrounds a datagram; `control` has room for what comes with it, and for what goes with it: a local address
// and a segment size.
struct apus_envelope {
    struct sockaddr_storage address;
    struct iovec content;
    unsigned char control[CMSG_SPACE(sizeof(struct apus_ipv6_info)) + CMSG_SPACE(sizeof(int))]
        __attribute__((aligned(8)));
};

static inline int apus_recvmmsg(int descriptor, struct apus_message *messages, unsigned int count) {
    struct mmsghdr;
    extern int recvmmsg(int, struct mmsghdr *, unsigned int, int, struct timespec *);
    return recvmmsg(descriptor, (struct mmsghdr *)messages, count, 0, NULL);
}
static inline int apus_sendmmsg(int descriptor, struct apus_message *messages, unsigned int count) {
    struct mmsghdr;
    extern int sendmmsg(int, struct mmsghdr *, unsigned int, int);
    return sendmmsg(descriptor, (struct mmsghdr *)messages, count, 0);
}

// Makes `message` one to send, of these bytes and with nothing else; what goes with them is added.
static inline void apus_enclose(
    struct apus_message *message, struct apus_envelope *envelope, void *bytes, size_t count) {
    envelope->content = (struct iovec){.iov_base = bytes, .iov_len = count};
    message->header = (struct msghdr){
        .msg_name = &envelope->address,
        .msg_iov = &envelope->content,
        .msg_iovlen = 1,
        .msg_control = envelope->control,
    };
}
// Makes `message` one to receive, with all there is to know about it.
static inline void apus_expect(
    struct apus_message *message, struct apus_envelope *envelope, void *bytes, size_t count) {
    apus_enclose(message, envelope, bytes, count);
    message->header.msg_namelen = sizeof envelope->address;
    message->header.msg_controllen = sizeof envelope->control;
}

// Control messages: the CMSG macros.
static inline struct cmsghdr *apus_first_control(struct apus_message *message) {
    return CMSG_FIRSTHDR(&message->header);
}
static inline struct cmsghdr *apus_next_control(struct apus_message *message, struct cmsghdr *control) {
    return CMSG_NXTHDR(&message->header, control);
}
static inline struct in_pktinfo apus_ipv4_info(struct cmsghdr *control) {
    return *(struct in_pktinfo *)CMSG_DATA(control);
}
static inline struct apus_ipv6_info apus_ipv6_info(struct cmsghdr *control) {
    return *(struct apus_ipv6_info *)CMSG_DATA(control);
}
static inline int apus_int_info(struct cmsghdr *control) { return *(int *)CMSG_DATA(control); }
static inline void apus_add_control(
    struct apus_message *message, int level, int type, const void *data, size_t count) {
    struct cmsghdr *control =
        (struct cmsghdr *)((unsigned char *)message->header.msg_control + message->header.msg_controllen);
    *control = (struct cmsghdr){.cmsg_len = CMSG_LEN(count), .cmsg_level = level, .cmsg_type = type};
    memcpy(CMSG_DATA(control), data, count);
    message->header.msg_controllen += CMSG_SPACE(count);
}

// Descriptors that go with a message to another process: SCM_RIGHTS of unix(7), which allows 253 at a time.
enum { apus_descriptors_max = 253 };
struct apus_rights {
    unsigned char control[CMSG_SPACE(apus_descriptors_max * sizeof(int))] __attribute__((aligned(8)));
};
static inline ssize_t apus_send_descriptors(
    int socket, const void *bytes, size_t count, const int *descriptors, size_t descriptor_count) {
    struct apus_rights rights;
    size_t size = descriptor_count * sizeof(int);
    struct iovec content = {.iov_base = (void *)bytes, .iov_len = count};
    struct msghdr message = {.msg_iov = &content, .msg_iovlen = 1, .msg_control = rights.control};
    struct cmsghdr *first = (struct cmsghdr *)rights.control;
    *first = (struct cmsghdr){.cmsg_len = CMSG_LEN(size), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS};
    memcpy(CMSG_DATA(first), descriptors, size);
    message.msg_controllen = descriptor_count == 0 ? 0 : CMSG_SPACE(size);
    return sendmsg(socket, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}
// `flags` tells whether something was cut off. Nothing but descriptors is ever asked for as control data.
static inline ssize_t apus_receive_descriptors(
    int socket, void *bytes, size_t count, int *descriptors, size_t *descriptor_count, int *flags) {
    struct apus_rights rights;
    struct iovec content = {.iov_base = bytes, .iov_len = count};
    struct msghdr message = {
        .msg_iov = &content, .msg_iovlen = 1, .msg_control = rights.control, .msg_controllen = sizeof rights.control};
    ssize_t received = recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
    *descriptor_count = 0;
    *flags = message.msg_flags;
    struct cmsghdr *first = received < 0 ? NULL : CMSG_FIRSTHDR(&message);
    for (struct cmsghdr *next = first; next; next = CMSG_NXTHDR(&message, next)) {
        *descriptor_count = (next->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(descriptors, CMSG_DATA(next), *descriptor_count * sizeof(int));
    }
    return received;
}

// The path by which execve(2) was called for this program, which symbolic links may lead on from: getauxval(3).
static inline const char *apus_executed_path(void) {
    return (const char *)getauxval(31 /* AT_EXECFN */);
}

static inline void apus_add_destination(
    struct apus_message *message, const struct sockaddr_storage *address, socklen_t length) {
    memcpy(message->header.msg_name, address, length);
    message->header.msg_namelen = length;
}
static inline void apus_add_ipv4_source(struct apus_message *message, const struct sockaddr_storage *address) {
    struct in_pktinfo info = {.ipi_spec_dst = ((const struct sockaddr_in *)address)->sin_addr};
    apus_add_control(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
}
static inline void apus_add_ipv6_source(
    struct apus_message *message, const struct sockaddr_storage *address, unsigned int interface) {
    struct apus_ipv6_info info = {((const struct sockaddr_in6 *)address)->sin6_addr, interface};
    apus_add_control(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
}

// Swift cannot make one structure of another's memory without a pointer.
static inline struct sockaddr_storage apus_ipv4_storage(struct in_addr address) {
    union { struct sockaddr_in four; struct sockaddr_storage storage; } both = {
        .four = {.sin_family = AF_INET, .sin_addr = address}};
    return both.storage;
}
static inline struct sockaddr_storage apus_ipv6_storage(struct in6_addr address) {
    union { struct sockaddr_in6 six; struct sockaddr_storage storage; } both = {
        .six = {.sin6_family = AF_INET6, .sin6_addr = address}};
    return both.storage;
}
static inline _Bool apus_is_link_local(struct in6_addr address) { return IN6_IS_ADDR_LINKLOCAL(&address); }

// Variadic in C.
static inline int apus_unacknowledged(int descriptor, int *count) { return ioctl(descriptor, TIOCOUTQ, count); }
// Never waits for the other end of a FIFO or for a carrier, and takes no controlling terminal.
static inline int apus_open(const char *path, int flags, mode_t mode) {
    return open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, mode);
}
static inline int apus_set_blocking(int descriptor) {
    return fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) & ~O_NONBLOCK);
}
static inline int apus_set_nonblocking(int descriptor) {
    return fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK);
}
static inline int apus_set_close_on_exec(int descriptor) { return fcntl(descriptor, F_SETFD, FD_CLOEXEC); }
static inline int apus_duplicate(int descriptor) { return fcntl(descriptor, F_DUPFD_CLOEXEC, 3); }
static inline int apus_prctl_keep_capabilities(int keeps) { return prctl(PR_SET_KEEPCAPS, keeps); }
static inline int apus_prctl_parent_death_signal(int signal) { return prctl(PR_SET_PDEATHSIG, signal); }

// `struct ucred` needs _GNU_SOURCE; its layout is the kernel's: pid, uid, gid.
static inline int apus_unix_credentials(int descriptor, uint32_t *credentials) {
    socklen_t length = 3 * sizeof *credentials;
    return getsockopt(descriptor, SOL_SOCKET, 17 /* SO_PEERCRED */, credentials, &length);
}

// There is room for `*count` groups; afterwards `*count` is how many there are, also with ERANGE.
static inline int apus_unix_groups(int descriptor, uint32_t *groups, uint32_t *count) {
    socklen_t length = *count * sizeof *groups;
    int status = getsockopt(descriptor, SOL_SOCKET, 59 /* SO_PEERGROUPS */, groups, &length);
    *count = length / sizeof *groups;
    return status;
}

// Declared under _GNU_SOURCE only.
static inline int apus_name_thread(const char *name) {
    extern int pthread_setname_np(pthread_t, const char *);
    return pthread_setname_np(pthread_self(), name);
}

// Headers of the C library have neither call; `set` is of bits 1 << CAP_…, and nothing is inherited by programs.
static inline int apus_set_capabilities(uint64_t set) {
    extern int capset(struct __user_cap_header_struct *, const struct __user_cap_data_struct *);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    uint32_t low = (uint32_t)set, high = (uint32_t)(set >> 32);
    struct __user_cap_data_struct data[2] = {{low, low, 0}, {high, high, 0}};
    return capset(&header, data);
}

// Whether programs that this thread starts get the capability, if this process has it: capabilities(7), "ambient".
static inline int apus_pass_capability(unsigned int capability, int passes) {
    extern int capget(struct __user_cap_header_struct *, struct __user_cap_data_struct *);
    extern int capset(struct __user_cap_header_struct *, const struct __user_cap_data_struct *);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    uint32_t bit = 1u << (capability % 32);
    int status = capget(&header, data);
    data[capability / 32].inheritable &= ~bit;
    data[capability / 32].inheritable |= passes ? bit & data[capability / 32].permitted : 0;
    int change = passes ? PR_CAP_AMBIENT_RAISE : PR_CAP_AMBIENT_LOWER;
    return status != 0 || capset(&header, data) != 0 || prctl(PR_CAP_AMBIENT, change, capability, 0, 0) != 0;
}

// Makes effective for this thread whatever is permitted to it.
static inline int apus_use_permitted_capabilities(void) {
    extern int capget(struct __user_cap_header_struct *, struct __user_cap_data_struct *);
    extern int capset(struct __user_cap_header_struct *, const struct __user_cap_data_struct *);
    struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    int status = capget(&header, data);
    data[0].effective = data[0].permitted;
    data[1].effective = data[1].permitted;
    return status != 0 || capset(&header, data) != 0;
}

// The resource is an enum in C++ and an int in C headers, by feature macro.
// M_MMAP_THRESHOLD and M_TRIM_THRESHOLD are macros.
static inline int apus_set_mmap_threshold(int byte_count) { return mallopt(M_MMAP_THRESHOLD, byte_count); }
static inline int apus_set_trim_threshold(int byte_count) { return mallopt(M_TRIM_THRESHOLD, byte_count); }
static inline int apus_malloc_trim(void) { return malloc_trim(0); }

static inline int apus_getrlimit_files(struct rlimit *limit) { return getrlimit(RLIMIT_NOFILE, limit); }
static inline int apus_setrlimit_files(const struct rlimit *limit) { return setrlimit(RLIMIT_NOFILE, limit); }

#endif
