/* snap.h -- a snapshot file, opened as arrays: who refers to whom, how large, born where and when.
 *
 *   node 0                 the root: it holds what is alive
 *   nodes 1 .. objects     the program's objects, in the order of their addresses
 *   nodes above            pseudo nodes: threads, frames, groups of roots, the cyclic garbage
 *
 * The edges of node v are to[first[v]] .. to[first[v + 1] - 1]. An edge is `kind << 30 | target`. What an
 * edge is called ("._by_key", "[3]", "['eu']") is not stored: it follows from the edge's place among
 * those of its owner, and ms_snap_label() says it.
 *
 * Opening reads the small tables. The columns as long as the heap are mapped, and are checked (their
 * checksums, and every number in them against what it points into) at the first ms_snap_need() that
 * names them: so the first answer about ten million objects waits for the columns of that answer only.
 * Where a file has no dominators (its child was ended early), they are computed here.
 *
 * Always true after ms_snap_need() of the part (ms_snap_check() tests each):
 *   P1  every shape, site and type that a node names exists
 *   P2  first[] rises, and ends with the number of edges
 *   P3  every edge and every dominator is a node
 *   P4  the fields of every type exist
 * The dominators may still go in circles in a file that somebody made up: whoever walks them upwards
 * counts the steps.
 *
 * Threads: one at a time, but that a second one may look at columns and bring the edges. The ms_file must stay open as long as the ms_snap. */
#ifndef MS_GRAPH_SNAP_H
#define MS_GRAPH_SNAP_H

#include "graph/graph.h"
#include "store/store.h"

enum { MS_SNAP_NORMAL, MS_SNAP_GLOBALS, MS_SNAP_TYPE, MS_SNAP_WEAK }; /* kinds of edges */
#define MS_SNAP_TARGET(edge) ((edge) & 0x3fffffffu)
#define MS_SNAP_KIND(edge)   ((edge) >> 30)

enum { MS_REST_NONE, MS_REST_INDEX, MS_REST_PAIRS, MS_REST_MEMBERS, MS_REST_OPAQUE, MS_REST_LABELS }; /* types.rest */

enum { /* types.flags */
    MS_SNAP_HEAP_TYPE = 1,
    MS_SNAP_TRACKED = 2,
    MS_SNAP_PSEUDO = 4,
    MS_SNAP_FINALIZER = 8,
    MS_SNAP_OPAQUE_LEAF = 16,
    MS_SNAP_EXCEPTION = 32,
    MS_SNAP_GIVEN_UP = 64,
};

/* A column of small numbers, in whichever width it was stored. */
typedef struct {
    const void *at;
    uint8_t     wide; /* bytes of a number: 1, 2, 4; 0: there is no column, and every number is 0 */
} ms_snap_ids;

static inline uint32_t ms_snap_id(ms_snap_ids c, uint64_t i)
{
    return c.wide == 2   ? ((const uint16_t *)c.at)[i]
           : c.wide == 4 ? ((const uint32_t *)c.at)[i]
           : c.wide == 1 ? ((const uint8_t *)c.at)[i]
                         : 0;
}

typedef struct ms_snap {
    ms_file *file;
    char     prefix[8];       /* of the tables' names: "", "exit_", "peak_" */
    unsigned have;            /* the parts that ms_snap_need() brought */
    uint32_t nodes, objects;  /* rows of the table objects; how many of them are objects */
    uint64_t edges;
    uint32_t garbage;         /* the pseudo node that holds the cyclic garbage; 0: none */
    uint32_t epoch;           /* when it was taken */
    uint64_t epoch_ns;

    uint64_t       n_strings, text_bytes;
    const int64_t *string_at;
    const char    *string_data;

    uint64_t        n_info;
    const uint32_t *info_key, *info_value;

    uint32_t        n_sites;
    const uint32_t *site_file, *site_function, *site_flags;
    const int32_t  *site_line, *site_end_line, *site_column, *site_end_column;

    uint32_t        n_types, n_fields;
    const uint32_t *type_name, *type_node, *type_flags, *type_basicsize, *type_itemsize, *type_first, *type_count;
    const uint8_t  *type_rest;
    const uint32_t *field_name;

    uint32_t        n_shapes;
    const uint32_t *shape_type;
    const uint64_t *shape_said, *shape_allocated;

    uint32_t        n_regions; /* sorted by first */
    const uint64_t *region_base;
    const uint32_t *region_first, *region_count;

    /* by ms_snap_need() */
    ms_snap_ids     shape, site, birth;
    const uint32_t *address;
    uint32_t       *first; /* nodes + 1 of them; ours */
    const uint32_t *to;
    bool          (*edges_wait)(void *arg); /* another thread brings the edges: to its end; true: they are there. NULL: none does */
    void           *edges_arg;
    uint64_t        n_labels;
    const uint64_t *label_edge; /* sorted */
    const uint32_t *label_name;
    uint64_t        n_texts;
    const uint32_t *text_node, *text_string; /* sorted by node */
    const uint32_t *idom;

    uint64_t *holds; /* one bit for each node: it dominates another one; ours */
    uint32_t *rank;  /* how many holders stand before each 64 nodes; ours */
    uint32_t  n_holders;
    uint32_t *holder;             /* the node of each rank; ours, or a column of the file */
    uint64_t *retained, *retained_said; /* of each rank, in bytes allocated and as Python says */
    uint32_t *begin, *end;        /* the holder's place in a walk down the dominator tree, and the first place that is not below it */
    uint32_t *walk;               /* the ranks in the order of that walk */
    bool      owned;              /* holder and retained are ours */
    uint32_t *module_dict;        /* sorted; ours */
    size_t    n_modules, module_room;
    bool      modules_found;
    uint32_t  attributes;         /* the string "__dict__" as fields have it; UINT32_MAX: none */
    ms_analysis *analysis;        /* dominators and cycles computed here, where the file has none */
} ms_snap;

/* Parts for ms_snap_need(). */
enum {
    MS_SNAP_SHAPES = 1,     /* shape: type and size of each object */
    MS_SNAP_BIRTHS = 2,     /* site, birth */
    MS_SNAP_ADDRESSES = 4,  /* address */
    MS_SNAP_EDGES = 8,      /* first, to, labels */
    MS_SNAP_TEXTS = 16,     /* texts */
    MS_SNAP_IDOMS = 32,     /* idom, holds, rank, holder, retained */
    MS_SNAP_TREE = 64,      /* begin, end, walk (and IDOMS, SHAPES) */
};

/* Whether the file holds a snapshot under this prefix. */
bool ms_snap_there(ms_file *f, const char *prefix);

/* Open the snapshot with this prefix in f. why says in one sentence why not. */
ms_err ms_snap_open(ms_file *f, const char *prefix, ms_why *why, ms_snap **out);
void   ms_snap_close(ms_snap *s); /* NULL is fine */
ms_err ms_snap_need(ms_snap *s, unsigned parts, ms_why *why);
ms_err ms_snap_edges(ms_snap *s, ms_why *why); /* for a second thread: brings the edges, while the first needs other parts (edges_wait) */
const char *ms_snap_check(const ms_snap *s); /* NULL: sound; else what is broken. Reads all that is there */

/* Another column of a table of this snapshot; out->rows is 0 where there is none. */
ms_err ms_snap_column(ms_snap *s, const char *table, const char *column, ms_type type, ms_why *why, ms_column *out);
ms_err ms_snap_column_any(ms_snap *s, const char *table, const char *column, ms_why *why, ms_column *out); /* of any type, width 1 */

/* A column of a ready answer: false where it is missing, damaged or of another kind. Then the answer is computed. */
bool ms_snap_ready(ms_snap *s, const char *table, const char *column, ms_type type, uint32_t width, ms_column *out);

/* A row of strings; not ended by 0. Rows that do not exist are empty. */
typedef struct {
    const char *at;
    size_t      size;
} ms_snap_string;
ms_snap_string ms_snap_text(const ms_snap *s, uint32_t row);
bool           ms_snap_text_is(const ms_snap *s, uint32_t row, const char *word);
uint64_t       ms_snap_info(const ms_snap *s, const char *key, uint64_t otherwise); /* a number of snap_info */

static inline uint32_t ms_snap_type(const ms_snap *s, uint32_t node) /* needs SHAPES, as the next two */
{
    return s->shape_type[ms_snap_id(s->shape, node)];
}
static inline uint64_t ms_snap_bytes(const ms_snap *s, uint32_t node) /* as allocated */
{
    return s->shape_allocated[ms_snap_id(s->shape, node)];
}
static inline uint64_t ms_snap_said(const ms_snap *s, uint32_t node)
{
    return s->shape_said[ms_snap_id(s->shape, node)];
}

static inline bool ms_snap_holds(const ms_snap *s, uint32_t node) /* needs IDOMS, as the next three */
{
    return s->holds[node >> 6] >> (node & 63) & 1;
}
static inline uint32_t ms_snap_ones(uint64_t x) /* the compiler's own is a call where the processor's is not sure to be there */
{
    x -= x >> 1 & 0x5555555555555555u;
    x = (x & 0x3333333333333333u) + (x >> 2 & 0x3333333333333333u);
    return (uint32_t)(((x + (x >> 4)) & 0x0f0f0f0f0f0f0f0fu) * 0x0101010101010101u >> 56);
}
static inline uint32_t ms_snap_rank(const ms_snap *s, uint32_t node) /* of a node that holds */
{
    return s->rank[node >> 6] + ms_snap_ones(s->holds[node >> 6] & ((UINT64_C(1) << (node & 63)) - 1));
}
static inline uint64_t ms_snap_retained(const ms_snap *s, uint32_t node)
{
    return ms_snap_holds(s, node) ? s->retained[ms_snap_rank(s, node)] : ms_snap_bytes(s, node);
}
static inline uint64_t ms_snap_retained_said(const ms_snap *s, uint32_t node)
{
    return ms_snap_holds(s, node) ? s->retained_said[ms_snap_rank(s, node)] : ms_snap_said(s, node);
}

/* The dicts of all modules: their entries are variables, whoever else holds the dict. Needs SHAPES and EDGES;
 * found at the first call. */
ms_err ms_snap_find_modules(ms_snap *s, ms_why *why);
bool ms_snap_is_namespace(const ms_snap *s, uint32_t dict);
/* The node that the field __dict__ of v refers to; 0: none. */
uint32_t ms_snap_namespace_of(const ms_snap *s, uint32_t v);

bool ms_snap_is_garbage(const ms_snap *s, uint32_t node);                    /* needs TREE */
bool ms_snap_births_seen(const ms_snap *s);                                   /* needs BIRTHS: any object has a site */
uint64_t ms_snap_address(const ms_snap *s, uint32_t node);                   /* needs ADDRESSES; 0: it has none */
bool ms_snap_find(const ms_snap *s, uint64_t address, uint32_t *node);       /* the object that begins there */
bool ms_snap_name(const ms_snap *s, uint32_t node, uint32_t *string);        /* needs TEXTS: its text, if it has one */

/* The arrays of graph.h over this snapshot's columns. Needs SHAPES and EDGES. */
ms_graph ms_snap_graph(const ms_snap *s);

/* What an edge is called. Needs SHAPES and EDGES. */
typedef enum {
    MS_LABEL_NONE,     /* no edge leads here (the root of a path) */
    MS_LABEL_FIELD,    /* value: the string of the attribute's name */
    MS_LABEL_INDEX,    /* value: the index */
    MS_LABEL_VALUE,    /* of a dict; value: the node of the key */
    MS_LABEL_KEY,      /* the object is itself a key of a dict */
    MS_LABEL_MEMBER,   /* of a set */
    MS_LABEL_OPAQUE,   /* one of the references of an object whose layout is not known */
    MS_LABEL_NAMED,    /* value: a string: the name of a local, a module, a group of roots */
    MS_LABEL_INDIRECT, /* held by several that are held here */
} ms_label_kind;

typedef struct {
    uint32_t kind; /* ms_label_kind */
    uint32_t value;
} ms_label;

ms_label ms_snap_label(const ms_snap *s, uint32_t owner, uint32_t edge); /* edge: an index into to[] */

#endif
