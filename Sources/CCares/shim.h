// What DNS needs of C: c-ares, the asynchronous resolver. Its options are macros and its settings a struct of many
// fields, so the two calls that need them stand here; its other functions are used as they are.
#ifndef APUS_CCARES_H
#define APUS_CCARES_H

#include <ares.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

enum {
    APUS_CARES_SUCCESS = ARES_SUCCESS,
    APUS_CARES_TIMEOUT = ARES_ETIMEOUT,
    APUS_CARES_UNREACHABLE = ARES_ECONNREFUSED,
    APUS_CARES_BAD_SOCKET = ARES_SOCKET_BAD,
    APUS_CARES_LIBRARY = ARES_LIB_INIT_ALL,
    APUS_CARES_CLASS_INTERNET = 1,
};

// A channel that asks the one server `address` ("10.0.0.2:53", "[::1]:53"), by UDP and by TCP where an answer was cut.
//
// All that c-ares would read from files is given, so it reads none. It does not judge answers (NOCHECKRESP): a server
// that fails is told apart from one that is silent. Sockets are closed with the last question, so that the next one
// comes from another port. Source: ares_init_options(3), ares_set_servers_ports_csv(3).
static inline int apus_cares_open(
    ares_channel *channel, const char *address, int timeout_milliseconds, int tries, ares_sock_state_cb changed,
    void *owner) {
    struct ares_options options;
    struct in_addr placeholder;
    char lookups[] = "b";
    memset(&options, 0, sizeof options);
    memset(&placeholder, 0, sizeof placeholder);
    options.flags = ARES_FLAG_NOSEARCH | ARES_FLAG_NOALIASES | ARES_FLAG_NOCHECKRESP;
    options.timeout = timeout_milliseconds;
    options.tries = tries;
    options.ndots = 1;
    options.servers = &placeholder;
    options.nservers = 1;
    options.lookups = lookups;
    options.sock_state_cb = changed;
    options.sock_state_cb_data = owner;
    int status = ares_init_options(
        channel, &options,
        ARES_OPT_FLAGS | ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_NDOTS | ARES_OPT_SERVERS | ARES_OPT_DOMAINS
            | ARES_OPT_LOOKUPS | ARES_OPT_SORTLIST | ARES_OPT_SOCK_STATE_CB);
    if (status != ARES_SUCCESS) return status;
    status = ares_set_servers_ports_csv(*channel, address);
    if (status != ARES_SUCCESS) ares_destroy(*channel);
    return status;
}

// Microseconds until the channel has something to do without a socket being ready; -1 for never.
static inline int64_t apus_cares_timeout(ares_channel channel) {
    struct timeval left;
    if (ares_timeout(channel, NULL, &left) == NULL) return -1;
    return (int64_t)left.tv_sec * 1000000 + left.tv_usec;
}

#endif
