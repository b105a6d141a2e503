// HTTP1: HTTP/1.1 as bytes in, facts out; and the way back. Pure: no socket, no clock, no buffer of its own.
//
// Both sides speak through the neutral `Head` of Core. A parser fills it from whatever bytes wait, or asks for more,
// or refuses; a writer turns it into bytes of this hop's own framing, whatever framing it came with. What only
// HTTP/1 knows, the body's framing and the connection's fate, is in `ParsedHead` beside it.
//
// Three rules hold everywhere. The verdict on a message is the same however its bytes arrive: a prefix is undecided
// or has the final verdict already. No byte is looked at more than a few times, whoever sends it and how slowly. And
// whatever two readers could understand differently is refused, or made one canonical form before anyone else sees it.
//
// Read in this order:
//   ParsedHead, Violation, Limits   the vocabulary
//   RequestHead → RequestLine → RequestTarget → CanonicalPath, Authority
//   FieldLines → FieldFacts → FramingFields, FieldFacts+Connection, FieldName
//   ResponseHead → StatusLine
//   BodyStep, BodyDecoder           the bytes of a body among those of its framing
//   WriteHead → WriteFields, WriteChunk
// Below them: `Line` (one line and its limit), `HeadScan` (slow senders), `Version`, `Scan` (eight bytes at a time).
