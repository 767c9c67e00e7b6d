/* base.h -- the ground under every stage: errors, memory from the system, tables that grow.
 *
 * Nothing here knows Python. Memory comes straight from mmap, never from malloc and never from the
 * allocator that memsure measures, so that a recorded program cannot see it in its own figures.
 * Every allocation can be made to fail on request, so that tests walk each way out. */
#ifndef MS_BASE_H
#define MS_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MS_LIKELY(x)   __builtin_expect(!!(x), 1)
#define MS_UNLIKELY(x) __builtin_expect(!!(x), 0)
#define MS_COLD        __attribute__((noinline, cold))
#define MS_EXPORT      __attribute__((visibility("default")))
/* Of a function that reads memory which may be anybody's: AddressSanitizer's forbidden ground too. */
#if defined(__SANITIZE_ADDRESS__)
#define MS_ANY_MEMORY __attribute__((no_sanitize("address"), noinline))
#else
#define MS_ANY_MEMORY
#endif
#define MS_HIDDEN      __attribute__((visibility("hidden"))) /* of a variable of the library: read at its address, not by a table */

/* What can go wrong. MS_OK is 0; ms_err_text() says each in words. */
typedef enum {
    MS_OK = 0,
    MS_ENOMEM,   /* the system gave no memory */
    MS_EIO,      /* the system refused a read, write, map or rename: errno says why */
    MS_EFORMAT,  /* not a memsure file */
    MS_EVERSION, /* a memsure file of a newer version */
    MS_EDAMAGED, /* a memsure file with a damaged or missing part */
    MS_EINVAL,   /* the caller asked for something that cannot be */
    MS_ELIMIT,   /* a fixed capacity is used up */
} ms_err;

const char *ms_err_text(ms_err err);

/* Why something failed, as one sentence for people. Functions that can say more than an ms_err take
 * one and fill it when they fail; NULL is fine everywhere. */
typedef struct {
    char text[1024];
} ms_why;

void ms_why_set(ms_why *why, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Forward an error where nothing needs undoing. */
#define MS_TRY(call)                          \
    do {                                      \
        ms_err ms_try_err_ = (call);          \
        if (MS_UNLIKELY(ms_try_err_ != MS_OK)) \
            return ms_try_err_;               \
    } while (0)

/* Zeroed memory from the system, rounded up to pages; NULL when there is none. free(NULL) is fine;
 * size is the one asked for. resize keeps the contents (the old block is gone unless NULL is returned). */
void *ms_sys_alloc(size_t size);
void *ms_sys_alloc_big(size_t size); /* the same in huge pages, where there are: for what is used in full */
void *ms_sys_resize(void *block, size_t old_size, size_t new_size);
void ms_sys_free(void *block, size_t size);

/* Between begin and end all that this thread takes is noted; end gives back what it has not given back itself, and says how many bytes
 * it had at most. For work that may be broken off anywhere. One at a time in a process: false, another one is at it. */
bool ms_sys_book_begin(void);
uint64_t ms_sys_book_end(void);

/* For tests: the n-th allocation from now fails (0: the next), and all after it; -1: none. ms_sys_fail_at: that one alone.
 * ms_sys_live() is the number of blocks handed out and not freed. */
void ms_sys_fail_after(long n);
void ms_sys_fail_at(long n);
long ms_sys_live(void);

#endif
