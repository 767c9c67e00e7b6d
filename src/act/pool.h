/* pool.h -- a class whose instances are born and die in C: constructor, free list, deallocator.
 *
 * What makes a small Python object expensive is not its memory: it is the frame of its __init__, its
 * entry in the collector's lists, and a deallocator made for any class. Python classes with __slots__ need
 * none of that: where the instance's fields lie is known, and what __init__ stores in them can be
 * read off its code (python/memsure/pools.py does). So a pooled class gets
 *
 *   tp_vectorcall  binds the arguments, takes a block, stores the values: no frame
 *   tp_dealloc     clears the fields, keeps the block
 *   tp_alloc       a block for whoever makes instances without calling the class (pickle, copy)
 *
 * and stays the class it was: same object, same layout, same blocks as those of the plain class.
 *
 * The collector. An instance whose fields cannot be part of a cycle (numbers, texts, None, tuples of
 * such, pooled instances of such) is not tracked. But a field may be set later, and a store into a slot cannot
 * be seen (the interpreter writes it directly). So untracked instances are *listed*: their blocks form a
 * singly linked chain through the word of the collector's header that an untracked object does not
 * use. Before each full collection, and whenever their number has doubled, all of them are looked at
 * (ms_pool_sweep), and those that could be in a cycle by now are given to the collector. So what the
 * collector would have found, it finds, at its next full collection at the latest.
 *
 *   block:  | gc_next | gc_prev | refcount | type | slot 0 | slot 1 | ...
 *     tracked instance   the collector's    1..        class
 *     listed instance    0         next|f   1..        class           f: the finalizer was called
 *     listed free block  MS_FREE   next     0          next free
 *     plain free block   MS_FREE   0        0          next free
 *     dead, not cleared  next|t    as it was 0         class           t: it was tracked; at most one thread's list
 *
 * A block leaves the chain in a sweep only, as it is linked one way. That is why there are two free lists,
 * and why object.__class__'s setter is ours: an instance that gets another class leaves the chain first.
 *
 * Always true (ms_pool_check() tests each):
 *   P1  a block is on a free list exactly when it is marked free, and its slots are empty then
 *   P2  the chain has listed blocks only: untracked instances and listed free blocks
 *   P3  the counts are the lists' lengths
 *
 * While a recorder counts, nothing is kept: each birth is an allocation, each death a free, so that a
 * recording of a pooled program is one of the plain program.
 *
 * Threads: the interpreter's GIL; each interpreter has its own classes, and so its own pools. */
#ifndef MS_POOL_H
#define MS_POOL_H

#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>

#include "base/base.h"

#ifdef Py_GIL_DISABLED
#error "pools rely on the GIL: free-threaded builds are not supported"
#endif

#define MS_POOL_VALUES 64          /* parameters, and stores, of a compiled constructor at most */
#define MS_POOL_KEEP   (2u << 20)  /* bytes of free blocks kept for a class, and half of what is listed */

/* One store of a compiled constructor. */
typedef enum {
    MS_STORE_ARG,      /* a parameter */
    MS_STORE_CONST,    /* a constant of the code */
    MS_STORE_CELL,     /* what a cell of the closure holds now */
    MS_STORE_LIST,     /* [] */
    MS_STORE_DICT,     /* {} */
    MS_STORE_CALL,     /* cell() */
    MS_STORE_DEFAULT,  /* cell() if the parameter is what cell `unless` holds, else the parameter */
    MS_STORE_KINDS,
} ms_store_kind;

typedef struct {
    ms_store_kind kind;
    uint32_t      arg;
    uint32_t      offset;          /* of the slot in the instance */
    bool          by_object;       /* object.__setattr__(self, name, value), else self.name = value */
    PyObject     *value;           /* constant or cell */
    PyObject     *unless;          /* cell */
    PyObject     *name, *member;   /* valid while the class's attribute `name` is this member descriptor */
} ms_store;

typedef enum {
    MS_POOL_SIMPLE,    /* compiled: each store is a parameter or a constant, all parameters are positional */
    MS_POOL_COMPILED,
    MS_POOL_CALLED,    /* __init__ is called, with memory from here */
    MS_POOL_PLAIN,     /* type.__call__ does it all; it comes by tp_alloc */
} ms_pool_mode;

typedef struct ms_pools ms_pools;

typedef struct { uint32_t offset, arg; } ms_put;

typedef struct ms_pool {
    PyObject_HEAD
    /* what a birth and a death touch */
    PyTypeObject *type;            /* borrowed: the type owns its pool, in tp_cache */
    uint32_t      version;         /* the type's version that mode was found for */
    uint32_t      mode;            /* ms_pool_mode */
    PyFunctionObject *init;        /* the __init__ that was compiled; NULL: object's */
    PyObject     *code, *defaults; /* init's then; where they differ now, init is another constructor */
    uint32_t      nsimple, nput;   /* arguments of a simple call; no call has nsimple where it is not simple */
    ms_put       *put;             /* simple: offset and argument of each store */
    PyObject     *listed_free, *plain_free;
    uint32_t     *slot;            /* offsets of all slots, in the order they are cleared */
    uint32_t      nslot, nconst;
    uint32_t      nlisted_free, listed_low; /* low: fewest free since the last full collection */
    uint32_t      nplain_free, plain_low;
    uint32_t      keep, nlisted;   /* free blocks that are kept; blocks in the chain */

    PyObject     *listed;          /* the chain */
    ms_store     *store;
    uint32_t      nstore, npositional, nposonly, nkwonly;
    uint32_t      live_then;       /* listed instances at the last full collection */
    bool          local;           /* the class was made in a function */
    bool          tracks;          /* an instance held a container after its __init__: more will */
    PyObject     *names;           /* tuple: parameters without self, positional, then keyword-only */
    PyObject     *constructor;     /* the attribute __init__ that was compiled, or NULL */
    PyObject     *post;            /* tuple (name, parameter, parameter, ...), or NULL */
    PyObject     *called;          /* mode CALLED: the function; borrowed from the class of that version */
    uint32_t      preheader, block; /* bytes before the object; bytes of a block */
    ms_pools     *all;
    struct ms_pool *prev, *next;
} ms_pool;

/* What the pools of one interpreter share: the state of module memsure._pool. */
struct ms_pools {
    PyTypeObject *Pool;
    PyTypeObject *Plain;           /* a class made by Python: its slots are those of any such class */
    ms_pool      *first;
    uint32_t      fresh;           /* listed blocks allocated since the last sweep */
    uint32_t      sweep_at;        /* sweep when fresh gets there */
    bool          off;             /* keep nothing: a recorder counts, or the interpreter ends */
    bool          watching;        /* the collector tells us when it starts */
    bool          at_exit;         /* and the interpreter when it ends */
    PyObject     *str_init;
};

extern PyType_Spec ms_pool_spec;

/* Make type a pooled class. plan: what Python read off its constructor, or None. -1: an exception is set. */
int ms_pool_attach(ms_pools *all, PyTypeObject *type, PyObject *plan);
/* The pool of this very class, or NULL. */
ms_pool *ms_pool_of(PyTypeObject *type);
/* What a call of the class does now; looks at the class anew where it changed. */
ms_pool_mode ms_pool_look(ms_pool *p);
/* Give the collector what could be in a cycle; give free blocks back that were not needed (all: any). */
void ms_pool_sweep(ms_pools *all, bool full, bool everything);
/* Keep nothing from now on (or do again). */
void ms_pool_switch(ms_pools *all, bool off);
/* NULL: sound; else the broken rule. */
const char *ms_pool_check(const ms_pool *p);

#endif
