// HTTP2: an HTTP/2 session that turns received bytes into events, and commands into bytes to send. No socket, no clock.
//
// nghttp2 keeps the state of frames, streams and header compression; its types and codes stop here. What nghttp2 does
// not check is checked here: the rules that keep an HTTP/1 target from reading a request differently (request
// smuggling; the code of `HTTP1` is shared), and how much work the other side may cause (floods).
//
// Read in this order:
//   HTTP2Event, HTTP2Ending, HTTP2ErrorCode, HTTP2Fault, HTTP2StreamFault, HTTP2Settings, Limits   the vocabulary
//   HTTP2Session → +Receive (bytes in), +Send (commands), +Produce (bytes out)
//   +Callbacks                             what nghttp2 calls: one line each, which record and return
//   HeadReader, HeadWriter                 convert nghttp2's fields into the neutral `Head`, and back
//   FrameScan → FrameBudget, TokenBucket   detect floods before nghttp2 sees them
//   StreamTable, SessionMemory             slots of streams; memory that nghttp2 holds
