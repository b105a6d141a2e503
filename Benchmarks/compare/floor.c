// The floor: the cost of two sockets on this kernel. A relay on one thread that reads and writes once in each direction
// and examines no byte. It connects to the target once for each client, and both connections last as long as the
// client's.
//
// usage: floor TARGET_PORT PORT...   (all on 127.0.0.1)
//
// As Apus does: descriptors are registered once, edge-triggered; a read that does not fill the buffer has emptied the
// kernel's, so none is made to learn that; a read takes up to 144 KiB.

#define _GNU_SOURCE
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BUFFER_BYTES = 144 * 1024, EVENTS_MAX = 256 };

// One socket: a listener, or a side of a relay.
struct side {
    int descriptor;
    bool is_listener;
    bool is_closed;
    bool has_ended;           // has half-closed
    bool may_read;            // the kernel may hold something
    struct side *other;       // where bytes read here are written
    char *waiting;            // bytes that this socket did not accept yet
    size_t waiting_start, waiting_end;
    struct side *next_closed;
};

static char buffer[BUFFER_BYTES];
static struct sockaddr_in target;
static int poller;
// Freed after a batch of events, of which some may still name them.
static struct side *closed;

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static void watch(struct side *side, uint32_t events) {
    struct epoll_event event = {.events = events, .data.ptr = side};
    if (epoll_ctl(poller, EPOLL_CTL_ADD, side->descriptor, &event) != 0) fail("epoll_ctl");
}

static struct side *make_side(int descriptor) {
    struct side *side = calloc(1, sizeof *side);
    if (side == NULL) fail("calloc");
    side->descriptor = descriptor;
    return side;
}

static void close_side(struct side *side) {
    close(side->descriptor);
    free(side->waiting);
    side->waiting = NULL;
    side->is_closed = true;
    side->next_closed = closed;
    closed = side;
}

static void end_relay(struct side *side) {
    close_side(side->other);
    close_side(side);
}

// Writes what waits for a socket. False if the relay has ended.
static bool flush(struct side *side) {
    while (side->waiting != NULL) {
        size_t count = side->waiting_end - side->waiting_start;
        ssize_t written = send(side->descriptor, side->waiting + side->waiting_start, count, MSG_NOSIGNAL);
        if (written < 0) {
            if (errno == EAGAIN) return true;
            end_relay(side);
            return false;
        }
        side->waiting_start += written;
        if (side->waiting_start == side->waiting_end) {
            free(side->waiting);
            side->waiting = NULL;
        }
    }
    return true;
}

// Relays what a socket sends, as long as the other one accepts it.
static void relay(struct side *side) {
    struct side *other = side->other;
    while (side->may_read && other->waiting == NULL) {
        ssize_t count = recv(side->descriptor, buffer, sizeof buffer, 0);
        if (count < 0 && errno == EAGAIN) {
            side->may_read = false;
            return;
        }
        if (count < 0) return end_relay(side);
        if (count == 0) {
            side->has_ended = true;
            side->may_read = false;
            if (other->has_ended) return end_relay(side);
            shutdown(other->descriptor, SHUT_WR);
            return;
        }
        if ((size_t)count < sizeof buffer) side->may_read = false;
        ssize_t written = send(other->descriptor, buffer, count, MSG_NOSIGNAL);
        if (written == count) continue;
        if (written < 0 && errno != EAGAIN) return end_relay(side);
        if (written < 0) written = 0;
        other->waiting = malloc(count - written);
        if (other->waiting == NULL) fail("malloc");
        memcpy(other->waiting, buffer + written, count - written);
        other->waiting_start = 0;
        other->waiting_end = count - written;
    }
}

static void accept_clients(struct side *listener) {
    int one = 1;
    for (;;) {
        int descriptor = accept4(listener->descriptor, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (descriptor < 0) return;
        struct side *client = make_side(descriptor);
        struct side *server = make_side(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
        if (server->descriptor < 0) fail("socket");
        client->other = server;
        server->other = client;
        setsockopt(client->descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        setsockopt(server->descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        if (connect(server->descriptor, (struct sockaddr *)&target, sizeof target) != 0 && errno != EINPROGRESS) {
            end_relay(client);
            continue;
        }
        watch(client, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
        watch(server, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET);
    }
}

static void handle(struct side *side, uint32_t events) {
    if (side->is_closed) return;
    if (side->is_listener) return accept_clients(side);
    if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) side->may_read = true;
    if ((events & EPOLLOUT) && side->waiting != NULL) {
        if (!flush(side)) return;
        relay(side->other);
    }
    if (!side->is_closed) relay(side);
}

static void listen_on(int port) {
    int one = 1;
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct side *listener = make_side(socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    listener->is_listener = true;
    setsockopt(listener->descriptor, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener->descriptor, (struct sockaddr *)&address, sizeof address) != 0) fail("bind");
    if (listen(listener->descriptor, 4096) != 0) fail("listen");
    watch(listener, EPOLLIN);
}

int main(int count, char **words) {
    if (count < 3) {
        fprintf(stderr, "usage: floor TARGET_PORT PORT...\n");
        return 2;
    }
    target = (struct sockaddr_in){
        .sin_family = AF_INET, .sin_port = htons(atoi(words[1])), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    poller = epoll_create1(EPOLL_CLOEXEC);
    if (poller < 0) fail("epoll_create1");
    for (int index = 2; index < count; index++) listen_on(atoi(words[index]));
    struct epoll_event events[EVENTS_MAX];
    for (;;) {
        int ready = epoll_wait(poller, events, EVENTS_MAX, -1);
        if (ready < 0 && errno != EINTR) fail("epoll_wait");
        for (int index = 0; index < ready; index++) handle(events[index].data.ptr, events[index].events);
        while (closed != NULL) {
            struct side *side = closed;
            closed = side->next_closed;
            free(side);
        }
    }
}
