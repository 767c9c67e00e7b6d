/* graph.h -- who refers to whom, as arrays; and what follows from it: what is alive, who alone keeps what, what
 * goes in circles, how an object is held, what would be freed.
 *
 * A graph is arrays of the caller's; nothing is copied. Node 0 is the root; the edges of node v are
 * to[first[v]] .. to[first[v + 1] - 1], each `kind << 30 | target`; an edge's number is its place in to[]. Target 0
 * is an empty place (it keeps the place of the others), as is any edge of the root to itself.
 *
 * What keeps alive. One rule, used by everything here:
 *   1. What the root reaches over NORMAL edges is alive.
 *   2. Then, in rounds: what a living node refers to by a GLOBALS edge, or is the type of (the type's node; such edges
 *      are not stored, they follow from the shape), and does not live yet, is *promoted*: it counts as held by the
 *      root from now on, and so does what it reaches over NORMAL edges. All of a round are promoted together.
 *   3. What is left is garbage. The pseudo node `garbage` holds, for each of its strongly connected components that
 *      no other garbage refers to, the member with the lowest number; the root holds that pseudo node. What edges
 *      the pseudo node has in to[] is not looked at, and edges to it or to the root count as empty places.
 * WEAK edges never count. The *strong graph* is: all NORMAL edges, the root's to what was promoted and to `garbage`,
 * and those of `garbage`. In it the root reaches every node.
 *
 *   dominator   idom[v]: the last node that all paths from the root to v have in common, v itself left out: the one
 *               object without which v would not be there. idom[0] = 0.
 *   retained    the bytes of v and of all that it dominates: what is freed when v goes. Bytes are said twice: as
 *               Python says (MS_SAID) and as allocated (MS_ALLOCATED).
 *   heavy       a node that dominates another one. All others retain just themselves.
 *   cycle       a strongly connected component of NORMAL edges with two or more members, or one that refers to itself.
 *
 * Where it runs: in the forked child of a snapshot (ms_analysis_new() only) and wherever a file is read. It takes
 * memory by ms_sys_alloc(), in few pieces; MS_ENOMEM gives all of it back. No recursion: a chain of ten million
 * objects is as good as a tree. Nothing here trusts its input more than ms_graph_check() has looked at it.
 *
 * Threads: a graph may be read by many; what is made here belongs to one. docs/GRAPH.md tells the theory. */
#ifndef MS_GRAPH_H
#define MS_GRAPH_H

#include "base/base.h"
#include "graph/sparse.h"

enum { MS_NORMAL, MS_GLOBALS, MS_TYPE, MS_WEAK }; /* kinds of edges; TYPE is not stored */
#define MS_EDGE(kind, target) ((uint32_t)(kind) << 30 | (uint32_t)(target))
#define MS_EDGE_TARGET(edge)  ((edge) & 0x3fffffffu)
#define MS_EDGE_KIND(edge)    ((edge) >> 30)
#define MS_NODES_MAX          0x3fffffffu /* nodes, the root included, are fewer */
#define MS_NONE               UINT32_MAX  /* no node, no edge, no row */
#define MS_EDGE_TO_TYPE       (UINT32_MAX - 1) /* where an edge's number is asked: the implicit one to the type */

enum { MS_SAID, MS_ALLOCATED, MS_SIZES };

typedef struct {
    uint32_t nodes, edges;
    const uint32_t *first; /* nodes + 1 */
    const uint32_t *to;    /* edges */
    uint32_t garbage;      /* the pseudo node of rule 3; 0: none, then the root holds what it would hold */

    /* What a node is: its shape, a number below `shapes` of 2 or 4 bytes; a shape has a type and two sizes. */
    const void *shape;    /* nodes */
    uint32_t shape_wide;  /* bytes of a shape number: 2 or 4; 0: there are no shapes, see bytes below */
    uint32_t shapes, types;
    const uint64_t *shape_bytes[MS_SIZES];
    const uint32_t *shape_type; /* a number below `types`; NULL: types are not known */
    const uint32_t *type_node;  /* its type object; 0: none. NULL: no implicit edges to types */

    const uint64_t *bytes[MS_SIZES]; /* nodes; instead of shapes. NULL: all are 0 */
} ms_graph;

static inline uint32_t ms_node_shape(const ms_graph *g, uint32_t v)
{
    return g->shape_wide == 2 ? ((const uint16_t *)g->shape)[v] : g->shape_wide == 4 ? ((const uint32_t *)g->shape)[v] : 0;
}

static inline uint64_t ms_node_bytes(const ms_graph *g, uint32_t v, int size)
{
    return g->shape_wide ? g->shape_bytes[size][ms_node_shape(g, v)] : g->bytes[size] ? g->bytes[size][v] : 0;
}

static inline uint32_t ms_node_type(const ms_graph *g, uint32_t v) /* 0 where types are not known */
{
    return g->shape_wide && g->shape_type ? g->shape_type[ms_node_shape(g, v)] : 0;
}

static inline uint32_t ms_node_type_node(const ms_graph *g, uint32_t v) /* 0: none */
{
    return g->shape_wide && g->shape_type && g->type_node ? g->type_node[ms_node_type(g, v)] : 0;
}

/* NULL: every number points at something that exists; else what does not. One pass over nodes and edges. */
const char *ms_graph_check(const ms_graph *g);

/* The node that edge number `edge` belongs to: a search in first[], 20-odd steps. */
uint32_t ms_edge_owner(const ms_graph *g, uint32_t edge);

/* The next edge, from *edge on, that leads to v, of any kind: into *edge. false: there is none. */
bool ms_edge_to(const ms_graph *g, uint32_t v, uint32_t *edge);

/* ---- analysis: dominators, retained sizes, cycles, garbage ------------------------------------------------- */

typedef struct {
    uint32_t n;        /* cycles, the largest (in allocated bytes) first */
    uint32_t members;  /* of all together */
    uint32_t *first;   /* n + 1: the members of cycle c are node[first[c]] .. node[first[c + 1] - 1] */
    uint32_t *node;    /* ascending within each */
    uint64_t *bytes;   /* n: of the members themselves, allocated */
    size_t first_room, node_room, bytes_room; /* bytes of the three blocks */
} ms_cycles;

typedef struct {
    uint32_t nodes;
    uint32_t *idom;              /* nodes */
    uint32_t heavies;
    uint32_t *heavy;             /* the nodes that dominate another one, ascending */
    uint64_t *retained[MS_SIZES]; /* theirs; of heavies */
    ms_cycles cycles;
    uint32_t promoteds;
    uint32_t *promoted;          /* by rule 2, ascending within a round, round by round */
    uint32_t sources;
    uint32_t *source;            /* by rule 3, ascending: what the pseudo node refers to. Write them as its edges */
    uint32_t garbage_nodes;      /* the pseudo node not counted */
    uint64_t garbage_bytes[MS_SIZES];
    uint64_t peak_bytes;         /* the most memory that the analysis had at a time, the results included */
    size_t idom_room, heavy_room, retained_room[MS_SIZES], promoted_room, source_room; /* bytes of the blocks */
} ms_analysis;

/* The whole of it: about 20 ns a node where references go to neighbours, 50 where they go anywhere. max_cycle_nodes:
 * cycles are left out from the first on (largest first) with which their members would be more (0: no limit).
 * The graph must be sound by ms_graph_check(). *out is the caller's. */
ms_err ms_analysis_new(const ms_graph *g, uint32_t max_cycle_nodes, ms_analysis **out);
void ms_analysis_delete(ms_analysis *a);

/* Give back what is not needed any more, e.g. when it is written: MS_PART_IDOM ... */
enum { MS_PART_IDOM = 1, MS_PART_RETAINED = 2, MS_PART_CYCLES = 4, MS_PART_GARBAGE = 8 };
void ms_analysis_drop(ms_analysis *a, unsigned parts);

/* Memory that ms_analysis_new() takes at most, results included: the bound for any graph of that many nodes and
 * edges. Of a Python heap, where 7 of 10 objects are leaves with one owner, a third of it is used; the
 * rest is never touched, so it is address space only. */
uint64_t ms_analysis_bound(uint64_t nodes, uint64_t edges);

/* NULL: a is what follows from g by the rules at the top, as far as one pass can tell: dominators are a tree, every
 * edge of the strong graph agrees with it, retained sizes add up, cycles are disjoint and sorted. For tests. */
const char *ms_analysis_check(const ms_graph *g, const ms_analysis *a);

/* ---- paths --------------------------------------------------------------------------------------------------- */

/* How willingly a path leaves a holder: what a step over its edges costs, 1 .. MS_COST_MAX; MS_COST_LAST: it is taken
 * only where no path without such a step leads. Cheap: what has a name in the source (module variables, attributes,
 * locals, keys); dear: type internals, caches, groups of odd roots. */
enum { MS_COST_MAX = 62, MS_COST_LAST = 63 };
typedef struct {
    uint32_t first, count; /* an edge at place i < count of the holder's edges costs cost[first + i] */
    uint8_t rest;          /* any other */
} ms_manner;
typedef struct {
    const ms_manner *manner; /* one for each shape (one in all, where there are no shapes) */
    const uint8_t *cost;
    uint32_t costs;          /* in cost[] */
    uint32_t groups;         /* 0: none; else the root and the nodes from this one on have each a manner of their own, behind those of the shapes */
} ms_taste;

/* The cheapest way from the root to every node; with taste NULL the shortest. First over NORMAL edges; what they do not
 * reach, in rounds as in rule 2, over a GLOBALS edge, the one to the type (MS_EDGE_TO_TYPE), or one of MS_COST_LAST from
 * a node that has a path; garbage last of all, over the edges that the graph's `garbage` has in to[] (without: no path).
 * Among equals, the first found. */
typedef struct ms_paths ms_paths;
typedef struct {
    uint32_t from; /* the node before it on the path; MS_NONE: no path (and at the root) */
    uint32_t edge; /* the edge taken: its number, or MS_EDGE_TO_TYPE */
} ms_hop;
struct ms_paths {
    const ms_graph *g;
    ms_hop *hop; /* of each node; NULL: they are looked up when asked for */
    ms_hop (*look_up)(void *source, uint32_t v);
    void (*drop)(void *source);
    void *source;
};

static inline ms_hop ms_path_hop(const ms_paths *p, uint32_t v)
{
    return p->hop ? p->hop[v] : p->look_up(p->source, v);
}

ms_err ms_paths_new(const ms_graph *g, const ms_taste *taste, ms_paths **out);
void ms_paths_delete(ms_paths *p);

/* The path to v, root first: nodes in node[0 .. n-1], node[n-1] = v, and edge[i] leads from node[i-1] to node[i]
 * (edge[0] is MS_NONE). Returns its length n, of which the last max are stored (last hops count most); 0: no path, or paths that were
 * looked up go in a circle. */
uint32_t ms_path(const ms_paths *p, uint32_t v, uint32_t max, uint32_t *node, uint32_t *edge);

/* Paths of many nodes merged: two objects are in the same row when their holders are, they are of the same type and
 * their edges have the same key. A step that repeats one of the last four of its own path (a linked list, a tree) stays in
 * that row: `folded` counts such. Row 0 is the root; a row's parent stands before it. */
typedef uint64_t ms_edge_key_fn(void *arg, uint32_t from, uint32_t edge); /* e.g. the name; the same for all [i] */

typedef struct {
    uint32_t parent, depth; /* MS_NONE and 0 for the root */
    uint32_t type;
    uint64_t key;           /* of the edge from the parent's nodes to these */
    uint64_t hash;          /* of keys and types from the root to here: the same path in another graph has the same */
    uint32_t nodes, folded; /* objects in this row; of them, those there by a repeated step */
    uint32_t node, edge;    /* one of them (that of the first target that came here), and its edge */
    uint32_t targets;       /* objects asked for in this row or below it */
    uint32_t own_targets;   /* in this row itself */
    uint64_t bytes[MS_SIZES]; /* of the targets: their own bytes */
} ms_route;

typedef struct {
    uint32_t n, room;
    ms_route *row;
    ms_sparse of;    /* of each node that lies on a path to a target: its row and 1; 0 for others */
    uint32_t *member; /* these nodes */
    uint32_t members, member_room;
    uint32_t lost;   /* targets without a path */
} ms_routes;

/* target NULL: all nodes. key NULL: the place among the holder's edges. type_key: what to call a type in the hash (NULL:
 * its number). At most max_rows rows (0: no limit): what would make more stays in its holder's row. MS_EDAMAGED: paths that were looked up
 * go in a circle. */
ms_err ms_routes_new(const ms_paths *p, const uint32_t *target, uint32_t targets, ms_edge_key_fn *key, void *arg,
                     const uint64_t *type_key, uint32_t max_rows, ms_routes **out);
void ms_routes_delete(ms_routes *r);

/* ---- what if --------------------------------------------------------------------------------------------------- */

typedef struct {
    uint64_t nodes;
    uint64_t bytes[MS_SIZES];
} ms_freed;

/* What would not be alive any more (or, of the garbage, not be there), if these edges (by number) were cut and these nodes
 * lost all their edges. freed_bits (NULL: not asked for): one bit for each node, (nodes + 63) / 64 words, the caller's.
 * For what would be freed if nodes themselves went, cut the edges that lead to them; for one
 * node that is what it retains. Passes over the whole graph. */
ms_err ms_freed_by(const ms_graph *g, const uint32_t *edge, uint32_t edges, const uint32_t *node, uint32_t nodes,
                   uint64_t *freed_bits, ms_freed *out);

/* ---- cycles --------------------------------------------------------------------------------------------------- */

/* Cycles as they stand in a file: rows of (node, number of the cycle), of ascending numbers. MS_EDAMAGED: they do not. */
ms_err ms_cycles_of(const ms_graph *g, const uint32_t *node, const uint32_t *cycle, uint64_t rows, ms_cycles **out);
void ms_cycles_delete(ms_cycles *c);

typedef struct {
    uint32_t edge, from, to;
    uint32_t fan_in; /* references to `to` from members of the cycle */
    bool to_owner;   /* `to` dominates `from`: a child that refers to its owner. What a weak reference is for */
} ms_cut;

/* Edges which, made weak, leave no circle in cycle c; not one of them could be left out. Those first that lead to an
 * owner, then those with the lowest fan-in: the first is the one to look at. Found by a walk from the member
 * that holds the others (idom; NULL: from the lowest), as the edges that lead back. *out is the caller's, of *room bytes. */
ms_err ms_cycle_cut(const ms_graph *g, const ms_cycles *s, uint32_t c, const uint32_t *idom, ms_cut **out, uint32_t *n,
                    size_t *room);

/* A shortest circle in cycle c through one of its edges `through` (MS_NONE: through the first cut): edge numbers in
 * out[0 .. n-1], each beginning where the one before ends. Returns its length; more than max: only the first max are there. */
ms_err ms_cycle_loop(const ms_graph *g, const ms_cycles *s, uint32_t c, uint32_t through, uint32_t max, uint32_t *out,
                     uint32_t *n);

#endif
