/* child.h -- what the parts of the forked child share.
 *
 *   take.c   the program's side: forks, waits; the child's main line, its limits and its end
 *   marks.c  which addresses are objects: one bit for 16 bytes, and the rank of each
 *   types.c  one entry for each type: how its instances are read, what their places are called
 *   read.c   reads an object: its references in a fixed order, its sizes, its birth
 *   hidden.c what no reader and no tp_traverse tells: found by looking at memory
 *   known.c  readers of types found by name: collections, lru_cache, numpy
 *   pools.c  blocks of Python's own allocator
 *   values.c equal values
 *   frames.c frames that run, generators, coroutines
 *   depth.c  how much of a running frame's stack is in use
 *   roots.c  threads, the interpreter's own references; pseudo nodes
 *   nodes.c  sweeps the heap twice: marks what is alive; reads it into the columns, keeps the ledger
 *   pair.c   lets a second thread sweep half of it
 *   file.c   the tables
 *   beside.c a second thread
 *
 * The child's laws: no write to an object or a GC header, no lock, no malloc, no Python code. All its
 * memory is its own (ms_sys_alloc). A type whose tp_traverse crashes or does not return is given up.
 *
 * Everything of one snapshot is in ms_child. A second thread, where there is one, sweeps half of the heap
 * with an ms_child of its own (pair.c), and writes what stands while the graph is analysed (file.c). */
#ifndef MS_CHILD_H
#define MS_CHILD_H

#include "record/recorder.h"
#include "snapshot/snapshot.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

/* Bits that are set. x86-64 has an instruction for it since 2008, which compilers do not use unasked; where it
 * is missing no snapshot is taken (ms_snapshot_take). */
static inline uint32_t ms_bits(uint64_t x)
{
#if defined(__x86_64__)
    __asm__("popcntq %0, %0" : "+r"(x) : : "cc");
    return (uint32_t)x;
#else
    return (uint32_t)__builtin_popcountll(x);
#endif
}

/* --- memory that grows ------------------------------------------------------------------------------ */

typedef struct {
    char  *at;
    size_t used, room; /* bytes */
} ms_vec;

/* Room for more bytes; NULL: none. What it returns is not counted as used yet. */
MS_COLD bool ms_vec_grow(ms_vec *v, size_t more);
static inline void *ms_vec_want(ms_vec *v, size_t more)
{
    return MS_LIKELY(v->used + more <= v->room) || ms_vec_grow(v, more) ? v->at + v->used : NULL;
}
void ms_vec_free(ms_vec *v);
void ms_vec_limit(uint64_t bytes); /* no vector grows beyond a fourth of it */
void ms_vec_reserve(ms_vec *v, size_t room); /* room from the start, in huge pages; as much as there is */
#define MS_VEC_N(v, type)  ((v).used / sizeof(type))
#define MS_VEC_AT(v, type) ((type *)(void *)(v).at)
/* Append one value; the child ends when there is no memory (ms_child_fail). */
#define MS_PUSH(c, v, type, ...)                          \
    do {                                                  \
        type *push_ = ms_vec_want(&(v), sizeof(type));    \
        if (MS_UNLIKELY(push_ == NULL))                   \
            ms_child_fail(c, MS_ENOMEM, NULL);            \
        *push_ = (__VA_ARGS__);                           \
        (v).used += sizeof(type);                         \
    } while (0)

/* --- marks.c ---------------------------------------------------------------------------------------- */

/* Objects are found by address. Memory is cut into chunks of 2 MiB; a chunk has a word of 64 bits for
 * each KiB. Two planes: objects at multiples of 16, and the few static ones at 8 more than that.
 * A granule is a place of 16 bytes in a chunk that has objects: chunk number << 17 | place. */
typedef struct {
    uint64_t seen;      /* bit: an object begins here */
    union {
        uint64_t done;  /* while sweeping: it was read; of blocks that objects own: what the second thread has marked */
        uint32_t rank;  /* afterwards: objects before this word */
    };
} ms_word;

#define MS_CHUNK_SHIFT 21
#define MS_WORDS       2048u
#define MS_GRANULES    17
#define MS_ADDRESS_BITS 48 /* of user space: 47 on x86-64, 48 on aarch64 */
#define MS_LEAF_SHIFT  34
#define MS_LEAFS       (1u << (MS_ADDRESS_BITS - MS_LEAF_SHIFT))

typedef struct {
    uintptr_t base;     /* address of its first byte, with 8 added in the second plane */
    uint32_t  number;
    uint32_t  work;     /* about as long as it takes to read its objects: how many, and their references */
    uint64_t  pools[2];        /* bit: the pool of 16 KiB was looked at (pools.c) */
    ms_word   word[MS_WORDS];
    uint64_t  other[MS_WORDS]; /* while sweeping: what the second thread has marked */
} ms_chunk_map;

typedef struct {
    ms_chunk_map *chunk[2][8192]; /* by plane and number within the 16 GiB */
} ms_leaf;

typedef struct {
    ms_leaf *leaf[MS_LEAFS];
    ms_vec   by_number;           /* ms_chunk_map *: [0] is empty */
    char    *batch;               /* chunks to come */
    uint32_t batch_left;
} ms_marks;

/* A plane of bits has one writer; the other thread may look meanwhile, and see them later. */
static inline void ms_plane_set(uint64_t *w, uint64_t bits) { __atomic_store_n(w, *w | bits, __ATOMIC_RELAXED); }
/* Objects of a word that are marked, by either, and that nobody has read. */
static inline uint64_t ms_marks_todo(const ms_chunk_map *k, uint32_t w)
{
    return (__atomic_load_n(&k->word[w].seen, __ATOMIC_RELAXED) | __atomic_load_n(&k->other[w], __ATOMIC_RELAXED)) & ~k->word[w].done;
}

MS_COLD ms_chunk_map *ms_marks_chunk(ms_marks *m, uintptr_t p, ms_err *err); /* the chunk of p, made if need be; NULL: no address, or *err says why */
/* The same while another thread makes some, too, in a copy of m: it has no number yet. NULL also: nothing near was ever marked. */
MS_COLD ms_chunk_map *ms_marks_chunk_beside(ms_marks *m, uintptr_t p);
ms_err ms_marks_number(ms_marks *m); /* of those that have none */
#define MS_TOO_WIDE "objects lie in more than 64 GiB of memory"

static inline ms_chunk_map *ms_marks_at(const ms_marks *m, uintptr_t p)
{
    if (MS_UNLIKELY(p >> MS_ADDRESS_BITS))
        return NULL;
    const ms_leaf *l = m->leaf[p >> MS_LEAF_SHIFT];
    return l ? l->chunk[p >> 3 & 1][p >> MS_CHUNK_SHIFT & 8191] : NULL;
}
static inline bool ms_marks_has(const ms_marks *m, uintptr_t p)
{
    const ms_chunk_map *k = ms_marks_at(m, p);
    return k && (p & 7) == 0 && k->word[p >> 10 & (MS_WORDS - 1)].seen >> (p >> 4 & 63) & 1;
}
/* Number of the object at p once ranks stand; 0: none. */
static inline uint32_t ms_marks_id(const ms_marks *m, uintptr_t p)
{
    const ms_chunk_map *k = ms_marks_at(m, p);
    if (k == NULL)
        return 0;
    const ms_word *w = &k->word[p >> 10 & (MS_WORDS - 1)];
    uint64_t bit = 1ull << (p >> 4 & 63);
    return w->seen & bit ? w->rank + ms_bits(w->seen & (bit - 1)) + 1 : 0;
}
static inline uint32_t ms_marks_id_of_granule(const ms_marks *m, uint32_t granule)
{
    const ms_chunk_map *k = MS_VEC_AT(m->by_number, ms_chunk_map *)[granule >> MS_GRANULES];
    const ms_word *w = &k->word[granule >> 6 & (MS_WORDS - 1)];
    uint64_t bit = 1ull << (granule & 63);
    return w->seen & bit ? w->rank + ms_bits(w->seen & (bit - 1)) + 1 : 0;
}
/* Number the objects from 1; every chunk in order of address, plane by plane. Returns how many there are. */
uint64_t ms_marks_rank(ms_marks *m);
/* The next chunk after p in that order (p NULL: the first); NULL: that was the last. plane -1: both. */
ms_chunk_map *ms_marks_next(const ms_marks *m, int plane, const ms_chunk_map *p);
const char *ms_marks_check(const ms_marks *m);

/* --- types.c ---------------------------------------------------------------------------------------- */

enum { MS_REST_NONE, MS_REST_INDEX, MS_REST_PAIRS, MS_REST_MEMBERS, MS_REST_OPAQUE, MS_REST_LABELS };

enum { MS_EDGE_NORMAL, MS_EDGE_GLOBALS, MS_EDGE_TYPE, MS_EDGE_WEAK };

enum { MS_TYPE_HEAP = 1, MS_TYPE_TRACKED = 2, MS_TYPE_PSEUDO = 4, MS_TYPE_FINALIZER = 8, MS_TYPE_LEAF = 16,
       MS_TYPE_EXCEPTION = 32, MS_TYPE_GIVEN_UP = 64 };

typedef struct ms_ty ms_ty;
typedef struct ms_child ms_child;
/* Emit the references of o after its type's fields; add to c->said and c->raw what it owns. */
typedef void ms_read(ms_child *c, PyObject *o, const ms_ty *t);

/* Field i of a type is a reference at this offset from the object. Special offsets are below 0. */
typedef struct {
    int32_t  offset;
    uint32_t kind;  /* MS_EDGE_* */
    uint32_t name;  /* string */
} ms_field;

struct ms_ty {
    PyTypeObject *type;
    ms_read      *read;
    traverseproc  traverse;
    uint32_t      prefix;      /* bytes in front of the object in its block */
    uint32_t      basicsize, itemsize;
    uint32_t      first_field, fixed_fields, fields; /* in c->fields: fixed ones have offsets, then attribute names */
    uint32_t      name, flags;
    uint8_t       rest, given_up;
    bool          heap, managed, inlined;
    bool          is_value;    /* its instances (of just this type) are compared by value */
    bool          scan;        /* its struct may refer to more than its reader tells */
    bool          quiet;       /* its instances refer to nothing and own nothing */
    bool          weak_keys;   /* a dict whose keys are another's: every other edge is weak */
    uint32_t      zone;        /* of a time: where its tzinfo is */
    uint32_t      alias;       /* of such: the type that it is shown as */
    int32_t       dict_field;  /* ordinal of __dict__; -1: none */
    Py_ssize_t    dict_offset;
    uint64_t      weak, globals;  /* bit: the field of this ordinal is such an edge */
    PyDictKeysObject *cached;
    uint32_t      instances;
    uint32_t      shape;       /* of the last instance, and its sizes */
    uint64_t      shape_said, shape_allocated;
};

typedef struct {
    uint32_t type;
    uint64_t said, allocated;
} ms_shape;

/* The entry of a type, made if need be. The type itself is marked as an object. */
MS_COLD uint32_t ms_type_new(ms_child *c, PyTypeObject *type);
uint32_t ms_type_alias(ms_child *c, uint32_t type); /* the same once more, for instances that differ */
uint32_t ms_type_pseudo(ms_child *c, const char *name, uint8_t rest);
MS_COLD uint32_t ms_shape_find(ms_child *c, uint32_t type, uint64_t said, uint64_t allocated);

uint32_t ms_string(ms_child *c, const char *text, size_t length);
uint32_t ms_string_of(ms_child *c, PyObject *str);
PyObject *ms_dict_text(PyObject *dict, const char *key); /* the value of a str key; NULL */
PyObject *ms_type_dict(ms_child *c, PyTypeObject *type);
PyObject *ms_type_subclasses(ms_child *c, PyTypeObject *type);

typedef struct {
    uint32_t file, function;
    int32_t  line, end_line, column, end_column;
    uint32_t flags;
} ms_site_row;

typedef struct {
    uint64_t edge;
    uint32_t name;
} ms_label;

typedef struct {
    uint64_t object;
    uint32_t place, name; /* among its edges */
} ms_object_label;

typedef struct {
    uint64_t base;
    uint32_t first, count;
} ms_region;

typedef struct {
    uint32_t node, text;
} ms_text;

typedef struct {
    uintptr_t from, to;
    char      name[64];    /* the library's */
} ms_static;

typedef struct {
    uintptr_t from, to;
} ms_range;

typedef struct {
    uint32_t node, used, room;
} ms_container;

/* A block that belongs to an object besides its own. */
typedef struct {
    uint32_t node, place;  /* in the heap: units of 16 bytes from its base */
} ms_owned;
typedef struct {
    uint32_t node, mapped; /* too large for the heap; mapped: malloc has it as a mapping of its own */
    uint64_t bytes;
} ms_owned_large;

/* The heap's slab k as it was: what a reader needs to know which pages would be free. */
typedef struct {
    uint64_t address;
    uint32_t stride, dirty, present, live; /* stride 0: empty; dirty: a bit for each page that may be resident; slots */
} ms_slab_row;

typedef struct {
    uint32_t example, shape, count;
} ms_equal;

typedef struct {
    uint32_t shape, site;
    uint64_t count;
} ms_counted;

typedef struct {
    uintptr_t from, to;
    uint32_t  pseudo;      /* the frame's */
    bool      sure;        /* what lies there is in use, all of it */
} ms_stack;

typedef struct {
    PyInterpreterState *state;
    uint32_t pseudo, atexit; /* its nodes */
} ms_interpreter;

/* An object with more references than objects and frames hold, and the words elsewhere that point at it. */
typedef struct {
    uint32_t node, words;
    int32_t  refs;
} ms_place_row;

/* An object that the second thread did not read. */
typedef struct {
    PyObject *object;
    uint32_t  id, at;      /* edges that the second thread had then */
    uint32_t  end;         /* in c->edges: once the first has read it, the end of its own */
} ms_left;

#define MS_STRANGERS 64u
#define MS_PARTS     32u

/* --- the whole -------------------------------------------------------------------------------------- */

/* In memory that program and child share. */
typedef struct {
    uint32_t done;               /* 1: the file stands */
    uint32_t err;
    ms_why   why;
    char     temporary[64];
    ms_snapshot_figures figures;
} ms_status;

typedef struct {
    ms_child *c;
    void    (*run)(ms_child *c);
    char     *stack;
    _Atomic int running, enough; /* enough: somebody waits for it to end; what is not needed ends early */
} ms_beside;

#define MS_TYPE_CACHE 1024u
#define MS_TYPES_MAX  (1u << 20)

/* Of a site: blocks that nobody owns, their bytes, and how many were born in each part of the time until now. */
enum { MS_RAW_PARTS = 64 };
typedef struct ms_raw {
    uint64_t blocks, bytes;
    uint32_t born[MS_RAW_PARTS];
} ms_raw;

struct ms_child {
    const ms_snapshot_options *options;
    const char *path;
    ms_status  *status;
    uint64_t    forked_ns;       /* just before the fork */
    PyThreadState *ts;           /* the caller's */
    PyInterpreterState *interp;
    traverseproc subtype_traverse;
    const ms_heap *heap, *raw_heap;
    const ms_large *large;
    uint64_t    memory_limit, rss;
    bool        births;          /* there is a recorder: sites and epochs are known */
    bool        small;           /* too little memory for the graph: count by shape and site only */
    ms_map      counts;
    ms_vec      count_table;     /* ms_counted */
    pid_t       parent;
    ms_vec      maps;            /* ms_range: the program's memory that can be let go */
    ms_vec      anonymous;       /* ms_range: memory that is no file's, in the order of addresses */
    ms_beside   beside;
    ms_vec      native;          /* ms_range: where malloc's blocks are */
    ms_range    brk;             /* of these, the heap that grows by brk */
    uint64_t   *brk_used;        /* a bit for each 16 bytes of it: a block in use begins there; NULL: not known */
    size_t      brk_room;        /* bytes */
    struct ms_writer *writer;

    ms_marks    marks, raw;      /* objects; blocks that objects own besides */
    ms_vec      stack;           /* addresses to read next, in stack mode; later, blocks to look into */
    bool        stack_mode, unreached; /* unreached: those that the slabs have besides */
    bool        recording;       /* the second sweep: all bits stand, numbers are known, what is read goes into the columns */
    uint64_t    marked_edges;    /* references met by the first sweep */
    const void *interned;        /* 3.11: the dict of interned strings, once it is found */
    ms_chunk_map *at;            /* where the second sweep is */
    uint32_t    at_word;
    uint64_t    at_todo;

    /* two threads at one sweep (pair.c) */
    ms_child   *pair;            /* the second one's, while there is one */
    ms_child   *spare;           /* its memory */
    bool        second, failed;  /* this is the second one's; it had no memory */
    uintptr_t   split;           /* the second one has the objects from here on, in plane 0; UINTPTR_MAX: none */
    uint32_t    split_first, split_count; /* their numbers: so many after this one */
    uint64_t    met;             /* marking: objects of the word at hand that it has tried */
    uint64_t    visited;
    ms_vec      order;           /* ms_chunk_map *: all of them, in the order of addresses, while two mark */
    uint32_t   *taken, all_taken, mine; /* of these both have taken so many, this one so many; NULL: there is one thread */
    ms_vec      others;          /* reading: numbers of the other one's objects, to take off the ledger */
    ms_vec      others_new;      /* addresses to mark, in chunks that are not there */
    ms_vec      others_raw;      /* addresses of blocks to mark */
    ms_vec      left;            /* ms_left */
    PyObject   *stranger[MS_STRANGERS]; /* objects of types that it did not know */
    uint32_t    left_read;       /* rows of left that the first has read */
    size_t      own_rows[3];     /* the first's, before it takes over the second's */
    uint32_t    own_edges, parts_taken, part_at[MS_PARTS]; /* its edges; taking over: parts, and the second's edges before each */
    ms_vec      left_edges;      /* of those in left */

    /* by object */
    ms_vec      shape, site, birth, refs;
    ms_vec      containers;      /* ms_container */
    ms_vec      equal;           /* ms_equal */
    ms_vec      equal_members;   /* row of equal << 32 | node */
    ms_vec      owned, owned_large; /* ms_owned, ms_owned_large */
    ms_vec      slab_rows;       /* ms_slab_row */
    uint16_t   *page_live;       /* of each page of each slab: live slots that lie on it */
    ms_vec      edges;           /* targets, 0: an empty place; the latest still granules */
    size_t      turned;          /* edges that are numbers already */
    ms_vec      kinds;           /* ms_edge_kind: of the edges that are not */
    ms_vec      known;           /* granules: references besides, that need no edge */
    ms_vec      hints;           /* ms_hint */
    ms_vec      object_labels;   /* ms_object_label */
    ms_vec      pools;           /* addresses of pools with blocks that nothing accounts for */
    ms_map      seeds;           /* blocks that look like objects, and that nobody referred to */
    ms_vec      found;           /* ms_found: edges to be added */

    /* what read() leaves of the object at hand */
    PyObject   *object;
    uint32_t    type_index;
    uint32_t    id;              /* its number */
    size_t      start;           /* where its edges begin */
    uint64_t    said, said_more, raw_bytes; /* of its block, of blocks it owns besides; their room */
    void       *lru;             /* while a functools.lru_cache is read */
    int         lru_phase, numpy_major;
    PyObject   *skip_one;        /* a reference that has its place already: left out of the rest, once */
    bool        skip_type;       /* its type is to be left out of its edges, once */
    sigjmp_buf  again;           /* where a crash goes on */
    volatile uint64_t foreign;   /* counts calls of tp_traverse of types we do not know; odd: inside one */
    uint64_t    ticks, ticks_same, foreign_last; /* of the clock: all; since foreign has changed */
    volatile bool visiting, late; /* inside ms_visit(); the foreign call at hand lasts too long */
    uint32_t    crashes;
    volatile int again_how;      /* why */
    volatile bool guarded;
    sigjmp_buf  leave;           /* in place: where the end goes on */
    pid_t       thread;          /* of who is at it, in place; and of the second one */

    /* types, shapes, names */
    struct { PyTypeObject *type; ms_ty *entry; } type_cache[MS_TYPE_CACHE];
    ms_map      types;
    ms_vec      type_table;      /* ms_ty: reserved, does not move */
    uint32_t    types_max;
    ms_vec      fields;          /* ms_field */
    ms_map      shapes;
    ms_vec      shape_table;
    uint32_t    shape_cache[4096];
    ms_map      strings;
    ms_vec      string_offsets, string_data;
    uint32_t    type_unreadable;
    uint32_t    split_dict;      /* entry for dicts with shared keys; 0: none yet */
    ms_vec      namespaces;      /* PyObject *: dicts whose keys are names */
    ms_vec      named;           /* PyObject *: modules, types, functions, code */

    /* by node */
    uint32_t    objects, nodes;  /* nodes: root and pseudo nodes included, once they stand */
    uint32_t   *first;           /* nodes + 1 */
    size_t      first_room;      /* bytes */
    uint32_t   *to;
    size_t      to_room;         /* bytes */
    uint32_t    edge_count;
    /* the pseudo nodes, in making */
    ms_vec      pseudo;          /* ms_pseudo */
    ms_vec      pseudo_edges;    /* ms_pseudo_edge */
    ms_vec      frame_table, labels, texts;
    ms_vec      statics, stacks; /* ms_static, ms_stack */
    PyCodeObject *depth_code;    /* the code that depth is about */
    ms_vec      depth;           /* int16_t for each of its units */
    ms_vec      state;           /* ms_range: the interpreter's */
    ms_map      place_of;        /* by object: its place_row + 1 */
    ms_vec      place_rows;      /* ms_place_row */
    ms_raw     *raw_blocks;      /* by site */
    uint32_t    raw_room;
    uint32_t   *site_row_of;     /* by site: its row in the file */
    ms_vec      interpreters;    /* ms_interpreter: the caller's first */
    uint32_t    unread_interpreters;
    uint32_t    pseudo_first;    /* node of pseudo node 1; pseudo node 0 is the root */
    uint32_t    type_group, type_thread, type_frame, group_outside, group_immortal;
    bool        write_values;
    size_t      address_room;    /* bytes */
    uint32_t   *address;         /* by object, in units of 8 bytes from its region's base */
    ms_vec      regions;         /* ms_region */
    ms_vec      site_rows;       /* ms_site_row: those that the objects use, and the frames' */
    ms_vec      info;            /* ms_info_row */
    struct ms_out *out;
};

typedef struct {
    uint32_t type;
    uint32_t text;
    uint32_t site, frame; /* of a frame: where it is (0: no frame), in frame_table */
} ms_pseudo;

typedef struct {
    uint32_t  from;        /* number of the pseudo node */
    uint32_t  pseudo;      /* where to is NULL: another pseudo node */
    PyObject *to;
    uint32_t  node;        /* where it is known already: the object's number */
    uint32_t  name;        /* string */
    uint32_t  kind;
    bool      counted;     /* it holds a reference: the ledger takes it off */
} ms_pseudo_edge;

void ms_child_fail(ms_child *c, ms_err err, const char *sentence) __attribute__((noreturn));
void ms_child_main(ms_child *c) __attribute__((noreturn));
void ms_child_late(ms_child *c) __attribute__((noreturn)); /* give up the foreign call at hand */

/* --- read.c ----------------------------------------------------------------------------------------- */

/* The chunk of a, made if need be; NULL: that is no address. Without memory the child ends (ms_child_fail). */
MS_COLD ms_chunk_map *ms_chunk_want(ms_child *c, ms_marks *m, uintptr_t a);
/* Whether an address, a node, is this thread's: always, where there is one. */
static inline bool ms_mine(const ms_child *c, uintptr_t a) { return ((a >= c->split) & !(a & 8)) == c->second; }
static inline bool ms_mine_node(const ms_child *c, uint32_t id) { return (id - c->split_first - 1 < c->split_count) == c->second; }
MS_COLD void ms_mark_strange(ms_child *c, uintptr_t a); /* in no chunk */

/* There is an object at a: the first sweep will read it. */
static inline void ms_mark(ms_child *c, uintptr_t a)
{
    ms_chunk_map *k = ms_marks_at(&c->marks, a);
    if (MS_UNLIKELY(k == NULL)) {
        ms_mark_strange(c, a);
        return;
    }
    uint32_t w = a >> 10 & (MS_WORDS - 1);
    uint64_t bit = 1ull << (a >> 4 & 63);
    if (c->second) {
        ms_plane_set(&k->other[w], bit);
        return;
    }
    if (MS_UNLIKELY(c->stack_mode) && !(k->word[w].seen & bit))
        MS_PUSH(c, c->stack, uintptr_t, a);
    ms_plane_set(&k->word[w].seen, bit);
}

/* Ask for the objects of the word after next. */
static inline void ms_ask_ahead(const ms_chunk_map *k, uint32_t w)
{
    if (w >= MS_WORDS || (k->word[w].seen | k->other[w]) == 0)
        return;
    const char *at = (const char *)(k->base + ((uintptr_t)w << 10));
    for (uint32_t i = 0; i < 1024; i += 64)
        __builtin_prefetch(at + i);
}

/* The place of a in the bitmap; 0: it is in no chunk. */
static inline uint32_t ms_granule(const ms_child *c, uintptr_t a)
{
    const ms_chunk_map *k = ms_marks_at(&c->marks, a);
    return k ? k->number << MS_GRANULES | (uint32_t)(a >> 4 & ((1u << MS_GRANULES) - 1)) : 0;
}

MS_COLD bool ms_edges_grow(ms_child *c); /* room for one more; false: it is not needed. Without memory the child ends */

/* One reference of the object at hand. The first sweep marks its target, the second appends it as an edge. */
static inline void ms_emit(ms_child *c, const void *p)
{
    if (c->recording) {
        if (MS_UNLIKELY(c->edges.used + sizeof(uint32_t) > c->edges.room) && !ms_edges_grow(c))
            return;
        *(uint32_t *)(void *)(c->edges.at + c->edges.used) = MS_LIKELY(p != NULL) ? ms_granule(c, (uintptr_t)p) : 0;
        c->edges.used += sizeof(uint32_t);
        return;
    }
    c->marked_edges++;
    if (MS_LIKELY(p != NULL))
        ms_mark(c, (uintptr_t)p);
}

/* A block beside the object that it owns: size is what it asked for. Counts its room. */
void ms_own(ms_child *c, const void *block, size_t size);
/* The room that a block of this size has where block lies. */
uint64_t ms_room(const ms_child *c, const void *block, size_t size);
void ms_mark_object(ms_child *c, PyObject *o); /* for the first sweep: what it refers to, and what it owns */
void ms_read_object(ms_child *c, PyObject *o); /* for the second: its edges, its sizes, its birth */
bool ms_mark_simple(ms_child *c, PyObject *o); /* the same by the second thread; false: its type is none for it */
bool ms_read_simple(ms_child *c, PyObject *o);
bool ms_reader_is_simple(const ms_ty *t);      /* it makes nothing but edges, sizes and rows about the object at hand */
void ms_record(ms_child *c);
void ms_record_unreadable(ms_child *c);
void ms_type_give_up(ms_child *c); /* that of the object at hand */
/* The reader for instances of this type; sets rest, fields and flags. Called once for each type. */
void ms_reader_choose(ms_child *c, ms_ty *t);
bool ms_reader_is_quiet(const ms_ty *t); /* it tells sizes only (of a str: if it is ASCII) */
uint32_t ms_field_add(ms_child *c, ms_ty *t, const char *name, int32_t offset, uint32_t kind);

/* For readers. */
int ms_visit(PyObject *o, void *arg);
void ms_traverse(ms_child *c, PyObject *o, const ms_ty *t, visitproc visit, PyObject *known); /* known: to be left out, once */
void ms_known(ms_child *c, const void *object);
void ms_filled(ms_child *c, uint64_t used, uint64_t room, size_t each); /* how full the container at hand is */
ms_read ms_read_dict, ms_read_str;
bool ms_known_choose(ms_child *c, ms_ty *t);  /* known.c */
bool ms_frames_choose(ms_child *c, ms_ty *t); /* frames.c */
PyObject *ms_frame_local(const ms_frame *f, int i, bool *counted);
PyObject *ms_frame_function(const ms_frame *f, bool *counted);
int ms_frame_depth(ms_child *c, PyCodeObject *code, uintptr_t instruction); /* depth.c; -1: not known */
void ms_frames_of_thread(ms_child *c, uint32_t thread, PyThreadState *ts);
PyObject *ms_modules(const ms_child *c);      /* sys.modules */

/* --- roots.c ---------------------------------------------------------------------------------------- */
void ms_roots_seed(ms_child *c);   /* mark what threads, frames and interpreter hold */
void ms_roots_count(ms_child *c);
void ms_roots_finish(ms_child *c); /* groups that need the ledger; all pseudo nodes stand after it */
uint32_t ms_pseudo_new(ms_child *c, uint32_t type, const char *text);
void ms_pseudo_holds(ms_child *c, uint32_t pseudo, uint32_t other, const char *name); /* another pseudo node */
void ms_pseudo_to(ms_child *c, uint32_t pseudo, PyObject *o, const char *name, uint32_t kind, bool counted);

/* --- values.c ---------------------------------------------------------------------------------------- */
void ms_values_group(ms_child *c);

/* --- hidden.c --------------------------------------------------------------------------------------- */

typedef struct {
    uint64_t value;
    uint32_t owner;
    uint32_t unused;
} ms_hint;

typedef struct {
    uint32_t owner, target;
} ms_found;

void ms_hint_object(ms_child *c, const PyObject *o, const ms_ty *t); /* while sweeping: words of o that may be more */
bool ms_slabs_seed(ms_child *c);    /* mark blocks that look like objects; false: there is none that is not marked */
void ms_hidden_find(ms_child *c);   /* what the ledger has left over, found in memory */
void ms_pools_visit(ms_child *c, ms_block_fn *visit, void *arg); /* pools.c: live blocks of pymalloc, but for pools that are known whole */
/* Whether p lies in one of pymalloc's pools; room: of the block in use that begins there, 0: it is free, or owned, or none begins there.
 * What is free in a pool that is asked about counts as known from then on (c->raw). */
bool ms_pool_block(ms_child *c, uintptr_t p, uint64_t *room);
void ms_raw_count(ms_child *c);     /* blocks that nobody owns, by site */

/* The epoch of the snapshot (live.h). */
static inline uint32_t ms_child_epoch(const ms_child *c)
{
    uint64_t age = c->forked_ns - ms_area.epoch_zero_ns, waited = ms_area.waited_ns < age ? ms_area.waited_ns : 0;
    return (uint32_t)((age - waited) / MS_EPOCH_NS);
}

void ms_sort(uint64_t *at, size_t n); /* ascending; in place, without malloc */

/* In the ledger an immortal object begins with this; what others have left is far from it. */
#define MS_IMMORTAL 0x60000000

/* --- nodes.c ---------------------------------------------------------------------------------------- */

typedef struct {
    uint32_t edge, kind;
} ms_edge_kind;

void ms_seed(ms_child *c, const void *object);
void ms_sweep(ms_child *c);       /* the first: mark what is reached from what is marked */
void ms_number(ms_child *c);      /* when all bits stand */
void ms_record_all(ms_child *c);  /* the second sweep */
void ms_record_rest(ms_child *c);  /* the objects that are this thread's, from where it is */
void ms_turn(ms_child *c);         /* granules become numbers */
#define MS_AGAIN_SMALL 3 /* in again_how */

/* --- pair.c ----------------------------------------------------------------------------------------- */

/* Between begin and end the second thread sweeps, too. Where there is none, or little to do, all of it stays the
 * first one's. A crash may come between: begin goes on then. */
void ms_pair_mark_begin(ms_child *c, uint64_t todo); /* about so many objects are to be visited */
ms_chunk_map *ms_pair_next(ms_child *c, const ms_chunk_map *k); /* marking: the chunk to sweep after k; NULL: the first; there is none */
uint64_t ms_pair_mark_end(ms_child *c); /* objects that the second one visited */
void ms_pair_read_begin(ms_child *c);
void ms_pair_read_end(ms_child *c);   /* what it read goes behind what the first one has; may crash: then once more */
void ms_pair_drop(ms_child *c);       /* what it did is forgotten */
void ms_touch_begin(ms_child *c);     /* it goes over the program's memory from its far end, to ms_beside_end(&c->beside) */
void ms_pair_leave(ms_child *c, PyObject *o); /* by the second: the object at hand is the first one's to read */

/* --- beside.c --------------------------------------------------------------------------------------- */

void ms_beside_begin(ms_beside *b, ms_child *c, void (*run)(ms_child *), bool needed); /* run(c) in a second thread */
void ms_beside_end(ms_beside *b);                                          /* wait for it */

/* --- file.c ----------------------------------------------------------------------------------------- */
void ms_texts_collect(ms_child *c);
void ms_file_write(ms_child *c);
void ms_file_write_small(ms_child *c); /* counts only */
void ms_info(ms_child *c, const char *key, const char *format, ...) __attribute__((format(printf, 3, 4)));
void ms_let_go(ms_child *c);
void ms_regions_make(ms_child *c);
bool ms_checking(void); /* MEMSURE_SNAPSHOT_CHECK is set: every structure is checked; slow */
uint64_t ms_child_bytes(void);
void ms_child_reached(ms_child *c, uint64_t *wall, uint64_t *cpu);
void ms_child_weigh(ms_child *c); /* note how much memory it has, where that is more than ever */

#endif
