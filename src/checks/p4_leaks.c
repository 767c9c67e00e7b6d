/* p4_leaks.c -- what grows, and does not stop?
 *
 * From a recording: a line whose live bytes rise to the end of the run (trend.c) is a suspect (L1). Who keeps
 * its blocks, a snapshot tells. Growth of malloc's own blocks with no growth in Python is L7: C code keeps
 * memory that is no Python object. */
#include "checks/checks.h"

#include <math.h>
#include <string.h>

enum {
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

static ms_err add_slope(ms_findings *out, uint32_t process, uint32_t line, ms_slope slope)
{
    if (out->nslope == out->slope_room) {
        uint32_t room = out->slope_room ? 2 * out->slope_room : 64;
        ms_line_slope *more = ms_sys_resize(out->slope, out->slope_room * sizeof *more, room * sizeof *more);
        if (more == NULL)
            return MS_ENOMEM;
        out->slope = more;
        out->slope_room = room;
    }
    out->slope[out->nslope++] = (ms_line_slope){process, line, slope};
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
        if (rise[i] >= MS_GROWTH_BYTES / 2)
            insert(top, &ntop, (candidate){i, rise[i]});
    double live = live_at(p, end), steepest = 0, deepest = 0;
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
        if (!ms_trend_grows(n, t, v, 0, &s, &up, &steps))
            continue;
        if ((err = add_slope(out, at, top[k].line, s)) != MS_OK)
            goto done;
        if (s.per_second * (s.end - s.start) < MS_GROWTH_SHARE * live)
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
        } else { /* many small lines together */
            ms_slope whole;
            uint32_t up, steps;
            if (ms_trend_grows(points, p->t + from, p->python + from, live, &whole, &up, &steps) &&
                (out->spread == MS_NONE || out->spread_slope.per_second < whole.per_second)) {
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

/* L7: malloc's live bytes rise to the end, and Python's do not explain it. Python's own large blocks come from
 * malloc, too, so what Python gained is taken off. A tenth of RSS: less is a library's pool finding its size. */
static ms_err native_grows(const ms_evidence *e, uint32_t at, double start, double end, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    uint32_t from, n = inside(p, start, end, &from), up, steps;
    ms_slope native, beside;
    ms_err err = MS_OK;
    if (n < LEAST_POINTS || !(p->native_used[from] > 0))
        return MS_OK;
    double *v = ms_sys_alloc(n * sizeof *v), rss = p->rss[from + n - 1];
    if (v == NULL)
        return MS_ENOMEM;
    for (uint32_t i = 0; i < n; i++)
        v[i] = fmax(0, p->native_used[from + i] - p->python[from + i]);
    if (ms_trend_grows(n, p->t + from, p->native_used + from, 2 * rss, &native, &up, &steps) &&
        ms_trend_grows(n, p->t + from, v, 2 * rss, &beside, &up, &steps)) {
        ms_finding *f;
        err = ms_finding_add(out, "L7", at, MS_NONE, (uint64_t)fmin(beside.per_second * (beside.end - beside.start), 1e18), 0.7, &f);
        if (err == MS_OK)
            slope_facts(f, &beside, up, steps);
    }
    ms_sys_free(v, n * sizeof *v);
    return err;
}

static ms_err run(const ms_evidence *e, ms_findings *out)
{
    for (uint32_t i = 0; i < e->nprocess; i++) {
        double start, end;
        if (!ms_trend_window(&e->process[i], &start, &end))
            continue;
        MS_TRY(lines_grow(e, i, start, end, out));
        MS_TRY(native_grows(e, i, start, end, out));
    }
    return MS_OK;
}

static const ms_rule rules[] = {{"L1", MS_VERDICT_LEAK}, {"L7", MS_VERDICT_NOT_YOURS}};
const ms_check ms_check_leaks = {.principle = 4, .name = "leaks", .rules = rules, .nrules = sizeof rules / sizeof *rules, .run = run,
    .asks = "what grows after the warm-up and does not stop, and which container keeps it?"};
