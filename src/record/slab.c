/* slab.c -- the cold half of slab.h: slabs made, carved, filled again, emptied and given back. */
#include "record/slab.h"

#include <sys/mman.h>

uint16_t ms_class_stride[MS_CLASSES];
uint8_t  ms_class_of_units[MS_STRIDE_MAX / 16 + 1];

static const uint32_t tail_strides[] = {640,  768,  896,  1024, 1280, 1536, 1792, 2032, 2560, 3072,
                                        3584, 4080, 5120, 6144, 7168, 8176};

static void classes_init(void)
{
    uint32_t n = 1;
    for (; n <= MS_UNITS_LINEAR; n++)
        ms_class_stride[n] = (uint16_t)(n * 16);
    for (uint32_t i = 0; i < sizeof tail_strides / sizeof *tail_strides; i++)
        if (tail_strides[i] <= MS_STRIDE_MAX)
            ms_class_stride[n++] = (uint16_t)tail_strides[i];
    for (uint32_t units = 1, c = 1; units <= MS_STRIDE_MAX / 16; units++) {
        if (units * 16 > ms_class_stride[c])
            c++;
        ms_class_of_units[units] = (uint8_t)c;
    }
}

/* The heap's books, for at most so many bytes from base on. */
static ms_err books_init(ms_heap *h, uintptr_t base, size_t most)
{
    if (ms_class_stride[1] == 0)
        classes_init();
    size_t headers = (most >> MS_SLAB_SHIFT) * sizeof(ms_slab);
    h->slabs = mmap(NULL, headers, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (h->slabs == MAP_FAILED)
        return MS_ENOMEM;
    h->base = base;
    h->span = 0;
    h->limit = (uint32_t)(most >> MS_SLAB_SHIFT);
    h->pool_dirty = h->pool_clean = h->queue = MS_NO_SLAB;
    for (uint32_t c = 0; c < MS_CLASSES; c++)
        h->pool[c].current = h->pool[c].partial = MS_NO_SLAB;
    return MS_OK;
}

ms_err ms_heap_init(ms_heap *h, size_t span)
{
    span &= ~((size_t)MS_COMMIT * MS_SLAB_SIZE - 1);
    if (span == 0)
        return MS_EINVAL;
    char *at = mmap(NULL, span + MS_HUGE_PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (at == MAP_FAILED)
        return MS_ENOMEM;
    ms_err err = books_init(h, ((uintptr_t)at + MS_HUGE_PAGE - 1) & ~(uintptr_t)(MS_HUGE_PAGE - 1), span);
    if (err == MS_OK)
        h->span = span;
    else
        munmap(at, span + MS_HUGE_PAGE);
    return err;
}

ms_err ms_heap_init_at(ms_heap *h, uintptr_t base, size_t most)
{
    most &= ~((size_t)MS_COMMIT * MS_SLAB_SIZE - 1);
    return most == 0 ? MS_EINVAL : books_init(h, base & ~(uintptr_t)(MS_HUGE_PAGE - 1), most);
}

static inline uint32_t number(const ms_heap *h, const ms_slab *s) { return (uint32_t)(s - h->slabs); }
static inline char *address(const ms_heap *h, const ms_slab *s) { return (char *)h->base + ((size_t)number(h, s) << MS_SLAB_SHIFT); }
static inline uint32_t slots(uint32_t cls) { return (MS_SLAB_SIZE - MS_SLAB_FIRST + MS_TAG_SIZE) / ms_class_stride[cls]; }

/* The pages that slot i overlaps, its tag included, as bits. */
static inline uint32_t slot_pages(uint32_t stride, uint32_t i)
{
    uint32_t from = MS_SLAB_FIRST - MS_TAG_SIZE + i * stride, to = from + stride - 1;
    uint32_t first = from / MS_PAGE, last = to / MS_PAGE;
    return (2u << last) - (1u << first);
}

/* nfree is this now, and the slab is to be looked at when it is trigger. */
static void wait_for(ms_slab *s, uint32_t nfree, uint32_t trigger)
{
    s->trigger = trigger;
    s->look = trigger - nfree;
}

static uint32_t batch(const ms_slab *s)
{
    uint32_t n = s->present / 16;
    return n ? n : 1;
}

static void partial_link(ms_heap *h, ms_slab *s)
{
    uint32_t n = number(h, s), head = h->pool[s->cls].partial;
    s->state = MS_SLAB_PARTIAL;
    s->prev = MS_NO_SLAB;
    s->next = head;
    if (head != MS_NO_SLAB)
        h->slabs[head].prev = n;
    h->pool[s->cls].partial = n;
}

static void partial_unlink(ms_heap *h, ms_slab *s)
{
    if (s->prev != MS_NO_SLAB)
        h->slabs[s->prev].next = s->next;
    else
        h->pool[s->cls].partial = s->next;
    if (s->next != MS_NO_SLAB)
        h->slabs[s->next].prev = s->prev;
}

/* Ask for the lines of a page that carving will write, while the blocks of the page before it are taken: lines of
 * memory that was free for a while are far away, and a page's worth of them at once is a wait. */
static void ask_for(const char *page, uint32_t stride)
{
    uint32_t step = stride < 64 ? 64 : stride;
    for (uint32_t at = 0; at < MS_PAGE; at += step)
        __builtin_prefetch(page + at, 1);
}

/* Bring one absent page's slots in, onto *s->list. A slot that reaches into another absent page
 * waits for that one. False: no page was absent. */
static bool carve(ms_heap *h, ms_slab *s)
{
    uint32_t stride = ms_class_stride[s->cls], n = slots(s->cls);
    char *base = address(h, s);
    while (s->absent) {
        uint32_t page = (uint32_t)__builtin_ctz(s->absent), bit = 1u << page;
        s->absent &= (uint16_t)~bit;
        if (!(s->dirty & bit)) {
            s->dirty |= (uint16_t)bit;
            h->dirty_pages++;
        }
        uint32_t begin = page * MS_PAGE, first = begin < MS_SLAB_FIRST ? 0 : (begin - (MS_SLAB_FIRST - MS_TAG_SIZE)) / stride;
        uint32_t last = (begin + MS_PAGE - 1 - (MS_SLAB_FIRST - MS_TAG_SIZE)) / stride;
        if (last >= n)
            last = n - 1;
        void *head = *s->list;
        uint32_t got = 0;
        for (uint32_t i = last + 1; i-- > first;) { /* downwards, so that blocks go out upwards */
            if (slot_pages(stride, i) & s->absent)
                continue;
            void *block = base + MS_SLAB_FIRST + (size_t)i * stride;
            *ms_tag(block) = (uint64_t)head;
            head = block;
            got++;
        }
        *s->list = head;
        s->present += got;
        s->look -= got; /* nfree rises */
        if (got) {
            if (s->absent) {
                if (s->dirty & s->absent & bit << 1)
                    ask_for(base + begin + MS_PAGE, stride);
            } else if (h->pool[s->cls].partial == MS_NO_SLAB && h->pool_dirty != MS_NO_SLAB) {
                ask_for(address(h, &h->slabs[h->pool_dirty]), stride);
            }
            return true;
        }
    }
    return false;
}

/* Put the free list of a slab in the order of addresses: what is allocated together then lies together,
 * whatever order it was freed in. A read of each tag, paid by the blocks that follow. */
static void sort_free(const ms_heap *h, ms_slab *s)
{
    uint32_t stride = ms_class_stride[s->cls], n = slots(s->cls);
    char *base = address(h, s) + MS_SLAB_FIRST;
    void *head = NULL;
    for (uint32_t i = n; i-- > 0;) {
        void *block = base + (size_t)i * stride;
        if ((s->absent && slot_pages(stride, i) & s->absent) || *ms_tag(block) & MS_TAG_LIVE)
            continue;
        *ms_tag(block) = (uint64_t)head;
        head = block;
    }
    s->free = head;
}

/* Make further slabs accessible. */
static bool commit(ms_heap *h)
{
    if (h->committed >= h->limit)
        return false;
    size_t held = (size_t)h->committed << MS_SLAB_SHIFT, more = (size_t)MS_COMMIT * MS_SLAB_SIZE;
    char *at = (char *)h->base + held;
    if (held < h->span) {
        if (!h->sealed && mprotect(at, more, PROT_READ | PROT_WRITE) != 0)
            return false;
    } else if (h->sealed) {
        return false;
    } else {
        char *got = mmap(at, more, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
        if (got != at) { /* no memory, or somebody else is there; kernels before 4.17 then choose another place */
            if (got != MAP_FAILED)
                munmap(got, more);
            return false;
        }
        h->span = held + more;
    }
    if (h->committed >= MS_HUGE_FROM && !h->sealed)
        madvise(at, more, MADV_HUGEPAGE);
    h->committed += MS_COMMIT;
    return true;
}

/* The first slab of the 2 MiB that s lies in; NULL where huge pages are not asked for. */
static ms_slab *huge_of(const ms_heap *h, const ms_slab *s)
{
    uint32_t n = number(h, s);
    return n < MS_HUGE_FROM ? NULL : &h->slabs[n & ~(MS_HUGE_SLABS - 1)];
}

/* In a huge page the first touch of a slab brings all of it. */
static void comes_whole(ms_heap *h, ms_slab *s)
{
    const ms_slab *huge = huge_of(h, s);
    if (huge == NULL || huge->small)
        return;
    h->dirty_pages += MS_SLAB_PAGES - (uint32_t)__builtin_popcount(s->dirty);
    s->dirty = (uint16_t)((1u << MS_SLAB_PAGES) - 1);
}

static ms_slab *pool_take(ms_heap *h)
{
    ms_slab *s;
    if (h->pool_dirty != MS_NO_SLAB) {
        s = &h->slabs[h->pool_dirty];
        h->pool_dirty = s->next;
        h->ndirty--;
    } else if (h->pool_clean != MS_NO_SLAB) {
        s = &h->slabs[h->pool_clean];
        h->pool_clean = s->next;
    } else {
        if (h->fresh >= h->committed && !commit(h))
            return NULL;
        s = &h->slabs[h->fresh++];
        comes_whole(h, s);
    }
    return s;
}

void *ms_heap_refill(ms_heap *h, uint32_t cls, uint32_t epoch)
{
    ms_slab *s = h->pool[cls].current == MS_NO_SLAB ? NULL : &h->slabs[h->pool[cls].current];
    if (s == NULL || !carve(h, s)) {
        if (s) { /* every present slot is live */
            s->list = &s->free;
            s->free = NULL;
            s->state = MS_SLAB_FULL;
            wait_for(s, 0, batch(s));
            h->pool[cls].current = MS_NO_SLAB;
        }
        if (h->pool[cls].partial != MS_NO_SLAB) {
            s = &h->slabs[h->pool[cls].partial];
            partial_unlink(h, s);
            if (ms_slab_nfree(s) * 4 >= s->present)
                sort_free(h, s);
            h->pool[cls].list = s->free;
        } else {
            s = pool_take(h);
            if (s == NULL)
                return NULL;
            s->cls = (uint8_t)cls;
            s->bytes = (uint16_t)(ms_class_stride[cls] - MS_TAG_SIZE);
            s->absent = (uint16_t)((1u << MS_SLAB_PAGES) - 1);
            s->present = 0;
            h->pool[cls].list = NULL;
        }
        s->state = MS_SLAB_CURRENT;
        s->list = &h->pool[cls].list;
        s->free = NULL;
        wait_for(s, 1, 0); /* nfree means nothing while CURRENT */
        h->pool[cls].current = number(h, s);
        if (h->pool[cls].list == NULL)
            carve(h, s);
    }
    if (epoch != h->purged)
        ms_heap_purge(h, epoch);
    void *block = h->pool[cls].list;
    h->pool[cls].list = (void *)*ms_tag(block);
    return block;
}

/* Frees still to come before the slab is worth another look: half of what is live. */
static uint32_t next_look(const ms_slab *s, uint32_t nfree)
{
    uint32_t live = s->present - nfree;
    return nfree + (live + 1) / 2;
}

/* A trigger that lies ahead: at the latest when all are free. */
static void wait_within(ms_slab *s, uint32_t nfree, uint32_t trigger)
{
    wait_for(s, nfree, trigger <= nfree || trigger > s->present ? s->present : trigger);
}

static void make_empty(ms_heap *h, ms_slab *s, uint32_t epoch)
{
    s->state = MS_SLAB_EMPTY;
    s->free = NULL;
    s->list = &s->free;
    s->present = 0;
    wait_for(s, 0, 0);
    s->since = epoch;
    if (s->dirty) {
        s->next = h->pool_dirty;
        h->pool_dirty = number(h, s);
        h->ndirty++;
    } else {
        s->next = h->pool_clean;
        h->pool_clean = number(h, s);
    }
}

void ms_slab_event(ms_heap *h, ms_slab *s, uint32_t epoch)
{
    if (s->state == MS_SLAB_CURRENT) { /* 2^32 frees into one slab: its count came round */
        wait_for(s, 1, 0);
        return;
    }
    uint32_t nfree = ms_slab_nfree(s);
    if (nfree == s->present) {
        if (s->state == MS_SLAB_PARTIAL)
            partial_unlink(h, s);
        make_empty(h, s, epoch);
        return;
    }
    if (s->state == MS_SLAB_FULL)
        partial_link(h, s);
    if (!s->queued && nfree * 2 >= s->present && s->dirty & (s->dirty - 1)) {
        s->queued = 1;
        s->since = epoch;
        s->queue_next = h->queue;
        h->queue = number(h, s);
    }
    wait_within(s, nfree, nfree * 2 < s->present ? (s->present + 1) / 2 : next_look(s, nfree));
}

/* Before a part of s is given back. */
static void huge_end(ms_heap *h, const ms_slab *s)
{
    ms_slab *huge = huge_of(h, s);
    if (huge == NULL || huge->small)
        return;
    huge->small = 1;
    madvise(address(h, huge), MS_HUGE_PAGE, MADV_NOHUGEPAGE);
}

static void give_back(ms_heap *h, ms_slab *s, uint32_t pages)
{
    pages &= s->dirty;
    if (pages)
        huge_end(h, s);
    for (uint32_t p = 0; p < MS_SLAB_PAGES;) {
        if (!(pages >> p & 1)) {
            p++;
            continue;
        }
        uint32_t q = p;
        while (q < MS_SLAB_PAGES && pages >> q & 1)
            q++;
        madvise(address(h, s) + p * MS_PAGE, (size_t)(q - p) * MS_PAGE, MADV_DONTNEED);
        p = q;
    }
    s->dirty &= (uint16_t)~pages;
    h->dirty_pages -= (uint32_t)__builtin_popcount(pages);
}

/* Give back the pages of a PARTIAL slab that hold no live slot, and take their slots off the list. */
static void purge_pages(ms_heap *h, ms_slab *s)
{
    uint32_t stride = ms_class_stride[s->cls], n = slots(s->cls), used = 0;
    char *base = address(h, s);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t pages = slot_pages(stride, i);
        if (pages & s->absent)
            continue;
        if (*ms_tag(base + MS_SLAB_FIRST + (size_t)i * stride) & MS_TAG_LIVE)
            used |= pages;
    }
    uint32_t nfree = ms_slab_nfree(s);
    uint32_t idle = ~used & ((1u << MS_SLAB_PAGES) - 1) & ~s->absent;
    if (idle) {
        uint32_t absent = s->absent | idle, present = 0;
        void *head = NULL;
        nfree = 0;
        for (uint32_t i = n; i-- > 0;) {
            uint32_t pages = slot_pages(stride, i);
            if (pages & absent)
                continue;
            void *block = base + MS_SLAB_FIRST + (size_t)i * stride;
            present++;
            if (*ms_tag(block) & MS_TAG_LIVE)
                continue;
            *ms_tag(block) = (uint64_t)head;
            head = block;
            nfree++;
        }
        /* A free slot that straddles a page in use and one given back keeps a stale link in its tag;
         * bit 0 is clear, so it reads as free. */
        s->free = head;
        s->present = present;
        s->absent = (uint16_t)absent;
        give_back(h, s, idle);
    }
    wait_within(s, nfree, next_look(s, nfree));
}

bool ms_heap_purge(ms_heap *h, uint32_t epoch)
{
    h->purged = epoch;
    if (h->sealed)
        return false;
    uint32_t *link = &h->queue;
    while (*link != MS_NO_SLAB) {
        ms_slab *s = &h->slabs[*link];
        if (s->state == MS_SLAB_PARTIAL && epoch - s->since < MS_PURGE_AGE) {
            link = &s->queue_next;
            continue;
        }
        *link = s->queue_next;
        s->queued = 0;
        if (s->state == MS_SLAB_PARTIAL && ms_slab_nfree(s) * 2 >= s->present)
            purge_pages(h, s);
    }
    /* The pool is last in, first out: the young ones, which stay, come first. */
    link = &h->pool_dirty;
    for (uint32_t kept = 0; *link != MS_NO_SLAB;) {
        ms_slab *s = &h->slabs[*link];
        if (kept < MS_KEEP_DIRTY || epoch - s->since < MS_PURGE_AGE) {
            link = &s->next;
            kept++;
            continue;
        }
        *link = s->next;
        h->ndirty--;
        give_back(h, s, s->dirty);
        s->next = h->pool_clean;
        h->pool_clean = number(h, s);
    }
    return h->queue != MS_NO_SLAB || h->ndirty > MS_KEEP_DIRTY;
}

void ms_heap_shrink(ms_heap *h)
{
    size_t kept = (size_t)h->committed << MS_SLAB_SHIFT;
    if (kept >= h->span)
        return;
    munmap((char *)h->base + kept, h->span - kept);
    h->span = kept;
}

void ms_heap_seal(ms_heap *h, bool yes)
{
    size_t held = (size_t)h->committed << MS_SLAB_SHIFT;
    if (yes && h->span > held && mprotect((char *)h->base + held, h->span - held, PROT_READ | PROT_WRITE) != 0)
        ms_heap_shrink(h); /* the system counts what might be used: what comes now is malloc's */
    h->sealed = yes;
}

bool ms_heap_visit(const ms_heap *h, ms_block_fn *fn, void *arg) { return ms_heap_visit_but(h, NULL, fn, arg); }

bool ms_heap_visit_but(const ms_heap *h, ms_skip_fn *skip, ms_block_fn *fn, void *arg)
{
    for (uint32_t k = 0; k < h->fresh; k++) {
        const ms_slab *s = &h->slabs[k];
        if (s->state < MS_SLAB_CURRENT)
            continue;
        uint32_t stride = ms_class_stride[s->cls], n = slots(s->cls);
        for (uint32_t i = 0; i < n; i++) {
            if (slot_pages(stride, i) & s->absent)
                continue;
            void *block = address(h, s) + MS_SLAB_FIRST + (size_t)i * stride;
            if ((skip == NULL || !skip((uintptr_t)block, stride - MS_TAG_SIZE, arg)) && *ms_tag(block) & MS_TAG_LIVE &&
                !fn(block, *ms_tag(block), stride - MS_TAG_SIZE, arg))
                return false;
        }
    }
    return true;
}

/* Length of a free list, or -1 when it leaves the slab, names a live or absent slot, or loops. */
static long list_length(const ms_heap *h, const ms_slab *s, const void *head)
{
    uint32_t stride = ms_class_stride[s->cls], n = slots(s->cls);
    long length = 0;
    for (const char *b = head; b; b = (const char *)((const uint64_t *)b)[-1]) {
        if (!ms_heap_has(h, b) || ms_slab_of(h, b) != s || length > (long)n)
            return -1;
        uint32_t offset = (uint32_t)(b - address(h, s)) - MS_SLAB_FIRST;
        if (offset % stride || slot_pages(stride, offset / stride) & s->absent)
            return -1;
        length++;
    }
    return length;
}

const char *ms_heap_check(const ms_heap *h)
{
    uint32_t linked = 0, partial = 0, current = 0;
    for (uint32_t k = 0; k < h->fresh; k++) {
        const ms_slab *s = &h->slabs[k];
        if (s->state < MS_SLAB_CURRENT)
            continue;
        uint32_t stride = ms_class_stride[s->cls], n = slots(s->cls), live = 0, present = 0;
        for (uint32_t i = 0; i < n; i++) {
            if (slot_pages(stride, i) & s->absent)
                continue;
            present++;
            live += *ms_tag(address(h, s) + MS_SLAB_FIRST + (size_t)i * stride) & MS_TAG_LIVE;
        }
        long length = list_length(h, s, s->state == MS_SLAB_CURRENT ? h->pool[s->cls].list : s->free);
        if (length < 0)
            return "H1: a free list leaves its slab, names an absent slot or loops";
        if (present != s->present || live + (uint32_t)length != present)
            return "H2: live + free is not what is present";
        if (s->state == MS_SLAB_CURRENT) {
            current++;
            if (h->pool[s->cls].current != k)
                return "H4: a current slab is not named";
            continue;
        }
        if (ms_slab_nfree(s) != (uint32_t)length)
            return "H2: nfree is not the length of the list";
        if (live == 0)
            return "H3: a slab without live slots is not empty";
        partial += s->state == MS_SLAB_PARTIAL;
    }
    for (uint32_t c = 0; c < MS_CLASSES; c++) {
        current -= h->pool[c].current != MS_NO_SLAB;
        for (uint32_t k = h->pool[c].partial; k != MS_NO_SLAB; k = h->slabs[k].next)
            if (h->slabs[k].state != MS_SLAB_PARTIAL || linked++ > h->fresh)
                return "H4: the partial list is wrong";
    }
    return linked == partial && current == 0 ? NULL : "H4: a slab is not where its state says";
}
