/* cut.c -- what if: what would be freed without these references; which references, made weak, leave no cycle.
 *
 * What is freed is the difference of two searches by the rules of graph.h, one with everything and one without what is
 * cut: slow beside a dominator tree, and right for any set of edges.
 *
 * A cycle is cut by a depth-first walk of its members from the one that holds the others: edges that lead back to a node
 * whose walk is not over close a circle, and without them no circle is left; each closes one with tree edges alone, so none of
 * them can be spared. Whatever the order of the walk, an edge to a node that dominates its holder is among them: the child
 * that refers to its owner, which is the reference to make weak.
 *
 * Threads: none. No recursion. */
#include "graph/graph.h"
#include "graph/sort.h"

static inline bool bit_at(const uint64_t *bits, uint32_t i)
{
    return bits[i >> 6] >> (i & 63) & 1;
}

static inline bool bit_put(uint64_t *bits, uint32_t i) /* false: it was there */
{
    uint64_t b = (uint64_t)1 << (i & 63), was = bits[i >> 6];
    bits[i >> 6] = was | b;
    return !(was & b);
}

static inline size_t bits_size(uint64_t n)
{
    return (size_t)((n + 63) / 64 * sizeof(uint64_t));
}

/* ---- what would be freed -------------------------------------------------------------------------------------------- */

typedef struct {
    const ms_graph *g;
    const uint64_t *cut_edge, *cut_node; /* NULL: nothing is cut */
    uint64_t *seen;
    uint32_t *line, n;                   /* nodes in the order in which they were met */
} reach;

static inline void meet(reach *r, uint32_t v)
{
    if (bit_put(r->seen, v))
        r->line[r->n++] = v;
}

static void reach_normal(reach *r, uint32_t from)
{
    const ms_graph *g = r->g;
    for (uint32_t i = from; i < r->n; i++) {
        uint32_t v = r->line[i];
        if (r->cut_node && bit_at(r->cut_node, v))
            continue;
        for (uint32_t e = g->first[v]; e < g->first[v + 1]; e++) {
            uint32_t x = g->to[e];
            if (MS_EDGE_KIND(x) == MS_NORMAL && x != 0 && x != g->garbage && !(r->cut_edge && bit_at(r->cut_edge, e)))
                meet(r, x);
        }
    }
}

static void reach_all(reach *r)
{
    const ms_graph *g = r->g;
    meet(r, 0);
    reach_normal(r, 0);
    for (uint32_t since = 0; since < r->n;) { /* rule 2 */
        uint32_t until = r->n;
        for (uint32_t i = since; i < until; i++) {
            uint32_t v = r->line[i], t = ms_node_type_node(g, v);
            if (t)
                meet(r, t);
            if (r->cut_node && bit_at(r->cut_node, v))
                continue;
            for (uint32_t e = g->first[v]; e < g->first[v + 1]; e++) {
                uint32_t kind = MS_EDGE_KIND(g->to[e]);
                t = MS_EDGE_TARGET(g->to[e]);
                if (kind != MS_NORMAL && kind != MS_WEAK && t != 0 && t != g->garbage && !(r->cut_edge && bit_at(r->cut_edge, e)))
                    meet(r, t);
            }
        }
        since = until;
        reach_normal(r, until);
    }
    if (g->garbage) {
        uint32_t from = r->n;
        meet(r, g->garbage);
        reach_normal(r, from);
    }
}

ms_err ms_freed_by(const ms_graph *g, const uint32_t *edge, uint32_t edges, const uint32_t *node, uint32_t nodes,
                   uint64_t *freed_bits, ms_freed *out)
{
    *out = (ms_freed){0};
    size_t per_node = bits_size(g->nodes), per_edge = bits_size(g->edges), line = (size_t)g->nodes * sizeof(uint32_t);
    size_t size = 3 * per_node + per_edge;
    uint64_t *bits = ms_sys_alloc(size);
    reach r = {.g = g, .line = ms_sys_alloc(line)};
    ms_err err = bits && r.line ? MS_OK : MS_ENOMEM;
    if (err == MS_OK) {
        uint64_t *before = bits, *after = before + per_node / 8, *cut_node = after + per_node / 8, *cut_edge = cut_node + per_node / 8;
        for (uint32_t i = 0; i < edges && err == MS_OK; i++)
            if (edge[i] < g->edges)
                bit_put(cut_edge, edge[i]);
            else
                err = MS_EINVAL;
        for (uint32_t i = 0; i < nodes && err == MS_OK; i++)
            if (node[i] < g->nodes)
                bit_put(cut_node, node[i]);
            else
                err = MS_EINVAL;
        r.seen = before;
        reach_all(&r);
        r.seen = after;
        r.cut_edge = cut_edge;
        r.cut_node = cut_node;
        r.n = 0;
        reach_all(&r);
        for (size_t i = 0; i < per_node / 8 && err == MS_OK; i++) {
            uint64_t freed = before[i] & ~after[i];
            if (freed_bits)
                freed_bits[i] = freed;
            for (; freed; freed &= freed - 1) {
                uint32_t v = (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(freed);
                out->nodes++;
                for (int k = 0; k < MS_SIZES; k++)
                    out->bytes[k] += ms_node_bytes(g, v, k);
            }
        }
    }
    ms_sys_free(bits, size);
    ms_sys_free(r.line, line);
    return err;
}

/* ---- cycles ---------------------------------------------------------------------------------------------------------- */

void ms_cycles_delete(ms_cycles *c)
{
    if (c == NULL)
        return;
    ms_sys_free(c->first, c->first_room);
    ms_sys_free(c->node, c->node_room);
    ms_sys_free(c->bytes, c->bytes_room);
    ms_sys_free(c, sizeof *c);
}

ms_err ms_cycles_of(const ms_graph *g, const uint32_t *node, const uint32_t *cycle, uint64_t rows, ms_cycles **out)
{
    *out = NULL;
    if (rows > g->nodes)
        return MS_EDAMAGED;
    for (uint64_t i = 0; i < rows; i++)
        if (node[i] >= g->nodes || (i == 0 ? cycle[0] != 0
                                           : cycle[i] == cycle[i - 1] ? node[i] <= node[i - 1] : cycle[i] != cycle[i - 1] + 1))
            return MS_EDAMAGED;
    ms_cycles *s = ms_sys_alloc(sizeof *s);
    if (s == NULL)
        return MS_ENOMEM;
    s->n = rows ? cycle[rows - 1] + 1 : 0;
    s->members = (uint32_t)rows;
    s->first_room = ((size_t)s->n + 1) * sizeof *s->first;
    s->node_room = (size_t)rows * sizeof *s->node;
    s->bytes_room = (size_t)s->n * sizeof *s->bytes;
    s->first = ms_sys_alloc(s->first_room);
    s->node = ms_sys_alloc(s->node_room);
    s->bytes = ms_sys_alloc(s->bytes_room);
    if (s->first == NULL || s->node == NULL || s->bytes == NULL) {
        ms_cycles_delete(s);
        return MS_ENOMEM;
    }
    for (uint32_t i = 0; i < rows; i++) {
        s->node[i] = node[i];
        s->first[cycle[i] + 1] = i + 1;
        s->bytes[cycle[i]] += ms_node_bytes(g, node[i], MS_ALLOCATED);
    }
    *out = s;
    return MS_OK;
}

/* The members of one cycle, and what is asked of them while it is looked at. */
typedef struct {
    const ms_graph *g;
    const uint32_t *node; /* ascending */
    uint32_t n;
    uint32_t *row;        /* seven numbers each; see the names below */
    size_t size;
} members;

enum { CLOSED = 2 }; /* state: 0 new, 1 open: its walk is not over, 2 closed */
enum { STATE, STACK, CURSOR, FAN_IN, UP, BEGIN, END, COLUMNS };

static inline uint32_t *col(const members *m, int c)
{
    return m->row + (size_t)c * m->n;
}

static ms_err members_new(members *m, const ms_graph *g, const ms_cycles *s, uint32_t c)
{
    *m = (members){.g = g, .node = s->node + s->first[c], .n = s->first[c + 1] - s->first[c]};
    m->size = (size_t)m->n * COLUMNS * sizeof(uint32_t);
    m->row = ms_sys_alloc(m->size);
    return m->row ? MS_OK : MS_ENOMEM;
}

static uint32_t member(const members *m, uint32_t v) /* MS_NONE: none of them */
{
    uint32_t low = 0, high = m->n;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (m->node[middle] < v)
            low = middle + 1;
        else
            high = middle;
    }
    return low < m->n && m->node[low] == v ? low : MS_NONE;
}

/* The member that edge e leads to, if it counts; MS_NONE. */
static inline uint32_t member_by(const members *m, uint32_t e)
{
    uint32_t x = m->g->to[e];
    return MS_EDGE_KIND(x) == MS_NORMAL && x != 0 && x != m->g->garbage ? member(m, x) : MS_NONE;
}

/* UP: the member that dominates each, and BEGIN, END: where what it dominates stands in a walk down; so that a question
 * "does a dominate b" is two comparisons. Returns the member with no dominator among them, the one that
 * dominates most if there are several. */
static uint32_t members_dominated(members *m, const uint32_t *idom)
{
    uint32_t *up = col(m, UP), *begin = col(m, BEGIN), *end = col(m, END), *line = col(m, STACK), *waits = col(m, CURSOR), put = 0;
    for (uint32_t i = 0; i < m->n; i++) {
        up[i] = idom ? member(m, idom[m->node[i]]) : MS_NONE;
        if (up[i] == i)
            up[i] = MS_NONE;
        if (up[i] != MS_NONE)
            waits[up[i]]++;
    }
    for (uint32_t i = 0; i < m->n; i++) /* from those that dominate none upwards: sizes */
        if (waits[i] == 0)
            line[put++] = i;
    for (uint32_t i = 0; i < put; i++) {
        uint32_t u = up[line[i]];
        end[line[i]]++;
        if (u != MS_NONE) {
            end[u] += end[line[i]];
            if (--waits[u] == 0)
                line[put++] = u;
        }
    }
    uint32_t best = 0, most = 0, next = 0; /* and downwards: places. Those that dominators in a circle left out stand nowhere */
    for (uint32_t i = put; i-- > 0;) {
        uint32_t v = line[i], u = up[v], size = end[v];
        if (u == MS_NONE) {
            if (size > most || (size == most && v < best)) {
                most = size;
                best = v;
            }
            begin[v] = next;
            next += size;
        } else {
            begin[v] = waits[u]; /* the next free place below u */
            waits[u] += size;
        }
        waits[v] = begin[v] + 1;
        end[v] = begin[v] + size;
    }
    memset(waits, 0, m->n * sizeof *waits);
    return best;
}

static bool lighter(const void *arg, const void *a, const void *b)
{
    const ms_cut *x = a, *y = b;
    (void)arg;
    if (x->to_owner != y->to_owner)
        return x->to_owner;
    return x->fan_in != y->fan_in ? x->fan_in < y->fan_in : x->edge < y->edge;
}

static ms_err cut_add(ms_cut **cuts, uint32_t *n, size_t *room, ms_cut cut)
{
    if ((*n + 1) * sizeof cut > *room) {
        size_t more = *room ? *room * 2 : 64 * sizeof cut;
        ms_cut *p = ms_sys_resize(*cuts, *room, more);
        if (p == NULL)
            return MS_ENOMEM;
        *cuts = p;
        *room = more;
    }
    (*cuts)[(*n)++] = cut;
    return MS_OK;
}

ms_err ms_cycle_cut(const ms_graph *g, const ms_cycles *s, uint32_t c, const uint32_t *idom, ms_cut **out, uint32_t *n, size_t *room)
{
    *out = NULL;
    *n = 0;
    *room = 0;
    if (c >= s->n)
        return MS_EINVAL;
    members m;
    MS_TRY(members_new(&m, g, s, c));
    uint32_t entry = members_dominated(&m, idom);
    uint32_t *state = col(&m, STATE), *stack = col(&m, STACK), *cursor = col(&m, CURSOR), *fan_in = col(&m, FAN_IN);
    const uint32_t *begin = col(&m, BEGIN), *end = col(&m, END);
    ms_err err = MS_OK;

    for (uint32_t i = 0; i < m.n; i++)
        for (uint32_t e = g->first[m.node[i]]; e < g->first[m.node[i] + 1]; e++) {
            uint32_t t = member_by(&m, e);
            if (t != MS_NONE)
                fan_in[t]++;
        }
    for (uint32_t k = 0; k < m.n; k++) { /* one walk meets all of a real component; a made-up one may need more */
        uint32_t start = k == 0 ? entry : k <= entry ? k - 1 : k, depth = 0;
        if (state[start])
            continue;
        stack[depth++] = start;
        state[start] = 1;
        cursor[start] = g->first[m.node[start]];
        while (depth) {
            uint32_t i = stack[depth - 1], e = cursor[i]++;
            if (e >= g->first[m.node[i] + 1]) {
                state[i] = CLOSED;
                depth--;
                continue;
            }
            uint32_t t = member_by(&m, e);
            if (t == MS_NONE || state[t] == CLOSED)
                continue;
            if (state[t] == 0) {
                state[t] = 1;
                cursor[t] = g->first[m.node[t]];
                stack[depth++] = t;
                continue;
            }
            bool owner = t == i || (begin[t] <= begin[i] && begin[i] < end[t]);
            if ((err = cut_add(out, n, room, (ms_cut){e, m.node[i], m.node[t], fan_in[t], idom && owner})) != MS_OK)
                goto done;
        }
    }
    ms_sort(*out, *n, sizeof **out, lighter, NULL);
done:
    ms_sys_free(m.row, m.size);
    if (err != MS_OK) {
        ms_sys_free(*out, *room);
        *out = NULL;
        *n = 0;
        *room = 0;
    }
    return err;
}

ms_err ms_cycle_loop(const ms_graph *g, const ms_cycles *s, uint32_t c, uint32_t through, uint32_t max, uint32_t *out, uint32_t *n)
{
    *n = 0;
    if (c >= s->n)
        return MS_EINVAL;
    if (through == MS_NONE) {
        ms_cut *cut;
        uint32_t cuts;
        size_t room;
        MS_TRY(ms_cycle_cut(g, s, c, NULL, &cut, &cuts, &room));
        through = cuts ? cut[0].edge : MS_NONE;
        ms_sys_free(cut, room);
    }
    if (through >= g->edges)
        return MS_EINVAL;
    members m;
    MS_TRY(members_new(&m, g, s, c));
    uint32_t from = member(&m, ms_edge_owner(g, through)), to = member_by(&m, through);
    ms_err err = from == MS_NONE || to == MS_NONE ? MS_EINVAL : MS_OK;
    if (err == MS_OK) {
        uint32_t *by = col(&m, CURSOR), *line = col(&m, STACK), *state = col(&m, STATE), put = 1, length = 1;
        line[0] = to;
        state[to] = 1;
        for (uint32_t i = 0; i < put && !state[from]; i++)
            for (uint32_t e = g->first[m.node[line[i]]]; e < g->first[m.node[line[i]] + 1]; e++) {
                uint32_t t = member_by(&m, e);
                if (t != MS_NONE && !state[t]) {
                    state[t] = 1;
                    by[t] = e;
                    line[put++] = t;
                }
            }
        if (!state[from]) {
            err = MS_EINVAL; /* no cycle at all */
        } else {
            for (uint32_t i = from; i != to; i = member(&m, ms_edge_owner(g, by[i])))
                length++;
            uint32_t at = length;
            for (uint32_t i = from; i != to; i = member(&m, ms_edge_owner(g, by[i])))
                if (--at < max)
                    out[at] = by[i];
            if (max > 0)
                out[0] = through;
            *n = length;
        }
    }
    ms_sys_free(m.row, m.size);
    return err;
}
