/* p3_pools.c -- what is made and dropped so often that it should be used again?
 *
 * From the histogram of ages: blocks that die within few ticks of their birth, very many of them (P3) or large ones
 * (P2), and whole trees of objects made anew for each call (P4, where the source says that the arguments are the same
 * each time). P1: pages that a few survivors keep. P5: what Arrow's pool keeps of what was freed; it says itself what is in use. */
#include "checks/checks.h"

#include <math.h>

/* P2: buffers from a page to what memsure.buffers keeps; a tenth of all bytes, 256 MiB, a hundred of them: so
 * that one copy of a result is none. Nine tenths die within 16 ticks (160 ms: where the work is interrupted, a buffer waits with it). */
#define BUFFER_LEAST 4096.0
#define BUFFER_MOST (64.0 * 1048576)
#define BUFFER_SHARE 0.1
#define BUFFER_BYTES (256.0 * 1048576)
#define BUFFER_COUNT 100.0
#define BUFFER_DEAD 0.9
/* P3: a tenth of all blocks, a million of them, 50,000 for each second of CPU time; nine tenths die within four ticks. One
 * costs 50 to 100 ns more than one from a pool: below that rate it is less than 1 % of the time. That is asked of a class, which
 * the source tells: a line needs a tenth of it. */
#define SMALL_SHARE 0.1
#define SMALL_COUNT 1000000.0
#define SMALL_RATE 50000.0
#define SMALL_DEAD 0.9
#define SMALL_LINE 0.1
/* P4: a fifth of all bytes and 64 MiB, half of them allocated by code outside on behalf of the line. */
#define TREE_SHARE 0.2
#define TREE_BYTES (64.0 * 1048576)
/* P1: a quarter of RSS and 16 MiB are holes between live blocks. */
#define HOLES_SHARE 0.25
#define HOLES_BYTES (16.0 * 1048576)
/* P5: a quarter of RSS and 32 MiB, for half a second and three looks. What a pool hands out takes up to half as much again of the system. */
#define KEPT_SHARE 0.25
#define KEPT_BYTES (32.0 * 1048576)
#define KEPT_SECONDS 0.5
#define KEPT_LOOKS 3
#define KEPT_ROOM 1.5
#define PEAK_PART 0.05 /* the survivors' line had a part in the peak */

static ms_err line_pools(const ms_evidence *e, uint32_t at, uint32_t i, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    const ms_line *l = &p->lines[i];
    double all = (double)p->allocated_bytes, bytes = (double)l->allocated_bytes, blocks = (double)l->allocated_blocks;
    double mean = blocks > 0 ? bytes / blocks : 0, cpu = fmax(p->cpu, 0.1);
    double young = (double)l->ages[0] + (double)l->ages[1] + (double)l->ages[2];
    double soon = young + (double)l->ages[3] + (double)l->ages[4];
    if (mean >= BUFFER_LEAST && mean <= BUFFER_MOST && blocks >= BUFFER_COUNT && bytes >= fmax(BUFFER_SHARE * all, BUFFER_BYTES) &&
        soon >= BUFFER_DEAD * blocks)
        MS_TRY(ms_finding_of_line(e, out, "P2", at, i, bytes, 0.7, "allocated_bytes"));
    double small = fmax(fmax(SMALL_SHARE * (double)p->allocated_blocks, SMALL_COUNT), SMALL_RATE * cpu);
    if (blocks >= SMALL_LINE * small && young >= SMALL_DEAD * blocks) {
        MS_TRY(ms_finding_of_line(e, out, "P3", at, i, bytes, 0.7, "allocated_blocks"));
        ms_finding_fact(&out->finding[out->n - 1], "needs", small);
    }
    double tree = bytes + l->through_bytes, kept = (double)l->live_bytes + l->through_live;
    if (tree >= fmax(TREE_SHARE * all, TREE_BYTES) && kept < tree / 4 && l->through_bytes >= tree / 2)
        MS_TRY(ms_finding_of_line(e, out, "P4", at, i, tree, 0.7, "allocated_bytes"));
    return MS_OK;
}

/* What is free between live blocks at the end. The map of the heap in the snapshot of the exit tells it exactly: pages on which nothing
 * lives do not count, whether they have gone back already or will at the next occasion. Without a snapshot it is what the allocator
 * held beyond what lived; of that, what was freed a moment ago would still have gone back. */
static double pinned(const ms_process *p)
{
    double sure = -1;
    uint32_t late = 0, high = 0;
    for (uint32_t i = 0; i < p->nview && sure < 0; i++)
        sure = p->view[i]->prefix[0] == 'e' ? ms_pages_pinned(p->view[i]) : -1;
    double holes = sure >= 0 ? sure : (double)p->end.slab_holes, since = fmin(p->duration * 0.85, p->duration - 0.3);
    for (uint32_t i = 0; i < p->npoint; i++)
        if (p->t[i] >= since) {
            late++;
            high += p->slab[i] - p->python[i] >= holes / 2;
        }
    return late >= (sure >= 0 ? 1 : 3) && high >= late - late / 4 ? holes : 0;
}

static ms_err holes(const ms_evidence *e, uint32_t at, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    const ms_rss *r = &p->end;
    double holes = r->known ? pinned(p) : 0;
    if (holes < fmax(HOLES_SHARE * (double)r->rss, HOLES_BYTES))
        return MS_OK;
    uint32_t line = MS_NONE;
    for (uint32_t i = 0; i < e->nlines; i++) { /* of what made the peak, the line with most survivors */
        const ms_line *l = &p->lines[i];
        if (e->aside[i] == 0 && e->whose[i] == MS_OWN && (double)l->peak_bytes >= PEAK_PART * (double)p->peak_bytes && l->live_blocks &&
            (line == MS_NONE || l->live_blocks > p->lines[line].live_blocks))
            line = i;
    }
    ms_finding *f;
    MS_TRY(ms_finding_add(out, "P1", at, line, ms_whole(holes), 0.6, &f));
    f->site = line == MS_NONE ? MS_NONE : ms_site_top(p, line, "live_blocks");
    f->saves = f->bytes;
    ms_finding_fact(f, "rss", (double)r->rss);
    ms_finding_fact(f, "live", (double)r->live);
    ms_finding_fact(f, "holes", holes);
    if (line != MS_NONE) {
        ms_finding_fact(f, "survivors", (double)p->lines[line].live_blocks);
        ms_finding_fact(f, "survivors_bytes", (double)p->lines[line].live_bytes);
    }
    return MS_OK;
}

/* Arrow's pool is neither Python's memory nor malloc's: what RSS has beyond these and beyond what the pool has in use, it
 * keeps; no more than it can have had once. Files, stacks and the like are what they are at the end. Where the pool was not asked, nothing is known. */
static ms_err arrow_keeps(const ms_evidence *e, uint32_t at, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    const ms_rss *r = &p->end;
    uint32_t last = p->npoint - 1, looks = 0;
    if (!r->known || p->arrow == NULL || p->npoint == 0 || p->arrow[last] < 1)
        return MS_OK;
    double most = (double)p->arrow_peak, used = p->arrow[last] - 1, since = p->t[last], least = fmax(KEPT_BYTES, KEPT_SHARE * (double)r->rss);
    double kept = fmin((double)r->unaccounted, KEPT_ROOM * most) - used;
    double others = (double)r->rss - (double)r->unaccounted - p->slab[last] - p->native_used[last] - p->native_free[last];
    for (uint32_t i = last + 1; i-- > 0;) {
        if (p->arrow[i] < 1)
            continue;
        double then = p->rss[i] - p->slab[i] - p->native_used[i] - p->native_free[i] - others - (p->arrow[i] - 1);
        if (looks < KEPT_LOOKS || p->t[last] - since < KEPT_SECONDS)
            kept = fmin(kept, then); /* of what is kept for a moment, only that is told which stays */
        if (then < kept / 2 || kept < least)
            break;
        since = p->t[i];
        looks++;
    }
    if (kept < least || looks < KEPT_LOOKS || p->t[last] - since < KEPT_SECONDS)
        return MS_OK;
    ms_finding *f;
    MS_TRY(ms_finding_add(out, "P5", at, MS_NONE, ms_whole(kept), 0.8, &f));
    f->saves = f->bytes;
    ms_finding_fact(f, "rss", (double)r->rss);
    ms_finding_fact(f, "used", used);
    ms_finding_fact(f, "most", most);
    ms_finding_fact(f, "seconds", p->t[last] - since);
    return MS_OK;
}

static ms_err run(const ms_evidence *e, ms_findings *out)
{
    for (uint32_t at = 0; at < e->nprocess; at++) {
        for (uint32_t i = 0; i < e->nlines; i++)
            if (e->aside[i] == 0 && e->whose[i] == MS_OWN)
                MS_TRY(line_pools(e, at, i, out));
        MS_TRY(holes(e, at, out));
        MS_TRY(arrow_keeps(e, at, out));
    }
    return MS_OK;
}

static const ms_rule rules[] = {{"P1", MS_VERDICT_ALLOCATOR}, {"P2", MS_VERDICT_CHURN}, {"P3", MS_VERDICT_CHURN}, {"P4", MS_VERDICT_CHURN}, {"P5", MS_VERDICT_ALLOCATOR}};
const ms_check ms_check_pools = {.principle = 3, .name = "pools", .rules = rules, .nrules = sizeof rules / sizeof *rules, .run = run,
    .asks = "which small objects, buffers and helpers are made and dropped so often that they should be used again?"};
