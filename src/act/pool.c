/* pool.c -- births and deaths of pooled instances: see pool.h.
 *
 * The hot path is pool_vectorcall() and pool_dealloc(): what a parameter store and a slot clear cost,
 * a pop and a push, and the references to the class; neither calls anything but what counts references. All else is
 * for arguments that are containers (simple_call), for constructors that do more (compiled_call), that were not
 * compiled (called_call), or for calls that fail, which type.__call__ and the class's own __init__ answer with their
 * own exceptions (plain_call); and for deaths that take a field along, or are watched (die_carefully). */
#include "act/pool.h"

#include <structmember.h>
#include <string.h>

#define DEPTH_MAX 100        /* deallocators within each other, before the rest waits */
#define NO_VERSION UINT32_MAX
#define NO_CALL    UINT32_MAX /* no call has so many arguments */
#define FREE      ((uintptr_t)1)
#define FINALIZED ((uintptr_t)1) /* in the second word of the collector's header, as CPython has it */
#define FLAGS     ((uintptr_t)3)

static _Thread_local struct {
    int       depth;
    PyObject *later;         /* dead, not cleared yet; linked through the collector's header */
    ms_pools *all;           /* whose they are: the interpreter's that began */
} trash __attribute__((tls_model("initial-exec")));

static PyObject *pool_vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwnames);
static void      pool_dealloc(PyObject *self);
static PyObject *pool_alloc(PyTypeObject *type, Py_ssize_t nitems);

/* The collector's header: two words in front of the object. */
static inline uintptr_t *head(PyObject *op) { return (uintptr_t *)op - 2; }
static inline bool       tracked(PyObject *op) { return head(op)[0] != 0; }
static inline PyObject  *chain_next(PyObject *op) { return (PyObject *)(head(op)[1] & ~FLAGS); }
static inline PyObject **slot_of(PyObject *op, uint32_t offset) { return (PyObject **)((char *)op + offset); }
static inline ms_pool   *pool_in(PyTypeObject *type) { return (ms_pool *)type->tp_cache; }

ms_pool *ms_pool_of(PyTypeObject *type)
{
    return type->tp_dealloc == pool_dealloc && pool_in(type) && pool_in(type)->type == type ? pool_in(type) : NULL;
}

/* ---- could it be in a cycle? ---- */

static inline bool has_gc(PyObject *v) { return PyType_HasFeature(Py_TYPE(v), Py_TPFLAGS_HAVE_GC); }

/* A pooled instance that holds no object of the kinds that the collector knows. */
static bool is_flat(ms_pool *p, PyObject *op)
{
    for (uint32_t i = 0; i < p->nslot; i++) {
        PyObject *v = *slot_of(op, p->slot[i]);
        if (v && has_gc(v))
            return false;
    }
    return true;
}

/* May an instance that holds v be part of a cycle? v's type is one that the collector knows.
 * Untracked tuples and dicts hold nothing that is tracked; a dict may be given something later, and is asked
 * again then. A listed instance counts as harmless only where it is flat: were it in a cycle, it would not be. */
static Py_NO_INLINE bool container_could_cycle(PyObject *v)
{
    if (PyTuple_CheckExact(v) || PyDict_CheckExact(v))
        return PyObject_GC_IsTracked(v);
    if (PyType_Check(v))
        return PyType_HasFeature((PyTypeObject *)v, Py_TPFLAGS_HEAPTYPE);
    ms_pool *p = ms_pool_of(Py_TYPE(v));
    return p == NULL || tracked(v) || !is_flat(p, v);
}

static inline bool could_cycle(PyObject *v)
{
    return has_gc(v) && container_could_cycle(v);
}

static bool instance_could_cycle(ms_pool *p, PyObject *op)
{
    for (uint32_t i = 0; i < p->nslot; i++) {
        PyObject *v = *slot_of(op, p->slot[i]);
        if (v && could_cycle(v))
            return true;
    }
    return false;
}

/* ---- blocks ---- */

static void block_free(ms_pool *p, PyObject *op) { PyObject_Free((char *)op - p->preheader); }

static void chain_push(ms_pool *p, PyObject *op)
{
    head(op)[1] = (head(op)[1] & FINALIZED) | (uintptr_t)p->listed;
    p->listed = op;
    p->nlisted++;
}

/* The allocator's block is tracked, zeroed, and counted by the collector: that count makes it run when many are made. */
static Py_NO_INLINE PyObject *listed_new(ms_pool *p)
{
    if (++p->all->fresh >= p->all->sweep_at)
        ms_pool_sweep(p->all, false, false);
    PyObject *self = PyType_GenericAlloc(p->type, 0);
    if (self == NULL || p->all->off)
        return self;
    PyObject_GC_UnTrack(self);
    head(self)[1] = 0;
    chain_push(p, self);
    return self;
}

static inline PyObject *revive(ms_pool *p, PyObject *self)
{
    head(self)[0] = 0;
    Py_INCREF((PyObject *)p->type);
    Py_SET_TYPE(self, p->type);
    _Py_NewReference(self);
    return self;
}

/* An instance that is not tracked; its slots are empty. */
static inline PyObject *take_listed(ms_pool *p)
{
    PyObject *self = p->listed_free;
    if (MS_UNLIKELY(self == NULL))
        return listed_new(p);
    p->listed_free = (PyObject *)Py_TYPE(self);
    if (--p->nlisted_free < p->listed_low)
        p->listed_low = p->nlisted_free;
    return revive(p, self);
}

/* An instance that is tracked; its slots are empty. */
static inline PyObject *take_plain(ms_pool *p)
{
    PyObject *self = p->plain_free;
    if (MS_UNLIKELY(self == NULL))
        return PyType_GenericAlloc(p->type, 0);
    p->plain_free = (PyObject *)Py_TYPE(self);
    if (--p->nplain_free < p->plain_low)
        p->plain_low = p->nplain_free;
    revive(p, self);
    PyObject_GC_Track(self);
    return self;
}

static inline void push(PyObject **list, PyObject *self)
{
    head(self)[0] = FREE;
    *(uintptr_t *)self = 0;         /* the reference count, all of it */
    Py_SET_TYPE(self, (PyTypeObject *)*list);
    *list = self;
}

static PyObject *pool_alloc(PyTypeObject *type, Py_ssize_t nitems)
{
    ms_pool *p = pool_in(type);
    return p && p->type == type ? take_plain(p) : PyType_GenericAlloc(type, nitems);
}

/* ---- sweeping ---- */

/* Look at each listed block. drop: free blocks to give back; all: give every instance to the collector. */
static void sweep_listed(ms_pool *p, uint32_t drop, bool all)
{
    PyObject *op = p->listed, *next, *last = NULL, *first = NULL, **tail = &p->listed_free;
    p->nlisted = p->nlisted_free = 0;
    p->listed_free = NULL;
    for (; op; op = next) {
        next = chain_next(op);
        bool keep = true;
        if (head(op)[0] == FREE) {
            if (drop > 0) {
                drop--;
                block_free(p, op);
                continue;
            }
            Py_SET_TYPE(op, NULL);
            *tail = op;
            tail = (PyObject **)&op->ob_type;
            p->nlisted_free++;
        } else if (Py_REFCNT(op) != 0 && (all || instance_could_cycle(p, op))) { /* 0: it is just dying */
            head(op)[1] &= FINALIZED;
            PyObject_GC_Track(op);
            keep = false;
        }
        if (keep) {
            if (last)
                head(last)[1] = (head(last)[1] & FINALIZED) | (uintptr_t)op;
            else
                first = op;
            last = op;
            p->nlisted++;
        }
    }
    if (last)
        head(last)[1] &= FINALIZED;
    p->listed = first;
    p->listed_low = p->nlisted_free;
}

static void drop_plain(ms_pool *p, uint32_t drop)
{
    for (; drop > 0 && p->plain_free; drop--) {
        PyObject *op = p->plain_free;
        p->plain_free = (PyObject *)Py_TYPE(op);
        p->nplain_free--;
        block_free(p, op);
    }
    p->plain_low = p->nplain_free;
}

/* Each instance holds its class, so that one which its class holds, however indirectly, is in a cycle that its fields
 * do not show. Classes at a module's top level live as long as the module; one made in a function
 * is to go with its last user, and then few instances are left, or nothing happens to them any more. */
static bool held_by_its_class(ms_pool *p)
{
    uint32_t live = p->nlisted - p->nlisted_free;
    bool idle = p->listed_low == p->nlisted_free && live == p->live_then;
    p->live_then = live;
    return p->local && (live <= 1000 || idle);
}

void ms_pool_sweep(ms_pools *all, bool full, bool everything)
{
    uint32_t listed = 0;
    for (ms_pool *p = all->first; p; p = p->next) {
        sweep_listed(p, everything ? UINT32_MAX : full ? p->listed_low : 0, all->off || (full && held_by_its_class(p)));
        if (full || everything) {
            drop_plain(p, everything ? UINT32_MAX : p->plain_low);
            p->tracks = false;
        }
        listed += p->nlisted;
    }
    all->fresh = 0;
    all->sweep_at = listed > 2048 ? listed : 2048;
}

static void set_keep(ms_pool *p)
{
    p->keep = p->all->off ? 0 : MS_POOL_KEEP / p->block;
}

void ms_pool_switch(ms_pools *all, bool off)
{
    all->off = off;
    for (ms_pool *p = all->first; p; p = p->next)
        set_keep(p);
    ms_pool_sweep(all, true, true);
}

/* An instance changes its class: whoever frees its block will not know of the chain. */
static void leave_chain(ms_pool *p, PyObject *self)
{
    PyObject *before = NULL;
    for (PyObject *op = p->listed; op; before = op, op = chain_next(op)) {
        if (op != self)
            continue;
        PyObject *next = chain_next(op);
        if (before)
            head(before)[1] = (head(before)[1] & FINALIZED) | (uintptr_t)next;
        else
            p->listed = next;
        p->nlisted--;
        break;
    }
    head(self)[1] &= FINALIZED;
    PyObject_GC_Track(self);
}

static setter original_set_class;

static int set_class(PyObject *self, PyObject *value, void *closure)
{
    ms_pool *p = ms_pool_of(Py_TYPE(self));
    if (p && !tracked(self))
        leave_chain(p, self);
    return original_set_class(self, value, closure);
}

/* object.__class__ is one descriptor, of a process-wide table. */
static int watch_class_setter(void)
{
#if PY_VERSION_HEX >= 0x030C0000
    PyObject *dict = PyType_GetDict(&PyBaseObject_Type);
#else
    PyObject *dict = Py_XNewRef(PyBaseObject_Type.tp_dict);
#endif
    PyObject *descriptor = dict ? PyDict_GetItemString(dict, "__class__") : NULL;
    int result = -1;
    if (descriptor && Py_IS_TYPE(descriptor, &PyGetSetDescr_Type)) {
        PyGetSetDef *def = ((PyGetSetDescrObject *)descriptor)->d_getset;
        setter found = __atomic_load_n(&def->set, __ATOMIC_SEQ_CST);
        if (found != set_class) {
            original_set_class = found;
            __atomic_store_n(&def->set, set_class, __ATOMIC_SEQ_CST);
        }
        result = 0;
    } else
        PyErr_SetString(PyExc_SystemError, "object.__class__ is not what it was: pools are not safe here");
    Py_XDECREF(dict);
    return result;
}

/* ---- deaths ---- */

static inline void clear_slots(ms_pool *p, PyObject *self)
{
    for (uint32_t i = 0, n = p->nslot; i < n; i++) {
        PyObject **slot = slot_of(self, p->slot[i]), *v = *slot;
        if (v) {
            *slot = NULL;
            Py_DECREF(v);
        }
    }
}

/* Too deep: it waits, dead as it is. Its reference count stays 0, so that a weak reference to it, which is not
 * cleared yet, answers None to whatever runs meanwhile; the link lies in the collector's header, whose first word is 0
 * in what is not tracked. (Its low bit set: it was. A listed one never has that bit, which with no link would say FREE.) */
static Py_NO_INLINE void die_later(PyObject *self)
{
    uintptr_t was = tracked(self);
    if (was)
        PyObject_GC_UnTrack(self);
    head(self)[0] = (uintptr_t)trash.later | was;
    trash.later = self;
}

static Py_NO_INLINE void die_now(void)
{
    trash.depth++;
    while (trash.later) {
        PyObject *self = trash.later;
        uintptr_t link = head(self)[0];
        trash.later = (PyObject *)(link & ~(uintptr_t)1);
        head(self)[0] = 0;
        if (link & 1)
            PyObject_GC_Track(self);
        pool_dealloc(self);
    }
    trash.depth--;
}

/* An instance of a subclass: CPython's deallocator has cleared what the subclass added, and comes
 * here as it would to a base class written in C. */
static Py_NO_INLINE void base_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self), *base = type;
    while (base->tp_dealloc != pool_dealloc)
        base = base->tp_base;
    PyObject_GC_UnTrack(self);
    if (base->tp_weaklistoffset)
        PyObject_ClearWeakRefs(self);
    clear_slots(pool_in(base), self);
    type->tp_free(self);
    Py_DECREF((PyObject *)type);
}

/* __del__. false: it lives again, or is of another class now, whose deallocator has seen to it. */
static Py_NO_INLINE bool last_words(PyTypeObject *type, PyObject *self)
{
    if (PyObject_CallFinalizerFromDealloc(self) < 0)
        return false;
    if (Py_TYPE(self) == type)
        return true;
    Py_TYPE(self)->tp_dealloc(self);
    return false;
}

static Py_NO_INLINE void keep_less(ms_pool *p, PyTypeObject *type)
{
    Py_INCREF((PyObject *)type);
    if (p->nlisted_free > p->keep)
        sweep_listed(p, p->nlisted_free - p->keep, p->all->off);
    Py_DECREF((PyObject *)type);
}

/* The end of each death: its fields are gone. plain: it was tracked. */
static inline void give_back(ms_pool *p, PyTypeObject *type, PyObject *self, bool plain)
{
    if (MS_LIKELY(!plain)) {
        head(self)[1] &= ~FLAGS;
        push(&p->listed_free, self);
        p->nlisted_free++;
        if (MS_UNLIKELY(3 * (uint64_t)p->nlisted_free > 2 * (uint64_t)p->keep + p->nlisted))
            keep_less(p, type);
    } else if (MS_UNLIKELY(p->nplain_free >= p->keep)) {
        PyObject_GC_Del(self);
    } else {
        head(self)[1] = 0;
        push(&p->plain_free, self);
        p->nplain_free++;
    }
    Py_DECREF((PyObject *)type);
}

static inline bool too_deep(ms_pool *p)
{
    return MS_UNLIKELY(trash.depth >= DEPTH_MAX) && trash.all == p->all; /* else a finalizer of theirs runs another interpreter */
}

/* A field dies with it, and may run anything. */
static Py_NO_INLINE void clear_and_give_back(ms_pool *p, PyObject *self, bool plain)
{
    PyTypeObject *type = p->type;
    if (too_deep(p)) {
        die_later(self);
        return;
    }
    if (trash.depth++ == 0)
        trash.all = p->all;
    clear_slots(p, self);
    if (--trash.depth == 0 && MS_UNLIKELY(trash.later != NULL))
        die_now();
    if (MS_UNLIKELY(tracked(self))) {
        PyObject_GC_UnTrack(self);
        plain = true;
    }
    give_back(p, type, self, plain);
}

/* One of a subclass, or tracked, or with a __del__ or weak references. */
static Py_NO_INLINE void die_carefully(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (type->tp_dealloc != pool_dealloc) {
        base_dealloc(self);
        return;
    }
    ms_pool *p = pool_in(type);
    if (too_deep(p)) {
        die_later(self);
        return;
    }
    if (type->tp_finalize != NULL && !last_words(type, self))
        return;
    bool plain = tracked(self);
    if (plain)
        PyObject_GC_UnTrack(self);
    if (type->tp_weaklistoffset && *(PyObject **)((char *)self + type->tp_weaklistoffset))
        PyObject_ClearWeakRefs(self);
    clear_and_give_back(p, self, plain);
}

/* Here: one whose fields have other users; it calls nothing. */
static void pool_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    if (MS_UNLIKELY(type->tp_dealloc != pool_dealloc || type->tp_finalize != NULL || tracked(self) ||
                    (type->tp_weaklistoffset && *(PyObject **)((char *)self + type->tp_weaklistoffset)))) {
        die_carefully(self);
        return;
    }
    ms_pool *p = pool_in(type);
    for (uint32_t i = 0, n = p->nslot; i < n; i++) {
        PyObject **slot = slot_of(self, p->slot[i]), *v = *slot;
        if (v == NULL)
            continue;
        if (Py_REFCNT(v) == 1) {
            clear_and_give_back(p, self, false);
            return;
        }
        *slot = NULL;
        Py_DECREF(v);
    }
    give_back(p, type, self, false);
}

/* ---- births ---- */

static PyObject *plain_call(PyTypeObject *type, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    PyObject *tuple = PyTuple_New(n), *dict = NULL, *result = NULL;
    if (tuple == NULL)
        return NULL;
    for (Py_ssize_t i = 0; i < n; i++)
        PyTuple_SET_ITEM(tuple, i, Py_NewRef(args[i]));
    if (kwnames && PyTuple_GET_SIZE(kwnames) > 0) {
        if ((dict = PyDict_New()) == NULL)
            goto done;
        for (Py_ssize_t i = 0; i < PyTuple_GET_SIZE(kwnames); i++)
            if (PyDict_SetItem(dict, PyTuple_GET_ITEM(kwnames, i), args[n + i]) < 0)
                goto done;
    }
    result = PyType_Type.tp_call((PyObject *)type, tuple, dict);
done:
    Py_XDECREF(dict);
    Py_DECREF(tuple);
    return result;
}

/* __init__ is a Python function that does more than storing: it runs, on memory from here. */
static PyObject *called_call(ms_pool *p, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    Py_ssize_t n = PyVectorcall_NARGS(nargsf), all = n + (kwnames ? PyTuple_GET_SIZE(kwnames) : 0);
    PyObject *few[8], **argv = few, *init = Py_NewRef(p->called);
    PyObject *self = p->tracks ? take_plain(p) : take_listed(p), *result = NULL;
    if (self == NULL)
        goto done;
    bool listed = !tracked(self), borrowed = (nargsf & PY_VECTORCALL_ARGUMENTS_OFFSET) != 0;
    if (borrowed)
        argv = (PyObject **)args - 1;
    else if (all + 1 > (Py_ssize_t)(sizeof few / sizeof few[0]) &&
             (argv = PyMem_Malloc(((size_t)all + 1) * sizeof *argv)) == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    if (!borrowed && all)
        memcpy(argv + 1, args, (size_t)all * sizeof *argv);
    PyObject *saved = borrowed ? argv[0] : NULL;
    argv[0] = self;
    result = PyObject_Vectorcall(init, argv, (size_t)n + 1, kwnames);
    if (borrowed)
        argv[0] = saved;
    else if (argv != few)
        PyMem_Free(argv);

    if (result && result != Py_None) {
        PyErr_Format(PyExc_TypeError, "__init__() should return None, not '%.200s'", Py_TYPE(result)->tp_name);
        Py_CLEAR(result);
    }
    if (result)
        Py_SETREF(result, Py_NewRef(self));
    if (listed && Py_TYPE(self) == p->type && !tracked(self) && instance_could_cycle(p, self))
        p->tracks = true;           /* this one is found by the next sweep */
done:
    Py_DECREF(init);
    Py_XDECREF(self);
    return result;
}

/* Borrowed references to all parameters; false: these arguments do not fit, __init__ will say how. */
static bool bind(ms_pool *p, PyObject *const *args, Py_ssize_t n, PyObject *kwnames, PyObject **param)
{
    Py_ssize_t npos = p->npositional, total = npos + p->nkwonly;
    if (n > npos)
        return false;
    for (Py_ssize_t i = 0; i < n; i++)
        param[i] = args[i];
    for (Py_ssize_t i = n; i < total; i++)
        param[i] = NULL;
    for (Py_ssize_t k = 0; kwnames && k < PyTuple_GET_SIZE(kwnames); k++) {
        PyObject *name = PyTuple_GET_ITEM(kwnames, k);
        Py_ssize_t i = p->nposonly;
        while (i < total && PyTuple_GET_ITEM(p->names, i) != name)
            i++;
        if (i == total) {
            if (!PyUnicode_CheckExact(name))
                return false;
            for (i = p->nposonly; i < total && PyUnicode_Compare(PyTuple_GET_ITEM(p->names, i), name) != 0; i++) {}
        }
        if (i == total || param[i])
            return false;
        param[i] = args[n + k];
    }
    Py_ssize_t ndefault = p->defaults ? PyTuple_GET_SIZE(p->defaults) : 0;
    for (Py_ssize_t i = n; i < npos; i++)
        if (param[i] == NULL) {
            if (i < npos - ndefault)
                return false;
            param[i] = PyTuple_GET_ITEM(p->defaults, i - (npos - ndefault));
        }
    for (Py_ssize_t i = npos; i < total; i++)
        if (param[i] == NULL) {
            PyObject *kwdefaults = p->init->func_kwdefaults;
            param[i] = kwdefaults ? PyDict_GetItemWithError(kwdefaults, PyTuple_GET_ITEM(p->names, i)) : NULL;
            if (param[i] == NULL) {
                PyErr_Clear();
                return false;
            }
        }
    return true;
}

static PyObject *cell_value(PyObject *cell)
{
    PyObject *v = PyCell_Get(cell);
    if (v == NULL && !PyErr_Occurred())
        PyErr_SetString(PyExc_NameError, "a free variable of __init__ has no value");
    return v;
}

/* A new reference to what is stored. */
static PyObject *store_value(const ms_store *s, PyObject **param)
{
    PyObject *f, *v;
    switch (s->kind) {
    case MS_STORE_ARG:   return Py_NewRef(param[s->arg]);
    case MS_STORE_CONST: return Py_NewRef(s->value);
    case MS_STORE_CELL:  return cell_value(s->value);
    case MS_STORE_LIST:  return PyList_New(0);
    case MS_STORE_DICT:  return PyDict_New();
    case MS_STORE_DEFAULT:
        if ((v = cell_value(s->unless)) == NULL)
            return NULL;
        Py_DECREF(v);
        if (v != param[s->arg])
            return Py_NewRef(param[s->arg]);
        /* fall through */
    default:
        if ((f = cell_value(s->value)) == NULL)
            return NULL;
        v = PyObject_CallNoArgs(f);
        Py_DECREF(f);
        return v;
    }
}

static bool post_init(ms_pool *p, PyObject *self, PyObject **param)
{
    PyObject *argv[MS_POOL_VALUES + 1];
    Py_ssize_t n = PyTuple_GET_SIZE(p->post);
    argv[0] = self;
    for (Py_ssize_t i = 1; i < n; i++)
        argv[i] = param[PyLong_AsLong(PyTuple_GET_ITEM(p->post, i))];
    PyObject *result = PyObject_VectorcallMethod(PyTuple_GET_ITEM(p->post, 0), argv, (size_t)n, NULL);
    Py_XDECREF(result);
    return result != NULL;
}

static Py_NO_INLINE PyObject *compiled_call(ms_pool *p, PyObject *const *args, Py_ssize_t n, PyObject *kwnames)
{
    uint32_t nparam = p->npositional + p->nkwonly, got = 0, nstore = p->nstore;
    PyObject *param[nparam + 1], *value[nstore + 1], *self = NULL; /* each MS_POOL_VALUES at most */
    if (!bind(p, args, n, kwnames, param))
        return plain_call(p->type, args, n, kwnames);
    if (Py_EnterRecursiveCall(" in a constructor")) /* a factory may be the class itself, and no frame would notice */
        return NULL;
    bool cyclic = p->post && p->tracks;
    for (uint32_t i = 0; i < nparam; i++)
        Py_INCREF(param[i]);        /* a factory may run anything, and change the defaults too */
    for (; got < nstore; got++) {
        if ((value[got] = store_value(&p->store[got], param)) == NULL)
            goto done;
        cyclic |= could_cycle(value[got]);
    }
    self = cyclic ? take_plain(p) : take_listed(p);
    if (self == NULL)
        goto done;
    for (uint32_t i = 0; i < got; i++)
        *slot_of(self, p->store[i].offset) = value[i];
    got = 0;
    if (p->post && !post_init(p, self, param))
        Py_CLEAR(self);
    else if (p->post && Py_TYPE(self) == p->type && !tracked(self) && instance_could_cycle(p, self))
        p->tracks = true;
done:
    for (uint32_t i = 0; i < got; i++)
        Py_DECREF(value[i]);
    for (uint32_t i = 0; i < nparam; i++)
        Py_DECREF(param[i]);
    Py_LeaveRecursiveCall();
    return self;
}

static inline bool init_unchanged(ms_pool *p)
{
    return p->init == NULL || (p->init->func_code == p->code && p->init->func_defaults == p->defaults);
}

static Py_NO_INLINE PyObject *other_call(PyTypeObject *type, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    ms_pool *p = pool_in(type);
    switch (p && p->type == type ? ms_pool_look(p) : MS_POOL_PLAIN) {
    case MS_POOL_SIMPLE:
    case MS_POOL_COMPILED: return compiled_call(p, args, PyVectorcall_NARGS(nargsf), kwnames);
    case MS_POOL_CALLED:   return called_call(p, args, nargsf, kwnames);
    default:               return plain_call(type, args, PyVectorcall_NARGS(nargsf), kwnames);
    }
}

static inline PyObject *fill(ms_pool *p, PyObject *self, PyObject *const *args)
{
    for (uint32_t i = 0, n = p->nput; i < n; i++)
        *slot_of(self, p->put[i].offset) = Py_NewRef(args[p->put[i].arg]);
    for (uint32_t i = 0, n = p->nconst; i < n; i++)
        *slot_of(self, p->store[i].offset) = Py_NewRef(p->store[i].value);
    return self;
}

/* There is a container among the arguments, or no free block. */
static Py_NO_INLINE PyObject *simple_call(ms_pool *p, PyObject *const *args)
{
    bool cyclic = false;
    for (uint32_t i = 0, n = p->nput; i < n; i++)
        cyclic |= could_cycle(args[p->put[i].arg]);
    PyObject *self = cyclic ? take_plain(p) : take_listed(p);
    return self ? fill(p, self, args) : NULL;
}

static PyObject *pool_vectorcall(PyObject *callable, PyObject *const *args, size_t nargsf, PyObject *kwnames)
{
    PyTypeObject *type = (PyTypeObject *)callable;
    ms_pool *p = pool_in(type);
    if (MS_UNLIKELY(p == NULL || p->version != type->tp_version_tag || p->nsimple != PyVectorcall_NARGS(nargsf) ||
                    kwnames != NULL || p->init->func_code != p->code || p->init->func_defaults != p->defaults))
        return other_call(type, args, nargsf, kwnames);
    unsigned long flags = 0;
    for (uint32_t i = 0, n = p->nput; i < n; i++)
        flags |= Py_TYPE(args[p->put[i].arg])->tp_flags;
    if (MS_UNLIKELY(flags & Py_TPFLAGS_HAVE_GC) || MS_UNLIKELY(p->listed_free == NULL))
        return simple_call(p, args);
    return fill(p, take_listed(p), args);
}

/* ---- looking at the class ---- */

static ms_pool_mode find_mode(ms_pool *p, PyObject *init)
{
    PyTypeObject *type = p->type;
    if (type->tp_new != PyBaseObject_Type.tp_new || PyType_HasFeature(type, Py_TPFLAGS_IS_ABSTRACT) || init == NULL)
        return MS_POOL_PLAIN;
    if (init == p->constructor && init_unchanged(p)) {
        bool same = true, simple = p->nkwonly == 0 && p->post == NULL && p->init;
        for (uint32_t i = 0; same && i < p->nstore; i++) {
            ms_store *s = &p->store[i];
            same = _PyType_Lookup(type, s->name) == s->member &&
                   (s->by_object || type->tp_setattro == PyObject_GenericSetAttr);
            simple &= s->kind <= MS_STORE_CONST;
        }
        if (same)
            return simple ? MS_POOL_SIMPLE : MS_POOL_COMPILED;
    }
    if (!PyFunction_Check(init))
        return MS_POOL_PLAIN;
    p->called = init;
    return MS_POOL_CALLED;
}

ms_pool_mode ms_pool_look(ms_pool *p)
{
    PyTypeObject *type = p->type;
    if (p->version == type->tp_version_tag && (p->mode > MS_POOL_COMPILED || init_unchanged(p)))
        return p->mode;
    PyObject *init = _PyType_Lookup(type, p->all->str_init);
#if PY_VERSION_HEX >= 0x030C0000
    PyUnstable_Type_AssignVersionTag(type);
#endif
    p->mode = find_mode(p, init);
    p->nsimple = p->mode == MS_POOL_SIMPLE ? p->npositional : NO_CALL;
    p->version = type->tp_version_tag ? type->tp_version_tag : NO_VERSION; /* none to be had: looks each time */
    return p->mode;
}

/* ---- making a pool ---- */

static int refuse(PyTypeObject *type, const char *why)
{
    PyErr_Format(PyExc_TypeError, "%s cannot be pooled: %s", type->tp_name, why);
    return -1;
}

/* What must hold of the memory of the instances, whatever Python has looked at. */
static int check_layout(ms_pools *all, PyTypeObject *type)
{
    PyTypeObject *plain = all->Plain;
    if (!PyType_HasFeature(type, Py_TPFLAGS_HEAPTYPE) || PyType_HasFeature(type, Py_TPFLAGS_IMMUTABLETYPE))
        return refuse(type, "it is not written in Python");
    for (PyTypeObject *t = type; t != &PyBaseObject_Type; t = t->tp_base)
        if (t->tp_dealloc != plain->tp_dealloc && t->tp_dealloc != pool_dealloc && t->tp_dealloc != PyBaseObject_Type.tp_dealloc &&
            strcmp(t->tp_name, "typing.Generic") != 0) /* in C since 3.12; its deallocator frees, no more */
            return refuse(type, "a base class is written in C and has fields of its own");
    if (type->tp_dictoffset != 0)
        return refuse(type, "its instances have a __dict__");
    if (!PyType_HasFeature(type, Py_TPFLAGS_HAVE_GC))
        return refuse(type, "it has no slots");
    if (type->tp_new == NULL || type->tp_vectorcall != NULL)
        return refuse(type, "C code answers calls of it");
    if (type->tp_itemsize != 0 || type->tp_alloc != PyType_GenericAlloc || type->tp_free != PyObject_GC_Del || type->tp_cache)
        return refuse(type, "its memory is managed by somebody else");
    return 0;
}

static int add_slots(ms_pool *p, PyTypeObject *type)
{
    size_t n = 0;
    for (int count = 1; count >= 0; count--) { /* count, then fill */
        n = 0;
        for (PyTypeObject *t = type; t != &PyBaseObject_Type; t = t->tp_base) {
            PyMemberDef *m = t->tp_members;
            for (Py_ssize_t i = 0; m && i < Py_SIZE(t); i++, m++)
                if (m->type == T_OBJECT_EX && !(m->flags & READONLY)) {
                    if (!count)
                        p->slot[n] = (uint32_t)m->offset;
                    n++;
                }
        }
        if (count && (p->slot = PyMem_Calloc(n + 1, sizeof *p->slot)) == NULL) {
            PyErr_NoMemory();
            return -1;
        }
    }
    p->nslot = (uint32_t)n;
    return 0;
}

static int bad_plan(void)
{
    PyErr_SetString(PyExc_ValueError, "this plan is not one of a constructor of this class");
    return -1;
}

/* plan: (init, names, positional-only, keyword-only, post or None, stores); a store: (kind, by_object,
 * parameter, value, unless, name, member). The constants of a simple constructor come to the front of store[]. */
static int add_plan(ms_pool *p, PyTypeObject *type, PyObject *plan)
{
    PyObject *init, *names, *post, *stores;
    int nposonly, nkwonly;
    if (!PyTuple_Check(plan) || !PyArg_ParseTuple(plan, "OO!iiOO!", &init, &PyTuple_Type, &names, &nposonly, &nkwonly, &post,
                                                   &PyTuple_Type, &stores))
        return PyErr_Occurred() ? -1 : bad_plan();
    Py_ssize_t nparam = PyTuple_GET_SIZE(names), n = PyTuple_GET_SIZE(stores);
    if (nparam > MS_POOL_VALUES || n > MS_POOL_VALUES || nposonly < 0 || nkwonly < 0 || nkwonly + nposonly > nparam)
        return bad_plan();
    p->store = PyMem_Calloc((size_t)n + 1, sizeof *p->store);
    p->put = PyMem_Calloc((size_t)n + 1, sizeof *p->put);
    if (p->store == NULL || p->put == NULL) {
        PyErr_NoMemory();
        return -1;
    }
    bool simple = true;
    for (Py_ssize_t i = 0; i < n; i++) {
        PyObject *value, *unless, *name, *member, *item = PyTuple_GET_ITEM(stores, i);
        int kind, by_object, arg;
        if (!PyTuple_Check(item) || !PyArg_ParseTuple(item, "iiiOOUO", &kind, &by_object, &arg, &value, &unless, &name, &member))
            return PyErr_Occurred() ? -1 : bad_plan();
        if (kind < 0 || kind >= MS_STORE_KINDS || arg < 0 || (arg >= nparam && (kind == MS_STORE_ARG || kind == MS_STORE_DEFAULT)) ||
            (kind >= MS_STORE_CELL && kind != MS_STORE_LIST && kind != MS_STORE_DICT && !PyCell_Check(value)) ||
            (kind == MS_STORE_DEFAULT && !PyCell_Check(unless)) || !Py_IS_TYPE(member, &PyMemberDescr_Type))
            return bad_plan();
        PyMemberDef *m = ((PyMemberDescrObject *)member)->d_member;
        if (m->type != T_OBJECT_EX || m->flags & READONLY || !PyType_IsSubtype(type, PyDescr_TYPE(member)))
            return bad_plan();
        for (uint32_t j = 0; j < p->nstore; j++)
            if (p->store[j].offset == (uint32_t)m->offset)
                return bad_plan();
        p->store[p->nstore++] = (ms_store){
            .kind = (ms_store_kind)kind, .by_object = by_object != 0, .arg = (uint32_t)arg, .offset = (uint32_t)m->offset,
            .value = Py_NewRef(value), .unless = Py_NewRef(unless), .name = Py_NewRef(name), .member = Py_NewRef(member)};
        simple &= kind <= MS_STORE_CONST;
    }
    if (simple) {                   /* the order of stores that call nothing cannot be seen */
        for (uint32_t i = 0; i < p->nstore; i++)
            if (p->store[i].kind == MS_STORE_ARG) {
                p->put[p->nput++] = (ms_put){p->store[i].offset, p->store[i].arg};
            } else {
                ms_store s = p->store[i];
                p->store[i] = p->store[p->nconst];
                p->store[p->nconst++] = s;
            }
    }
    if (post != Py_None) {
        bool ok = PyTuple_Check(post) && PyTuple_GET_SIZE(post) >= 1 && PyTuple_GET_SIZE(post) <= MS_POOL_VALUES &&
                  PyUnicode_Check(PyTuple_GET_ITEM(post, 0));
        for (Py_ssize_t i = 1; ok && i < PyTuple_GET_SIZE(post); i++) {
            long arg = PyLong_AsLong(PyTuple_GET_ITEM(post, i));
            ok = arg >= 0 && arg < nparam;
        }
        if (!ok)
            return PyErr_Occurred() ? -1 : bad_plan();
        p->post = Py_NewRef(post);
    }
    if (PyFunction_Check(init)) {
        p->init = (PyFunctionObject *)init;
        p->code = Py_NewRef(p->init->func_code);
        p->defaults = Py_XNewRef(p->init->func_defaults);
    } else if (nparam > 0 || n > 0)
        return bad_plan();
    p->constructor = Py_NewRef(init);
    p->names = Py_NewRef(names);
    p->nposonly = (uint32_t)nposonly;
    p->nkwonly = (uint32_t)nkwonly;
    p->npositional = (uint32_t)(nparam - nkwonly);
    return 0;
}

static bool made_in_a_function(PyTypeObject *type)
{
    const char *name = PyUnicode_AsUTF8(((PyHeapTypeObject *)type)->ht_qualname);
    if (name == NULL)
        PyErr_Clear();
    return name && strstr(name, "<locals>");
}

int ms_pool_attach(ms_pools *all, PyTypeObject *type, PyObject *plan)
{
    if (ms_pool_of(type))
        return 0;
    if (check_layout(all, type) < 0 || watch_class_setter() < 0)
        return -1;
    ms_pool *p = PyObject_GC_New(ms_pool, all->Pool);
    if (p == NULL)
        return -1;
    memset((char *)p + sizeof(PyObject), 0, sizeof *p - sizeof(PyObject));
    p->type = type;
    p->version = NO_VERSION;
    p->mode = MS_POOL_PLAIN;
    p->nsimple = NO_CALL;
    p->all = all;
    p->preheader = 2 * sizeof(uintptr_t);
#if PY_VERSION_HEX >= 0x030C0000
    if (type->tp_flags & (Py_TPFLAGS_MANAGED_DICT | Py_TPFLAGS_MANAGED_WEAKREF))
        p->preheader += 2 * sizeof(PyObject *);
#endif
    p->block = p->preheader + (uint32_t)type->tp_basicsize;
    p->local = made_in_a_function(type);
    set_keep(p);
    if ((p->next = all->first) != NULL)
        p->next->prev = p;
    all->first = p;
    PyObject_GC_Track((PyObject *)p);
    if (add_slots(p, type) < 0 || (plan != Py_None && add_plan(p, type, plan) < 0)) {
        Py_DECREF((PyObject *)p);
        return -1;
    }
    type->tp_cache = (PyObject *)p;
    type->tp_alloc = pool_alloc;
    type->tp_dealloc = pool_dealloc;
    type->tp_vectorcall = pool_vectorcall;
    PyType_Modified(type);
    return 0;
}

/* ---- the pool as an object: what a class's tp_cache owns ---- */

static int pool_traverse(PyObject *self, visitproc visit, void *arg)
{
    ms_pool *p = (ms_pool *)self;
    Py_VISIT(Py_TYPE(self));
    Py_VISIT(p->constructor);
    Py_VISIT(p->code);
    Py_VISIT(p->defaults);
    Py_VISIT(p->names);
    Py_VISIT(p->post);
    for (uint32_t i = 0; i < p->nstore; i++) {
        Py_VISIT(p->store[i].value);
        Py_VISIT(p->store[i].unless);
        Py_VISIT(p->store[i].member);
    }
    return 0;
}

/* Its class is garbage; instances may still be made by finalizers, without what was compiled. */
static int pool_clear(PyObject *self)
{
    ms_pool *p = (ms_pool *)self;
    p->version = NO_VERSION;
    p->mode = MS_POOL_PLAIN;
    p->nsimple = NO_CALL;
    p->init = NULL;
    Py_CLEAR(p->constructor);
    Py_CLEAR(p->code);
    Py_CLEAR(p->defaults);
    Py_CLEAR(p->names);
    Py_CLEAR(p->post);
    uint32_t n = p->nstore;
    p->nstore = p->nput = p->nconst = 0;
    for (uint32_t i = 0; i < n; i++) {
        Py_CLEAR(p->store[i].value);
        Py_CLEAR(p->store[i].unless);
        Py_CLEAR(p->store[i].name);
        Py_CLEAR(p->store[i].member);
    }
    return 0;
}

static void pool_object_dealloc(PyObject *self)
{
    ms_pool *p = (ms_pool *)self;
    PyTypeObject *type = Py_TYPE(self);
    PyObject_GC_UnTrack(self);
    pool_clear(self);
    for (PyObject *op = p->listed, *next; op; op = next) { /* no instance is left: each held its class */
        next = chain_next(op);
        block_free(p, op);
    }
    drop_plain(p, UINT32_MAX);
    if (p->prev)
        p->prev->next = p->next;
    else
        p->all->first = p->next;
    if (p->next)
        p->next->prev = p->prev;
    PyMem_Free(p->slot);
    PyMem_Free(p->store);
    PyMem_Free(p->put);
    PyObject_GC_Del(self);
    Py_DECREF((PyObject *)type);
}

static PyType_Slot pool_slots[] = {
    {Py_tp_dealloc, pool_object_dealloc},
    {Py_tp_traverse, pool_traverse},
    {Py_tp_clear, pool_clear},
    {Py_tp_doc, "The pool of a class. The class owns it."},
    {0, NULL},
};

PyType_Spec ms_pool_spec = {
    .name = "memsure._pool.Pool",
    .basicsize = sizeof(ms_pool),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = pool_slots,
};

/* ---- check ---- */

static bool empty(const ms_pool *p, PyObject *op)
{
    for (uint32_t i = 0; i < p->nslot; i++)
        if (*slot_of(op, p->slot[i]))
            return false;
    return true;
}

const char *ms_pool_check(const ms_pool *p)
{
    uint32_t listed = 0, marked = 0, nfree = 0;
    for (PyObject *op = p->listed; op; op = chain_next(op)) {
        if (head(op)[0] != FREE && tracked(op) && Py_REFCNT(op) != 0) /* 0: it waits for its death */
            return "P2: a tracked instance is in the chain";
        if (++listed > p->nlisted)
            return "P3: the chain is longer than its count, or loops";
        marked += head(op)[0] == FREE;
    }
    if (listed != p->nlisted)
        return "P3: the chain is shorter than its count";
    for (PyObject *op = p->listed_free; op; op = (PyObject *)Py_TYPE(op)) {
        if (head(op)[0] != FREE || !empty(p, op))
            return "P1: a block on the listed free list is not free";
        if (++nfree > p->nlisted_free)
            return "P3: the listed free list is longer than its count, or loops";
    }
    if (nfree != p->nlisted_free || nfree != marked)
        return "P1: a block is marked free and not on the list";
    nfree = 0;
    for (PyObject *op = p->plain_free; op; op = (PyObject *)Py_TYPE(op)) {
        if (head(op)[0] != FREE || head(op)[1] != 0 || !empty(p, op))
            return "P1: a block on the plain free list is not free";
        if (++nfree > p->nplain_free)
            return "P3: the plain free list is longer than its count, or loops";
    }
    return nfree == p->nplain_free ? NULL : "P3: the plain free list is shorter than its count";
}
