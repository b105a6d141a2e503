// DNS: questions to name servers, asked by c-ares, and their answers, read here. Its codes and pointers stop here.
//
//   `DNSChannel`     questions to one server: identifiers, sockets, repetition, TCP where an answer was cut. It never
//                    waits: whoever owns it watches its sockets and its time.
//   `DNSMessage`     an answer: bytes that a stranger wrote, read within bounds.
//   `DNSName`        names as messages have them.
//   `DNSRecord`      what an answer says: addresses, aliases, services.
//   `ResolverFile`   the servers that resolv.conf(5) names.
//
// c-ares sends and receives; the answers are read here since its own reader tells no time to live of services, and
// follows no aliases.
// Source: RFC 1035, RFC 2181, RFC 2308, RFC 2782; c-ares(3).
