// What RegularExpressions needs of C: PCRE2 for bytes. Its names are macros, which Swift does not import, so the few
// that are used stand here as functions, and its options and codes as constants.
#ifndef APUS_CPCRE2_H
#define APUS_CPCRE2_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <time.h>

enum {
    APUS_REGEX_OPTIONS = PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY
        | PCRE2_USE_OFFSET_LIMIT,
    APUS_REGEX_CASELESS = PCRE2_CASELESS,
    APUS_REGEX_AUTO_CALLOUT = PCRE2_AUTO_CALLOUT,
    APUS_REGEX_NO_MATCH = PCRE2_ERROR_NOMATCH,
};

static inline pcre2_code *apus_regex_compile(
    const uint8_t *pattern, size_t length, uint32_t options, int *error, size_t *offset) {
    return pcre2_compile(pattern, length, options, error, offset, NULL);
}

static inline int apus_regex_jit_compile(pcre2_code *code) { return pcre2_jit_compile(code, PCRE2_JIT_COMPLETE); }

static inline void apus_regex_free(pcre2_code *code) { pcre2_code_free(code); }

static inline int apus_regex_error_text(int error, uint8_t *text, size_t size) {
    return pcre2_get_error_message(error, text, size);
}

static inline uint32_t apus_regex_is_anchored(const pcre2_code *code) {
    uint32_t options = 0;
    pcre2_pattern_info(code, PCRE2_INFO_ALLOPTIONS, &options);
    return options & PCRE2_ANCHORED;
}

static inline uint32_t apus_regex_capture_count(const pcre2_code *code) {
    uint32_t count = 0;
    pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &count);
    return count;
}

static inline pcre2_match_data *apus_regex_match_data(uint32_t pairs) {
    return pcre2_match_data_create(pairs, NULL);
}

static inline void apus_regex_match_data_free(pcre2_match_data *data) { pcre2_match_data_free(data); }

static inline const size_t *apus_regex_offsets(pcre2_match_data *data) { return pcre2_get_ovector_pointer(data); }

static inline pcre2_match_context *apus_regex_context(void) { return pcre2_match_context_create(NULL); }

static inline void apus_regex_context_free(pcre2_match_context *context) { pcre2_match_context_free(context); }

static inline pcre2_jit_stack *apus_regex_jit_stack(size_t start, size_t max) {
    return pcre2_jit_stack_create(start, max, NULL);
}

static inline void apus_regex_jit_stack_free(pcre2_jit_stack *stack) { pcre2_jit_stack_free(stack); }

static inline void apus_regex_jit_stack_assign(pcre2_match_context *context, pcre2_jit_stack *stack) {
    pcre2_jit_stack_assign(context, NULL, stack);
}

static inline void apus_regex_limits(
    pcre2_match_context *context, uint32_t match, uint32_t depth, uint32_t heap_kibibytes) {
    pcre2_set_match_limit(context, match);
    pcre2_set_depth_limit(context, depth);
    pcre2_set_heap_limit(context, heap_kibibytes);
}

static inline void apus_regex_match_limit(pcre2_match_context *context, uint32_t limit) {
    pcre2_set_match_limit(context, limit);
}

static inline void apus_regex_offset_limit(pcre2_match_context *context, size_t limit) {
    pcre2_set_offset_limit(context, limit);
}

static inline int apus_regex_match(
    const pcre2_code *code, const uint8_t *text, size_t length, size_t start, uint32_t options,
    pcre2_match_data *data, pcre2_match_context *context) {
    return pcre2_match(code, text, length, start, options, data, context);
}

// Nanoseconds of the processor that the calling thread has used. Source: clock_gettime(2).
static inline uint64_t apus_thread_time(void) {
    struct timespec time;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000 + (uint64_t)time.tv_nsec;
}

// Counts the items of the pattern that are tried, and ends the match at a bound; for patterns with automatic callouts.
typedef struct {
    uint64_t steps;
    uint64_t steps_max;
} apus_regex_steps;

static inline int apus_regex_count_step(pcre2_callout_block *block, void *counter) {
    apus_regex_steps *steps = (apus_regex_steps *)counter;
    (void)block;
    return ++steps->steps > steps->steps_max ? PCRE2_ERROR_CALLOUT : 0;
}

static inline void apus_regex_set_counter(pcre2_match_context *context, apus_regex_steps *steps) {
    pcre2_set_callout(context, apus_regex_count_step, steps);
}

#endif
