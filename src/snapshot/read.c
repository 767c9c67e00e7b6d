/* read.c -- one object read: its references in their fixed order, its sizes, its birth.
 *
 * The types that make up most of a heap are read from their structs; others are asked by their
 * tp_traverse, which leaves things out (keys of dicts of strings, what code objects hold, elements of
 * numpy arrays): those types are read here, too. An instance's dict is never made.
 *
 * Sizes: `said` is what sys.getsizeof says. `allocated` is the room of the object's block and of the
 * blocks that it owns besides. Where a block lies in a slab of ours the room is the slot's; else it is
 * computed as the usual allocators round.
 *
 * A foreign tp_traverse may crash or not return. Then the signal handler in take.c comes back to the
 * sweep, the type is given up, and its instances have no references from there on. */
#include "snapshot/child.h"
#include "internal/pycore_context.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_object.h"
#include "internal/pycore_moduleobject.h"
#if PY_VERSION_HEX >= 0x030c0000
#include "internal/pycore_global_objects.h"
#endif
#if PY_VERSION_HEX >= 0x030c0000
#include "internal/pycore_long.h"
#endif

#include <structmember.h>

/* --- room -------------------------------------------------------------------------------------------- */

static inline uint64_t room_of(const ms_child *c, const void *block, size_t size)
{
    const ms_heap *h = ms_heap_has(c->heap, block) ? c->heap : ms_heap_has(c->raw_heap, block) ? c->raw_heap : NULL;
    if (h)
        return ms_class_stride[ms_slab_of(h, block)->cls] - MS_TAG_SIZE;
    if (size > MS_BLOCK_MAX && c->large->used) {
        const ms_large_slot *s = ms_large_find(c->large, block);
        if (s)
            return s->size;
    }
    return size <= 512 ? (size + 15) & ~(size_t)15 : ((size + 23) & ~(size_t)15) - 8;
}

uint64_t ms_room(const ms_child *c, const void *block, size_t size) { return room_of(c, block, size); }

/* A reference that is counted and has no place among the edges. */
void ms_known(ms_child *c, const void *object)
{
    uint32_t granule = c->recording && object ? ms_granule(c, (uintptr_t)object) : 0;
    if (granule)
        MS_PUSH(c, c->known, uint32_t, granule);
    else if (object && !c->recording)
        ms_mark(c, (uintptr_t)object);
}

MS_COLD bool ms_edges_grow(ms_child *c)
{
    if (ms_vec_want(&c->edges, sizeof(uint32_t)) != NULL)
        return true;
    if (!c->small)
        ms_child_fail(c, MS_ENOMEM, NULL);
    c->edges.used = c->start; /* counted only: those of a large dict need not be kept */
    return false;
}

void ms_filled(ms_child *c, uint64_t used, uint64_t room, size_t each)
{
    if (c->recording && room > used && (room - used) * each >= 32)
        MS_PUSH(c, c->containers, ms_container, (ms_container){c->id, (uint32_t)used, (uint32_t)(room < UINT32_MAX ? room : UINT32_MAX)});
}

void ms_own(ms_child *c, const void *block, size_t size)
{
    if (block == NULL)
        return;
    if (c->recording) {
        c->raw_bytes += ms_room(c, block, size);
        if (c->births && !c->small && ms_heap_has(c->heap, block)) {
            uintptr_t place = ((uintptr_t)block - c->heap->base) >> 4;
            if (place <= UINT32_MAX)
                MS_PUSH(c, c->owned, ms_owned, (ms_owned){c->id, (uint32_t)place});
        } else if (c->births && !c->small && size > MS_BLOCK_MAX) { /* malloc maps with 16 bytes in front, and bit 1 of the size says so */
            bool mapped = ((uintptr_t)block & (MS_PAGE - 1)) == 16 && ((const size_t *)block)[-1] & 2;
            MS_PUSH(c, c->owned_large, ms_owned_large, (ms_owned_large){c->id, mapped, size});
        }
        return;
    }
    /* To tell the blocks that nobody owns. */
    uintptr_t a = (uintptr_t)block;
    ms_chunk_map *k = ms_marks_at(&c->raw, a);
    if (MS_UNLIKELY(k == NULL) && c->second) {
        MS_PUSH(c, c->others_raw, uintptr_t, a);
    } else if (MS_LIKELY(k != NULL) || (k = ms_chunk_want(c, &c->raw, a)) != NULL) {
        ms_word *w = &k->word[a >> 10 & (MS_WORDS - 1)];
        *(c->second ? &w->done : &w->seen) |= 1ull << (a >> 4 & 63);
    }
}

/* --- dicts ------------------------------------------------------------------------------------------- */

static size_t entry_size(const PyDictKeysObject *k) { return DK_IS_UNICODE(k) ? sizeof(PyDictUnicodeEntry) : sizeof(PyDictKeyEntry); }
static size_t keys_usable(const PyDictKeysObject *k) { return ((size_t)2 << k->dk_log2_size) / 3; }
static size_t keys_size(const PyDictKeysObject *k)
{
    return sizeof *k + ((size_t)1 << k->dk_log2_index_bytes) + keys_usable(k) * entry_size(k);
}
static size_t shared_usable(PyDictKeysObject *k) { return (size_t)(k->dk_nentries + k->dk_usable); }

#if PY_VERSION_HEX < 0x030d0000
/* 3.11, 3.12: the values' block begins before them, by a number of bytes that stands just before them. */
static void own_values(ms_child *c, PyDictValues *v, PyDictKeysObject *keys)
{
    int prefix = ((uint8_t *)v)[-1];
    ms_own(c, (char *)v - prefix, (size_t)prefix + shared_usable(keys) * sizeof(PyObject *));
}
#else
static size_t values_size(PyDictKeysObject *keys)
{
    size_t n = shared_usable(keys);
    return ((n + 7) & ~(size_t)7) + (n + 1) * sizeof(PyObject *);
}
#endif

/* The dict of all interned strings counts none of its references (a string leaves it when it dies). */
static bool is_interned(ms_child *c, const PyDictObject *d)
{
#if PY_VERSION_HEX >= 0x030c0000
    return (const PyObject *)d == _Py_INTERP_CACHED_OBJECT(c->interp, interned_strings);
#else /* without a name: a dict that nobody refers to, of strings that are their own values */
    PyDictKeysObject *k = d->ma_keys;
    if (c->recording || !c->unreached || Py_REFCNT(d) != 1 || d->ma_values || !DK_IS_UNICODE(k) || d->ma_used < 500)
        return d == c->interned;
    for (Py_ssize_t i = 0; i < k->dk_nentries; i++)
        if (DK_UNICODE_ENTRIES(k)[i].me_key != DK_UNICODE_ENTRIES(k)[i].me_value && DK_UNICODE_ENTRIES(k)[i].me_value)
            return false;
    c->interned = d;
    return true;
#endif
}

void ms_read_dict(ms_child *c, PyObject *o, const ms_ty *t)
{
    PyDictObject *d = (PyDictObject *)o;
    PyDictKeysObject *k = d->ma_keys;
    if (d->ma_values) { /* a split table: the keys belong to all instances of the class */
        if (t->type == &PyDict_Type)
            c->type_index = c->split_dict;
#if PY_VERSION_HEX >= 0x030d0000
        if (!d->ma_values->embedded)
            ms_own(c, d->ma_values, values_size(k));
        c->said_more += shared_usable(k) * sizeof(PyObject *);
#else
        own_values(c, d->ma_values, k);
        c->said_more += shared_usable(k) * sizeof(PyObject *);
#endif
        for (Py_ssize_t i = 0; i < k->dk_nentries; i++) {
            PyObject *v = d->ma_values->values[i];
            ms_emit(c, v ? DK_UNICODE_ENTRIES(k)[i].me_key : NULL);
            ms_emit(c, v);
        }
        return;
    }
    ms_filled(c, (uint64_t)d->ma_used, keys_usable(k), entry_size(k));
    if (k->dk_refcnt == 1)
        c->said_more += keys_size(k);
    if (k->dk_log2_size)
        ms_own(c, k, keys_size(k));
    if (MS_UNLIKELY(k->dk_nentries >= 500) && is_interned(c, d)) {
        for (Py_ssize_t i = 0; i < k->dk_nentries; i++)
            if (DK_UNICODE_ENTRIES(k)[i].me_value)
                ms_seed(c, DK_UNICODE_ENTRIES(k)[i].me_key);
        return;
    }
    if (DK_IS_UNICODE(k)) {
        const PyDictUnicodeEntry *e = DK_UNICODE_ENTRIES(k);
        for (Py_ssize_t i = 0; i < k->dk_nentries; i++)
            if (e[i].me_value) {
                ms_emit(c, e[i].me_key);
                ms_emit(c, e[i].me_value);
            }
    } else {
        const PyDictKeyEntry *e = DK_ENTRIES(k);
        for (Py_ssize_t i = 0; i < k->dk_nentries; i++)
            if (e[i].me_value) {
                ms_emit(c, e[i].me_key);
                ms_emit(c, e[i].me_value);
            }
    }
}

/* --- instances --------------------------------------------------------------------------------------- */

/* Something to come back to when all is read. */
static void note(ms_child *c, ms_vec *v, PyObject *o)
{
    if (c->recording)
        MS_PUSH(c, *v, PyObject *, o);
}

/* The dict that an instance has, or NULL; and its values where they are kept without one. */
static PyObject *managed_dict(PyObject *o, const ms_ty *t, PyDictValues **values)
{
    *values = NULL;
#if PY_VERSION_HEX >= 0x030d0000
    PyObject *dict = ((PyObject **)o)[-3];
    if (dict == NULL && t->inlined) {
        PyDictValues *v = (PyDictValues *)((char *)o + t->basicsize);
        if (v->valid)
            *values = v;
    }
    return dict;
#elif PY_VERSION_HEX >= 0x030c0000
    uintptr_t word = ((uintptr_t *)o)[-3];
    if (word & 1)
        *values = (PyDictValues *)(word + 1);
    return word & 1 ? NULL : (PyObject *)word;
#else
    *values = ((PyDictValues **)o)[-4];
    return ((PyObject **)o)[-3];
#endif
}

static PyObject **dict_at(PyObject *o, Py_ssize_t offset)
{
    if (offset < 0) { /* from the end of an object with items */
        Py_ssize_t n = Py_SIZE(o);
        if (n < 0)
            n = -n;
        offset += (Py_ssize_t)_PyObject_VAR_SIZE(Py_TYPE(o), n);
    }
    return (PyObject **)((char *)o + offset);
}

static void read_attributes(ms_child *c, PyObject *o, const ms_ty *t)
{
    PyDictValues *values = NULL;
    PyObject *dict = t->managed ? managed_dict(o, t, &values) : *dict_at(o, t->dict_offset);
    ms_emit(c, dict);
    if (dict)
        note(c, &c->namespaces, dict);
    if (values) {
        PyDictKeysObject *keys = ((PyHeapTypeObject *)t->type)->ht_cached_keys;
#if PY_VERSION_HEX < 0x030d0000
        own_values(c, values, keys);
#endif
        for (Py_ssize_t i = 0; i < keys->dk_nentries; i++)
            ms_emit(c, values->values[i]);
    } else if (t->read && t->cached) { /* what the reader tells comes behind their places */
        for (Py_ssize_t i = 0; i < t->cached->dk_nentries; i++)
            ms_emit(c, NULL);
    }
}

/* --- what no struct is known of ---------------------------------------------------------------------- */

int ms_visit(PyObject *o, void *arg)
{
    ms_child *c = arg;
    c->visiting = true;
    if (c->skip_one && o == c->skip_one)
        c->skip_one = NULL; /* was given a place of its own */
    else if (c->skip_type && o == (PyObject *)Py_TYPE(c->object))
        c->skip_type = false; /* an instance of a heap type shows its type: that is implied */
    else
        ms_emit(c, o);
    c->visiting = false;
    if (MS_UNLIKELY(c->late))
        ms_child_late(c);
    return 0;
}

void ms_traverse(ms_child *c, PyObject *o, const ms_ty *t, visitproc visit, PyObject *known)
{
    if (t->given_up)
        return;
    inquiry is_gc = Py_TYPE(o)->tp_is_gc;
    if (t->traverse == NULL || (is_gc && !is_gc(o)))
        return;
    c->skip_type = t->heap;
    c->skip_one = known;
    c->visiting = false;
    c->foreign++;
    t->traverse(o, visit, c);
    c->foreign++;
}

static void read_opaque(ms_child *c, PyObject *o, const ms_ty *t) { ms_traverse(c, o, t, ms_visit, NULL); }

/* --- the other builtin types ------------------------------------------------------------------------- */

static void emit_items(ms_child *c, PyObject *const *item, Py_ssize_t n)
{
    if (!c->recording) {
        c->marked_edges += (uint64_t)n;
        for (Py_ssize_t i = 0; i < n; i++)
            if (item[i])
                ms_mark(c, (uintptr_t)item[i]);
        return;
    }
    if (c->small) /* nobody asks for them */
        return;
    uint32_t *out = ms_vec_want(&c->edges, (size_t)n * sizeof *out);
    if (out == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    for (Py_ssize_t i = 0; i < n; i++)
        out[i] = item[i] ? ms_granule(c, (uintptr_t)item[i]) : 0;
    c->edges.used += (size_t)n * sizeof *out;
}

static void read_tuple(ms_child *c, PyObject *o, const ms_ty *t)
{
    if (Py_SIZE(o) > 0)
        emit_items(c, ((PyTupleObject *)o)->ob_item, Py_SIZE(o));
}

static void read_list(ms_child *c, PyObject *o, const ms_ty *t)
{
    PyListObject *l = (PyListObject *)o;
    uint64_t room = l->allocated > 0 ? (uint64_t)l->allocated : 0; /* while it is sorted, it has nothing, and says -1 */
    if (l->ob_item)
        ms_own(c, l->ob_item, room * sizeof(PyObject *));
    c->said_more += room * sizeof(PyObject *);
    ms_filled(c, (uint64_t)Py_SIZE(l), room, sizeof(PyObject *));
    if (Py_SIZE(l) > 0)
        emit_items(c, l->ob_item, Py_SIZE(l));
}

static void read_set(ms_child *c, PyObject *o, const ms_ty *t)
{
    PySetObject *s = (PySetObject *)o;
    if (s->table != s->smalltable) {
        ms_own(c, s->table, (size_t)(s->mask + 1) * sizeof(setentry));
        c->said_more += (uint64_t)(s->mask + 1) * sizeof(setentry);
        ms_filled(c, (uint64_t)s->used, (uint64_t)(s->mask + 1) * 3 / 5, sizeof(setentry));
    }
    for (Py_ssize_t i = 0; i <= s->mask; i++)
        if (s->table[i].key && s->table[i].hash != -1)
            ms_emit(c, s->table[i].key);
}

void ms_read_str(ms_child *c, PyObject *o, const ms_ty *t)
{
    Py_ssize_t n = PyUnicode_GET_LENGTH(o);
    if (PyUnicode_IS_COMPACT_ASCII(o)) {
        c->said += (uint64_t)n + 1 + sizeof(PyASCIIObject) - t->basicsize;
        if (t->basicsize != PyUnicode_Type.tp_basicsize)
            c->said += t->basicsize - PyUnicode_Type.tp_basicsize;
        return;
    }
    PyCompactUnicodeObject *u = (PyCompactUnicodeObject *)o;
    uint64_t bytes = ((uint64_t)n + 1) * PyUnicode_KIND(o);
    if (PyUnicode_IS_COMPACT(o)) {
        c->said += bytes + sizeof(PyCompactUnicodeObject) - t->basicsize;
    } else { /* an instance of a subclass: the data is a block of its own */
        void *data = ((PyUnicodeObject *)o)->data.any;
        if (data == NULL)
            return;
        c->said_more += bytes + PyUnicode_Type.tp_basicsize - t->basicsize;
        ms_own(c, data, bytes);
        if (u->utf8 == data)
            return;
    }
    if (u->utf8) {
        c->said_more += (uint64_t)u->utf8_length + 1;
        ms_own(c, u->utf8, (size_t)u->utf8_length + 1);
    }
}

static void read_int(ms_child *c, PyObject *o, const ms_ty *t)
{
#if PY_VERSION_HEX >= 0x030c0000
    uint64_t digits = ((PyLongObject *)o)->long_value.lv_tag >> _PyLong_NON_SIZE_BITS;
    c->said = offsetof(PyLongObject, long_value.ob_digit) + (digits ? digits : 1) * sizeof(digit) + t->prefix;
#else
    Py_ssize_t digits = Py_SIZE(o) < 0 ? -Py_SIZE(o) : Py_SIZE(o);
    c->said = offsetof(PyLongObject, ob_digit) + (size_t)(digits ? digits : 1) * sizeof(digit) + t->prefix;
#endif
}

static void read_bytearray(ms_child *c, PyObject *o, const ms_ty *t)
{
    PyByteArrayObject *b = (PyByteArrayObject *)o;
    c->said_more += (uint64_t)b->ob_alloc;
    ms_filled(c, (uint64_t)Py_SIZE(o), (uint64_t)b->ob_alloc, 1);
#if PY_VERSION_HEX >= 0x030f0000
    if (b->ob_bytes_object && b->ob_alloc)
        c->said_more += PyBytes_Type.tp_basicsize;
#else
    if (b->ob_bytes)
        ms_own(c, b->ob_bytes, (size_t)b->ob_alloc);
#endif
}

static void read_named(ms_child *c, PyObject *o, const ms_ty *t) { note(c, &c->named, o); }

static void read_function(ms_child *c, PyObject *o, const ms_ty *t)
{
    note(c, &c->named, o);
    if (((PyFunctionObject *)o)->func_dict)
        note(c, &c->namespaces, ((PyFunctionObject *)o)->func_dict);
}

static void read_module(ms_child *c, PyObject *o, const ms_ty *t)
{
    note(c, &c->named, o);
    if (((PyModuleObject *)o)->md_dict)
        note(c, &c->namespaces, ((PyModuleObject *)o)->md_dict);
    ms_emit(c, ((PyModuleObject *)o)->md_dict);
    ms_emit(c, ((PyModuleObject *)o)->md_name);
    ms_traverse(c, o, t, ms_visit, ((PyModuleObject *)o)->md_dict);
}

static void read_code(ms_child *c, PyObject *o, const ms_ty *t)
{
    note(c, &c->named, o);
    PyCodeObject *code = (PyCodeObject *)o;
    c->said = (c->said + 7) & ~(uint64_t)7;
    if (code->co_extra) {
        struct { Py_ssize_t size; void *extra[1]; } *extra = code->co_extra;
        size_t n = sizeof *extra + (size_t)(extra->size - 1) * sizeof(void *);
        c->said_more += n;
        ms_own(c, extra, n);
    }
}

static void read_type(ms_child *c, PyObject *o, const ms_ty *t)
{
    PyTypeObject *type = (PyTypeObject *)o;
    bool heap = type->tp_flags & Py_TPFLAGS_HEAPTYPE;
    PyHeapTypeObject *h = (PyHeapTypeObject *)o;
    note(c, &c->named, o);
    ms_emit(c, ms_type_dict(c, type));
    ms_emit(c, type->tp_bases);
    ms_emit(c, type->tp_mro);
    ms_emit(c, heap ? type->tp_base : NULL); /* a static type's is borrowed */
    ms_emit(c, type->tp_cache);
    ms_emit(c, ms_type_subclasses(c, type));
    if (!heap) {
        c->said = sizeof(PyTypeObject) + (PY_VERSION_HEX < 0x030d0000 ? t->prefix : 0); /* 3.11 and 3.12 add a header that is not there */
        return;
    }
    c->said = t->prefix + sizeof(PyHeapTypeObject);
    ms_emit(c, h->ht_name);
    ms_emit(c, h->ht_qualname);
    ms_emit(c, h->ht_slots);
    ms_emit(c, h->ht_module);
    if (h->ht_cached_keys) {
        PyDictKeysObject *k = h->ht_cached_keys;
        c->said_more += keys_size(k);
        ms_own(c, k, keys_size(k));
        for (Py_ssize_t i = 0; i < k->dk_nentries; i++)
            ms_emit(c, DK_UNICODE_ENTRIES(k)[i].me_key);
    }
    if (h->_ht_tpname)
        ms_own(c, h->_ht_tpname, strlen(h->_ht_tpname) + 1);
}

/* --- which reader ------------------------------------------------------------------------------------ */

#define FIELD(name, type, member)         ms_field_add(c, t, name, (int32_t)offsetof(type, member), MS_EDGE_NORMAL)
#define FIELD_GLOBALS(name, type, member) ms_field_add(c, t, name, (int32_t)offsetof(type, member), MS_EDGE_GLOBALS)
#define FIELD_WEAK(name, type, member)    ms_field_add(c, t, name, (int32_t)offsetof(type, member), MS_EDGE_WEAK)

void ms_reader_choose(ms_child *c, ms_ty *t)
{
    PyTypeObject *type = t->type;
    if (type->tp_flags & Py_TPFLAGS_TYPE_SUBCLASS) {
        t->read = read_type;
        t->rest = MS_REST_MEMBERS;
        t->scan = true;
        t->itemsize = 0;
        static const char *const names[] = {"__dict__", "__bases__", "__mro__", "__base__", "tp_cache", "__subclasses__",
                                            "__name__", "__qualname__", "__slots__", "ht_module"};
        for (uint32_t i = 0; i < 10; i++)
            ms_field_add(c, t, names[i], -3, MS_EDGE_NORMAL);
    } else if (type == &PyUnicode_Type) {
        t->read = ms_read_str;
        t->is_value = true;
    } else if (type == &PyLong_Type || type == &PyBool_Type) {
        t->read = read_int;
        t->is_value = type == &PyLong_Type;
        t->itemsize = 0;
    } else if (type == &PyTuple_Type) {
        t->read = read_tuple;
        t->rest = MS_REST_INDEX;
    } else if (type == &PyList_Type) {
        t->read = read_list;
        t->rest = MS_REST_INDEX;
    } else if (type == &PyDict_Type
#if PY_VERSION_HEX >= 0x030f0000
               || type == &PyFrozenDict_Type
#endif
    ) {
        t->read = ms_read_dict;
        t->rest = MS_REST_PAIRS;
    } else if (type == &PySet_Type || type == &PyFrozenSet_Type) {
        t->read = read_set;
        t->rest = MS_REST_MEMBERS;
    } else if (type == &PyByteArray_Type) {
        t->read = read_bytearray;
#if PY_VERSION_HEX >= 0x030f0000
        FIELD("bytes", PyByteArrayObject, ob_bytes_object);
#endif
    } else if (type == &PyCode_Type) {
        t->read = read_code;
        t->rest = MS_REST_OPAQUE;
        t->scan = true;
        FIELD("co_consts", PyCodeObject, co_consts);
        FIELD("co_names", PyCodeObject, co_names);
        FIELD("co_exceptiontable", PyCodeObject, co_exceptiontable);
        FIELD("co_localsplusnames", PyCodeObject, co_localsplusnames);
        FIELD("co_localspluskinds", PyCodeObject, co_localspluskinds);
        FIELD("co_filename", PyCodeObject, co_filename);
        FIELD("co_name", PyCodeObject, co_name);
        FIELD("co_qualname", PyCodeObject, co_qualname);
        FIELD("co_linetable", PyCodeObject, co_linetable);
#if PY_VERSION_HEX < 0x030c0000
        FIELD("co_code", PyCodeObject, _co_code);
#endif
    } else if (type == &PyModule_Type) {
        t->read = read_module;
        t->scan = true;
        t->rest = MS_REST_OPAQUE;
        ms_field_add(c, t, "__dict__", -3, MS_EDGE_NORMAL);
        ms_field_add(c, t, "__name__", -3, MS_EDGE_NORMAL);
    } else if (type == &PyFunction_Type) {
        t->read = read_function;
        FIELD_GLOBALS("__globals__", PyFunctionObject, func_globals);
        FIELD_GLOBALS("__builtins__", PyFunctionObject, func_builtins);
        FIELD("__name__", PyFunctionObject, func_name);
        FIELD("__qualname__", PyFunctionObject, func_qualname);
        FIELD("__code__", PyFunctionObject, func_code);
        FIELD("__defaults__", PyFunctionObject, func_defaults);
        FIELD("__kwdefaults__", PyFunctionObject, func_kwdefaults);
        FIELD("__closure__", PyFunctionObject, func_closure);
        FIELD("__doc__", PyFunctionObject, func_doc);
        FIELD("__dict__", PyFunctionObject, func_dict);
        FIELD("__module__", PyFunctionObject, func_module);
        FIELD("__annotations__", PyFunctionObject, func_annotations);
#if PY_VERSION_HEX >= 0x030e0000
        FIELD("__annotate__", PyFunctionObject, func_annotate);
#endif
#if PY_VERSION_HEX >= 0x030c0000
        FIELD("__type_params__", PyFunctionObject, func_typeparams);
#endif
    } else if (type == &PyContextVar_Type) {
        t->read = read_named;
        FIELD("name", PyContextVar, var_name);
        FIELD("default", PyContextVar, var_default);
    } else if (type == &PyCell_Type) {
        FIELD("cell_contents", PyCellObject, ob_ref);
    } else if (type == &PyMethod_Type) {
        FIELD("__func__", PyMethodObject, im_func);
        FIELD("__self__", PyMethodObject, im_self);
    } else if (type == &PyCFunction_Type) {
        FIELD("__self__", PyCFunctionObject, m_self);
        FIELD("__module__", PyCFunctionObject, m_module);
    } else if (type == &PyMethodDescr_Type || type == &PyMemberDescr_Type || type == &PyGetSetDescr_Type || type == &PyWrapperDescr_Type ||
               type == &PyClassMethodDescr_Type) {
        FIELD("__objclass__", PyDescrObject, d_type);
        FIELD("__name__", PyDescrObject, d_name);
        FIELD("__qualname__", PyDescrObject, d_qualname);
    } else if (type == &_PyWeakref_RefType) {
        FIELD_WEAK("referent", PyWeakReference, wr_object);
        FIELD("__callback__", PyWeakReference, wr_callback);
    } else if (type->tp_flags & Py_TPFLAGS_BASE_EXC_SUBCLASS && type->tp_traverse == ((PyTypeObject *)PyExc_BaseException)->tp_traverse) {
        FIELD("__dict__", PyBaseExceptionObject, dict);
        FIELD("args", PyBaseExceptionObject, args);
        FIELD("__notes__", PyBaseExceptionObject, notes);
        FIELD("__traceback__", PyBaseExceptionObject, traceback);
        FIELD("__context__", PyBaseExceptionObject, context);
        FIELD("__cause__", PyBaseExceptionObject, cause);
    } else if (type == &PySlice_Type) {
        FIELD("start", PySliceObject, start);
        FIELD("stop", PySliceObject, stop);
        FIELD("step", PySliceObject, step);
    } else if (type == &PyRange_Type) {
        ms_field_add(c, t, "start", 16, MS_EDGE_NORMAL);
        ms_field_add(c, t, "stop", 24, MS_EDGE_NORMAL);
        ms_field_add(c, t, "step", 32, MS_EDGE_NORMAL);
        ms_field_add(c, t, "length", 40, MS_EDGE_NORMAL);
    } else if (ms_frames_choose(c, t) || ms_known_choose(c, t)) {
        return;
    } else if (t->traverse && type->tp_flags & Py_TPFLAGS_HAVE_GC) {
        t->read = read_opaque;
        t->rest = MS_REST_OPAQUE;
        t->scan = true;
    } else if (type == &PyBytes_Type || type == &PyFloat_Type) {
        t->is_value = true;
    } else if (type->tp_basicsize >= 24 && type != &PyBytes_Type && type != &PyFloat_Type && type != &PyComplex_Type) {
        t->flags |= MS_TYPE_LEAF;
        t->rest = MS_REST_OPAQUE;
        t->scan = true;
    }
}

bool ms_reader_is_quiet(const ms_ty *t) { return t->read == read_int || t->read == ms_read_str; }

bool ms_reader_is_simple(const ms_ty *t)
{
    return t->type && !t->scan && !t->given_up &&
           (t->read == NULL || t->read == read_int || t->read == ms_read_str || t->read == read_tuple || t->read == read_list ||
            t->read == ms_read_dict || t->read == read_set || t->read == read_bytearray);
}

/* --- one object -------------------------------------------------------------------------------------- */

/* Who made the block, and when. */
static void birth_of(const ms_child *c, const void *block, uint64_t room, uint32_t *site, uint32_t *birth)
{
    uint64_t tag = 0;
    *site = *birth = 0;
    if (ms_heap_has(c->heap, block) || ms_heap_has(c->raw_heap, block)) {
        tag = ((const uint64_t *)block)[-1];
    } else if (room > MS_BLOCK_MAX && c->large->used) {
        const ms_large_slot *s = ms_large_find(c->large, block);
        if (s)
            tag = s->tag;
    }
    if (!(tag & MS_TAG_LIVE) || ((uintptr_t)block & 15))
        return;
    const ms_tally *t = ms_tag_tally((uint32_t)tag);
    if ((uint32_t)(t - ms_area.tally) >= ms_area.table[MS_T_TALLY].used)
        return;
    *site = ms_area.mode == MS_MODE_EXACT ? ms_area.node[t->owner].site : t->owner;
    *birth = (uint32_t)(tag >> 32);
}

/* The smaller answer: how many objects of this shape were born at this site. */
static void count(ms_child *c, uint32_t shape, uint32_t site)
{
    c->edges.used = c->kinds.used = c->hints.used = c->known.used = c->containers.used = c->object_labels.used = c->namespaces.used = c->named.used = 0;
    ms_map_slot *s = ms_map_put(&c->counts, (uint64_t)site << 32 | shape);
    if (s == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    if (s->value == 0) {
        s->value = (uint32_t)MS_VEC_N(c->count_table, ms_counted) + 1;
        MS_PUSH(c, c->count_table, ms_counted, (ms_counted){shape, site, 1});
        return;
    }
    MS_VEC_AT(c->count_table, ms_counted)[s->value - 1].count++;
}

/* Edges that keep nothing alive, or only what nothing else does. */
MS_COLD static void note_kinds(ms_child *c, const ms_ty *t)
{
    uint32_t first = (uint32_t)(c->start / sizeof(uint32_t)), n = (uint32_t)MS_VEC_N(c->edges, uint32_t) - first;
    for (uint32_t e = 0; e < n && (t->weak_keys || e < 64); e++)
        if (t->weak_keys ? !(e & 1) : (t->weak | t->globals) >> e & 1)
            MS_PUSH(c, c->kinds, ms_edge_kind,
                    (ms_edge_kind){first + e, t->weak_keys || t->weak >> e & 1 ? MS_EDGE_WEAK : MS_EDGE_GLOBALS});
}

static inline uint32_t shape_of(ms_child *c, uint32_t type, uint64_t said, uint64_t allocated)
{
    uint32_t *known = &c->shape_cache[(said + (allocated << 2) + type * 37) & 4095];
    const ms_shape *s = &MS_VEC_AT(c->shape_table, ms_shape)[*known];
    if (MS_LIKELY(*known && s->type == type && s->said == said && s->allocated == allocated))
        return *known;
    return *known = ms_shape_find(c, type, said, allocated);
}

static inline void column_put(ms_child *c, uint32_t shape, int32_t refs)
{
    c->first[c->id + 1] = (uint32_t)MS_VEC_N(c->edges, uint32_t);
    MS_VEC_AT(c->shape, uint32_t)[c->id] = shape;
    MS_VEC_AT(c->refs, int32_t)[c->id] += refs; /* references to it may have been taken off already */
}

/* The object goes into the columns: its block of this room, what it owns besides, and the edges since c->start. */
static inline void record(ms_child *c, PyObject *o, ms_ty *t, const char *block, uint64_t said, uint64_t allocated)
{
    uint32_t site = 0, birth = 0, shape = t->shape;
    if (c->births)
        birth_of(c, block, allocated, &site, &birth);
    if (MS_UNLIKELY(t->shape_said != said || t->shape_allocated != allocated || shape == 0)) {
        shape = t->shape = shape_of(c, (uint32_t)(t - MS_VEC_AT(c->type_table, ms_ty)), said, allocated);
        t->shape_said = said;
        t->shape_allocated = allocated;
    }
    t->instances++;
    if (MS_UNLIKELY(c->small)) {
        count(c, shape, site);
        return;
    }
    int64_t refs = (int64_t)Py_REFCNT(o);
#if PY_VERSION_HEX >= 0x030c0000
    if ((int32_t)refs < 0)
        refs = MS_IMMORTAL;
#endif
    column_put(c, shape, (int32_t)(refs > MS_IMMORTAL ? MS_IMMORTAL : refs));
    if (c->births) {
        MS_VEC_AT(c->site, uint32_t)[c->id] = site;
        MS_VEC_AT(c->birth, uint32_t)[c->id] = birth;
    }
}

/* What read() found goes into the columns. */
void ms_record(ms_child *c)
{
    PyObject *o = c->object;
    ms_ty *t = &MS_VEC_AT(c->type_table, ms_ty)[c->type_index];
    if (t->rest == MS_REST_NONE) /* empty places at the end say nothing */
        while (c->edges.used > c->start && *(uint32_t *)(void *)(c->edges.at + c->edges.used - sizeof(uint32_t)) == 0)
            c->edges.used -= sizeof(uint32_t);
    const char *block = (const char *)o - t->prefix;
    if (MS_UNLIKELY(t->read == read_type) && !(((PyTypeObject *)o)->tp_flags & Py_TPFLAGS_HEAPTYPE))
        block = (const char *)o; /* static types stand alone */
    uint64_t room = c->said;
#if PY_VERSION_HEX >= 0x030d0000
    if (t->inlined)
        room += values_size(((PyHeapTypeObject *)t->type)->ht_cached_keys);
#endif
    if (MS_UNLIKELY(t->weak_keys || t->weak | t->globals) && !c->small)
        note_kinds(c, t);
    record(c, o, t, block, c->said + c->said_more, room_of(c, block, room) + c->raw_bytes);
}

/* Somebody refers to an address that is no object, or no longer: a node without anything. */
void ms_record_unreadable(ms_child *c)
{
    if (c->small)
        return;
    if (c->type_unreadable == 0)
        c->type_unreadable = ms_type_pseudo(c, "(not readable)", MS_REST_NONE);
    c->edges.used = c->start;
    column_put(c, ms_shape_find(c, c->type_unreadable, 0, 0), MS_IMMORTAL);
}

void ms_type_give_up(ms_child *c)
{
    ms_ty *t = &MS_VEC_AT(c->type_table, ms_ty)[c->type_index];
    t->given_up = 1;
    t->flags |= MS_TYPE_GIVEN_UP;
    c->foreign += c->foreign & 1;
}

static inline ms_ty *type_of(ms_child *c, PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    uint32_t at = (uint32_t)((uintptr_t)type >> 4 ^ (uintptr_t)type >> 13) & (MS_TYPE_CACHE - 1);
    return MS_LIKELY(c->type_cache[at].type == type) ? c->type_cache[at].entry : &MS_VEC_AT(c->type_table, ms_ty)[ms_type_new(c, type)];
}

/* Whether o refers to nothing and owns nothing. */
static inline bool quiet(PyObject *o, const ms_ty *t) { return t->quiet && (t->read != ms_read_str || PyUnicode_IS_COMPACT_ASCII(o)); }

/* What a type's fields say, and its reader. */
static inline void references(ms_child *c, PyObject *o, const ms_ty *t)
{
    const ms_field *f = MS_VEC_AT(c->fields, ms_field) + t->first_field;
    if (t->fixed_fields)
        for (uint32_t i = 0; i < t->fixed_fields && f[i].offset >= 0; i++)
            ms_emit(c, *(PyObject **)((char *)o + f[i].offset));
    if (t->dict_field >= 0)
        read_attributes(c, o, t);
    if (t->read)
        t->read(c, o, t);
}

void ms_mark_object(ms_child *c, PyObject *o)
{
    c->object = o;
    c->type_index = 0; /* until its type is known to be one */
    __asm__ volatile("" ::: "memory");
    const ms_ty *t = type_of(c, o);
    if (quiet(o, t))
        return;
    c->type_index = (uint32_t)(t - MS_VEC_AT(c->type_table, ms_ty));
    references(c, o, t);
}

static inline void read_object(ms_child *c, PyObject *o, ms_ty *t)
{
    c->type_index = (uint32_t)(t - MS_VEC_AT(c->type_table, ms_ty));
    c->said = t->prefix + t->basicsize;
    c->said_more = c->raw_bytes = 0;
    if (t->itemsize) {
        Py_ssize_t n = Py_SIZE(o);
        c->said += (uint64_t)(n < 0 ? -n : n) * t->itemsize;
    }
    if (quiet(o, t)) {
        if (t->read == ms_read_str)
            ms_read_str(c, o, t);
        else if (t->read)
            read_int(c, o, t);
        const char *block = (const char *)o - t->prefix;
        record(c, o, t, block, c->said, room_of(c, block, c->said));
        return;
    }
    references(c, o, t);
    if (t->scan)
        ms_hint_object(c, o, t);
    ms_record(c);
}

static inline void read_begin(ms_child *c, PyObject *o)
{
    c->start = c->edges.used;
    c->object = o;
    c->type_index = 0;
    __asm__ volatile("" ::: "memory");
}

void ms_read_object(ms_child *c, PyObject *o)
{
    read_begin(c, o);
    read_object(c, o, type_of(c, o));
}

/* The second thread knows the types that stand in its cache. */
static inline ms_ty *simple_type_of(ms_child *c, PyObject *o)
{
    PyTypeObject *type = Py_TYPE(o);
    uint32_t at = (uint32_t)((uintptr_t)type >> 4 ^ (uintptr_t)type >> 13) & (MS_TYPE_CACHE - 1);
    return MS_LIKELY(c->type_cache[at].type == type) ? c->type_cache[at].entry : NULL;
}

bool ms_mark_simple(ms_child *c, PyObject *o)
{
    __asm__ volatile("" ::: "memory");
    const ms_ty *t = simple_type_of(c, o);
    if (t == NULL) {
        c->stranger[(uintptr_t)Py_TYPE(o) >> 5 & (MS_STRANGERS - 1)] = o;
        return false;
    }
    c->object = o;
    if (!quiet(o, t)) {
        c->type_index = (uint32_t)(t - MS_VEC_AT(c->type_table, ms_ty));
        references(c, o, t);
    }
    return true;
}

bool ms_read_simple(ms_child *c, PyObject *o)
{
    read_begin(c, o);
    ms_ty *t = simple_type_of(c, o);
    if (t)
        read_object(c, o, t);
    return t != NULL;
}
