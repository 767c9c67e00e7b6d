/* vec.h -- arrays that grow, and a table from keys to rows, for the answers. Memory from the system. */
#ifndef MS_GRAPH_VEC_H
#define MS_GRAPH_VEC_H

#include "base/base.h"

#include <string.h>

/* An array of any struct: VEC(T) {T *at; size_t n, room;}. */
#define MS_VEC(T)       \
    struct {            \
        T     *at;      \
        size_t n, room; \
    }

static inline ms_err ms_vec_grow_(void **at, size_t n, size_t *room, size_t size)
{
    if (MS_LIKELY(n < *room))
        return MS_OK;
    size_t want = *room ? *room * 2 : 4096 / size + 1;
    void *grown = ms_sys_resize(*at, *room * size, want * size);
    if (grown == NULL)
        return MS_ENOMEM;
    *at = grown;
    *room = want;
    return MS_OK;
}

/* Room for one more; then write at[n++]. */
#define MS_VEC_ROOM(v)  ms_vec_grow_((void **)&(v)->at, (v)->n, &(v)->room, sizeof *(v)->at)
#define MS_VEC_FREE(v)  (ms_sys_free((v)->at, (v)->room * sizeof *(v)->at), (v)->at = NULL, (v)->n = (v)->room = 0)

/* (a, b, c) -> row. Open addressing, at most half full. Row 0xffffffff is none. */
typedef struct {
    struct { uint32_t a, b, c, row; } *slot;
    size_t room, n; /* room: a power of two, or 0 */
} ms_table;

static inline uint64_t ms_hash3(uint32_t a, uint32_t b, uint32_t c)
{
    uint64_t h = (uint64_t)a * 0x9E3779B97F4A7C15u ^ (uint64_t)b * 0xC2B2AE3D27D4EB4Fu ^ (uint64_t)c * 0x165667B19E3779F9u;
    h ^= h >> 29;
    h *= 0xBF58476D1CE4E5B9u;
    return h ^ h >> 32;
}

static inline ms_err ms_table_grow_(ms_table *t)
{
    ms_table bigger = {.room = t->room ? t->room * 2 : 256};
    bigger.slot = ms_sys_alloc(bigger.room * sizeof *bigger.slot);
    if (bigger.slot == NULL)
        return MS_ENOMEM;
    memset(bigger.slot, 0xff, bigger.room * sizeof *bigger.slot);
    for (size_t i = 0; i < t->room; i++)
        if (t->slot[i].row != UINT32_MAX) {
            size_t at = ms_hash3(t->slot[i].a, t->slot[i].b, t->slot[i].c) & (bigger.room - 1);
            while (bigger.slot[at].row != UINT32_MAX)
                at = (at + 1) & (bigger.room - 1);
            bigger.slot[at] = t->slot[i];
        }
    bigger.n = t->n;
    ms_sys_free(t->slot, t->room * sizeof *t->slot);
    *t = bigger;
    return MS_OK;
}

/* The row of a key; where there is none yet it becomes `row`, and *new is true. */
static inline ms_err ms_table_row(ms_table *t, uint32_t a, uint32_t b, uint32_t c, uint32_t row, uint32_t *out, bool *new)
{
    if (2 * (t->n + 1) > t->room)
        MS_TRY(ms_table_grow_(t));
    size_t at = ms_hash3(a, b, c) & (t->room - 1);
    while (t->slot[at].row != UINT32_MAX) {
        if (t->slot[at].a == a && t->slot[at].b == b && t->slot[at].c == c) {
            *out = t->slot[at].row;
            *new = false;
            return MS_OK;
        }
        at = (at + 1) & (t->room - 1);
    }
    t->slot[at].a = a;
    t->slot[at].b = b;
    t->slot[at].c = c;
    t->slot[at].row = *out = row;
    t->n++;
    *new = true;
    return MS_OK;
}

static inline void ms_table_free(ms_table *t)
{
    ms_sys_free(t->slot, t->room * sizeof *t->slot);
    *t = (ms_table){0};
}

#endif
