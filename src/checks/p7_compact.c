/* p7_compact.c -- what would the same data take in a better form?
 *
 * Computed on the objects of the snapshot, without running anything: each instance in slots, each list of numbers
 * as an array, each record's table of keys once. Bytes are those of blocks, exact; pages go back to the system as far as
 * whole ones become free, so what RSS falls by may be less. */
#include "checks/checks.h"

#include <math.h>
#include <string.h>

/* Worth a finding: a tenth of all that lives, and 4 MiB. Less would not repay a change that touches a class. */
#define SAVED_SHARE 0.1
#define SAVED_BYTES (4.0 * 1048576)
enum { MANY = 10000, LEAST_LIST = 1000, RECORD_KEYS = 3, WIDE = 16 };

static double worth(const ms_view *v)
{
    return fmax(SAVED_BYTES, SAVED_SHARE * (double)v->live);
}

/* The room of a small block that this is asked of. */
static double room(double bytes)
{
    return bytes > 504 ? bytes : ceil((bytes + 8) / 16) * 16 - 8;
}

static uint32_t countable(const ms_evidence *e, uint32_t line)
{
    return ms_line_counts(e, line) ? line : MS_NONE;
}

/* S1: instances with a dict each. A collector's header, the object's own, a pointer for each attribute. */
static ms_err slots(const ms_evidence *e, uint32_t at, ms_view *v, ms_findings *out)
{
    typedef struct {
        double   now, then;
        uint64_t count;
        uint32_t example;
    } sum;
    const ms_process *p = &e->process[at];
    const ms_snap *s = v->snap;
    size_t size = (s->n_types + 1) * sizeof(sum);
    sum *types = ms_sys_alloc(size);
    ms_err err = types ? MS_OK : MS_ENOMEM;
    for (uint32_t i = 1; err == MS_OK && i <= s->objects; i++) {
        uint32_t type = ms_snap_type(s, i), attributes = 0, dict = 0;
        if (!(s->type_flags[type] & MS_SNAP_HEAP_TYPE) || s->type_flags[type] & MS_SNAP_EXCEPTION || s->type_rest[type] != MS_REST_NONE)
            continue;
        bool has = false;
        uint32_t fields = s->type_count[type];
        for (uint32_t k = 0; k < fields; k++)
            has = has || s->field_name[s->type_first[type] + k] == s->attributes;
        if (!has)
            continue;
        for (uint32_t edge = s->first[i], k = 0; edge < s->first[i + 1]; edge++, k++) {
            uint32_t t = MS_SNAP_TARGET(s->to[edge]);
            if (t && k < fields && s->field_name[s->type_first[type] + k] == s->attributes)
                dict = t;
            else
                attributes += t != 0;
        }
        double now = (double)ms_snap_bytes(s, i);
        if (dict && ms_view_type_is(v, dict, "dict")) {
            attributes += (s->first[dict + 1] - s->first[dict]) / 2;
            now += (double)ms_snap_bytes(s, dict);
        }
        sum *t = &types[type];
        t->now += now;
        t->then += fmin(now, room(32.0 + 8.0 * attributes));
        t->count++;
        t->example = i;
    }
    for (uint32_t type = 0; err == MS_OK && type < s->n_types; type++) {
        const sum *t = &types[type];
        if (t->count < MANY || t->now - t->then < worth(v))
            continue;
        ms_finding *f;
        err = ms_finding_add(out, "S1", at, countable(e, ms_view_line(p, v, t->example)), (uint64_t)t->now, 0.9, &f);
        if (err != MS_OK)
            break;
        f->saves = (uint64_t)(t->now - t->then);
        ms_finding_fact(f, "number", (double)t->count);
        ms_finding_fact(f, "live", (double)v->live);
        ms_finding_fact(f, "now", t->now / (double)t->count);
        ms_finding_fact(f, "then", t->then / (double)t->count);
        ms_finding_type(f, "type", v, type);
        err = ms_finding_way(out, f, p, v, t->example);
    }
    ms_sys_free(types, size);
    return err;
}

/* S5: lists whose elements are all int or all float, or dicts with the same number of keys. S7: dicts whose values are
 * nearly all one object. S4: arrays of objects with few different ones. */
typedef struct {
    double   now, then;
    uint64_t lists, elements;
    uint32_t example;
    double   most;
} saving;

static bool same_kind(const ms_view *v, uint32_t list, const char *name)
{
    const ms_snap *s = v->snap;
    for (uint32_t e = s->first[list]; e < s->first[list + 1]; e++) {
        uint32_t t = MS_SNAP_TARGET(s->to[e]);
        if (t == 0 || !ms_view_type_is(v, t, name))
            return false;
    }
    return true;
}

static void add_saving(saving *s, uint32_t node, uint64_t elements, double now, double then)
{
    if (then >= now)
        return;
    s->now += now;
    s->then += then;
    s->lists++;
    s->elements += elements;
    if (now - then > s->most) {
        s->most = now - then;
        s->example = node;
    }
}

static void number_list(const ms_view *v, uint32_t list, saving *out)
{
    const ms_snap *s = v->snap;
    double elements = 0;
    uint32_t n = s->first[list + 1] - s->first[list];
    for (uint32_t e = s->first[list]; e < s->first[list + 1]; e++) {
        uint32_t t = MS_SNAP_TARGET(s->to[e]);
        if (s->idom[t] == list)
            elements += (double)ms_snap_bytes(s, t);
    }
    add_saving(out, list, n, (double)ms_snap_bytes(s, list) + elements, 64 + 8.0 * n);
}

static void record_list(const ms_view *v, uint32_t list, saving *out)
{
    const ms_snap *s = v->snap;
    double now = (double)ms_snap_bytes(s, list), then;
    uint32_t n = s->first[list + 1] - s->first[list], keys = 0;
    for (uint32_t e = s->first[list]; e < s->first[list + 1]; e++) {
        uint32_t t = MS_SNAP_TARGET(s->to[e]), here = (s->first[t + 1] - s->first[t]) / 2;
        if (s->idom[t] != list || (keys && here != keys) || here < RECORD_KEYS)
            return;
        keys = here;
        now += (double)ms_snap_bytes(s, t);
    }
    then = (double)ms_snap_bytes(s, list) + n * room(32.0 + 8.0 * keys); /* objects with slots; columns take less still */
    add_saving(out, list, n, now, then);
}

static void object_array(const ms_view *v, uint32_t array, saving *out)
{
    enum { SLOTS = 1024 };
    uint32_t seen[SLOTS] = {0}, distinct = 0;
    const ms_snap *s = v->snap;
    uint32_t from = s->first[array] + s->type_count[ms_snap_type(s, array)], n = s->first[array + 1] - from;
    for (uint32_t e = from; e < s->first[array + 1] && distinct < SLOTS / 2; e++) {
        uint32_t t = MS_SNAP_TARGET(s->to[e]), at = t * 2654435761u % SLOTS;
        while (seen[at] && seen[at] != t)
            at = (at + 1) % SLOTS;
        if (t && !seen[at]) {
            seen[at] = t;
            distinct++;
        }
    }
    if (distinct < SLOTS / 2 && distinct < n / 20)
        add_saving(out, array, n, 8.0 * n, (distinct < 256 ? 1.0 : 2.0) * n + 8.0 * distinct);
}

static void default_dict(const ms_view *v, uint32_t dict, saving *out)
{
    const ms_snap *s = v->snap;
    uint32_t candidate = 0, votes = 0, same = 0, n = (s->first[dict + 1] - s->first[dict]) / 2;
    for (uint32_t e = s->first[dict] + 1; e < s->first[dict + 1]; e += 2) {
        uint32_t t = MS_SNAP_TARGET(s->to[e]);
        if (votes == 0)
            candidate = t;
        votes += t == candidate ? 1 : -1u;
    }
    for (uint32_t e = s->first[dict] + 1; e < s->first[dict + 1]; e += 2)
        same += MS_SNAP_TARGET(s->to[e]) == candidate;
    if (candidate && same * 10 > n * 9)
        add_saving(out, dict, n, (double)ms_snap_bytes(s, dict), room(64) + room(96));
}

static ms_err add(const ms_evidence *e, uint32_t at, ms_view *v, const char *rule, const saving *x, const char *kind, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    ms_finding *f;
    if (x->lists == 0 || x->now - x->then < worth(v))
        return MS_OK;
    MS_TRY(ms_finding_add(out, rule, at, countable(e, ms_view_line(p, v, x->example)), (uint64_t)x->now, 0.9, &f));
    f->saves = (uint64_t)(x->now - x->then);
    ms_finding_fact(f, "number", (double)x->lists);
    ms_finding_fact(f, "elements", (double)x->elements);
    ms_finding_fact(f, "live", (double)v->live);
    ms_finding_text(f, "kind", "%s", kind);
    return ms_finding_way(out, f, p, v, x->example);
}

static ms_err shapes(const ms_evidence *e, uint32_t at, ms_view *v, ms_findings *out)
{
    const ms_snap *s = v->snap;
    saving ints = {0}, floats = {0}, records = {0}, objects = {0}, defaults = {0};
    for (uint32_t i = 1; i <= s->objects; i++) {
        uint32_t n = s->first[i + 1] - s->first[i], t;
        if (n < WIDE || ms_snap_is_garbage(s, i))
            continue;
        if (ms_view_type_is(v, i, "list") && n >= LEAST_LIST && (t = MS_SNAP_TARGET(s->to[s->first[i]])) != 0) {
            if (ms_view_type_is(v, t, "int") && same_kind(v, i, "int"))
                number_list(v, i, &ints);
            else if (ms_view_type_is(v, t, "float") && same_kind(v, i, "float"))
                number_list(v, i, &floats);
            else if (ms_view_type_is(v, t, "dict") && same_kind(v, i, "dict"))
                record_list(v, i, &records);
        } else if (ms_view_type_is(v, i, "numpy.ndarray") && n >= MANY)
            object_array(v, i, &objects);
        else if (ms_view_type_is(v, i, "dict") && n >= 2 * WIDE && !ms_snap_is_namespace(s, i))
            default_dict(v, i, &defaults);
    }
    MS_TRY(add(e, at, v, "S5", &ints, "int", out));
    MS_TRY(add(e, at, v, "S5", &floats, "float", out));
    MS_TRY(add(e, at, v, "S5", &records, "dict", out));
    MS_TRY(add(e, at, v, "S4", &objects, "object", out));
    return add(e, at, v, "S7", &defaults, "dict", out);
}

/* S2: tables with an eighth of their room in use; S6: room reserved at the end of what does not grow. S3: equal values. */
static ms_err tables(const ms_evidence *e, uint32_t at, ms_view *v, ms_findings *out)
{
    ms_snap *s = v->snap;
    ms_column node, used, space, type, example, count, bytes;
    saving emptied = {0}, reserved = {0}, equal = {0};
    if (ms_snap_column(s, "containers", "node", MS_TYPE_U32, NULL, &node) == MS_OK &&
        ms_snap_column(s, "containers", "used", MS_TYPE_U32, NULL, &used) == MS_OK && used.rows == node.rows &&
        ms_snap_column(s, "containers", "room", MS_TYPE_U32, NULL, &space) == MS_OK && space.rows == node.rows)
        for (uint64_t i = 0; i < node.rows; i++) {
            uint32_t n = ((const uint32_t *)node.values)[i];
            double u = ((const uint32_t *)used.values)[i], r = ((const uint32_t *)space.values)[i];
            if (n == 0 || n > s->objects || r <= 0 || u > r)
                continue;
            double now = (double)ms_snap_bytes(s, n);
            if (ms_view_type_is(v, n, "dict") || ms_view_type_is(v, n, "set") || ms_view_type_is(v, n, "collections.OrderedDict")) {
                if (u < r / 8)
                    add_saving(&emptied, n, (uint64_t)u, now, now * u * 1.5 / r + 64);
            } else if (u < r)
                add_saving(&reserved, n, (uint64_t)u, now, now * u / r);
        }
    if (ms_snap_column(s, "equal", "type", MS_TYPE_U32, NULL, &type) == MS_OK &&
        ms_snap_column(s, "equal", "example", MS_TYPE_U32, NULL, &example) == MS_OK && example.rows == type.rows &&
        ms_snap_column(s, "equal", "count", MS_TYPE_U64, NULL, &count) == MS_OK && count.rows == type.rows &&
        ms_snap_column(s, "equal", "bytes", MS_TYPE_U64, NULL, &bytes) == MS_OK && bytes.rows == type.rows)
        for (uint64_t i = 0; i < type.rows; i++) {
            uint32_t t = ((const uint32_t *)type.values)[i], n = ((const uint32_t *)example.values)[i];
            double c = (double)((const uint64_t *)count.values)[i], b = (double)((const uint64_t *)bytes.values)[i];
            if (t < s->n_types && n && n <= s->objects && c > 1 &&
                (ms_snap_text_is(s, s->type_name[t], "str") || ms_snap_text_is(s, s->type_name[t], "bytes") || ms_snap_text_is(s, s->type_name[t], "tuple")))
                add_saving(&equal, n, (uint64_t)c, c * b, b);
        }
    MS_TRY(add(e, at, v, "S2", &emptied, "dict", out));
    MS_TRY(add(e, at, v, "S3", &equal, "str", out));
    if (reserved.now - reserved.then < 2 * worth(v))
        return MS_OK; /* what is appended to has room to spare by right */
    return add(e, at, v, "S6", &reserved, "list", out);
}

static ms_err run(const ms_evidence *e, ms_findings *out)
{
    for (uint32_t at = 0; at < e->nprocess; at++)
        if (e->process[at].nview) {
            ms_view *v = e->process[at].view[0];
            MS_TRY(slots(e, at, v, out));
            MS_TRY(shapes(e, at, v, out));
            MS_TRY(tables(e, at, v, out));
        }
    return MS_OK;
}

static const ms_rule rules[] = {
    {"S1", MS_VERDICT_RETENTION}, {"S2", MS_VERDICT_RETENTION}, {"S3", MS_VERDICT_RETENTION}, {"S4", MS_VERDICT_RETENTION},
    {"S5", MS_VERDICT_RETENTION}, {"S6", MS_VERDICT_RETENTION}, {"S7", MS_VERDICT_RETENTION},
};
const ms_check ms_check_compact = {.principle = 7, .name = "compact", .rules = rules, .nrules = sizeof rules / sizeof *rules, .run = run,
    .asks = "what would the same data take in a better form?"};
