/* known.c -- readers for C types whose structs stand in no header, found by their names.
 *
 * Their layouts have been the same from 3.11 to 3.15 (numpy: 1.22 to 2.x); each is used only where the type's
 * basicsize has room for it. The tests compare sizes with sys.getsizeof and references with gc.get_referents.
 *
 * numpy arrays are not tracked by the collector: their elements, their base and what a structured array
 * holds are read from memory. numpy is not imported for that. */
#include "snapshot/child.h"
#include "internal/pycore_dict.h"

#include <stddef.h>

#define WORD(o, offset) (*(uint64_t *)((char *)(o) + (offset)))
#define REF(o, offset)  (*(PyObject **)((char *)(o) + (offset)))

/* --- collections ------------------------------------------------------------------------------------- */

enum { DEQUE_BLOCK = 64 };
typedef struct deque_block {
    struct deque_block *left;
    PyObject *data[DEQUE_BLOCK];
    struct deque_block *right;
} deque_block;

typedef struct {
    PyObject_VAR_HEAD
    deque_block *leftblock, *rightblock;
    Py_ssize_t leftindex, rightindex;
    size_t state;
    Py_ssize_t maxlen, numfree;
    deque_block *spare[16];
} deque;

static void read_deque(ms_child *c, PyObject *o, const ms_ty *t)
{
    deque *d = (deque *)o;
    Py_ssize_t n = Py_SIZE(o), at = d->leftindex;
    c->said_more += (uint64_t)((d->leftindex + n + DEQUE_BLOCK - 1) / DEQUE_BLOCK) * sizeof(deque_block);
    ms_filled(c, (uint64_t)n, (uint64_t)((d->leftindex + n + DEQUE_BLOCK - 1) / DEQUE_BLOCK) * DEQUE_BLOCK, sizeof(PyObject *));
    for (deque_block *b = d->leftblock; b; b = b->right) {
        ms_own(c, b, sizeof *b);
        for (; at < DEQUE_BLOCK && n > 0; at++, n--)
            ms_emit(c, b->data[at]);
        at = 0;
        if (b == d->rightblock)
            break;
    }
    for (Py_ssize_t i = 0; i < d->numfree && i < 16; i++)
        ms_own(c, d->spare[i], sizeof(deque_block));
}

typedef struct odict_node {
    PyObject *key;
    Py_hash_t hash;
    struct odict_node *next, *prev;
} odict_node;

typedef struct {
    PyDictObject dict;
    odict_node *first, *last, **fast;
    Py_ssize_t fast_size;
    void *sentinel;
    size_t state;
    PyObject *inst_dict, *weaklist;
} odict;

static void read_odict(ms_child *c, PyObject *o, const ms_ty *t)
{
    odict *d = (odict *)o;
    ms_read_dict(c, o, t);
    c->said_more += (uint64_t)d->fast_size * sizeof *d->fast;
    ms_own(c, d->fast, (size_t)d->fast_size * sizeof *d->fast);
    for (odict_node *n = d->first; n; n = n->next) {
        c->said_more += sizeof *n;
        ms_own(c, n, sizeof *n);
        ms_known(c, n->key); /* each node holds its key, too */
    }
}

/* --- functools.lru_cache ------------------------------------------------------------------------------ */

typedef struct lru_link {
    PyObject_HEAD
    struct lru_link *prev, *next;
    Py_hash_t hash;
    PyObject *key, *result;
} lru_link;

static int visit_lru(PyObject *o, void *arg)
{
    ms_child *c = arg;
    lru_link *l = (lru_link *)c->lru;
    if (l && (PyObject *)l != c->object) { /* key, result and type of each link: those are the link's own */
        if (c->lru_phase == 0 && o == l->key) {
            c->lru_phase = 1;
            return 0;
        }
        if (c->lru_phase == 1 && o == l->result) {
            c->lru_phase = 2;
            return 0;
        }
        if (c->lru_phase == 2 && o == (PyObject *)Py_TYPE(l)) {
            c->lru_phase = 0;
            c->lru = l->next;
            return 0;
        }
    }
    return ms_visit(o, arg);
}

static void read_lru(ms_child *c, PyObject *o, const ms_ty *t)
{
    lru_link *root = (lru_link *)o;
    if (root->next)
        for (lru_link *l = root->next; l != root; l = l->next)
            ms_emit(c, l);
    c->lru = root->next;
    c->lru_phase = 0;
    ms_traverse(c, o, t, visit_lru, NULL);
}

/* --- buffers ------------------------------------------------------------------------------------------ */

static void read_array(ms_child *c, PyObject *o, const ms_ty *t)
{
    const char *descr = (const char *)WORD(o, 40);
    uint64_t bytes = WORD(o, 32) * (descr ? (uint64_t)*(const int *)(descr + 4) : 1);
    c->said_more += bytes;
    ms_own(c, (void *)WORD(o, 24), bytes);
    if (t->traverse)
        ms_traverse(c, o, t, ms_visit, NULL);
}

static void read_bytesio(ms_child *c, PyObject *o, const ms_ty *t)
{
    PyObject *buf = REF(o, 16);
    ms_emit(c, buf);
    if (buf && PyBytes_Check(buf) && Py_REFCNT(buf) == 1)
        c->said_more += (uint64_t)(PyBytes_Type.tp_basicsize + Py_SIZE(buf));
    ms_traverse(c, o, t, ms_visit, buf);
}

/* io.StringIO: an array of characters, and while it is only written to, the text so far in a writer (3.11: in lists of texts). */
#if PY_VERSION_HEX >= 0x030c0000 && PY_VERSION_HEX < 0x030e0000
#define STRINGIO_SIZE 168
#else
#define STRINGIO_SIZE 120
#endif

static void read_stringio(ms_child *c, PyObject *o, const ms_ty *t)
{
    bool writing = (int)WORD(o, 48) == 2;
    ms_own(c, (void *)WORD(o, 16), WORD(o, 40) * sizeof(Py_UCS4));
#if PY_VERSION_HEX >= 0x030e0000
    PyObject **writer = writing ? (PyObject **)WORD(o, 56) : NULL;
    ms_own(c, writer, sizeof(_PyUnicodeWriter));
    PyObject *text = writer ? *writer : NULL;
#elif PY_VERSION_HEX >= 0x030c0000
    PyObject *text = writing ? REF(o, 56) : NULL;
#else
    PyObject *text = writing ? REF(o, 64) : NULL;
#endif
    ms_emit(c, text);
#if PY_VERSION_HEX < 0x030c0000
    if (writing && REF(o, 56))
        ms_emit(c, REF(o, 56));
#endif
    ms_traverse(c, o, t, ms_visit, text);
}

static void read_struct(ms_child *c, PyObject *o, const ms_ty *t)
{
    const uint64_t *code = (const uint64_t *)WORD(o, 32);
    if (code) {
        uint64_t n = 1;
        for (; code[0] && n < 100000; code += 4)
            n++;
        c->said_more += n * 32;
        ms_own(c, (void *)WORD(o, 32), n * 32);
    }
    ms_traverse(c, o, t, ms_visit, NULL);
}

/* --- datetime ----------------------------------------------------------------------------------------- */

/* A time, or a datetime, without a zone ends before the place for one. */
static void read_time(ms_child *c, PyObject *o, const ms_ty *t)
{
    bool aware = ((const unsigned char *)o)[24];
    ms_emit(c, aware ? REF(o, t->zone) : NULL);
}

/* --- numpy --------------------------------------------------------------------------------------------- */

typedef struct {
    PyObject_HEAD
    char *data;
    int nd;
    Py_ssize_t *dimensions, *strides;
    PyObject *base, *descr;
    int flags;
    PyObject *weaklist;
    void *buffer_info;
    PyObject *mem_handler;
} np_array;

enum { NP_CONTIGUOUS = 1 | 2, NP_OWNDATA = 4, NP_OBJECT = 17, NP_REFCOUNT = 1, NP_PLACES = 256 };

static bool np2(ms_child *c)
{
    if (c->numpy_major == 0) {
        PyObject *m = ms_dict_text(ms_modules(c), "numpy"), *version = m && PyModule_Check(m) ? ms_dict_text(PyModule_GetDict(m), "__version__") : NULL;
        char text[32];
        c->numpy_major = version && PyUnicode_Check(version) && ms_frame_text(version, text, sizeof text) && text[0] == '1' ? 1 : 2;
    }
    return c->numpy_major >= 2;
}

static uint64_t np_itemsize(ms_child *c, PyObject *descr) { return np2(c) ? WORD(descr, 40) : (uint64_t)*(int *)((char *)descr + 32); }
static PyObject *np_fields(ms_child *c, PyObject *descr) { return np2(c) ? REF(descr, 96) : REF(descr, 48); }
static PyObject **np_subarray(ms_child *c, PyObject *descr) { return np2(c) ? (PyObject **)REF(descr, 88) : (PyObject **)REF(descr, 40); }
static bool np_has_refs(ms_child *c, PyObject *descr) { return (np2(c) ? WORD(descr, 32) : (uint64_t)(unsigned char)((char *)descr)[27]) & NP_REFCOUNT; }

/* Where in an item references stand. */
static uint32_t np_places(ms_child *c, PyObject *descr, uint64_t offset, uint64_t *place, uint32_t n, int depth)
{
    if (!np_has_refs(c, descr) || n >= NP_PLACES || depth > 8)
        return n;
    if (*(int *)((char *)descr + 28) == NP_OBJECT) {
        place[n++] = offset;
        return n;
    }
    PyObject *fields = np_fields(c, descr), **array = np_subarray(c, descr);
    if (array && array[0]) { /* an array in each item: base and shape */
        uint64_t each = np_itemsize(c, array[0]), all = np_itemsize(c, descr);
        for (uint64_t at = 0; each && at + each <= all && n < NP_PLACES; at += each)
            n = np_places(c, array[0], offset + at, place, n, depth + 1);
        return n;
    }
    if (fields == NULL)
        return n;
    if (!PyDict_CheckExact(fields)) /* numpy 2 keeps a mappingproxy's dict; others are not known */
        return n;
    PyDictKeysObject *k = ((PyDictObject *)fields)->ma_keys;
    for (Py_ssize_t i = 0; i < k->dk_nentries && n < NP_PLACES; i++) {
        PyObject *key = DK_IS_UNICODE(k) ? DK_UNICODE_ENTRIES(k)[i].me_key : DK_ENTRIES(k)[i].me_key;
        PyObject *v = DK_IS_UNICODE(k) ? DK_UNICODE_ENTRIES(k)[i].me_value : DK_ENTRIES(k)[i].me_value;
        if (v == NULL || key == NULL || !PyTuple_CheckExact(v) || PyTuple_GET_SIZE(v) < 2)
            continue;
        if (PyTuple_GET_SIZE(v) == 3 && key == PyTuple_GET_ITEM(v, 2))
            continue; /* a title: the field once more */
        PyObject *at = PyTuple_GET_ITEM(v, 1);
        if (!PyLong_CheckExact(at))
            continue;
#if PY_VERSION_HEX >= 0x030c0000
        uint64_t where = ((PyLongObject *)at)->long_value.lv_tag >> 3 ? ((PyLongObject *)at)->long_value.ob_digit[0] : 0;
#else
        uint64_t where = Py_SIZE(at) ? ((PyLongObject *)at)->ob_digit[0] : 0;
#endif
        n = np_places(c, PyTuple_GET_ITEM(v, 0), offset + where, place, n, depth + 1);
    }
    return n;
}

/* What was told to those who looked at its buffer, the latest first: marked addresses. */
static void own_buffer_info(ms_child *c, const np_array *a, const ms_ty *t)
{
    typedef struct info { char *format; int nd; Py_ssize_t *strides, *shape; struct info *before; } info;
    uintptr_t at = t->basicsize > offsetof(np_array, buffer_info) ? (uintptr_t)a->buffer_info & ~(uintptr_t)7 : 0;
    for (int n = 0; at && n < 16; n++, at = (uintptr_t)((const info *)at)->before) {
        const info *i = (const info *)at;
        ms_own(c, i, sizeof *i + (i->nd > 0 && i->nd <= 64 ? 16 * (size_t)i->nd : 0));
        ms_own(c, i->format, i->format ? strnlen(i->format, 4096) + 1 : 0);
    }
}

static void read_ndarray(ms_child *c, PyObject *o, const ms_ty *t)
{
    np_array *a = (np_array *)o;
    uint64_t items = 1;
    for (int i = 0; i < a->nd && i < 64; i++)
        items *= (uint64_t)a->dimensions[i];
    uint64_t size = a->descr ? np_itemsize(c, a->descr) : 0;
    own_buffer_info(c, a, t);
    if (a->nd > 0) {
        c->said_more += (uint64_t)a->nd * 16;
        ms_own(c, a->dimensions, (size_t)a->nd * 16);
    }
    if (!(a->flags & NP_OWNDATA) || a->data == NULL || a->descr == NULL)
        return;
    c->said_more += items * size;
    if (items > 0 && size > 0)
        ms_own(c, a->data, items * size);
    if (!np_has_refs(c, a->descr) || !(a->flags & NP_CONTIGUOUS))
        return;
    uint64_t place[NP_PLACES];
    uint32_t places = np_places(c, a->descr, 0, place, 0, 0);
    for (uint64_t i = 0; i < items; i++)
        for (uint32_t p = 0; p < places; p++) {
            PyObject *e;
            memcpy(&e, a->data + i * size + place[p], sizeof e);
            ms_emit(c, e);
        }
}

/* --- which ---------------------------------------------------------------------------------------------- */

bool ms_known_choose(ms_child *c, ms_ty *t)
{
    PyTypeObject *type = t->type;
    const char *name = type->tp_name;
    Py_ssize_t size = type->tp_basicsize;
    if (name == NULL || type->tp_traverse == c->subtype_traverse)
        return false;
    if (strcmp(name, "collections.deque") == 0 && size >= (Py_ssize_t)sizeof(deque)) {
        t->read = read_deque;
        t->rest = MS_REST_INDEX;
        t->itemsize = 0;
    } else if (strcmp(name, "collections.OrderedDict") == 0 && size >= (Py_ssize_t)sizeof(odict)) {
        ms_field_add(c, t, "__dict__", (int32_t)offsetof(odict, inst_dict), MS_EDGE_NORMAL);
        t->read = read_odict;
        t->rest = MS_REST_PAIRS;
    } else if (strcmp(name, "collections.defaultdict") == 0 && size >= (Py_ssize_t)sizeof(PyDictObject) + 8) {
        ms_field_add(c, t, "default_factory", (int32_t)sizeof(PyDictObject), MS_EDGE_NORMAL);
        t->read = ms_read_dict;
        t->rest = MS_REST_PAIRS;
    } else if (strcmp(name, "functools._lru_cache_wrapper") == 0 && size >= (Py_ssize_t)sizeof(lru_link)) {
        t->read = read_lru;
        t->rest = MS_REST_OPAQUE;
        t->scan = true;
    } else if (strcmp(name, "functools._lru_list_elem") == 0 && size == sizeof(lru_link)) {
        ms_field_add(c, t, "key", (int32_t)offsetof(lru_link, key), MS_EDGE_NORMAL);
        ms_field_add(c, t, "result", (int32_t)offsetof(lru_link, result), MS_EDGE_NORMAL);
    } else if (strcmp(name, "array.array") == 0 && size >= 64) {
        t->read = read_array;
        t->rest = MS_REST_OPAQUE;
        t->itemsize = 0;
    } else if (strcmp(name, "_io.BytesIO") == 0 && size >= 48) {
        ms_field_add(c, t, "buffer", -3, MS_EDGE_NORMAL);
        t->read = read_bytesio;
        t->rest = MS_REST_OPAQUE;
    } else if (strcmp(name, "_io.StringIO") == 0 && size == STRINGIO_SIZE) {
        ms_field_add(c, t, "text", -3, MS_EDGE_NORMAL);
        t->read = read_stringio;
        t->rest = MS_REST_OPAQUE;
    } else if (strcmp(name, "_struct.Struct") == 0 && size >= 48) {
        t->read = read_struct;
        t->rest = MS_REST_OPAQUE;
        t->scan = true;
    } else if ((strcmp(name, "datetime.time") == 0 && size == 40) || (strcmp(name, "datetime.datetime") == 0 && size == 48)) {
        ms_field_add(c, t, "tzinfo", -3, MS_EDGE_NORMAL);
        t->zone = (uint32_t)size - 8;
        t->read = read_time;
    } else if (strcmp(name, "numpy.ndarray") == 0 && size >= (Py_ssize_t)offsetof(np_array, buffer_info)) {
        ms_field_add(c, t, "base", (int32_t)offsetof(np_array, base), MS_EDGE_NORMAL);
        ms_field_add(c, t, "dtype", (int32_t)offsetof(np_array, descr), MS_EDGE_NORMAL);
        if (size >= (Py_ssize_t)sizeof(np_array))
            ms_field_add(c, t, "mem_handler", (int32_t)offsetof(np_array, mem_handler), MS_EDGE_NORMAL);
        t->read = read_ndarray;
        t->rest = MS_REST_INDEX;
    } else {
        return false;
    }
    return true;
}
