// HTTP1: parses and writes HTTP/1.1 messages. Pure: no socket, no clock, no buffer of its own.
//
// Parsers and writers share the neutral `Head` of Core. A parser fills it from the bytes that have arrived, or asks for
// more, or rejects them; a writer turns it into bytes with this hop's own framing. What only HTTP/1 knows, the body's
// framing and whether the connection persists (keep-alive), is in `ParsedHead` beside it.
//
// Three rules hold everywhere. The verdict on a message does not depend on how its bytes are split: a prefix is either
// undecided or has the final verdict already. No byte is examined more than a few times, however slowly it arrives
// (slow loris). And what two parsers could read differently (request smuggling) is rejected, or brought into one
// canonical form before it is forwarded.
//
// Read in this order:
//   ParsedHead, Violation, Limits   the vocabulary
//   RequestHead → RequestLine → RequestTarget → CanonicalPath, Authority
//   FieldLines → FieldFacts → FramingFields, FieldFacts+Connection, FieldName
//   ResponseHead → StatusLine
//   BodyStep, BodyDecoder           the bytes of a body, separated from its framing
//   WriteHead → WriteFields, WriteChunk
// Below them: `Line` (one line and its limit), `HeadScan` (resuming an incomplete head), `Version`, `Scan` (eight bytes
// at a time).
