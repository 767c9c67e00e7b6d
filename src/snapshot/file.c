/* file.c -- the tables of a snapshot, as docs/FORMAT.md part 3 gives them.
 *
 * The work is split: the analysis needs the graph alone. A second thread meanwhile does what needs the program's memory (addresses, texts,
 * equal values), lets the program's pages go, and writes what stands already. It has writer, strings and tables to itself
 * until it has ended. */
#include "snapshot/child.h"
#include "graph/graph.h"
#include "graph/ready.h"
#include "store/store.h"
#include "internal/pycore_context.h"
#include "internal/pycore_dict.h"
#include "internal/pycore_moduleobject.h"

#include <unistd.h>

#define CYCLE_ROWS (4u << 20)
#define READY_BYTES_AN_OBJECT 64u /* that the first answers take at most: ways 21, what waits in the search 16, the tree of dominators 12, sums 12 */

static void *want(ms_child *c, size_t size)
{
    void *p = ms_sys_alloc_big(size);
    if (p == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    return p;
}

/* --- addresses --------------------------------------------------------------------------------------- */

void ms_regions_make(ms_child *c)
{
    c->address_room = (size_t)c->nodes * sizeof *c->address; /* 0 for what is no object */
    c->address = want(c, c->address_room);
    uint32_t id = 0;
    ms_region *r = NULL;
    for (ms_chunk_map *k = NULL; (k = ms_marks_next(&c->marks, -1, k)) != NULL;) {
        if (r == NULL || (r->base & 8) != (k->base & 8) || (k->base - r->base) >> 34) {
            MS_PUSH(c, c->regions, ms_region, (ms_region){k->base, id + 1, 0});
            r = &MS_VEC_AT(c->regions, ms_region)[MS_VEC_N(c->regions, ms_region) - 1];
        }
        for (uint32_t w = 0; w < MS_WORDS; w++)
            for (uint64_t bits = k->word[w].seen; bits; bits &= bits - 1) {
                uintptr_t a = k->base + ((uintptr_t)w << 10 | (uintptr_t)__builtin_ctzll(bits) << 4);
                c->address[++id] = (uint32_t)((a - r->base) >> 3);
                r->count++;
            }
    }
}

/* --- texts ------------------------------------------------------------------------------------------- */

static uint32_t text_data(ms_child *c, PyObject *o, bool always)
{
    char text[512];
    size_t n = 0;
    if (PyUnicode_Check(o)) {
        n = ms_frame_text(o, text, 481);
        Py_ssize_t cut = PyUnicode_GET_LENGTH(o);
        if (!always && cut > 120) { /* 120 characters */
            size_t chars = 0, i = 0;
            for (; i < n; i++)
                if (((unsigned char)text[i] & 0xC0) != 0x80 && chars++ == 120)
                    break;
            n = i;
        }
    } else if (PyBytes_Check(o)) {
        for (Py_ssize_t i = 0; i < Py_SIZE(o) && i < 120; i++) {
            unsigned char b = (unsigned char)((PyBytesObject *)o)->ob_sval[i];
            n += b >= 32 && b < 127 && b != '\\' ? (text[n] = (char)b, 1) : (size_t)snprintf(text + n, 5, "\\x%02x", b);
        }
    } else if (PyFloat_Check(o)) {
        n = (size_t)snprintf(text, sizeof text, "%.17g", ((PyFloatObject *)o)->ob_fval);
    } else if (PyLong_Check(o)) {
        PyLongObject *l = (PyLongObject *)o;
#if PY_VERSION_HEX >= 0x030c0000
        uint64_t digits = l->long_value.lv_tag >> 3;
        bool negative = (l->long_value.lv_tag & 3) == 2;
        const digit *d = l->long_value.ob_digit;
#else
        Py_ssize_t size = Py_SIZE(o);
        uint64_t digits = (uint64_t)(size < 0 ? -size : size);
        bool negative = size < 0;
        const digit *d = l->ob_digit;
#endif
        if (digits > 2)
            n = (size_t)snprintf(text, sizeof text, "%sint of %llu bits", negative ? "-" : "", (unsigned long long)digits * PyLong_SHIFT);
        else
            n = (size_t)snprintf(text, sizeof text, "%s%llu", negative ? "-" : "",
                                 (unsigned long long)(digits ? d[0] : 0) + (digits > 1 ? (unsigned long long)d[1] << PyLong_SHIFT : 0));
    }
    return ms_string(c, text, n);
}

static uint32_t text_of(ms_child *c, PyObject *o)
{
    if (PyModule_Check(o))
        return ms_string_of(c, ((PyModuleObject *)o)->md_name);
    if (PyFunction_Check(o))
        return ms_string_of(c, ((PyFunctionObject *)o)->func_qualname);
    if (PyCode_Check(o))
        return ms_string_of(c, ((PyCodeObject *)o)->co_qualname);
    if (PyContextVar_CheckExact(o))
        return ms_string_of(c, ((PyContextVar *)o)->var_name);
    if (PyType_Check(o)) {
        uint32_t t = ms_type_new(c, (PyTypeObject *)o);
        return MS_VEC_AT(c->type_table, ms_ty)[t].name;
    }
    return text_data(c, o, PyUnicode_Check(o));
}

static void texts_of_keys(ms_child *c, uint64_t *bits, PyObject *dict)
{
    if (dict == NULL || !PyDict_Check(dict))
        return;
    PyDictKeysObject *k = ((PyDictObject *)dict)->ma_keys;
    for (Py_ssize_t i = 0; i < k->dk_nentries; i++) {
        PyObject *key = DK_IS_UNICODE(k) ? DK_UNICODE_ENTRIES(k)[i].me_key : DK_ENTRIES(k)[i].me_key;
        uint32_t id = key && PyUnicode_Check(key) ? ms_marks_id(&c->marks, (uintptr_t)key) : 0;
        bits[id >> 6] |= 1ull << (id & 63);
    }
}

void ms_texts_collect(ms_child *c)
{
    size_t words = ((size_t)c->objects >> 6) + 1;
    uint64_t *bits = want(c, words * sizeof *bits);
    PyObject **named = MS_VEC_AT(c->named, PyObject *);
    for (size_t i = 0; i < MS_VEC_N(c->named, PyObject *); i++) {
        uint32_t id = ms_marks_id(&c->marks, (uintptr_t)named[i]);
        bits[id >> 6] |= 1ull << (id & 63);
        if (PyType_Check(named[i])) {
            texts_of_keys(c, bits, ms_type_dict(c, (PyTypeObject *)named[i]));
            PyHeapTypeObject *h = (PyHeapTypeObject *)named[i];
            if (h->ht_type.tp_flags & Py_TPFLAGS_HEAPTYPE && h->ht_cached_keys)
                for (Py_ssize_t k = 0; k < h->ht_cached_keys->dk_nentries; k++) {
                    uint32_t key = ms_marks_id(&c->marks, (uintptr_t)DK_UNICODE_ENTRIES(h->ht_cached_keys)[k].me_key);
                    bits[key >> 6] |= 1ull << (key & 63);
                }
        }
    }
    PyObject **spaces = MS_VEC_AT(c->namespaces, PyObject *);
    for (size_t i = 0; i < MS_VEC_N(c->namespaces, PyObject *); i++)
        texts_of_keys(c, bits, spaces[i]);
    if (c->options->values) {
        const uint32_t *shape = MS_VEC_AT(c->shape, uint32_t);
        for (uint32_t id = 1; id <= c->objects; id++) {
            const ms_ty *t = &MS_VEC_AT(c->type_table, ms_ty)[MS_VEC_AT(c->shape_table, ms_shape)[shape[id]].type];
            if (t->type == &PyUnicode_Type || t->type == &PyBytes_Type || t->type == &PyLong_Type || t->type == &PyFloat_Type)
                bits[id >> 6] |= 1ull << (id & 63);
        }
    }
    bits[0] &= ~1ull;
    const ms_region *r = MS_VEC_AT(c->regions, ms_region);
    for (size_t w = 0; w < words; w++)
        for (uint64_t b = bits[w]; b; b &= b - 1) {
            uint32_t id = (uint32_t)(w << 6) + (uint32_t)__builtin_ctzll(b);
            while (id >= r->first + r->count)
                r++;
            PyObject *o = (PyObject *)(r->base + ((uintptr_t)c->address[id] << 3));
            MS_PUSH(c, c->texts, ms_text, (ms_text){id, text_of(c, o)});
        }
    const ms_pseudo *p = MS_VEC_AT(c->pseudo, ms_pseudo);
    for (uint32_t i = 1; i < MS_VEC_N(c->pseudo, ms_pseudo); i++)
        MS_PUSH(c, c->texts, ms_text, (ms_text){c->objects + i, p[i].text});
    ms_sys_free(bits, words * sizeof *bits);
}

/* --- columns ----------------------------------------------------------------------------------------- */

typedef struct ms_out {
    ms_child  *c;
    ms_writer *w;
    char       name[32];
    void     (*run)(void *what); /* what the second thread does while the first answers are made */
    void      *what;
} out;

static const char *table(out *f, const char *name)
{
    snprintf(f->name, sizeof f->name, "%s%s", f->c->options->prefix ? f->c->options->prefix : "", name);
    return f->name;
}

static void column(out *f, const char *t, const char *name, ms_type type, uint64_t rows, const void *values)
{
    ms_writer_column(f->w, table(f, t), name, type, 1, rows, values);
}

/* A field of an array of structs as a column. */
static void strided(out *f, const char *t, const char *name, ms_type type, uint64_t rows, const void *first, size_t stride)
{
    char piece[4096];
    size_t size = ms_type_size(type), held = 0;
    ms_writer_column_begin(f->w, table(f, t), name, type, 1);
    for (uint64_t i = 0; i < rows; i++) {
        memcpy(piece + held, (const char *)first + i * stride, size);
        if ((held += size) == sizeof piece) {
            ms_writer_append(f->w, piece, held);
            held = 0;
        }
    }
    ms_writer_append(f->w, piece, held);
    ms_writer_column_end(f->w);
}
#define STRIDED(f, t, name, type, rows, array, member) strided(f, t, name, type, rows, (const char *)(array) + offsetof(__typeof__(*(array)), member), sizeof *(array))

/* u32 values as u16 where all fit. */
static void narrow(out *f, const char *t, const char *name, uint64_t rows, const uint32_t *values)
{
    uint32_t all = 0;
    for (uint64_t i = 0; i < rows; i++)
        all |= values[i];
    if (all >> 16) {
        column(f, t, name, MS_TYPE_U32, rows, values);
        return;
    }
    uint16_t piece[4096];
    ms_writer_column_begin(f->w, table(f, t), name, MS_TYPE_U16, 1);
    for (uint64_t i = 0; i < rows;) {
        uint32_t n = 0;
        for (; n < 4096 && i < rows; n++, i++)
            piece[n] = (uint16_t)values[i];
        ms_writer_append(f->w, piece, n * sizeof *piece);
    }
    ms_writer_column_end(f->w);
}

/* --- sites ------------------------------------------------------------------------------------------- */

/* The sites that objects were born at and that frames are at, as rows; the objects' sites become rows. */
static uint32_t site_row(ms_child *c, uint32_t *row, uint32_t s)
{
    if (row[s] == 0) {
        row[s] = (uint32_t)MS_VEC_N(c->site_rows, ms_site_row);
        const ms_site *a = &ms_area.site[s];
        const ms_code *code = &ms_area.code[a->code];
        const char *file = ms_area.text + code->file, *function = ms_area.text + code->function;
        uint32_t flags = (code->flags & MS_CODE_NO_FRAME ? 1 : 0) | (code->flags & MS_CODE_OURS ? 2 : 0) | (code->flags & MS_CODE_BEFORE ? 8 : 0);
        MS_PUSH(c, c->site_rows, ms_site_row,
                (ms_site_row){ms_string(c, file, strlen(file)), ms_string(c, function, strlen(function)),
                              a->line > 0 ? a->line : -1, a->end_line > 0 ? a->end_line : -1, a->column, a->end_column, flags});
    }
    return row[s];
}

static void sites_collect(ms_child *c)
{
    MS_PUSH(c, c->site_rows, ms_site_row, (ms_site_row){0, 0, -1, -1, -1, -1, 0});
    uint32_t used = ms_mode >= 0 ? ms_area.table[MS_T_SITE].used : 0, *row = want(c, ((size_t)used + 1) * sizeof *row);
    uint32_t *site = MS_VEC_AT(c->site, uint32_t);
    for (uint32_t id = 1; id <= c->objects && c->births; id++) {
        uint32_t s = site[id];
        site[id] = s == 0 || s >= used ? 0 : site_row(c, row, s);
    }
    for (uint32_t s = 1; s < c->raw_room; s++)
        if (c->raw_blocks[s].blocks)
            site_row(c, row, s);
    c->site_row_of = row;
    ms_pseudo *p = MS_VEC_AT(c->pseudo, ms_pseudo);
    for (uint32_t i = 0; i < MS_VEC_N(c->pseudo, ms_pseudo); i++)
        if (p[i].frame) {
            p[i].site = (uint32_t)MS_VEC_N(c->site_rows, ms_site_row);
            MS_PUSH(c, c->site_rows, ms_site_row, MS_VEC_AT(c->frame_table, ms_site_row)[p[i].frame - 1]);
        }
}

/* --- the file ---------------------------------------------------------------------------------------- */

void ms_info(ms_child *c, const char *key, const char *format, ...)
{
    char text[4096];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (n < 0 || n >= (int)sizeof text)
        n = n < 0 ? 0 : (int)sizeof text - 1;
    MS_PUSH(c, c->info, uint32_t, ms_string(c, key, strlen(key)));
    MS_PUSH(c, c->info, uint32_t, ms_string(c, text, (size_t)n));
}

static void write_types(out *f)
{
    ms_child *c = f->c;
    ms_ty *types = MS_VEC_AT(c->type_table, ms_ty);
    uint64_t n = MS_VEC_N(c->type_table, ms_ty);
    uint32_t *column_of = want(c, n * sizeof *column_of);
    uint8_t *rest = want(c, n);
    STRIDED(f, "types", "name", MS_TYPE_U32, n, types, name);
    for (uint64_t i = 0; i < n; i++)
        column_of[i] = types[i].type ? ms_marks_id(&c->marks, (uintptr_t)types[i].type) : 0;
    column(f, "types", "node", MS_TYPE_U32, n, column_of);
    for (uint64_t i = 0; i < n; i++)
        rest[i] = types[i].rest;
    column(f, "types", "rest", MS_TYPE_U8, n, rest);
    STRIDED(f, "types", "flags", MS_TYPE_U32, n, types, flags);
    STRIDED(f, "types", "basicsize", MS_TYPE_U32, n, types, basicsize);
    STRIDED(f, "types", "itemsize", MS_TYPE_U32, n, types, itemsize);
    STRIDED(f, "types", "field_first", MS_TYPE_U32, n, types, first_field);
    STRIDED(f, "types", "field_count", MS_TYPE_U32, n, types, fields);
    ms_field *fields = MS_VEC_AT(c->fields, ms_field);
    STRIDED(f, "fields", "name", MS_TYPE_U32, MS_VEC_N(c->fields, ms_field), fields, name);
    ms_shape *shapes = MS_VEC_AT(c->shape_table, ms_shape);
    n = MS_VEC_N(c->shape_table, ms_shape);
    STRIDED(f, "shapes", "type", MS_TYPE_U32, n, shapes, type);
    STRIDED(f, "shapes", "said", MS_TYPE_U64, n, shapes, said);
    STRIDED(f, "shapes", "allocated", MS_TYPE_U64, n, shapes, allocated);
}

static void give_up(ms_vec *v) { ms_vec_free(v); }

/* The pseudo nodes' rows, behind the objects'; row 0 is the root's. */
static void nodes_complete(ms_child *c)
{
    ms_shape *s = MS_VEC_AT(c->shape_table, ms_shape);
    const ms_ty *t = MS_VEC_AT(c->type_table, ms_ty);
    for (size_t i = 0; i < MS_VEC_N(c->shape_table, ms_shape); i++)
        if (t[s[i].type].alias)
            s[i].type = t[s[i].type].alias;
    uint32_t n = c->objects, all = c->nodes, pseudo = all - n - 1;
    ms_vec *arrays[] = {&c->shape, &c->site, &c->birth};
    for (int i = 0; i < 3; i++) {
        size_t room = (size_t)all * sizeof(uint32_t);
        char *at = room <= arrays[i]->room ? arrays[i]->at : ms_sys_resize(arrays[i]->at, arrays[i]->room, room);
        if (at == NULL)
            ms_child_fail(c, MS_ENOMEM, NULL);
        arrays[i]->at = at;
        arrays[i]->room = room > arrays[i]->room ? room : arrays[i]->room;
        arrays[i]->used = room;
    }
    uint32_t *birth = MS_VEC_AT(c->birth, uint32_t);
    const ms_pseudo *p = MS_VEC_AT(c->pseudo, ms_pseudo);
    uint32_t *shape = MS_VEC_AT(c->shape, uint32_t), *site = MS_VEC_AT(c->site, uint32_t);
    for (uint32_t i = 0; i <= pseudo; i++) {
        uint32_t node = i ? n + i : 0;
        shape[node] = ms_shape_find(c, p[i].type, 0, 0);
        site[node] = p[i].site;
        birth[node] = 0;
    }
}

/* What the analysis does not need, written first and given up. */
static void write_nodes(out *f)
{
    ms_child *c = f->c;
    uint32_t all = c->nodes;
    column(f, "objects", "address", MS_TYPE_U32, all, c->address);
    ms_sys_free(c->address, c->address_room);
    narrow(f, "objects", "site", all, MS_VEC_AT(c->site, uint32_t));
    give_up(&c->site);
    narrow(f, "objects", "birth", all, MS_VEC_AT(c->birth, uint32_t));
    give_up(&c->birth);
    narrow(f, "objects", "shape", all, MS_VEC_AT(c->shape, uint32_t));
    ms_region *r = MS_VEC_AT(c->regions, ms_region);
    uint64_t nr = MS_VEC_N(c->regions, ms_region);
    STRIDED(f, "regions", "base", MS_TYPE_U64, nr, r, base);
    STRIDED(f, "regions", "first", MS_TYPE_U32, nr, r, first);
    STRIDED(f, "regions", "count", MS_TYPE_U32, nr, r, count);
}

static void write_degrees(out *f)
{
    ms_child *c = f->c;
    uint32_t all = c->nodes;
    uint8_t piece[4096];
    ms_vec wide = {NULL, 0, 0};
    ms_writer_column_begin(f->w, table(f, "objects"), "degree", MS_TYPE_U8, 1);
    for (uint32_t i = 0; i < all;) {
        uint32_t k = 0;
        for (; k < sizeof piece && i < all; k++, i++) {
            uint32_t degree = c->first[i + 1] - c->first[i];
            piece[k] = (uint8_t)(degree < 255 ? degree : 255);
            if (degree >= 255)
                MS_PUSH(c, wide, ms_text, (ms_text){i, degree});
        }
        ms_writer_append(f->w, piece, k);
    }
    ms_writer_column_end(f->w);
    ms_text *wides = MS_VEC_AT(wide, ms_text);
    STRIDED(f, "wide", "node", MS_TYPE_U32, MS_VEC_N(wide, ms_text), wides, node);
    STRIDED(f, "wide", "degree", MS_TYPE_U32, MS_VEC_N(wide, ms_text), wides, text);
    ms_vec_free(&wide);
}

static void write_site_rows(out *f)
{
    ms_child *c = f->c;
    ms_site_row *s = MS_VEC_AT(c->site_rows, ms_site_row);
    uint64_t n = MS_VEC_N(c->site_rows, ms_site_row);
    STRIDED(f, "sites", "file", MS_TYPE_U32, n, s, file);
    STRIDED(f, "sites", "function", MS_TYPE_U32, n, s, function);
    STRIDED(f, "sites", "line", MS_TYPE_I32, n, s, line);
    STRIDED(f, "sites", "end_line", MS_TYPE_I32, n, s, end_line);
    STRIDED(f, "sites", "column", MS_TYPE_I32, n, s, column);
    STRIDED(f, "sites", "end_column", MS_TYPE_I32, n, s, end_column);
    STRIDED(f, "sites", "flags", MS_TYPE_U32, n, s, flags);
}

/* Objects that words in places point at, by node. */
static void write_places(out *f)
{
    ms_child *c = f->c;
    uint64_t n = MS_VEC_N(c->place_rows, ms_place_row), *order = want(c, (n + 1) * sizeof *order);
    const ms_place_row *row = MS_VEC_AT(c->place_rows, ms_place_row);
    ms_vec sorted = {NULL, 0, 0};
    for (uint64_t i = 0; i < n; i++)
        order[i] = (uint64_t)row[i].node << 32 | i;
    ms_sort(order, n);
    for (uint64_t i = 0; i < n; i++)
        MS_PUSH(c, sorted, ms_place_row, row[(uint32_t)order[i]]);
    const ms_place_row *p = MS_VEC_AT(sorted, ms_place_row);
    STRIDED(f, "places", "node", MS_TYPE_U32, n, p, node);
    STRIDED(f, "places", "refs", MS_TYPE_I32, n, p, refs);
    STRIDED(f, "places", "words", MS_TYPE_U32, n, p, words);
    ms_vec_free(&sorted);
    ms_sys_free(order, (n + 1) * sizeof *order);
}

static void write_small(out *f)
{
    ms_child *c = f->c;
    ms_label *labels = MS_VEC_AT(c->labels, ms_label);
    STRIDED(f, "labels", "edge", MS_TYPE_U64, MS_VEC_N(c->labels, ms_label), labels, edge);
    STRIDED(f, "labels", "name", MS_TYPE_U32, MS_VEC_N(c->labels, ms_label), labels, name);
    ms_text *texts = MS_VEC_AT(c->texts, ms_text);
    STRIDED(f, "texts", "node", MS_TYPE_U32, MS_VEC_N(c->texts, ms_text), texts, node);
    STRIDED(f, "texts", "text", MS_TYPE_U32, MS_VEC_N(c->texts, ms_text), texts, text);
    ms_vec rows = {NULL, 0, 0};
    const ms_pseudo *p = MS_VEC_AT(c->pseudo, ms_pseudo);
    for (uint32_t i = 1; i < MS_VEC_N(c->pseudo, ms_pseudo); i++)
        if (p[i].frame)
            MS_PUSH(c, rows, ms_text, (ms_text){c->objects + i, p[i].site});
    ms_text *frames = MS_VEC_AT(rows, ms_text);
    STRIDED(f, "frames", "node", MS_TYPE_U32, MS_VEC_N(rows, ms_text), frames, node);
    STRIDED(f, "frames", "site", MS_TYPE_U32, MS_VEC_N(rows, ms_text), frames, text);
    rows.used = 0;
    const int32_t *refs = MS_VEC_AT(c->refs, int32_t);
    for (uint32_t id = 1; id <= c->objects; id++)
        if (refs[id] != 0 && refs[id] < MS_IMMORTAL / 2)
            MS_PUSH(c, rows, ms_text, (ms_text){id, (uint32_t)refs[id]});
    ms_text *left = MS_VEC_AT(rows, ms_text);
    STRIDED(f, "unexplained", "node", MS_TYPE_U32, MS_VEC_N(rows, ms_text), left, node);
    STRIDED(f, "unexplained", "refs", MS_TYPE_I32, MS_VEC_N(rows, ms_text), left, text);
    ms_vec_free(&rows);
    write_places(f);
    write_site_rows(f);
}

/* Containers by node; equal values by what they waste. */
static void write_waste(out *f)
{
    ms_child *c = f->c;
    uint64_t n = MS_VEC_N(c->containers, ms_container), *order;
    const ms_container *b = MS_VEC_AT(c->containers, ms_container); /* in the order of nodes, as they were read */
    STRIDED(f, "containers", "node", MS_TYPE_U32, n, b, node);
    STRIDED(f, "containers", "used", MS_TYPE_U32, n, b, used);
    STRIDED(f, "containers", "room", MS_TYPE_U32, n, b, room);

    typedef struct { uint32_t type, example; uint64_t count, bytes; } group;
    typedef struct { uint32_t type, unused; uint64_t groups, count, wasted; } total;
    total totals[8] = {{0}};
    uint32_t ntotals = 0;
    const ms_equal *e = MS_VEC_AT(c->equal, ms_equal);
    const ms_shape *shapes = MS_VEC_AT(c->shape_table, ms_shape);
    n = MS_VEC_N(c->equal, ms_equal);
    order = want(c, (n + 1) * sizeof *order);
    uint64_t kept = 0;
    for (uint64_t i = 0; i < n; i++) {
        if (e[i].count < 2)
            continue;
        const ms_shape *s = &shapes[e[i].shape];
        uint64_t wasted = (uint64_t)(e[i].count - 1) * s->allocated;
        uint32_t t = 0;
        while (t < ntotals && totals[t].type != s->type)
            t++;
        if (t == ntotals && ntotals < 8)
            totals[ntotals++].type = s->type;
        if (t < 8) {
            totals[t].groups++;
            totals[t].count += e[i].count;
            totals[t].wasted += wasted;
        }
        order[kept++] = (wasted >> 32 ? 0xFFFFFFFFull : wasted) << 32 | i;
    }
    ms_sort(order, kept);
    ms_vec rows = {NULL, 0, 0};
    for (uint64_t i = 0; i < kept && i < 2000; i++) {
        const ms_equal *g = &e[(uint32_t)order[kept - 1 - i]];
        MS_PUSH(c, rows, group, (group){shapes[g->shape].type, g->example, g->count, shapes[g->shape].allocated});
    }
    const group *g = MS_VEC_AT(rows, group);
    uint64_t ng = MS_VEC_N(rows, group);
    STRIDED(f, "equal", "type", MS_TYPE_U32, ng, g, type);
    STRIDED(f, "equal", "example", MS_TYPE_U32, ng, g, example);
    STRIDED(f, "equal", "count", MS_TYPE_U64, ng, g, count);
    STRIDED(f, "equal", "bytes", MS_TYPE_U64, ng, g, bytes);
    uint32_t *place = want(c, (n + 1) * sizeof *place); /* 1 + row of the file of each group */
    for (uint64_t i = 0; i < ng; i++)
        place[(uint32_t)order[kept - 1 - i]] = (uint32_t)i + 1;
    uint64_t *member = MS_VEC_AT(c->equal_members, uint64_t), all = MS_VEC_N(c->equal_members, uint64_t), chosen;
    uint32_t *next = want(c, (ng + 2) * sizeof *next), *of, *node; /* counted, then put in their groups' places */
    for (uint64_t i = 0; i < all; i++)
        next[place[member[i] >> 32]]++;
    chosen = all - next[0];
    next[0] = 0;
    for (uint64_t i = 1, before = 0; i <= ng; i++) {
        uint32_t here = next[i];
        next[i] = (uint32_t)before;
        before += here;
    }
    of = want(c, (chosen + 1) * sizeof *of);
    node = want(c, (chosen + 1) * sizeof *node);
    for (uint64_t i = 0; i < all; i++) {
        uint32_t row = place[member[i] >> 32];
        if (row) {
            of[next[row]] = row - 1;
            node[next[row]++] = (uint32_t)member[i];
        }
    }
    column(f, "equal_members", "group", MS_TYPE_U32, chosen, of);
    column(f, "equal_members", "node", MS_TYPE_U32, chosen, node);
    ms_sys_free(of, (chosen + 1) * sizeof *of);
    ms_sys_free(node, (chosen + 1) * sizeof *node);
    ms_sys_free(next, (ng + 2) * sizeof *next);
    ms_sys_free(place, (n + 1) * sizeof *place);
    STRIDED(f, "equal_total", "type", MS_TYPE_U32, ntotals, totals, type);
    STRIDED(f, "equal_total", "groups", MS_TYPE_U64, ntotals, totals, groups);
    STRIDED(f, "equal_total", "count", MS_TYPE_U64, ntotals, totals, count);
    STRIDED(f, "equal_total", "wasted", MS_TYPE_U64, ntotals, totals, wasted);
    ms_vec_free(&rows);
    ms_sys_free(order, (n + 1) * sizeof *order);
}

/* The map of the heap: slabs, the live slots on each page, and whose blocks lie there besides the objects'. */
static void write_slabs(out *f)
{
    ms_child *c = f->c;
    const ms_slab_row *row = MS_VEC_AT(c->slab_rows, ms_slab_row);
    uint64_t slabs = MS_VEC_N(c->slab_rows, ms_slab_row), n = MS_VEC_N(c->owned, ms_owned);
    STRIDED(f, "slabs", "address", MS_TYPE_U64, slabs, row, address);
    STRIDED(f, "slabs", "stride", MS_TYPE_U32, slabs, row, stride);
    STRIDED(f, "slabs", "dirty", MS_TYPE_U32, slabs, row, dirty);
    STRIDED(f, "slabs", "present", MS_TYPE_U32, slabs, row, present);
    STRIDED(f, "slabs", "live", MS_TYPE_U32, slabs, row, live);
    column(f, "slab_pages", "live", MS_TYPE_U16, slabs * MS_SLAB_PAGES, c->page_live);
    const ms_owned *owned = MS_VEC_AT(c->owned, ms_owned); /* in the order of nodes, as they were read */
    STRIDED(f, "owned", "node", MS_TYPE_U32, n, owned, node);
    STRIDED(f, "owned", "place", MS_TYPE_U32, n, owned, place);
    n = MS_VEC_N(c->owned_large, ms_owned_large);
    const ms_owned_large *large = MS_VEC_AT(c->owned_large, ms_owned_large);
    STRIDED(f, "owned_large", "node", MS_TYPE_U32, n, large, node);
    STRIDED(f, "owned_large", "mapped", MS_TYPE_U32, n, large, mapped);
    STRIDED(f, "owned_large", "bytes", MS_TYPE_U64, n, large, bytes);
}

/* Births are told where there are blocks enough to tell by. */
static void write_raw(out *f, const uint32_t *row)
{
    enum { ENOUGH = 64 };
    typedef struct { uint32_t raw, part, blocks; } born;
    ms_child *c = f->c;
    ms_vec sites = {NULL, 0, 0}, sums = {NULL, 0, 0}, births = {NULL, 0, 0};
    for (uint32_t s = 0; s < c->raw_room; s++) {
        const ms_raw *raw = &c->raw_blocks[s];
        for (uint32_t k = 0; k < MS_RAW_PARTS && raw->blocks >= ENOUGH; k++)
            if (raw->born[k])
                MS_PUSH(c, births, born, (born){(uint32_t)MS_VEC_N(sites, uint32_t), k, raw->born[k]});
        if (raw->blocks) {
            MS_PUSH(c, sites, uint32_t, row[s]);
            MS_PUSH(c, sums, ms_raw, *raw);
        }
    }
    uint64_t n = MS_VEC_N(sites, uint32_t);
    const ms_raw *raw = MS_VEC_AT(sums, ms_raw);
    column(f, "raw", "site", MS_TYPE_U32, n, sites.at);
    STRIDED(f, "raw", "blocks", MS_TYPE_U64, n, raw, blocks);
    STRIDED(f, "raw", "bytes", MS_TYPE_U64, n, raw, bytes);
    n = MS_VEC_N(births, born);
    const born *b = MS_VEC_AT(births, born);
    STRIDED(f, "raw_births", "raw", MS_TYPE_U32, n, b, raw);
    STRIDED(f, "raw_births", "part", MS_TYPE_U32, n, b, part);
    STRIDED(f, "raw_births", "blocks", MS_TYPE_U32, n, b, blocks);
    ms_vec_free(&sites);
    ms_vec_free(&sums);
    ms_vec_free(&births);
}

/* What needs no analysis, by a second thread. The last column stays open: the analysis adds to it. */
static void write_beside(ms_child *c)
{
    out *f = c->out;
    ms_regions_make(c);
    ms_texts_collect(c);
    ms_values_group(c);
    ms_let_go(c);
    ms_child_reached(c, &c->status->figures.let_go_ns, &c->status->figures.let_go_cpu_ns);
    write_types(f);
    write_small(f);
    write_raw(f, c->site_row_of);
    write_waste(f);
    write_slabs(f);
    give_up(&c->refs);
    write_nodes(f);
    ms_writer_column_begin(f->w, table(f, "edges"), "to", MS_TYPE_U32, 1);
    ms_writer_append(f->w, c->to, (size_t)c->edge_count * sizeof *c->to);
    c->status->figures.write_ns = ms_now_ns() - c->forked_ns;
}

/* Dominators, retained sizes, cycles, garbage. Without memory for it the file has none of them, and says so. */
static bool analyse(out *f)
{
    ms_child *c = f->c;
    uint32_t shapes = (uint32_t)MS_VEC_N(c->shape_table, ms_shape), types = (uint32_t)MS_VEC_N(c->type_table, ms_ty);
    const ms_shape *s = MS_VEC_AT(c->shape_table, ms_shape);
    const ms_ty *t = MS_VEC_AT(c->type_table, ms_ty);
    uint64_t *bytes = want(c, 2 * (size_t)shapes * sizeof *bytes);
    uint32_t *shape_type = want(c, (size_t)shapes * sizeof *shape_type), *type_node = want(c, (size_t)types * sizeof *type_node);
    for (uint32_t i = 0; i < shapes; i++) {
        bytes[i] = s[i].said;
        bytes[shapes + i] = s[i].allocated;
        shape_type[i] = s[i].type;
    }
    for (uint32_t i = 0; i < types; i++)
        type_node[i] = t[i].heap && t[i].type ? ms_marks_id(&c->marks, (uintptr_t)t[i].type) : 0;
    ms_graph g = {.nodes = c->nodes, .edges = c->edge_count, .first = c->first, .to = c->to, .garbage = c->nodes - 1,
                  .shape = c->shape.at, .shape_wide = 4, .shapes = shapes, .types = types,
                  .shape_bytes = {bytes, bytes + shapes}, .shape_type = shape_type, .type_node = type_node};
    ms_beside_begin(&c->beside, c, write_beside, true);
    ms_analysis *a;
    const char *why = ms_checking() ? ms_graph_check(&g) : NULL;
    ms_err err = why ? MS_EDAMAGED : ms_analysis_new(&g, CYCLE_ROWS, &a);
    if (err == MS_OK && ms_checking())
        why = ms_analysis_check(&g, a);
    if (why || (err != MS_OK && err != MS_ENOMEM))
        ms_child_fail(c, MS_EDAMAGED, why ? why : ms_err_text(err));
    ms_child_reached(c, &c->status->figures.analysis_ns, &c->status->figures.analysis_cpu_ns);
    ms_beside_end(&c->beside);
    ms_child_weigh(c); /* here it has most memory */
    if (err == MS_OK)
        ms_writer_append(f->w, a->source, a->sources * sizeof *a->source);
    ms_writer_column_end(f->w);
    if (err == MS_ENOMEM)
        return false;
    c->edge_count += a->sources;
    c->first[c->nodes] = c->edge_count;
    column(f, "objects", "idom", MS_TYPE_U32, a->nodes, a->idom);
    ms_analysis_drop(a, MS_PART_IDOM);
    column(f, "heavy", "node", MS_TYPE_U32, a->heavies, a->heavy);
    column(f, "heavy", "retained", MS_TYPE_U64, a->heavies, a->retained[MS_ALLOCATED]);
    column(f, "heavy", "retained_said", MS_TYPE_U64, a->heavies, a->retained[MS_SAID]);
    const ms_cycles *y = &a->cycles;
    uint32_t members = y->n ? y->first[y->n] : 0, *of = want(c, ((size_t)members + 1) * sizeof *of);
    for (uint32_t k = 0; k < y->n; k++)
        for (uint32_t i = y->first[k]; i < y->first[k + 1]; i++)
            of[i] = k;
    column(f, "cycles", "node", MS_TYPE_U32, members, y->node);
    column(f, "cycles", "scc", MS_TYPE_U32, members, of);
    ms_sys_free(of, ((size_t)members + 1) * sizeof *of);
    ms_info(c, "garbage_nodes", "%u", a->garbage_nodes);
    ms_info(c, "garbage_bytes", "%llu", (unsigned long long)a->garbage_bytes[MS_ALLOCATED]);
    ms_analysis_delete(a);
    ms_sys_free(bytes, 2 * (size_t)shapes * sizeof *bytes);
    ms_sys_free(shape_type, (size_t)shapes * sizeof *shape_type);
    ms_sys_free(type_node, (size_t)types * sizeof *type_node);
    return true;
}

static void helper_run(ms_child *c) { c->out->run(c->out->what); }

static void helper_begin(void *arg, void (*run)(void *), void *what)
{
    out *f = arg;
    f->run = run;
    f->what = what;
    ms_beside_begin(&f->c->beside, f->c, helper_run, true);
}

static void helper_end(void *arg)
{
    ms_child_weigh(((out *)arg)->c); /* here it has most memory again */
    ms_beside_end(&((out *)arg)->c->beside);
}

static void finish(out *f, bool answers)
{
    ms_child *c = f->c;
    ms_err err;
    uint32_t *rows = MS_VEC_AT(c->info, uint32_t);
    uint64_t n = MS_VEC_N(c->info, uint32_t) / 2;
    strided(f, "snap_info", "key", MS_TYPE_U32, n, rows, 2 * sizeof *rows);
    strided(f, "snap_info", "value", MS_TYPE_U32, n, rows + 1, 2 * sizeof *rows);
    column(f, "strings", "offsets", MS_TYPE_I64, MS_VEC_N(c->string_offsets, int64_t), c->string_offsets.at);
    column(f, "strings", "data", MS_TYPE_U8, c->string_data.used, c->string_data.at ? c->string_data.at : "");
    /* Where the program waits, memory is short, or this is one of many pictures, they are left to whoever asks. */
    bool many = c->options->moment && strcmp(c->options->moment, "every") == 0;
    if (answers && !many && !c->options->in_place && (uint64_t)c->nodes * READY_BYTES_AN_OBJECT <= c->memory_limit)
        ms_ready_write(f->w, c->options->prefix ? c->options->prefix : "", &(ms_ready_help){helper_begin, helper_end, f}, NULL);
    c->writer = NULL;
    if ((err = ms_writer_commit(f->w, &c->status->why)) != MS_OK)
        ms_child_fail(c, err, c->status->why.text);
}

void ms_file_write_small(ms_child *c)
{
    out f = {.c = c};
    ms_err err = ms_writer_open(c->path, &c->status->why, &f.w);
    if (err != MS_OK)
        ms_child_fail(c, err, c->status->why.text);
    c->writer = f.w;
    MS_PUSH(c, c->site_rows, ms_site_row, (ms_site_row){0, 0, -1, -1, -1, -1, 0});
    uint32_t used = ms_mode >= 0 ? ms_area.table[MS_T_SITE].used : 0, *row = want(c, ((size_t)used + 1) * sizeof *row);
    ms_counted *k = MS_VEC_AT(c->count_table, ms_counted);
    uint64_t n = MS_VEC_N(c->count_table, ms_counted), objects = 0;
    ms_shape *s = MS_VEC_AT(c->shape_table, ms_shape);
    const ms_ty *t = MS_VEC_AT(c->type_table, ms_ty);
    for (size_t i = 0; i < MS_VEC_N(c->shape_table, ms_shape); i++)
        if (t[s[i].type].alias)
            s[i].type = t[s[i].type].alias;
    for (uint64_t i = 0; i < n; i++) {
        k[i].site = k[i].site && k[i].site < used ? site_row(c, row, k[i].site) : 0;
        objects += k[i].count;
    }
    write_types(&f);
    STRIDED(&f, "counts", "shape", MS_TYPE_U32, n, k, shape);
    STRIDED(&f, "counts", "site", MS_TYPE_U32, n, k, site);
    STRIDED(&f, "counts", "count", MS_TYPE_U64, n, k, count);
    write_site_rows(&f);
    ms_info(c, "objects", "%llu", (unsigned long long)objects);
    ms_info(c, "pause_ns", "%llu", (unsigned long long)c->status->figures.pause_ns);
    ms_info(c, "child_ns", "%llu", (unsigned long long)(ms_now_ns() - c->forked_ns));
    ms_info(c, "child_peak_bytes", "%llu", (unsigned long long)c->status->figures.child_bytes);
    ms_info(c, "memory_limit", "%llu", (unsigned long long)c->memory_limit);
    ms_info(c, "complete", "0");
    ms_info(c, "incomplete_why", "there is too little memory for the graph: objects are counted by type and site only");
    finish(&f, false);
}

static void skipped_info(ms_child *c)
{
    char text[2048] = "[";
    size_t n = 1;
    const ms_ty *t = MS_VEC_AT(c->type_table, ms_ty);
    const int64_t *offset = MS_VEC_AT(c->string_offsets, int64_t);
    for (size_t i = 1; i < MS_VEC_N(c->type_table, ms_ty) && n < sizeof text - 300; i++)
        if (t[i].given_up)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s\"%.*s\"", n > 1 ? ", " : "",
                                  (int)(offset[t[i].name + 1] - offset[t[i].name] < 200 ? offset[t[i].name + 1] - offset[t[i].name] : 200),
                                  c->string_data.at + offset[t[i].name]);
    snprintf(text + n, sizeof text - n, "]");
    ms_info(c, "skipped_types", "%s", text);
}

void ms_file_write(ms_child *c)
{
    out f = {.c = c};
    ms_err err = ms_writer_open(c->path, &c->status->why, &f.w);
    if (err != MS_OK)
        ms_child_fail(c, err, c->status->why.text);
    c->writer = f.w;
    if (c->options->passing)
        ms_writer_passing(f.w);
    sites_collect(c);
    nodes_complete(c);
    c->out = &f;
    bool whole = analyse(&f);
    write_degrees(&f);
    if (whole)
        ms_info(c, "garbage_node", "%u", c->nodes - 1);
    skipped_info(c);
    ms_info(c, "nodes", "%u", c->nodes);
    ms_info(c, "objects", "%u", c->objects);
    ms_info(c, "edges", "%u", c->edge_count);
    ms_info(c, "child_ns", "%llu", (unsigned long long)(ms_now_ns() - c->forked_ns));
    ms_info(c, "pause_ns", "%llu", (unsigned long long)c->status->figures.pause_ns);
    ms_info(c, "child_peak_bytes", "%llu", (unsigned long long)c->status->figures.child_bytes);
    ms_info(c, "unread_interpreters", "%u", c->unread_interpreters);
    ms_info(c, "complete", "%d", whole);
    ms_info(c, "incomplete_why", "%s", whole ? "" : "there was no memory to find out who keeps what alive");
    ms_sys_free(c->to, c->to_room);
    ms_sys_free(c->first, c->first_room);
    c->to = c->first = NULL;
    finish(&f, whole);
}
