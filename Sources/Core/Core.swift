// Core: what everything else stands on. Bytes (`Buffer`, `BufferPool`, `Head`), names for living things
// (`Token`, `Slab`), time (`Instant`, `TimerWheel`), and the kernel (`Poller`, `Socket`, `Mailbox`,
// `Thread`, `replaceFile`). It is the only target that makes system calls, and it knows no protocol.
