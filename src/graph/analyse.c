/* analyse.c -- from edges to answers: what is alive, who alone keeps what, what goes in circles.
 *
 * The graph of a Python heap is wide and shallow, and seven objects in ten are leaves with one owner: strings,
 * numbers, empty containers. All is arranged so that they are met twice, in order, and never again:
 *
 *   1 count     every edge adds to its target's in-degree, 2 bits that stop at "several": 4 MB for 10 M nodes
 *   2 number    a leaf with one owner is *trimmed*; all others are *kept* and get a number c, in node order
 *   3 compact   the kept nodes' edges are copied, renumbered; a trimmed leaf is dominated by its owner, and its bytes
 *               are added to the owner's, right here
 *   4 walk      one depth-first walk of the kept nodes gives preorder numbers i (from 1: the root), tree parents and
 *               strongly connected components (Tarjan; of Nuutila the idea that only members of real components
 *               go on its second stack). The rules of graph.h (promotion, garbage) say where the walk
 *               goes on when it has come to an end
 *   5 preds     of each node that has more references than the one the walk took: where they come from
 *   6 dominate  semi-NCA (Georgiadis, after Lengauer and Tarjan), in preorder numbers: semidominators from the last node
 *               to the first, over a forest with path compression; then each dominator from the first to the last
 *   7 retain    from the last node to the first, each adds its bytes to its dominator's
 *   8 hand out  back from c and i to the numbers of the graph
 *
 * From step 4 on all is in preorder numbers, where what is near in the tree is near in memory; what is left of
 * access at random (renumbered edges, bytes of leaves, the way back) knows its addresses long before and asks ahead.
 *
 * Costs, per node of a heap in allocation order and of one with references to anywhere: see bench/graph.c.
 *
 * Always true:
 *   A1  a trimmed node has no strong edge, one reference of kind NORMAL, and nobody's GLOBALS edge or type edge
 *   A2  between step 2 and step 8 idom[v] is KEPT | c of a kept node; of a trimmed one its shape, from step 3 on its owner
 *   A3  the walk is a depth-first walk of the strong graph: preorder numbers of dominators are lower
 *
 * Threads: none, nothing shared. Runs in a forked child: memory by ms_sys_alloc() only, no recursion, no libc beyond memset. */
#include "graph/graph.h"

#include <string.h>

enum { AHEAD = 24 };              /* edges between asking for a cache line and reading it */
#define HEAVY   ((uint64_t)1 << 63) /* in weight.of[0]: it dominates another node */
#define KEPT    0x80000000u       /* in idom, before step 8 */
#define DONE    0x80000000u       /* in knode.pre: its component is complete */
#define PENDING 0x40000000u       /* in knode.pre, alone: chosen for promotion, not walked yet */
#define LOOP    0x80000000u       /* in frame.c: refers to itself */

typedef struct {                  /* a kept node */
    uint32_t first;               /* of its compact edges; they end where those of the next begin */
    uint32_t pre;                 /* 0: not walked yet */
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
        b_promoted, b_source, b_bytes, b_names, b_pairs;
    uint8_t *count;               /* 2 bits a node: references 0, 1, several; see counter() */
    uint32_t quarter;             /* its size is 2 to this */
    uint64_t *kept, *inner;       /* a bit a node: kept; has strong edges */
    uint32_t *idom;
    knode *node;                  /* kepts + 1 */
    uint32_t *names;              /* of kept nodes: which of the graph's; ascending */
    pair *pairs;                  /* edges that the walk did not take, in preorder numbers */
    uint32_t *to;                 /* edges between kept nodes: c */
    weight *own;                  /* of kept nodes, their trimmed leaves included; later: what they retain */
    pair *globals;                /* GLOBALS edges between kept nodes */
    uint32_t *order, *parent;     /* by preorder number */
    frame *stack;
    uint32_t *members;            /* finished nodes whose component is still open */
    uint32_t *cyclic, *starts;    /* components so far: members one after the other, where each begins */
    uint32_t n_cyclic, n_starts;
    uint32_t *promoted, *source;

    uint32_t kepts, n_to, n_globals, n_pairs, walked, n_promoted, n_source, n_members;
    uint64_t normal;              /* NORMAL edges that count */
} work;

/* ---- memory ---------------------------------------------------------------------------------------------------- */

static void *take(work *w, block *b, uint64_t size)
{
    b->at = ms_sys_alloc_big(size); /* worth a third of the time */
    if (b->at == NULL)
        return NULL;
    b->size = size;
    w->used += size;
    if (w->used > w->a->peak_bytes)
        w->a->peak_bytes = w->used;
    return b->at;
}

/* A block becomes the analysis's own. */
static void hand(block *from, void **out, size_t *room)
{
    *out = from->at;
    *room = from->size;
    *from = (block){0};
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

/* Neighbours have bytes of their own, shared with nodes a quarter of the heap away: a reference often leads next to
 * where the one before it led, and would have to wait for its byte. */
static inline uint8_t *counter(const work *w, uint32_t v, unsigned *shift)
{
    *shift = v >> w->quarter << 1;
    return w->count + (v & (((uint32_t)1 << w->quarter) - 1));
}

static inline void count_several(const work *w, uint32_t v)
{
    unsigned shift;
    uint8_t *b = counter(w, v, &shift);
    *b = (uint8_t)((*b & ~(3u << shift)) | 2u << shift);
}

/* The edges of all nodes are looked at as one run: most nodes have few, and loops that short are guessed wrong. */
static void count_run(work *w, uint32_t e, uint32_t end)
{
    const uint32_t *to = w->g->to, garbage = w->g->garbage;
    const work fixed = *w;
    uint32_t n_globals = 0;
    uint64_t normal = 0;
    for (; e < end; e++) {
        uint32_t x = to[e];
        if (MS_LIKELY(x <= MS_NODES_MAX)) { /* NORMAL */
            unsigned counts = (x != 0) & (x != garbage), shift;
            uint8_t *b = counter(&fixed, x, &shift);
            *b = (uint8_t)(*b + (((*b >> shift & 2) == 0 ? counts : 0) << shift));
            normal += counts;
        } else if (!empty(x, garbage)) {
            count_several(&fixed, MS_EDGE_TARGET(x));
            n_globals++;
        }
    }
    w->n_globals += n_globals;
    w->normal += normal;
}

/* The lowest bits of 8 bytes. */
static inline uint64_t low_bits(uint64_t x)
{
    return (x & 0x0101010101010101u) * 0x0102040810204080u >> 56;
}

/* A bit for each of 8 neighbours that differ. */
static inline uint64_t differ(const uint32_t *x)
{
    uint64_t bits = 0;
#pragma GCC unroll 8 /* a loop of its own would take three times as long */
    for (uint32_t i = 0; i < 8; i++)
        bits |= (uint64_t)(x[i] != x[i + 1]) << i;
    return bits;
}

static void count_edges(work *w)
{
    const ms_graph *g = w->g;
    const uint32_t *to = g->to, *first = g->first, garbage = g->garbage;
    count_run(w, 0, garbage ? first[garbage] : g->edges);
    if (garbage)
        count_run(w, first[garbage + 1], g->edges);
    if (g->shape_wide && g->shape_type && g->type_node)
        for (uint32_t i = 0; i < g->types; i++)
            count_several(w, g->type_node[i]);

    for (uint32_t base = 0; base < g->nodes; base += 64) {
        uint64_t inner = 0;
        uint32_t n = g->nodes - base < 64 ? g->nodes - base : 64;
        uint32_t i = 0;
        for (; i + 8 <= n; i += 8)
            inner |= differ(first + base + i) << i;
        for (; i < n; i++)
            inner |= (uint64_t)(first[base + i] != first[base + i + 1]) << i;
        for (uint64_t left = inner; left; left &= left - 1) { /* are all of them empty? The first says no, nearly always */
            uint32_t v = base + (uint32_t)__builtin_ctzll(left), e = first[v], end = first[v + 1];
            while (e < end && empty(to[e], garbage))
                e++;
            if (MS_UNLIKELY(e == end))
                inner &= ~((uint64_t)1 << (v & 63));
        }
        w->inner[base >> 6] = inner;
    }
}

/* Of 64 nodes from base on, a bit for each that has exactly one reference. */
static uint64_t referred_once(const work *w, uint32_t base)
{
    unsigned shift;
    const uint8_t *at = counter(w, base, &shift);
    uint64_t once = 0;
    for (int i = 0; i < 8; i++) {
        uint64_t x;
        memcpy(&x, at + i * 8, sizeof x);
        x >>= shift; /* what comes in from the next byte stands above the two bits */
        once |= low_bits(x & ~(x >> 1)) << (i * 8);
    }
    return once;
}

static void number_kept(work *w)
{
    const ms_graph *g = w->g;
    uint32_t c = 0, wide = g->shape_wide;
    for (uint32_t base = 0; base < g->nodes; base += 64) {
        uint64_t keep = w->inner[base >> 6] | ~referred_once(w, base);
        if (base == 0)
            keep |= 1;
        uint32_t n = g->nodes - base < 64 ? g->nodes - base : 64;
        if (n < 64)
            keep &= ((uint64_t)1 << n) - 1;
        if (g->garbage >> 6 == base >> 6)
            keep |= (uint64_t)1 << (g->garbage & 63);
        w->kept[base >> 6] = keep;
        if (wide == 2) /* a trimmed leaf's shape waits in idom: one line of the cache less to wait for in step 3 */
            for (uint32_t i = 0; i < n; i++)
                w->idom[base + i] = ((const uint16_t *)g->shape)[base + i];
        else if (wide == 4)
            memcpy(w->idom + base, (const uint32_t *)g->shape + base, n * sizeof *w->idom);
        for (; keep; keep &= keep - 1)
            w->idom[base + (uint32_t)__builtin_ctzll(keep)] = KEPT | c++;
    }
    w->kepts = c;
}

/* ---- 3: compact -------------------------------------------------------------------------------------------------- */

static inline bool is_kept(const work *w, uint32_t v)
{
    return w->idom[v] & KEPT;
}

static inline uint32_t kept_as(const work *w, uint32_t v) /* c */
{
    return w->idom[v] & ~KEPT;
}

static inline __attribute__((always_inline)) void bytes_add(const ms_graph *g, bool shapes, uint32_t shape, uint32_t v, weight *sum)
{
    for (int k = 0; k < MS_SIZES; k++)
        sum->of[k] += shapes ? g->shape_bytes[k][shape] : g->bytes[k] ? g->bytes[k][v] : 0;
}

static inline __attribute__((always_inline)) void compact_as(work *w, const bool shapes)
{
    const ms_graph *g = w->g;
    const uint32_t *to = g->to, *first = g->first, garbage = g->garbage;
    const uint64_t *kept = w->kept;
    uint32_t *idom = w->idom, c = 0, n_to = 0, n_globals = 0;

    for (uint32_t base = 0; base < g->nodes; base += 64)
        for (uint64_t keep = kept[base >> 6]; keep; keep &= keep - 1, c++) {
            uint32_t v = base + (uint32_t)__builtin_ctzll(keep), e = first[v], end = first[v + 1];
            uint64_t heavy = 0;
            weight sum = {{0}};
            bytes_add(g, shapes, shapes ? ms_node_shape(g, v) : 0, v, &sum);
            w->node[c] = (knode){n_to, 0};
            w->names[c] = v;
            if (garbage && v == garbage)
                e = end;
            uint32_t ahead = end + AHEAD < g->edges ? AHEAD : 0;
            for (; e < end; e++) {
                __builtin_prefetch(&idom[MS_EDGE_TARGET(to[e + ahead])], 1);
                uint32_t x = to[e], t = MS_EDGE_TARGET(x), there = idom[t];
                if (MS_UNLIKELY(x - 1 >= MS_NODES_MAX || x == garbage)) { /* not a NORMAL edge that counts */
                    if (!empty(x, garbage))
                        w->globals[n_globals++] = (pair){c, there & ~KEPT};
                } else if (there & KEPT) {
                    w->to[n_to++] = there & ~KEPT;
                } else {
                    idom[t] = v;
                    bytes_add(g, shapes, there, t, &sum);
                    heavy = HEAVY;
                }
            }
            sum.of[0] = (sum.of[0] & ~HEAVY) | heavy;
            w->own[c] = sum;
        }
    w->node[c].first = n_to;
    w->n_to = n_to;
}

static void compact(work *w)
{
    if (w->g->shape_wide)
        compact_as(w, true);
    else
        compact_as(w, false);
}

/* ---- 4: walk ----------------------------------------------------------------------------------------------------- */

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
    const uint32_t *to = w->to;
    uint32_t *order = w->order, *up = w->parent;
    frame *f = w->stack;
    pair *pairs = w->pairs + w->n_pairs;
    uint32_t i = w->walked + 1, p = i, low = i, e = node[c].first, end = node[c + 1].first;

    node[c].pre = i;
    order[i] = c;
    up[i] = parent;
    for (;;) {
        while (e < end) {
            uint32_t t = to[e], q = node[t].pre;
            if (e + 8 < end) { /* ask for the nodes of later edges, and with a node in hand for its own edges */
                __builtin_prefetch(&node[to[e + 8]], 1);
                __builtin_prefetch(&to[node[to[e + 4]].first]);
            }
            if (q == 0) {
                e++;
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
                for (uint32_t k = e + 1; k < end && k < e + 4; k++)
                    __builtin_prefetch(&to[node[to[k]].first]);
                continue;
            }
            e++;
            *pairs++ = (pair){p, q & ~DONE};
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
        if (f >= w->stack + 8)
            __builtin_prefetch(&node[f[-8].c & ~LOOP]);
        c = f->c;
        e = f->at;
        end = node[(c & ~LOOP) + 1].first;
        if (f->low < low)
            low = f->low;
        p = node[c & ~LOOP].pre;
    }
    w->walked = i;
    w->n_pairs = (uint32_t)(pairs - w->pairs);
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
        promote_note(w, kept_as(w, t));
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
            missing |= g->type_node[i] && w->node[kept_as(w, g->type_node[i])].pre == 0;
    if (!missing)
        return;
    for (uint32_t v = 0; v < g->nodes; v++) {
        uint32_t t = ms_node_type_node(g, v);
        if (MS_LIKELY(t == 0 || w->node[kept_as(w, t)].pre != 0))
            continue;
        uint32_t alive = kept_as(w, is_kept(w, v) ? v : w->idom[v]);
        if (w->node[alive].pre & ~PENDING)
            promote_note(w, kept_as(w, t));
    }
}

/* And after a later one: what those refer to that came to life in it. */
static void promote_later(work *w, uint32_t from, uint32_t until)
{
    const ms_graph *g = w->g;
    for (uint32_t i = from; i <= until; i++) {
        uint32_t v = w->names[w->order[i]];
        promote_type(w, v);
        for (uint32_t e = g->first[v]; e < g->first[v + 1]; e++) {
            uint32_t x = g->to[e], t = MS_EDGE_TARGET(x);
            if (empty(x, g->garbage))
                continue;
            if (MS_EDGE_KIND(x) != MS_NORMAL)
                promote_note(w, kept_as(w, t));
            else if (!is_kept(w, t))
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
                w->pairs[w->n_pairs++] = (pair){1, w->node[w->promoted[i]].pre & ~DONE}; /* an edge from the root */
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
        uint32_t c = kept_as(w, g->garbage);
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
    uint32_t *seen = w->order + w->walked + 1, n_seen = 0; /* a place that the walk has not come to yet */
    for (uint32_t start = 0; start < w->kepts; start++) {
        if (node[start].pre != 0)
            continue;
        w->source[n++] = start;
        node[start].pre = PENDING;
        seen[n_seen++] = start;
        frame *f = stack;
        uint32_t c = start, e = node[c].first;
        for (;;) {
            if (e < node[c + 1].first) {
                uint32_t t = w->to[e++];
                if (node[t].pre == 0) {
                    node[t].pre = PENDING;
                    seen[n_seen++] = t;
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
    for (uint32_t i = 0; i < n_seen; i++)
        node[seen[i]].pre = 0;
    uint32_t kept_sources = n;
    for (uint32_t i = n; i-- > 0;)
        if (node[w->source[i]].pre == 0) {
            walk(w, w->source[i], held_by);
            w->source[--kept_sources] = w->source[i];
        }
    w->n_source = n - kept_sources;
    memmove(w->source, w->source + kept_sources, w->n_source * sizeof *w->source);

    for (uint32_t i = alive + 1; i <= w->walked; i++) {
        uint32_t c = w->order[i], v = w->names[c];
        w->a->garbage_nodes++;
        for (int k = 0; k < MS_SIZES; k++)
            w->a->garbage_bytes[k] += w->own[c].of[k] & ~HEAVY;
        for (uint32_t e = g->first[v]; e < g->first[v + 1]; e++)
            if (!empty(g->to[e], g->garbage) && MS_EDGE_KIND(g->to[e]) == MS_NORMAL)
                w->a->garbage_nodes += !is_kept(w, MS_EDGE_TARGET(g->to[e]));
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
    most = most < n ? most : n;
    if ((w->promoted = take(w, &w->b_promoted, most * sizeof *w->promoted)) == NULL ||
        (w->pairs = take(w, &w->b_pairs, (w->n_to + most) * sizeof *w->pairs)) == NULL)
        return MS_ENOMEM;
    walk(w, 0, 0);
    walk_promoted(w);
    MS_TRY(walk_garbage(w));
    give(w, &w->b_globals);
    give(w, &w->b_members);
    give(w, &w->b_to);
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

/* A pointer of i's own, far up the tree: as far as two equal strides of its dominator together, else to the dominator
 * itself. With such pointers any way up takes 2 log n steps (Myers 1983). */
static inline void far_pointer(const uint32_t *dom, uint32_t *far, uint32_t *depth, uint32_t i)
{
    uint32_t d = dom[i], f = far[d];
    depth[i] = depth[d] + 1;
    far[i] = depth[d] - depth[f] == depth[f] - depth[far[f]] ? far[f] : d;
}

/* From dom[i] = the parent in the walk, more[begin[i]] = the semidominator: the dominator is the first on the way up that
 * is not below the semidominator. The way is a step or two, as a rule; but from the links of a long list that each
 * hold something that others hold, too, it is the whole list each time. After 2 n steps in all it is gone by far pointers. */
static void nearest(uint32_t *dom, const uint32_t *begin, const uint32_t *more, uint32_t n, uint32_t total, uint32_t *far, uint32_t *depth)
{
    uint64_t steps = 0, patience = n < 1000 ? n % 5 * 4 : (uint64_t)2 * n; /* small: it costs nothing, and tests see both ways */
    uint32_t i = 2;
    for (; i <= n && steps <= patience; i++)
        if (begin[i] != (i < n ? begin[i + 1] : total)) {
            uint32_t d = dom[i], semi = more[begin[i]];
            for (; d > semi; steps++)
                d = dom[d];
            dom[i] = d;
        }
    if (i > n)
        return;
    far[1] = 1;
    depth[1] = 0;
    for (uint32_t j = 2; j < i; j++)
        far_pointer(dom, far, depth, j);
    for (; i <= n; i++) {
        if (begin[i] != (i < n ? begin[i + 1] : total)) {
            uint32_t d = dom[i], semi = more[begin[i]];
            while (d > semi)
                d = far[d] > semi ? far[d] : dom[d];
            dom[i] = d;
        }
        far_pointer(dom, far, depth, i);
    }
}

/* dom[] by preorder number, in the stack's memory, which is not needed any more. */
static ms_err dominate(work *w, uint32_t **out)
{
    uint32_t n = w->kepts, total = w->n_pairs, *up = w->parent;
    const pair *pairs = w->pairs;
    uint32_t *label = (uint32_t *)w->stack, *dom = label + n + 1, *begin = dom + n + 1;
    uint32_t *more = take(w, &w->b_more, ((uint64_t)total + 1) * sizeof *more);
    if (more == NULL)
        return MS_ENOMEM;

    memset(begin, 0, ((size_t)n + 1) * sizeof *begin);
    for (uint32_t k = 0; k < total; k++)
        begin[pairs[k].to]++;
    for (uint32_t i = 1, sum = 0; i <= n; i++)
        begin[i] = sum += begin[i]; /* where its list ends; filled from behind */
    for (uint32_t k = total; k-- > 0;) {
        __builtin_prefetch(&begin[pairs[k > AHEAD ? k - AHEAD : 0].to], 1);
        more[--begin[pairs[k].to]] = pairs[k].from;
    }
    give(w, &w->b_pairs);

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
    nearest(dom, begin, more, n, total, up, label);
    give(w, &w->b_more);
    give(w, &w->b_parent);
    *out = dom;
    return MS_OK;
}

/* ---- cycles -------------------------------------------------------------------------------------------------------- */

typedef struct {
    uint64_t bytes;
    uint32_t node, cycle; /* its lowest member, its number so far */
} ranked;

/* More bytes first, then the lower node: by digits, the least significant first; digits that are the same for all are
 * left out. Returns where the result is: in x or in y. */
static ranked *sort_cycles(ranked *x, ranked *y, uint32_t n)
{
    uint64_t all_bytes = 0, same_bytes = ~(uint64_t)0;
    for (uint32_t c = 0; c < n; c++) {
        all_bytes |= x[c].bytes;
        same_bytes &= x[c].bytes;
    }
    for (int digit = 0; digit < 3 + 6; digit++) { /* 3 of 10 bits for the node, 6 of 11 for the bytes */
        uint32_t at[2048] = {0};
        int shift = digit < 3 ? digit * 10 : (digit - 3) * 11;
        if (digit >= 3 && ((all_bytes ^ same_bytes) >> shift & 2047) == 0)
            continue;
#define DIGIT(r) (digit < 3 ? (r).node >> shift & 1023 : 2047 - ((r).bytes >> shift & 2047))
        for (uint32_t c = 0; c < n; c++)
            at[DIGIT(x[c])]++;
        for (uint32_t i = 0, sum = 0; i < 2048; i++) {
            uint32_t count = at[i];
            at[i] = sum;
            sum += count;
        }
        for (uint32_t c = 0; c < n; c++)
            y[at[DIGIT(x[c])]++] = x[c];
#undef DIGIT
        ranked *other = x;
        x = y;
        y = other;
    }
    return x;
}

static ms_err cycles_sorted(work *w, uint32_t max_nodes)
{
    ms_cycles *s = &w->a->cycles;
    uint32_t n = w->n_starts, *start = w->starts, *node = w->cyclic;
    start[n] = w->n_cyclic;
    ranked *rank = take(w, &w->b_bytes, (uint64_t)n * 2 * sizeof *rank);
    if (rank == NULL)
        return MS_ENOMEM;
    for (uint32_t i = 0; i < w->n_cyclic; i++) {
        __builtin_prefetch(&w->names[node[i + AHEAD < w->n_cyclic ? i + AHEAD : i]]);
        node[i] = w->names[node[i]];
    }
    for (uint32_t c = 0; c < n; c++) {
        uint64_t bytes = 0;
        uint32_t far = start[c] + AHEAD < w->n_cyclic ? start[c] + AHEAD : 0;
        if (w->g->shape_wide)
            __builtin_prefetch((const char *)w->g->shape + (size_t)node[far] * w->g->shape_wide);
        for (uint32_t i = start[c]; i < start[c + 1]; i++)
            bytes += ms_node_bytes(w->g, node[i], MS_ALLOCATED);
        sort_up(node + start[c], start[c + 1] - start[c]);
        rank[c] = (ranked){bytes, node[start[c]], c};
    }
    rank = sort_cycles(rank, rank + n, n);

    uint32_t keep = 0, members = 0;
    for (; keep < n; keep++) {
        uint32_t c = rank[keep].cycle, size = start[c + 1] - start[c];
        if (max_nodes && size > max_nodes - members)
            break;
        members += size;
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
    for (uint32_t k = 0, at = 0; k < keep; k++) {
        uint32_t c = rank[k].cycle;
        s->bytes[k] = rank[k].bytes;
        for (uint32_t i = start[c]; i < start[c + 1]; i++)
            s->node[at++] = node[i];
        s->first[k + 1] = at;
    }
    give(w, &w->b_bytes);
    give(w, &w->b_cyclic);
    give(w, &w->b_starts);
    return MS_OK;
}

/* ---- 7, 8: retained sizes, results ---------------------------------------------------------------------------------- */

/* Each node's bytes to its dominator, from the last to the first; and on the way, who that is, in the graph's numbers. */
static void retain(work *w, const uint32_t *dom)
{
    const uint32_t *order = w->order, *names = w->names;
    uint32_t *idom = w->idom;
    weight *own = w->own;
    idom[0] = 0;
    for (uint32_t i = w->kepts; i > 1; i--) {
        uint32_t near = order[i > AHEAD + 1 ? i - AHEAD : 1], far = order[i > 2 * AHEAD + 1 ? i - 2 * AHEAD : 1];
        __builtin_prefetch(&own[near]);
        __builtin_prefetch(&names[far]);
        __builtin_prefetch(&idom[names[near]], 1);
        uint32_t c = order[i], d = order[dom[i]];
        own[d].of[0] = ((own[d].of[0] + own[c].of[0]) & ~HEAVY) | HEAVY;
        for (int k = 1; k < MS_SIZES; k++)
            own[d].of[k] += own[c].of[k];
        idom[names[c]] = names[d];
    }
}

/* The rest of a block is given back; if the system has no room to do that in, it stays. */
static void cut_to(work *w, block *b, uint64_t size)
{
    void *p = ms_sys_resize(b->at, b->size, size);
    if (p) {
        w->used -= b->size - size;
        *b = (block){p, size};
    }
}

/* The heavies' names and sizes take the place of what they were computed in. */
static void hand_out(work *w)
{
    ms_analysis *a = w->a;
    weight *own = w->own;
    uint32_t n = w->kepts, h = 0, *heavy = w->names;
    uint64_t *said = (uint64_t *)w->stack, *allocated = (uint64_t *)own;
    for (uint32_t c = 0; c < n; c++)
        if (own[c].of[MS_SAID] & HEAVY) {
            weight it = own[c];
            heavy[h] = heavy[c];
            said[h] = it.of[MS_SAID] & ~HEAVY;
            memcpy(&allocated[h], &it.of[MS_ALLOCATED], sizeof *allocated); /* never ahead of c */
            h++;
        }
    cut_to(w, &w->b_names, (uint64_t)h * sizeof *heavy);
    cut_to(w, &w->b_stack, (uint64_t)h * sizeof *said);
    cut_to(w, &w->b_own, (uint64_t)h * sizeof *allocated);
    a->heavies = h;
    hand(&w->b_names, (void **)&a->heavy, &a->heavy_room);
    hand(&w->b_stack, (void **)&a->retained[MS_SAID], &a->retained_room[MS_SAID]);
    hand(&w->b_own, (void **)&a->retained[MS_ALLOCATED], &a->retained_room[MS_ALLOCATED]);
}

static void hand_list(work *w, block *from, uint32_t n, uint32_t **out, uint32_t *out_n, size_t *room)
{
    uint32_t *list = from->at;
    for (uint32_t i = 0; i < n; i++)
        list[i] = w->names[list[i]];
    *out_n = n;
    hand(from, (void **)out, room);
}

static ms_err analyse(work *w, uint32_t max_cycle_nodes)
{
    const ms_graph *g = w->g;
    ms_analysis *a = w->a;
    uint64_t n = g->nodes, words = (n + 63) / 64;
    block b;
    uint32_t *dom;

    a->nodes = g->nodes;
    for (w->quarter = 6; (uint64_t)4 << w->quarter < n; w->quarter++)
        ;
    a->idom_room = n * sizeof *a->idom;
    if ((w->idom = a->idom = take(w, &b, a->idom_room)) == NULL ||
        (w->kept = take(w, &w->b_kept, words * 2 * sizeof *w->kept)) == NULL ||
        (w->count = take(w, &w->b_count, (uint64_t)1 << w->quarter)) == NULL)
        return MS_ENOMEM;
    w->inner = w->kept + words;
    count_edges(w);
    number_kept(w);
    give(w, &w->b_count);

    w->n_to = (uint32_t)(w->normal - (n - w->kepts));
    if ((w->node = take(w, &w->b_node, (uint64_t)(w->kepts + 1) * sizeof *w->node)) == NULL ||
        (w->names = take(w, &w->b_names, (uint64_t)w->kepts * sizeof *w->names)) == NULL ||
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
    hand_list(w, &w->b_promoted, w->n_promoted, &a->promoted, &a->promoteds, &a->promoted_room);
    hand_list(w, &w->b_source, w->n_source, &a->source, &a->sources, &a->source_room);
    hand_out(w);
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
                    &w.b_members, &w.b_cyclic, &w.b_starts, &w.b_more, &w.b_promoted, &w.b_source, &w.b_bytes, &w.b_names, &w.b_pairs};
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
        for (int k = 0; k < MS_SIZES; k++)
            drop(&a->retained[k], &a->retained_room[k]);
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
    /* All nodes kept and walked: idom, names, order, parent, members, cyclic, starts, promoted, source 4 bytes each,
     * node 8, stack 12, own 16, pairs of promoted ones 8; compact edges 4, pairs 8, globals 8. If instead each node is
     * a cycle: 48 more a node to sort them, when members, globals and compact edges are gone. Counters; pages. */
    return nodes * (9 * 4 + 8 + 12 + 16 + 8 + 40) + nodes + edges * 20 + 20 * 4096;
}
