/* path.c -- how an object is held: the cheapest path from the root to every node at once, and the paths of many merged.
 *
 * Steps cost 1 to 62, so the queue of Dijkstra's algorithm is a ring of 64 lists (Dial): a node waits in the list of its
 * distance, in order of arrival; when a cheaper way is found it waits there, too, and where it waited first it is
 * passed over. A node without edges never waits. All
 * nodes' paths together are a tree, kept as one node and one edge each; so the path of any object is read off.
 *
 * What the paths do not reach comes in rounds (graph.h); a round begins with the edges of rule 2 from those nodes
 * that came to have a path in the round before and have such, as if all had the same distance; then it goes on as above.
 *
 * Merging goes from the root down that tree: children of one row's nodes with the same kind of edge and the same type
 * make a row. A node has one row, so the work is one step for each node on any of the paths.
 *
 * Costs: paths 4 bytes a node, 8 for each that waits, and 8 a node that stay, 20 ns a node where references go to neighbours; routes 8 bytes a node that lies on one of them, and a table of the rows.
 * Sources: Dijkstra 1959; Dial 1969. Threads: none. */
#include "graph/graph.h"
#include "graph/sort.h"


enum { RING = 64 };

typedef struct {
    uint32_t node, next;       /* next: 0: the last */
} wait;

typedef struct {
    const ms_graph *g;
    const ms_taste *taste;
    uint32_t *far;             /* of each node: its distance and 1; 0: no path yet */
    ms_hop *hop;               /* of those that have one */
    uint64_t *inner;           /* a bit for each node: it has edges */
    uint8_t *typed;            /* of each shape: one of its nodes offers the type */
    uint32_t *later;           /* nodes that have something to offer to the next round */
    uint32_t n_later, later_room;
    uint32_t reached, farthest; /* how many have a path; the longest */
    wait *line;                /* from 1 on; all lists are threaded through it, and that of places to use again */
    uint32_t n_line, line_room, line_free, waiting;
    uint32_t head[RING], tail[RING];
    ms_err err;                /* no memory for a longer line */
} search;

static inline const ms_manner *manner_of(const search *s, uint32_t v)
{
    const ms_taste *t = s->taste;
    if (t == NULL)
        return NULL;
    if (t->groups && (v == 0 || v >= t->groups))
        return &t->manner[(s->g->shape_wide ? s->g->shapes : 1) + (v ? v - t->groups + 1 : 0)];
    return &t->manner[ms_node_shape(s->g, v)];
}

static inline uint32_t cost_of(const search *s, const ms_manner *m, uint32_t place)
{
    if (m == NULL)
        return 1;
    uint32_t cost = place < m->count ? s->taste->cost[m->first + place] : m->rest;
    return cost == 0 ? 1 : cost > MS_COST_LAST ? MS_COST_LAST : cost;
}

static void queue_in(search *s, uint32_t v, uint32_t far)
{
    uint32_t i = s->line_free, list = far % RING;
    if (i) {
        s->line_free = s->line[i].next;
    } else if (s->n_line == s->line_room) {
        wait *line = ms_sys_resize(s->line, s->line_room * sizeof *line, (size_t)s->line_room * 2 * sizeof *line);
        if (line == NULL) {
            s->err = MS_ENOMEM;
            return;
        }
        s->line = line;
        s->line_room *= 2;
    }
    if (i == 0)
        i = s->n_line++;
    s->line[i] = (wait){v, 0};
    if (s->head[list])
        s->line[s->tail[list]].next = i;
    else
        s->head[list] = i;
    s->tail[list] = i;
    s->waiting++;
}

static uint32_t queue_out(search *s, uint32_t list)
{
    uint32_t i = s->head[list], v = s->line[i].node;
    s->head[list] = s->line[i].next;
    s->line[i].next = s->line_free;
    s->line_free = i;
    s->waiting--;
    return v;
}

static void offers_later(search *s, uint32_t v)
{
    if (s->n_later == s->later_room) {
        uint32_t *more = ms_sys_resize(s->later, (size_t)s->later_room * sizeof *more, (size_t)s->later_room * 2 * sizeof *more);
        if (more == NULL) {
            s->err = MS_ENOMEM;
            return;
        }
        s->later = more;
        s->later_room *= 2;
    }
    s->later[s->n_later++] = v;
}

/* v has a path for the first time. All nodes of a shape have the same type: one of them offers it. */
static inline void reach(search *s, uint32_t v)
{
    s->reached++;
    if (s->g->shape_wide == 0)
        return;
    uint32_t shape = ms_node_shape(s->g, v);
    if (!s->typed[shape]) {
        s->typed[shape] = 1;
        if (ms_node_type_node(s->g, v) != 0)
            offers_later(s, v);
    }
}

/* v can be reached from `from` at this distance. A node that has left the queue is never farther than what is offered. */
static inline void offer(search *s, uint32_t from, uint32_t edge, uint32_t v, uint32_t far)
{
    uint32_t known = s->far[v];
    if (far >= known - 1) /* 0: none */
        return;
    if (known == 0)
        reach(s, v);
    s->far[v] = far + 1;
    s->hop[v] = (ms_hop){from, edge};
    if (far > s->farthest)
        s->farthest = far;
    if (s->inner[v >> 6] >> (v & 63) & 1)
        queue_in(s, v, far);
}

/* What will be asked of those next in this list. */
static inline void ask_ahead(const search *s, uint32_t list)
{
    const ms_graph *g = s->g;
    uint32_t i = s->head[list], next = s->line[i].node, later = s->line[s->line[i].next].node;
    __builtin_prefetch(&s->far[later]);
    __builtin_prefetch(&g->first[later]);
    if (g->shape_wide)
        __builtin_prefetch((const char *)g->shape + (size_t)later * g->shape_wide);
    if (g->first[next] < g->edges)
        __builtin_prefetch(&g->to[g->first[next]]);
}

/* What reaching this node will look at. */
static inline void ask(const search *s, uint32_t v)
{
    __builtin_prefetch(&s->far[v], 1);
    if (s->g->shape_wide)
        __builtin_prefetch((const char *)s->g->shape + (size_t)v * s->g->shape_wide);
}

static void go_on(search *s, uint32_t at)
{
    const ms_graph *g = s->g;
    for (; s->waiting && s->err == MS_OK; at++)
        while (s->head[at % RING]) {
            uint32_t v = queue_out(s, at % RING), first = g->first[v], end = g->first[v + 1];
            if (s->far[v] != at + 1) /* a cheaper way was found since */
                continue;
            ask_ahead(s, at % RING);
            const ms_manner *manner = manner_of(s, v);
            for (uint32_t e = first; e < end && e < first + 8; e++)
                ask(s, MS_EDGE_TARGET(g->to[e]));
            bool late = false;
            for (uint32_t e = first; e < end; e++) {
                if (e + 8 < end)
                    ask(s, MS_EDGE_TARGET(g->to[e + 8]));
                uint32_t x = g->to[e], cost;
                if (x == 0)
                    continue;
                if (MS_EDGE_KIND(x) == MS_NORMAL && x != g->garbage && (cost = cost_of(s, manner, e - first)) != MS_COST_LAST)
                    offer(s, v, e, x, at + cost);
                else
                    late = true;
            }
            if (late)
                offers_later(s, v);
        }
}

static inline bool open_to(const search *s, uint32_t t, uint32_t base) { return s->far[t] == 0 || s->far[t] > base; }

/* The edges of rule 2, and those taken last, of later[since ..]. Its other edges were offered, and lead to what is open no more. */
static void next_round(search *s, uint32_t since)
{
    const ms_graph *g = s->g;
    uint32_t base = s->farthest + 1, until = s->n_later;
    for (uint32_t i = since; i < until && s->err == MS_OK; i++) {
        uint32_t v = s->later[i], t;
        const ms_manner *manner = manner_of(s, v);
        for (uint32_t e = g->first[v]; e < g->first[v + 1]; e++) {
            uint32_t x = g->to[e], kind = MS_EDGE_KIND(x), cost = cost_of(s, manner, e - g->first[v]);
            t = MS_EDGE_TARGET(x);
            if (t != 0 && t != g->garbage && kind != MS_WEAK && open_to(s, t, base))
                offer(s, v, e, t, base + (cost == MS_COST_LAST ? MS_COST_MAX : cost));
        }
        t = ms_node_type_node(g, v);
        if (t != 0 && open_to(s, t, base))
            offer(s, v, MS_EDGE_TO_TYPE, t, base + MS_COST_MAX);
    }
    go_on(s, base);
}

static void rounds(search *s, uint32_t since)
{
    while (since < s->n_later && s->err == MS_OK) {
        uint32_t until = s->n_later;
        next_round(s, since);
        since = until;
    }
}

static void search_all(search *s)
{
    const ms_graph *g = s->g;
    s->far[0] = 1;
    s->hop[0] = (ms_hop){MS_NONE, MS_NONE};
    reach(s, 0);
    offers_later(s, 0);
    /* the root does not wait: its edges are offered here */
    for (uint32_t e = g->first[0]; e < g->first[1]; e++) {
        uint32_t x = g->to[e], cost = cost_of(s, manner_of(s, 0), e - g->first[0]);
        if (MS_EDGE_KIND(x) == MS_NORMAL && x != 0 && x != g->garbage && cost != MS_COST_LAST)
            offer(s, 0, e, x, cost);
    }
    go_on(s, 1);
    rounds(s, 0);
    if (g->garbage == 0 || s->far[g->garbage] != 0)
        return;
    uint32_t e = g->first[0], since = s->n_later;
    while (e < g->first[1] && g->to[e] != MS_EDGE(MS_NORMAL, g->garbage))
        e++;
    offer(s, 0, e < g->first[1] ? e : MS_NONE, g->garbage, s->farthest + 1);
    go_on(s, s->farthest);
    rounds(s, since);
}

static ms_err taste_check(const ms_graph *g, const ms_taste *t)
{
    uint32_t n = g->shape_wide ? g->shapes : 1;
    if (t && t->groups > g->nodes)
        return MS_EINVAL;
    n += t && t->groups ? g->nodes - t->groups + 1 : 0;
    for (uint32_t s = 0; t && s < n; s++)
        if (t->manner[s].count > t->costs || t->manner[s].first > t->costs - t->manner[s].count)
            return MS_EINVAL;
    return MS_OK;
}

ms_err ms_paths_new(const ms_graph *g, const ms_taste *taste, ms_paths **out)
{
    *out = NULL;
    MS_TRY(taste_check(g, taste));
    size_t size = (size_t)g->nodes * sizeof(uint32_t), bits = ((size_t)g->nodes + 63) / 64 * 8, shapes = (size_t)g->shapes + 1;
    ms_paths *p = ms_sys_alloc(sizeof *p);
    search *s = ms_sys_alloc(sizeof *s);
    uint32_t *far = ms_sys_alloc_big(size);
    uint64_t *inner = ms_sys_alloc_big(bits);
    uint8_t *typed = ms_sys_alloc(shapes);
    ms_err err = MS_ENOMEM;
    if (p == NULL || s == NULL || far == NULL || inner == NULL || typed == NULL)
        goto done;
    p->g = g;
    p->hop = ms_sys_alloc_big((size_t)g->nodes * sizeof *p->hop);
    if (p->hop == NULL)
        goto done;
    *s = (search){.g = g, .taste = taste, .far = far, .hop = p->hop, .inner = inner, .typed = typed,
                  .later_room = 1024, .n_line = 1, .line_room = g->nodes / 4 > 4096 ? g->nodes / 4 : 4096};
    s->line = ms_sys_alloc_big(s->line_room * sizeof *s->line);
    s->later = ms_sys_alloc(s->later_room * sizeof *s->later);
    if (s->line == NULL || s->later == NULL)
        goto done;
    for (uint32_t v = 0; v < g->nodes; v++)
        inner[v >> 6] |= (uint64_t)(g->first[v] < g->first[v + 1]) << (v & 63);
    search_all(s);
    for (uint32_t v = 0; v < g->nodes && s->reached < g->nodes; v++)
        if (far[v] == 0)
            p->hop[v] = (ms_hop){MS_NONE, MS_NONE};
    err = s->err;
done:
    if (s) {
        ms_sys_free(s->line, s->line_room * sizeof *s->line);
        ms_sys_free(s->later, s->later_room * sizeof *s->later);
    }
    ms_sys_free(far, size);
    ms_sys_free(inner, bits);
    ms_sys_free(typed, shapes);
    ms_sys_free(s, sizeof *s);
    if (err != MS_OK) {
        ms_paths_delete(p);
        return err;
    }
    *out = p;
    return MS_OK;
}

void ms_paths_delete(ms_paths *p)
{
    if (p == NULL)
        return;
    if (p->drop)
        p->drop(p->source);
    if (p->g)
        ms_sys_free(p->hop, (size_t)p->g->nodes * sizeof *p->hop);
    ms_sys_free(p, sizeof *p);
}

uint32_t ms_path(const ms_paths *p, uint32_t v, uint32_t max, uint32_t *node, uint32_t *edge)
{
    uint32_t length = 1, stored;
    for (uint32_t u = v; u != 0;)
        if (++length > p->g->nodes || (u = ms_path_hop(p, u).from) == MS_NONE)
            return 0;
    stored = length < max ? length : max;
    for (uint32_t i = stored; i-- > 0;) {
        ms_hop hop = ms_path_hop(p, v);
        node[i] = v;
        edge[i] = hop.edge;
        v = hop.from;
    }
    return length;
}

/* ---- routes: paths merged --------------------------------------------------------------------------------------------- */

typedef struct {
    const ms_paths *p;
    ms_edge_key_fn *key;
    void *arg;
    const uint64_t *type_key;
    uint32_t max_rows;
    ms_routes *r;
    uint32_t *place; /* rows by (parent, type, key): open addressing, number + 1 */
    uint64_t places;
} merge;

static inline uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = (a ^ (a >> 29)) * 0xbf58476d1ce4e5b9u + b + 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 32)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

static uint64_t row_find(const merge *m, uint32_t parent, uint32_t type, uint64_t key)
{
    uint64_t i = mix(mix(parent, type), key) & (m->places - 1);
    for (; m->place[i]; i = (i + 1) & (m->places - 1)) {
        const ms_route *row = &m->r->row[m->place[i] - 1];
        if (row->parent == parent && row->type == type && row->key == key)
            break;
    }
    return i;
}

static ms_err places_grow(merge *m, uint64_t places)
{
    uint32_t *old = m->place, *place = ms_sys_alloc(places * sizeof *place);
    uint64_t old_places = m->places;
    if (place == NULL)
        return MS_ENOMEM;
    m->place = place;
    m->places = places;
    for (uint32_t i = 1; i < m->r->n; i++) {
        const ms_route *row = &m->r->row[i];
        place[row_find(m, row->parent, row->type, row->key)] = i + 1;
    }
    ms_sys_free(old, old_places * sizeof *old);
    return MS_OK;
}

/* The row of v, whose holder stands in row `parent`. */
static ms_err row_of(merge *m, uint32_t parent, uint32_t v, uint32_t *out)
{
    const ms_graph *g = m->p->g;
    ms_routes *r = m->r;
    ms_hop hop = ms_path_hop(m->p, v);
    uint32_t edge = hop.edge, type = ms_node_type(g, v);
    uint64_t key = m->key ? m->key(m->arg, hop.from, edge) : edge < g->edges ? edge - g->first[hop.from] : edge;

    uint32_t above = parent;
    for (int i = 0; i < 4 && above != 0; i++, above = r->row[above].parent)
        if (r->row[above].key == key && r->row[above].type == type) {
            r->row[above].folded++;
            *out = above;
            return MS_OK;
        }
    uint64_t at = row_find(m, parent, type, key);
    if (m->place[at]) {
        *out = m->place[at] - 1;
        return MS_OK;
    }
    if (m->max_rows && r->n >= m->max_rows) {
        r->row[parent].folded++;
        *out = parent;
        return MS_OK;
    }
    if (r->n == r->room) {
        ms_route *row = ms_sys_resize(r->row, r->room * sizeof *row, (size_t)r->room * 2 * sizeof *row);
        if (row == NULL)
            return MS_ENOMEM;
        r->row = row;
        r->room *= 2;
    }
    r->row[r->n] = (ms_route){.parent = parent, .depth = r->row[parent].depth + 1, .type = type, .key = key, .node = v, .edge = edge,
                              .hash = mix(mix(r->row[parent].hash, key), m->type_key ? m->type_key[type] : type)};
    m->place[at] = r->n + 1;
    *out = r->n++;
    return (uint64_t)r->n * 2 >= m->places ? places_grow(m, m->places * 2) : MS_OK;
}

static ms_err member_add(ms_routes *r, uint32_t row, uint32_t v)
{
    if (r->members == r->member_room) {
        uint32_t *more = ms_sys_resize(r->member, (size_t)r->member_room * sizeof *more, (size_t)r->member_room * 2 * sizeof *more);
        if (more == NULL)
            return MS_ENOMEM;
        r->member = more;
        r->member_room *= 2;
    }
    r->member[r->members++] = v;
    ms_sparse_set(&r->of, v, row + 1);
    r->row[row].nodes++;
    return MS_OK;
}

/* Rows for v and for whatever holds it and has none yet; stack holds the way up meanwhile. */
static ms_err route_of(merge *m, uint32_t v, uint32_t **stack, size_t *room)
{
    ms_routes *r = m->r;
    size_t depth = 0;
    uint32_t row, from;
    for (; (row = ms_sparse_get(&r->of, v)) == 0; v = from) {
        if (depth > m->p->g->nodes || (from = ms_path_hop(m->p, v).from) == MS_NONE)
            return MS_EDAMAGED;
        if (depth == *room) {
            uint32_t *more = ms_sys_resize(*stack, *room * sizeof **stack, *room * 2 * sizeof **stack);
            if (more == NULL)
                return MS_ENOMEM;
            *stack = more;
            *room *= 2;
        }
        (*stack)[depth++] = v;
    }
    for (row--; depth > 0;) {
        v = (*stack)[--depth];
        MS_TRY(row_of(m, row, v, &row));
        MS_TRY(member_add(r, row, v));
    }
    return MS_OK;
}

static ms_err routes_fill(merge *m, const uint32_t *target, uint32_t targets)
{
    const ms_graph *g = m->p->g;
    ms_routes *r = m->r;
    size_t room = 1024;
    ms_err err = MS_OK;
    r->room = 64;
    r->member_room = 1024;
    r->row = ms_sys_alloc(r->room * sizeof *r->row);
    r->member = ms_sys_alloc(r->member_room * sizeof *r->member);
    uint32_t *stack = ms_sys_alloc(room * sizeof *stack);
    if (r->row == NULL || r->member == NULL || stack == NULL || ms_sparse_new(&r->of, g->nodes) != MS_OK || places_grow(m, 256) != MS_OK) {
        err = MS_ENOMEM;
        goto done;
    }
    r->row[0] = (ms_route){.parent = MS_NONE, .edge = MS_NONE, .hash = 1, .type = ms_node_type(g, 0)};
    r->n = 1;
    (void)member_add(r, 0, 0); /* there is room */
    for (uint32_t i = 0; i < targets; i++) {
        uint32_t v = target ? target[i] : i;
        if (v != 0 && ms_path_hop(m->p, v).from == MS_NONE) {
            r->lost++;
            continue;
        }
        if ((err = route_of(m, v, &stack, &room)) != MS_OK)
            goto done;
        ms_route *row = &r->row[ms_sparse_get(&r->of, v) - 1];
        row->own_targets++;
        row->targets++;
        for (int k = 0; k < MS_SIZES; k++)
            row->bytes[k] += ms_node_bytes(g, v, k);
    }
    for (uint32_t i = r->n; i-- > 1;) {
        ms_route *row = &r->row[i], *parent = &r->row[row->parent];
        parent->targets += row->targets;
        for (int k = 0; k < MS_SIZES; k++)
            parent->bytes[k] += row->bytes[k];
    }
done:
    ms_sys_free(stack, room * sizeof *stack);
    return err;
}

ms_err ms_routes_new(const ms_paths *p, const uint32_t *target, uint32_t targets, ms_edge_key_fn *key, void *arg,
                     const uint64_t *type_key, uint32_t max_rows, ms_routes **out)
{
    *out = NULL;
    ms_routes *r = ms_sys_alloc(sizeof *r);
    if (r == NULL)
        return MS_ENOMEM;
    merge m = {.p = p, .key = key, .arg = arg, .type_key = type_key, .max_rows = max_rows, .r = r};
    ms_err err = routes_fill(&m, target, target ? targets : p->g->nodes);
    ms_sys_free(m.place, m.places * sizeof *m.place);
    if (err != MS_OK) {
        ms_routes_delete(r);
        return err;
    }
    *out = r;
    return MS_OK;
}

void ms_routes_delete(ms_routes *r)
{
    if (r == NULL)
        return;
    ms_sparse_free(&r->of);
    ms_sys_free(r->member, (size_t)r->member_room * sizeof *r->member);
    ms_sys_free(r->row, r->room * sizeof *r->row);
    ms_sys_free(r, sizeof *r);
}
