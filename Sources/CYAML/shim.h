// What YAML needs of C: libyaml's parser.
#include <yaml.h>
