/* base.c -- errors in words, and memory straight from the kernel.
 *
 * ms_sys_alloc() is one mmap: zeroed, page-aligned, unknown to malloc. It costs a system call and at
 * least a page, so it is for a few large blocks; small things are packed into them by their owners.
 *
 * Always true:
 *   B1  bytes between the size asked for and the end of the last page are zero when a block grows
 *   B2  ms_sys_live() counts exactly the blocks handed out and not given back
 *
 * Threads: any; the two counters are atomic. fork(): nothing is held. */
#include "base/base.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Under AddressSanitizer every block has a page more, and all behind its size is forbidden ground: an
 * access past the end is seen there as it is with malloc. */
#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/asan_interface.h>
enum { SYS_GUARD = 1 };
static void sys_guard(void *block, size_t size, size_t bytes)
{
    ASAN_POISON_MEMORY_REGION((char *)block + size, bytes - size);
}
static void sys_unguard(void *block, size_t bytes)
{
    ASAN_UNPOISON_MEMORY_REGION(block, bytes);
}
#else
enum { SYS_GUARD = 0 };
#define sys_guard(block, size, bytes) ((void)0)
#define sys_unguard(block, bytes)     ((void)0)
#endif

static atomic_long sys_live;
static atomic_long sys_fail = -1; /* allocations until the first that fails; -1: none fails */
static atomic_bool sys_fail_once; /* and the only one */

const char *ms_err_text(ms_err err)
{
    switch (err) {
    case MS_OK:       return "all is well";
    case MS_ENOMEM:   return "the system gave no memory";
    case MS_EIO:      return "the system refused to read or write";
    case MS_EFORMAT:  return "not a memsure file";
    case MS_EVERSION: return "written by a newer memsure";
    case MS_EDAMAGED: return "a part is damaged or missing";
    case MS_EINVAL:   return "asked for something that cannot be";
    case MS_ELIMIT:   return "a fixed limit is reached";
    }
    return "an error without a name";
}

void ms_why_set(ms_why *why, const char *format, ...)
{
    if (why == NULL)
        return;
    int saved = errno; /* the caller may still want it */
    va_list args;
    va_start(args, format);
    vsnprintf(why->text, sizeof why->text, format, args);
    va_end(args);
    errno = saved;
}

/* True when this allocation is to fail. The counter stays at 0: all later ones fail too, unless one alone is to. */
static bool sys_must_fail(void)
{
    long left = atomic_load_explicit(&sys_fail, memory_order_relaxed);
    if (MS_LIKELY(left < 0))
        return false;
    while (left > 0)
        if (atomic_compare_exchange_weak(&sys_fail, &left, left - 1))
            return false;
    if (left == 0 && atomic_load_explicit(&sys_fail_once, memory_order_relaxed))
        return atomic_compare_exchange_strong(&sys_fail, &left, -1);
    return left == 0;
}

/* size rounded up to pages, at least one; 0 when it does not fit in a size_t. */
static size_t sys_pages(size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    if (size > SIZE_MAX - 2 * page)
        return 0;
    size_t rounded = (size + page - 1) & ~(page - 1);
    return (rounded ? rounded : page) + SYS_GUARD * page;
}

/* --- a book of blocks: ms_sys_book_begin() --- */

static struct {
    atomic_int owner;  /* the thread that is at it; 0: nobody */
    size_t     n, room;
    uint64_t   bytes, most;
    struct { void *block; size_t bytes; } *row;
} book;

static bool booked(void)
{
    int owner = atomic_load_explicit(&book.owner, memory_order_relaxed);
    return MS_UNLIKELY(owner != 0) && owner == (int)syscall(SYS_gettid);
}

static bool book_add(void *block, size_t bytes)
{
    if (book.n == book.room) {
        size_t room = book.room ? 2 * book.room : 1024;
        void *row = mmap(NULL, room * sizeof *book.row, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (row == MAP_FAILED)
            return false;
        if (book.row) {
            memcpy(row, book.row, book.n * sizeof *book.row);
            munmap(book.row, book.room * sizeof *book.row);
        }
        book.row = row;
        book.room = room;
    }
    book.row[book.n].block = block;
    book.row[book.n++].bytes = bytes;
    book.bytes += bytes;
    book.most = book.bytes > book.most ? book.bytes : book.most;
    return true;
}

static void book_take(void *block)
{
    for (size_t i = book.n; i-- > 0;) /* the last ones go first, mostly */
        if (book.row[i].block == block) {
            book.bytes -= book.row[i].bytes;
            book.row[i] = book.row[--book.n];
            return;
        }
}

bool ms_sys_book_begin(void)
{
    int nobody = 0;
    if (!atomic_compare_exchange_strong(&book.owner, &nobody, (int)syscall(SYS_gettid)))
        return false;
    book.bytes = book.most = 0;
    return true;
}

uint64_t ms_sys_book_end(void)
{
    for (size_t i = 0; i < book.n; i++) {
        sys_unguard(book.row[i].block, book.row[i].bytes);
        munmap(book.row[i].block, book.row[i].bytes);
        atomic_fetch_sub_explicit(&sys_live, 1, memory_order_relaxed);
    }
    if (book.row)
        munmap(book.row, book.room * sizeof *book.row);
    book.row = NULL;
    book.n = book.room = 0;
    atomic_store(&book.owner, 0);
    return book.most;
}

void *ms_sys_alloc(size_t size)
{
    size_t bytes = sys_pages(size);
    if (bytes == 0 || sys_must_fail()) {
        errno = ENOMEM;
        return NULL;
    }
    void *block = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        return NULL;
    if (booked() && !book_add(block, bytes)) {
        munmap(block, bytes);
        return NULL;
    }
    sys_guard(block, size, bytes);
    atomic_fetch_add_explicit(&sys_live, 1, memory_order_relaxed);
    return block;
}

void *ms_sys_alloc_big(size_t size)
{
    void *block = ms_sys_alloc(size);
    if (block && size >= 2u << 20)
        madvise(block, size, MADV_HUGEPAGE); /* refused is fine */
    return block;
}

void *ms_sys_resize(void *block, size_t old_size, size_t new_size)
{
    if (block == NULL)
        return ms_sys_alloc(new_size);
    size_t before = sys_pages(old_size), after = sys_pages(new_size);
    if (after == 0 || sys_must_fail()) {
        errno = ENOMEM;
        return NULL;
    }
    sys_unguard(block, before);
    if (before != after) {
        void *moved = mremap(block, before, after, MREMAP_MAYMOVE);
        if (moved == MAP_FAILED) {
            sys_guard(block, old_size, before);
            return NULL;
        }
        if (booked()) {
            book_take(block);
            book_add(moved, after); /* there is room: one was taken */
        }
        block = moved;
    }
    if (new_size < old_size) { /* B1 */
        size_t end = old_size < after ? old_size : after;
        memset((char *)block + new_size, 0, end - new_size);
    }
    sys_guard(block, new_size, after);
    return block;
}

void ms_sys_free(void *block, size_t size)
{
    if (block == NULL)
        return;
    int saved = errno;
    if (booked())
        book_take(block);
    sys_unguard(block, sys_pages(size));
    munmap(block, sys_pages(size));
    errno = saved;
    atomic_fetch_sub_explicit(&sys_live, 1, memory_order_relaxed);
}

void ms_sys_fail_after(long n)
{
    atomic_store(&sys_fail_once, false);
    atomic_store(&sys_fail, n < 0 ? -1 : n);
}

void ms_sys_fail_at(long n)
{
    atomic_store(&sys_fail_once, true);
    atomic_store(&sys_fail, n < 0 ? -1 : n);
}

long ms_sys_live(void)
{
    return atomic_load(&sys_live);
}
