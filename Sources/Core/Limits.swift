import CLinux

/// What Core caps, why, and what happens at the cap.
public enum Limits {
    /// Connections the kernel queues per listening socket before `accept`. Beyond it SYNs are dropped and retried by
    /// the client. Large enough for a burst between two passes of the loop; the kernel lowers it to `somaxconn`.
    public static let listenBacklog: Int32 = 4096
    /// Ready events taken per pass of a poller. More wait for the next pass, so that timers and mail stay prompt.
    public static let readyEventsMax = 256
    /// Bytes of the small buffers, which hold the unprocessed rest of a short message.
    public static let smallBufferBytes = 4 * 1024
    /// Bytes of the medium buffers, which hold the unprocessed rest of a longer message, such as an incomplete head
    /// with large cookies. Without them a slow client (slow loris) that sends a little more than fits a small buffer
    /// would occupy a large one.
    public static let mediumBufferBytes = 16 * 1024
    /// Bytes of the large buffers. Holds the largest request head (64 KiB) and what Apus adds.
    public static let largeBufferBytes = 72 * 1024
    /// Bytes of the bulk buffers, which HTTP/1 and tunnels read into. A MiB that comes in reads of 144 KiB costs an
    /// eighth less than in reads of 72 KiB; still larger ones gain nothing.
    public static let bulkBufferBytes = 144 * 1024
    /// Free buffers of each size that a pool keeps for reuse; beyond it they go back to the allocator, so that a
    /// burst does not stay in memory for ever.
    public static let freeBuffersMax = 64
    /// Allocations of at least so many bytes are mapped one by one. Larger than any buffer, since buffers are allocated
    /// and freed with each burst of requests, and a mapping costs two system calls.
    static let mappedBytesMin = 256 * 1024
    /// Bytes that must be free at the end of a heap before malloc returns them to the system. With less, memory would
    /// be returned and requested again all the time.
    static let trimmedBytesMin = 4 * 1024 * 1024
    /// Heads kept for reuse by one worker; more go back to the allocator.
    public static let freeHeadsMax = 256
    /// Bytes of arena and table up to which a head is kept for reuse: 16 KiB, so that one giant head does not stay in
    /// memory.
    public static let freeHeadBytesMax = 16 * 1024
    /// Messages that a batch of datagrams holds, which is what one call receives or sends. More wait for the next call.
    /// At 32, the fixed cost of a call hardly counts, and a batch takes 2 MiB of memory at most.
    public static let datagramBatchMessages = 32
    /// Bytes of a message: the kernel joins datagrams to 64 KiB at most, and no datagram is larger.
    public static let datagramMessageBytes = 64 * 1024
    /// Bytes that a listening UDP socket queues in either direction: about 10 ms at 3 Gbit/s, for a burst between two
    /// passes of the loop. Beyond it datagrams are lost. The kernel lowers it to `rmem_max` and `wmem_max`.
    public static let datagramQueueBytes: Int32 = 4 * 1024 * 1024
    /// Bytes of a message between two processes of Apus: 64 KiB, which fits the socket's queue several times. Whoever
    /// has more to say sends more messages.
    public static let messageBytesMax = 64 * 1024
    /// Descriptors that go with one message. Source: unix(7), `SCM_RIGHTS`.
    public static let messageDescriptorsMax = Int(apus_descriptors_max)
}
