// Model: the vocabulary as values. What a configuration says, what may be wrong with it, and how it changes; no input
// or output, no threads, no clock. Everything here is a value that can be compared, so that what control does can be
// tested without running anything.
//
// Read it in this order:
//
// 1. `Document` and what it holds: `LoadBalancer`, `Listener` with its `Rule`s and `Condition`s, `Action`,
//    `TargetGroup`, `HTTPCodes`. Their comments are the glossary. `Limits` says how many of each there may be.
// 2. `Value`: a tree of plain data that knows where it was written. `Value+YAML` makes one from a file, `JSONParser`
//    from a body on the socket, `Value+JSON` writes it.
// 3. `Shape`, `Codec`, `Description`: every key is described once, in the folder `Keys`. Reading, writing, the
//    messages, the JSON Schema (`Schema`) and the test of conf/reference.yaml all come from that one description, so
//    none of them can say anything else. A new key is one entry there, and a property.
// 4. `ConfigError`: a sentence that says what was expected, what was found and what to do. `Findings` collects them and
//    knows the place that is being looked at; `Spelling` finds the word that was meant.
// 5. `Document+Validate`: what must hold between objects. `Change` and `Document+Apply`: one change at run time,
//    checked only against what it touches.
// 6. `Changes`: all that was changed at run time, object by object (`Overlay`), to be applied again when the file is
//    read again (`Changes+Apply`) and kept on disk (`Changes+State`).
