/* marks.c -- which addresses are objects: a bit for each 16 bytes, kept by chunks of 2 MiB.
 *
 * Marking sets a bit; an object's number is its rank among the bits, in the order of addresses. The
 * words of 64 bits and their ranks lie together, 16 bytes for each KiB of heap, so that a question
 * costs one cache line: 1/64 of the heap in all. A prototype with a hash table took 3.8 times as long.
 *
 * Always true:
 *   K1  chunk number n is by_number[n] (0: a second thread made it, and it has none yet); its base is a multiple of 2 MiB, with 8 added in plane 1
 *   K2  once ranks stand: rank of a word = bits in all words before it, chunk after chunk */
#include "snapshot/child.h"


#define BATCH 256u /* 12 MiB: of each huge page all is used */

static uint64_t vec_limit = UINT64_MAX;

void ms_vec_limit(uint64_t bytes) { vec_limit = bytes / 4; }

MS_COLD bool ms_vec_grow(ms_vec *v, size_t more)
{
    size_t room = v->room ? v->room : 1u << 16;
    while (room < v->used + more)
        room *= 2;
    char *at = room > vec_limit && room > 1u << 20 ? NULL : ms_sys_resize(v->at, v->room, room);
    if (at == NULL)
        return false;
    v->at = at;
    v->room = room;
    return true;
}

void ms_vec_reserve(ms_vec *v, size_t room)
{
    if (v->at == NULL && room >= 1u << 20 && (v->at = ms_sys_alloc_big(room)) != NULL)
        v->room = room;
}

void ms_vec_free(ms_vec *v)
{
    ms_sys_free(v->at, v->room);
    *v = (ms_vec){NULL, 0, 0};
}

static bool batch_room(ms_marks *m)
{
    if (m->batch_left == 0 && (m->batch = ms_sys_alloc_big(BATCH * sizeof(ms_chunk_map))) != NULL)
        m->batch_left = BATCH;
    return m->batch_left != 0;
}

/* There is room in by_number. */
static ms_err number(ms_marks *m, ms_chunk_map *k)
{
    if (MS_VEC_N(m->by_number, void *) >= 1u << (32 - MS_GRANULES))
        return MS_ELIMIT;
    k->number = (uint32_t)MS_VEC_N(m->by_number, void *);
    MS_VEC_AT(m->by_number, ms_chunk_map *)[k->number] = k;
    m->by_number.used += sizeof(void *);
    return MS_OK;
}

MS_COLD ms_chunk_map *ms_marks_chunk_beside(ms_marks *m, uintptr_t p)
{
    ms_leaf *leaf = p >> MS_ADDRESS_BITS || p < 4096 || p & 7 ? NULL : m->leaf[p >> MS_LEAF_SHIFT];
    if (leaf == NULL)
        return NULL;
    ms_chunk_map **at = &leaf->chunk[p >> 3 & 1][p >> MS_CHUNK_SHIFT & 8191], *there = __atomic_load_n(at, __ATOMIC_ACQUIRE);
    if (there || !batch_room(m))
        return there;
    ms_chunk_map *k = (ms_chunk_map *)(void *)m->batch;
    k->base = (p & ~(uintptr_t)((1u << MS_CHUNK_SHIFT) - 1)) | (p & 8);
    if (!__atomic_compare_exchange_n(at, &there, k, false, __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
        return there; /* the other one was first: k is the next one's */
    m->batch += sizeof *k;
    m->batch_left--;
    return k;
}

MS_COLD ms_chunk_map *ms_marks_chunk(ms_marks *m, uintptr_t p, ms_err *err)
{
    *err = MS_OK;
    if (p >> MS_ADDRESS_BITS || p < 4096 || p & 7)
        return NULL;
    *err = MS_ENOMEM;
    ms_leaf **leaf = &m->leaf[p >> MS_LEAF_SHIFT];
    if (*leaf == NULL && (*leaf = ms_sys_alloc(sizeof **leaf)) == NULL)
        return NULL;
    if (m->by_number.used == 0) {
        if (!batch_room(m) || ms_vec_want(&m->by_number, 2 * sizeof(void *)) == NULL)
            return NULL;
        MS_VEC_AT(m->by_number, void *)[0] = m->batch;
        m->batch += sizeof(ms_chunk_map);
        m->batch_left--;
        m->by_number.used = sizeof(void *);
    }
    if (ms_vec_want(&m->by_number, sizeof(void *)) == NULL)
        return NULL;
    ms_chunk_map *k = ms_marks_chunk_beside(m, p);
    if (k && k->number == 0)
        *err = number(m, k);
    else if (k)
        *err = MS_OK;
    return *err == MS_OK ? k : NULL;
}

ms_err ms_marks_number(ms_marks *m)
{
    for (ms_chunk_map *k = NULL; (k = ms_marks_next(m, -1, k)) != NULL;)
        if (k->number == 0)
            MS_TRY(ms_vec_want(&m->by_number, sizeof(void *)) ? number(m, k) : MS_ENOMEM);
    return MS_OK;
}

MS_COLD ms_chunk_map *ms_chunk_want(ms_child *c, ms_marks *m, uintptr_t a)
{
    ms_err err;
    ms_chunk_map *k = ms_marks_chunk(m, a, &err);
    if (k == NULL && err != MS_OK)
        ms_child_fail(c, err, err == MS_ELIMIT ? MS_TOO_WIDE : NULL);
    return k;
}

static ms_chunk_map *next_in_plane(const ms_marks *m, int plane, uintptr_t from)
{
    for (uintptr_t l = from >> MS_LEAF_SHIFT; l < MS_LEAFS; l++, from = l << MS_LEAF_SHIFT) {
        if (m->leaf[l] == NULL)
            continue;
        for (uintptr_t i = from >> MS_CHUNK_SHIFT & 8191; i < 8192; i++)
            if (m->leaf[l]->chunk[plane][i])
                return m->leaf[l]->chunk[plane][i];
    }
    return NULL;
}

ms_chunk_map *ms_marks_next(const ms_marks *m, int plane, const ms_chunk_map *p)
{
    int at = p ? (int)(p->base & 8) >> 3 : plane < 0 ? 0 : plane;
    ms_chunk_map *k = next_in_plane(m, at, p ? (p->base & ~(uintptr_t)8) + (1u << MS_CHUNK_SHIFT) : 0);
    return k || plane >= 0 || at == 1 ? k : next_in_plane(m, 1, 0);
}

uint64_t ms_marks_rank(ms_marks *m)
{
    uint64_t n = 0;
    for (ms_chunk_map *k = NULL; (k = ms_marks_next(m, -1, k)) != NULL;)
        for (uint32_t w = 0; w < MS_WORDS; w++) {
            k->word[w].done = 0;
            k->word[w].rank = (uint32_t)n;
            n += ms_bits(k->word[w].seen);
        }
    return n;
}

const char *ms_marks_check(const ms_marks *m)
{
    for (uint32_t n = 1; n < MS_VEC_N(m->by_number, void *); n++) {
        const ms_chunk_map *k = MS_VEC_AT(m->by_number, ms_chunk_map *)[n];
        if (k->number != n || ms_marks_at(m, k->base) != k)
            return "K1: a chunk is not where its number or its address says";
    }
    uint32_t before = 0, seen = 0;
    for (const ms_chunk_map *k = NULL; (k = ms_marks_next(m, -1, k)) != NULL;)
        for (uint32_t w = 0; w < MS_WORDS; w++) {
            if (k->word[w].rank != seen)
                return "K2: a word's rank is not the bits before it";
            seen += ms_bits(k->word[w].seen);
            before++;
        }
    return before == MS_WORDS * (m->by_number.used ? MS_VEC_N(m->by_number, void *) - 1 : 0) ? NULL : "K1: a chunk is not reached";
}
