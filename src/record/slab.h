/* slab.h -- blocks of one size, and in front of each the word that says who allocated it.
 *
 * A slab is 64 KiB, aligned to 64 KiB, cut into slots of one stride (a multiple of 16). A slot is a
 * tag of 8 bytes and a block of stride - 8 bytes; blocks are aligned to 16.
 *
 *   base  8        16                    stride+8   stride+16                         base + 64 KiB
 *   |     | tag 0  | block 0 ...       | tag 1    | block 1 ...      | ... | unused      |
 *
 *   tag of a live block   what the recorder remembers; bit 0 is MS_TAG_LIVE, never 0
 *   tag of a free block   the next free block (bit 0 clear), or NULL
 *   tag never touched     0
 *
 * So a birth or death touches one cache line, the block's own, and finds its record without a lookup.
 * Tags beside the blocks in an array of their own were weighed: they cost a second cache line and a
 * multiplication each way, and after a random release they keep a page of tags alive for each page
 * of blocks. The tag shares the rounding to 16 bytes with its block: 40 bytes + tag take 48.
 *
 * A slab is in one state:
 *   EMPTY    in the heap's pool; no class. Its pages are dirty (reused soon) or given back
 *   CURRENT  its class allocates from it: frees go straight to the class's list
 *   FULL     no free slot worth mentioning: fewer than a batch, kept on the slab's own list
 *   PARTIAL  a batch or more is free: its class will allocate from it
 * Pages whose slots were never handed out, or that were given back, are *absent*: their slots are on
 * no list. carve() brings one page's slots in at a time, so untouched pages stay untouched.
 *
 * Beyond MS_HUGE_FROM slabs the heap grows by huge pages: a large program meets one page fault where there
 * were 512, and fewer misses of the TLB. Where something is given back, the kernel is told that these 2 MiB
 * shall have small pages from now on; else it would fill the holes again to make a huge one.
 *
 * Always true (ms_heap_check() tests each):
 *   H1  a slab's free list holds only free, present blocks of that slab
 *   H2  nfree of a slab that is not CURRENT is the number of its free present slots
 *   H3  a slab that is not CURRENT and has no live slot is EMPTY
 *   H4  exactly the CURRENT slabs are named by a pool's current, exactly the PARTIAL ones are linked there
 *
 * A heap has one user at a time (the GIL, or a lock): nothing here locks. fork(): the child goes on. */
#ifndef MS_SLAB_H
#define MS_SLAB_H

#include "base/base.h"

#ifdef MS_HOSTILE /* the hostile build: everything scarce, every path taken often */
#define MS_SLAB_SHIFT 14
#define MS_COMMIT     2u
#define MS_HUGE_FROM  4u
#define MS_PURGE_AGE  0u
#define MS_KEEP_DIRTY 0u
#else
#define MS_SLAB_SHIFT 16
#define MS_COMMIT     64u /* slabs made accessible at a time: 4 MiB */
#ifndef MS_HUGE_FROM
#define MS_HUGE_FROM  128u /* slabs from which on huge pages are asked for: 8 MiB */
#endif
#define MS_PURGE_AGE  50u /* epochs (0.5 s) that memory stays free before it is given back */
#define MS_KEEP_DIRTY 16u /* empty slabs (1 MiB) kept for reuse however long they idle */
#endif

#define MS_SLAB_SIZE   (1u << MS_SLAB_SHIFT)
#define MS_PAGE        4096u
#define MS_HUGE_PAGE   (2u << 20)
#define MS_HUGE_SLABS  (MS_HUGE_PAGE / MS_SLAB_SIZE)
#define MS_SLAB_PAGES  (MS_SLAB_SIZE / MS_PAGE)
#define MS_SLAB_FIRST  16u /* offset of the first block */
#define MS_TAG_SIZE    8u
#define MS_TAG_LIVE    1u

#define MS_STRIDE_MAX  (MS_SLAB_SHIFT >= 16 ? 8176u : 2032u)
#define MS_BLOCK_MAX   (MS_STRIDE_MAX - MS_TAG_SIZE) /* bytes; larger blocks are not a slab's */
#define MS_UNITS_LINEAR 32u                          /* to there a class is the size in units of 16 */
#define MS_CLASSES     64u                           /* class 0 is not used */

enum { MS_SLAB_NEW, MS_SLAB_EMPTY, MS_SLAB_CURRENT, MS_SLAB_FULL, MS_SLAB_PARTIAL };

typedef struct {
    void   **list;     /* where a freed block is pushed: the class's list while CURRENT, else &free */
    void    *free;     /* the slab's own free blocks while not CURRENT */
    uint32_t look;     /* frees still to come until ms_slab_event() looks at the slab */
    uint32_t trigger;  /* what nfree will be then: nfree is trigger - look */
    uint32_t present;  /* slots that are live or free, not absent */
    uint16_t absent;   /* one bit per page: its slots are not handed out */
    uint16_t dirty;    /* one bit per page: may be resident */
    uint8_t  cls, state, queued;
    uint8_t  small;    /* of the first slab of 2 MiB: something was given back, there are small pages now */
    uint16_t bytes;    /* of its blocks: the stride less the tag */
    uint32_t next, prev; /* in the class's partial list, or the pool */
    uint32_t since;      /* epoch in which it became EMPTY or was queued for purging */
    uint32_t queue_next;
} __attribute__((aligned(64))) ms_slab;

/* 16 bytes, as the step of the smaller classes: their sizes, rounded up, are the way to their pool. */
typedef struct {
    void    *list;               /* free blocks of the class's current slab */
    uint32_t current, partial;   /* slab numbers; MS_NO_SLAB */
} ms_class_pool;

typedef struct {
    ms_class_pool pool[MS_CLASSES];
    uintptr_t base;
    size_t   span;               /* bytes of address space from base that are this heap's */
    ms_slab *slabs;              /* one header per 64 KiB, up to the limit */
    uint32_t pool_dirty, pool_clean;  /* EMPTY slabs */
    uint32_t ndirty;
    uint32_t queue;              /* slabs that wait to be purged */
    uint32_t fresh, committed, limit; /* slab numbers: first never used, accessible, end */
    uint32_t purged;             /* epoch of the last purge */
    uint64_t dirty_pages;        /* pages that may be resident: the heap's share of RSS */
    bool     sealed;             /* no system call any more: what is accessible stays so */
} ms_heap;

#define MS_NO_SLAB UINT32_MAX

extern MS_HIDDEN uint16_t ms_class_stride[MS_CLASSES];           /* bytes, tag included */
extern MS_HIDDEN uint8_t  ms_class_of_units[MS_STRIDE_MAX / 16 + 1]; /* by (size + tag) / 16, rounded up */

/* Reserve span bytes of address space for a heap; MS_ENOMEM when refused. The process's lifetime. */
ms_err ms_heap_init(ms_heap *h, size_t span);

/* A heap that reserves nothing, where address space is limited: it grows from base on as long as nobody else is
 * in its way, to most bytes. */
ms_err ms_heap_init_at(ms_heap *h, uintptr_t base, size_t most);

/* A block of the class when the class's list is empty: carve, take a partial slab, or a new one.
 * NULL: the span or the system's memory is used up. Its tag is for the caller to set. */
void *ms_heap_refill(ms_heap *h, uint32_t cls, uint32_t epoch);

/* Called when as many blocks of a slab were freed as it waited for. */
void ms_slab_event(ms_heap *h, ms_slab *s, uint32_t epoch);

/* Give back what has been free for MS_PURGE_AGE epochs. Returns whether something still waits. */
bool ms_heap_purge(ms_heap *h, uint32_t epoch);

/* Give up the address space that was never made accessible; the heap takes it again as it grows. */
void ms_heap_shrink(ms_heap *h);

/* From now on without system calls (yes): all of the address space is made accessible, and nothing is given back. */
void ms_heap_seal(ms_heap *h, bool yes);

/* Visit every live block; fn returning false stops. */
typedef bool ms_block_fn(void *block, uint64_t tag, uint32_t size, void *arg);
bool ms_heap_visit(const ms_heap *h, ms_block_fn *fn, void *arg);

/* The same without the slots that skip() knows already: their memory is not looked at. */
typedef bool ms_skip_fn(uintptr_t block, uint32_t size, void *arg);
bool ms_heap_visit_but(const ms_heap *h, ms_skip_fn *skip, ms_block_fn *fn, void *arg);

/* NULL: sound; else the broken rule. Reads only. */
const char *ms_heap_check(const ms_heap *h);

static inline uint64_t *ms_tag(void *block) { return (uint64_t *)block - 1; }

static inline bool ms_heap_has(const ms_heap *h, const void *p) { return (uintptr_t)p - h->base < h->span; }

static inline ms_slab *ms_slab_of(const ms_heap *h, const void *block)
{
    return &h->slabs[((uintptr_t)block - h->base) >> MS_SLAB_SHIFT];
}

/* The class of a size of at most MS_BLOCK_MAX bytes. */
static inline uint32_t ms_class(size_t size)
{
    uint32_t units = (uint32_t)((size + MS_TAG_SIZE + 15) >> 4);
    return MS_LIKELY(units <= MS_UNITS_LINEAR) ? units : ms_class_of_units[units];
}

/* Pop a block; its tag still holds the link. NULL only when memory is used up. */
static inline void *ms_heap_take(ms_heap *h, uint32_t cls, uint32_t epoch)
{
    void *block = h->pool[cls].list;
    if (MS_UNLIKELY(block == NULL))
        return ms_heap_refill(h, cls, epoch);
    h->pool[cls].list = (void *)*ms_tag(block);
    return block;
}

static inline uint32_t ms_slab_nfree(const ms_slab *s) { return s->trigger - s->look; }

/* Push a block of the slab back; true: ms_slab_event() is due. */
static inline bool ms_slab_push(ms_slab *s, void *block)
{
    void **list = s->list;
    *ms_tag(block) = (uint64_t)*list;
    *list = block;
    return --s->look == 0;
}

/* Push a block of this heap back. */
static inline void ms_heap_give(ms_heap *h, ms_slab *s, void *block, uint32_t epoch)
{
    if (MS_UNLIKELY(ms_slab_push(s, block)))
        ms_slab_event(h, s, epoch);
}

#endif
