/* values.c -- equal immutable values: the same text or number kept more than once.
 *
 * Each value is hashed (32 bits), in the order of addresses. A bitmap tells which hashes may occur again; only their objects
 * are looked up in a table, and compared byte for byte with the first of their group. So it costs 4 bytes an object and
 * 1 to 2 more for the bitmap, and what it says is exact. Exact types only: a subclass may mean something else by equal.
 *
 * A tuple's hash follows from those of its items, which are known by then: no object is read for it. Tuples in tuples wait for a later
 * round; those deeper than ROUNDS, or of more than ITEMS, are left out. */
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

static PyObject *object_of(const ms_child *c, uint32_t id)
{
    const ms_region *r = MS_VEC_AT(c->regions, ms_region);
    while (id >= r->first + r->count)
        r++;
    return (PyObject *)(r->base + ((uintptr_t)c->address[id] << 3));
}

/* The hash of each str, bytes, int and float; 0 of what is none. NULL: no memory. */
static uint32_t *values_of(const ms_child *c)
{
    uint32_t *value = ms_sys_alloc_big(((size_t)c->objects + 1) * sizeof *value);
    const uint32_t *shape = MS_VEC_AT(c->shape, uint32_t);
    const ms_shape *shapes = MS_VEC_AT(c->shape_table, ms_shape);
    const ms_ty *types = MS_VEC_AT(c->type_table, ms_ty);
    const ms_region *r = MS_VEC_AT(c->regions, ms_region);
    for (size_t i = 0; value && i < MS_VEC_N(c->regions, ms_region); i++, r++)
        for (uint32_t id = r->first, end = r->first + r->count; id < end; id++) {
            if (id + 16 < end) {
                const char *later = (const char *)(r->base + ((uintptr_t)c->address[id + 16] << 3));
                __builtin_prefetch(later);
                __builtin_prefetch(later + 56);
            }
            if (!types[shapes[shape[id]].type].is_value)
                continue;
            size_t size;
            const void *bytes = value_bytes((PyObject *)(r->base + ((uintptr_t)c->address[id] << 3)), &size);
            value[id] = bytes ? ms_value_hash(bytes, size) : 0;
        }
    return value;
}

enum { ROUNDS = 4, ITEMS = 64 };

static bool same(PyObject *a, PyObject *b, int depth)
{
    size_t m = 0, n = 0;
    if (a == b || Py_TYPE(a) != Py_TYPE(b))
        return a == b;
    if (Py_TYPE(a) == &PyTuple_Type) {
        bool equal = Py_SIZE(a) == Py_SIZE(b) && Py_SIZE(a) <= ITEMS && depth <= ROUNDS;
        for (Py_ssize_t i = 0; equal && i < Py_SIZE(a); i++)
            equal = same(PyTuple_GET_ITEM(a, i), PyTuple_GET_ITEM(b, i), depth + 1);
        return equal;
    }
    const void *x = value_bytes(a, &m), *y = value_bytes(b, &n);
    return x && y && m == n && memcmp(x, y, n) == 0;
}

/* The hash of a tuple; 0: an item is no such value, or not known yet. */
static uint32_t tuple_hash(const ms_child *c, const uint32_t *value, uint32_t id, const uint32_t single[3])
{
    const uint32_t *e = c->to + c->first[id], n = c->first[id + 1] - c->first[id];
    uint64_t h = n;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t item = e[i] & 0x3FFFFFFF, v = value[item];
        if (v == 0 && item && (item == single[0] || item == single[1] || item == single[2]))
            v = item;
        if (v == 0)
            return 0;
        h = (h ^ v) * 0x9FB21C651E98DF25ull;
        h ^= h >> 29;
    }
    h ^= h >> 32;
    return (uint32_t)h ? (uint32_t)h : 1;
}

static void hash_tuples(const ms_child *c, uint32_t *value)
{
    uint32_t tuple = 0;
    const uint32_t *shape = MS_VEC_AT(c->shape, uint32_t);
    const ms_shape *shapes = MS_VEC_AT(c->shape_table, ms_shape);
    const uint32_t single[3] = {ms_marks_id(&c->marks, (uintptr_t)Py_None), ms_marks_id(&c->marks, (uintptr_t)Py_True),
                                ms_marks_id(&c->marks, (uintptr_t)Py_False)};
    const ms_map_slot *known = ms_map_find(&c->types, (uint64_t)(uintptr_t)&PyTuple_Type);
    ms_vec wait = {NULL, 0, 0}; /* ids: tuples with items that have no hash yet */
    if (known == NULL)
        return;
    tuple = known->value;
    for (uint32_t id = 1; id <= c->objects; id++) {
        if (shapes[shape[id]].type != tuple || c->first[id + 1] - c->first[id] > ITEMS || c->first[id + 1] == c->first[id])
            continue;
        if ((value[id] = tuple_hash(c, value, id, single)) == 0 && ms_vec_want(&wait, sizeof(uint32_t)) != NULL) {
            MS_VEC_AT(wait, uint32_t)[MS_VEC_N(wait, uint32_t)] = id;
            wait.used += sizeof(uint32_t);
        }
    }
    for (int round = 1; round < ROUNDS && wait.used; round++) {
        uint32_t *at = MS_VEC_AT(wait, uint32_t), left = 0, n = (uint32_t)MS_VEC_N(wait, uint32_t);
        for (uint32_t i = 0; i < n; i++)
            if ((value[at[i]] = tuple_hash(c, value, at[i], single)) == 0)
                at[left++] = at[i];
        wait.used = left * sizeof(uint32_t);
        if (left == n)
            break;
    }
    ms_vec_free(&wait);
}

/* A hash of a value that may be there more than once, and its group; several groups of one hash follow each other. */
typedef struct {
    uint32_t value, group;
} place;

static inline uint32_t bit_of(uint32_t value, uint32_t bits) { return value * 0x9E3779B1u >> (32 - bits); }

static uint32_t bits_for(uint64_t n) /* 8 for each */
{
    uint32_t bits = 16;
    while (bits < 30 && 1u << bits < 8 * n)
        bits++;
    return bits;
}

/* Which values are there twice? A first pass notes each by one bit, and those whose bit was set already: few, and all that
 * are there twice among them. A second pass looks for these only, in a table that is small enough for the cache. */
void ms_values_group(ms_child *c)
{
    const uint32_t *shape = MS_VEC_AT(c->shape, uint32_t);
    uint32_t *value = values_of(c);
    if (value)
        hash_tuples(c, value);
    uint32_t n = c->objects, bits = bits_for(n), few;
    size_t once_bytes = (size_t)1 << (bits - 3), again_bytes = 0, places = 1024;
    uint64_t *once = ms_sys_alloc_big(once_bytes), *again = NULL;
    ms_vec twice = {NULL, 0, 0};
    place *at = NULL;
    size_t used = 0;
    if (value == NULL || once == NULL)
        goto done; /* no table then */
    for (uint32_t id = 1; id <= n; id++) {
        uint32_t later = value[id + 24 <= n ? id + 24 : id];
        if (later)
            __builtin_prefetch(&once[bit_of(later, bits) >> 6], 1);
        if (value[id]) {
            uint32_t h = bit_of(value[id], bits);
            uint64_t bit = 1ull << (h & 63);
            if (once[h >> 6] & bit) {
                if (ms_vec_want(&twice, sizeof(uint32_t)) == NULL)
                    goto done;
                MS_VEC_AT(twice, uint32_t)[MS_VEC_N(twice, uint32_t)] = value[id];
                twice.used += sizeof(uint32_t);
            }
            once[h >> 6] |= bit;
        }
    }
    while (places < 2 * MS_VEC_N(twice, uint32_t))
        places *= 2;
    few = bits_for(MS_VEC_N(twice, uint32_t));
    again_bytes = (size_t)1 << (few - 3);
    if ((again = ms_sys_alloc_big(again_bytes)) == NULL || (at = ms_sys_alloc_big(places * sizeof *at)) == NULL)
        goto done;
    for (size_t i = 0; i < MS_VEC_N(twice, uint32_t); i++) {
        uint32_t v = MS_VEC_AT(twice, uint32_t)[i], h = bit_of(v, few);
        size_t p = v & (places - 1);
        again[h >> 6] |= 1ull << (h & 63);
        while (at[p].value && at[p].value != v)
            p = (p + 1) & (places - 1);
        used += at[p].value == 0;
        at[p].value = v;
    }
    for (uint32_t id = 1; id <= n; id++) {
        uint32_t v = value[id], h = bit_of(v, few);
        if (v == 0 || !(again[h >> 6] >> (h & 63) & 1))
            continue;
        bool met = false;
        for (size_t p = v & (places - 1);; p = (p + 1) & (places - 1)) {
            if (at[p].value == 0) { /* another value of the same hash, if there was one */
                if (!met || used >= places / 8 * 7)
                    break;
                at[p].value = v;
                used++;
            }
            if (at[p].value != v)
                continue;
            met = true;
            if (at[p].group == 0) {
                at[p].group = (uint32_t)MS_VEC_N(c->equal, ms_equal) + 1;
                MS_PUSH(c, c->equal, ms_equal, (ms_equal){id, shape[id], 1});
                MS_PUSH(c, c->equal_members, uint64_t, (uint64_t)(at[p].group - 1) << 32 | id);
                break;
            }
            ms_equal *g = &MS_VEC_AT(c->equal, ms_equal)[at[p].group - 1];
            if (g->shape == shape[id] && same(object_of(c, g->example), object_of(c, id), 0)) {
                g->count++;
                MS_PUSH(c, c->equal_members, uint64_t, (uint64_t)(at[p].group - 1) << 32 | id);
                break;
            }
        }
    }
done:
    ms_vec_free(&twice);
    ms_sys_free(value, ((size_t)n + 1) * sizeof *value);
    ms_sys_free(once, once_bytes);
    ms_sys_free(again, again_bytes);
    ms_sys_free(at, at ? places * sizeof *at : 0);
}
