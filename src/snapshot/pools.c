/* pools.c -- the blocks of Python's own small-object allocator, where memsure's heap is not the one in use.
 *
 * An object of a type without collection that only C code holds is on no list. In memsure's slabs every block is
 * found anyway; pymalloc keeps its books in the memory itself: pools of 16 KiB, each of one size, which begin with a header (blocks in
 * use, list of free blocks, how far it was ever cut). A pool is known by an object in it; its neighbours of the same arena are looked at,
 * too. What a header says is checked against itself before it is believed. A pool whose blocks in use are all accounted for by marks
 * needs no second look, which makes this cheap: of those that were looked at only the others are, again.
 *
 * The same books say whether an address that was found somewhere is that of a block in use: a free one holds what is left of something
 * long gone, and might look like one of malloc's.
 *
 * The layout is that of 3.10 to 3.15 on 64 bits. */
#include "snapshot/child.h"

enum { POOL = 16384, POOL_WORDS = POOL / 1024, HEADER = 48, ARENA_POOLS = 64, AHEAD = 8 };

typedef struct {
    uint64_t    count;     /* the lower half */
    uintptr_t   free;
    void       *next, *prev;
    uint32_t    arena, size_class, used_to, last;
} pool;

MS_ANY_MEMORY static uint32_t block_size(const pool *p) { return (p->size_class + 1) * 16; }

static bool inside(const ms_child *c, uintptr_t at)
{
    const ms_range *r = MS_VEC_AT(c->anonymous, ms_range);
    for (size_t lo = 0, hi = MS_VEC_N(c->anonymous, ms_range); lo < hi;) {
        size_t mid = (lo + hi) / 2;
        if (at >= r[mid].to)
            lo = mid + 1;
        else if (at < r[mid].from)
            hi = mid;
        else
            return at + POOL <= r[mid].to;
    }
    return false;
}

/* The pool at an address that can be read, one without a block in use perhaps; NULL: there is none. */
MS_ANY_MEMORY static const pool *pool_at(const ms_child *c, uintptr_t at)
{
    const pool *p = (const pool *)at;
    if (!inside(c, at) || p->size_class >= 32)
        return NULL;
    uint32_t size = block_size(p), count = (uint32_t)p->count;
    if (p->last != POOL - size || p->used_to < HEADER + size || p->used_to > POOL || (p->used_to - HEADER) % size ||
        count > (p->used_to - HEADER) / size)
        return NULL;
    return p;
}

/* Its free blocks, a bit for each place of its size; false: it is no pool after all. */
MS_ANY_MEMORY static bool free_blocks(const pool *p, uint64_t free[POOL / 16 / 64])
{
    uint32_t size = block_size(p), left = (p->used_to - HEADER) / size - (uint32_t)p->count;
    for (uintptr_t f = p->free; f && left > 0; left--) {
        uintptr_t place = f - (uintptr_t)p;
        if (place < HEADER || place >= p->used_to || (place - HEADER) % size)
            return false;
        free[(place - HEADER) / size >> 6] |= 1ull << ((place - HEADER) / size & 63);
        f = *(const uintptr_t *)f;
    }
    return true;
}

/* Objects and owned blocks that are marked in the pool. */
static uint32_t marked(const ms_child *c, uintptr_t at)
{
    const ms_chunk_map *k = ms_marks_at(&c->marks, at), *r = ms_marks_at(&c->raw, at);
    uint32_t n = 0;
    for (uint32_t i = 0, w = at >> 10 & (MS_WORDS - 1); i < POOL_WORDS; i++, w++)
        n += (k ? ms_bits(k->word[w].seen) : 0) + (r ? ms_bits(r->word[w].seen) : 0);
    return n;
}

/* False: its blocks in use are all accounted for. */
MS_ANY_MEMORY static bool visit_pool(ms_child *c, uintptr_t at, ms_block_fn *visit, void *arg)
{
    const pool *p = pool_at(c, at);
    uint64_t free[POOL / 16 / 64] = {0};
    if (p == NULL || marked(c, at) == (uint32_t)p->count)
        return false;
    if (!free_blocks(p, free))
        return false;
    for (uint32_t place = HEADER, i = 0, size = block_size(p); place < p->used_to; place += size, i++)
        if (!(free[i >> 6] >> (i & 63) & 1))
            visit((void *)(at + place), 0, size, arg);
    return true;
}

static uint64_t bit_of(uintptr_t at) { return 1ull << (at / POOL & 63); }
static uint64_t *looked_at(ms_chunk_map *k, uintptr_t at) { return &k->pools[at / POOL / 64 & 1]; }

static void know(ms_child *c, uintptr_t p)
{
    ms_chunk_map *k = ms_chunk_want(c, &c->raw, p);
    k->word[p >> 10 & (MS_WORDS - 1)].seen |= 1ull << (p >> 4 & 63);
}

MS_ANY_MEMORY bool ms_pool_block(ms_child *c, uintptr_t p, uint64_t *room)
{
    uintptr_t at = p & ~(uintptr_t)(POOL - 1), place = p - at;
    const pool *q = pool_at(c, at);
    uint64_t free[POOL / 16 / 64] = {0};
    *room = 0;
    if (q == NULL)
        return false;
    uint32_t size = block_size(q);
    if (!ms_marks_has(&c->raw, at)) { /* asked about for the first time */
        if (!free_blocks(q, free))
            return false;
        know(c, at);
        for (uint32_t i = 0; i < (q->used_to - HEADER) / size; i++)
            if (free[i >> 6] >> (i & 63) & 1)
                know(c, at + HEADER + i * size);
    }
    if (place >= HEADER && place < q->used_to && (place - HEADER) % size == 0 && !ms_marks_has(&c->raw, p))
        *room = size;
    return true;
}

void ms_pools_visit(ms_child *c, ms_block_fn *visit, void *arg)
{
    /* Those that were looked at before, and were not whole. */
    const uintptr_t *again = MS_VEC_AT(c->pools, uintptr_t);
    for (size_t i = 0; i < MS_VEC_N(c->pools, uintptr_t); i++)
        visit_pool(c, again[i], visit, arg);
    uintptr_t done = 0; /* all below it was looked at */
    for (ms_chunk_map *k = NULL; (k = ms_marks_next(&c->marks, 0, k)) != NULL;) {
        if (ms_heap_has(c->heap, (void *)k->base) || ms_heap_has(c->raw_heap, (void *)k->base))
            continue;
        for (uint32_t w = 0; w < MS_WORDS; w += POOL_WORDS) {
            uintptr_t at = k->base + ((uintptr_t)w << 10);
            uint64_t any = 0;
            if (at < done || *looked_at(k, at) & bit_of(at))
                continue;
            __builtin_prefetch((const void *)(at + AHEAD * POOL));
            for (uint32_t i = 0; i < POOL_WORDS; i++)
                any |= k->word[w + i].seen;
            const pool *p = any ? pool_at(c, at) : NULL;
            if (p == NULL)
                continue;
            uint32_t arena = p->arena;
            uintptr_t from = at, to = at + POOL;
            for (int i = 1; i < ARENA_POOLS && from - POOL >= done && inside(c, from - POOL); i++) {
                const pool *q = pool_at(c, from - POOL);
                if (q && q->arena != arena)
                    break;
                from -= POOL;
            }
            for (int i = 1; i < ARENA_POOLS && inside(c, to); i++) {
                const pool *q = pool_at(c, to);
                if (q && q->arena != arena)
                    break;
                to += POOL;
            }
            for (at = from; at < to; at += POOL) {
                ms_chunk_map *of = ms_marks_at(&c->marks, at);
                if (of && *looked_at(of, at) & bit_of(at))
                    continue;
                if (visit_pool(c, at, visit, arg))
                    MS_PUSH(c, c->pools, uintptr_t, at);
                if (of)
                    *looked_at(of, at) |= bit_of(at);
            }
            done = to;
        }
    }
}
