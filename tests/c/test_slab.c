/* test_slab.c -- a heap beside a plain list of who was given what.
 *
 * Each block is filled with a pattern of its own, so that two blocks that overlap, or a page given back
 * under a live one, are seen when it is freed. ms_heap_check() tests what slab.h promises; what it
 * cannot see from inside (resident pages, the lists of the pool) is asked of the kernel, or walked here. */
#include "record/slab.h"
#include "test.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

static uint32_t nclasses(void)
{
    uint32_t n = 1;
    while (n < MS_CLASSES && ms_class_stride[n])
        n++;
    return n;
}

static void heap_end(ms_heap *h)
{
    munmap((void *)h->base, h->span);
    munmap(h->slabs, (size_t)h->limit * sizeof *h->slabs);
}

/* Every slab made is current, full, partial or in one pool; and dirty pages add up. */
static const char *books_check(const ms_heap *h)
{
    uint32_t seen[8] = {0}, dirty_pool = 0, clean_pool = 0;
    uint64_t dirty = 0;
    for (uint32_t k = 0; k < h->fresh; k++) {
        const ms_slab *s = &h->slabs[k];
        if (s->state > MS_SLAB_PARTIAL)
            return "a state that is none";
        seen[s->state]++;
        dirty += (uint32_t)__builtin_popcount(s->dirty);
    }
    if (dirty != h->dirty_pages)
        return "the dirty pages do not add up";
    for (uint32_t k = h->pool_dirty; k != MS_NO_SLAB; k = h->slabs[k].next)
        if (h->slabs[k].state != MS_SLAB_EMPTY || !h->slabs[k].dirty || dirty_pool++ > h->fresh)
            return "the pool of dirty slabs is wrong";
    for (uint32_t k = h->pool_clean; k != MS_NO_SLAB; k = h->slabs[k].next)
        if (h->slabs[k].state != MS_SLAB_EMPTY || h->slabs[k].dirty || clean_pool++ > h->fresh)
            return "the pool of clean slabs is wrong";
    if (dirty_pool != h->ndirty)
        return "ndirty is not the length of its pool";
    if (seen[MS_SLAB_EMPTY] != dirty_pool + clean_pool)
        return "an empty slab is in no pool";
    for (uint32_t k = h->queue, n = 0; k != MS_NO_SLAB; k = h->slabs[k].queue_next)
        if (!h->slabs[k].queued || n++ > h->fresh)
            return "the queue is wrong";
    return seen[MS_SLAB_NEW] ? "a slab in use is in no state" : NULL;
}

static void sound(const ms_heap *h)
{
    const char *why = ms_heap_check(h);
    EXPECT_STR(why ? why : "sound", "sound");
    why = books_check(h);
    EXPECT_STR(why ? why : "sound", "sound");
}

/* ---- classes ---- */

static void test_classes_hold_what_they_promise(void)
{
    ms_heap h = {0};
    EXPECT_EQ(ms_heap_init(&h, 64u << 20), MS_OK);
    uint32_t n = nclasses();
    for (size_t size = 0; size <= MS_BLOCK_MAX; size++) {
        uint32_t c = ms_class(size);
        EXPECT(c > 0 && c < n);
        EXPECT(ms_class_stride[c] - MS_TAG_SIZE >= size);
        EXPECT(c == 1 || ms_class_stride[c - 1] - MS_TAG_SIZE < size); /* and no smaller one would do */
    }
    for (uint32_t c = 1; c < n; c++) {
        EXPECT_EQ(ms_class_stride[c] % 16, 0);
        EXPECT(ms_class_stride[c] <= MS_STRIDE_MAX);
    }
    EXPECT_EQ(ms_class(MS_BLOCK_MAX), n - 1);
    heap_end(&h);
}

/* ---- beside a model ---- */

typedef struct {
    unsigned char *block;
    uint32_t size, serial;
    uint64_t tag;
} given;

typedef struct {
    ms_heap  heap;
    given   *live;
    uint32_t n, room, serial, epoch;
} world;

static void world_begin(world *w, uint32_t room)
{
    memset(w, 0, sizeof *w);
    w->room = room;
    w->epoch = (uint32_t)test_below(2) ? 0 : UINT32_MAX - 500; /* the clock may come round */
    w->live = malloc(room * sizeof *w->live);
    EXPECT_EQ(ms_heap_init(&w->heap, 512u << 20), MS_OK);
}

static void world_end(world *w)
{
    heap_end(&w->heap);
    free(w->live);
}

static unsigned char pattern(const given *g, uint32_t at) { return (unsigned char)(g->serial * 167 + at * 31 + 5); }

/* Both ends, and a stretch in the middle: enough to see a neighbour or a lost page. */
static void fill(const given *g)
{
    for (uint32_t i = 0; i < g->size; i += i < 32 || i + 32 > g->size ? 1 : 61)
        g->block[i] = pattern(g, i);
}
static bool intact(const given *g)
{
    for (uint32_t i = 0; i < g->size; i += i < 32 || i + 32 > g->size ? 1 : 61)
        if (g->block[i] != pattern(g, i))
            return false;
    return *ms_tag(g->block) == g->tag;
}

static bool take(world *w, size_t size)
{
    uint32_t cls = ms_class(size);
    void *block = ms_heap_take(&w->heap, cls, w->epoch);
    if (block == NULL)
        return false;
    EXPECT_EQ((uintptr_t)block % 16, 0);
    EXPECT(ms_heap_has(&w->heap, block) && ms_heap_has(&w->heap, (char *)block + size));
    EXPECT_EQ(ms_slab_of(&w->heap, block)->cls, cls);
    EXPECT(!(*ms_tag(block) & MS_TAG_LIVE));
    given g = {block, (uint32_t)size, w->serial++, test_random() | MS_TAG_LIVE};
    *ms_tag(block) = g.tag;
    fill(&g);
    w->live[w->n++] = g;
    return true;
}

static void give(world *w, uint32_t k)
{
    EXPECT(intact(&w->live[k]));
    void *block = w->live[k].block;
    ms_heap_give(&w->heap, ms_slab_of(&w->heap, block), block, w->epoch);
    w->live[k] = w->live[--w->n];
}

typedef struct {
    world *w;
    uint64_t sum;
    uint32_t n;
} visiting;

static bool visit(void *block, uint64_t tag, uint32_t size, void *arg)
{
    visiting *v = arg;
    v->n++;
    v->sum += (uint64_t)(uintptr_t)block ^ tag;
    return true;
}

static bool visit_first(void *block, uint64_t tag, uint32_t size, void *arg) { return ++*(int *)arg < 3; }

static void compare(world *w)
{
    visiting v = {w, 0, 0};
    uint64_t sum = 0;
    EXPECT(ms_heap_visit(&w->heap, visit, &v));
    for (uint32_t k = 0; k < w->n; k++) {
        EXPECT(intact(&w->live[k]));
        sum += (uint64_t)(uintptr_t)w->live[k].block ^ w->live[k].tag;
    }
    EXPECT_EQ(v.n, w->n);
    EXPECT(v.sum == sum);
    if (w->n > 3) {
        int n = 0;
        EXPECT(!ms_heap_visit(&w->heap, visit_first, &n));
        EXPECT_EQ(n, 3);
    }
    sound(&w->heap);
}

static size_t some_size(uint32_t phase)
{
    switch (phase % 4) {
    case 0: return test_below(MS_BLOCK_MAX + 1);
    case 1: return test_below(80);
    case 2: return 40 + 16 * test_below(3);
    default: return test_below(6) ? test_below(200) : MS_BLOCK_MAX - test_below(100);
    }
}

/* Phases that grow, shrink to nearly nothing, and hold; the clock ticks now and then, purges come. */
static void model_run(uint32_t steps, uint32_t most, uint32_t check_every)
{
    world w;
    world_begin(&w, most);
    sound(&w.heap);
    for (uint32_t i = 0, phase = 0, left = 0, grow = 0; i < steps; i++, left--) {
        if (left == 0) {
            phase = (uint32_t)test_below(8);
            left = 1 + (uint32_t)test_below(2 * most);
            grow = (uint32_t)test_below(11);
        }
        if (w.n < w.room && (w.n == 0 || test_below(10) < grow))
            EXPECT(take(&w, some_size(phase)));
        else
            give(&w, phase & 4 ? w.n - 1 : (uint32_t)test_below(w.n));
        if (test_below(100) == 0)
            w.epoch += (uint32_t)test_below(2 * MS_PURGE_AGE + 2);
        if (test_below(200) == 0)
            ms_heap_purge(&w.heap, w.epoch);
        if (check_every == 1)
            sound(&w.heap);
        else if (i % check_every == 0)
            compare(&w);
        if (test_failures > 20)
            break;
    }
    while (w.n)
        give(&w, (uint32_t)test_below(w.n));
    compare(&w);
    world_end(&w);
}

static void test_heap_is_its_model(void)
{
    model_run(4000, 300, 1);
    for (int i = 0; i < 8; i++)
        model_run(50000, 200u << i, 2000);
}

/* ---- what cannot be had ---- */

static void test_heap_ends_where_its_span_ends(void)
{
    world w;
    memset(&w, 0, sizeof w);
    EXPECT_EQ(ms_heap_init(&w.heap, 1), MS_EINVAL);
    EXPECT_EQ(ms_heap_init(&w.heap, MS_COMMIT * MS_SLAB_SIZE), MS_OK);
    w.live = malloc((w.room = 1 << 20) * sizeof *w.live);
    uint32_t most[2];
    for (int round = 0; round < 2; round++) { /* what was used up and freed can be used again */
        while (take(&w, 1000))
            ;
        most[round] = w.n;
        EXPECT(ms_heap_take(&w.heap, ms_class(MS_BLOCK_MAX), 0) == NULL); /* no slab for another class */
        compare(&w);
        while (w.n)
            give(&w, w.n - 1);
        compare(&w);
    }
    EXPECT_EQ(most[0], most[1]);
    EXPECT_EQ(most[0], MS_COMMIT * ((MS_SLAB_SIZE - MS_SLAB_FIRST + MS_TAG_SIZE) / ms_class_stride[ms_class(1000)]));
    EXPECT(take(&w, MS_BLOCK_MAX)); /* the slabs change class */
    compare(&w);
    world_end(&w);
}

/* A heap that reserves nothing takes what is free beyond its end, and nothing of anybody else's. */
static void test_heap_that_grows_as_it_goes(void)
{
    enum { STEP = MS_COMMIT * MS_SLAB_SIZE };
    world w;
    memset(&w, 0, sizeof w);
    w.live = malloc((w.room = 1 << 20) * sizeof *w.live);
    char *room = mmap(NULL, 64u << 20, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    EXPECT(room != MAP_FAILED);
    munmap(room, 64u << 20);
    uintptr_t base = ((uintptr_t)room + MS_HUGE_PAGE) & ~(uintptr_t)(MS_HUGE_PAGE - 1);
    EXPECT_EQ(ms_heap_init_at(&w.heap, base, STEP - 1), MS_EINVAL);
    EXPECT_EQ(ms_heap_init_at(&w.heap, base, 3 * STEP), MS_OK);
    EXPECT(!ms_heap_has(&w.heap, (void *)base));
    EXPECT(take(&w, 1000));
    EXPECT(ms_heap_has(&w.heap, (void *)(base + STEP - 1)) && !ms_heap_has(&w.heap, (void *)(base + STEP)));
    char *other = mmap((void *)(base + STEP), MS_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    EXPECT(other == (char *)base + STEP);
    *other = 5;
    while (take(&w, 1000))
        ;
    uint32_t one = w.n;
    EXPECT(!ms_heap_has(&w.heap, other) && *other == 5);
    compare(&w);
    munmap(other, MS_PAGE);
    while (take(&w, 1000))
        ;
    EXPECT_EQ(w.n, 3 * one);
    compare(&w);
    world_end(&w);
}

/* What was reserved and given up is taken again by who grows, unless it is somebody else's by then. */
static void test_heap_that_gave_up_its_reserve(void)
{
    world w;
    world_begin(&w, 1 << 20);
    EXPECT(take(&w, 1000));
    size_t all = w.heap.span;
    ms_heap_shrink(&w.heap);
    EXPECT_EQ(w.heap.span, MS_COMMIT * MS_SLAB_SIZE);
    while (w.heap.span < 4 * MS_COMMIT * MS_SLAB_SIZE && take(&w, 1000))
        ;
    EXPECT_EQ(w.heap.span, 4 * MS_COMMIT * MS_SLAB_SIZE);
    char *other = mmap((char *)w.heap.base + w.heap.span, MS_PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
    EXPECT(other != MAP_FAILED);
    while (take(&w, 1000))
        ;
    EXPECT(w.heap.span == 4 * MS_COMMIT * MS_SLAB_SIZE && w.heap.span < all);
    compare(&w);
    munmap(other, MS_PAGE);
    EXPECT(take(&w, 1000));
    compare(&w);
    world_end(&w);
}

#if !defined(__SANITIZE_ADDRESS__)
/* RLIMIT_DATA makes mprotect fail: a heap without memory says NULL, and goes on when there is some. */
static void test_heap_without_memory(void)
{
    pid_t pid = fork();
    if (pid == 0) {
        test_failures = 0;
        world w;
        world_begin(&w, 100000);
        EXPECT(take(&w, 100));
        struct rlimit limit, none;
        getrlimit(RLIMIT_DATA, &limit);
        none = limit;
        none.rlim_cur = 1 << 20;
        setrlimit(RLIMIT_DATA, &none);
        while (w.n < 90000 && take(&w, 1000))
            ;
        EXPECT(w.n > 1 && w.n < 90000);
        EXPECT(!take(&w, 1000));
        compare(&w);
        setrlimit(RLIMIT_DATA, &limit);
        EXPECT(take(&w, 1000));
        compare(&w);
        ms_heap h;
        EXPECT_EQ(ms_heap_init(&h, (size_t)1 << 60), MS_ENOMEM);
        _exit(test_failures != 0);
    }
    int status;
    EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
}
#endif

/* ---- what is given back ---- */

static uint64_t resident(const ms_heap *h)
{
    static unsigned char in[1 << 17];
    size_t n = ((size_t)h->fresh << MS_SLAB_SHIFT) / MS_PAGE;
    uint64_t pages = 0;
    EXPECT(n <= sizeof in && mincore((void *)h->base, n * MS_PAGE, in) == 0);
    for (size_t i = 0; i < n; i++)
        pages += in[i] & 1;
    return pages;
}

/* Pages that some live block lies in, tag included: what can at best remain. */
static uint64_t pages_in_use(const world *w)
{
    static unsigned char used[1 << 17];
    uint64_t pages = 0;
    memset(used, 0, sizeof used);
    for (uint32_t k = 0; k < w->n; k++) {
        size_t from = (uintptr_t)w->live[k].block - MS_TAG_SIZE - w->heap.base;
        size_t to = from + ms_class_stride[ms_class(w->live[k].size)] - 1;
        for (size_t p = from / MS_PAGE; p <= to / MS_PAGE; p++)
            if (!used[p]++)
                pages++;
    }
    return pages;
}

/* Slabs may stay whole: those kept for reuse, and the one that each class allocates from. */
static uint64_t may_stay(uint32_t classes) { return (uint64_t)(MS_KEEP_DIRTY + classes) * MS_SLAB_PAGES; }

static void test_what_is_freed_is_given_back(void)
{
    enum { BLOCKS = 300000 };
    static const size_t sizes[] = {24, 56, 200, 1000, 2000};
    for (int kind = 0; kind < 6; kind++) {
        world w;
        world_begin(&w, BLOCKS);
        for (uint32_t bytes = 0, i = 0; i < BLOCKS && bytes < (64u << 20); i++, bytes += w.live[w.n - 1].size)
            take(&w, kind < 5 ? sizes[kind] : sizes[i % 5]);
        uint64_t full = resident(&w.heap);
        EXPECT(full <= w.heap.dirty_pages);
        EXPECT(w.heap.dirty_pages <= full + may_stay(kind < 5 ? 1 : 5));

        uint32_t keep = w.n / 1000;
        while (w.n > keep) {
            give(&w, (uint32_t)test_below(w.n));
            if (w.n % 20000 == 0) { /* time passes on the way down, too */
                w.epoch++;
                ms_heap_purge(&w.heap, w.epoch);
            }
        }
        /* A slab is looked at again when half of what lived at the last look is gone. Hence at most as
         * many pages as twice the blocks had, and one, apart from what may stay whole. */
        bool waits = true;
        for (uint32_t i = 0; i < 2 * MS_PURGE_AGE + 2; i++)
            waits = ms_heap_purge(&w.heap, ++w.epoch);
        EXPECT(!waits);
        uint64_t now = resident(&w.heap), best = pages_in_use(&w);
        EXPECT_EQ(now <= w.heap.dirty_pages, true);
        uint64_t most = 2 * best + may_stay(kind < 5 ? 1 : 5) + 16;
        if (now > most)
            printf("kind %d: %llu pages of %llu, %llu in use, at most %llu expected\n", kind, (unsigned long long)now,
                   (unsigned long long)full, (unsigned long long)best, (unsigned long long)most);
        EXPECT(now <= most);
        EXPECT(now * 2 < full);
        compare(&w);
        uint32_t fresh = w.heap.fresh;
        while (w.n < BLOCKS / 50) /* and what was given back is used again before new slabs are */
            take(&w, kind < 5 ? sizes[kind] : sizes[w.n % 5]);
        EXPECT_EQ(w.heap.fresh, fresh);
        compare(&w);
        while (w.n)
            give(&w, (uint32_t)test_below(w.n));
        for (uint32_t i = 0; i < 2 * MS_PURGE_AGE + 2; i++)
            ms_heap_purge(&w.heap, ++w.epoch);
        EXPECT(resident(&w.heap) <= may_stay(5));
        sound(&w.heap);
        world_end(&w);
    }
}

/* Freed memory stays for a while, so that a loop that frees and takes again meets warm pages. */
static void test_what_is_freed_stays_a_while(void)
{
    if (MS_PURGE_AGE == 0)
        return;
    world w;
    world_begin(&w, 20000);
    while (w.n < 20000)
        take(&w, 500);
    ms_heap_purge(&w.heap, w.epoch);
    uint64_t full = resident(&w.heap);
    while (w.n)
        give(&w, w.n - 1);
    EXPECT(ms_heap_purge(&w.heap, w.epoch + MS_PURGE_AGE - 1));
    EXPECT_EQ(resident(&w.heap), full);
    EXPECT(!ms_heap_purge(&w.heap, w.epoch + MS_PURGE_AGE));
    EXPECT(resident(&w.heap) <= may_stay(1));
    world_end(&w);
}

/* A forked child goes on with a heap of its own, and neither sees what the other does. */
static void test_heap_after_fork(void)
{
    world w;
    world_begin(&w, 3000);
    while (w.n < 1500)
        take(&w, some_size(3));
    pid_t pid = fork();
    EXPECT(pid >= 0);
    for (int i = 0; i < 5000; i++) {
        if (w.n < w.room && (w.n == 0 || test_below(2)))
            take(&w, some_size(pid == 0 ? 1 : 2));
        else
            give(&w, (uint32_t)test_below(w.n));
        if (i % 500 == 0)
            compare(&w);
    }
    if (pid == 0)
        _exit(test_failures != 0);
    int status;
    EXPECT(waitpid(pid, &status, 0) == pid && status == 0);
    world_end(&w);
}

int main(void)
{
    RUN(test_classes_hold_what_they_promise);
    RUN(test_heap_is_its_model);
    RUN(test_heap_ends_where_its_span_ends);
    RUN(test_heap_that_grows_as_it_goes);
    RUN(test_heap_that_gave_up_its_reserve);
#if !defined(__SANITIZE_ADDRESS__)
    RUN(test_heap_without_memory);
#endif
    RUN(test_what_is_freed_is_given_back);
    RUN(test_what_is_freed_stays_a_while);
    RUN(test_heap_after_fork);
    return test_end();
}
