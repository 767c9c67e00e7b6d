/* analyse.c -- from edges to answers: what is alive, who alone keeps what, what goes in circles.
 *
 * The graph of a Python heap is wide and shallow, and seven objects in ten are leaves with one owner: strings,
 * numbers, empty containers. All is arranged so that they are met twice, in order, and never again:
 *
 *   1 count     every edge adds to its target's in-degree, 2 bits that stop at "several": 2.5 MB for 10 M nodes
 *   2 number    a leaf with one owner is *trimmed*; all others are *kept* and get a number c, in node order
 *   3 compact   the kept nodes' edges are copied, renumbered; a trimmed leaf is dominated by its owner, and its bytes
 *               are added to the owner's, right here
 *   4 walk      one depth-first walk of the kept nodes gives preorder numbers i (from 1: the root), tree parents and
 *               strongly connected components (Tarjan; of Nuutila the idea that only members of real components
 *               go on its second stack). The rules of graph.h (promotion, garbage) say where the walk
 *               goes on when it has come to an end
 *   5 preds     of each kept node that has more references than the walk's own: where they come from
 *   6 dominate  semi-NCA (Georgiadis, after Lengauer and Tarjan), in preorder numbers: semidominators from the last node
 *               to the first, over a forest with path compression; then each dominator from the first to the last
 *   7 retain    from the last node to the first, each adds its bytes to its dominator's
 *   8 hand out  back from c and i to the numbers of the graph
 *
 * Costs, per node of a heap in allocation order and of one with references to anywhere: see bench/graph.c.
 *
 * Always true:
 *   A1  a trimmed node has no strong edge, one reference of kind NORMAL, and nobody's GLOBALS edge or type edge
 *   A2  between step 2 and step 8 idom[v] is the number c of a kept node, and the owner of a trimmed one (from step 3)
 *   A3  the walk is a depth-first walk of the strong graph: preorder numbers of dominators are lower
 *
 * Threads: none, nothing shared. Runs in a forked child: memory by ms_sys_alloc() only, no recursion, no libc beyond memset. */
#include "graph/graph.h"

#include <string.h>
#include <sys/mman.h>

enum { AHEAD = 24 };              /* edges between asking for a cache line and reading it */
#define HEAVY   0x80000000u       /* in knode.node: it dominates another node */
#define TREE    0x80000000u       /* in a compact edge: the walk took it */
#define DONE    0x80000000u       /* in knode.pre: its component is complete */
#define PENDING 0x40000000u       /* in knode.pre, alone: chosen for promotion, not walked yet */
#define LOOP    0x80000000u       /* in frame.c: refers to itself */

typedef struct {                  /* a kept node: what the walk needs of it is in one line of the cache */
    uint32_t first;               /* of its compact edges; they end where those of the next begin */
    uint32_t pre;                 /* 0: not walked yet */
    uint32_t preds;               /* references that are not the walk's own: how many; in step 5, where the next goes */
    uint32_t node;
} knode;

typedef struct {
    uint32_t c, at, low;          /* at: the next edge to look at. low: the lowest preorder number seen on an open path */
} frame;

typedef struct {
    uint64_t of[MS_SIZES];
} weight;

typedef struct {
    uint32_t from, to;
} pair;

typedef struct {
    void *at;
    size_t size;
} block;

typedef struct {
    const ms_graph *g;
    ms_analysis *a;
    uint64_t used;                /* bytes held now */

    block b_count, b_kept, b_node, b_to, b_own, b_globals, b_order, b_parent, b_stack, b_members, b_cyclic, b_starts, b_more,
        b_promoted, b_source, b_types, b_bytes;
    uint8_t *count;               /* 2 bits a node: references 0, 1, several */
    uint64_t *kept, *inner;       /* a bit a node: kept; has strong edges */
    uint32_t *idom;
    knode *node;                  /* kepts + 1 */
    uint32_t *to;                 /* edges between kept nodes: c */
    weight *own;                  /* of kept nodes, their trimmed leaves included; later: what they retain */
    pair *globals;                /* GLOBALS edges between kept nodes */
    uint32_t *order, *parent;     /* by preorder number */
    frame *stack;
    uint32_t *members;            /* finished nodes whose component is still open */
    uint32_t *cyclic, *starts;    /* components so far: members one after the other, where each begins */
    uint32_t n_cyclic, n_starts;
    uint32_t *promoted, *source;

    uint32_t kepts, n_to, n_globals, walked, n_promoted, n_source, n_members;
    uint64_t normal;              /* NORMAL edges that count */
} work;

/* ---- memory ---------------------------------------------------------------------------------------------------- */

static void *take(work *w, block *b, uint64_t size)
{
    b->at = ms_sys_alloc(size);
    if (b->at == NULL)
        return NULL;
    b->size = size;
    if (size >= (4u << 20))
        madvise(b->at, size, MADV_HUGEPAGE); /* worth a third of the time; no harm where refused */
    w->used += size;
    if (w->used > w->a->peak_bytes)
        w->a->peak_bytes = w->used;
    return b->at;
}

static void give(work *w, block *b)
{
    ms_sys_free(b->at, b->size);
    w->used -= b->size;
    *b = (block){0};
}

/* ---- 1, 2: count and number ------------------------------------------------------------------------------------ */

static inline bool empty(uint32_t edge, uint32_t garbage) /* no edge that keeps anything alive */
{
    uint32_t t = MS_EDGE_TARGET(edge);
    return MS_EDGE_KIND(edge) == MS_WEAK || t == 0 || t == garbage;
}

static void count_edges(work *w)
{
    const ms_graph *g = w->g;
    const uint32_t *to = g->to, *first = g->first;
    uint8_t *count = w->count;
    uint32_t n_globals = 0, garbage = g->garbage;
    uint64_t normal = 0;

    for (uint32_t v = 0; v < g->nodes; v++) {
        uint32_t e = first[v], end = first[v + 1];
        if (e == end || (v == garbage && v != 0))
            continue;
        bool strong = false;
        for (; e < end; e++) {
            uint32_t x = to[e], t = MS_EDGE_TARGET(x), kind = MS_EDGE_KIND(x);
            if (empty(x, garbage))
                continue;
            strong = true;
            unsigned shift = (t & 3) * 2, b = count[t >> 2], d = b >> shift & 3;
            if (MS_LIKELY(kind == MS_NORMAL)) {
                normal++;
                count[t >> 2] = (uint8_t)(b + ((d < 2u) << shift));
            } else {
                n_globals++;
                count[t >> 2] = (uint8_t)((b & ~(3u << shift)) | 2u << shift);
            }
        }
        if (strong)
            w->inner[v >> 6] |= (uint64_t)1 << (v & 63);
    }
    if (g->shape_wide && g->shape_type && g->type_node)
        for (uint32_t i = 0; i < g->types; i++) {
            uint32_t t = g->type_node[i];
            count[t >> 2] = (uint8_t)((count[t >> 2] & ~(3u << (t & 3) * 2)) | 2u << (t & 3) * 2);
        }
    w->n_globals = n_globals;
    w->normal = normal;
}

/* 32 counters in, a bit each out: exactly one reference. */
static inline uint32_t ones_of(uint64_t counts)
{
    uint64_t x = counts & ~(counts >> 1) & 0x5555555555555555u; /* the low bit is set, the high one is not */
    x = (x | x >> 1) & 0x3333333333333333u;
    x = (x | x >> 2) & 0x0f0f0f0f0f0f0f0fu;
    x = (x | x >> 4) & 0x00ff00ff00ff00ffu;
    x = (x | x >> 8) & 0x0000ffff0000ffffu;
    return (uint32_t)(x | x >> 16);
}

static void number_kept(work *w)
{
    const ms_graph *g = w->g;
    uint32_t c = 0;
    for (uint32_t base = 0; base < g->nodes; base += 64) {
        uint64_t counts[2];
        memcpy(counts, w->count + base / 4, sizeof counts);
        uint64_t one = ones_of(counts[0]) | (uint64_t)ones_of(counts[1]) << 32;
        uint64_t keep = w->inner[base >> 6] | ~one;
        if (base == 0)
            keep |= 1;
        uint32_t n = g->nodes - base < 64 ? g->nodes - base : 64;
        if (n < 64)
            keep &= ((uint64_t)1 << n) - 1;
        if (g->garbage >> 6 == base >> 6)
            keep |= (uint64_t)1 << (g->garbage & 63);
        w->kept[base >> 6] = keep;
        for (; keep; keep &= keep - 1)
            w->idom[base + (uint32_t)__builtin_ctzll(keep)] = c++;
    }
    w->kepts = c;
}

/* ---- 3: compact -------------------------------------------------------------------------------------------------- */

static inline bool bit(const uint64_t *bits, uint32_t v)
{
    return bits[v >> 6] >> (v & 63) & 1;
}

static inline __attribute__((always_inline)) void bytes_add(const ms_graph *g, uint32_t wide, uint32_t v, weight *sum)
{
    if (wide) {
        uint32_t s = wide == 2 ? ((const uint16_t *)g->shape)[v] : ((const uint32_t *)g->shape)[v];
        sum->of[0] += g->shape_bytes[0][s];
        sum->of[1] += g->shape_bytes[1][s];
    } else {
        for (int k = 0; k < MS_SIZES; k++)
            sum->of[k] += g->bytes[k] ? g->bytes[k][v] : 0;
    }
}

static inline __attribute__((always_inline)) void compact_as(work *w, const uint32_t wide)
{
    const ms_graph *g = w->g;
    const uint32_t *to = g->to, *first = g->first, garbage = g->garbage;
    const uint64_t *kept = w->kept;
    uint32_t *idom = w->idom, c = 0, n_to = 0, n_globals = 0;
    uint32_t last = g->edges ? g->edges - 1 : 0;
    const char *shape = wide ? g->shape : NULL;

    for (uint32_t base = 0; base < g->nodes; base += 64)
        for (uint64_t keep = kept[base >> 6]; keep; keep &= keep - 1, c++) {
            uint32_t v = base + (uint32_t)__builtin_ctzll(keep);
            knode *k = &w->node[c];
            k->first = n_to;
            k->node = v;
            weight sum = {{0}};
            bytes_add(g, wide, v, &sum);
            uint32_t e = first[v], end = first[v + 1];
            if (garbage && v == garbage)
                e = end;
            for (; e < end; e++) {
                uint32_t ahead = MS_EDGE_TARGET(to[e + AHEAD < last ? e + AHEAD : last]);
                __builtin_prefetch(&idom[ahead], 1);
                if (wide)
                    __builtin_prefetch(shape + (size_t)ahead * wide);
                uint32_t x = to[e], t = MS_EDGE_TARGET(x);
                if (empty(x, garbage))
                    continue;
                if (MS_UNLIKELY(MS_EDGE_KIND(x) != MS_NORMAL)) {
                    w->globals[n_globals++] = (pair){c, idom[t]};
                } else if (bit(kept, t)) {
                    w->to[n_to++] = idom[t];
                } else {
                    idom[t] = v;
                    bytes_add(g, wide, t, &sum);
                    k->node = v | HEAVY;
                }
            }
            w->own[c] = sum;
        }
    w->node[c].first = n_to;
    w->n_to = n_to;
}

static void compact(work *w)
{
    switch (w->g->shape_wide) {
    case 2:  compact_as(w, 2); break;
    case 4:  compact_as(w, 4); break;
    default: compact_as(w, 0); break;
    }
}

/* ---- 4: walk ----------------------------------------------------------------------------------------------------- */

static inline uint32_t node_of(const work *w, uint32_t c)
{
    return w->node[c].node & ~HEAVY;
}

/* The open component whose first node is c is complete: its members are those above preorder number p. */
static void MS_COLD component(work *w, uint32_t c, uint32_t p)
{
    w->starts[w->n_starts++] = w->n_cyclic;
    w->cyclic[w->n_cyclic++] = c;
    while (w->n_members && w->node[w->members[w->n_members - 1]].pre > p) {
        uint32_t m = w->members[--w->n_members];
        w->node[m].pre |= DONE;
        w->cyclic[w->n_cyclic++] = m;
    }
}

/* Everything that c reaches and that was not walked yet; c is a child of the node with preorder number `parent`. */
static void walk(work *w, uint32_t c, uint32_t parent)
{
    knode *node = w->node;
    uint32_t *to = w->to, *order = w->order, *up = w->parent;
    frame *f = w->stack;
    uint32_t i = w->walked + 1, p = i, low = i, e = node[c].first, end = node[c + 1].first;

    node[c].pre = i;
    order[i] = c;
    up[i] = parent;
    for (;;) {
        while (e < end) {
            uint32_t t = to[e], q = node[t].pre;
            if (e + 8 < end)
                __builtin_prefetch(&node[to[e + 8]], 1);
            if (q == 0) {
                to[e++] = t | TREE;
                order[++i] = t;
                up[i] = p;
                uint32_t begin = node[t].first, stop = node[t + 1].first;
                if (begin == stop) { /* a leaf with several owners, mostly */
                    node[t].pre = i | DONE;
                    continue;
                }
                node[t].pre = i;
                *f++ = (frame){c, e, low};
                c = t;
                p = low = i;
                e = begin;
                end = stop;
                for (uint32_t k = e; k < end && k < e + 8; k++)
                    __builtin_prefetch(&node[to[k]], 1);
                continue;
            }
            e++;
            node[t].preds++;
            if (!(q & DONE)) {
                if (q < low)
                    low = q;
                if (MS_UNLIKELY(t == (c & ~LOOP)))
                    c |= LOOP;
            }
        }
        uint32_t own = c & ~LOOP;
        if (low == p) {
            if (MS_UNLIKELY((w->n_members && node[w->members[w->n_members - 1]].pre > p) || (c & LOOP)))
                component(w, own, p);
            node[own].pre = p | DONE;
        } else {
            w->members[w->n_members++] = own;
        }
        if (f == w->stack)
            break;
        f--;
        c = f->c;
        e = f->at;
        end = node[(c & ~LOOP) + 1].first;
        if (f->low < low)
            low = f->low;
        p = node[c & ~LOOP].pre;
    }
    w->walked = i;
}

static void promote_note(work *w, uint32_t c)
{
    if (w->node[c].pre == 0) {
        w->node[c].pre = PENDING;
        w->promoted[w->n_promoted++] = c;
    }
}

static void promote_type(work *w, uint32_t v)
{
    uint32_t t = ms_node_type_node(w->g, v);
    if (t)
        promote_note(w, w->idom[t]);
}

/* Candidates after the first round: looked for where they can be, in the list of GLOBALS edges and, if there is a
 * type object that is not alive, among all nodes. */
static void promote_first(work *w)
{
    const ms_graph *g = w->g;
    for (uint32_t i = 0; i < w->n_globals; i++)
        if (w->node[w->globals[i].from].pre & ~PENDING)
            promote_note(w, w->globals[i].to);
    bool missing = false;
    if (g->shape_wide && g->shape_type && g->type_node)
        for (uint32_t i = 0; i < g->types; i++)
            missing |= g->type_node[i] && w->node[w->idom[g->type_node[i]]].pre == 0;
    if (!missing)
        return;
    for (uint32_t v = 0; v < g->nodes; v++) {
        uint32_t t = ms_node_type_node(g, v);
        if (MS_LIKELY(t == 0 || w->node[w->idom[t]].pre != 0))
            continue;
        uint32_t alive = bit(w->kept, v) ? w->idom[v] : w->idom[w->idom[v]];
        if (w->node[alive].pre & ~PENDING)
            promote_note(w, w->idom[t]);
    }
}

/* And after a later one: what those refer to that came to life in it. */
static void promote_later(work *w, uint32_t from, uint32_t until)
{
    const ms_graph *g = w->g;
    for (uint32_t i = from; i <= until; i++) {
        uint32_t v = node_of(w, w->order[i]);
        promote_type(w, v);
        for (uint32_t e = g->first[v]; e < g->first[v + 1]; e++) {
            uint32_t x = g->to[e], t = MS_EDGE_TARGET(x);
            if (empty(x, g->garbage))
                continue;
            if (MS_EDGE_KIND(x) != MS_NORMAL)
                promote_note(w, w->idom[t]);
            else if (!bit(w->kept, t))
                promote_type(w, t);
        }
    }
}

static void sort_up(uint32_t *x, uint32_t n) /* heapsort: in place, without a stack */
{
    for (uint32_t end = n, start = n / 2; end > 1;) {
        uint32_t v;
        if (start > 0) {
            v = x[--start];
        } else {
            v = x[--end];
            x[end] = x[0];
        }
        uint64_t hole = start, child;
        while ((child = 2 * hole + 1) < end) {
            if (child + 1 < end && x[child + 1] > x[child])
                child++;
            if (x[child] <= v)
                break;
            x[hole] = x[child];
            hole = child;
        }
        x[hole] = v;
    }
}

static void walk_promoted(work *w)
{
    promote_first(w);
    for (uint32_t begin = 0; begin < w->n_promoted;) {
        uint32_t end = w->n_promoted, walked = w->walked;
        sort_up(w->promoted + begin, end - begin);
        for (uint32_t i = begin; i < end; i++)
            w->node[w->promoted[i]].pre = 0;
        for (uint32_t i = begin; i < end; i++)
            if (w->node[w->promoted[i]].pre == 0)
                walk(w, w->promoted[i], 1);
            else
                w->node[w->promoted[i]].preds++; /* an edge from the root: put in with the others in step 5 */
        begin = end;
        promote_later(w, walked + 1, w->walked);
    }
}

/* Rule 3. A first walk over what is not alive, from each node in turn that the ones before did not reach: the
 * last of these starting points is in a component that nothing else reaches; so is each earlier one that no later one reaches. */
static ms_err walk_garbage(work *w)
{
    const ms_graph *g = w->g;
    knode *node = w->node;
    uint32_t held_by = 1, alive = w->walked, n = 0;
    if (g->garbage) {
        uint32_t c = w->idom[g->garbage];
        w->order[++w->walked] = c;
        w->parent[w->walked] = 1;
        node[c].pre = w->walked | DONE;
        held_by = w->walked;
        alive = w->walked;
    }
    if (w->walked == w->kepts)
        return MS_OK;

    w->source = take(w, &w->b_source, (uint64_t)(w->kepts - w->walked) * sizeof *w->source);
    if (w->source == NULL)
        return MS_ENOMEM;
    frame *stack = w->stack;
    for (uint32_t start = 0; start < w->kepts; start++) {
        if (node[start].pre != 0)
            continue;
        w->source[n++] = start;
        node[start].pre = PENDING;
        frame *f = stack;
        uint32_t c = start, e = node[c].first;
        for (;;) {
            if (e < node[c + 1].first) {
                uint32_t t = w->to[e++];
                if (node[t].pre == 0) {
                    node[t].pre = PENDING;
                    *f++ = (frame){c, e, 0};
                    c = t;
                    e = node[t].first;
                }
            } else if (f > stack) {
                f--;
                c = f->c;
                e = f->at;
            } else {
                break;
            }
        }
    }
    for (uint32_t c = 0; c < w->kepts; c++)
        if (node[c].pre == PENDING)
            node[c].pre = 0;
    uint32_t kept_sources = n;
    for (uint32_t i = n; i-- > 0;)
        if (node[w->source[i]].pre == 0) {
            walk(w, w->source[i], held_by);
            w->source[--kept_sources] = w->source[i];
        }
    w->n_source = n - kept_sources;
    memmove(w->source, w->source + kept_sources, w->n_source * sizeof *w->source);

    for (uint32_t i = alive + 1; i <= w->walked; i++) {
        uint32_t c = w->order[i], v = node_of(w, c);
        w->a->garbage_nodes++;
        for (int k = 0; k < MS_SIZES; k++)
            w->a->garbage_bytes[k] += w->own[c].of[k];
        for (uint32_t e = g->first[v]; e < g->first[v + 1]; e++)
            if (!empty(g->to[e], g->garbage) && MS_EDGE_KIND(g->to[e]) == MS_NORMAL)
                w->a->garbage_nodes += !bit(w->kept, MS_EDGE_TARGET(g->to[e]));
    }
    return MS_OK;
}

static ms_err walk_all(work *w)
{
    uint64_t n = w->kepts;
    if ((w->order = take(w, &w->b_order, (n + 1) * sizeof *w->order)) == NULL ||
        (w->parent = take(w, &w->b_parent, (n + 1) * sizeof *w->parent)) == NULL ||
        (w->stack = take(w, &w->b_stack, (n + 1) * sizeof *w->stack)) == NULL ||
        (w->members = take(w, &w->b_members, n * sizeof *w->members)) == NULL ||
        (w->cyclic = take(w, &w->b_cyclic, n * sizeof *w->cyclic)) == NULL ||
        (w->starts = take(w, &w->b_starts, (n + 1) * sizeof *w->starts)) == NULL)
        return MS_ENOMEM;
    uint64_t most = (uint64_t)w->n_globals + (w->g->shape_wide && w->g->type_node ? w->g->types : 0);
    if ((w->promoted = take(w, &w->b_promoted, (most < n ? most : n) * sizeof *w->promoted)) == NULL)
        return MS_ENOMEM;
    walk(w, 0, 0);
    walk_promoted(w);
    MS_TRY(walk_garbage(w));
    give(w, &w->b_globals);
    give(w, &w->b_members);
    return MS_OK;
}

/* ---- 5, 6: predecessors, dominators ------------------------------------------------------------------------------- */

/* The lowest semidominator on the way up from v, among nodes above i; the way is made short for the next time. The
 * pointers are turned round on the way up and set on the way down, so a path of any length needs no stack. */
static inline uint32_t lowest(uint32_t *up, uint32_t *label, uint32_t v, uint32_t i)
{
    if (up[v] <= i)
        return label[v];
    uint32_t before = 0, u = v, next;
    while ((next = up[u]) > i) {
        up[u] = before;
        before = u;
        u = next;
    }
    uint32_t top = up[u], low = label[u];
    while (before) {
        next = up[before];
        up[before] = top;
        if (label[before] > low)
            label[before] = low;
        else
            low = label[before];
        before = next;
    }
    return low;
}

/* w->dom by preorder number; takes the stack's memory, which is not needed any more. */
static ms_err dominate(work *w, uint32_t **out)
{
    uint32_t n = w->kepts, *up = w->parent;
    knode *node = w->node;
    uint32_t *label = (uint32_t *)w->stack, *dom = label + n + 1, *begin = dom + n + 1;

    uint32_t total = 0;
    for (uint32_t i = 1; i <= n; i++) {
        __builtin_prefetch(&node[w->order[i + AHEAD <= n ? i + AHEAD : n]], 1);
        knode *k = &node[w->order[i]];
        begin[i] = total;
        total += k->preds;
        k->preds = begin[i];
    }
    uint32_t *more = take(w, &w->b_more, ((uint64_t)total + 1) * sizeof *more);
    if (more == NULL)
        return MS_ENOMEM;
    const uint32_t *to = w->to;
    uint32_t last = w->n_to ? w->n_to - 1 : 0;
    for (uint32_t c = 0, e = 0; c < n; c++) {
        uint32_t p = node[c].pre & ~DONE;
        for (uint32_t end = node[c + 1].first; e < end; e++) {
            uint32_t ahead = to[e + AHEAD < last ? e + AHEAD : last];
            if (!(ahead & TREE))
                __builtin_prefetch(&node[ahead], 1);
            if (!(to[e] & TREE))
                more[node[to[e]].preds++] = p;
        }
    }
    for (uint32_t i = 0; i < w->n_promoted; i++) {
        knode *k = &node[w->promoted[i]];
        if (up[k->pre & ~DONE] != 1)
            more[k->preds++] = 1;
    }
    give(w, &w->b_to);

    memcpy(dom, up, ((size_t)n + 1) * sizeof *dom);
    uint32_t end = total;
    for (uint32_t i = n; i > 1; i--) {
        uint32_t semi = up[i], at = begin[i];
        for (uint32_t k = at; k < end; k++) {
            uint32_t s = more[k] <= i ? more[k] : lowest(up, label, more[k], i);
            if (s < semi)
                semi = s;
        }
        label[i] = semi;
        if (at < end)
            more[at] = semi; /* kept for the way back; the list is not needed any more */
        end = at;
    }
    for (uint32_t i = 2; i <= n; i++) {
        uint32_t stop = i < n ? begin[i + 1] : total;
        if (begin[i] == stop)
            continue;
        uint32_t d = dom[i], semi = more[begin[i]];
        while (d > semi)
            d = dom[d];
        dom[i] = d;
    }
    give(w, &w->b_more);
    give(w, &w->b_parent);
    *out = dom;
    return MS_OK;
}

/* ---- cycles -------------------------------------------------------------------------------------------------------- */

/* Cycle x comes before y: more bytes, else the lower first member. */
static inline bool comes_before(const uint64_t *bytes, const uint32_t *node, const uint32_t *start, uint32_t x, uint32_t y)
{
    return bytes[x] != bytes[y] ? bytes[x] > bytes[y] : node[start[x]] < node[start[y]];
}

static void sort_cycles(uint32_t *x, uint32_t n, const uint64_t *bytes, const uint32_t *node, const uint32_t *start)
{
    for (uint32_t end = n, top = n / 2; end > 1;) {
        uint32_t v;
        if (top > 0) {
            v = x[--top];
        } else {
            v = x[--end];
            x[end] = x[0];
        }
        uint64_t hole = top, child;
        while ((child = 2 * hole + 1) < end) {
            if (child + 1 < end && comes_before(bytes, node, start, x[child], x[child + 1]))
                child++;
            if (!comes_before(bytes, node, start, v, x[child]))
                break;
            x[hole] = x[child];
            hole = child;
        }
        x[hole] = v;
    }
}

static ms_err cycles_sorted(work *w, uint32_t max_nodes)
{
    ms_cycles *s = &w->a->cycles;
    uint32_t n = w->n_starts, *start = w->starts, *node = w->cyclic;
    start[n] = w->n_cyclic;
    uint64_t *bytes = take(w, &w->b_bytes, (uint64_t)(n + 1) * (sizeof *bytes + sizeof(uint32_t)));
    if (bytes == NULL)
        return MS_ENOMEM;
    uint32_t *rank = (uint32_t *)(bytes + n + 1);
    for (uint32_t c = 0; c < n; c++) {
        for (uint32_t i = start[c]; i < start[c + 1]; i++) {
            node[i] = node_of(w, node[i]);
            bytes[c] += ms_node_bytes(w->g, node[i], MS_ALLOCATED);
        }
        sort_up(node + start[c], start[c + 1] - start[c]);
        rank[c] = c;
    }
    sort_cycles(rank, n, bytes, node, start);

    uint32_t keep = 0, members = 0;
    while (keep < n && (max_nodes == 0 || members + (start[rank[keep] + 1] - start[rank[keep]]) <= max_nodes)) {
        members += start[rank[keep] + 1] - start[rank[keep]];
        keep++;
    }
    s->first_room = ((size_t)keep + 1) * sizeof *s->first;
    s->node_room = (size_t)members * sizeof *s->node;
    s->bytes_room = (size_t)keep * sizeof *s->bytes;
    block b;
    if ((s->first = take(w, &b, s->first_room)) == NULL || (s->node = take(w, &b, s->node_room)) == NULL ||
        (s->bytes = take(w, &b, s->bytes_room)) == NULL)
        return MS_ENOMEM;
    s->n = keep;
    s->members = members;
    for (uint32_t c = 0, at = 0; c < keep; c++) {
        uint32_t size = start[rank[c] + 1] - start[rank[c]];
        s->first[c] = at;
        s->bytes[c] = bytes[rank[c]];
        memcpy(s->node + at, node + start[rank[c]], size * sizeof *node);
        at += size;
        s->first[c + 1] = at;
    }
    give(w, &w->b_bytes);
    give(w, &w->b_cyclic);
    give(w, &w->b_starts);
    return MS_OK;
}

/* ---- 7, 8: retained sizes, results ---------------------------------------------------------------------------------- */

static void retain(work *w, const uint32_t *dom)
{
    const uint32_t *order = w->order;
    weight *own = w->own;
    for (uint32_t i = w->kepts; i > 1; i--) {
        uint32_t ahead = i > AHEAD + 1 ? i - AHEAD : 1, c = order[i], d = order[dom[i]];
        __builtin_prefetch(&own[order[ahead]]);
        __builtin_prefetch(&own[order[dom[ahead]]], 1);
        for (int k = 0; k < MS_SIZES; k++)
            own[d].of[k] += own[c].of[k];
        w->node[d].node |= HEAVY;
    }
}

static ms_err hand_out(work *w, const uint32_t *dom)
{
    ms_analysis *a = w->a;
    const knode *node = w->node;
    const uint32_t *order = w->order;
    uint32_t n = w->kepts, heavies = 0;

    a->idom[0] = 0;
    for (uint32_t c = 0; c < n; c++) {
        heavies += node[c].node >> 31;
        if (c > 0)
            a->idom[node[c].node & ~HEAVY] = node[order[dom[node[c].pre & ~DONE]]].node & ~HEAVY;
    }
    block b;
    a->heavy_room = (size_t)heavies * sizeof *a->heavy;
    a->retained_room = (size_t)heavies * sizeof *a->retained[0];
    if ((a->heavy = take(w, &b, a->heavy_room)) == NULL)
        return MS_ENOMEM;
    for (int k = 0; k < MS_SIZES; k++)
        if ((a->retained[k] = take(w, &b, a->retained_room)) == NULL)
            return MS_ENOMEM;
    for (uint32_t c = 0, h = 0; c < n; c++)
        if (node[c].node & HEAVY) {
            a->heavy[h] = node[c].node & ~HEAVY;
            a->retained[0][h] = w->own[c].of[0];
            a->retained[1][h++] = w->own[c].of[1];
        }
    a->heavies = heavies;
    return MS_OK;
}

static void hand_list(work *w, block *from, uint32_t *list, uint32_t n, uint32_t **out, uint32_t *out_n, size_t *room)
{
    for (uint32_t i = 0; i < n; i++)
        list[i] = node_of(w, list[i]);
    *out = list;
    *out_n = n;
    *room = from->size;
    *from = (block){0};
}

static ms_err analyse(work *w, uint32_t max_cycle_nodes)
{
    const ms_graph *g = w->g;
    ms_analysis *a = w->a;
    uint64_t n = g->nodes, words = (n + 63) / 64;
    block b;
    uint32_t *dom;

    a->nodes = g->nodes;
    a->idom_room = n * sizeof *a->idom;
    if ((w->idom = a->idom = take(w, &b, a->idom_room)) == NULL ||
        (w->kept = take(w, &w->b_kept, words * 2 * sizeof *w->kept)) == NULL ||
        (w->count = take(w, &w->b_count, words * 16)) == NULL)
        return MS_ENOMEM;
    w->inner = w->kept + words;
    count_edges(w);
    number_kept(w);
    give(w, &w->b_count);

    w->n_to = (uint32_t)(w->normal - (n - w->kepts));
    if ((w->node = take(w, &w->b_node, (uint64_t)(w->kepts + 1) * sizeof *w->node)) == NULL ||
        (w->to = take(w, &w->b_to, (uint64_t)w->n_to * sizeof *w->to)) == NULL ||
        (w->own = take(w, &w->b_own, (uint64_t)w->kepts * sizeof *w->own)) == NULL ||
        (w->globals = take(w, &w->b_globals, (uint64_t)w->n_globals * sizeof *w->globals)) == NULL)
        return MS_ENOMEM;
    compact(w);
    MS_TRY(walk_all(w));
    give(w, &w->b_kept);
    MS_TRY(cycles_sorted(w, max_cycle_nodes));
    MS_TRY(dominate(w, &dom));
    retain(w, dom);
    MS_TRY(hand_out(w, dom));
    hand_list(w, &w->b_promoted, w->promoted, w->n_promoted, &a->promoted, &a->promoteds, &a->promoted_room);
    hand_list(w, &w->b_source, w->source, w->n_source, &a->source, &a->sources, &a->source_room);
    return MS_OK;
}

ms_err ms_analysis_new(const ms_graph *g, uint32_t max_cycle_nodes, ms_analysis **out)
{
    *out = NULL;
    if (g->nodes == 0 || g->nodes >= MS_NODES_MAX || g->garbage >= g->nodes)
        return MS_EINVAL;
    ms_analysis *a = ms_sys_alloc(sizeof *a);
    if (a == NULL)
        return MS_ENOMEM;
    work w = {.g = g, .a = a};
    ms_err err = analyse(&w, max_cycle_nodes);

    block *all[] = {&w.b_count, &w.b_kept,    &w.b_node,   &w.b_to,     &w.b_own,      &w.b_globals, &w.b_order, &w.b_parent, &w.b_stack,
                    &w.b_members, &w.b_cyclic, &w.b_starts, &w.b_more, &w.b_promoted, &w.b_source, &w.b_types, &w.b_bytes};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        give(&w, all[i]);
    if (err != MS_OK) {
        ms_analysis_delete(a);
        return err;
    }
    *out = a;
    return MS_OK;
}

static void drop(void *pointer_to_pointer, size_t *room)
{
    void *p;
    memcpy(&p, pointer_to_pointer, sizeof p);
    ms_sys_free(p, *room);
    memset(pointer_to_pointer, 0, sizeof p);
    *room = 0;
}

void ms_analysis_drop(ms_analysis *a, unsigned parts)
{
    if (parts & MS_PART_IDOM)
        drop(&a->idom, &a->idom_room);
    if (parts & MS_PART_RETAINED) {
        drop(&a->heavy, &a->heavy_room);
        size_t room = a->retained_room;
        drop(&a->retained[0], &room);
        drop(&a->retained[1], &a->retained_room);
        a->heavies = 0;
    }
    if (parts & MS_PART_CYCLES) {
        drop(&a->cycles.first, &a->cycles.first_room);
        drop(&a->cycles.node, &a->cycles.node_room);
        drop(&a->cycles.bytes, &a->cycles.bytes_room);
        a->cycles.n = a->cycles.members = 0;
    }
    if (parts & MS_PART_GARBAGE) {
        drop(&a->promoted, &a->promoted_room);
        drop(&a->source, &a->source_room);
        a->promoteds = a->sources = 0;
    }
}

void ms_analysis_delete(ms_analysis *a)
{
    if (a == NULL)
        return;
    ms_analysis_drop(a, ~0u);
    ms_sys_free(a, sizeof *a);
}

uint64_t ms_analysis_bound(uint64_t nodes, uint64_t edges)
{
    /* All nodes kept: idom, node, own, order, parent, stack, members, cyclic, starts, promoted, source, the
     * counters; compact edges, globals. What comes later replaces some of this; a page for each block. */
    return nodes * (4 + 16 + 16 + 4 + 4 + 12 + 4 + 4 + 4 + 4 + 4) + nodes / 2 + edges * 12 + 17 * 4096 + 4096;
}

/* ---- check --------------------------------------------------------------------------------------------------------- */

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
            if (retained_of(a, h, k) != ms_node_bytes(g, a->heavy[h], k) + sum[a->heavy[h]])
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
            if (empty(g->to[e], g->garbage) || MS_EDGE_KIND(g->to[e]) != MS_NORMAL || t == v)
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
