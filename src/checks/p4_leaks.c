/* p4_leaks.c -- what grows, and does not stop?
 *
 * From a recording: a line whose live bytes rise to the end of the run (trend.c) is a suspect (L1). Who keeps
 * its blocks, a snapshot tells: a container whose entries were born all along, and below which the growing lines'
 * objects lie. It takes their place as the finding, under the rule that fits the way to it. Growth of malloc's own blocks with no growth in Python is L7: C code keeps
 * memory that is no Python object. */
#include "checks/checks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    MS_POINTS = 256, /* of a curve, at most */
    CANDIDATES = 24, /* so many lines are looked at more closely, by how far they rose */
    LEAST_POINTS = 12,
};

typedef struct {
    uint32_t line;
    double   rise;
} candidate;

static void insert(candidate *top, uint32_t *n, candidate c)
{
    if (*n == CANDIDATES && top[*n - 1].rise >= c.rise)
        return;
    uint32_t i = *n < CANDIDATES ? (*n)++ : *n - 1;
    for (; i > 0 && top[i - 1].rise < c.rise; i--)
        top[i] = top[i - 1];
    top[i] = c;
}

static ms_err add_slope(ms_findings *out, uint32_t process, uint32_t line, ms_slope slope, double idle)
{
    if (out->nslope == out->slope_room) {
        uint32_t room = out->slope_room ? 2 * out->slope_room : 64;
        ms_line_slope *more = ms_sys_resize(out->slope, out->slope_room * sizeof *more, room * sizeof *more);
        if (more == NULL)
            return MS_ENOMEM;
        out->slope = more;
        out->slope_room = room;
    }
    out->slope[out->nslope++] = (ms_line_slope){process, line, slope, idle};
    return MS_OK;
}

static void slope_facts(ms_finding *f, const ms_slope *s, uint32_t up, uint32_t steps)
{
    ms_finding_fact(f, "per_second", s->per_second);
    ms_finding_fact(f, "error", s->error);
    ms_finding_fact(f, "start", s->start);
    ms_finding_fact(f, "end", s->end);
    ms_finding_fact(f, "up", up);
    ms_finding_fact(f, "steps", steps);
}

/* L8: a line grows by the clock if it grew at least seven tenths as fast while the program idled as while it worked. Idle:
 * where all other lines together allocate less than a tenth as fast as on average; a quarter of the window and half a second
 * at least, in two stretches, and a quarter of it is not. That a thread of its own fills it, the stacks show. */
#define IDLE_RATE 0.1
#define IDLE_SHARE 0.25
#define IDLE_SECONDS 0.5
#define IDLE_GROWTH 0.7

/* How long the program idled while this line (v: its live bytes at n points from `first` on) grew as ever; 0: it did not. */
static double grew_idle(const ms_process *p, uint32_t line, uint32_t first, uint32_t n, const double *v)
{
    double work[MS_POINTS], idle = 0, busy = 0, in_idle = 0, in_busy = 0, whole = p->curve_t[first + n - 1] - p->curve_t[first];
    if (p->curve_allocated == NULL || n > MS_POINTS || !(whole > 0))
        return 0;
    memset(work, 0, n * sizeof *work);
    for (uint32_t i = 0; i < p->ncurve; i++)
        if (p->curve_site[i] < p->nsites && p->line[p->curve_site[i]] != line) {
            const uint64_t *c = p->curve_allocated + (size_t)i * p->curve_width + first;
            for (uint32_t j = 0; j < n; j++)
                work[j] += (double)c[j];
        }
    double mean = (work[n - 1] - work[0]) / whole;
    uint32_t stretches = 0;
    bool before = false;
    for (uint32_t j = 1; j < n; j++) {
        double dt = p->curve_t[first + j] - p->curve_t[first + j - 1];
        bool still = dt > 0 && (work[j] - work[j - 1]) / dt < IDLE_RATE * mean;
        stretches += still && !before;
        before = still;
        *(still ? &idle : &busy) += dt;
        *(still ? &in_idle : &in_busy) += v[j] - v[j - 1];
    }
    if (!(mean > 0) || stretches < 2 || idle < fmax(IDLE_SECONDS, IDLE_SHARE * whole) || busy < IDLE_SHARE * whole || in_idle / idle < IDLE_GROWTH * fmax(0, in_busy / busy))
        return 0;
    return idle;
}

/* What Python held at this time. */
static double live_at(const ms_process *p, double t)
{
    double live = (double)p->live_bytes;
    for (uint32_t i = 0; i < p->npoint && p->t[i] <= t; i++)
        live = p->python[i];
    return live;
}

/* The points of the timeline inside the window: [first, last). */
static uint32_t inside(const ms_process *p, double start, double end, uint32_t *first)
{
    uint32_t a = 0, b = p->npoint;
    while (a < b && p->t[a] < start)
        a++;
    while (b > a && p->t[b - 1] > end)
        b--;
    *first = a;
    return b - a;
}

static ms_err lines_grow(const ms_evidence *e, uint32_t at, double start, double end, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    uint32_t first = 0, last = p->ncurve_point, ntop = 0, n, kept = out->n;
    candidate top[CANDIDATES];
    ms_err err = MS_OK;
    while (first < last && p->curve_t[first] < start)
        first++;
    while (last > first && p->curve_t[last - 1] > end)
        last--;
    n = last - first;
    if (n < LEAST_POINTS)
        return MS_OK;
    out->judged_growth = true;
    const double *t = p->curve_t + first;
    double *rise = ms_sys_alloc((size_t)e->nlines * sizeof *rise), *v = ms_sys_alloc(n * sizeof *v);
    if (rise == NULL || v == NULL) {
        err = MS_ENOMEM;
        goto done;
    }
    for (uint32_t i = 0; i < p->ncurve; i++) { /* a cheap look first: what rose from the window's start to its end */
        uint32_t line = p->curve_site[i] < p->nsites ? p->line[p->curve_site[i]] : MS_NONE;
        const uint64_t *c = p->curve_live + (size_t)i * p->curve_width;
        if (ms_line_counts(e, line))
            rise[line] += (double)c[last - 1] - (double)c[first];
    }
    for (uint32_t i = 0; i < e->nlines; i++)
        if (rise[i] >= MS_GROWTH_LEAST / 2)
            insert(top, &ntop, (candidate){i, rise[i]});
    double live = live_at(p, end), steepest = 0, deepest = 0, together = 0;
    for (uint32_t k = 0; k < ntop; k++) {
        ms_slope s;
        uint32_t up, steps;
        memset(v, 0, n * sizeof *v);
        for (uint32_t i = 0; i < p->ncurve; i++)
            if (p->curve_site[i] < p->nsites && p->line[p->curve_site[i]] == top[k].line) {
                const uint64_t *c = p->curve_live + (size_t)i * p->curve_width + first;
                for (uint32_t j = 0; j < n; j++)
                    v[j] += (double)c[j];
            }
        if (!ms_trend_grows_at_work(p, n, t, v, MS_GROWTH_LEAST, &s, &up, &steps))
            continue;
        if ((err = add_slope(out, at, top[k].line, s, grew_idle(p, top[k].line, first, n, v))) != MS_OK)
            goto done;
        together += s.per_second;
        if (s.per_second * (s.end - s.start) < fmax(MS_GROWTH_BYTES, MS_GROWTH_SHARE * live))
            continue;
        ms_finding *f;
        if ((err = ms_finding_add(out, "L1", at, top[k].line, (uint64_t)fmin(fmax(v[n - 1], 0), 1e18), 0.5, &f)) != MS_OK)
            goto done;
        f->flags = MS_SUSPECT;
        f->site = ms_site_top(p, top[k].line, "live_bytes");
        slope_facts(f, &s, up, steps);
        if (v[n - 1] > deepest) {
            deepest = v[n - 1];
            steepest = s.per_second;
        }
    }
    uint32_t from, points = inside(p, start, end, &from);
    if (points >= LEAST_POINTS) {
        if (out->n > kept) { /* what only moves from one line to another does not grow */
            ms_slope whole = ms_trend_slope(points, p->t + from, p->python + from);
            if (whole.per_second + whole.error < steepest / 2)
                out->n = kept;
        } else { /* many small lines together: a program that goes through phases rises, too, by other lines in each */
            ms_slope whole;
            uint32_t up, steps;
            if (ms_trend_grows_at_work(p, points, p->t + from, p->python + from, fmax(MS_GROWTH_BYTES, MS_GROWTH_SHARE * live), &whole, &up, &steps) &&
                together >= whole.per_second / 2 && (out->spread == MS_NONE || out->spread_slope.per_second < whole.per_second)) {
                out->spread = at;
                out->spread_slope = whole;
            }
        }
    }
done:
    ms_sys_free(rise, (size_t)e->nlines * sizeof *rise);
    ms_sys_free(v, n * sizeof *v);
    return err;
}

/* Memory that C code maps for itself, past malloc, is in RSS and in no row of its sum: from so much of it on, and a
 * quarter of RSS, it counts as native, too. */
#define MAPPED_BYTES (16.0 * 1048576)

/* What C code did in the window is told at the program's line that allocates most meanwhile, callees included. */
static ms_err add_native(const ms_evidence *e, uint32_t at, const ms_slope *slope, uint32_t up, uint32_t steps, double confidence, ms_finding **f, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    uint32_t line = MS_NONE;
    double most = 0;
    for (uint32_t i = 0; i < e->nlines; i++) {
        double here = (double)p->lines[i].allocated_bytes + p->lines[i].through_bytes;
        if (e->aside[i] == 0 && e->whose[i] == MS_OWN && here > most) {
            most = here;
            line = i;
        }
    }
    MS_TRY(ms_finding_add(out, "L7", at, line, ms_whole(slope->per_second * (slope->end - slope->start)), confidence, f));
    slope_facts(*f, slope, up, steps);
    return MS_OK;
}

/* L7 in a run below a second. malloc is asked every 0.1 s only, so RSS without Python's part tells the growth, at each tick: it rises
 * to the end by a quarter of RSS and 16 MiB. That it is a leak has to be seen otherwise: malloc still has most of it when the program's own
 * data went, Python's did not rise with it, no object of a snapshot owns it, and many objects came and went
 * meanwhile: one big thing that C code builds takes few calls. */
#define BRIEF_NATIVE_STAYS 0.75
#define BRIEF_NATIVE_OWNED 0.25
#define BRIEF_NATIVE_PYTHON 0.04
enum { BRIEF_NATIVE_CALLS = 5000 };

static ms_err native_grows_briefly(const ms_evidence *e, uint32_t at, double start, double end, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    uint32_t from, n = inside(p, start, end, &from), up, steps;
    double temporary = 0;
    ms_slope slope;
    ms_finding *f;
    for (uint32_t i = 0; i < e->nlines; i++)
        temporary += e->aside[i] == 0 ? (double)p->lines[i].temporary_blocks : 0;
    if (n < LEAST_POINTS || p->nview == 0 || temporary < BRIEF_NATIVE_CALLS)
        return MS_OK;
    double *v = ms_sys_alloc(n * sizeof *v), rss = p->rss[from + n - 1];
    if (v == NULL)
        return MS_ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        v[i] = fmax(0, p->rss[from + i] - fmax(p->slab[from + i], p->python[from + i]));
    bool grows = ms_trend_grows_at_work(p, n, p->t + from, v, fmax(MAPPED_BYTES, rss / 4), &slope, &up, &steps);
    ms_sys_free(v, n * sizeof *v);
    if (!grows)
        return MS_OK;
    double rise = slope.per_second * (slope.end - slope.start), stays = p->native_used[p->npoint - 1] - p->native_used[from];
    if (stays < BRIEF_NATIVE_STAYS * rise || p->python[from + n - 1] - p->python[from] > BRIEF_NATIVE_PYTHON * rise)
        return MS_OK;
    for (uint32_t k = 0; k < p->nview; k++) {
        const ms_snap *s = p->view[k]->snap;
        if ((double)p->view[k]->live - (double)ms_snap_info(s, "python_live_bytes", 0) > BRIEF_NATIVE_OWNED * rise)
            return MS_OK;
    }
    return add_native(e, at, &slope, up, steps, 0.5, &f, out);
}

/* L7: malloc's live bytes rise to the end, and Python's do not explain it. Python's own large blocks come from
 * malloc, too, so what Python gained is taken off. A tenth of RSS: less is a library's pool finding its size. */
static ms_err native_grows(const ms_evidence *e, uint32_t at, double start, double end, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    uint32_t from, n = inside(p, start, end, &from), up, steps;
    ms_slope native, beside;
    ms_err err = MS_OK;
    bool mapped = false, freed = false;
    if (n < LEAST_POINTS || !(p->native_used[from] > 0))
        return MS_OK;
    double *v = ms_sys_alloc(n * sizeof *v), rss = p->rss[from + n - 1];
    if (v == NULL)
        return MS_ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        v[i] = fmax(0, p->native_used[from + i] - p->python[from + i]);
    bool grows = ms_trend_grows_at_work(p, n, p->t + from, p->native_used + from, fmax(MS_GROWTH_BYTES, 2 * MS_GROWTH_SHARE * rss), &native, &up, &steps) &&
                 ms_trend_grows_at_work(p, n, p->t + from, v, fmax(MS_GROWTH_BYTES, 2 * MS_GROWTH_SHARE * rss), &beside, &up, &steps);
    if (!grows && (double)p->end.unaccounted >= fmax(MAPPED_BYTES, rss / 4)) {
        for (uint32_t i = 0; i < n; i++)
            v[i] = fmax(0, p->rss[from + i] - p->slab[from + i] - p->native_used[from + i] - p->native_free[from + i]);
        mapped = grows = ms_trend_grows_at_work(p, n, p->t + from, v, fmax(MAPPED_BYTES, rss / 4), &beside, &up, &steps);
    }
    if (!grows && (double)p->end.native_free >= fmax(MAPPED_BYTES, rss / 4)) { /* what was freed after a peak is a level; where it rises to the end, it is not used again, and new memory is */
        for (uint32_t i = 0; i < n; i++)
            v[i] = fmax(0, p->rss[from + i] - fmax(p->slab[from + i], p->python[from + i]));
        freed = grows = ms_trend_grows_at_work(p, n, p->t + from, v, fmax(MAPPED_BYTES, rss / 4), &beside, &up, &steps);
    }
    if (grows) {
        ms_finding *f;
        err = add_native(e, at, &beside, up, steps, 0.7, &f, out);
        if (err == MS_OK) {
            ms_finding_fact(f, "mapped", mapped);
            ms_finding_fact(f, "freed_grows", freed);
        }
    }
    ms_sys_free(v, n * sizeof *v);
    return err;
}

/* ---- with a snapshot: who keeps what grows ---- */

/* A container is worth a finding from 256 KiB and a fiftieth of all, if it had been growing for 0.04 s (four ticks, whose births
 * are taken as even) when the snapshot was taken: less than for a line alone, since its entries' births prove what a slope only suggests. Where
 * no line of theirs has a slope (the run or its points were too few, or it grows in steps) they have to prove it alone: from
 * 1 MiB and a twenty-fifth on, and through a quarter of the run: what is built at its end, in one go, is data. */
#define HELD_BYTES (256.0 * 1024)
#define HELD_SHARE 0.02
#define ALONE_BYTES (1.0 * 1048576)
#define ALONE_SHARE 0.04
#define HELD_SECONDS 0.04
#define BRIEF_SECONDS 0.04 /* of a run, in which nothing is found */
#define ALONE_PART 0.25
#define ALONE_LISTENERS 0.25
#define LISTENERS_SHARE 0.1
/* A line that grows belongs to a container if so much of its bytes is below it. */
#define BELOW_SHARE 0.4
enum { MOST_CONTAINERS = 8, MOST_GROWING = 64, MOST_TRIED = 24 }; /* each that is tried costs a pass over the heap */
/* A container of few entries is one of large ones: figures, documents, connections with what they hold. Whether it is a
 * registry of a library's, the names tell; else it is none of a check's business. */
enum { ENTRIES = 200, FEW_ENTRIES = 20 };
#define FEW_BYTES (64.0 * 1024)

static bool type_begins(const ms_way_step *s, const char *with)
{
    return strncmp(s->type, with, strlen(with)) == 0;
}

/* Which leak it is: by what the way to the container leads through, and what the container holds. */
static const char *which(const ms_findings *out, const ms_finding *f, const ms_snap *s, const ms_contents *c)
{
    const ms_way_step *way = out->step + f->step;
    char value[72] = "", key[72] = "";
    if (c->type != MS_NONE)
        snprintf(value, sizeof value, "%.*s", (int)ms_snap_text(s, s->type_name[c->type]).size % 72, ms_snap_text(s, s->type_name[c->type]).at);
    if (c->key_type != MS_NONE)
        snprintf(key, sizeof key, "%.*s", (int)ms_snap_text(s, s->type_name[c->key_type]).size % 72, ms_snap_text(s, s->type_name[c->key_type]).at);
    for (uint32_t i = 1; i < f->nstep; i++) {
        if (strcmp(way[i].type, "functools._lru_cache_wrapper") == 0) {
            uint32_t k = i - 1; /* a class has it in its dict, as it is or inside a property or the like */
            while (k > 0 && (strcmp(way[k].type, "dict") == 0 || strcmp(way[k].type, "property") == 0 || strcmp(way[k].type, "classmethod") == 0 ||
                             strcmp(way[k].type, "function") == 0))
                k--;
            return type_begins(&way[k], "class ") ? "L2" : "L1";
        }
        if (strstr(way[i].type, "queue.Queue") || strstr(way[i].type, "queue.LifoQueue") || strstr(way[i].type, "queue.PriorityQueue") ||
            strstr(way[i].type, "queues.Queue"))
            return "L5";
        if (strstr(way[i].type, "sqlalchemy.orm") && strstr(way[i].type, "ession"))
            return "R5";
    }
    bool most = c->of_type * 2 > c->entries;
    for (uint32_t i = f->nstep > 2 ? f->nstep - 2 : 0; i < f->nstep; i++)
        if (strcmp(way[i].label, "atexit") == 0)
            return "R13";
    /* A child for each tuple of labels, of the parent's own class: that an answer is a dict like its cache says nothing. */
    if (strcmp(key, "tuple") == 0 && most && strcmp(value, "dict") != 0 && strcmp(value, "tuple") != 0 && strcmp(value, "list") != 0)
        for (uint32_t i = f->nstep > 3 ? f->nstep - 3 : 1; i < f->nstep; i++)
            if (value[0] && strcmp(way[i].type, value) == 0)
                return "L3";
    if (most && (strcmp(value, "method") == 0 || strcmp(value, "function") == 0 || strcmp(value, "functools.partial") == 0 ||
                 strcmp(value, "builtin_function_or_method") == 0))
        return "R13";
    for (uint32_t i = 1; i < f->nstep; i++)
        if (strstr(way[i].type, "Future") || strstr(way[i].type, "asyncio.Task") || strstr(way[i].type, "locks.Event"))
            return "R9";
    bool texts = strcmp(value, "str") == 0 || strcmp(value, "bytes") == 0 || strcmp(value, "int") == 0 || c->type == MS_NONE;
    if (most && texts && (strcmp(key, "str") == 0 || strcmp(key, "bytes") == 0 || (key[0] == '\0' && type_begins(&way[f->nstep - 1], "set"))))
        return "L4";
    return "L1";
}

/* Bytes of each line below a node (and what it holds together with others), and of each line in all. */
static void bytes_below(const ms_evidence *e, const ms_process *p, const ms_view *v, uint32_t node, const ms_together *with, double *below, double *all)
{
    memset(below, 0, e->nlines * sizeof *below);
    memset(all, 0, e->nlines * sizeof *all);
    for (uint32_t i = 1; i <= v->snap->objects; i++) {
        uint32_t line = ms_view_line(p, v, i);
        if (line >= e->nlines)
            continue;
        double bytes = (double)ms_snap_bytes(v->snap, i);
        all[line] += bytes;
        if (with && with->n ? ms_set_has(&with->below, i) : ms_view_inside(v, node, i))
            below[line] += bytes;
    }
}

/* Who waits: the line that made most of the coroutines below a node, the program's own before others. MS_NONE: there are none. */
static uint32_t who_waits(const ms_evidence *e, const ms_process *p, const ms_view *v, uint32_t node, double *bytes)
{
    uint32_t best = MS_NONE;
    memset(bytes, 0, e->nlines * sizeof *bytes);
    for (uint32_t i = 1; i <= v->snap->objects; i++) {
        uint32_t line = ms_view_is(v, i, MS_IS(COROUTINE) | MS_IS(GENERATOR)) && ms_view_inside(v, node, i) ? ms_view_line(p, v, i) : MS_NONE;
        if (!ms_line_counts(e, line))
            continue;
        bytes[line] += (double)ms_snap_bytes(v->snap, i);
        bool own = e->whose[line] == MS_OWN, before = best != MS_NONE && e->whose[best] == MS_OWN;
        if (best == MS_NONE || own > before || (own == before && bytes[line] > bytes[best]))
            best = line;
    }
    return best;
}

typedef struct {
    uint32_t birth, key, value; /* nodes, 0: none */
} entry;

static int older(const void *a, const void *b)
{
    uint32_t x = ((const entry *)a)->birth, y = ((const entry *)b)->birth;
    return (x > y) - (x < y);
}

/* The table of a container with so many entries, when it holds no more than `keep`: tables double as they fill. */
static double smaller_table(double bytes, double entries, double keep)
{
    for (; entries / 2 >= keep; entries /= 2)
        bytes /= 2;
    return bytes;
}

/* What-if: bounded to its newest entries. Freed is what the others hold, and nobody else: computed on the objects, as are the
 * pages that would go with it; and the part of its own table that fewer entries do not need. */
static ms_err bounded(ms_view *v, uint32_t node, double entries, ms_finding *f)
{
    ms_snap *s = v->snap;
    uint32_t type = ms_snap_type(s, node), from = s->first[node] + s->type_count[type], end = s->first[node + 1], n = 0, number = 0;
    uint32_t step = s->type_rest[type] == MS_REST_PAIRS ? 2 : 1, keep = entries > 20000 ? 10000 : entries > 2000 ? 1000 : 100;
    size_t size = ((size_t)(end - from) / step + 1) * sizeof(entry), bits = ((size_t)s->nodes / 64 + 1) * sizeof(uint64_t);
    if (entries <= keep || !ms_snap_holds(s, node))
        return MS_OK;
    entry *all = ms_sys_alloc(size);
    uint64_t *gone = ms_sys_alloc(bits), *under = ms_sys_alloc(bits);
    ms_err err = all && gone && under ? ms_pages_begin(v) : MS_ENOMEM;
    double freed = 0;
    for (uint32_t e = from; err == MS_OK && e + step <= end; e += step) {
        uint32_t value = MS_SNAP_TARGET(s->to[e + step - 1]), key = step == 2 ? MS_SNAP_TARGET(s->to[e]) : 0;
        uint32_t a = value ? ms_snap_id(s->birth, value) : 0, b = key ? ms_snap_id(s->birth, key) : 0;
        if (value || key)
            all[n++] = (entry){a > b ? a : b, key, value};
    }
    if (err == MS_OK && n > keep) {
        qsort(all, n, sizeof *all, older);
        for (int kept = 0; kept < 2; kept++) /* what one of the newest has, too, stays */
            for (uint32_t i = kept ? n - keep : 0; i < (kept ? n : n - keep); i++)
                for (int k = 0; k < 2; k++) {
                    uint32_t t = k ? all[i].key : all[i].value;
                    if (t && s->idom[t] == node)
                        gone[t / 64] = kept ? gone[t / 64] & ~(UINT64_C(1) << t % 64) : gone[t / 64] | UINT64_C(1) << t % 64;
                }
        for (uint32_t i = 1; i <= s->objects; i++) /* all that lies below those: their places in the walk */
            if (gone[i / 64] >> i % 64 & 1 && ms_snap_holds(s, i))
                for (uint32_t at = s->begin[ms_snap_rank(s, i)]; at < s->end[ms_snap_rank(s, i)]; at++)
                    under[at / 64] |= UINT64_C(1) << at % 64;
        for (uint32_t i = 1; i <= s->objects; i++) {
            uint32_t up = ms_snap_holds(s, i) ? i : s->idom[i], at = ms_snap_holds(s, up) ? s->begin[ms_snap_rank(s, up)] : 0;
            if (!(gone[i / 64] >> i % 64 & 1) && !(ms_snap_holds(s, up) && under[at / 64] >> at % 64 & 1))
                continue;
            freed += (double)ms_snap_bytes(s, i);
            number++;
            ms_pages_drop(v, i);
        }
        if (number) {
            double table = (double)ms_snap_bytes(s, node), then = smaller_table(table, entries, keep);
            freed += table - then;
            ms_pages_drop_owned(v, node);
            ms_pages_make(v, 1, then);
            ms_finding_fact(f, "keep", keep);
            ms_finding_fact(f, "bounded", freed);
            ms_finding_fact(f, "returns", ms_pages_back(v));
        }
    }
    ms_sys_free(all, size);
    ms_sys_free(gone, bits);
    ms_sys_free(under, bits);
    return err;
}

/* Whether a line made next to nothing until then (in the program's own time): what it fills was not emptied before, but filled from then on. */
#define BEGAN_SHARE 0.125
static bool began(const ms_process *p, uint32_t line, double when)
{
    double before = 0, whole = 0;
    uint32_t at = 0;
    while (at < p->ncurve_point && ms_process_own(p, p->curve_t[at]) <= when)
        at++;
    for (uint32_t i = 0; at && p->curve_allocated && i < p->ncurve; i++)
        if (p->curve_site[i] < p->nsites && p->line[p->curve_site[i]] == line) {
            const uint64_t *c = p->curve_allocated + (size_t)i * p->curve_width;
            before += (double)c[at - 1];
            whole += (double)c[p->ncurve_point - 1];
        }
    return whole > 0 && before <= BEGAN_SHARE * whole;
}

static ms_err container(const ms_evidence *e, uint32_t at, ms_view *v, const ms_growing *g, const ms_together *with, double *below, double *all, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    const ms_snap *s = v->snap;
    ms_contents c;
    double per_second = 0, error = 0, start = 0, end = 0, idle = 0, by_clock = 0, all_below = 0;
    uint32_t lines = 0, grown = MS_NONE;
    bytes_below(e, p, v, g->node, with, below, all);
    for (uint32_t i = 0; i < out->nslope; i++) {
        const ms_line_slope *l = &out->slope[i];
        if (l->process != at || all[l->line] <= 0 || below[l->line] < BELOW_SHARE * all[l->line])
            continue;
        if (grown == MS_NONE || below[l->line] > below[grown])
            grown = l->line;
        all_below += below[l->line];
        by_clock += l->idle > 0 ? below[l->line] : 0;
        idle = fmax(idle, l->idle);
        per_second += l->slope.per_second;
        error = hypot(error, l->slope.error);
        start = l->slope.start;
        end = l->slope.end;
        lines++;
    }
    uint64_t whole = ms_snap_retained(s, g->node) + (with && with->n ? with->bytes : 0);
    double held = (double)whole;
    double epochs = (double)s->epoch - fmax(ms_snap_id(s->birth, g->node), g->oldest), seconds = epochs * (double)s->epoch_ns / 1e9;
    if (lines == 0 && (seconds < HELD_SECONDS || epochs < ALONE_PART * (double)s->epoch || held < fmax(ALONE_BYTES, ALONE_SHARE * (double)v->live)))
        return MS_OK; /* young entries, but no line of theirs grows: they are exchanged, not piled up */
    MS_TRY(ms_view_contents(p, v, g->node, &c));
    if (g->node > s->objects)
        c.entries = g->entries; /* atexit's: function, arguments and keywords are one */
    double counted = 0, aside = 0; /* what imports made is a baseline, however long they took */
    for (uint32_t i = 0; lines == 0 && i < e->nlines; i++) {
        bool counts = ms_line_counts(e, i);
        *(counts ? &counted : &aside) += below[i];
        if (counts && (grown == MS_NONE || below[i] > below[grown]))
            grown = i;
    }
    if (grown == MS_NONE || counted < aside || (g->late && !began(p, c.line != MS_NONE ? c.line : grown, (double)g->late * (double)s->epoch_ns / 1e9)))
        return MS_OK;
    ms_finding *f;
    MS_TRY(ms_finding_add(out, "L1", at, grown, whole, lines ? 0.9 : 0.7, &f));
    MS_TRY(ms_finding_way(out, f, p, v, g->node));
    if (strcmp(out->step[f->step + f->nstep - 1].label, "sys.modules") == 0) {
        out->n--; /* imports */
        return MS_OK;
    }
    const char *rule = which(out, f, s, &c);
    if (idle > 0 && by_clock > all_below / 2 && strcmp(rule, "L1") == 0) {
        rule = "L8";
        ms_finding_fact(f, "idle", idle);
    }
    if (strcmp(rule, "R13") == 0 && (double)f->bytes < (lines ? LISTENERS_SHARE : ALONE_LISTENERS) * (double)v->live) {
        out->n--; /* few and small: what they listen for is not what fills the memory */
        return MS_OK;
    }
    if (strcmp(rule, "R9") == 0 && ms_snap_holds(s, g->node)) {
        uint32_t waits = who_waits(e, p, v, g->node, all);
        ms_finding_fact(f, "waits", waits == MS_NONE ? -1.0 : (double)waits);
        bytes_below(e, p, v, g->node, with, below, all);
    }
    f->rule = ms_rule_find(rule, NULL);
    f->verdict = MS_VERDICT_LEAK;
    f->site = ms_site_top(p, grown, "live_bytes");
    f->saves = f->bytes;
    double tick = (double)s->epoch_ns / 1e9;
    if (lines) {
        ms_finding_fact(f, "per_second", per_second);
        ms_finding_fact(f, "error", error);
        ms_finding_fact(f, "start", start);
        ms_finding_fact(f, "end", end);
    }
    ms_finding_fact(f, "entries", (double)c.entries);
    ms_finding_fact(f, "age_s", ((double)s->epoch - g->oldest) * tick);
    ms_finding_fact(f, "youngest_s", ((double)s->epoch - g->newest) * tick);
    ms_finding_fact(f, "live", (double)v->live);
    ms_finding_fact(f, "table", (double)ms_snap_bytes(s, g->node));
    ms_finding_fact(f, "entry_line", c.line == MS_NONE ? -1.0 : (double)c.line);
    ms_finding_fact(f, "born", ms_view_line(p, v, g->node) == MS_NONE ? -1.0 : (double)ms_view_line(p, v, g->node));
    bool few = g->entries && g->entries < ENTRIES;
    if (!few && !(with && with->n))
        MS_TRY(bounded(v, g->node, (double)c.entries, f));
    ms_finding_fact(f, "few", few);
    ms_finding_fact(f, "sequence", s->type_rest[ms_snap_type(s, g->node)] == MS_REST_INDEX);
    ms_snap_string type = ms_snap_text(s, s->type_name[ms_snap_type(s, g->node)]);
    ms_finding_text(f, "type", "%.*s", (int)type.size, type.at);
    if (with && with->n) {
        bool class = false;
        for (uint32_t i = 0; i < s->n_types && !class; i++)
            class = s->type_node[i] == with->example;
        if (class)
            ms_finding_text(f, "value", "class");
        else
            ms_finding_type(f, "value", v, ms_snap_type(s, with->example));
        if (with->other)
            MS_TRY(ms_finding_called(f, "other", v, with->other));
    } else if (c.type != MS_NONE && 2 * c.of_type > c.entries) {
        type = ms_snap_text(s, s->type_name[c.type]);
        ms_finding_text(f, "value", "%.*s", (int)type.size, type.at);
    }
    if (c.key_type != MS_NONE && 2 * c.key_of_type > c.entries) {
        type = ms_snap_text(s, s->type_name[c.key_type]);
        ms_finding_text(f, "key", "%.*s", (int)type.size, type.at);
    }
    for (uint32_t i = 0; !few && i < out->n; i++) { /* the suspects that it explains */
        ms_finding *other = &out->finding[i];
        if (other->process == at && other->flags & MS_SUSPECT && other->line < e->nlines && all[other->line] > 0 &&
            below[other->line] >= BELOW_SHARE * all[other->line])
            other->flags |= MS_EXPLAINED;
    }
    return MS_OK;
}

/* A suspect line whose objects lie in no container that grows: what do most of them have in common? The deepest object
 * that holds three fifths of them, by their own chains of holders (a dict of lists that grow). */
static uint32_t in_common(const ms_process *p, const ms_view *v, uint32_t line, ms_growing *g)
{
    enum { SAMPLE = 256, SLOTS = 8192, FAR = 64 };
    const ms_snap *s = v->snap;
    static const ms_growing none = {0};
    uint32_t of = 0, found = 0, best = 0, best_count = 0, stride = 1;
    uint64_t number = 0;
    struct { uint32_t node, count; } *slot = ms_sys_alloc(SLOTS * sizeof *slot);
    if (slot == NULL)
        return 0;
    *g = none;
    for (uint32_t i = 1; i <= s->objects; i++)
        number += ms_view_line(p, v, i) == line;
    stride = (uint32_t)(number / SAMPLE) + 1;
    for (uint32_t i = 1, n = 0; i <= s->objects && of < SAMPLE; i++) {
        if (ms_view_line(p, v, i) != line || n++ % stride)
            continue;
        of++;
        g->oldest = of == 1 || ms_snap_id(s->birth, i) < g->oldest ? ms_snap_id(s->birth, i) : g->oldest;
        g->newest = ms_snap_id(s->birth, i) > g->newest ? ms_snap_id(s->birth, i) : g->newest;
        uint32_t up = s->idom[i];
        for (int step = 0; step < FAR && up && up <= s->objects && found < SLOTS / 2; step++, up = s->idom[up]) {
            uint32_t k = up * 2654435761u % SLOTS;
            while (slot[k].node && slot[k].node != up)
                k = (k + 1) % SLOTS;
            found += slot[k].node == 0;
            slot[k].node = up;
            slot[k].count++;
        }
    }
    for (uint32_t k = 0; of >= 32 && k < SLOTS; k++) { /* of those that hold enough, the one that holds fewest: the deepest */
        uint32_t node = slot[k].node;
        if (node && slot[k].count * 5 >= of * 3 && !ms_view_is(v, node, MS_IS(MODULE)) && !ms_snap_is_namespace(s, node) &&
            (best == 0 || slot[k].count < best_count || (slot[k].count == best_count && ms_view_below(v, best, node)))) {
            best = node;
            best_count = slot[k].count;
        }
    }
    ms_sys_free(slot, SLOTS * sizeof *slot);
    g->node = best;
    return best;
}

static ms_err nested(const ms_evidence *e, uint32_t at, double *below, double *all, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    for (uint32_t i = 0, n = out->n; i < n; i++) {
        ms_growing g;
        for (uint32_t k = 0; k < p->nview; k++) {
            ms_view *v = p->view[k];
            const ms_finding *f = &out->finding[i];
            if (f->process != at || !(f->flags & MS_SUSPECT) || f->flags & MS_EXPLAINED || !in_common(p, v, f->line, &g) ||
                !ms_snap_holds(v->snap, g.node) || (double)ms_snap_retained(v->snap, g.node) < HELD_BYTES)
                continue;
            uint32_t before = out->n;
            MS_TRY(container(e, at, v, &g, NULL, below, all, out));
            if (out->n > before) {
                ms_finding_fact(&out->finding[out->n - 1], "nested", 1);
                out->finding[i].flags |= MS_EXPLAINED;
                break;
            }
        }
    }
    return MS_OK;
}

/* A container that grows, with what it holds alone or together with others. */
typedef struct {
    const ms_growing *g;
    ms_together       with;
    double            bytes;
} grown_one;

static int more_held(const void *a, const void *b)
{
    const grown_one *x = a, *y = b;
    if ((x->g->entries < ENTRIES) != (y->g->entries < ENTRIES))
        return x->g->entries < ENTRIES ? 1 : -1; /* those of few entries last */
    return x->bytes > y->bytes ? -1 : x->bytes < y->bytes ? 1 : (x->g > y->g) - (x->g < y->g);
}

/* Whether most of a container's entries are weak references to what lives: it grows since others keep that. */
static bool refers_weakly(const ms_view *v, uint32_t node)
{
    enum { SAMPLE = 64 };
    const ms_snap *s = v->snap;
    uint32_t from = s->first[node] + s->type_count[ms_snap_type(s, node)], end = s->first[node + 1], of = 0, weak = 0;
    uint32_t pairs = s->type_rest[ms_snap_type(s, node)] == MS_REST_PAIRS ? 2 : 1, stride = end > from ? (end - from) / SAMPLE / pairs * pairs + pairs : 1;
    for (uint32_t i = from; i + pairs <= end; i += stride, of++)
        for (uint32_t part = 0, found = 0; part < pairs && !found; part++) {
            uint32_t t = MS_SNAP_TARGET(s->to[i + part]);
            for (uint32_t k = t ? s->first[t] : 0; t && k < s->first[t + 1] && !found && ms_view_is(v, t, MS_IS(WEAK_REF) | MS_IS(KEYED_REF)); k++)
                found = MS_SNAP_KIND(s->to[k]) == MS_SNAP_WEAK && MS_SNAP_TARGET(s->to[k]) && !ms_view_is(v, MS_SNAP_TARGET(s->to[k]), MS_IS(NONE));
            weak += found;
        }
    return 2 * weak > of;
}

/* Follows all references from what lies on the stack, but into the containers of `last`; marks what it meets in `seen`, and in `met` where that is given. */
static double reach(const ms_snap *s, uint32_t *stack, uint32_t n, const uint32_t *last, uint32_t lasts, ms_set *seen, ms_set *met)
{
    double bytes = 0;
    while (n > 0) {
        uint32_t at = stack[--n];
        bytes += at && at <= s->objects ? (double)ms_snap_bytes(s, at) : 0;
        if (met)
            ms_set_add(met, at);
        for (uint32_t edge = s->first[at]; edge < s->first[at + 1]; edge++) {
            uint32_t t = MS_SNAP_TARGET(s->to[edge]);
            bool cut = t == 0 || MS_SNAP_KIND(s->to[edge]) != MS_SNAP_NORMAL || ms_set_has(seen, t);
            for (uint32_t i = 0; !cut && i < lasts; i++)
                cut = t == last[i];
            if (cut)
                continue;
            ms_set_add(seen, t);
            stack[n++] = t;
        }
    }
    return bytes;
}

/* Several caches, of which none holds their entries alone: a filter kept by its name, by its negation and by each pair that it
 * is in. What all of them hold is what the root does not reach without them. It is told of the fullest one, where it is a fifth
 * of all that lives and twice what each of them holds alone. Two passes over the heap, so of a large one it is not asked. */
#define UNION_SHARE 0.2
enum { UNION_OBJECTS = 4000000 };
static ms_err all_together(const ms_evidence *e, uint32_t at, ms_view *v, const grown_one *one, uint32_t n, double *below, double *all, ms_findings *out, uint32_t *found)
{
    const ms_snap *s = v->snap;
    uint32_t node[MOST_GROWING], nodes = 0, lead = MS_NONE, second = MS_NONE;
    double apart = 0;
    for (uint32_t i = 0; i < n; i++) {
        const ms_growing *g = one[i].g;
        if (!g->grows || g->entries < ENTRIES || g->node > s->objects || ms_view_of_a_frame(v, g->node) || refers_weakly(v, g->node))
            continue;
        node[nodes++] = g->node;
        apart += (double)ms_snap_retained(s, g->node);
        uint32_t less = i;
        if (lead == MS_NONE || g->entries > one[lead].g->entries) {
            less = lead;
            lead = i;
        }
        if (less != MS_NONE && (second == MS_NONE || one[less].g->entries > one[second].g->entries))
            second = less;
    }
    if (nodes < 2 || s->objects > UNION_OBJECTS)
        return MS_OK;
    ms_together with = {0};
    ms_set seen = {0};
    ms_contents c;
    size_t room = (size_t)s->nodes * sizeof(uint32_t);
    uint32_t *stack = ms_sys_alloc(room), before = out->n;
    ms_err err = stack ? ms_view_contents(&e->process[at], v, one[lead].g->node, &c) : MS_ENOMEM;
    if (err == MS_OK && (err = ms_set_new(s, &seen)) == MS_OK && (err = ms_set_new(s, &with.below)) == MS_OK && c.example != MS_NONE) {
        stack[0] = 0;
        ms_set_add(&seen, 0);
        reach(s, stack, 1, node, nodes, &seen, NULL);
        for (uint32_t i = 0; i < nodes; i++) {
            ms_set_add(&seen, node[i]);
            stack[i] = node[i];
        }
        double held = reach(s, stack, nodes, NULL, 0, &seen, &with.below), alone = (double)ms_snap_retained(s, one[lead].g->node);
        if (held >= fmax(ALONE_BYTES, UNION_SHARE * (double)v->live) && held >= 2 * apart) {
            with.bytes = ms_whole(held - alone);
            with.n = (uint32_t)c.entries;
            with.example = c.example;
            with.other = one[second].g->node;
            err = container(e, at, v, one[lead].g, &with, below, all, out);
            *found += out->n > before;
        }
    }
    ms_sys_free(stack, room);
    ms_set_free(&seen);
    ms_set_free(&with.below);
    return err;
}

static ms_err in_view(const ms_evidence *e, uint32_t at, ms_view *v, double *below, double *all, ms_findings *out, uint32_t *found)
{
    const ms_snap *s = v->snap;
    grown_one one[MOST_GROWING];
    uint32_t n = 0, tried = 0, told[MOST_CONTAINERS];
    ms_err err = MS_OK;
    double least = fmax(HELD_BYTES, HELD_SHARE * (double)v->live);
    for (size_t i = 0; err == MS_OK && i < v->growing.n && n < MOST_GROWING; i++) {
        const ms_growing *g = &v->growing.at[i];
        double seconds = ((double)s->epoch - ms_snap_id(s->birth, g->node)) * (double)s->epoch_ns / 1e9;
        double bytes = (double)ms_snap_retained(s, g->node);
        if (!(g->grows || g->late) || seconds < HELD_SECONDS || ms_snap_is_garbage(s, g->node) || ms_snap_is_namespace(s, g->node) ||
            (g->entries < ENTRIES && bytes < FEW_BYTES * g->entries))
            continue;
        grown_one *x = &one[n++];
        *x = (grown_one){.g = g, .bytes = bytes};
        if (g->entries >= ENTRIES && (err = ms_view_together(v, g->node, &x->with)) == MS_OK)
            x->bytes += (double)x->with.bytes;
    }
    qsort(one, n, sizeof *one, more_held);
    for (uint32_t i = 0; err == MS_OK && i < n && *found < MOST_CONTAINERS && tried < MOST_TRIED; i++) {
        const grown_one *x = &one[i];
        bool inner = x->bytes < least || (x->with.n == 0 && !ms_snap_holds(s, x->g->node)) || refers_weakly(v, x->g->node);
        for (uint32_t k = 0; k < *found && !inner; k++) {
            const ms_together *with = &one[told[k]].with;
            inner = ms_view_below(v, one[told[k]].g->node, x->g->node) ||
                    (with->n && (ms_set_has(&with->below, x->g->node) || (x->with.n && ms_set_has(&with->below, x->with.example))));
        }
        if (inner)
            continue;
        uint32_t before = out->n;
        tried++;
        err = container(e, at, v, x->g, &x->with, below, all, out);
        if (out->n > before)
            told[(*found)++] = i;
    }
    if (err == MS_OK && *found == 0)
        err = all_together(e, at, v, one, n, below, all, out, found);
    for (uint32_t i = 0; i < n; i++)
        ms_set_free(&one[i].with.below);
    return err;
}

static ms_err containers(const ms_evidence *e, uint32_t at, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    ms_err err = MS_OK;
    uint32_t found = 0;
    size_t size = e->nlines * sizeof(double);
    if (p->nview == 0 || e->nlines == 0)
        return MS_OK;
    double *below = ms_sys_alloc(size), *all = ms_sys_alloc(size);
    if (below == NULL || all == NULL)
        err = MS_ENOMEM;
    for (uint32_t k = 0; err == MS_OK && k < p->nview && found == 0; k++) /* the fuller one; the other if that shows nothing */
        err = in_view(e, at, p->view[k], below, all, out, &found);
    if (err == MS_OK)
        err = nested(e, at, below, all, out);
    ms_sys_free(below, size);
    ms_sys_free(all, size);
    return err;
}

/* ---- caches on methods ---- */

/* L2 without growth: a cache with a limit, on a method, holds the last instances and all that they hold: from 1 MiB and a twentieth of all
 * on, of two instances and more that nobody else has, which make up half of what the cache holds. */
#define SELVES_BYTES (1.0 * 1048576)
#define SELVES_SHARE 0.05
enum { SELVES = 2, MOST_CACHED = 64 };

/* Whether a class is this one, or below it: its mro names it. */
static bool class_below(const ms_view *v, uint32_t class, uint32_t of)
{
    const ms_snap *s = v->snap;
    for (uint32_t edge = s->first[class]; class != of && edge < s->first[class + 1]; edge++) {
        uint32_t mro = MS_SNAP_TARGET(s->to[edge]);
        for (uint32_t k = mro ? s->first[mro] : 0; mro && ms_view_is(v, mro, MS_IS(TUPLE)) && k < s->first[mro + 1]; k++)
            if (MS_SNAP_TARGET(s->to[k]) == of)
                return true;
    }
    return class == of;
}

/* The class that has this cache as a method: the nearest of its holders that is one. 0: none. */
static uint32_t class_of_method(const ms_view *v, uint32_t cache)
{
    const ms_snap *s = v->snap;
    uint32_t up = s->idom[cache], of_classes = 0;
    for (uint32_t t = 0; t < s->n_types && !of_classes; t++)
        of_classes = v->is[t] & MS_IS(TYPE) ? s->type_node[t] : 0;
    for (int step = 0; step < 4 && up && up <= s->objects; step++, up = s->idom[up]) {
        uint32_t kind = s->type_node[ms_snap_type(s, up)];
        if (ms_view_is(v, up, MS_IS(TYPE)) || (kind && kind <= s->objects && class_below(v, kind, of_classes)))
            return up;
    }
    return 0;
}

static ms_err cached_selves(const ms_evidence *e, uint32_t at, ms_view *v, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    const ms_snap *s = v->snap;
    uint32_t cache[MOST_CACHED], n = 0;
    double least = fmax(SELVES_BYTES, SELVES_SHARE * (double)v->live);
    uint8_t *self = ms_sys_alloc(s->n_types); /* of each type: whether its objects may be what the method is called on */
    ms_err err = self || s->n_types == 0 ? MS_OK : MS_ENOMEM;
    for (uint32_t i = 1; err == MS_OK && i <= s->objects && n < MOST_CACHED; i++)
        if (ms_view_is(v, i, MS_IS(CACHED)) && ms_snap_holds(s, i) && (double)ms_snap_retained(s, i) >= least && !ms_snap_is_garbage(s, i))
            cache[n++] = i;
    for (uint32_t i = 0; i < out->n; i++) /* one that grows is told */
        if (out->finding[i].process == at && strcmp(out->finding[i].rule->id, "L2") == 0)
            n = 0;
    for (uint32_t c = 0; c < n; c++) {
        uint32_t class = class_of_method(v, cache[c]), number = 0, oldest = s->epoch, newest = 0, example = 0;
        double bytes = 0;
        for (uint32_t t = 0; class && t < s->n_types; t++)
            self[t] = s->type_node[t] && s->type_node[t] <= s->objects && class_below(v, s->type_node[t], class);
        for (uint32_t i = 1; class && i <= s->objects; i++) {
            if (!self[ms_snap_type(s, i)] || !ms_snap_holds(s, i) || !ms_view_inside(v, cache[c], i))
                continue;
            number++;
            bytes += (double)ms_snap_retained(s, i);
            oldest = ms_view_birth(v, i) < oldest ? ms_view_birth(v, i) : oldest;
            newest = ms_view_birth(v, i) > newest ? ms_view_birth(v, i) : newest;
            example = i;
        }
        uint32_t line = example ? ms_view_line(p, v, example) : MS_NONE;
        if (number < SELVES || bytes < fmax(least, (double)ms_snap_retained(s, cache[c]) / 2) || !ms_line_counts(e, line))
            continue;
        ms_finding *f;
        if ((err = ms_finding_add(out, "L2", at, line, ms_snap_retained(s, cache[c]), 0.8, &f)) != MS_OK ||
            (err = ms_finding_way(out, f, p, v, cache[c])) != MS_OK)
            break;
        f->saves = f->bytes;
        ms_finding_fact(f, "entries", number);
        ms_finding_fact(f, "selves", number);
        ms_finding_fact(f, "live", (double)v->live);
        ms_finding_fact(f, "age_s", (double)(s->epoch - oldest) * (double)s->epoch_ns / 1e9);
        ms_finding_fact(f, "youngest_s", (double)(s->epoch - newest) * (double)s->epoch_ns / 1e9);
        ms_finding_fact(f, "entry_line", line);
        ms_finding_fact(f, "born", -1.0);
        ms_finding_fact(f, "few", 0);
        ms_finding_fact(f, "nested", 1);
        ms_finding_fact(f, "sequence", 0);
        ms_finding_text(f, "type", "functools._lru_cache_wrapper");
        ms_finding_type(f, "value", v, ms_snap_type(s, example));
        break;
    }
    ms_sys_free(self, s->n_types);
    return err;
}

/* ---- references that nobody owns ---- */

/* L6: at least so many objects, or blocks that are none, 256 KiB with what they hold and a fiftieth of all, born all along: from the first ones to
 * the snapshot (what came before may have been imports), for 0.1 s and a quarter of the run. A library written in C may hold objects by
 * right: but those that are made at each call, and stay, are no cache that anyone meant. */
#define LOST_BYTES (256.0 * 1024)
#define LOST_SHARE 0.02
#define RAW_SHARE 0.2 /* of what their line had at its peak */
enum { LOST = 200 };

typedef struct {
    double   bytes, raw; /* of objects; of blocks that are none */
    uint32_t count, born[MS_BIRTH_PARTS], example;
} lost_sum;

static bool born_all_along(const ms_snap *s, const uint32_t *born, uint32_t n)
{
    uint32_t from = ms_births_begin(born, n);
    double epochs = (double)s->epoch * (MS_BIRTH_PARTS - from) / MS_BIRTH_PARTS;
    return n >= LOST && epochs * (double)s->epoch_ns / 1e9 >= HELD_SECONDS && epochs >= (double)s->epoch / 4 && ms_births_all_along(born, from, n);
}

/* The same of a line's blocks that are no objects. */
static bool raw_all_along(ms_view *v, const uint32_t *site, uint64_t sites, uint32_t line)
{
    ms_column raw, part, blocks;
    uint32_t born[MS_BIRTH_PARTS] = {0}, n = 0;
    if (ms_snap_column(v->snap, "raw_births", "raw", MS_TYPE_U32, NULL, &raw) != MS_OK || ms_snap_column(v->snap, "raw_births", "part", MS_TYPE_U32, NULL, &part) != MS_OK ||
        ms_snap_column(v->snap, "raw_births", "blocks", MS_TYPE_U32, NULL, &blocks) != MS_OK)
        return false;
    for (uint64_t i = 0; i < raw.rows && i < part.rows && i < blocks.rows; i++) {
        uint32_t row = ((const uint32_t *)raw.values)[i], at = ((const uint32_t *)part.values)[i], more = ((const uint32_t *)blocks.values)[i];
        if (row < sites && site[row] < v->snap->n_sites && v->line[site[row]] == line && at < MS_BIRTH_PARTS && more < UINT32_MAX - n) {
            born[at] += more;
            n += more;
        }
    }
    return born_all_along(v->snap, born, n);
}

static ms_err add_lost(const ms_evidence *e, uint32_t at, ms_view *v, uint32_t line, const lost_sum *x, double raw, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    ms_finding *f;
    MS_TRY(ms_finding_add(out, "L6", at, line, (uint64_t)(x->bytes + raw), 0.8, &f));
    f->site = ms_site_top(p, line, "live_bytes");
    f->saves = f->bytes;
    for (uint32_t i = 0; i < out->nslope; i++)
        if (out->slope[i].process == at && out->slope[i].line == line) {
            ms_finding_fact(f, "per_second", out->slope[i].slope.per_second);
            ms_finding_fact(f, "error", out->slope[i].slope.error);
            ms_finding_fact(f, "start", out->slope[i].slope.start);
            ms_finding_fact(f, "end", out->slope[i].slope.end);
        }
    ms_finding_fact(f, "number", x->count);
    ms_finding_fact(f, "raw", raw);
    ms_finding_fact(f, "live", (double)v->live);
    if (x->example)
        ms_finding_type(f, "type", v, ms_snap_type(v->snap, x->example));
    for (uint32_t i = 0; i + 1 < out->n; i++)
        if (out->finding[i].process == at && out->finding[i].line == line && out->finding[i].flags & MS_SUSPECT)
            out->finding[i].flags |= MS_EXPLAINED;
    return MS_OK;
}

/* Marks the rows of `unexplained` whose object somebody else holds, too: by a reference that neither comes from it nor from what it
 * alone holds. (Such an object is a root of its own, and so says nothing of who else holds it.) */
static ms_err held_otherwise(const ms_view *v, const uint32_t *node, uint64_t n, uint8_t *mark)
{
    const ms_snap *s = v->snap;
    size_t size = ((size_t)s->objects + 1) * sizeof(uint32_t);
    uint32_t *row = ms_sys_alloc(size);
    if (row == NULL)
        return MS_ENOMEM;
    memset(row, 0, size);
    for (uint64_t i = 0; i < n; i++)
        if (node[i] && node[i] <= s->objects)
            row[node[i]] = (uint32_t)i + 1;
    for (uint32_t from = 1, name; from < s->nodes; from++) {
        if (from > s->objects && ms_snap_name(s, from, &name) && ms_snap_text_is(s, name, "held outside Python"))
            continue;
        for (uint32_t edge = s->first[from]; edge < s->first[from + 1]; edge++) {
            uint32_t t = MS_SNAP_TARGET(s->to[edge]);
            if (t && t <= s->objects && row[t] && t != from && MS_SNAP_KIND(s->to[edge]) != MS_SNAP_WEAK && !ms_view_below(v, t, from))
                mark[row[t] - 1] = 1;
        }
    }
    ms_sys_free(row, size);
    return MS_OK;
}

static ms_err nobody_owns(const ms_evidence *e, uint32_t at, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    ms_column node, refs, site, bytes;
    ms_err err = MS_OK;
    if (p->nview == 0 || e->nlines == 0)
        return MS_OK;
    ms_view *v = p->view[0];
    ms_snap *s = v->snap;
    size_t size = e->nlines * sizeof(lost_sum);
    lost_sum *sums = ms_sys_alloc(size);
    if (sums == NULL)
        err = MS_ENOMEM;
    uint8_t *held = NULL;
    uint64_t rows = 0;
    if (err == MS_OK && ms_snap_column(s, "unexplained", "node", MS_TYPE_U32, NULL, &node) == MS_OK &&
        ms_snap_column(s, "unexplained", "refs", MS_TYPE_I32, NULL, &refs) == MS_OK && (rows = node.rows < refs.rows ? node.rows : refs.rows) > 0) {
        held = ms_sys_alloc(rows);
        if (held)
            memset(held, 0, rows);
        err = held ? held_otherwise(v, node.values, rows, held) : MS_ENOMEM;
        for (uint64_t i = 0; err == MS_OK && i < rows; i++) {
            uint32_t n = ((const uint32_t *)node.values)[i], line;
            if (n == 0 || n > s->objects || ((const int32_t *)refs.values)[i] <= 0 || held[i])
                continue;
            if ((s->idom[n] != 0 && s->idom[n] <= s->objects) || !ms_line_counts(e, line = ms_view_line(p, v, n)))
                continue;
            lost_sum *sum = &sums[line];
            sum->example = n;
            sum->count++;
            sum->bytes += (double)ms_snap_retained(s, n);
            sum->born[(uint64_t)ms_view_birth(v, n) * MS_BIRTH_PARTS / ((uint64_t)s->epoch + 1)]++;
        }
    }
    ms_sys_free(held, rows);
    const uint32_t *raw_site = NULL;
    uint64_t raws = 0;
    if (err == MS_OK && ms_snap_column(s, "raw", "site", MS_TYPE_U32, NULL, &site) == MS_OK &&
        ms_snap_column(s, "raw", "bytes", MS_TYPE_U64, NULL, &bytes) == MS_OK) {
        raw_site = site.values;
        raws = site.rows < bytes.rows ? site.rows : bytes.rows;
        for (uint64_t i = 0; i < raws; i++) {
            uint32_t line = raw_site[i] < s->n_sites ? v->line[raw_site[i]] : MS_NONE;
            if (ms_line_counts(e, line))
                sums[line].raw += (double)((const uint64_t *)bytes.values)[i];
        }
    }
    double least = fmax(LOST_BYTES, LOST_SHARE * (double)v->live);
    /* What the allocator counts as live at the exit, and no object of the heap owns: a suspect line that made it. */
    double unowned = v->prefix[0] == 'e' ? (double)ms_snap_info(s, "python_live_bytes", 0) - (double)v->live : 0;
    for (uint32_t i = 0, n = out->n; err == MS_OK && i < n; i++) {
        ms_finding *f = &out->finding[i];
        if (f->process != at || !(f->flags & MS_SUSPECT) || f->flags & MS_EXPLAINED || f->line >= e->nlines || sums[f->line].count >= LOST)
            continue;
        double here = (double)p->lines[f->line].live_bytes, owned = 0;
        for (uint32_t o = 1; here >= least && unowned >= here / 2 && o <= s->objects; o++)
            owned += ms_view_line(p, v, o) == f->line ? (double)ms_snap_bytes(s, o) : 0;
        if (here >= least && unowned >= here / 2 && owned < here / 4) {
            lost_sum none = {.bytes = 0};
            uint32_t line = f->line;
            f->flags |= MS_EXPLAINED;
            err = add_lost(e, at, v, line, &none, here - owned, out);
            sums[line].raw = 0; /* told */
        }
    }
    for (uint32_t line = 0; err == MS_OK && line < e->nlines; line++) {
        const lost_sum *sum = &sums[line];
        bool lost = sum->bytes >= least && born_all_along(s, sum->born, sum->count), grows = false;
        double share = sum->raw / fmax(1, (double)p->lines[line].peak_bytes); /* what such blocks refer to is beside them */
        for (uint32_t i = 0; i < out->nslope; i++)
            grows = grows || (out->slope[i].process == at && out->slope[i].line == line);
        /* Few large ones have no births to tell by: they must be most of a line that grows. */
        bool blocks = sum->raw >= least && ((grows && share >= BELOW_SHARE) || (share >= RAW_SHARE && raw_all_along(v, raw_site, raws, line)));
        if (lost || blocks)
            err = add_lost(e, at, v, line, sum, blocks ? sum->raw : 0, out);
    }
    ms_sys_free(sums, size);
    return err;
}

/* ---- one life after the other ---- */

/* L9: at least four forked processes of one parent, half of them begun where another had ended (within 0.5 s). Three
 * quarters of them hold 512 KiB and a twentieth more at their end than after the first fifth of their life; the middle one's
 * growth is at least half of the most. Lives that were looked at too seldom are left out. Whether they are workers that are renewed, the source shows. */
enum { LIVES = 4, MOST_LIVES = 256 };
#define RENEWED_SECONDS 0.5
#define LIFE_BYTES (512.0 * 1024)
#define LIFE_SHARE 0.05
#define LIFE_START 0.2
#define LIFE_LATE 0.8

/* How much a process gained from the first fifth of its life to its end. Where the first look after that came later, on a busy machine, its
 * gain from there on is taken for the whole in proportion; below 0: not known, since nobody looked in time at so short a life. */
static double life_grew(const ms_process *p)
{
    for (uint32_t i = 0; i < p->npoint; i++)
        if (p->t[i] >= LIFE_START * p->duration) {
            double end = fmax(p->python[p->npoint - 1], (double)p->live_bytes);
            return p->t[i] <= LIFE_LATE * p->duration ? fmax(0, end - p->python[i]) * (1 - LIFE_START) / (1 - p->t[i] / p->duration) : -1;
        }
    return -1;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

static ms_err lives(const ms_evidence *e, uint32_t parent, ms_findings *out)
{
    uint32_t life[MOST_LIVES], n = 0, known = 0, renewed = 0, grown = 0, line = MS_NONE, top = 0;
    double grew[MOST_LIVES], most = 0, seconds = 0;
    for (uint32_t at = parent; at < e->nprocess && n < MOST_LIVES; at++)
        if (e->process[at].forked && e->process[at].ppid == e->process[parent].ppid)
            life[n++] = at;
    if (n < LIVES)
        return MS_OK;
    for (uint32_t i = 0; i < n; i++) {
        const ms_process *p = &e->process[life[i]];
        bool after = false;
        for (uint32_t k = 0; k < n; k++) {
            const ms_process *q = &e->process[life[k]];
            double gap = ((double)p->start_ns - (double)q->start_ns) / 1e9 - q->duration;
            after = after || (k != i && gap > -0.05 && gap < RENEWED_SECONDS);
        }
        renewed += after;
        seconds += p->duration / n;
        double more = life_grew(p);
        if (more < 0)
            continue;
        grew[known++] = more;
        grown += more >= fmax(LIFE_BYTES, LIFE_SHARE * (double)p->inherited_bytes);
        if (more > most) {
            most = more;
            top = life[i];
        }
    }
    qsort(grew, known, sizeof *grew, by_value);
    if (renewed < n / 2 || grown < LIVES || grown < known - known / 4 || grew[known / 2] < most / 2)
        return MS_OK;
    const ms_process *p = &e->process[top];
    for (uint32_t i = 0; i < e->nlines; i++) { /* what it made and still has */
        double kept = (double)p->lines[i].live_bytes - (double)p->lines[i].inherited_bytes;
        if (e->aside[i] == 0 && kept > 0 && (line == MS_NONE || kept > (double)p->lines[line].live_bytes - (double)p->lines[line].inherited_bytes))
            line = i;
    }
    ms_finding *f;
    MS_TRY(ms_finding_add(out, "L9", top, line, ms_whole(most), 0.7, &f));
    f->site = line == MS_NONE ? MS_NONE : ms_site_top(p, line, "live_bytes");
    ms_finding_fact(f, "lives", n);
    ms_finding_fact(f, "median", grew[known / 2]);
    ms_finding_fact(f, "life_s", seconds);
    return MS_OK;
}

static ms_err recycled(const ms_evidence *e, ms_findings *out)
{
    for (uint32_t at = 0; at < e->nprocess; at++) { /* once for each parent */
        bool first = e->process[at].forked;
        for (uint32_t k = 0; first && k < at; k++)
            first = !e->process[k].forked || e->process[k].ppid != e->process[at].ppid;
        if (first)
            MS_TRY(lives(e, at, out));
    }
    return MS_OK;
}

/* In a shorter run than growth takes to show, a line that rises proves nothing: so does one that builds its data. But a
 * container whose entries were born all along, and blocks that nobody owns, are the same on a quick machine as on a slow one: what rises
 * only says where to look. */
static ms_err brief(const ms_evidence *e, uint32_t at, double start, double end, ms_findings *out)
{
    uint32_t from = out->n, n = from, slopes = out->nslope, spread = out->spread;
    bool judged = out->judged_growth;
    MS_TRY(lines_grow(e, at, start, end, out));
    uint32_t grown = out->nslope;
    out->nslope = slopes;
    out->spread = spread;
    out->judged_growth = judged;
    MS_TRY(native_grows_briefly(e, at, start, end, out));
    MS_TRY(containers(e, at, out));
    out->nslope = grown;
    MS_TRY(nobody_owns(e, at, out));
    out->nslope = slopes;
    for (uint32_t i = from; i < out->n; i++)
        if (!(out->finding[i].flags & MS_SUSPECT))
            out->finding[n++] = out->finding[i];
    out->n = n;
    return MS_OK;
}

static ms_err run(const ms_evidence *e, ms_findings *out)
{
    for (uint32_t i = 0; i < e->nprocess; i++) {
        double start, end;
        if (ms_trend_window(&e->process[i], MS_TREND_SECONDS, &start, &end)) {
            MS_TRY(lines_grow(e, i, start, end, out));
            MS_TRY(native_grows(e, i, start, end, out));
            MS_TRY(containers(e, i, out));
            if (out->spread == i && e->process[i].nview) /* a picture of the heap shows who keeps it, and none of these only grows */
                out->spread = MS_NONE;
            MS_TRY(nobody_owns(e, i, out));
        } else if (ms_trend_window(&e->process[i], BRIEF_SECONDS, &start, &end)) {
            MS_TRY(brief(e, i, start, end, out));
        } else {
            MS_TRY(nobody_owns(e, i, out));
        }
        for (uint32_t k = 0; k < e->process[i].nview; k++)
            MS_TRY(cached_selves(e, i, e->process[i].view[k], out));
    }
    return recycled(e, out);
}

static const ms_rule rules[] = {
    {"L1", MS_VERDICT_LEAK}, {"L2", MS_VERDICT_RETENTION}, {"L3", MS_VERDICT_LEAK}, {"L4", MS_VERDICT_LEAK},
    {"L5", MS_VERDICT_LEAK}, {"L6", MS_VERDICT_LEAK}, {"L7", MS_VERDICT_NOT_YOURS}, {"L8", MS_VERDICT_LEAK}, {"L9", MS_VERDICT_LEAK}, {"R5", MS_VERDICT_LEAK}, {"R9", MS_VERDICT_LEAK}, {"R13", MS_VERDICT_LEAK},
};
const ms_check ms_check_leaks = {.principle = 4, .name = "leaks", .rules = rules, .nrules = sizeof rules / sizeof *rules, .run = run,
    .asks = "what grows after the warm-up and does not stop, and which container keeps it?"};
