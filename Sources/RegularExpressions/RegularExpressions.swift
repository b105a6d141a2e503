// RegularExpressions: patterns of the configuration, compiled by PCRE2. Its codes and pointers stop here.
//
//   `RegularExpression`   a compiled pattern. It is compiled once, and each worker has a copy that counts its own
//                         references.
//   `MatchSpace`          what matching needs: one for each thread, so that a match allocates nothing.
//   `HostileInputs`       texts made from a pattern on which backtracking costs the most, for `apus check`.
//
// Strangers choose the texts, so every match is bounded (`Limits`): beyond the bound there is no verdict, and the
// caller has to refuse the text, as "no match" would let it past a rule that denies.
// Source: pcre2api(3), pcre2jit(3), pcre2pattern(3).
