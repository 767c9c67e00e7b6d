/* answer.h -- the questions that a snapshot answers: how much, held by whom, along which path.
 *
 *   sums      by type or birth line: objects, bytes, and what they hold
 *   holders   the dominator tree from the top, brothers of one kind merged: who holds most
 *   paths     how given objects are reached from the root, similar paths merged
 *   others    who else refers to them
 *   cycles    which objects refer to each other in a circle, dead or alive, circles of one form merged
 *   growing   containers whose elements were born over the whole run
 *
 * All figures are exact. "Holds" means retains: what would be freed if the object went. Of a set it is
 * the sum over those that no other member holds, so nothing counts twice. "Bytes" are as allocated,
 * "said" as Python's sys.getsizeof says.
 *
 * Costs: each answer walks whole columns once or twice; nothing is remembered between answers. Threads: one at a time. */
#ifndef MS_GRAPH_ANSWER_H
#define MS_GRAPH_ANSWER_H

#include "graph/graph.h"
#include "graph/snap.h"
#include "graph/vec.h"

/* ---- sums ---- */

typedef struct {
    uint64_t count, bytes, said, retained, retained_said;
} ms_sum;

typedef enum { MS_BY_TYPE, MS_BY_SITE } ms_by;

/* out has n_types or n_sites rows, zeroed; they stay so where no birth was seen. retained only if asked for, or known already. Pseudo nodes are left out.
 * garbage_only: of the cyclic garbage alone. */
ms_err ms_sums(ms_snap *s, ms_by by, bool retained, bool garbage_only, ms_sum *out, ms_why *why);

/* A set of nodes, as bits. */
typedef struct {
    uint64_t *bits;
    size_t    words;
} ms_set;
ms_err ms_set_new(const ms_snap *s, ms_set *out);
void   ms_set_free(ms_set *set);
static inline bool ms_set_has(const ms_set *set, uint32_t v) { return set->bits[v >> 6] >> (v & 63) & 1; }
static inline void ms_set_add(ms_set *set, uint32_t v) { set->bits[v >> 6] |= UINT64_C(1) << (v & 63); }

/* What n nodes are and hold. below: NULL, or a set that gets every node that is held by one of them
 * or is one (for ms_others). */
ms_err ms_sum_of(ms_snap *s, const uint32_t *node, size_t n, ms_sum *out, ms_why *why);
ms_err ms_sum_below(ms_snap *s, const uint32_t *node, size_t n, ms_set *below, ms_why *why);

/* The same, where it is known that none of them holds another one. */
void ms_sum_apart(const ms_snap *s, const uint32_t *node, size_t n, ms_sum *out);

/* The same, asked of few: *out gets the places of the walk that those which hold something cover. */
ms_err ms_places_below(ms_snap *s, const uint32_t *node, size_t n, ms_set *out, ms_why *why);
static inline bool ms_places_have(const ms_snap *s, const ms_set *places, uint32_t v)
{
    return ms_set_has(places, s->begin[ms_snap_rank(s, ms_snap_holds(s, v) ? v : s->idom[v])]);
}

/* ---- trees of merged steps ---- */

typedef struct {
    uint32_t parent;    /* row of the tree; row 0 is its root and its own parent */
    uint32_t depth;
    ms_label label;     /* from the parent's row; value UINT32_MAX: several of this kind */
    uint32_t type, example, site, more_sites; /* of one of the nodes; more_sites: others were born elsewhere */
    uint32_t key;       /* where the label is a dict's value: the key of one of them */
    uint64_t folded;    /* nodes that were reached through another node of the same row (a list linked by .next) */
    uint64_t entries;   /* references of all nodes beyond their fields: what containers hold (of dicts, the pairs) */
    uint64_t targets, weight; /* paths: how many of the asked-for objects are here or below, and what they weigh */
    uint64_t here;      /* paths: how many are in this very row */
    ms_sum   sum;       /* count: nodes of this row */
} ms_step;

typedef MS_VEC(ms_step) ms_steps;

/* The dominator tree from `top` down. A row is followed further if it holds at least `least` bytes, stands less
 * than `deep` steps down, and has at most `wide` nodes. */
ms_err ms_holders(ms_snap *s, uint32_t top, uint64_t least, uint32_t deep, uint64_t wide, ms_steps *out, ms_why *why);

/* The question that comes first: from the root, as far as a hundredth of all is held, as the next one is told. */
ms_err ms_tops(ms_snap *s, ms_steps *out, ms_why *why);
ms_err ms_total(ms_snap *s, uint64_t *bytes, ms_why *why); /* of all objects, as allocated */

/* ---- modules and their variables ---- */

typedef struct {
    uint32_t node, dict, name; /* dict 0: it has none; name: a string */
    uint64_t retained;
} ms_module;
typedef MS_VEC(ms_module) ms_module_list;
ms_err ms_modules_of(ms_snap *s, ms_module_list *out, ms_why *why);

typedef struct {
    uint32_t dict, name, node, type, idom; /* dict: of the module */
    uint64_t retained;
} ms_variable;
typedef MS_VEC(ms_variable) ms_variable_list;
ms_err ms_variables_of(ms_snap *s, uint64_t least, ms_variable_list *out, ms_why *why); /* those that hold so much, module by module */

/* ---- ready answers ---- */

/* Those that stand in the file (ready.h); false: they do not, or not soundly. For the functions above. */
bool ms_ready_sums(ms_snap *s, ms_by by, ms_sum *out);
bool ms_ready_tops(ms_snap *s, ms_steps *out);
bool ms_ready_modules(ms_snap *s, ms_module_list *out);
bool ms_ready_variables(ms_snap *s, uint64_t least, ms_variable_list *out);

/* ---- paths ---- */

/* The most telling way to each node: by modules and their variables where that is possible, else by threads
 * and their frames, else by what the interpreter holds; inner workings of types last. The caller's, for
 * ms_paths_delete(); *g must stay. */
ms_err ms_ways(ms_snap *s, ms_graph *g, ms_paths **out, ms_why *why);

/* How the targets are reached, similar ways merged. targets of a row: how many are there or below; weight: their
 * own bytes; here: in this very row. lost: targets that nothing reaches. */
ms_err ms_ways_to(ms_snap *s, const ms_paths *p, const uint32_t *target, uint32_t n, ms_steps *out, uint64_t *lost, ms_why *why);

/* References to the targets beside those of the paths, from objects that no target holds, by the owner's
 * type and the edge's name, most first; weak ones are only counted. */
typedef struct {
    ms_label label;
    uint32_t type, example, target;
    uint64_t refs, owners;
} ms_other;
typedef MS_VEC(ms_other) ms_others;
ms_err ms_other_refs(ms_snap *s, const ms_paths *p, const uint32_t *target, uint32_t n, ms_others *out, uint64_t *weak, ms_why *why);

/* ---- cycles ---- */

typedef struct {
    uint64_t form;      /* the same for circles of the same types and edges */
    uint64_t count;     /* circles of this form */
    uint32_t example;   /* one of them (a number of the table cycles) */
    bool     garbage;
    ms_sum   sum;       /* of all their nodes; retained: with what they hold */
} ms_form;
typedef MS_VEC(ms_form) ms_forms;
/* By what they hold, most first. dead: those of the garbage alone. */
ms_err ms_cycle_forms(ms_snap *s, const ms_cycles *c, bool dead, ms_forms *out, ms_why *why);

/* ---- growing ---- */

enum { MS_GROWING_PARTS = 8 };

typedef struct {
    uint32_t node;
    uint32_t entries;   /* that have a known birth */
    uint32_t oldest, newest;
    uint32_t parts[MS_GROWING_PARTS]; /* how many were born in each eighth of the time from the container's birth on */
    bool     grows;     /* at least six of the eight have a fair share, the first and the last two among them */
    uint32_t late;      /* not 0: it grows if nothing that fills it was made before this epoch */
} ms_growing;
typedef MS_VEC(ms_growing) ms_growings;
/* Of what is held by nobody, and so was never in a bounded cache, less is asked. Births counted into 64 parts of a time: the part in which the
 * first of them lie (a 64th of all left out), and whether there are some all along from it on: in six of eight parts, and in the last two. */
enum { MS_BIRTH_PARTS = 64 };
uint32_t ms_births_begin(const uint32_t *births, uint32_t n);
bool     ms_births_all_along(const uint32_t *births, uint32_t from, uint32_t n);

/* Containers with at least `least` entries of known birth; those that grow first, by what they hold. */
ms_err ms_growing_containers(ms_snap *s, uint32_t least, ms_growings *out, ms_why *why);

/* The same for one container. Needs SHAPES, BIRTHS and EDGES. */
void ms_growing_one(const ms_snap *s, uint32_t node, ms_growing *out);

/* ---- as another tool's file ---- */

/* The snapshot as a V8 .heapsnapshot, piece by piece to sink. What sink returns is returned. */
typedef ms_err ms_sink(void *arg, const char *bytes, size_t size);
ms_err ms_devtools_write(ms_snap *s, ms_sink *sink, void *arg, ms_why *why);

/* Entries of a node beyond its fields: elements, pairs. */
uint64_t ms_entries(const ms_snap *s, uint32_t node);

#endif
