/* graph.c -- the arrays themselves: are they sound, where does an edge come from.
 *
 * A graph is the caller's arrays, perhaps out of a file that somebody made up; ms_graph_check() is the gate that all
 * other functions rely on. */
#include "graph/graph.h"

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

bool ms_edge_to(const ms_graph *g, uint32_t v, uint32_t *edge)
{
    enum { AT_ONCE = 256 }; /* edges that are looked at together: few of them lead to v */
    for (uint32_t e = *edge; e < g->edges;) {
        uint32_t end = g->edges - e < AT_ONCE ? g->edges : e + AT_ONCE, any = 0;
        for (uint32_t i = e; i < end; i++)
            any |= MS_EDGE_TARGET(g->to[i]) == v;
        for (; any && e < end; e++)
            if (MS_EDGE_TARGET(g->to[e]) == v) {
                *edge = e;
                return true;
            }
        e = end;
    }
    return false;
}
