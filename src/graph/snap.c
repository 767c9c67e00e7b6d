/* snap.c -- opening a snapshot: each column is believed after it was looked through.
 *
 * The small tables (types, shapes, fields, sites, regions) are checked at opening, number by number.
 * Those as long as the heap are checked when needed, by loops that a compiler turns into vectors: the
 * largest number of a column decides. At 10 M objects and 12.5 M edges that is 5 to 20 ms for each of
 * them, most of it the checksum.
 *
 * Retained sizes are in the file only for nodes that dominate another one ("holders", the table
 * `heavy`). Where one that dominates is not in that table, or it is missing, it is computed anew
 * from the dominators. Holders are found by a bitmap and a rank, as objects are. */
#include "graph/snap.h"
#include "graph/sort.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- columns ---- */

static void table_name(const ms_snap *s, const char *table, char out[40])
{
    snprintf(out, 40, "%s%s", s->prefix, table);
}

/* A column by its name, or nothing; a damaged one is an error. */
static ms_err column_find(ms_snap *s, const char *table, const char *column, ms_why *why, ms_column *out)
{
    char name[40];
    table_name(s, table, name);
    *out = (ms_column){0};
    for (uint32_t i = 0; i < ms_file_count(s->file); i++) {
        ms_column c;
        (void)ms_file_entry(s->file, i, &c); /* a damaged one is found again below */
        if (strcmp(c.table, name) == 0 && strcmp(c.column, column) == 0)
            return ms_file_column(s->file, name, column, why, out);
    }
    return MS_OK;
}

static ms_err column_odd(const ms_snap *s, const char *table, const char *column, const char *what, ms_why *why)
{
    const char *damage = ms_file_damage(s->file);
    if (damage != NULL)
        ms_why_set(why, "this snapshot cannot be read: %.700s", damage);
    else
        ms_why_set(why, "this snapshot cannot be read: its column %s%s.%s %s", s->prefix, table, column, what);
    return MS_EDAMAGED;
}

ms_err ms_snap_column(ms_snap *s, const char *table, const char *column, ms_type type, ms_why *why, ms_column *out)
{
    MS_TRY(column_find(s, table, column, why, out));
    if (out->rows > 0 && (out->type != type || out->width != 1))
        return column_odd(s, table, column, "has another type than is known", why);
    return MS_OK;
}

ms_err ms_snap_column_any(ms_snap *s, const char *table, const char *column, ms_why *why, ms_column *out)
{
    MS_TRY(column_find(s, table, column, why, out));
    return out->rows > 0 && out->width != 1 ? column_odd(s, table, column, "has another type than is known", why) : MS_OK;
}

bool ms_snap_ready(ms_snap *s, const char *table, const char *column, ms_type type, uint32_t width, ms_column *out)
{
    ms_why why;
    return column_find(s, table, column, &why, out) == MS_OK && out->rows > 0 && out->type == type && out->width == width;
}

/* A column that must have so many rows; UINT64_MAX: any number, told in *rows. */
static ms_err column_rows(ms_snap *s, const char *table, const char *column, ms_type type, uint64_t *rows, const void *out, ms_why *why)
{
    ms_column c;
    MS_TRY(ms_snap_column(s, table, column, type, why, &c));
    if (*rows == UINT64_MAX)
        *rows = c.rows;
    if (c.rows != *rows)
        return column_odd(s, table, column, c.rows ? "is not as long as its table" : "is missing", why);
    *(const void **)out = c.values;
    return MS_OK;
}

/* A column of numbers in any width. */
static ms_err column_ids(ms_snap *s, const char *table, const char *column, uint64_t rows, ms_snap_ids *out, ms_why *why)
{
    ms_column c;
    MS_TRY(column_find(s, table, column, why, &c));
    if (c.rows != rows)
        return column_odd(s, table, column, c.rows ? "is not as long as its table" : "is missing", why);
    const char *name = rows ? ms_type_name(c.type) : "u32";
    size_t wide = rows ? ms_type_size(c.type) : 4;
    if (rows && (c.width != 1 || name[0] != 'u' || wide > 4))
        return column_odd(s, table, column, "has another type than is known", why);
    *out = (ms_snap_ids){c.values, (uint8_t)wide};
    return MS_OK;
}

static uint32_t ids_max(ms_snap_ids c, uint64_t n)
{
    uint32_t most = 0;
    if (c.wide == 4)
        for (uint64_t i = 0; i < n; i++)
            most = ((const uint32_t *)c.at)[i] > most ? ((const uint32_t *)c.at)[i] : most;
    if (c.wide == 2) {
        uint16_t m = 0;
        for (uint64_t i = 0; i < n; i++)
            m = ((const uint16_t *)c.at)[i] > m ? ((const uint16_t *)c.at)[i] : m;
        most = m;
    }
    if (c.wide == 1) {
        uint8_t m = 0;
        for (uint64_t i = 0; i < n; i++)
            m = ((const uint8_t *)c.at)[i] > m ? ((const uint8_t *)c.at)[i] : m;
        most = m;
    }
    return most;
}

static ms_err ids_below(const ms_snap *s, ms_snap_ids c, uint64_t n, uint64_t limit, const char *table, const char *column, ms_why *why)
{
    if (n > 0 && ids_max(c, n) >= limit)
        return column_odd(s, table, column, "names what does not exist", why);
    return MS_OK;
}

static ms_err u32_below(const ms_snap *s, const uint32_t *c, uint64_t n, uint64_t limit, const char *table, const char *column, ms_why *why)
{
    return ids_below(s, (ms_snap_ids){c, 4}, n, limit, table, column, why);
}

/* ---- strings and facts ---- */

ms_snap_string ms_snap_text(const ms_snap *s, uint32_t row)
{
    if (row >= s->n_strings)
        return (ms_snap_string){"", 0};
    int64_t from = s->string_at[row], to = s->string_at[row + 1];
    if (from < 0 || to < from || (uint64_t)to > s->text_bytes)
        return (ms_snap_string){"", 0};
    return (ms_snap_string){s->string_data + from, (size_t)(to - from)};
}

bool ms_snap_text_is(const ms_snap *s, uint32_t row, const char *word)
{
    ms_snap_string t = ms_snap_text(s, row);
    return t.size == strlen(word) && memcmp(t.at, word, t.size) == 0;
}

static bool info_find(const ms_snap *s, const char *key, ms_snap_string *out)
{
    for (uint64_t i = 0; i < s->n_info; i++)
        if (ms_snap_text_is(s, s->info_key[i], key)) {
            *out = ms_snap_text(s, s->info_value[i]);
            return true;
        }
    return false;
}

uint64_t ms_snap_info(const ms_snap *s, const char *key, uint64_t otherwise)
{
    ms_snap_string t;
    uint64_t value = 0;
    if (!info_find(s, key, &t) || t.size == 0 || t.size > 19)
        return otherwise;
    for (size_t i = 0; i < t.size; i++) {
        if (t.at[i] < '0' || t.at[i] > '9')
            return otherwise;
        value = value * 10 + (uint64_t)(t.at[i] - '0');
    }
    return value;
}

/* ---- opening ---- */

bool ms_snap_there(ms_file *f, const char *prefix)
{
    char name[40];
    snprintf(name, sizeof name, "%.7sobjects", prefix);
    for (uint32_t i = 0; i < ms_file_count(f); i++) {
        ms_column c;
        (void)ms_file_entry(f, i, &c);
        if (strcmp(c.table, name) == 0)
            return true;
    }
    return false;
}

static ms_err open_strings(ms_snap *s, ms_why *why)
{
    uint64_t offsets = UINT64_MAX;
    s->text_bytes = UINT64_MAX;
    MS_TRY(column_rows(s, "strings", "offsets", MS_TYPE_I64, &offsets, &s->string_at, why));
    MS_TRY(column_rows(s, "strings", "data", MS_TYPE_U8, &s->text_bytes, &s->string_data, why));
    s->n_strings = offsets > 0 ? offsets - 1 : 0;
    s->n_info = UINT64_MAX;
    MS_TRY(column_rows(s, "snap_info", "key", MS_TYPE_U32, &s->n_info, &s->info_key, why));
    return column_rows(s, "snap_info", "value", MS_TYPE_U32, &s->n_info, &s->info_value, why);
}

static ms_err open_format(const ms_snap *s, ms_why *why)
{
    ms_snap_string format;
    if (!info_find(s, "format", &format)) {
        ms_why_set(why, "this snapshot does not say which version of the format it has");
        return MS_EDAMAGED;
    }
    if (format.size != 1 || format.at[0] != '1') {
        ms_why_set(why, "this snapshot was taken by another version of memsure: its format is %.*s, this memsure reads 1",
                   (int)(format.size < 20 ? format.size : 20), format.at);
        return MS_EVERSION;
    }
    return MS_OK;
}

static ms_err open_sites(ms_snap *s, ms_why *why)
{
    uint64_t n = UINT64_MAX;
    MS_TRY(column_rows(s, "sites", "file", MS_TYPE_U32, &n, &s->site_file, why));
    MS_TRY(column_rows(s, "sites", "function", MS_TYPE_U32, &n, &s->site_function, why));
    MS_TRY(column_rows(s, "sites", "flags", MS_TYPE_U32, &n, &s->site_flags, why));
    MS_TRY(column_rows(s, "sites", "line", MS_TYPE_I32, &n, &s->site_line, why));
    MS_TRY(column_rows(s, "sites", "end_line", MS_TYPE_I32, &n, &s->site_end_line, why));
    MS_TRY(column_rows(s, "sites", "column", MS_TYPE_I32, &n, &s->site_column, why));
    MS_TRY(column_rows(s, "sites", "end_column", MS_TYPE_I32, &n, &s->site_end_column, why));
    if (n > UINT32_MAX)
        return column_odd(s, "sites", "file", "is too long", why);
    s->n_sites = (uint32_t)n;
    return MS_OK;
}

static ms_err open_types(ms_snap *s, ms_why *why)
{
    uint64_t n = UINT64_MAX, fields = UINT64_MAX, shapes = UINT64_MAX;
    ms_column c;
    MS_TRY(column_rows(s, "types", "name", MS_TYPE_U32, &n, &s->type_name, why));
    MS_TRY(column_rows(s, "types", "node", MS_TYPE_U32, &n, &s->type_node, why));
    MS_TRY(column_rows(s, "types", "rest", MS_TYPE_U8, &n, &s->type_rest, why));
    MS_TRY(column_rows(s, "types", "flags", MS_TYPE_U32, &n, &s->type_flags, why));
    MS_TRY(column_rows(s, "types", "basicsize", MS_TYPE_U32, &n, &s->type_basicsize, why));
    MS_TRY(column_rows(s, "types", "itemsize", MS_TYPE_U32, &n, &s->type_itemsize, why));
    MS_TRY(column_rows(s, "types", "field_first", MS_TYPE_U32, &n, &s->type_first, why));
    MS_TRY(column_rows(s, "types", "field_count", MS_TYPE_U32, &n, &s->type_count, why));
    MS_TRY(ms_snap_column(s, "fields", "name", MS_TYPE_U32, why, &c));
    fields = c.rows;
    s->field_name = c.values;
    MS_TRY(column_rows(s, "shapes", "type", MS_TYPE_U32, &shapes, &s->shape_type, why));
    MS_TRY(column_rows(s, "shapes", "said", MS_TYPE_U64, &shapes, &s->shape_said, why));
    MS_TRY(column_rows(s, "shapes", "allocated", MS_TYPE_U64, &shapes, &s->shape_allocated, why));
    if (n == 0 || n > UINT32_MAX || shapes == 0 || shapes > UINT32_MAX || fields > UINT32_MAX)
        return column_odd(s, "types", "name", "has an impossible length", why);
    s->n_types = (uint32_t)n;
    s->n_fields = (uint32_t)fields;
    s->n_shapes = (uint32_t)shapes;
    for (uint64_t i = 0; i < n; i++) {
        if (s->type_first[i] > fields || s->type_count[i] > fields - s->type_first[i]) /* P4 */
            return column_odd(s, "types", "field_count", "names what does not exist", why);
        if (s->type_node[i] >= s->nodes)
            return column_odd(s, "types", "node", "names what does not exist", why);
    }
    s->attributes = UINT32_MAX;
    for (uint64_t i = 0; i < fields && s->attributes == UINT32_MAX; i++)
        if (ms_snap_text_is(s, s->field_name[i], "__dict__"))
            s->attributes = s->field_name[i];
    return u32_below(s, s->shape_type, shapes, n, "shapes", "type", why);
}

static ms_err open_regions(ms_snap *s, ms_why *why)
{
    uint64_t n = UINT64_MAX;
    MS_TRY(column_rows(s, "regions", "base", MS_TYPE_U64, &n, &s->region_base, why));
    MS_TRY(column_rows(s, "regions", "first", MS_TYPE_U32, &n, &s->region_first, why));
    MS_TRY(column_rows(s, "regions", "count", MS_TYPE_U32, &n, &s->region_count, why));
    uint32_t before = 1;
    for (uint64_t i = 0; i < n; i++) {
        if (s->region_first[i] < before || s->region_first[i] > s->nodes || s->region_count[i] > s->nodes - s->region_first[i])
            return column_odd(s, "regions", "first", "names what does not exist", why);
        before = s->region_first[i] + s->region_count[i];
    }
    if (n > UINT32_MAX)
        return column_odd(s, "regions", "first", "is too long", why);
    s->n_regions = (uint32_t)n;
    return MS_OK;
}

static ms_err open_tables(ms_snap *s, ms_why *why)
{
    char name[40];
    MS_TRY(open_strings(s, why));
    MS_TRY(open_format(s, why));
    table_name(s, "objects", name);
    uint64_t nodes = 0, edges = 0;
    for (uint32_t i = 0; i < ms_file_count(s->file); i++) {
        ms_column c;
        (void)ms_file_entry(s->file, i, &c);
        if (strcmp(c.table, name) == 0 && strcmp(c.column, "shape") == 0)
            nodes = c.rows;
        if (strncmp(c.table, s->prefix, strlen(s->prefix)) == 0 && strcmp(c.table + strlen(s->prefix), "edges") == 0)
            edges = c.rows;
    }
    if (nodes == 0 || nodes > 0x3fffffff)
        return column_odd(s, "objects", "shape", nodes ? "has more rows than there can be objects" : "is missing", why);
    if (edges > UINT32_MAX)
        return column_odd(s, "edges", "to", "has more rows than this memsure can count", why);
    s->nodes = (uint32_t)nodes;
    s->edges = edges;
    uint64_t objects = ms_snap_info(s, "objects", nodes - 1), garbage = ms_snap_info(s, "garbage_node", 0);
    if (objects >= nodes || garbage >= nodes) {
        ms_why_set(why, "this snapshot contradicts itself: it has %" PRIu64 " rows, but says %" PRIu64 " objects", nodes, objects);
        return MS_EDAMAGED;
    }
    s->objects = (uint32_t)objects;
    s->garbage = (uint32_t)garbage;
    s->epoch = (uint32_t)ms_snap_info(s, "epoch", 0);
    s->epoch_ns = ms_snap_info(s, "epoch_ns", 10000000);
    MS_TRY(open_sites(s, why));
    MS_TRY(open_types(s, why));
    return open_regions(s, why);
}

ms_err ms_snap_open(ms_file *f, const char *prefix, ms_why *why, ms_snap **out)
{
    *out = NULL;
    if (!ms_snap_there(f, prefix)) {
        const char *damage = ms_file_damage(f);
        ms_why_set(why, damage ? "no snapshot can be read from it: %.700s" : "it holds no snapshot", damage);
        return damage ? MS_EDAMAGED : MS_EINVAL;
    }
    ms_snap *s = ms_sys_alloc(sizeof *s);
    if (s == NULL) {
        ms_why_set(why, "cannot open the snapshot: %s", ms_err_text(MS_ENOMEM));
        return MS_ENOMEM;
    }
    s->file = f;
    snprintf(s->prefix, sizeof s->prefix, "%.7s", prefix);
    ms_err err = open_tables(s, why);
    if (err != MS_OK) {
        ms_snap_close(s);
        return err;
    }
    *out = s;
    return MS_OK;
}

static size_t words(const ms_snap *s)
{
    return ((size_t)s->nodes + 63) / 64 + 1;
}

static void holders_drop(ms_snap *s)
{
    if (s->owned) {
        ms_sys_free(s->holder, s->n_holders * sizeof *s->holder);
        ms_sys_free(s->retained, s->n_holders * sizeof *s->retained);
        ms_sys_free(s->retained_said, s->n_holders * sizeof *s->retained_said);
    }
    s->holder = NULL;
    s->retained = s->retained_said = NULL;
    s->owned = false;
}

void ms_snap_close(ms_snap *s)
{
    if (s == NULL)
        return;
    ms_sys_free(s->first, ((size_t)s->nodes + 1) * sizeof *s->first);
    ms_sys_free(s->holds, words(s) * sizeof *s->holds);
    ms_sys_free(s->rank, words(s) * sizeof *s->rank);
    holders_drop(s);
    ms_sys_free(s->begin, ((size_t)s->n_holders + 1) * sizeof *s->begin);
    ms_sys_free(s->end, ((size_t)s->n_holders + 1) * sizeof *s->end);
    ms_sys_free(s->walk, ((size_t)s->n_holders + 1) * sizeof *s->walk);
    ms_sys_free(s->module_dict, s->module_room * sizeof *s->module_dict);
    ms_analysis_delete(s->analysis);
    ms_sys_free(s, sizeof *s);
}

/* ---- the long columns ---- */

static ms_err no_memory(ms_why *why)
{
    ms_why_set(why, "cannot look at the snapshot: %s", ms_err_text(MS_ENOMEM));
    return MS_ENOMEM;
}

static ms_err need_shapes(ms_snap *s, ms_why *why)
{
    MS_TRY(column_ids(s, "objects", "shape", s->nodes, &s->shape, why));
    return ids_below(s, s->shape, s->nodes, s->n_shapes, "objects", "shape", why);
}

static ms_err need_births(ms_snap *s, ms_why *why)
{
    MS_TRY(column_ids(s, "objects", "site", s->nodes, &s->site, why));
    MS_TRY(column_ids(s, "objects", "birth", s->nodes, &s->birth, why));
    return ids_below(s, s->site, s->nodes, s->n_sites, "objects", "site", why);
}

static ms_err need_addresses(ms_snap *s, ms_why *why)
{
    uint64_t rows = s->nodes;
    return column_rows(s, "objects", "address", MS_TYPE_U32, &rows, &s->address, why);
}

/* first[] from the degrees: P2. */
static ms_err degrees_add(ms_snap *s, const uint8_t *degree, uint64_t n_wide, const uint32_t *wide_node, const uint32_t *wide_degree, ms_why *why)
{
    uint64_t sum = 0, w = 0;
    for (uint32_t v = 0; v < s->nodes; v++) {
        s->first[v] = (uint32_t)sum;
        uint32_t d = degree[v];
        if (MS_UNLIKELY(d == 255)) {
            if (w == n_wide || wide_node[w] != v)
                return column_odd(s, "wide", "node", "does not name each object with many references", why);
            d = wide_degree[w++];
        }
        sum += d;
        if (MS_UNLIKELY(sum > s->edges))
            break;
    }
    s->first[s->nodes] = (uint32_t)sum;
    if (sum != s->edges || w != n_wide)
        return column_odd(s, "objects", "degree", "does not add up to the references there are", why);
    return MS_OK;
}

ms_err ms_snap_edges(ms_snap *s, ms_why *why)
{
    const uint8_t *degree = NULL;
    const uint32_t *wide_node = NULL, *wide_degree = NULL;
    uint64_t rows = s->nodes, n_wide = UINT64_MAX, edges = s->edges, labels = UINT64_MAX;
    MS_TRY(column_rows(s, "objects", "degree", MS_TYPE_U8, &rows, &degree, why));
    MS_TRY(column_rows(s, "wide", "node", MS_TYPE_U32, &n_wide, &wide_node, why));
    MS_TRY(column_rows(s, "wide", "degree", MS_TYPE_U32, &n_wide, &wide_degree, why));
    MS_TRY(column_rows(s, "edges", "to", MS_TYPE_U32, &edges, &s->to, why));
    MS_TRY(column_rows(s, "labels", "edge", MS_TYPE_U64, &labels, &s->label_edge, why));
    MS_TRY(column_rows(s, "labels", "name", MS_TYPE_U32, &labels, &s->label_name, why));
    s->n_labels = labels;
    uint32_t most = 0;
    for (uint64_t i = 0; i < edges; i++)
        most = MS_SNAP_TARGET(s->to[i]) > most ? MS_SNAP_TARGET(s->to[i]) : most;
    if (most >= s->nodes)
        return column_odd(s, "edges", "to", "names what does not exist", why);
    if (s->first == NULL && (s->first = ms_sys_alloc_big(((size_t)s->nodes + 1) * sizeof *s->first)) == NULL)
        return no_memory(why);
    return degrees_add(s, degree, n_wide, wide_node, wide_degree, why);
}

static ms_err need_edges(ms_snap *s, ms_why *why)
{
    bool (*wait)(void *) = s->edges_wait;
    s->edges_wait = NULL;
    return wait && wait(s->edges_arg) ? MS_OK : ms_snap_edges(s, why); /* where it failed: once more, to say why */
}

static ms_err need_texts(ms_snap *s, ms_why *why)
{
    uint64_t rows = UINT64_MAX;
    MS_TRY(column_rows(s, "texts", "node", MS_TYPE_U32, &rows, &s->text_node, why));
    MS_TRY(column_rows(s, "texts", "text", MS_TYPE_U32, &rows, &s->text_string, why));
    s->n_texts = rows;
    return MS_OK;
}

/* ---- who dominates whom ---- */

static ms_err holders_room(ms_snap *s, ms_why *why)
{
    if ((s->holds == NULL && (s->holds = ms_sys_alloc_big(words(s) * sizeof *s->holds)) == NULL) ||
        (s->rank == NULL && (s->rank = ms_sys_alloc_big(words(s) * sizeof *s->rank)) == NULL))
        return no_memory(why);
    memset(s->holds, 0, words(s) * sizeof *s->holds);
    s->holds[0] |= 1; /* the root always */
    return MS_OK;
}

/* rank[] from holds[]. */
static void holders_number(ms_snap *s)
{
    uint32_t n = 0;
    for (size_t i = 0; i < words(s); i++) {
        s->rank[i] = n;
        n += ms_snap_ones(s->holds[i]);
    }
    s->n_holders = n;
}

/* holds[] and rank[] from idom[]. */
static ms_err holders_mark(ms_snap *s, ms_why *why)
{
    MS_TRY(holders_room(s, why));
    for (uint32_t v = 1; v < s->nodes; v++)
        s->holds[s->idom[v] >> 6] |= UINT64_C(1) << (s->idom[v] & 63);
    holders_number(s);
    return MS_OK;
}

/* The same from the file's table of holders; false: it does not ascend, or one that dominates is not in it, or no node. */
static bool holders_told(ms_snap *s, const uint32_t *node, uint64_t n)
{
    for (uint64_t i = 0; i < n; i++) {
        if (node[i] >= s->nodes || (i > 0 && node[i] <= node[i - 1]))
            return false;
        s->holds[node[i] >> 6] |= UINT64_C(1) << (node[i] & 63);
    }
    enum { AT_ONCE = 4096 };
    uint64_t all = 1;
    for (uint32_t from = 0, to; from < s->nodes; from = to) { /* by pieces that the cache holds until they are looked at again */
        uint32_t most = 0;
        to = s->nodes - from > AT_ONCE ? from + AT_ONCE : s->nodes;
        for (uint32_t v = from; v < to; v++)
            most = s->idom[v] > most ? s->idom[v] : most;
        if (most >= s->nodes)
            return false;
        for (uint32_t v = from; v < to; v++)
            all &= s->holds[s->idom[v] >> 6] >> (s->idom[v] & 63);
    }
    holders_number(s);
    return all & 1 && s->n_holders == n; /* the root's row among them */
}

static ms_err tree_walk(ms_snap *s, ms_why *why);

static ms_err holders_add(ms_snap *s, ms_why *why)
{
    size_t n = s->n_holders;
    s->owned = true;
    s->holder = ms_sys_alloc_big(n * sizeof *s->holder);
    s->retained = ms_sys_alloc_big(n * sizeof *s->retained);
    s->retained_said = ms_sys_alloc_big(n * sizeof *s->retained_said);
    if (s->holder == NULL || s->retained == NULL || s->retained_said == NULL)
        return no_memory(why);
    uint32_t r = 0;
    for (size_t i = 0; i < words(s); i++)
        for (uint64_t bits = s->holds[i]; bits; bits &= bits - 1)
            s->holder[r++] = (uint32_t)(i * 64) + (uint32_t)__builtin_ctzll(bits);
    for (uint32_t v = 0; v < s->nodes; v++) {
        uint32_t at = ms_snap_rank(s, ms_snap_holds(s, v) ? v : s->idom[v]);
        s->retained[at] += ms_snap_bytes(s, v);
        s->retained_said[at] += ms_snap_said(s, v);
    }
    MS_TRY(tree_walk(s, why));
    for (uint32_t i = s->n_holders; i-- > 1;) {
        uint32_t at = s->walk[i], up = ms_snap_rank(s, s->idom[s->holder[at]]);
        s->retained[up] += s->retained[at];
        s->retained_said[up] += s->retained_said[at];
    }
    return MS_OK;
}

/* The sizes of all holders, from the dominators alone: what each holds itself, then bottom-up. */
static ms_err holders_count(ms_snap *s, ms_why *why)
{
    ms_err err = holders_mark(s, why);
    if (err == MS_OK)
        err = holders_add(s, why);
    if (err != MS_OK)
        holders_drop(s);
    return err;
}

/* Dominators and what they retain, computed here. */
static ms_err idoms_compute(ms_snap *s, ms_why *why)
{
    MS_TRY(ms_snap_need(s, MS_SNAP_EDGES, why));
    ms_graph g = ms_snap_graph(s);
    const char *broken = ms_graph_check(&g);
    if (broken != NULL)
        return column_odd(s, "edges", "to", "is no graph", why);
    if (s->analysis == NULL && ms_analysis_new(&g, 0, &s->analysis) != MS_OK)
        return no_memory(why);
    s->idom = s->analysis->idom;
    MS_TRY(holders_room(s, why));
    if (!holders_told(s, s->analysis->heavy, s->analysis->heavies))
        return holders_count(s, why);
    s->holder = s->analysis->heavy;
    s->retained = s->analysis->retained[MS_ALLOCATED];
    s->retained_said = s->analysis->retained[MS_SAID];
    return MS_OK;
}

static ms_err need_idoms(ms_snap *s, ms_why *why)
{
    ms_column idom, node, retained, said;
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES, why));
    MS_TRY(ms_snap_column(s, "objects", "idom", MS_TYPE_U32, why, &idom));
    if (s->owned)
        holders_drop(s);
    if (idom.rows == 0)
        return idoms_compute(s, why);
    if (idom.rows != s->nodes)
        return column_odd(s, "objects", "idom", "is not as long as its table", why);
    s->idom = idom.values;
    MS_TRY(holders_room(s, why));
    MS_TRY(ms_snap_column(s, "heavy", "node", MS_TYPE_U32, why, &node));
    MS_TRY(ms_snap_column(s, "heavy", "retained", MS_TYPE_U64, why, &retained));
    MS_TRY(ms_snap_column(s, "heavy", "retained_said", MS_TYPE_U64, why, &said));
    if (node.rows == retained.rows && node.rows == said.rows && holders_told(s, node.values, node.rows)) {
        s->holder = (uint32_t *)node.values; /* never written: owned is false */
        s->retained = (uint64_t *)retained.values;
        s->retained_said = (uint64_t *)said.values;
        return MS_OK;
    }
    MS_TRY(u32_below(s, s->idom, s->nodes, s->nodes, "objects", "idom", why));
    return holders_count(s, why);
}

/* Number the holders by a walk down their tree: the children of one lie between its begin and end. In
 * a made-up file some holders may hang in a circle and not be below the root: that is said. */
static ms_err tree_walk(ms_snap *s, ms_why *why)
{
    size_t n = s->n_holders, bytes = (n + 1) * sizeof(uint32_t);
    uint32_t **all[] = {&s->begin, &s->end, &s->walk};
    for (int i = 0; i < 3; i++) {
        if (*all[i])
            memset(*all[i], 0, bytes);
        else if ((*all[i] = ms_sys_alloc_big(bytes)) == NULL)
            return no_memory(why);
    }
    uint32_t *child = s->begin, *next = s->end; /* until the walk comes by: the first child, siblings in a list */
    for (uint32_t r = (uint32_t)n; r-- > 1;) {  /* rank 0 is the root */
        uint32_t up = ms_snap_rank(s, s->idom[s->holder[r]]);
        next[r] = child[up];
        child[up] = r;
    }
    /* Without a stack: from a node to its first child, else to its next sibling, else up. */
    uint32_t at = 0, seen = 0;
    do {
        uint32_t to = child[at];
        s->begin[at] = seen;
        s->walk[seen++] = at;
        while (to == 0) {
            to = next[at];
            s->end[at] = seen;
            if (at == 0)
                break;
            if (to == 0)
                at = ms_snap_rank(s, s->idom[s->holder[at]]);
        }
        at = to;
    } while (at != 0);
    return seen == n ? MS_OK : column_odd(s, "objects", "idom", "goes in circles", why);
}

static ms_err need_tree(ms_snap *s, ms_why *why)
{
    MS_TRY(ms_snap_need(s, MS_SNAP_IDOMS, why));
    return s->walk && s->owned ? MS_OK : tree_walk(s, why);
}

ms_err ms_snap_need(ms_snap *s, unsigned parts, ms_why *why)
{
    static const struct { unsigned part; ms_err (*bring)(ms_snap *, ms_why *); } all[] = {
        {MS_SNAP_SHAPES, need_shapes}, {MS_SNAP_BIRTHS, need_births}, {MS_SNAP_ADDRESSES, need_addresses},
        {MS_SNAP_EDGES, need_edges},   {MS_SNAP_TEXTS, need_texts},   {MS_SNAP_IDOMS, need_idoms},
        {MS_SNAP_TREE, need_tree},
    };
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if ((parts & all[i].part) && !(s->have & all[i].part)) {
            MS_TRY(all[i].bring(s, why));
            s->have |= all[i].part;
        }
    return MS_OK;
}

ms_graph ms_snap_graph(const ms_snap *s)
{
    return (ms_graph){.nodes = s->nodes, .edges = (uint32_t)s->edges, .first = s->first, .to = s->to, .garbage = s->garbage,
                      .shape = s->shape.at, .shape_wide = s->shape.wide, .shapes = s->n_shapes, .types = s->n_types,
                      .shape_bytes = {s->shape_said, s->shape_allocated}, .shape_type = s->shape_type, .type_node = s->type_node};
}

/* ---- namespaces ---- */

uint32_t ms_snap_namespace_of(const ms_snap *s, uint32_t v)
{
    uint32_t type = ms_snap_type(s, v);
    for (uint32_t i = 0; i < s->type_count[type] && i < s->first[v + 1] - s->first[v]; i++)
        if (s->field_name[s->type_first[type] + i] == s->attributes)
            return MS_SNAP_TARGET(s->to[s->first[v] + i]);
    return 0;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

static bool before(const void *arg, const void *a, const void *b)
{
    (void)arg;
    return ascending(a, b) < 0;
}

static ms_err module_add(ms_snap *s, uint32_t dict)
{
    if (dict == 0 || dict >= s->nodes)
        return MS_OK;
    if (s->n_modules == s->module_room) {
        size_t room = s->module_room ? 2 * s->module_room : 1024;
        uint32_t *more = ms_sys_resize(s->module_dict, s->module_room * sizeof *more, room * sizeof *more);
        if (more == NULL)
            return MS_ENOMEM;
        s->module_dict = more;
        s->module_room = room;
    }
    s->module_dict[s->n_modules++] = dict;
    return MS_OK;
}

static ms_err modules_search(ms_snap *s)
{
    uint8_t *module = ms_sys_alloc(s->n_shapes);
    ms_err err = module ? MS_OK : MS_ENOMEM;
    for (uint32_t i = 0; module && i < s->n_shapes; i++)
        module[i] = ms_snap_text_is(s, s->type_name[s->shape_type[i]], "module");
    for (uint32_t v = 1; v <= s->objects && err == MS_OK; v++)
        if (MS_UNLIKELY(module[ms_snap_id(s->shape, v)]))
            err = module_add(s, ms_snap_namespace_of(s, v));
    ms_sys_free(module, s->n_shapes);
    return err;
}

ms_err ms_snap_find_modules(ms_snap *s, ms_why *why)
{
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_EDGES, why));
    if (s->modules_found)
        return MS_OK;
    ms_column ready;
    ms_err err = MS_OK;
    s->n_modules = 0;
    if (ms_snap_ready(s, "ready_modules", "ids", MS_TYPE_U32, 3, &ready))
        for (uint64_t i = 0; i < ready.rows && err == MS_OK; i++)
            err = module_add(s, ((const uint32_t *)ready.values)[3 * i + 1]);
    else
        err = modules_search(s);
    if (err != MS_OK)
        return no_memory(why);
    ms_sort(s->module_dict, s->n_modules, sizeof *s->module_dict, before, NULL); /* libc's may take memory from malloc */
    s->modules_found = true;
    return MS_OK;
}

bool ms_snap_is_namespace(const ms_snap *s, uint32_t dict)
{
    return s->n_modules && bsearch(&dict, s->module_dict, s->n_modules, sizeof dict, ascending) != NULL;
}

/* ---- one node, one edge ---- */

bool ms_snap_is_garbage(const ms_snap *s, uint32_t node)
{
    if (s->garbage == 0 || !ms_snap_holds(s, s->garbage))
        return false;
    uint32_t at = ms_snap_rank(s, ms_snap_holds(s, node) ? node : s->idom[node]), g = ms_snap_rank(s, s->garbage);
    return s->begin[at] >= s->begin[g] && s->begin[at] < s->end[g];
}

bool ms_snap_births_seen(const ms_snap *s)
{
    return ids_max(s->site, (uint64_t)s->objects + 1) > 0;
}

uint64_t ms_snap_address(const ms_snap *s, uint32_t node)
{
    uint32_t low = 0, high = s->n_regions;
    while (low < high) {
        uint32_t middle = (low + high) / 2;
        if (s->region_first[middle] + s->region_count[middle] <= node)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == s->n_regions || node < s->region_first[low])
        return 0;
    return s->region_base[low] + (uint64_t)s->address[node] * 8;
}

bool ms_snap_find(const ms_snap *s, uint64_t address, uint32_t *node)
{
    for (uint32_t i = 0; i < s->n_regions; i++) {
        uint32_t low = s->region_first[i], high = low + s->region_count[i];
        while (low < high) {
            uint32_t middle = low + (high - low) / 2;
            uint64_t a = s->region_base[i] + (uint64_t)s->address[middle] * 8;
            if (a == address) {
                *node = middle;
                return true;
            }
            if (a < address)
                low = middle + 1;
            else
                high = middle;
        }
    }
    return false;
}

bool ms_snap_name(const ms_snap *s, uint32_t node, uint32_t *string)
{
    uint64_t low = 0, high = s->n_texts;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (s->text_node[middle] < node)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == s->n_texts || s->text_node[low] != node)
        return false;
    *string = s->text_string[low];
    return true;
}

ms_label ms_snap_label(const ms_snap *s, uint32_t owner, uint32_t edge)
{
    uint32_t place = edge - s->first[owner], type = ms_snap_type(s, owner);
    if (place < s->type_count[type])
        return (ms_label){MS_LABEL_FIELD, s->field_name[s->type_first[type] + place]};
    place -= s->type_count[type];
    switch (s->type_rest[type]) {
    case MS_REST_INDEX:
        return (ms_label){MS_LABEL_INDEX, place};
    case MS_REST_PAIRS:
        return place & 1 ? (ms_label){MS_LABEL_VALUE, MS_SNAP_TARGET(s->to[edge - 1])} : (ms_label){MS_LABEL_KEY, 0};
    case MS_REST_MEMBERS:
        return (ms_label){MS_LABEL_MEMBER, 0};
    case MS_REST_LABELS: {
        uint64_t low = 0, high = s->n_labels;
        while (low < high) {
            uint64_t middle = low + (high - low) / 2;
            if (s->label_edge[middle] < edge)
                low = middle + 1;
            else
                high = middle;
        }
        if (low < s->n_labels && s->label_edge[low] == edge)
            return (ms_label){MS_LABEL_NAMED, s->label_name[low]};
        return (ms_label){MS_LABEL_OPAQUE, 0};
    }
    default:
        return (ms_label){MS_LABEL_OPAQUE, 0};
    }
}

const char *ms_snap_check(const ms_snap *s)
{
    if (s->have & MS_SNAP_SHAPES)
        for (uint32_t v = 0; v < s->nodes; v++)
            if (ms_snap_id(s->shape, v) >= s->n_shapes || ms_snap_type(s, v) >= s->n_types)
                return "P1: an object has a shape that does not exist";
    if (s->have & MS_SNAP_BIRTHS)
        for (uint32_t v = 0; v < s->nodes; v++)
            if (ms_snap_id(s->site, v) >= s->n_sites)
                return "P1: an object was born at a place that does not exist";
    if (s->have & MS_SNAP_EDGES) {
        for (uint32_t v = 0; v < s->nodes; v++)
            if (s->first[v] > s->first[v + 1])
                return "P2: first[] falls";
        if (s->first[0] != 0 || s->first[s->nodes] != s->edges)
            return "P2: first[] does not end with the number of edges";
        for (uint64_t i = 0; i < s->edges; i++)
            if (MS_SNAP_TARGET(s->to[i]) >= s->nodes)
                return "P3: an edge leads to no node";
    }
    if (s->have & MS_SNAP_IDOMS)
        for (uint32_t v = 0; v < s->nodes; v++)
            if (s->idom[v] >= s->nodes || (v > 0 && !ms_snap_holds(s, s->idom[v])))
                return "P3: a dominator is no node, or is not said to hold";
    for (uint32_t i = 0; i < s->n_types; i++)
        if (s->type_first[i] > s->n_fields || s->type_count[i] > s->n_fields - s->type_first[i])
            return "P4: a type has fields that do not exist";
    return NULL;
}
