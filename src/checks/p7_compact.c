/* p7_compact.c -- what would the same data take in a better form?
 *
 * Computed on the objects of the snapshot, without running anything: each instance in slots, each list of numbers
 * as an array, each record's table of keys once, each text once. Two numbers: bytes of blocks, exact, and what the system would
 * get back (pages.c), which may be nothing.
 *
 * Savings of one kind are summed by the line that their containers were made in: thousands of small lists are one finding. */
#include "checks/checks.h"
#include "graph/vec.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Worth a finding: a tenth of all that lives, and 4 MiB. Less would not repay a change that touches a class. */
#define SAVED_SHARE 0.1
#define SAVED_BYTES (4.0 * 1048576)
enum { MANY = 10000, LEAST_LIST = 1000, RECORD_KEYS = 3, RECORD_MOST = 64, WIDE = 16, WIDE_LEAST = 8, WIDE_MOST = 1000, RECORDS = 100 };

static double worth(const ms_view *v)
{
    return fmax(SAVED_BYTES, SAVED_SHARE * (double)v->live);
}

static uint32_t countable(const ms_evidence *e, uint32_t line)
{
    return ms_line_counts(e, line) ? line : MS_NONE;
}

/* S1: instances with a dict each. A collector's header, the object's own, a pointer for each attribute. */
static double slotted(const ms_view *v, uint32_t i, uint32_t *dict, double *then)
{
    const ms_snap *s = v->snap;
    uint32_t type = ms_snap_type(s, i), fields = s->type_count[type], attributes = 0;
    *dict = 0;
    for (uint32_t edge = s->first[i], k = 0; edge < s->first[i + 1]; edge++, k++) {
        uint32_t t = MS_SNAP_TARGET(s->to[edge]);
        if (t && k < fields && s->field_name[s->type_first[type] + k] == s->attributes)
            *dict = t;
        else
            attributes += t != 0;
    }
    double now = (double)ms_snap_bytes(s, i);
    if (*dict && ms_view_is(v, *dict, MS_IS(DICT))) {
        attributes += (s->first[*dict + 1] - s->first[*dict]) / 2;
        now += (double)ms_snap_bytes(s, *dict);
    }
    *then = fmin(now, ms_room_of(32.0 + 8.0 * attributes));
    return now;
}

static ms_err slots(const ms_evidence *e, uint32_t at, ms_view *v, ms_findings *out)
{
    typedef struct {
        double   now, then;
        uint64_t count;
        uint32_t example;
        bool     has; /* a __dict__ among its fields */
    } sum;
    const ms_process *p = &e->process[at];
    const ms_snap *s = v->snap;
    size_t size = (s->n_types + 1) * sizeof(sum);
    sum *types = ms_sys_alloc(size);
    ms_err err = types ? MS_OK : MS_ENOMEM;
    for (uint32_t type = 0; err == MS_OK && type < s->n_types; type++)
        if (s->type_flags[type] & MS_SNAP_HEAP_TYPE && !(s->type_flags[type] & MS_SNAP_EXCEPTION) && s->type_rest[type] == MS_REST_NONE)
            for (uint32_t k = 0; k < s->type_count[type]; k++)
                types[type].has = types[type].has || s->field_name[s->type_first[type] + k] == s->attributes;
    for (uint32_t i = 1; err == MS_OK && i <= s->objects; i++) {
        sum *t = &types[ms_snap_type(s, i)];
        uint32_t dict;
        double then;
        if (!t->has || ms_snap_is_garbage(s, i))
            continue;
        t->now += slotted(v, i, &dict, &then);
        t->then += then;
        t->count++;
        t->example = i;
    }
    for (uint32_t type = 0; err == MS_OK && type < s->n_types; type++) {
        const sum *t = &types[type];
        if (t->count < MANY || t->now - t->then < worth(v))
            continue;
        if ((err = ms_pages_begin(v)) != MS_OK)
            break;
        for (uint32_t i = 1; i <= s->objects; i++) {
            uint32_t dict;
            double then;
            if (ms_snap_type(s, i) != type || ms_snap_is_garbage(s, i))
                continue;
            slotted(v, i, &dict, &then);
            ms_pages_drop(v, i);
            if (dict && ms_view_is(v, dict, MS_IS(DICT)))
                ms_pages_drop(v, dict);
            ms_pages_make(v, 1, then);
        }
        ms_finding *f;
        err = ms_finding_add(out, "S1", at, countable(e, ms_view_line(p, v, t->example)), (uint64_t)t->now, 0.9, &f);
        if (err != MS_OK)
            break;
        f->saves = (uint64_t)(t->now - t->then);
        ms_finding_fact(f, "number", (double)t->count);
        ms_finding_fact(f, "live", (double)v->live);
        ms_finding_fact(f, "now", t->now / (double)t->count);
        ms_finding_fact(f, "then", t->then / (double)t->count);
        ms_finding_fact(f, "returns", ms_pages_back(v));
        ms_finding_type(f, "type", v, type);
        err = ms_finding_way(out, f, p, v, t->example);
    }
    ms_sys_free(types, size);
    return err;
}

/* ---- savings, by kind and line of birth ---- */

enum { INTS, FLOATS, RECORD_LISTS, OBJECTS, DEFAULTS, EMPTIED, RESERVED, EQUAL, KINDS };

static const struct {
    const char *rule, *kind;
    double      times;  /* of what is worth a finding */
    uint64_t    number; /* at least so many containers */
} kinds[KINDS] = {
    [INTS] = {"S5", "int", 1, 1},         [FLOATS] = {"S5", "float", 1, 1},        [RECORD_LISTS] = {"S5", "dict", 1, 1},
    [OBJECTS] = {"S4", "object", 1, 1},   [DEFAULTS] = {"S7", "dict", 1, RECORDS}, [EMPTIED] = {"S2", "dict", 1, 1},
    [RESERVED] = {"S6", "list", 2, 1}, /* what is appended to has room to spare by right */
    [EQUAL] = {"S3", "str", 1, 1},
};

typedef struct {
    uint32_t node;
    float    then; /* bytes of what takes its place */
} part;

typedef struct {
    int      kind;
    uint32_t line, example;
    double   now, then, columns, most, room;
    uint64_t elements, number;
    MS_VEC(part) parts;
} saving;

typedef struct {
    ms_view *v;
    const ms_process *p;
    ms_table by;
    MS_VEC(saving) at;
} savings;

static ms_err add_saving(savings *x, int kind, uint32_t node, uint64_t elements, double now, double then, saving **out)
{
    uint32_t row, line = ms_view_line(x->p, x->v, node);
    bool new;
    *out = NULL;
    if (then >= now)
        return MS_OK;
    MS_TRY(ms_table_row(&x->by, (uint32_t)kind, line, kind == EQUAL ? 0 : ms_snap_type(x->v->snap, node), (uint32_t)x->at.n, &row, &new));
    if (new) {
        MS_TRY(MS_VEC_ROOM(&x->at));
        x->at.at[x->at.n++] = (saving){.kind = kind, .line = line};
    }
    saving *s = &x->at.at[row];
    MS_TRY(MS_VEC_ROOM(&s->parts));
    s->parts.at[s->parts.n++] = (part){node, (float)then};
    s->now += now;
    s->then += then;
    s->number++;
    s->elements += elements;
    if (now - then > s->most) {
        s->most = now - then;
        s->example = node;
    }
    *out = s;
    return MS_OK;
}

static bool same_kind(const ms_view *v, uint32_t list, uint64_t kind)
{
    const ms_snap *s = v->snap;
    for (uint32_t e = s->first[list]; e < s->first[list + 1]; e++) {
        uint32_t t = MS_SNAP_TARGET(s->to[e]);
        if (t == 0 || !ms_view_is(v, t, kind))
            return false;
    }
    return true;
}

/* S5: lists whose elements are all int or all float. */
static ms_err number_list(savings *x, int kind, uint32_t list)
{
    const ms_snap *s = x->v->snap;
    double elements = 0;
    uint32_t n = s->first[list + 1] - s->first[list], before = 0;
    saving *to;
    for (uint32_t e = s->first[list]; e < s->first[list + 1]; e++) {
        uint32_t t = MS_SNAP_TARGET(s->to[e]);
        if (s->idom[t] == list && t != before) /* one that stands there twice is met twice, mostly side by side */
            elements += (double)ms_snap_bytes(s, t);
        before = t;
    }
    return add_saving(x, kind, list, n, (double)ms_snap_bytes(s, list) + elements, ms_room_of(64) + ms_room_of(8.0 * n), &to);
}

/* S5: lists of dicts with the same number of keys, up to 64 of them and texts: as objects with slots, and as an array for each key. A table
 * by numbers, or of a thousand entries, is no record. */
static ms_err record_list(savings *x, uint32_t list)
{
    const ms_snap *s = x->v->snap;
    double now = (double)ms_snap_bytes(s, list), columns = 0;
    uint32_t n = s->first[list + 1] - s->first[list], keys = 0;
    for (uint32_t e = s->first[list]; e < s->first[list + 1]; e++) {
        uint32_t t = MS_SNAP_TARGET(s->to[e]), here = (s->first[t + 1] - s->first[t]) / 2;
        uint32_t name = here ? MS_SNAP_TARGET(s->to[s->first[t]]) : 0;
        if (s->idom[t] != list || (keys && here != keys) || here < RECORD_KEYS || here > RECORD_MOST || (name && !ms_view_is(x->v, name, MS_IS(STR))))
            return MS_OK;
        keys = here;
        now += (double)ms_snap_bytes(s, t);
        for (uint32_t k = s->first[t] + 1; k < s->first[t + 1]; k += 2) { /* numbers stand in the array itself */
            uint32_t value = MS_SNAP_TARGET(s->to[k]);
            if (value && s->idom[value] == t && ms_view_is(x->v, value, MS_IS(INT) | MS_IS(FLOAT)))
                columns += (double)ms_snap_bytes(s, value);
        }
    }
    saving *to;
    MS_TRY(add_saving(x, RECORD_LISTS, list, n, now, (double)ms_snap_bytes(s, list) + n * ms_room_of(32.0 + 8.0 * keys), &to));
    if (to)
        to->columns += now + columns - keys * (ms_room_of(64) + ms_room_of(8.0 * n));
    return MS_OK;
}

/* S4: arrays of objects with few different ones. */
static ms_err object_array(savings *x, uint32_t array)
{
    enum { SLOTS = 1024 };
    uint32_t seen[SLOTS] = {0}, distinct = 0;
    const ms_snap *s = x->v->snap;
    uint32_t from = s->first[array] + s->type_count[ms_snap_type(s, array)], n = s->first[array + 1] - from;
    saving *to;
    for (uint32_t e = from; e < s->first[array + 1] && distinct < SLOTS / 2; e++) {
        uint32_t t = MS_SNAP_TARGET(s->to[e]), at = t * 2654435761u % SLOTS;
        while (seen[at] && seen[at] != t)
            at = (at + 1) % SLOTS;
        if (t && !seen[at]) {
            seen[at] = t;
            distinct++;
        }
    }
    if (distinct >= SLOTS / 2 || distinct >= n / 20)
        return MS_OK;
    return add_saving(x, OBJECTS, array, n, 8.0 * n, (distinct < 256 ? 1.0 : 2.0) * n + 8.0 * distinct, &to);
}

/* The table of a dict that is made with so many entries; text: all keys are texts. */
static double dict_table(double entries, bool text)
{
    double size = 8;
    if (entries <= 0)
        return 0; /* all empty ones share a table */
    while (size < (entries * 3 + 1) / 2)
        size *= 2;
    double index = size <= 128 ? 1 : size <= 32768 ? 2 : size <= 2147483648.0 ? 4 : 8;
    return ms_room_of(32 + size * index + floor(size * 2 / 3) * (text ? 16 : 24));
}

static double set_table(double entries)
{
    double size = 8;
    while (size <= entries * 2)
        size *= 2;
    return size <= 8 ? 0 : ms_room_of(16 * size); /* eight have their place in the set */
}

static bool text_keys(const ms_view *v, uint32_t dict)
{
    const ms_snap *s = v->snap;
    for (uint32_t e = s->first[dict]; e < s->first[dict + 1]; e += 2)
        if (MS_SNAP_TARGET(s->to[e]) && !ms_view_is(v, MS_SNAP_TARGET(s->to[e]), MS_IS(STR)))
            return false;
    return true;
}

/* S7: dicts of as many names from one line, with nearly all the same objects in the same places: of each, what differs. What most of
 * them have in a place is told by two walks over them: a candidate for each place (Boyer and Moore, 1981), then the count. */
typedef struct {
    uint32_t first, n, number; /* their places begin here; entries of each; how many there are */
    uint64_t same;
} wide;

typedef struct {
    ms_table by;
    MS_VEC(wide) at;
    MS_VEC(uint32_t) candidate;
    MS_VEC(uint32_t) votes;
} wides;

static ms_err wide_of(savings *x, wides *w, uint32_t dict, wide **out)
{
    const ms_snap *s = x->v->snap;
    uint32_t row, n = (s->first[dict + 1] - s->first[dict]) / 2;
    bool new;
    MS_TRY(ms_table_row(&w->by, ms_view_line(x->p, x->v, dict), n, 0, (uint32_t)w->at.n, &row, &new));
    if (new) {
        MS_TRY(MS_VEC_ROOM(&w->at));
        w->at.at[w->at.n++] = (wide){.first = (uint32_t)w->candidate.n, .n = n};
        for (uint32_t k = 0; k < n; k++) {
            MS_TRY(MS_VEC_ROOM(&w->candidate));
            MS_TRY(MS_VEC_ROOM(&w->votes));
            w->candidate.at[w->candidate.n++] = w->votes.at[w->votes.n++] = 0;
        }
    }
    *out = &w->at.at[row];
    return MS_OK;
}

static bool is_record(const savings *x, uint32_t i)
{
    const ms_snap *s = x->v->snap;
    uint32_t n = (s->first[i + 1] - s->first[i]) / 2;
    return n >= WIDE_LEAST && n <= WIDE_MOST && ms_view_is(x->v, i, MS_IS(DICT)) && !ms_snap_is_garbage(s, i) && !ms_snap_is_namespace(s, i);
}

static ms_err default_dicts(savings *x)
{
    const ms_snap *s = x->v->snap;
    wides w = {0};
    wide *to;
    saving *sum;
    ms_err err = MS_OK;
    for (int walk = 0; walk < 3 && err == MS_OK; walk++)
        for (uint32_t i = 1; i <= s->objects && err == MS_OK; i++) {
            if (!is_record(x, i) || (err = wide_of(x, &w, i, &to)) != MS_OK)
                continue;
            uint32_t same = 0, *candidate = w.candidate.at + to->first, *votes = w.votes.at + to->first;
            if (walk && (to->number < RECORDS || (walk == 2 && to->same * 10 <= (uint64_t)to->number * to->n * 9)))
                continue;
            for (uint32_t k = 0; k < to->n; k++) {
                uint32_t t = MS_SNAP_TARGET(s->to[s->first[i] + 1 + 2 * k]);
                if (walk == 0 && votes[k] == 0)
                    candidate[k] = t;
                if (walk == 0)
                    votes[k] += t == candidate[k] ? 1 : -1u;
                same += t && t == candidate[k];
            }
            if (walk == 0)
                to->number++;
            else if (walk == 1)
                to->same += same;
            else
                err = add_saving(x, DEFAULTS, i, to->n, (double)ms_snap_bytes(s, i), ms_room_of(64) + dict_table(to->n - same, text_keys(x->v, i)), &sum);
        }
    ms_table_free(&w.by);
    MS_VEC_FREE(&w.at);
    MS_VEC_FREE(&w.candidate);
    MS_VEC_FREE(&w.votes);
    return err;
}

static ms_err shapes(savings *x)
{
    const ms_view *v = x->v;
    const ms_snap *s = v->snap;
    for (uint32_t i = 1; i <= s->objects; i++) {
        uint32_t n = s->first[i + 1] - s->first[i], t;
        if (n < WIDE || !ms_view_is(v, i, MS_IS(LIST) | MS_IS(ARRAY)) || ms_snap_is_garbage(s, i))
            continue;
        if (ms_view_is(v, i, MS_IS(LIST)) && n >= LEAST_LIST && (t = MS_SNAP_TARGET(s->to[s->first[i]])) != 0) {
            if (ms_view_is(v, t, MS_IS(INT)) && same_kind(v, i, MS_IS(INT)))
                MS_TRY(number_list(x, INTS, i));
            else if (ms_view_is(v, t, MS_IS(FLOAT)) && same_kind(v, i, MS_IS(FLOAT)))
                MS_TRY(number_list(x, FLOATS, i));
            else if (ms_view_is(v, t, MS_IS(DICT)) && same_kind(v, i, MS_IS(DICT)))
                MS_TRY(record_list(x, i));
        } else if (ms_view_is(v, i, MS_IS(ARRAY)) && n >= MANY)
            MS_TRY(object_array(x, i));
    }
    return default_dicts(x);
}

/* S2: tables with an eighth of their room in use; S6: room reserved at the end of what does not grow. */
static ms_err tables(savings *x)
{
    ms_view *v = x->v;
    ms_snap *s = v->snap;
    ms_column node, used, space;
    if (ms_snap_column(s, "containers", "node", MS_TYPE_U32, NULL, &node) != MS_OK ||
        ms_snap_column(s, "containers", "used", MS_TYPE_U32, NULL, &used) != MS_OK || used.rows != node.rows ||
        ms_snap_column(s, "containers", "room", MS_TYPE_U32, NULL, &space) != MS_OK || space.rows != node.rows)
        return MS_OK;
    for (uint64_t i = 0; i < node.rows; i++) {
        uint32_t n = ((const uint32_t *)node.values)[i];
        double u = ((const uint32_t *)used.values)[i], r = ((const uint32_t *)space.values)[i], now, then;
        int kind = RESERVED;
        saving *to;
        if (n == 0 || n > s->objects || r <= 0 || u >= r || ms_snap_is_garbage(s, n))
            continue;
        if (ms_view_is(v, n, MS_IS(DICT) | MS_IS(SET) | MS_IS(ORDERED_DICT) | MS_IS(DEFAULT_DICT))) {
            kind = EMPTIED;
            now = (double)ms_snap_bytes(s, n);
            then = ms_view_is(v, n, MS_IS(SET)) ? ms_room_of(216) + set_table(u) : ms_room_of(64) + dict_table(u, text_keys(v, n));
            if (u >= r / 8)
                continue;
        } else if (ms_view_is(v, n, MS_IS(LIST)) || ms_view_is(v, n, MS_IS(BYTEARRAY))) {
            double each = ms_view_is(v, n, MS_IS(LIST)) ? 8 : 1;
            now = ms_room_of(each * r);
            then = u > 0 ? ms_room_of(each * u + (each == 1)) : 0; /* a bytearray ends in a 0 */
        } else
            continue;
        MS_TRY(add_saving(x, kind, n, (uint64_t)u, now, then, &to));
        if (to)
            to->room += r;
    }
    return MS_OK;
}

/* S3: equal texts, all but one of each; the members of a group stand together. */
static ms_err equals(savings *x)
{
    ms_snap *s = x->v->snap;
    ms_column group, node;
    if (ms_snap_column(s, "equal_members", "group", MS_TYPE_U32, NULL, &group) != MS_OK ||
        ms_snap_column(s, "equal_members", "node", MS_TYPE_U32, NULL, &node) != MS_OK || node.rows != group.rows)
        return MS_OK;
    uint32_t last = MS_NONE;
    bool kept = false;
    for (uint64_t i = 0; i < node.rows; i++) {
        uint32_t n = ((const uint32_t *)node.values)[i], g = ((const uint32_t *)group.values)[i];
        saving *to;
        if (n == 0 || n > s->objects || !ms_view_is(x->v, n, MS_IS(STR) | MS_IS(BYTES)) || ms_snap_is_garbage(s, n))
            continue;
        if (s->idom[n] && s->idom[n] <= s->objects && ms_view_is(x->v, s->idom[n], MS_IS(BYTEARRAY)))
            continue; /* its buffer (3.15): it will be written to */
        if (g != last)
            kept = false;
        last = g;
        if (kept) { /* the first one stays */
            MS_TRY(add_saving(x, EQUAL, n, 1, (double)ms_snap_bytes(s, n), 0, &to));
            continue;
        }
        kept = true;
    }
    return MS_OK;
}

static int by_node(const void *x, const void *y)
{
    uint32_t a = ((const part *)x)->node, b = ((const part *)y)->node;
    return (a > b) - (a < b);
}

/* Take what a saving does away with off the map, and put what it makes there. */
static ms_err pages(ms_view *v, saving *x, double *back)
{
    const ms_snap *s = v->snap;
    MS_TRY(ms_pages_begin(v));
    qsort(x->parts.at, x->parts.n, sizeof *x->parts.at, by_node);
    for (size_t i = 0; i < x->parts.n; i++) {
        uint32_t node = x->parts.at[i].node, before = 0;
        double then = x->parts.at[i].then;
        switch (x->kind) {
        case EQUAL:
            ms_pages_drop(v, node);
            break;
        case INTS:
        case FLOATS:
        case RECORD_LISTS:
            if (x->kind != RECORD_LISTS)
                ms_pages_drop(v, node);
            for (uint32_t e = s->first[node]; e < s->first[node + 1]; e++) {
                uint32_t t = MS_SNAP_TARGET(s->to[e]);
                if (s->idom[t] == node && t != before)
                    ms_pages_drop(v, t);
                before = t;
            }
            if (x->kind == RECORD_LISTS) {
                uint32_t n = s->first[node + 1] - s->first[node];
                ms_pages_make(v, n, (then - (double)ms_snap_bytes(s, node)) / n);
            } else
                ms_pages_make(v, 1, then - ms_room_of(64));
            break;
        case DEFAULTS:
            ms_pages_drop(v, node);
            ms_pages_make(v, 1, then);
            break;
        case EMPTIED: /* the container stays */
            ms_pages_drop_owned(v, node);
            ms_pages_make(v, 1, fmax(0, then - ms_room_of(64)));
            break;
        default:
            ms_pages_drop_owned(v, node);
            ms_pages_make(v, 1, then);
        }
    }
    *back = ms_pages_back(v);
    return MS_OK;
}

static ms_err tell(const ms_evidence *e, uint32_t at, ms_view *v, saving *x, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    const ms_snap *s = v->snap;
    uint64_t together = 0;
    double back;
    ms_finding *f;
    MS_TRY(pages(v, x, &back));
    for (size_t i = 0; i < x->parts.n; i++)
        together += s->idom[x->parts.at[i].node] == s->idom[x->example];
    MS_TRY(ms_finding_add(out, kinds[x->kind].rule, at, countable(e, x->line), (uint64_t)x->now, 0.9, &f));
    f->saves = (uint64_t)(x->now - x->then);
    ms_finding_fact(f, "number", (double)x->number);
    ms_finding_fact(f, "elements", (double)x->elements);
    ms_finding_fact(f, "live", (double)v->live);
    ms_finding_fact(f, "together", (double)together);
    ms_finding_fact(f, "returns", back);
    if (x->room > 0)
        ms_finding_fact(f, "room", x->room);
    if (x->columns > 0)
        ms_finding_fact(f, "columns", x->columns);
    ms_finding_text(f, "kind", "%s", kinds[x->kind].kind);
    ms_finding_type(f, "type", v, ms_snap_type(s, x->example));
    return ms_finding_way(out, f, p, v, x->example);
}

/* What is full at the peak may be empty at the end: tables are looked at in each picture. */
static ms_err compact(const ms_evidence *e, uint32_t at, ms_view *v, bool fullest, ms_findings *out)
{
    savings x = {.v = v, .p = &e->process[at]};
    ms_err err = tables(&x);
    if (err == MS_OK && fullest)
        err = shapes(&x);
    if (err == MS_OK && fullest)
        err = equals(&x);
    for (size_t i = 0; err == MS_OK && i < x.at.n; i++) {
        saving *one = &x.at.at[i];
        bool told = false;
        for (uint32_t k = 0; k < out->n && !fullest; k++)
            told = told || (out->finding[k].process == at && out->finding[k].line == countable(e, one->line) && !strcmp(out->finding[k].rule->id, kinds[one->kind].rule));
        if (!told && one->number >= kinds[one->kind].number && one->now - one->then >= kinds[one->kind].times * worth(v))
            err = tell(e, at, v, one, out);
    }
    for (size_t i = 0; i < x.at.n; i++)
        MS_VEC_FREE(&x.at.at[i].parts);
    MS_VEC_FREE(&x.at);
    ms_table_free(&x.by);
    return err;
}

static ms_err run(const ms_evidence *e, ms_findings *out)
{
    for (uint32_t at = 0; at < e->nprocess; at++)
        for (uint32_t k = 0; k < e->process[at].nview; k++) {
            ms_view *v = e->process[at].view[k];
            if (k == 0)
                MS_TRY(slots(e, at, v, out));
            MS_TRY(compact(e, at, v, k == 0, out));
        }
    return MS_OK;
}

static const ms_rule rules[] = {
    {"S1", MS_VERDICT_RETENTION}, {"S2", MS_VERDICT_RETENTION}, {"S3", MS_VERDICT_RETENTION}, {"S4", MS_VERDICT_RETENTION},
    {"S5", MS_VERDICT_RETENTION}, {"S6", MS_VERDICT_RETENTION}, {"S7", MS_VERDICT_RETENTION},
};
const ms_check ms_check_compact = {.principle = 7, .name = "compact", .rules = rules, .nrules = sizeof rules / sizeof *rules, .run = run,
    .asks = "what would the same data take in a better form?"};
