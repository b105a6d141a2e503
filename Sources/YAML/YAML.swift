// YAML: the events of a YAML text, read by libyaml. Its codes and pointers stop here.
//
//   `YAMLParser`   gives one event after the other.
//   `YAMLEvent`    a scalar, an alias, or the beginning or end of something.
//   `YAMLError`    why a text is no YAML, and where.
//
// What events mean, and how many are too many, is for the caller: nothing here keeps more of a text than its place.
// Source: yaml.h of libyaml 0.2.5, which reads YAML 1.1.
