/* ways.c -- how objects are reached: the telling way to each, similar ways merged, and who else refers.
 *
 * The shortest way is seldom the telling one: it goes through a type's list of base classes, or the
 * interpreter's table of interned strings. So each edge has a cost (graph.h), by its holder's type and
 * its name: low for what has a name in the program's text, high for the inner workings. A frame's
 * local is as good as a module's variable, but a thread's frames pass: its cost is between.
 *
 * Keys and indexes are merged, unless one of them alone leads to a fifth of what its owner holds.
 *
 * The search looks at the whole heap. A snapshot's child has done it once and for all: the file says who comes before each
 * node, its dominator mostly (ready.c). Then a path is looked up step by step: the edge is the cheapest one of that owner, found
 * for all that the owner leads to at a time. */
#include "graph/steps.h"

#include <stdlib.h>

static ms_err no_memory(ms_why *why)
{
    ms_why_set(why, "cannot look at the snapshot: %s", ms_err_text(MS_ENOMEM));
    return MS_ENOMEM;
}

/* ---- taste ---- */

enum { NAMED = 2, PLAIN = 3, VAGUE = 8, THREAD = 20, INNER = 24, ODD = 40, LAST = 62 };

static uint8_t field_cost(const ms_snap *s, uint32_t name)
{
    static const struct { const char *name; uint8_t cost; } known[] = {
        {"__dict__", 1},      {"__mro__", ODD},      {"__bases__", ODD},    {"__base__", ODD},      {"__subclasses__", ODD},
        {"__globals__", ODD}, {"__builtins__", ODD}, {"__code__", INNER},   {"__closure__", PLAIN}, {"__defaults__", PLAIN},
        {"__weakref__", ODD}, {"__class__", ODD},    {"__module__", INNER}, {"cell_contents", 1},   {"__self__", PLAIN},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (ms_snap_text_is(s, name, known[i].name))
            return known[i].cost;
    return NAMED;
}

/* What it costs to go from the root, or from the group "interpreter", along an edge of this name. */
static uint8_t group_cost(const ms_snap *s, uint32_t node, ms_label label)
{
    static const struct { const char *name; uint8_t cost; } known[] = {
        {"interpreter", 1}, {"sys.modules", 1}, {"modules", 1}, {"thread", THREAD}, {"threads", THREAD},
        {"sys", INNER}, {"builtins", INNER}, {"held outside Python", ODD}, {"immortal objects", LAST}, {"cyclic garbage", LAST},
    };
    uint32_t string;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if ((label.kind == MS_LABEL_NAMED && ms_snap_text_is(s, label.value, known[i].name)) ||
            (node > s->objects && ms_snap_name(s, node, &string) && ms_snap_text_is(s, string, known[i].name)))
            return known[i].cost;
    return INNER;
}

/* The root and the groups below it have a manner of their own, each by its edges. */
typedef struct {
    ms_manner *manner; /* of the shapes, then of the root and the groups */
    uint8_t   *cost;
    size_t     manners, costs;
} tastes;

static void tastes_free(tastes *t)
{
    ms_sys_free(t->manner, t->manners * sizeof *t->manner);
    ms_sys_free(t->cost, t->costs + 1);
}

static bool is_group(const ms_snap *s, uint32_t v)
{
    return v == 0 || v > s->objects;
}

static uint32_t manner_of(const ms_snap *s, uint32_t v)
{
    return is_group(s, v) ? s->n_shapes + (v ? v - s->objects : 0) : ms_snap_id(s->shape, v);
}

static ms_err tastes_new(ms_snap *s, tastes *t)
{
    size_t edges = 0;
    t->manners = (size_t)s->n_shapes + s->nodes - s->objects;
    for (uint32_t v = 0; v < s->nodes; v = v == 0 ? s->objects + 1 : v + 1)
        edges += s->first[v + 1] - s->first[v];
    t->costs = s->n_fields + edges;
    t->manner = ms_sys_alloc(t->manners * sizeof *t->manner);
    t->cost = ms_sys_alloc(t->costs + 1);
    if (!t->manner || !t->cost)
        return MS_ENOMEM;
    for (uint32_t i = 0; i < s->n_fields; i++)
        t->cost[i] = field_cost(s, s->field_name[i]);
    for (uint32_t i = 0; i < s->n_shapes; i++) {
        uint32_t type = s->shape_type[i];
        uint8_t rest = s->type_rest[type];
        t->manner[i] = (ms_manner){s->type_first[type], s->type_count[type], rest == MS_REST_OPAQUE ? VAGUE : rest == MS_REST_LABELS ? 1 : PLAIN};
    }
    uint32_t at = s->n_fields;
    for (uint32_t v = 0; v < s->nodes; v = v == 0 ? s->objects + 1 : v + 1) {
        uint32_t degree = s->first[v + 1] - s->first[v], string;
        bool inner = v == 0 || (is_group(s, v) && ms_snap_name(s, v, &string) && ms_snap_text_is(s, string, "interpreter"));
        t->manner[manner_of(s, v)] = (ms_manner){at, degree, 1};
        for (uint32_t i = 0; i < degree; i++, at++)
            t->cost[at] = inner ? group_cost(s, MS_SNAP_TARGET(s->to[s->first[v] + i]), ms_snap_label(s, v, s->first[v] + i)) : 1;
    }
    return MS_OK;
}

/* ---- the ways that the file says ---- */

typedef struct {
    const ms_snap  *s;
    tastes          taste;
    const uint64_t *odd;  /* a bit for each node that comes by another one than its dominator */
    const uint32_t *from; /* of those, in their order; UINT32_MAX: nothing leads to it */
    uint32_t       *rank; /* how many of them stand before each 64 nodes; ours */
    uint64_t       *done; /* a bit: its edges have been looked through; ours */
    ms_sparse       edge; /* of nodes that were asked for, and their brothers: 1 and the edge that leads there */
    size_t          words;
} told;

static void told_free(told *o)
{
    tastes_free(&o->taste);
    ms_sys_free(o->rank, o->words * sizeof *o->rank);
    ms_sys_free(o->done, o->words * sizeof *o->done);
    ms_sparse_free(&o->edge);
    ms_sys_free(o, sizeof *o);
}

static void told_drop(void *source)
{
    told_free(source);
}

static inline uint32_t told_from(const told *o, uint32_t v)
{
    uint64_t odd = o->odd[v >> 6], before = (UINT64_C(1) << (v & 63)) - 1;
    return odd >> (v & 63) & 1 ? o->from[o->rank[v >> 6] + ms_snap_ones(odd & before)] : o->s->idom[v];
}

/* What the search in path.c would take first: edges of the first round before all others, then the cheaper one. */
static uint32_t told_cost(const told *o, uint32_t owner, uint32_t edge)
{
    const ms_manner *m = &o->taste.manner[manner_of(o->s, owner)];
    uint32_t place = edge - o->s->first[owner], cost = place < m->count ? o->taste.cost[m->first + place] : m->rest;
    bool first = MS_SNAP_KIND(o->s->to[edge]) == MS_SNAP_NORMAL && cost < MS_COST_LAST;
    return (first ? 0 : 256) + (cost < 1 ? 1 : cost > MS_COST_MAX ? MS_COST_MAX : cost);
}

/* The edges from this owner to all that come by it. */
static void told_edges(told *o, uint32_t owner)
{
    const ms_snap *s = o->s;
    o->done[owner >> 6] |= UINT64_C(1) << (owner & 63);
    for (uint32_t e = s->first[owner]; e < s->first[owner + 1]; e++) {
        uint32_t t = MS_SNAP_TARGET(s->to[e]), known;
        if (t == 0 || MS_SNAP_KIND(s->to[e]) == MS_SNAP_WEAK || told_from(o, t) != owner)
            continue;
        known = ms_sparse_get(&o->edge, t);
        if (known == 0 || told_cost(o, owner, e) < told_cost(o, owner, known - 1))
            ms_sparse_set(&o->edge, t, e + 1);
    }
}

static ms_hop told_look_up(void *source, uint32_t v)
{
    told *o = source;
    const ms_snap *s = o->s;
    uint32_t owner = v ? told_from(o, v) : UINT32_MAX, edge = ms_sparse_get(&o->edge, v);
    if (owner >= s->nodes)
        return (ms_hop){MS_NONE, MS_NONE};
    if (edge == 0 && !(o->done[owner >> 6] >> (owner & 63) & 1)) {
        told_edges(o, owner);
        edge = ms_sparse_get(&o->edge, v);
    }
    if (edge != 0)
        return (ms_hop){owner, edge - 1};
    if (s->type_node[ms_snap_type(s, owner)] == v)
        return (ms_hop){owner, MS_EDGE_TO_TYPE};
    return (ms_hop){owner == 0 && v == s->garbage ? owner : MS_NONE, MS_NONE};
}

/* *out stays NULL where the file does not say them. */
static ms_err told_ways(ms_snap *s, const ms_graph *g, ms_paths **out, ms_why *why)
{
    ms_column odd, from;
    size_t words = ((size_t)s->nodes + 63) / 64;
    if (!ms_snap_ready(s, "ready_ways", "odd", MS_TYPE_U64, 1, &odd) || odd.rows != words ||
        !ms_snap_ready(s, "ready_ways", "from", MS_TYPE_U32, 1, &from))
        return MS_OK;
    MS_TRY(ms_snap_need(s, MS_SNAP_IDOMS, why));
    told *o = ms_sys_alloc(sizeof *o);
    ms_paths *p = ms_sys_alloc(sizeof *p);
    if (o == NULL || p == NULL)
        goto failed;
    *o = (told){.s = s, .odd = odd.values, .from = from.values, .words = words};
    o->rank = ms_sys_alloc(words * sizeof *o->rank);
    o->done = ms_sys_alloc(words * sizeof *o->done);
    if (!o->rank || !o->done || ms_sparse_new(&o->edge, s->nodes) != MS_OK || tastes_new(s, &o->taste) != MS_OK)
        goto failed;
    uint64_t n = 0;
    for (size_t i = 0; i < words; i++) {
        o->rank[i] = (uint32_t)n;
        n += ms_snap_ones(o->odd[i]);
    }
    if (n != from.rows) { /* somebody made it up: it is computed */
        told_free(o);
        ms_paths_delete(p);
        return MS_OK;
    }
    *p = (ms_paths){.g = g, .look_up = told_look_up, .drop = told_drop, .source = o};
    *out = p;
    return MS_OK;
failed:
    if (o)
        told_free(o);
    ms_paths_delete(p);
    return no_memory(why);
}

ms_err ms_ways(ms_snap *s, ms_graph *g, ms_paths **out, ms_why *why)
{
    *out = NULL;
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_EDGES | MS_SNAP_TEXTS, why));
    *g = ms_snap_graph(s);
    MS_TRY(told_ways(s, g, out, why));
    if (*out != NULL)
        return MS_OK;
    tastes t = {0};
    ms_err err = tastes_new(s, &t);
    if (err == MS_OK) {
        ms_taste taste = {.manner = t.manner, .cost = t.cost, .costs = (uint32_t)t.costs, .groups = s->objects + 1};
        err = ms_paths_new(g, &taste, out);
    }
    tastes_free(&t);
    return err == MS_ENOMEM ? no_memory(why) : err;
}

/* ---- merged ---- */

typedef struct {
    ms_snap        *s;
    const ms_paths *p;
    uint64_t        least; /* what holds less never keeps its key; 0: all keep theirs */
} merging;

/* An edge's label, as two numbers in one key; keys and indexes are left out where they do not matter. */
static ms_label merged(const merging *m, uint32_t owner, uint32_t edge)
{
    ms_snap *s = m->s;
    uint32_t string;
    if (edge >= s->edges)
        return (ms_label){MS_LABEL_INDIRECT, UINT32_MAX};
    ms_label label = ms_snap_label(s, owner, edge);
    if (label.kind == MS_LABEL_FIELD || label.kind == MS_LABEL_NAMED)
        return label;
    if (label.kind == MS_LABEL_VALUE && ms_snap_name(s, label.value, &string)) {
        bool attribute = ms_snap_is_namespace(s, owner), many = attribute;
        ms_hop hop = attribute ? (ms_hop){MS_NONE, MS_NONE} : ms_path_hop(m->p, owner);
        if (hop.edge < s->edges && hop.from < s->nodes) {
            ms_label up = ms_snap_label(s, hop.from, hop.edge);
            attribute = up.kind == MS_LABEL_FIELD && up.value == s->attributes;
            many = attribute && s->type_rest[ms_snap_type(s, hop.from)] != MS_REST_NONE; /* a class */
        }
        /* The names of small modules and classes do not matter: there are too many of them. */
        if (attribute)
            return (ms_label){MS_LABEL_FIELD, many && m->least != UINT64_MAX && ms_snap_retained(s, owner) < m->least ? UINT32_MAX : string};
    }
    uint32_t v = MS_SNAP_TARGET(s->to[edge]);
    if ((label.kind == MS_LABEL_VALUE || label.kind == MS_LABEL_INDEX) &&
        (m->least == 0 || (s->idom[v] == owner && ms_snap_retained(s, v) >= m->least && ms_snap_retained(s, v) >= ms_snap_retained(s, owner) / 5)))
        return label;
    label.value = UINT32_MAX;
    return label;
}

/* A namespace is never folded into that of another type: so the owner's type is part of its key. */
static uint64_t merged_key(void *arg, uint32_t from, uint32_t edge)
{
    const merging *m = arg;
    ms_label label = merged(m, from, edge);
    uint64_t key = (uint64_t)label.kind << 32 | label.value;
    if (label.kind == MS_LABEL_FIELD && label.value == m->s->attributes)
        key |= (uint64_t)ms_snap_type(m->s, from) << 36;
    if (edge < m->s->edges && MS_SNAP_TARGET(m->s->to[edge]) > m->s->objects) /* threads and frames are never merged */
        key |= (uint64_t)MS_SNAP_TARGET(m->s->to[edge]) << 36;
    return key;
}

ms_err ms_ways_to(ms_snap *s, const ms_paths *p, const uint32_t *target, uint32_t n, ms_steps *out, uint64_t *lost, ms_why *why)
{
    ms_routes *routes = NULL;
    size_t starts = 0, nodes = 0;
    uint32_t *start = NULL, *node = NULL;
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_BIRTHS | MS_SNAP_EDGES | MS_SNAP_TEXTS | MS_SNAP_TREE, why));
    MS_TRY(ms_snap_find_modules(s, why));
    merging m = {s, p, n == 1 ? 0 : ms_snap_retained(s, 0) / 100 + 1};
    ms_err err = ms_routes_new(p, target, n, merged_key, &m, NULL, 100000, &routes);
    if (err == MS_EDAMAGED)
        ms_why_set(why, "this snapshot cannot be read: its table ready_ways goes in circles");
    if (err != MS_OK)
        goto done;
    starts = ((size_t)routes->n + 1) * sizeof *start;
    start = ms_sys_alloc_big(starts);
    if (start == NULL) {
        err = MS_ENOMEM;
        goto done;
    }
    for (uint32_t i = 0; i < routes->members; i++)
        start[ms_sparse_get(&routes->of, routes->member[i])]++;
    for (uint32_t r = 0; r < routes->n; r++)
        start[r + 1] += start[r];
    nodes = ((size_t)start[routes->n] + 1) * sizeof *node;
    node = ms_sys_alloc_big(nodes);
    if (node == NULL) {
        err = MS_ENOMEM;
        goto done;
    }
    for (uint32_t i = 0; i < routes->members; i++) /* start[r] moves on to where r ends */
        node[start[ms_sparse_get(&routes->of, routes->member[i]) - 1]++] = routes->member[i];
    *lost = routes->lost;
    for (uint32_t r = 0; r < routes->n && err == MS_OK; r++) {
        const ms_route *w = &routes->row[r];
        uint32_t from = r ? start[r - 1] : 0, to = start[r], best = w->node;
        ms_step o = {.parent = r ? w->parent : 0, .depth = w->depth, .type = w->type, .folded = w->folded, .targets = w->targets,
                     .here = w->own_targets, .weight = w->bytes[MS_ALLOCATED], .label = {(uint32_t)(w->key >> 32) & 15, (uint32_t)w->key}};
        if (r == 0)
            o.label = (ms_label){MS_LABEL_NONE, 0};
        else if (to - from == 1 && w->edge < s->edges) { /* alone: by its full name */
            merging full = {s, p, 0};
            o.label = merged(&full, ms_path_hop(p, w->node).from, w->edge);
        }
        if (o.label.kind == MS_LABEL_VALUE && w->edge < s->edges && w->edge > 0)
            o.key = MS_SNAP_TARGET(s->to[w->edge - 1]);
        for (uint32_t i = from; i < to; i++) {
            o.entries += ms_entries(s, node[i]);
            if (ms_snap_id(s->site, node[i]) != ms_snap_id(s->site, best))
                o.more_sites = 1;
        }
        o.example = best;
        o.site = ms_snap_id(s->site, best);
        if (w->folded == 0) /* who holds an object is on every way to it, and no way comes to this row twice */
            ms_sum_apart(s, node + from, to - from, &o.sum);
        else
            err = ms_sum_of(s, node + from, to - from, &o.sum, why);
        if (err == MS_OK && MS_VEC_ROOM(out) != MS_OK)
            err = MS_ENOMEM;
        if (err == MS_OK)
            out->at[out->n++] = o;
    }
done:
    ms_sys_free(start, starts);
    ms_sys_free(node, nodes);
    ms_routes_delete(routes);
    if (err != MS_OK)
        MS_VEC_FREE(out);
    return err == MS_ENOMEM ? no_memory(why) : err;
}

/* ---- who else ---- */

static int more_refs(const void *a, const void *b)
{
    const ms_other *x = a, *y = b;
    return x->refs != y->refs ? (x->refs < y->refs ? 1 : -1) : x->example < y->example ? -1 : x->example > y->example;
}

ms_err ms_other_refs(ms_snap *s, const ms_paths *p, const uint32_t *target, uint32_t n, ms_others *out, uint64_t *weak, ms_why *why)
{
    enum { AT_ONCE = 256 }; /* edges that are looked at together: few of them lead there */
    ms_set among = {0}, below = {0}; /* below: by place in the walk; made when first needed */
    ms_table rows = {0};
    merging m = {s, p, UINT64_MAX};
    *weak = 0;
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_EDGES | MS_SNAP_TEXTS | MS_SNAP_TREE, why));
    MS_TRY(ms_snap_find_modules(s, why));
    ms_err err = ms_set_new(s, &among);
    uint32_t low = UINT32_MAX, high = 0, v = 0;
    for (uint32_t i = 0; err == MS_OK && i < n; i++) {
        ms_set_add(&among, target[i]);
        low = target[i] < low ? target[i] : low;
        high = target[i] > high ? target[i] : high;
    }
    for (uint32_t e = 0; err == MS_OK && e < s->edges; e++) {
        uint32_t t = MS_SNAP_TARGET(s->to[e]), row;
        bool new;
        if (e % AT_ONCE == 0 && e + AT_ONCE <= s->edges) {
            uint32_t any = 0;
            for (uint32_t i = e; i < e + AT_ONCE; i++)
                any |= MS_SNAP_TARGET(s->to[i]) - low <= high - low;
            if (!any) {
                e += AT_ONCE - 1;
                continue;
            }
        }
        if (t == 0 || t - low > high - low || !ms_set_has(&among, t))
            continue;
        if (MS_SNAP_KIND(s->to[e]) == MS_SNAP_WEAK) {
            (*weak)++;
            continue;
        }
        if (MS_SNAP_KIND(s->to[e]) != MS_SNAP_NORMAL || ms_path_hop(p, t).edge == e)
            continue;
        while (v + 64 < s->nodes && s->first[v + 64] <= e) /* whose edge it is */
            v += 64;
        while (s->first[v + 1] <= e)
            v++;
        if (v == 0 || v == s->garbage || ms_set_has(&among, v))
            continue;
        if (below.bits == NULL && (err = ms_places_below(s, target, n, &below, why)) != MS_OK)
            break;
        if (ms_places_have(s, &below, v))
            continue;
        ms_label label = merged(&m, v, e);
        if (label.kind != MS_LABEL_FIELD && label.kind != MS_LABEL_NAMED)
            label.value = UINT32_MAX;
        err = ms_table_row(&rows, label.kind, label.value, ms_snap_type(s, v), (uint32_t)out->n, &row, &new);
        if (err == MS_OK && new) {
            err = MS_VEC_ROOM(out);
            if (err == MS_OK)
                out->at[out->n++] = (ms_other){label, ms_snap_type(s, v), v, t, 0, 1};
        }
        if (err == MS_OK) {
            ms_other *o = &out->at[row];
            o->owners += o->example != v;
            o->example = v;
            o->refs++;
        }
    }
    if (err == MS_OK && out->n > 1)
        qsort(out->at, out->n, sizeof *out->at, more_refs);
    ms_set_free(&among);
    ms_set_free(&below);
    ms_table_free(&rows);
    if (err != MS_OK)
        MS_VEC_FREE(out);
    return err == MS_ENOMEM ? no_memory(why) : err;
}
