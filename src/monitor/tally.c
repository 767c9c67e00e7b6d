/* tally.c -- a process's tables, read without trusting them, and tallies added up by site.
 *
 * Tables are read with pread(): a hole reads as zeros and takes no memory, and what was checked cannot
 * change under the check. The 32-bit counters of a tally wrap after 4 billion frees; each reading adds
 * what came since the last one to a 64-bit counter, whose low half is the counter as it was then.
 *
 * A tally tells, in blocks of `stride` bytes:  freed = young + older[] + gc_freed,  born = live + freed - inherited.
 * older[] and gc_freed stand in its extra, and are 0 where it has none. Where the process marked its end (ended == 1), it counts no more. */
#include "monitor/watch.h"
#include "record/site.h"

#include <string.h>
#include <unistd.h>

static const struct {
    size_t offset, entry;
    uint32_t max;
} region[MS_TABLES] = {
    [MS_T_TALLY] = {offsetof(ms_live, tally), sizeof(ms_tally), MS_TALLY_MAX},
    [MS_T_SITE] = {offsetof(ms_live, site), sizeof(ms_site), MS_SITE_MAX},
    [MS_T_CODE] = {offsetof(ms_live, code), sizeof(ms_code), MS_CODE_MAX},
    [MS_T_NODE] = {offsetof(ms_live, node), sizeof(ms_node), MS_NODE_MAX},
    [MS_T_THREAD] = {offsetof(ms_live, thread), sizeof(ms_thread), MS_THREAD_MAX},
    [MS_T_TEXT] = {offsetof(ms_live, text), 1, MS_TEXT_MAX},
    [MS_T_COUNT] = {offsetof(ms_live, count), sizeof(ms_count), MS_TALLY_MAX},
    [MS_T_EXTRA] = {offsetof(ms_live, extra), sizeof(ms_extra), MS_TALLY_MAX},
};

uint32_t ms_live_used(const ms_process *p, int table)
{
    uint32_t used = __atomic_load_n(&p->head->table[table].used, __ATOMIC_ACQUIRE);
    uint32_t backed = __atomic_load_n(&p->head->table[table].backed, __ATOMIC_RELAXED);
    used = used < backed ? used : backed;
    return used < region[table].max ? used : region[table].max;
}

bool ms_live_read(const ms_process *p, int table, uint32_t first, uint32_t n, void *out)
{
    char *to = out;
    size_t left = n * region[table].entry;
    off_t at = (off_t)(region[table].offset + first * region[table].entry);
    while (left) {
        ssize_t got = pread(p->fd, to, left, at);
        if (got <= 0)
            return false;
        to += got;
        at += got;
        left -= (size_t)got;
    }
    return true;
}

/* Room for n entries of size bytes in a block that has room for *room; new entries are zero. */
static bool grow(void *block, uint32_t *room, uint32_t n, size_t size)
{
    if (n <= *room)
        return true;
    uint32_t more = *room ? *room : 64;
    while (more < n)
        more *= 2;
    void *old, *next;
    memcpy(&old, block, sizeof old);
    next = ms_sys_resize(old, *room * size, more * size);
    if (next == NULL)
        return false;
    memcpy(block, &next, sizeof next);
    *room = more;
    return true;
}

/* Exact mode: learn the sites of nodes that are new. */
static ms_err nodes_learn(ms_session *s, ms_process *p)
{
    uint32_t used = ms_live_used(p, MS_T_NODE), known = p->nnode, room = 0;
    if (used <= known)
        return MS_OK;
    while (room < known) /* as grow() made it */
        room = room ? room * 2 : 64;
    if (!grow(&p->node_site, &room, used, sizeof *p->node_site))
        return MS_ENOMEM;
    ms_node *node = s->buffer;
    for (uint32_t i = known; i < used;) {
        uint32_t n = MS_BUFFER / sizeof *node;
        n = used - i < n ? used - i : n;
        if (!ms_live_read(p, MS_T_NODE, i, n, node))
            return MS_EIO;
        for (uint32_t k = 0; k < n; k++)
            p->node_site[i + k] = node[k].site;
        i += n;
        p->nnode = i;
    }
    return MS_OK;
}

/* Has the interpreter begun to take itself down? What is counted at that moment stands. */
bool ms_ended(const ms_process *p) { return __atomic_load_n(&p->head->ended, __ATOMIC_ACQUIRE) == 1; }

static uint32_t site_of(const ms_process *p, uint32_t owner, uint32_t nsite)
{
    if (p->mode == MS_MODE_EXACT)
        owner = owner < p->nnode ? p->node_site[owner] : 0;
    return owner < nsite ? owner : 0;
}

static void widen(uint64_t *wide, uint32_t counter) { *wide += (uint32_t)(counter - (uint32_t)*wide); }

static uint64_t freed_of(const uint64_t wide[MS_COUNTERS])
{
    uint64_t freed = 0;
    for (int k = 0; k < MS_COUNTERS; k++)
        freed += wide[k];
    return freed;
}

static uint64_t less(uint64_t a, uint64_t b) { return a > b ? a - b : 0; }
static uint64_t at_most(uint64_t a, uint64_t most) { return a < most ? a : most; }

/* Read all extras that are there now. */
static ms_err extras_read(ms_process *p)
{
    uint32_t used = ms_live_used(p, MS_T_EXTRA), room = 0;
    while (room < p->nextra)
        room = room ? room * 2 : 64;
    uint32_t also = room;
    if (!grow(&p->extra, &room, used, sizeof *p->extra))
        return MS_ENOMEM;
    if (!grow(&p->older, &also, used, sizeof *p->older)) {
        p->extra = ms_sys_resize(p->extra, room * sizeof *p->extra, also * sizeof *p->extra); /* both have the same room */
        return MS_ENOMEM;
    }
    p->nextra = used > p->nextra ? used : p->nextra;
    if (used && !ms_live_read(p, MS_T_EXTRA, 0, used, p->extra))
        return MS_EIO;
    for (uint32_t i = 1; i < used; i++)
        for (int k = 0; k < MS_AGES; k++)
            widen(&p->older[i][k], (&p->extra[i].older[0])[k]);
    return MS_OK;
}

typedef void tally_fn(ms_process *p, const ms_count *c, const ms_tally *t, const ms_extra *x, const uint64_t wide[MS_COUNTERS], void *arg);

static ms_err each_tally(ms_session *s, ms_process *p, tally_fn *fn, void *arg)
{
    if (p->mode == MS_MODE_EXACT)
        MS_TRY(nodes_learn(s, p));
    uint32_t used = ms_live_used(p, MS_T_TALLY), counts = ms_live_used(p, MS_T_COUNT), room = 0;
    used = used < counts ? used : counts;
    while (room < p->nyoung)
        room = room ? room * 2 : 64;
    if (!grow(&p->young, &room, used, sizeof *p->young))
        return MS_ENOMEM;
    p->nyoung = used > p->nyoung ? used : p->nyoung;
    MS_TRY(extras_read(p));
    enum { EACH = MS_BUFFER / (sizeof(ms_count) + sizeof(ms_tally)) };
    ms_tally *tally = s->buffer;
    ms_count *count = (ms_count *)(tally + EACH);
    for (uint32_t i = 0; i < used;) {
        uint32_t n = used - i < EACH ? used - i : EACH;
        if (!ms_live_read(p, MS_T_TALLY, i, n, tally) || !ms_live_read(p, MS_T_COUNT, i, n, count))
            return MS_EIO;
        for (uint32_t k = 0; k < n; k++) {
            static const ms_extra none;
            uint32_t at = tally[k].extra / (uint32_t)sizeof(ms_extra);
            uint64_t wide[MS_COUNTERS] = {0};
            at = at < p->nextra ? at : 0; /* 0 too where it came after they were read: it is counted the next time */
            widen(&p->young[i + k], count[k].young);
            wide[0] = p->young[i + k];
            if (at)
                memcpy(wide + 1, p->older[at], sizeof p->older[at]);
            fn(p, &count[k], &tally[k], at ? &p->extra[at] : &none, wide, arg);
        }
        i += n;
    }
    return MS_OK;
}

typedef struct {
    uint64_t (*by_site)[2];
    uint32_t nsite;
    uint64_t blocks, bytes, allocated, births;
} reading;

static void read_one(ms_process *p, const ms_count *c, const ms_tally *t, const ms_extra *x, const uint64_t wide[MS_COUNTERS], void *arg)
{
    reading *r = arg;
    uint64_t born = less(c->live + freed_of(wide), t->inherited), live, allocated;
    uint32_t stride = t->stride & ~MS_TALLY_LOCKED;
    if (stride) {
        live = (uint64_t)c->live * stride;
        allocated = born * stride;
    } else {
        live = x->live_bytes;
        allocated = less(x->live_bytes + x->freed_bytes, x->inherited_bytes);
    }
    r->births += born;
    r->blocks += c->live;
    r->bytes += live;
    r->allocated += allocated;
    if (r->by_site) {
        uint32_t site = site_of(p, t->owner, r->nsite);
        r->by_site[site][0] += live;
        r->by_site[site][1] += allocated;
    }
}

ms_err ms_tally_read(ms_session *s, ms_process *p, uint64_t (*by_site)[2], uint32_t nsite)
{
    reading r = {by_site, nsite, 0, 0, 0, 0};
    MS_TRY(each_tally(s, p, read_one, &r));
    p->live_blocks = r.blocks;
    p->live_bytes = r.bytes;
    p->allocated_bytes = r.allocated;
    return MS_OK;
}

uint64_t ms_births(ms_session *s, ms_process *p)
{
    reading r = {NULL, 0, 0, 0, 0, 0};
    return each_tally(s, p, read_one, &r) == MS_OK ? r.births : 1;
}

typedef struct {
    ms_sum  *site, *node;
    uint32_t nsite, nnode, gen;
    bool     on_peak;
} summing;

/* a * b / c without overflow, rounded down */
static uint64_t share(uint64_t a, uint64_t b, uint64_t c) { return c ? (uint64_t)((unsigned __int128)a * b / c) : 0; }

static void sum_add(ms_sum *to, const ms_sum *x)
{
    uint64_t *a = (uint64_t *)to;
    const uint64_t *b = (const uint64_t *)x;
    for (size_t i = 0; i < sizeof *to / sizeof *a; i++)
        a[i] += b[i];
}

static void sum_one(ms_process *p, const ms_count *c, const ms_tally *t, const ms_extra *e, const uint64_t age[MS_COUNTERS], void *arg)
{
    summing *m = arg;
    uint32_t site = site_of(p, t->owner, m->nsite);
    bool locked = t->stride & MS_TALLY_LOCKED; /* outside the sums, without a peak: what lives now stands for it */
    uint32_t stride = t->stride & ~MS_TALLY_LOCKED;
    ms_sum x = {.live_blocks = c->live, .freed_blocks = freed_of(age)};

    x.inherited_blocks = at_most(t->inherited, x.live_blocks + x.freed_blocks);
    x.allocated_blocks = x.live_blocks + x.freed_blocks - x.inherited_blocks;
    x.gc_freed_blocks = age[MS_AGE_GC];
    x.temporary_blocks = age[0];

    bool as_live = m->on_peak || locked || c->gen != m->gen;
    x.peak_blocks = locked ? x.live_blocks : as_live ? c->live : c->peak;
    if (stride) {
        x.allocated_bytes = x.allocated_blocks * stride;
        x.freed_bytes = x.freed_blocks * stride;
        x.live_bytes = x.live_blocks * stride;
        x.peak_bytes = x.peak_blocks * stride;
        x.gc_freed_bytes = x.gc_freed_blocks * stride;
        x.temporary_bytes = x.temporary_blocks * stride;
        x.inherited_bytes = x.inherited_blocks * stride;
    } else {
        x.live_bytes = e->live_bytes;
        x.freed_bytes = at_most(e->freed_bytes, UINT64_MAX - x.live_bytes);
        x.inherited_bytes = at_most(e->inherited_bytes, x.live_bytes + x.freed_bytes);
        x.allocated_bytes = x.live_bytes + x.freed_bytes - x.inherited_bytes;
        x.peak_bytes = locked ? x.live_bytes : as_live ? e->live_bytes : e->peak_bytes;
        x.gc_freed_bytes = at_most(e->gc_bytes, x.freed_bytes);
        /* Which of the freed bytes were temporary is not counted: as many as of the blocks. */
        x.temporary_bytes = share(x.freed_bytes - x.gc_freed_bytes, age[0], x.freed_blocks - x.gc_freed_blocks);
    }
    /* The age of what the collector freed is not counted. It is spread over the ages from one epoch up
     * as the blocks are that were freed there without it; where there are none, one epoch it is. */
    memcpy(x.lifetimes, age, sizeof x.lifetimes);
    uint64_t older = x.freed_blocks - age[0] - age[MS_AGE_GC], left = age[MS_AGE_GC];
    for (int k = 1; k < MS_AGES && older; k++) {
        uint64_t part = share(age[MS_AGE_GC], age[k], older);
        x.lifetimes[k] += part;
        left -= part;
    }
    x.lifetimes[1] += left;

    sum_add(&m->site[site], &x);
    if (m->node && t->owner < m->nnode)
        sum_add(&m->node[t->owner], &x);
}

ms_err ms_tally_sum(ms_session *s, ms_process *p, ms_sum *site, uint32_t nsite, ms_sum *node, uint32_t nnode)
{
    const ms_live *head = p->head;
    summing m = {site, node, nsite, nnode, __atomic_load_n(&head->gen, __ATOMIC_RELAXED),
                 ms_on_peak(head)};
    return each_tally(s, p, sum_one, &m);
}
