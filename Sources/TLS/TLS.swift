// TLS: sessions of TLS 1.0 to 1.3 on top of OpenSSL 3, without sockets and clocks. OpenSSL's pointers, codes and
// constants are used in this module only.
//
// Control reads and checks certificates, trust stores and policies once, and reports problems in whole sentences. From
// them it creates contexts, one for each worker, which share nothing with those of other workers, since OpenSSL 3
// scales badly if threads count references to the same objects. Only ticket keys are the same on all workers, so that a
// client's next connection can be resumed on any worker.
//
// A worker has one `TLSWire` and a `TLSSession` per connection. It reads ciphertext into a buffer, calls the session,
// and writes what the session put into the wire's `outgoing`. OpenSSL sees complete records only, so that an idle
// session holds no buffers, and incomplete records of slow clients (slow loris) stay in the worker's buffers, where
// they are counted.
//
// Callbacks of OpenSSL record and return. They find their session through the wire, which knows the running call.
//
// Read in this order:
//   TLSWire, TLSSession, TLSSession+Facts, TLSFailure, Limits   a connection
//   TLSServerConfiguration → TLSServerContext → +Callbacks, +Tickets, +Clients, CertificateTable, ServedCertificate
//   TLSTicketKey, TLSTicketKeyRing                              resumption by clients
//   TLSClientContext, TLSResumption                             towards targets
//   TLSCertificate → +Checks, OCSPCheck; TLSTrustStore; TLSPolicy   what operators configure
//   ClientCertificate, ClientCertificateFailure                 what clients present
// Below them: `PEM`, `X509Facts`, `TLSContext`, `TLSFailure+OpenSSL`.
