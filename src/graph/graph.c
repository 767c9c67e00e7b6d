/* graph.c -- the arrays themselves: are they sound, where does an edge come from, who refers to a node.
 *
 * A graph is the caller's arrays, perhaps out of a file that somebody made up; ms_graph_check() is the gate that all
 * other functions rely on. */
#include "graph/graph.h"

#include <string.h>

static const char *shapes_check(const ms_graph *g)
{
    if (g->shape_wide == 0)
        return NULL;
    if (g->shape_wide != 2 && g->shape_wide != 4)
        return "shape numbers are neither 2 nor 4 bytes wide";
    if (g->shapes > INT32_MAX)
        return "there are more shapes than can be";
    uint32_t highest = 0;
    for (uint32_t v = 0; v < g->nodes; v++) {
        uint32_t s = ms_node_shape(g, v);
        highest = s > highest ? s : highest;
    }
    if (highest >= g->shapes)
        return "a node has a shape that does not exist";
    for (uint32_t s = 0; g->shape_type && s < g->shapes; s++)
        if (g->shape_type[s] >= g->types)
            return "a shape has a type that does not exist";
    for (uint32_t t = 0; g->shape_type && g->type_node && t < g->types; t++)
        if (g->type_node[t] >= g->nodes || (g->type_node[t] == g->garbage && g->garbage))
            return "a type is not an object";
    return NULL;
}

const char *ms_graph_check(const ms_graph *g)
{
    if (g->nodes == 0)
        return "there is no root";
    if (g->nodes >= MS_NODES_MAX)
        return "there are more nodes than an edge can name";
    if (g->garbage >= g->nodes)
        return "the garbage is not a node";
    if (g->first[0] != 0 || g->first[g->nodes] != g->edges)
        return "the nodes' edges are not all edges";
    uint32_t falls = 0;
    for (uint32_t v = 0; v < g->nodes; v++)
        falls |= g->first[v] > g->first[v + 1];
    if (falls)
        return "a node's edges end before they begin";
    uint32_t highest = 0;
    for (uint32_t e = 0; e < g->edges; e++) {
        uint32_t t = MS_EDGE_TARGET(g->to[e]);
        highest = t > highest ? t : highest;
    }
    if (highest >= g->nodes)
        return "an edge leads to a node that does not exist";
    return shapes_check(g);
}

ms_err ms_first_new(const uint8_t *degree, uint32_t nodes, const uint32_t *wide_node, const uint32_t *wide_degree,
                    uint64_t wides, uint64_t edges, uint32_t **first)
{
    *first = NULL;
    if (edges > UINT32_MAX || nodes >= MS_NODES_MAX)
        return MS_ELIMIT;
    uint32_t *out = ms_sys_alloc(((size_t)nodes + 1) * sizeof *out);
    if (out == NULL)
        return MS_ENOMEM;
    uint64_t sum = 0, k = 0;
    for (uint32_t v = 0; v < nodes; v++) {
        out[v] = (uint32_t)sum;
        uint32_t d = degree[v];
        if (MS_UNLIKELY(d == 255)) {
            if (k == wides || wide_node[k] != v)
                break;
            d = wide_degree[k++];
        }
        sum += d;
        if (MS_UNLIKELY(sum > edges))
            break;
        out[v + 1] = (uint32_t)sum;
    }
    if (k != wides || sum != edges || out[nodes] != edges) {
        ms_sys_free(out, ((size_t)nodes + 1) * sizeof *out);
        return MS_EDAMAGED;
    }
    *first = out;
    return MS_OK;
}

uint32_t ms_edge_owner(const ms_graph *g, uint32_t edge)
{
    uint32_t low = 0, high = g->nodes; /* first[low] <= edge < first[high] */
    while (high - low > 1) {
        uint32_t middle = low + (high - low) / 2;
        if (g->first[middle] <= edge)
            low = middle;
        else
            high = middle;
    }
    return low;
}

/* ---- predecessors ------------------------------------------------------------------------------------------------ */

ms_err ms_preds_new(const ms_graph *g, ms_preds **out)
{
    *out = NULL;
    ms_preds *p = ms_sys_alloc(sizeof *p);
    if (p == NULL)
        return MS_ENOMEM;
    p->nodes = g->nodes;
    p->first = ms_sys_alloc(((size_t)g->nodes + 1) * sizeof *p->first);
    if (p->first == NULL) {
        ms_preds_delete(p);
        return MS_ENOMEM;
    }
    for (uint32_t e = 0; e < g->edges; e++) { /* first[v + 1] counts, then first[v] is where the next of v goes */
        __builtin_prefetch(&p->first[MS_EDGE_TARGET(g->to[e + 24 < g->edges ? e + 24 : e])], 1);
        uint32_t t = MS_EDGE_TARGET(g->to[e]);
        if (t != 0) {
            p->first[t]++;
            p->edges++;
        }
    }
    uint32_t sum = 0;
    for (uint32_t v = 0; v <= g->nodes; v++) {
        uint32_t d = v < g->nodes ? p->first[v] : 0;
        p->first[v] = sum;
        sum += d;
    }
    p->edge = ms_sys_alloc((size_t)p->edges * sizeof *p->edge);
    if (p->edge == NULL) {
        ms_preds_delete(p);
        return MS_ENOMEM;
    }
    for (uint32_t e = 0; e < g->edges; e++) {
        __builtin_prefetch(&p->first[MS_EDGE_TARGET(g->to[e + 24 < g->edges ? e + 24 : e])], 1);
        uint32_t t = MS_EDGE_TARGET(g->to[e]);
        if (t != 0)
            p->edge[p->first[t]++] = e;
    }
    for (uint32_t v = g->nodes; v > 0; v--) /* each stands now where the next began */
        p->first[v] = p->first[v - 1];
    p->first[0] = 0;
    *out = p;
    return MS_OK;
}

void ms_preds_delete(ms_preds *p)
{
    if (p == NULL)
        return;
    ms_sys_free(p->first, ((size_t)p->nodes + 1) * sizeof *p->first);
    ms_sys_free(p->edge, (size_t)p->edges * sizeof *p->edge);
    ms_sys_free(p, sizeof *p);
}
