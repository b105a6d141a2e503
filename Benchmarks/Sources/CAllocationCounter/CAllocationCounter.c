// Counts allocations by interposing malloc. A program's own malloc replaces the library's in every module of the
// process, the Swift runtime included; glibc's stays reachable under the names below. Source: glibc manual, "Replacing
// malloc".
#include "CAllocationCounter.h"
#include <errno.h>
#include <stddef.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *memory, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static _Thread_local uint64_t count_of_this_thread;

uint64_t allocation_count(void) { return count_of_this_thread; }

void *malloc(size_t size) {
    count_of_this_thread += 1;
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    count_of_this_thread += 1;
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    count_of_this_thread += 1;
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    count_of_this_thread += 1;
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **memory, size_t alignment, size_t size) {
    if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0) return EINVAL;
    void *result = memalign(alignment, size);
    if (result == NULL) return ENOMEM;
    *memory = result;
    return 0;
}
