/* check.c -- is an analysis what follows from its graph? Said by looking at each edge once: not a proof that every dominator is
 * the nearest, but no wrong size, no node in two places and no edge around a dominator gets past it.
 *
 * What it names is a broken rule of graph.h. Costs: a search in the heavies for each node; for tests and for doubts. */
#include "graph/graph.h"

#include <string.h>

static uint64_t retained_of(const ms_analysis *a, uint32_t h, int k)
{
    return a->retained[k][h];
}

static uint32_t heavy_place(const ms_analysis *a, uint32_t v) /* MS_NONE: not heavy */
{
    uint32_t low = 0, high = a->heavies;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (a->heavy[middle] < v)
            low = middle + 1;
        else
            high = middle;
    }
    return low < a->heavies && a->heavy[low] == v ? low : MS_NONE;
}

static const char *retained_check(const ms_graph *g, const ms_analysis *a, uint64_t *sum)
{
    for (uint32_t h = 1; h < a->heavies; h++)
        if (a->heavy[h - 1] >= a->heavy[h])
            return "heavies are not ascending";
    for (int k = 0; k < MS_SIZES; k++) {
        memset(sum, 0, (size_t)g->nodes * sizeof *sum);
        for (uint32_t v = 1; v < g->nodes; v++) {
            uint32_t h = heavy_place(a, v);
            if (heavy_place(a, a->idom[v]) == MS_NONE)
                return "a node that dominates another one is not heavy";
            sum[a->idom[v]] += h == MS_NONE ? ms_node_bytes(g, v, k) : retained_of(a, h, k);
        }
        for (uint32_t h = 0; h < a->heavies; h++)
            if ((retained_of(a, h, k) - ms_node_bytes(g, a->heavy[h], k) - sum[a->heavy[h]]) << 1) /* sums go round at 2^63 */
                return "a node does not retain itself and what its children retain";
    }
    return NULL;
}

static const char *dominators_check(const ms_graph *g, const ms_analysis *a, uint64_t *depth)
{
    memset(depth, 0, (size_t)g->nodes * sizeof *depth);
    depth[0] = 1;
    for (uint32_t v = 1; v < g->nodes; v++) {
        uint64_t steps = 0;
        uint32_t u = v;
        for (; depth[u] == 0; u = a->idom[u])
            if (a->idom[u] >= g->nodes || ++steps > g->nodes)
                return "dominators go in circles or lead nowhere";
        steps += depth[u];
        for (u = v; depth[u] == 0; u = a->idom[u])
            depth[u] = steps--;
    }
    for (uint32_t v = 0; v < g->nodes; v++) /* the dominator of a target is its owner, or above it */
        for (uint32_t e = g->first[v]; e < g->first[v + 1] && (v != g->garbage || v == 0); e++) {
            uint32_t t = MS_EDGE_TARGET(g->to[e]), u = v;
            if (MS_EDGE_KIND(g->to[e]) != MS_NORMAL || t == 0 || t == g->garbage || t == v)
                continue;
            uint64_t limit = 1000; /* a long way up is not followed to its end: this is a check, not a proof */
            while (depth[u] > depth[a->idom[t]] && --limit)
                u = a->idom[u];
            if (limit && u != a->idom[t])
                return "an edge goes round a dominator";
        }
    return NULL;
}

static const char *cycles_check(const ms_graph *g, const ms_cycles *s, uint64_t *seen)
{
    memset(seen, 0, (size_t)g->nodes * sizeof *seen);
    if (s->first == NULL || s->first[0] != 0 || s->first[s->n] != s->members)
        return "the cycles are not all members";
    for (uint32_t c = 0; c < s->n; c++) {
        uint64_t bytes = 0;
        if (s->first[c + 1] <= s->first[c])
            return "a cycle without members";
        for (uint32_t i = s->first[c]; i < s->first[c + 1]; i++) {
            if (s->node[i] >= g->nodes || seen[s->node[i]]++)
                return "a node in two cycles";
            if (i > s->first[c] && s->node[i - 1] >= s->node[i])
                return "members are not ascending";
            bytes += ms_node_bytes(g, s->node[i], MS_ALLOCATED);
        }
        if (bytes != s->bytes[c])
            return "a cycle's bytes are not those of its members";
        if (c && s->bytes[c - 1] < bytes)
            return "cycles are not sorted";
    }
    return NULL;
}

const char *ms_analysis_check(const ms_graph *g, const ms_analysis *a)
{
    size_t size = (size_t)g->nodes * sizeof(uint64_t);
    uint64_t *room = ms_sys_alloc(size);
    if (room == NULL)
        return "no memory to check in";
    const char *wrong = a->nodes != g->nodes ? "an analysis of another graph" : NULL;
    if (!wrong && a->idom)
        wrong = dominators_check(g, a, room);
    if (!wrong && a->idom && a->heavy)
        wrong = retained_check(g, a, room);
    if (!wrong && a->cycles.first)
        wrong = cycles_check(g, &a->cycles, room);
    ms_sys_free(room, size);
    return wrong;
}
