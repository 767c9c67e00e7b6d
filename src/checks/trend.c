/* trend.c -- does a curve of live bytes grow, and how fast?
 *
 * A line grows if, after the warm-up, its slope has a 95 % interval that excludes zero, the lowest level of
 * each sixth of the window is above the one before, the last third is no plateau, and it is enough to
 * matter. What is left of a live-bytes curve beside its line hangs together over time, and the textbook error
 * of a regression would be far too small. The residuals are taken as an autoregression of first order: with a
 * correlation r of neighbours (corrected for the bias that fitting a line brings), n points are worth
 * n (1 - r) / (1 + r). Tried on 150 series each of n = 20 to 300, r = 0 to 0.95 (test_report.py repeats a
 * part of it): the interval holds the true slope in 85 to 98 %. Newey and West's, with 1.3 to 4 sqrt(n)
 * neighbours, held it in 57 to 93 %, and was dropped. */
#include "checks/checks.h"

#include <math.h>

#define WARM_UP (1.0 / 3) /* of a run: imports, caches that fill, pools that reach their size */
enum {
    LEAST_POINTS = 12,
    PARTS = 6,       /* of the window, whose lowest levels must rise; */
    FALSE_STEPS = 1, /* so many steps between them may fail to */
};
/* In the last third of the window a curve that still grows goes on at no less than this share of its average
 * pace. A cache that fills like 1 - exp(-t) is below it once 90 % of it are full. */
#define PLATEAU 0.25
#define MOST_CORRELATED 0.97 /* residuals more alike are a wandering level; the interval is wide enough then */

ms_slope ms_trend_slope(uint32_t n, const double *t, const double *v)
{
    ms_slope none = {0.0, INFINITY, n ? t[0] : 0.0, n ? t[n - 1] : 0.0};
    double mean_t = 0, mean_v = 0, sxx = 0, sxy = 0, square = 0, together = 0, before = 0;
    if (n < 4 || !(t[n - 1] > t[0]))
        return none;
    for (uint32_t i = 0; i < n; i++) {
        mean_t += t[i] / n;
        mean_v += v[i] / n;
    }
    for (uint32_t i = 0; i < n; i++) {
        sxx += (t[i] - mean_t) * (t[i] - mean_t);
        sxy += (t[i] - mean_t) * (v[i] - mean_v);
    }
    if (!(sxx > 0))
        return none;
    double slope = sxy / sxx;
    for (uint32_t i = 0; i < n; i++) {
        double rest = v[i] - mean_v - slope * (t[i] - mean_t);
        square += rest * rest;
        together += i ? rest * before : 0;
        before = rest;
    }
    double r = square > 0 ? together / square : 0.0;
    r = fmin(MOST_CORRELATED, fmax(0.0, r + (2 + 4 * r) / n));
    double worth = fmax(4.0, n * (1 - r) / (1 + r));
    double student = 1.96 + 2.4 / (worth - 2.5); /* the 97.5 % point of Student's t, to 2 % from 3 degrees of freedom on */
    double error = student * sqrt(square / (n - 2) / sxx * (1 + r) / (1 - r));
    return (ms_slope){slope, error, t[0], t[n - 1]};
}

uint32_t ms_trend_lows(uint32_t n, const double *t, const double *v, uint32_t parts, double *out)
{
    uint32_t found = 0, part = 0;
    double span = n ? t[n - 1] - t[0] : 0;
    for (uint32_t i = 0; i < n; i++) { /* times rise, but for their last digit: no part comes again */
        double at = span > 0 ? fmax(0, (t[i] - t[0]) * parts / span) : 0;
        uint32_t here = at < parts ? (uint32_t)at : parts - 1;
        if (here < part)
            here = part;
        if (found == 0 || here != part) {
            out[found++] = v[i];
            part = here;
        } else if (v[i] < out[found - 1])
            out[found - 1] = v[i];
    }
    return found;
}

bool ms_trend_grows(uint32_t n, const double *t, const double *v, double least, ms_slope *out, uint32_t *up, uint32_t *steps)
{
    double low[PARTS];
    if (n < LEAST_POINTS)
        return false;
    uint32_t parts = ms_trend_lows(n, t, v, PARTS, low);
    *steps = parts - 1;
    *up = 0;
    for (uint32_t i = 1; i < parts; i++)
        *up += low[i] > low[i - 1];
    /* A machine that is busy elsewhere leaves a stretch without a point; the others must tell. */
    if (parts < PARTS - 2 || *up < *steps - FALSE_STEPS)
        return false;
    if (low[parts - 1] - low[0] < least * (PARTS - 1) / PARTS / 2)
        return false;
    *out = ms_trend_slope(n, t, v);
    if (!(out->per_second - out->error > 0) || out->per_second * (out->end - out->start) < least)
        return false;
    double third = t[0] + (t[n - 1] - t[0]) * 2 / 3;
    uint32_t first = 0;
    while (first < n && t[first] < third)
        first++;
    return n - first < 4 || !(ms_trend_slope(n - first, t + first, v + first).per_second < PLATEAU * out->per_second);
}

bool ms_trend_grows_at_work(const ms_process *p, uint32_t n, const double *t, const double *v, double least, ms_slope *out, uint32_t *up,
                            uint32_t *steps)
{
    if (n < LEAST_POINTS || (p->nstall == 0 && !(p->npoint && p->waited[p->npoint - 1] > 0)))
        return ms_trend_grows(n, t, v, least, out, up, steps);
    double *work = ms_sys_alloc(n * sizeof *work);
    if (work == NULL)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        double own = ms_process_own(p, t[i]);
        work[i] = own;
        for (uint32_t k = 0; k < p->nstall; k++)
            work[i] -= fmax(0, fmin(own, p->stall[k].to) - p->stall[k].from);
    }
    bool grows = ms_trend_grows(n, work, v, least, out, up, steps);
    if (grows) {
        double share = (out->end - out->start) / (t[n - 1] - t[0]);
        *out = (ms_slope){out->per_second * share, out->error * share, t[0], t[n - 1]};
    }
    ms_sys_free(work, n * sizeof *work);
    return grows;
}

/* From the end of the warm-up to the end; where a program drops most of its memory as it ends (it takes down what it has:
 * frames return, finalizers run), to just before that: a twentieth of the run, and more of it while nothing but falls. How long the
 * interpreter takes itself down afterwards (the timeline stops there) does not count. */
#define TAKEN_DOWN 0.05
#define TAKEN_DOWN_FALLING 0.15

bool ms_trend_window(const ms_process *p, double least, double *start, double *end)
{
    double whole = p->duration, top = 0;
    if (p->npoint)
        whole = fmin(whole, p->t[p->npoint - 1]);
    if (!(ms_process_own(p, whole) >= least))
        return false;
    *start = whole * WARM_UP;
    *end = whole;
    if (p->npoint) {
        uint32_t at = p->npoint - 1;
        for (uint32_t i = 0; i < p->npoint; i++)
            top = fmax(top, p->python[i]);
        bool down = p->python[at] < top / 2;
        while (at > 0 && p->python[at] < top / 2 && p->t[at] >= whole * (1 - TAKEN_DOWN))
            at--;
        while (down && at > 0 && p->python[at - 1] > p->python[at] && p->t[at] >= whole * (1 - TAKEN_DOWN_FALLING))
            at--;
        *end = fmin(*end, p->t[at]);
    }
    return true;
}
