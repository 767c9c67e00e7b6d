/* evidence.c -- a recording's columns as the arrays that checks read.
 *
 * One pass over each table. A column that is missing, damaged or of another type counts as empty; columns of
 * one table that differ in length are cut to the shortest. Rows whose line does not exist are left out.
 *
 * What a library allocates on behalf of the program is found in the tree of stacks: a parent stands before
 * its children, so one pass gives each node the nearest of the program's own lines above it. */
#include "checks/checks.h"

#include <math.h>
#include <string.h>

/* A program that does nothing for so long, and then goes on for at least as long, stood still; one that waits at its end has
 * stopped growing. */
#define STALL_SECONDS 0.3
#define STALL_SHARE 0.03
#define LATEST 1152921504606846976.0 /* ns: 36 years; a later time in a file is damage */

/* A column of this type and width, or NULL; *rows is lowered to its rows. */
static const void *column(ms_file *f, const char *table, const char *name, ms_type type, uint32_t width, uint64_t *rows)
{
    ms_column c;
    if (ms_file_column(f, table, name, NULL, &c) != MS_OK || c.type != type || c.width != width) {
        *rows = 0;
        return NULL;
    }
    if (c.rows < *rows)
        *rows = c.rows;
    return c.values;
}

typedef struct {
    const int64_t *offsets;
    const char    *data;
    uint64_t       count, size;
} strings;

static strings strings_of(ms_file *f)
{
    strings s = {.count = UINT64_MAX, .size = UINT64_MAX};
    s.offsets = column(f, "strings", "offsets", MS_TYPE_I64, 1, &s.count);
    s.data = column(f, "strings", "data", MS_TYPE_U8, 1, &s.size);
    if (s.offsets == NULL || s.data == NULL || s.count == 0)
        s.count = 1; /* none */
    s.count--;
    return s;
}

static bool string_is(const strings *s, uint32_t row, const char *word)
{
    if (row >= s->count)
        return false;
    int64_t from = s->offsets[row], to = s->offsets[row + 1];
    size_t n = strlen(word);
    return from >= 0 && to >= from && (uint64_t)to <= s->size && (size_t)(to - from) == n && memcmp(s->data + from, word, n) == 0;
}

static uint64_t string_number(const strings *s, uint32_t row)
{
    uint64_t n = 0;
    if (row >= s->count)
        return 0;
    int64_t from = s->offsets[row], to = s->offsets[row + 1];
    if (from < 0 || to < from || (uint64_t)to > s->size)
        return 0;
    for (int64_t i = from; i < to; i++) {
        if (s->data[i] < '0' || s->data[i] > '9' || n > (UINT64_MAX - 9) / 10)
            return 0;
        n = n * 10 + (uint64_t)(s->data[i] - '0');
    }
    return n;
}

static void read_info(ms_process *p, const strings *s)
{
    uint64_t rows = UINT64_MAX;
    const uint32_t *key = column(p->file, "info", "key", MS_TYPE_U32, 1, &rows);
    const uint32_t *value = column(p->file, "info", "value", MS_TYPE_U32, 1, &rows);
    for (uint64_t i = 0; i < rows; i++) {
        static const struct { const char *name; size_t at; } numbers[] = {
            {"allocated_blocks", offsetof(ms_process, allocated_blocks)}, {"allocated_bytes", offsetof(ms_process, allocated_bytes)},
            {"freed_bytes", offsetof(ms_process, freed_bytes)}, {"live_bytes", offsetof(ms_process, live_bytes)},
            {"peak_bytes", offsetof(ms_process, peak_bytes)}, {"start_unix_ns", offsetof(ms_process, start_ns)},
            {"ppid", offsetof(ms_process, ppid)}, {"slab_private_bytes", offsetof(ms_process, slab_private)}, {"huge_bytes", offsetof(ms_process, huge)},
            {"huge_empty_bytes", offsetof(ms_process, huge_empty)}, {"shm_left_bytes", offsetof(ms_process, shm_left)},
            {"arrow_peak_bytes", offsetof(ms_process, arrow_peak)},
        };
        for (size_t k = 0; k < sizeof numbers / sizeof *numbers; k++)
            if (string_is(s, key[i], numbers[k].name))
                *(uint64_t *)((char *)p + numbers[k].at) = string_number(s, value[i]);
        if (string_is(s, key[i], "duration_ns"))
            p->duration = (double)string_number(s, value[i]) / 1e9;
        else if (string_is(s, key[i], "started"))
            p->forked = string_is(s, value[i], "fork");
        else if (string_is(s, key[i], "cpu_ns"))
            p->cpu = (double)string_number(s, value[i]) / 1e9;
    }
    if (!(p->cpu > 0))
        p->cpu = p->duration;
}

static void read_sites(ms_evidence *e, ms_process *p)
{
    static const struct { const char *name; size_t at; } figures[] = {
#define FIGURE(name) {#name, offsetof(ms_line, name)}
        FIGURE(allocated_blocks), FIGURE(allocated_bytes), FIGURE(freed_blocks), FIGURE(freed_bytes), FIGURE(live_blocks),
        FIGURE(live_bytes), FIGURE(peak_blocks), FIGURE(peak_bytes), FIGURE(gc_freed_blocks), FIGURE(gc_freed_bytes),
        FIGURE(temporary_blocks), FIGURE(temporary_bytes), FIGURE(inherited_bytes),
#undef FIGURE
    };
    for (size_t k = 0; k < sizeof figures / sizeof *figures; k++) {
        uint64_t rows = p->nsites;
        const uint64_t *v = column(p->file, "sites", figures[k].name, MS_TYPE_U64, 1, &rows);
        for (uint64_t i = 0; i < rows; i++)
            if (v[i] && p->line[i] < e->nlines)
                *(uint64_t *)((char *)&p->lines[p->line[i]] + figures[k].at) += v[i];
        if (strcmp(figures[k].name, "gc_freed_bytes") == 0)
            for (uint64_t i = 0; i < rows; i++)
                p->gc_freed_bytes += v[i];
        if (strcmp(figures[k].name, "inherited_bytes") == 0)
            for (uint64_t i = 0; i < rows; i++)
                p->inherited_bytes += v[i];
    }
    uint64_t rows = p->nsites;
    const uint64_t *ages = column(p->file, "sites", "lifetimes", MS_TYPE_U64, MS_AGES, &rows);
    for (uint64_t i = 0; i < rows; i++)
        if (p->line[i] < e->nlines)
            for (int k = 0; k < MS_AGES; k++)
                p->lines[p->line[i]].ages[k] += ages[i * MS_AGES + k];
}

/* What code outside the program allocated for each of the program's lines. */
static ms_err read_nodes(ms_evidence *e, ms_process *p)
{
    uint64_t rows = UINT32_MAX;
    const uint32_t *parent = column(p->file, "nodes", "parent", MS_TYPE_U32, 1, &rows);
    const uint32_t *site = column(p->file, "nodes", "site", MS_TYPE_U32, 1, &rows);
    const double *blocks = column(p->file, "nodes", "allocated_blocks", MS_TYPE_F64, 1, &rows);
    const double *bytes = column(p->file, "nodes", "allocated_bytes", MS_TYPE_F64, 1, &rows);
    const double *live = column(p->file, "nodes", "live_bytes", MS_TYPE_F64, 1, &rows);
    const double *peak = column(p->file, "nodes", "peak_bytes", MS_TYPE_F64, 1, &rows);
    if (rows == 0 || e->nlines == 0)
        return MS_OK;
    uint32_t *own = ms_sys_alloc(rows * sizeof *own);
    if (own == NULL)
        return MS_ENOMEM;
    own[0] = MS_NONE;
    for (uint64_t i = 1; i < rows; i++) {
        uint32_t line = site[i] < p->nsites ? p->line[site[i]] : MS_NONE;
        if (line < e->nlines && e->whose[line] == MS_OWN) {
            own[i] = line;
            continue;
        }
        own[i] = parent[i] < i ? own[parent[i]] : MS_NONE;
        if (own[i] == MS_NONE || !(bytes[i] > 0 && bytes[i] < 1e18 && blocks[i] >= 0 && blocks[i] < 1e18))
            continue;
        ms_line *l = &p->lines[own[i]];
        l->through_bytes += bytes[i];
        l->through_blocks += blocks[i];
        if (live[i] > 0 && live[i] < 1e18)
            l->through_live += live[i];
        if (peak[i] > 0 && peak[i] < 1e18)
            l->through_peak += peak[i];
    }
    ms_sys_free(own, rows * sizeof *own);
    return MS_OK;
}

static ms_err read_timeline(ms_process *p)
{
    static const char *const names[] = {"rss_bytes", "python_bytes", "native_used_bytes", "native_free_bytes", "slab_bytes"};
    const uint64_t *v[5];
    uint64_t rows = UINT32_MAX, told = UINT32_MAX;
    const uint64_t *t = column(p->file, "timeline", "t_ns", MS_TYPE_U64, 1, &rows);
    for (int k = 0; k < 5; k++)
        v[k] = column(p->file, "timeline", names[k], MS_TYPE_U64, 1, &rows);
    if (rows == 0)
        return MS_OK;
    const uint64_t *waited = column(p->file, "timeline", "waited_ns", MS_TYPE_U64, 1, &told);
    uint64_t also = rows;
    const uint64_t *arrow = column(p->file, "timeline", "arrow_used_bytes", MS_TYPE_U64, 1, &also);
    double *block = ms_sys_alloc(8 * rows * sizeof *block), most = 0;
    if (block == NULL)
        return MS_ENOMEM;
    p->point_room = (uint32_t)rows;
    double **out[] = {&p->t, &p->rss, &p->python, &p->native_used, &p->native_free, &p->slab, &p->waited};
    for (int k = 0; k < 7; k++)
        *out[k] = block + (uint64_t)k * rows;
    p->arrow = also == rows ? block + 7 * rows : NULL;
    uint64_t last = 0;
    for (uint64_t i = 0; i < rows; i++) {
        if (t[i] < last || (double)t[i] > LATEST)
            continue;
        last = t[i];
        p->t[p->npoint] = (double)t[i] / 1e9;
        for (int k = 0; k < 5; k++)
            (*out[k + 1])[p->npoint] = (double)v[k][i];
        if (i < told) /* it rises, and no faster than the clock */
            most = fmin(fmax(most, (double)waited[i] / 1e9), p->npoint ? most + p->t[p->npoint] - p->t[p->npoint - 1] : p->t[0]);
        p->waited[p->npoint] = most;
        if (p->arrow)
            p->arrow[p->npoint] = (double)arrow[i];
        p->npoint++;
    }
    return MS_OK;
}

double ms_process_own(const ms_process *p, double t)
{
    uint32_t a = 0, b = p->npoint;
    while (a < b) { /* the first point after t */
        uint32_t mid = a + (b - a) / 2;
        if (p->t[mid] <= t)
            a = mid + 1;
        else
            b = mid;
    }
    if (p->npoint == 0 || a == p->npoint)
        return p->npoint ? t - p->waited[p->npoint - 1] : t;
    double t0 = a ? p->t[a - 1] : 0, w0 = a ? p->waited[a - 1] : 0;
    return t - w0 - (p->t[a] > t0 ? (p->waited[a] - w0) * (t - t0) / (p->t[a] - t0) : 0);
}

/* Stretches in which nothing at all was allocated: the machine slept, or was busy with others. */
static void read_stalls(ms_process *p, const uint64_t *allocated)
{
    double from = 0, end = p->ncurve_point ? ms_process_own(p, p->curve_t[p->ncurve_point - 1]) : 0;
    bool still = false;
    for (uint32_t i = 1; i < p->ncurve_point; i++) {
        bool moved = false;
        for (uint32_t k = 0; k < p->ncurve && !moved; k++)
            moved = allocated[(size_t)k * p->curve_width + i] != allocated[(size_t)k * p->curve_width + i - 1];
        double to = ms_process_own(p, p->curve_t[i - 1]);
        if (!moved && !still)
            from = to;
        if (moved && still && to - from >= STALL_SECONDS && to - from >= STALL_SHARE * end && end - to >= to - from &&
            p->nstall < sizeof p->stall / sizeof *p->stall) {
            p->stall[p->nstall].from = from;
            p->stall[p->nstall++].to = to;
        }
        still = !moved;
    }
}

static ms_err read_curves(ms_process *p)
{
    uint64_t points = UINT32_MAX, rows = UINT32_MAX;
    ms_column c;
    const uint64_t *t = column(p->file, "curve_points", "t_ns", MS_TYPE_U64, 1, &points);
    p->curve_site = column(p->file, "curves", "site", MS_TYPE_U32, 1, &rows);
    if (ms_file_column(p->file, "curves", "live_bytes", NULL, &c) != MS_OK || c.type != MS_TYPE_U64)
        return MS_OK;
    if (c.rows < rows)
        rows = c.rows;
    if (c.width < points)
        points = c.width;
    for (uint64_t i = 0; i < points; i++)
        if ((i && t[i] < t[i - 1]) || (double)t[i] > LATEST)
            return MS_OK;
    if (points == 0 || rows == 0)
        return MS_OK;
    p->curve_t = ms_sys_alloc(points * sizeof *p->curve_t);
    if (p->curve_t == NULL)
        return MS_ENOMEM;
    for (uint64_t i = 0; i < points; i++)
        p->curve_t[i] = (double)t[i] / 1e9;
    p->curve_live = c.values;
    p->curve_width = c.width;
    p->ncurve = (uint32_t)rows;
    p->ncurve_point = (uint32_t)points;
    if (ms_file_column(p->file, "curves", "allocated_bytes", NULL, &c) == MS_OK && c.type == MS_TYPE_U64 && c.width == p->curve_width && c.rows >= rows) {
        p->curve_allocated = c.values;
        read_stalls(p, c.values);
    }
    return MS_OK;
}

static ms_err read_collections(ms_process *p)
{
    uint64_t rows = UINT32_MAX;
    const uint64_t *t = column(p->file, "collections", "t_ns", MS_TYPE_U64, 1, &rows);
    const uint64_t *duration = column(p->file, "collections", "duration_ns", MS_TYPE_U64, 1, &rows);
    const int64_t *reclaimed = column(p->file, "collections", "reclaimed_bytes", MS_TYPE_I64, 1, &rows);
    if (rows == 0)
        return MS_OK;
    uint64_t counted = rows, generations = rows, collecteds = rows, asked = rows;
    const uint32_t *count = column(p->file, "collections", "count", MS_TYPE_U32, 1, &counted);
    const uint32_t *generation = column(p->file, "collections", "generation", MS_TYPE_U32, 1, &generations);
    const uint64_t *collected = column(p->file, "collections", "collected", MS_TYPE_U64, 1, &collecteds);
    const uint32_t *asked_at = column(p->file, "collections", "asked_at", MS_TYPE_U32, 1, &asked);
    p->collections = ms_sys_alloc(rows * sizeof *p->collections);
    if (p->collections == NULL)
        return MS_ENOMEM;
    p->ncollection = (uint32_t)rows;
    for (uint64_t i = 0; i < rows; i++) {
        uint32_t n = counted == rows && count[i] ? count[i] : 1;
        p->collections[i] = (ms_collection){t[i], duration[i], collecteds == rows ? collected[i] : 0, n, reclaimed[i] / (int64_t)n,
                                            generations == rows ? generation[i] : 0, asked == rows && asked_at[i] < p->nsites ? asked_at[i] : MS_NONE};
    }
    return MS_OK;
}

static void read_memory(ms_process *p, const strings *s)
{
    static const struct { const char *name; size_t at; } kinds[] = {
        {"python_live", offsetof(ms_rss, live)}, {"rss", offsetof(ms_rss, rss)}, {"native_live", offsetof(ms_rss, native_live)},
        {"native_free", offsetof(ms_rss, native_free)}, {"slab_holes", offsetof(ms_rss, slab_holes)}, {"files", offsetof(ms_rss, files)},
        {"stacks", offsetof(ms_rss, stacks)}, {"shared", offsetof(ms_rss, shared)}, {"unaccounted", offsetof(ms_rss, unaccounted)},
    };
    uint64_t rows = UINT64_MAX;
    const uint32_t *moment = column(p->file, "memory", "moment", MS_TYPE_U32, 1, &rows);
    const uint32_t *kind = column(p->file, "memory", "kind", MS_TYPE_U32, 1, &rows);
    const uint64_t *bytes = column(p->file, "memory", "bytes", MS_TYPE_U64, 1, &rows);
    for (uint64_t i = 0; i < rows; i++) {
        ms_rss *r = string_is(s, moment[i], "end") ? &p->end : string_is(s, moment[i], "peak") ? &p->peak : NULL;
        for (size_t k = 0; r && k < sizeof kinds / sizeof *kinds; k++)
            if (string_is(s, kind[i], kinds[k].name)) {
                *(uint64_t *)((char *)r + kinds[k].at) += bytes[i];
                r->known = true;
            }
    }
}

static ms_err open_process(ms_evidence *e, ms_process *p, const ms_evidence_source *source)
{
    p->file = source->file;
    p->line = source->group;
    uint64_t rows = source->ngroup < UINT32_MAX ? source->ngroup : UINT32_MAX - 1;
    p->nsites = (uint32_t)rows;
    p->lines = ms_sys_alloc((size_t)e->nlines * sizeof *p->lines);
    if (p->lines == NULL && e->nlines)
        return MS_ENOMEM;
    strings s = strings_of(p->file);
    read_info(p, &s);
    read_sites(e, p);
    MS_TRY(read_nodes(e, p));
    MS_TRY(read_timeline(p));
    MS_TRY(read_curves(p));
    MS_TRY(read_collections(p));
    read_memory(p, &s);
    rows = UINT32_MAX;
    column(p->file, "threads", "id", MS_TYPE_U64, 1, &rows);
    p->threads = (uint32_t)rows;
    return ms_views_open(e, p);
}

ms_err ms_evidence_open(const ms_evidence_source *source, uint32_t nsource, uint32_t nlines, const uint8_t *aside,
                        const uint8_t *whose, ms_evidence **out)
{
    ms_err err = MS_OK;
    ms_evidence *e = ms_sys_alloc(sizeof *e);
    if (e == NULL)
        return MS_ENOMEM;
    e->nlines = nlines;
    e->aside = aside;
    e->whose = whose;
    e->process = ms_sys_alloc(nsource * sizeof *e->process);
    if (e->process == NULL) {
        err = MS_ENOMEM;
        goto done;
    }
    e->nprocess = nsource;
    for (uint32_t i = 0; i < nsource; i++)
        if ((err = open_process(e, &e->process[i], &source[i])) != MS_OK)
            goto done;
    *out = e;
    e = NULL;
done:
    ms_evidence_close(e);
    return err;
}

void ms_evidence_close(ms_evidence *e)
{
    if (e == NULL)
        return;
    for (uint32_t i = 0; i < e->nprocess; i++) {
        ms_process *p = &e->process[i];
        ms_views_close(p);
        ms_sys_free(p->lines, (size_t)e->nlines * sizeof *p->lines);
        ms_sys_free(p->collections, p->ncollection * sizeof *p->collections);
        ms_sys_free(p->curve_t, p->ncurve_point * sizeof *p->curve_t);
        ms_sys_free(p->t, 8 * (size_t)p->point_room * sizeof *p->t);
    }
    ms_sys_free(e->process, e->nprocess * sizeof *e->process);
    ms_sys_free(e, sizeof *e);
}

const char *ms_evidence_check(const ms_evidence *e)
{
    for (uint32_t i = 0; i < e->nprocess; i++) {
        const ms_process *p = &e->process[i];
        for (uint32_t k = 1; k < p->npoint; k++)
            if (!(p->t[k] >= p->t[k - 1]))
                return "E1: the times of a timeline run backwards";
        for (uint32_t k = 1; k < p->ncurve_point; k++)
            if (!(p->curve_t[k] >= p->curve_t[k - 1]))
                return "E2: the times of the curves run backwards";
        for (uint32_t k = 0; k < e->nlines; k++) {
            const ms_line *l = &p->lines[k];
            if (!isfinite(l->through_bytes) || !isfinite(l->through_peak) || l->through_bytes < 0)
                return "E3: an estimate is no number";
        }
    }
    return NULL;
}

uint32_t ms_line_top(const ms_evidence *e, const ms_process *p, size_t figure)
{
    uint32_t best = MS_NONE;
    uint64_t most = 0;
    for (uint32_t i = 0; i < e->nlines; i++) {
        uint64_t v = *(const uint64_t *)((const char *)&p->lines[i] + figure);
        if (v > most && e->aside[i] == 0) {
            most = v;
            best = i;
        }
    }
    return best;
}

uint32_t ms_site_top(const ms_process *p, uint32_t line, const char *name)
{
    uint64_t rows = p->nsites, most = 0;
    const uint64_t *v = column(p->file, "sites", name, MS_TYPE_U64, 1, &rows);
    uint32_t best = MS_NONE;
    for (uint32_t i = 0; i < rows; i++)
        if (p->line[i] == line && (best == MS_NONE || v[i] > most)) {
            most = v[i];
            best = i;
        }
    return best;
}
