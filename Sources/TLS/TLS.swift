// TLS: sessions of TLS 1.0 to 1.3 by OpenSSL 3, as bytes in and bytes out. Neither socket nor clock; OpenSSL's codes,
// pointers and constants stop here.
//
// Control reads and checks what operators hand in (certificates, trust stores, policies), once, and says in whole
// sentences what is wrong with it. From that it makes contexts, one for each worker, which share nothing with those of
// other workers: OpenSSL 3 scales badly where threads count references to the same objects. Only ticket keys and what
// they open are alike on all workers, so that a client's next connection may be resumed wherever it lands.
//
// A worker has one `TLSWire` and a `TLSSession` per connection. It reads ciphertext into a buffer, calls the session,
// and writes what the session left in the wire's `outgoing`. OpenSSL is lent whole records only, so an idle session
// holds no buffers, and nothing that a stranger sent slowly is outside the worker's count.
//
// Callbacks of OpenSSL record and return. They find their session through the wire, which knows whose call is running.
//
// Read in this order:
//   TLSWire, TLSSession, TLSSession+Facts, TLSFailure, Limits   a connection
//   TLSServerConfiguration → TLSServerContext → +Callbacks, +Tickets, +Clients, CertificateTable, ServedCertificate
//   TLSTicketKey, TLSTicketKeyRing                              resumption by clients
//   TLSClientContext, TLSResumption                             towards targets
//   TLSCertificate → +Checks, OCSPCheck; TLSTrustStore; TLSPolicy   what operators hand in
//   ClientCertificate, ClientCertificateFailure                 what clients hand in
// Below them: `PEM`, `X509Facts`, `UTCText`, `TLSContext`, `TLSFailure+OpenSSL`.
