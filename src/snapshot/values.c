/* values.c -- equal immutable values: the same text or number kept more than once.
 *
 * While an object is read, its bytes are hashed (32 bits: they are in the cache now). Afterwards two bitmaps tell
 * which hashes occur at all and which occur again; only the latter's objects are looked up in a table, by hash and
 * shape, and compared byte for byte with the first of their group. So it costs 4 bytes an object and 2 more
 * for the bitmaps, and what it says is exact. Exact types only: a subclass may mean something else by equal. */
#include "snapshot/child.h"

uint32_t ms_value_hash(const void *bytes, size_t size)
{
    const unsigned char *p = bytes;
    uint64_t h = size * 0x9E3779B97F4A7C15ull, v;
    for (; size >= 8; size -= 8, p += 8) {
        memcpy(&v, p, 8);
        h = (h ^ v) * 0x9FB21C651E98DF25ull;
        h ^= h >> 29;
    }
    if (size) {
        v = 0;
        memcpy(&v, p, size);
        h = (h ^ v) * 0x9FB21C651E98DF25ull;
    }
    h ^= h >> 32;
    return (uint32_t)h ? (uint32_t)h : 1; /* 0: not such a value */
}

/* The bytes that say what o is, of an exact str, bytes, int or float. */
static const void *value_bytes(PyObject *o, size_t *size)
{
    PyTypeObject *type = Py_TYPE(o);
    if (type == &PyUnicode_Type) {
        *size = (size_t)PyUnicode_GET_LENGTH(o) * PyUnicode_KIND(o);
        return PyUnicode_DATA(o);
    }
    if (type == &PyBytes_Type) {
        *size = (size_t)Py_SIZE(o);
        return ((PyBytesObject *)o)->ob_sval;
    }
    if (type == &PyFloat_Type) {
        *size = sizeof(double);
        return &((PyFloatObject *)o)->ob_fval;
    }
    if (type != &PyLong_Type)
        return NULL;
#if PY_VERSION_HEX >= 0x030c0000
    size_t digits = ((PyLongObject *)o)->long_value.lv_tag >> 3;
    *size = sizeof(uintptr_t) + digits * sizeof(digit); /* sign and length are in the tag before */
    return &((PyLongObject *)o)->long_value.lv_tag;
#else
    Py_ssize_t n = Py_SIZE(o);
    *size = sizeof(Py_ssize_t) + (size_t)(n < 0 ? -n : n) * sizeof(digit);
    return &((PyVarObject *)o)->ob_size;
#endif
}

uint32_t ms_value_of(PyObject *o)
{
    size_t size;
    const void *bytes = value_bytes(o, &size);
    return bytes ? ms_value_hash(bytes, size) : 0;
}

static PyObject *object_of(const ms_child *c, uint32_t id)
{
    const ms_region *r = MS_VEC_AT(c->regions, ms_region);
    while (id >= r->first + r->count)
        r++;
    return (PyObject *)(r->base + ((uintptr_t)c->address[id] << 3));
}

static bool same(PyObject *a, PyObject *b)
{
    size_t m = 0, n = 0;
    const void *x = value_bytes(a, &m), *y = value_bytes(b, &n);
    return x && y && m == n && Py_TYPE(a) == Py_TYPE(b) && memcmp(x, y, n) == 0;
}

void ms_values_group(ms_child *c)
{
    const uint32_t *value = MS_VEC_AT(c->value, uint32_t), *shape = MS_VEC_AT(c->shape, uint32_t);
    uint32_t n = c->objects, bits = 16;
    while (bits < 31 && 1u << bits < 8 * (uint64_t)n)
        bits++;
    size_t bytes = (size_t)1 << (bits - 3);
    uint64_t *once = ms_big_alloc(bytes), *again = ms_big_alloc(bytes);
    if (once == NULL || again == NULL)
        goto done; /* no table then */
#define HASH(id) (ms_hash((uint64_t)value[id] << 32 | shape[id]))
#define BIT(h)   ((h) >> (64 - bits))
    for (uint32_t id = 1; id <= n; id++) {
        if (id + 16 <= n && value[id + 16])
            __builtin_prefetch(&once[BIT(HASH(id + 16)) >> 6], 1);
        if (value[id]) {
            uint64_t h = BIT(HASH(id)), bit = 1ull << (h & 63);
            if (once[h >> 6] & bit)
                again[h >> 6] |= bit;
            once[h >> 6] |= bit;
        }
    }
    for (uint32_t id = 1; id <= n; id++) {
        if (id + 16 <= n && value[id + 16])
            __builtin_prefetch(&again[BIT(HASH(id + 16)) >> 6]);
        if (value[id] == 0 || !(again[BIT(HASH(id)) >> 6] >> (BIT(HASH(id)) & 63) & 1))
            continue;
        for (uint64_t key = HASH(id) | 1;; key += 2) {
            ms_map_slot *s = ms_map_put(&c->equal_map, key);
            if (s == NULL)
                goto done;
            ms_equal *g = &MS_VEC_AT(c->equal, ms_equal)[s->value - 1];
            if (s->value == 0) {
                s->value = (uint32_t)MS_VEC_N(c->equal, ms_equal) + 1;
                MS_PUSH(c, c->equal, ms_equal, (ms_equal){id, shape[id], 1});
            } else if (g->shape == shape[id] && same(object_of(c, g->example), object_of(c, id))) {
                g->count++;
            } else {
                continue;
            }
            break;
        }
    }
done:
    ms_sys_free(once, once ? bytes : 0);
    ms_sys_free(again, again ? bytes : 0);
    ms_sys_free(c->equal_map.slot, (size_t)c->equal_map.size * sizeof(ms_map_slot));
    c->equal_map = (ms_map){NULL, 0, 0};
}
