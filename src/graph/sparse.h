/* sparse.h -- a number for each node, most of them 0: memory is used for stretches of nodes that have any.
 *
 * Most questions are about some of the nodes, and for arrays as long as the heap the system clears more memory than the answer
 * takes. Stretches of 256 nodes get their place one after the other, when something is first put there. Place 0 is that of all
 * others and stays empty. */
#ifndef MS_GRAPH_SPARSE_H
#define MS_GRAPH_SPARSE_H

#include "base/base.h"

typedef struct {
    uint32_t *place; /* of each stretch */
    uint32_t *at;
    uint32_t  stretches, used;
} ms_sparse;

static inline void ms_sparse_free(ms_sparse *s)
{
    ms_sys_free(s->place, (size_t)s->stretches * sizeof *s->place);
    ms_sys_free(s->at, ((size_t)s->stretches + 1) * 256 * sizeof *s->at);
    *s = (ms_sparse){0};
}

static inline ms_err ms_sparse_new(ms_sparse *s, uint32_t nodes)
{
    s->used = 0;
    s->stretches = nodes / 256 + 1;
    s->place = ms_sys_alloc((size_t)s->stretches * sizeof *s->place);
    s->at = ms_sys_alloc_big(((size_t)s->stretches + 1) * 256 * sizeof *s->at); /* what is not used is never touched */
    if (s->place && s->at)
        return MS_OK;
    ms_sparse_free(s);
    return MS_ENOMEM;
}

static inline uint32_t ms_sparse_get(const ms_sparse *s, uint32_t v)
{
    return s->at[(size_t)s->place[v >> 8] << 8 | (v & 255)];
}

static inline void ms_sparse_set(ms_sparse *s, uint32_t v, uint32_t number)
{
    uint32_t *place = &s->place[v >> 8];
    if (*place == 0)
        *place = ++s->used;
    s->at[(size_t)*place << 8 | (v & 255)] = number;
}

#endif
