// Core: the foundation of all other targets. Bytes (`Buffer`, `BufferPool`, `Head`), storage and names of connections
// (`Slab`, `Token`), time (`Instant`, `TimerWheel`), and the kernel (`Poller`, `Socket`, `Mailbox`, `Thread`,
// `replaceFile`). It is the only target that makes system calls, and it knows no protocol.
