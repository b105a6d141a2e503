#include "CLinux.h"

static int argument_count = 0;
static char **argument_values = 0;

// glibc calls constructors with what main(3) is going to get; other C libraries do not.
#ifdef __GLIBC__
__attribute__((constructor)) static void keep_arguments(int count, char **values) {
    argument_count = count;
    argument_values = values;
}
#endif

int apus_argument_count(void) { return argument_count; }

const char *apus_argument(int index) { return argument_values[index]; }
