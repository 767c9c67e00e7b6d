/* types.c -- what is known of each type: how its instances are read, and what their places are called.
 *
 * An entry is made when the first instance is met. Its fields are the names of an instance's first
 * edges: slots in the order of their offsets, members of known C structs, __dict__, and the attributes
 * kept in the instance itself in the order of the type's shared keys. What follows them is the rest.
 *
 * Strings and shapes (type, size, size) are kept once each, found by content. */
#include "snapshot/child.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_object.h"

#include <structmember.h>

#if PY_VERSION_HEX >= 0x030c0000
#include "internal/pycore_typeobject.h"
#endif

/* --- strings ----------------------------------------------------------------------------------------- */

uint32_t ms_string(ms_child *c, const char *text, size_t length)
{
    if (c->string_offsets.used == 0) {
        MS_PUSH(c, c->string_offsets, int64_t, 0);
        MS_PUSH(c, c->string_offsets, int64_t, 0);
    }
    if (length == 0)
        return 0;
    uint64_t h = length + 1;
    for (size_t i = 0; i < length; i++)
        h = (h ^ (unsigned char)text[i]) * 0x100000001B3ull; /* FNV-1a */
    for (h |= 1;; h += 2) {
        ms_map_slot *s = ms_map_put(&c->strings, h);
        if (s == NULL)
            ms_child_fail(c, MS_ENOMEM, NULL);
        const int64_t *offset = MS_VEC_AT(c->string_offsets, int64_t);
        if (s->value) {
            int64_t from = offset[s->value], to = offset[s->value + 1];
            if (to - from == (int64_t)length && memcmp(c->string_data.at + from, text, length) == 0)
                return s->value;
            continue; /* another text of the same hash */
        }
        char *at = ms_vec_want(&c->string_data, length);
        if (at == NULL)
            ms_child_fail(c, MS_ENOMEM, NULL);
        memcpy(at, text, length);
        MS_PUSH(c, c->string_offsets, int64_t, (int64_t)(c->string_data.used + length)); /* it is there, or nothing of it is */
        c->string_data.used += length;
        return s->value = (uint32_t)MS_VEC_N(c->string_offsets, int64_t) - 2;
    }
}

uint32_t ms_string_of(ms_child *c, PyObject *str)
{
    char text[1024];
    size_t n = ms_frame_text(str, text, sizeof text);
    return ms_string(c, text, n);
}

/* --- shapes ------------------------------------------------------------------------------------------ */

MS_COLD uint32_t ms_shape_find(ms_child *c, uint32_t type, uint64_t said, uint64_t allocated)
{
    uint64_t h = ms_hash(ms_hash(said * 31 + allocated) ^ type) | 1;
    for (;; h += 2) {
        ms_map_slot *s = ms_map_put(&c->shapes, h);
        if (s == NULL)
            ms_child_fail(c, MS_ENOMEM, NULL);
        const ms_shape *known = &MS_VEC_AT(c->shape_table, ms_shape)[s->value];
        if (s->value && known->type == type && known->said == said && known->allocated == allocated)
            return s->value;
        if (s->value)
            continue;
        MS_PUSH(c, c->shape_table, ms_shape, (ms_shape){type, said, allocated});
        return s->value = (uint32_t)MS_VEC_N(c->shape_table, ms_shape) - 1;
    }
}

/* --- dicts of types ---------------------------------------------------------------------------------- */

/* Static builtin types keep their dict in the interpreter's state since 3.12, found by an index that
 * stands where tp_subclasses was. */
#if PY_VERSION_HEX >= 0x030d0000
static managed_static_type_state *static_state(ms_child *c, PyTypeObject *type)
{
    if (!(type->tp_flags & _Py_TPFLAGS_STATIC_BUILTIN))
        return NULL;
    struct types_state *all = &c->interp->types;
    size_t index = (size_t)type->tp_subclasses;
    if (index >= 1 && index <= _Py_MAX_MANAGED_STATIC_BUILTIN_TYPES && all->builtins.initialized[index - 1].type == type)
        return &all->builtins.initialized[index - 1];
    index -= _Py_MAX_MANAGED_STATIC_BUILTIN_TYPES;
    if (index >= 1 && index <= _Py_MAX_MANAGED_STATIC_EXT_TYPES && all->for_extensions.initialized[index - 1].type == type)
        return &all->for_extensions.initialized[index - 1];
    for (size_t i = 0; i < _Py_MAX_MANAGED_STATIC_EXT_TYPES; i++)
        if (all->for_extensions.initialized[i].type == type)
            return &all->for_extensions.initialized[i];
    return NULL;
}
#elif PY_VERSION_HEX >= 0x030c0000
static static_builtin_state *static_state(ms_child *c, PyTypeObject *type)
{
    size_t index = type->tp_flags & _Py_TPFLAGS_STATIC_BUILTIN ? (size_t)type->tp_subclasses : 0;
    return index >= 1 && index <= _Py_MAX_STATIC_BUILTIN_TYPES ? &c->interp->types.builtins[index - 1] : NULL;
}
#endif

PyObject *ms_type_dict(ms_child *c, PyTypeObject *type)
{
#if PY_VERSION_HEX >= 0x030c0000
    if (type->tp_flags & _Py_TPFLAGS_STATIC_BUILTIN)
        return static_state(c, type) ? static_state(c, type)->tp_dict : NULL;
#endif
    return type->tp_dict;
}

PyObject *ms_type_subclasses(ms_child *c, PyTypeObject *type)
{
#if PY_VERSION_HEX >= 0x030c0000
    if (type->tp_flags & _Py_TPFLAGS_STATIC_BUILTIN)
        return static_state(c, type) ? static_state(c, type)->tp_subclasses : NULL;
#endif
    return (PyObject *)type->tp_subclasses;
}

/* --- entries ----------------------------------------------------------------------------------------- */

uint32_t ms_field_add(ms_child *c, ms_ty *t, const char *name, int32_t offset, uint32_t kind)
{
    if (t->fields == 0)
        t->first_field = (uint32_t)MS_VEC_N(c->fields, ms_field);
    uint32_t i = t->fields++;
    MS_PUSH(c, c->fields, ms_field, (ms_field){offset, kind, ms_string(c, name, strlen(name))});
    if (i < 64 && kind == MS_EDGE_WEAK)
        t->weak |= 1ull << i;
    if (i < 64 && kind == MS_EDGE_GLOBALS)
        t->globals |= 1ull << i;
    return i;
}

/* The value of a str key in a dict of ours to read, compared by text. */
PyObject *ms_dict_text(PyObject *dict, const char *key)
{
    if (dict == NULL || !PyDict_CheckExact(dict))
        return NULL;
    PyDictObject *d = (PyDictObject *)dict;
    PyDictKeysObject *keys = d->ma_keys;
    size_t n = strlen(key);
    for (Py_ssize_t i = 0; i < keys->dk_nentries; i++) {
        PyObject *k = DK_IS_UNICODE(keys) ? DK_UNICODE_ENTRIES(keys)[i].me_key : DK_ENTRIES(keys)[i].me_key;
        if (k == NULL || !PyUnicode_Check(k) || !PyUnicode_IS_COMPACT_ASCII(k) || (size_t)PyUnicode_GET_LENGTH(k) != n ||
            memcmp(PyUnicode_1BYTE_DATA(k), key, n) != 0)
            continue;
        if (d->ma_values)
            return d->ma_values->values[i];
        return DK_IS_UNICODE(keys) ? DK_UNICODE_ENTRIES(keys)[i].me_value : DK_ENTRIES(keys)[i].me_value;
    }
    return NULL;
}

static uint32_t type_name(ms_child *c, PyTypeObject *type)
{
    char text[1024];
    size_t n = 0;
    if (!(type->tp_flags & Py_TPFLAGS_HEAPTYPE)) {
        const char *name = type->tp_name ? type->tp_name : "?";
        if (strncmp(name, "builtins.", 9) == 0)
            name += 9;
        return ms_string(c, name, strnlen(name, 500));
    }
    PyObject *module = ms_dict_text(type->tp_dict, "__module__");
    if (module && PyUnicode_Check(module)) {
        n = ms_frame_text(module, text, 500);
        text[n++] = '.';
        if (n == 9 && memcmp(text, "builtins.", 9) == 0)
            n = 0;
    }
    n += ms_frame_text(((PyHeapTypeObject *)type)->ht_qualname, text + n, 500);
    return ms_string(c, text, n);
}

/* Slots of classes made in Python: the members of each class on the way to the C type below. */
static void add_slots(ms_child *c, ms_ty *t, PyTypeObject **base)
{
    struct { const char *name; Py_ssize_t offset; } slot[512];
    uint32_t n = 0;
    PyTypeObject *b = t->type;
    for (; b && b->tp_traverse == c->subtype_traverse; b = b->tp_base) {
        if (!(b->tp_flags & Py_TPFLAGS_HEAPTYPE))
            break;
        PyMemberDef *m = (PyMemberDef *)((char *)b + Py_TYPE(b)->tp_basicsize);
        for (Py_ssize_t i = 0; i < Py_SIZE(b) && n < 512; i++)
            if (m[i].type == 16 && m[i].offset > 0) { /* T_OBJECT_EX */
                uint32_t at = n++;
                for (; at > 0 && slot[at - 1].offset > m[i].offset; at--)
                    slot[at] = slot[at - 1];
                slot[at].name = m[i].name ? m[i].name : "?";
                slot[at].offset = m[i].offset;
            }
    }
    *base = b;
    for (uint32_t i = 0; i < n; i++)
        ms_field_add(c, t, slot[i].name, (int32_t)slot[i].offset, MS_EDGE_NORMAL);
}

static void type_fill(ms_child *c, ms_ty *t)
{
    PyTypeObject *type = t->type, *base = type;
    unsigned long flags = type->tp_flags;
    t->heap = flags & Py_TPFLAGS_HEAPTYPE;
    t->basicsize = (uint32_t)type->tp_basicsize;
    t->itemsize = (uint32_t)type->tp_itemsize;
    t->dict_field = -1;
    t->name = type_name(c, type);
    t->prefix = (flags & Py_TPFLAGS_HAVE_GC ? sizeof(PyGC_Head) : 0);
#if PY_VERSION_HEX >= 0x030c0000
    t->prefix += (flags & Py_TPFLAGS_PREHEADER ? 16 : 0);
#else
    t->prefix += (flags & Py_TPFLAGS_MANAGED_DICT ? 16 : 0);
#endif
    t->flags = (t->heap ? MS_TYPE_HEAP : 0) | (flags & Py_TPFLAGS_HAVE_GC ? MS_TYPE_TRACKED : 0) |
               (type->tp_del || type->tp_finalize ? MS_TYPE_FINALIZER : 0) |
               (flags & Py_TPFLAGS_BASE_EXC_SUBCLASS ? MS_TYPE_EXCEPTION : 0);
    add_slots(c, t, &base);
    ms_ty core = {.type = base ? base : &PyBaseObject_Type, .first_field = t->first_field, .fields = t->fields};
    /* The fields, rest and reader of the C type below. */
    PyTypeObject *self = t->type;
    t->type = core.type;
    t->traverse = core.type->tp_traverse;
    ms_reader_choose(c, t);
    t->type = self;
    t->is_value &= core.type == self;
    t->quiet = core.type == self && (t->read == NULL || ms_reader_is_quiet(t)) && !t->scan && t->fields == 0;
    t->managed = flags & Py_TPFLAGS_MANAGED_DICT;
#if PY_VERSION_HEX >= 0x030d0000
    t->inlined = flags & Py_TPFLAGS_INLINE_VALUES;
#endif
    t->dict_offset = base != type && !t->managed && base && type->tp_dictoffset != base->tp_dictoffset ? type->tp_dictoffset : 0;
    t->fixed_fields = t->fields;
    if (base != type && (t->managed || t->dict_offset)) {
        t->dict_field = (int32_t)ms_field_add(c, t, "__dict__", -1, MS_EDGE_NORMAL);
        if (t->heap && t->managed && (t->cached = ((PyHeapTypeObject *)type)->ht_cached_keys) != NULL)
            for (Py_ssize_t i = 0; i < t->cached->dk_nentries; i++) {
                PyObject *key = DK_UNICODE_ENTRIES(t->cached)[i].me_key;
                char text[512];
                text[ms_frame_text(key, text, sizeof text)] = 0;
                ms_field_add(c, t, text, -2, MS_EDGE_NORMAL);
            }
    } else {
        t->managed = t->inlined = false;
    }
}

MS_COLD uint32_t ms_type_new(ms_child *c, PyTypeObject *type)
{
    ms_map_slot *s = ms_map_put(&c->types, (uint64_t)(uintptr_t)type);
    if (s == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    uint32_t at = (uint32_t)((uintptr_t)type >> 4 ^ (uintptr_t)type >> 13) & (MS_TYPE_CACHE - 1);
    if (s->value == 0) {
        uint32_t index = (uint32_t)MS_VEC_N(c->type_table, ms_ty);
        if (index + 16 >= c->types_max) /* some are left for pseudo nodes */
            ms_child_fail(c, MS_ELIMIT, "there are more types than there is room for");
        ms_ty *t = &MS_VEC_AT(c->type_table, ms_ty)[index];
        *t = (ms_ty){.type = type};
        type_fill(c, t);
        ms_seed(c, type);
        c->type_table.used += sizeof(ms_ty); /* only now: where memory runs out on the way there is no such entry */
        s->value = index;
        c->type_cache[at].type = type;
        c->type_cache[at].entry = t;
        return index;
    }
    c->type_cache[at].type = type;
    c->type_cache[at].entry = &MS_VEC_AT(c->type_table, ms_ty)[s->value];
    return s->value;
}

uint32_t ms_type_alias(ms_child *c, uint32_t type)
{
    uint32_t index = (uint32_t)MS_VEC_N(c->type_table, ms_ty);
    c->type_table.used += sizeof(ms_ty);
    ms_ty *t = MS_VEC_AT(c->type_table, ms_ty);
    t[index] = t[type];
    t[index].alias = type;
    t[index].type = NULL;
    t[index].instances = t[index].shape = 0;
    return index;
}

uint32_t ms_type_pseudo(ms_child *c, const char *name, uint8_t rest)
{
    uint32_t index = (uint32_t)MS_VEC_N(c->type_table, ms_ty);
    c->type_table.used += sizeof(ms_ty);
    ms_ty *t = &MS_VEC_AT(c->type_table, ms_ty)[index];
    t->name = ms_string(c, name, strlen(name));
    t->rest = rest;
    t->flags = MS_TYPE_PSEUDO;
    t->dict_field = -1;
    return index;
}
