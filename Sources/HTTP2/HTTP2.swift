// HTTP2: a session of HTTP/2 as bytes in, events out; commands in, bytes out. No socket, no clock.
//
// nghttp2 keeps the state of frames, streams and header compression; its types and codes stop here. What it does not
// judge is judged here: the rules that a request has to keep so that an HTTP/1 target cannot read it differently
// (the same ones, by the same code, as in `HTTP1`), and how much a stranger may make us work.
//
// Read in this order:
//   HTTP2Event, HTTP2Ending, HTTP2ErrorCode, HTTP2Fault, HTTP2StreamFault, HTTP2Settings, Limits   the vocabulary
//   HTTP2Session → +Receive (bytes in), +Send (commands), +Produce (bytes out)
//   +Callbacks                             what nghttp2 calls: one line each, which record and return
//   HeadReader, HeadWriter                 nghttp2's fields to the neutral `Head`, and back
//   FrameScan → FrameBudget, TokenBucket   floods are found before nghttp2 sees them
//   StreamTable, SessionMemory             slots; what nghttp2 holds
