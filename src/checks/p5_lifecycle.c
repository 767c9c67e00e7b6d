/* p5_lifecycle.c -- does the collector work for nothing, or not at all, and do workers pay for the same start?
 *
 * Y1: full collections walk a heap that does not die. Y4: young objects die by themselves, but only after the young
 * collections have carried them on. Both cost time; Y3, imports paid by each worker, costs memory. Y2 is the contrary: a
 * snapshot has dead circles of the whole run, and no collection came that could have freed them. */
#include "checks/checks.h"

#include <math.h>
#include <string.h>

/* The collector's time is worth a finding from a tenth of the run and 0.3 s on. */
#define GC_SHARE 0.1
#define GC_SECONDS 0.3
/* Where one line of the program asks for most of the full ones, half of that: there is no chance in it. */
#define ASKED_SHARE 0.8
#define ASKED_SECONDS 0.15
/* A line that made less of what lives is not the one to be named. */
#define LIVING_SHARE 0.05
/* The time is the clock's, and on a busy machine others had most of it: a collection counts for no more than 100 ns for each object that
 * it can have met; in the young ones these are the thresholds' (at most 2000, and ten times that in the second generation). */
#define GC_OBJECT 1e-7
#define GC_YOUNG 2000.0
/* Fewer full collections, most of them the interpreter's own while much is loaded, are no habit. */
enum { LEAST_OLD = 4 };
/* For nothing: what it reclaimed is less than a hundredth of what it walked past. */
#define RECLAIMED 0.01
/* Y3: imports of at least three processes that were not forked from one that had them, 64 MiB and a quarter of what lives
 * beside the largest of them. */
enum { WORKERS = 3 };
#define MIDDLE_AGE 150.0 /* young collections that such a block lives */
#define IMPORTS_BYTES (64.0 * 1048576)
#define IMPORTS_SHARE 0.25

/* Y2: dead circles. With the collector off: 2 MiB and a tenth of all. Where young collections run: 8 MiB and four tenths,
 * since a full one waits until a quarter of what is old is new, and a dozen of the middle ones, since it comes at the eleventh of
 * them at the soonest: before, it is not missing. Born all along: in six of eight parts of the time. */
#define GARBAGE_BYTES (2.0 * 1048576)
#define GARBAGE_SHARE 0.1
#define OLD_GARBAGE_BYTES (8.0 * 1048576)
#define OLD_GARBAGE_SHARE 0.4
enum { PARTS = 8, FAIR_PARTS = 6, MIDDLE_DUE = 12 };

static ms_err never_collected(const ms_evidence *e, uint32_t at, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    double start, end;
    if (p->nview == 0 || e->nlines == 0 || !ms_trend_window(p, MS_TREND_SECONDS, &start, &end))
        return MS_OK;
    ms_view *v = p->view[0];
    for (uint32_t k = 1; k < p->nview; k++)
        if (p->view[k]->garbage > v->garbage)
            v = p->view[k];
    const ms_snap *s = v->snap;
    double taken = (double)ms_snap_info(s, "t_ns", 0) / 1e9, young = 0, middle = 0, full = 0;
    for (uint32_t i = 0; i < p->ncollection; i++) {
        double t = (double)p->collections[i].t_ns / 1e9;
        if (t >= start && t < taken - 0.05) /* the exit's own collection comes just before its snapshot */
            *(p->collections[i].generation >= 2 ? &full : &young) += (double)p->collections[i].count;
        middle += t >= start && p->collections[i].generation == 1 ? (double)p->collections[i].count : 0;
    }
    bool off = young < 1;
    if (full > 0 || (!off && middle < MIDDLE_DUE) || (double)v->garbage < (off ? fmax(GARBAGE_BYTES, GARBAGE_SHARE * (double)v->live) : fmax(OLD_GARBAGE_BYTES, OLD_GARBAGE_SHARE * (double)v->live)))
        return MS_OK;
    size_t size = 2 * e->nlines * sizeof(double);
    double *dead = ms_sys_alloc(size), *all = dead ? dead + e->nlines : NULL, number = 0, part[PARTS] = {0};
    uint32_t best = MS_NONE, example = 0, fair = 0;
    if (dead == NULL)
        return MS_ENOMEM;
    for (uint32_t i = 1; i <= s->objects; i++) {
        uint32_t line = ms_view_line(p, v, i);
        double bytes = (double)ms_snap_bytes(s, i);
        bool counts = ms_line_counts(e, line);
        if (counts)
            all[line] += bytes;
        if (!ms_snap_is_garbage(s, i))
            continue;
        uint64_t of = (uint64_t)ms_snap_id(s->birth, i) * PARTS / (s->epoch + 1);
        part[of < PARTS ? of : PARTS - 1] += 1;
        number++;
        if (!counts)
            continue;
        dead[line] += bytes;
        if (best == MS_NONE || dead[line] > dead[best]) {
            best = line;
            example = i;
        }
    }
    for (int i = 0; i < PARTS; i++)
        fair += part[i] >= number / PARTS / 4;
    ms_err err = MS_OK;
    if (best != MS_NONE && fair >= FAIR_PARTS) {
        ms_finding *f;
        err = ms_finding_add(out, "Y2", at, best, v->garbage, 0.9, &f);
        if (err == MS_OK) {
            f->site = ms_site_top(p, best, "live_bytes");
            f->saves = v->garbage;
            ms_finding_fact(f, "live", (double)v->live);
            ms_finding_fact(f, "number", number);
            ms_finding_fact(f, "young", young);
            ms_finding_fact(f, "line_bytes", dead[best]);
            ms_finding_fact(f, "duration", p->duration);
            ms_finding_type(f, "type", v, ms_snap_type(s, example));
            for (uint32_t i = 0; i + 1 < out->n; i++) { /* what seemed to pile up is dead */
                ms_finding *other = &out->finding[i];
                if (other->process == at && other->flags & MS_SUSPECT && other->line < e->nlines && 2 * dead[other->line] > all[other->line])
                    other->flags |= MS_EXPLAINED;
            }
        }
    }
    ms_sys_free(dead, size);
    return err;
}

/* Whether half of the peak lived all the time after the warm-up. */
static bool lives_on(const ms_process *p)
{
    for (uint32_t i = 0; i < p->npoint; i++)
        if (p->t[i] >= p->duration / 3 && p->t[i] <= p->duration * 0.95 && p->python[i] < (double)p->peak_bytes / 2)
            return false;
    return true;
}

/* The row of sites at which most of the full collections after the warm-up were asked for, or MS_NONE. */
static uint32_t asked_at(const ms_process *p, double n)
{
    uint32_t best = MS_NONE;
    double votes = 0, asked = 0;
    for (int pass = 0; pass < 2; pass++) /* the majority (Boyer and Moore 1981), then how many it has */
        for (uint32_t i = 0; i < p->ncollection; i++) {
            const ms_collection *c = &p->collections[i];
            if (c->generation < 2 || (double)c->t_ns / 1e9 < p->duration / 3)
                continue;
            if (pass)
                asked += c->asked_at == best ? (double)c->count : 0;
            else if (votes <= 0 || c->asked_at == best)
                best = c->asked_at, votes += (double)c->count;
            else
                votes -= (double)c->count;
        }
    return best != MS_NONE && asked >= ASKED_SHARE * n ? best : MS_NONE;
}

static ms_err collector(const ms_evidence *e, uint32_t at, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    double old = 0, young = 0, nold = 0, nyoung = 0, reclaimed = 0, from_old = 0, objects = 0;
    double own = ms_process_own(p, p->duration); /* what a collection takes is bounded by its objects: it is no time of others either */
    for (uint32_t i = 0; i < e->nlines; i++)
        objects += (double)p->lines[i].peak_blocks;
    for (uint32_t i = 0; i < p->ncollection; i++) {
        const ms_collection *c = &p->collections[i];
        if ((double)c->t_ns / 1e9 < p->duration / 3)
            continue; /* the warm-up: what is being built has to be walked */
        double met = c->generation >= 2 ? objects : fmin(objects, c->generation ? 10 * GC_YOUNG : GC_YOUNG);
        double took = fmin((double)c->duration_ns / 1e9, (double)c->count * met * GC_OBJECT), freed = fmax(0, (double)c->reclaimed) * (double)c->count;
        reclaimed += freed;
        if (c->generation >= 2) {
            old += took;
            nold += (double)c->count;
            from_old += freed;
        } else {
            young += took;
            nyoung += (double)c->count;
        }
    }
    double took = old + young;
    uint32_t asker = asked_at(p, nold);
    double least = fmax(asker == MS_NONE ? GC_SECONDS : ASKED_SECONDS, GC_SHARE * own * 2 / 3);
    if (took < least)
        return MS_OK;
    ms_finding *f;
    if (nold >= LEAST_OLD && old >= fmax(took / 2, least) && lives_on(p) && from_old < RECLAIMED * nold * (double)p->live_bytes) {
        uint32_t line = asker == MS_NONE ? ms_line_top(e, p, offsetof(ms_line, live_blocks)) : p->line[asker];
        if (asker == MS_NONE && line != MS_NONE && (double)p->lines[line].live_blocks < LIVING_SHARE * objects)
            line = MS_NONE;
        MS_TRY(ms_finding_add(out, "Y1", at, line, p->live_bytes, 0.8, &f));
        f->site = asker != MS_NONE ? asker : line == MS_NONE ? MS_NONE : ms_site_top(p, line, "live_blocks");
        ms_finding_fact(f, "asked", asker != MS_NONE);
        ms_finding_fact(f, "collector_s", old);
        ms_finding_fact(f, "duration", own);
        ms_finding_fact(f, "collections", nold);
        ms_finding_fact(f, "reclaimed", from_old);
        ms_finding_fact(f, "live_blocks", line == MS_NONE ? 0 : (double)p->lines[line].live_blocks);
        return MS_OK;
    }
    /* The middle-aged: blocks that die by themselves, at an age of more than one young collection and of fewer than 150. The
     * mean age is what lives divided by what is born a second (Little's law): a histogram in ticks is too coarse for it. */
    if (took < GC_SECONDS || young < took / 3 || nyoung < 20 || reclaimed >= RECLAIMED * (double)p->freed_bytes)
        return MS_OK;
    double period = p->duration / nyoung; /* seconds from one young collection to the next */
    uint32_t best = MS_NONE;
    double most = 0, mean = 0;
    for (uint32_t i = 0; i < e->nlines; i++) {
        const ms_line *l = &p->lines[i];
        double freed = (double)l->freed_blocks, age = freed > 0 ? (double)l->peak_blocks * p->duration / freed : 0;
        if (e->aside[i] == 0 && age >= period && age < MIDDLE_AGE * period && freed > most && (double)l->gc_freed_blocks < freed / 10) {
            most = freed;
            best = i;
            mean = age;
        }
    }
    if (best == MS_NONE || most < 100000)
        return MS_OK;
    MS_TRY(ms_finding_add(out, "Y4", at, best, p->lines[best].freed_bytes, 0.5, &f));
    f->site = ms_site_top(p, best, "freed_bytes");
    ms_finding_fact(f, "collector_s", young);
    ms_finding_fact(f, "duration", own);
    ms_finding_fact(f, "collections", nyoung);
    ms_finding_fact(f, "middle", most);
    ms_finding_fact(f, "age_s", mean);
    ms_finding_fact(f, "freed_blocks", (double)p->lines[best].freed_blocks);
    return MS_OK;
}

static ms_err imports(const ms_evidence *e, ms_findings *out)
{
    double sum = 0, live = 0, most = 0, most_of_one = 0;
    uint32_t workers = 0, line = MS_NONE, heaviest = MS_NONE;
    for (uint32_t at = 0; at < e->nprocess; at++) {
        const ms_process *p = &e->process[at];
        double mine = 0;
        for (uint32_t i = 0; i < e->nlines; i++) {
            const ms_line *l = &p->lines[i];
            if (e->aside[i] != 1 || l->allocated_bytes < l->freed_bytes) /* imports; inherited ones were not made here */
                continue;
            double kept = (double)(l->allocated_bytes - l->freed_bytes);
            mine += kept;
            if (kept > most) {
                most = kept;
                line = i;
            }
        }
        live += (double)p->live_bytes;
        if (mine >= (1 << 20)) {
            workers++;
            sum += mine;
            most_of_one = fmax(most_of_one, mine);
            heaviest = at;
        }
    }
    double again = sum - most_of_one; /* one of them has to */
    if (workers < WORKERS || again < fmax(IMPORTS_BYTES, IMPORTS_SHARE * live))
        return MS_OK;
    ms_finding *f;
    MS_TRY(ms_finding_add(out, "Y3", heaviest, line, (uint64_t)sum, 0.7, &f));
    f->saves = (uint64_t)again;
    ms_finding_fact(f, "workers", workers);
    ms_finding_fact(f, "each", sum / workers);
    ms_finding_fact(f, "live", live);
    return MS_OK;
}

static ms_err run(const ms_evidence *e, ms_findings *out)
{
    for (uint32_t at = 0; at < e->nprocess; at++)
        MS_TRY(collector(e, at, out));
    for (uint32_t at = 0; at < e->nprocess; at++)
        MS_TRY(never_collected(e, at, out));
    return imports(e, out);
}

static const ms_rule rules[] = {{"Y1", MS_VERDICT_CHURN}, {"Y2", MS_VERDICT_LEAK}, {"Y3", MS_VERDICT_RETENTION}, {"Y4", MS_VERDICT_CHURN}};
const ms_check ms_check_lifecycle = {.principle = 5, .name = "lifecycle", .rules = rules, .nrules = sizeof rules / sizeof *rules, .run = run,
    .asks = "does the collector walk what never dies, or never come, and do processes pay again for what they could share?"};
