/// What this module caps, why, and what happens at the cap.
public enum Limits {
    /// Octets sealed in one step: 64 KiB, four records. One write carries them, and a connection that waits holds no
    /// more ciphertext than that.
    public static let sealedOctetsMax = 64 * 1024
    /// Octets that one step may leave to be sent: what `seal` makes, or the largest flight of a handshake (a chain of
    /// `chainLengthMax`, and the names of a trust store). A handshake beyond it fails.
    static let outgoingBytesMax = 160 * 1024
    /// Octets of ciphertext that a worker reads at once.
    public static let incomingBytesMax = 72 * 1024
    /// Certificates of a chain that are sent to clients. ALB takes as many as its certificate service: ten.
    static let chainLengthMax = 10
    /// Octets of one certificate file or key file: 256 KiB. Larger is not a certificate.
    public static let fileBytesMax = 256 * 1024
    /// Handshake messages after the handshake (KeyUpdate, tickets, attempts to renegotiate) that are taken as they
    /// come; one more for each `octetsPerMessage` of data. Beyond it the connection fails: each of them costs us a
    /// key derivation and the other side a few octets.
    static let messagesMax = 32
    static let octetsPerMessage = 1 << 20
    /// Certificates between a client's and the trust store's. Source: elbv2.md §4.3.
    static let clientChainDepthMax: Int32 = 4
    /// Certificates of a trust store: ELB's 25 are its own; a system's roots are some hundreds.
    static let trustStoreCertificatesMax = 1000
    /// How long a ticket may be used, in seconds: as long as two generations of ticket keys by default.
    static let ticketLifetimeSeconds = 86_400
}
