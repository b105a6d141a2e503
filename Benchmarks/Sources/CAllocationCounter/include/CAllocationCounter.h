#pragma once
#include <stdint.h>

// How often the calling thread has asked for memory so far: malloc, calloc, realloc and the aligned ones.
uint64_t allocation_count(void);
