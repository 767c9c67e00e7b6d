/* p6_needless.c -- what is allocated for nothing?
 *
 * Measured here: which lines make enough of a run's allocations, or of its peak, to matter, in blocks of a shape
 * that a rule knows. What the line does with them (a list consumed by sum(), a string grown by +=) only its source
 * tells: all but N8 need it. N8 is the rest: far more allocated than ever kept, and one line carries it. */
#include "checks/checks.h"

#include <math.h>

/* A line matters from a tenth of all bytes allocated, 64 MiB, and 20 MiB for each second of CPU time: writing that
 * much takes about a hundredth of the time; below it, no change would be felt. */
#define WORK_SHARE 0.1
#define WORK_BYTES (64.0 * 1048576)
#define WORK_RATE (20.0 * 1048576)
/* Or from a fifth of the peak and 4 MiB; boxes that are numbers: from a tenth of all blocks and 200,000. */
#define PEAK_SHARE 0.2
#define PEAK_BYTES (4.0 * 1048576)
#define BLOCK_SHARE 0.1
#define BLOCK_COUNT 200000.0
#define BOX_BYTES 128.0 /* an int, a float, a short text, and what is made around each of them */
/* A copy that grows is larger than what is added to it: on average more than 256 bytes, and the line allocates at
 * least 20 times what it ever holds. */
#define GROWN_BLOCK 256.0
#define GROWN_TIMES 20.0
#define LIBRARY_SHARE 0.3
#define ARRAY_BLOCK 4096.0 /* temporaries of array expressions: from a page on */
#define TEMPORARY 0.8      /* of the bytes die within the tick of their birth; */
#define SOON 0.9           /* or of the blocks within 16 ticks: where the work is interrupted, they wait with it */
enum { SOON_AGES = 5 };
/* Read whole: a quarter of the peak, 8 MiB, and gone again before the end (what is kept was wanted). */
#define WHOLE_SHARE 0.25
#define WHOLE_BYTES (8.0 * 1048576)
/* N8: 50 times the peak in all, 256 MiB per second of CPU time (writing that alone takes 5 % of it), a line that makes
 * a fifth of it in blocks of a KiB and more: the work is in their bytes. Smaller ones, numbers, tuples, short lists, are
 * the language's own way of working. */
/* N6: what tee() keeps between its iterators: as much as any other part of the peak that matters, in a hundred of its
 * blocks (57 elements each). */
enum { TEE_BLOCKS = 100 };
/* In no picture: a line that reads what tee() gave out, by its source, and whose blocks at the peak are as large as tee()'s: a header,
 * counts, 57 pointers; a number or two beside each are met as well. */
#define TEE_LEAST 256.0
#define TEE_MOST 1024.0
#define CHURN_TIMES 50.0
#define CHURN_RATE (256.0 * 1048576)
#define CHURN_SHARE 0.2
#define CHURN_BLOCK 1024.0

static bool dies_soon(const ms_line *l)
{
    double soon = 0;
    for (int i = 0; i < SOON_AGES; i++)
        soon += (double)l->ages[i];
    return (double)l->temporary_bytes >= TEMPORARY * (double)l->allocated_bytes || soon >= SOON * (double)l->allocated_blocks;
}

static ms_err line_needless(const ms_evidence *e, uint32_t at, uint32_t i, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    const ms_line *l = &p->lines[i];
    double all = (double)p->allocated_bytes, top = (double)p->peak_bytes, cpu = fmax(p->cpu, 0.1);
    double bytes = (double)l->allocated_bytes, peak = (double)l->peak_bytes + l->through_peak, live = (double)l->live_bytes + l->through_live;
    double through = l->through_bytes, whole = bytes + through, blocks = (double)l->allocated_blocks, mean = blocks > 0 ? bytes / blocks : 0;
    bool work = bytes >= fmax(WORK_SHARE * all, WORK_BYTES) && bytes >= WORK_RATE * cpu;
    bool held = peak >= fmax(PEAK_SHARE * top, PEAK_BYTES);
    bool fleeting = dies_soon(l);
    if (peak >= fmax(WHOLE_SHARE * top, WHOLE_BYTES) && live < peak / 4)
        MS_TRY(ms_finding_of_line(e, out, "N1", at, i, peak, 0.8, "peak_bytes"));
    if (held && live < peak / 4)
        MS_TRY(ms_finding_of_line(e, out, "N2", at, i, peak, 0.8, "peak_bytes"));
    else if (work)
        MS_TRY(ms_finding_of_line(e, out, "N2", at, i, bytes, 0.8, "allocated_bytes"));
    if (work && fleeting && mean >= GROWN_BLOCK && bytes >= GROWN_TIMES * (double)l->peak_bytes)
        MS_TRY(ms_finding_of_line(e, out, "N3", at, i, (double)l->temporary_bytes, 0.8, "temporary_bytes"));
    else if (through >= fmax(LIBRARY_SHARE * all, WORK_BYTES) && through >= WORK_RATE * cpu && through >= GROWN_BLOCK * l->through_blocks &&
             through >= GROWN_TIMES * peak) { /* np.append() and the like copy on the line's behalf */
        MS_TRY(ms_finding_of_line(e, out, "N3", at, i, through, 0.8, "allocated_bytes"));
        ms_finding_fact(&out->finding[out->n - 1], "through", through);
    }
    if (work && fleeting && mean >= ARRAY_BLOCK)
        MS_TRY(ms_finding_of_line(e, out, "N4", at, i, bytes, 0.8, "temporary_bytes"));
    double each = l->peak_blocks ? (double)l->peak_bytes / (double)l->peak_blocks : 0;
    if (peak >= PEAK_BYTES && (double)l->peak_blocks >= TEE_BLOCKS && live < peak / 4 && each >= TEE_LEAST && each <= TEE_MOST)
        MS_TRY(ms_finding_of_line(e, out, "N6", at, i, peak, 0.8, "peak_bytes"));
    double box = whole / fmax(1, blocks + l->through_blocks);
    bool boxes = whole > 0 && box <= BOX_BYTES;
    if (boxes && ((blocks + l->through_blocks >= fmax(BLOCK_SHARE * (double)p->allocated_blocks, BLOCK_COUNT)) || held)) {
        MS_TRY(ms_finding_of_line(e, out, "N5", at, i, held ? peak : whole, 0.8, "allocated_bytes"));
        ms_finding_fact(&out->finding[out->n - 1], "each", box);
    }
    return MS_OK;
}

/* In a library only what grows by copying, and makes three tenths of all: that is a fault of it, worth a report or a newer
 * release. How else it works is its own business. */
static ms_err library_line(const ms_evidence *e, uint32_t at, uint32_t i, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    const ms_line *l = &p->lines[i];
    double bytes = (double)l->allocated_bytes, blocks = (double)l->allocated_blocks;
    if (bytes < fmax(LIBRARY_SHARE * (double)p->allocated_bytes, WORK_BYTES) || bytes < WORK_RATE * fmax(p->cpu, 0.1) ||
        !dies_soon(l) || bytes < GROWN_BLOCK * blocks || bytes < GROWN_TIMES * (double)l->peak_bytes)
        return MS_OK;
    return ms_finding_of_line(e, out, "N3", at, i, (double)l->temporary_bytes, 0.8, "temporary_bytes");
}

static ms_err churn(const ms_evidence *e, uint32_t at, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    double all = (double)p->allocated_bytes, spent = fmax(p->cpu, 1.0);
    if (!(p->cpu > 0) || all < CHURN_TIMES * (double)p->peak_bytes || all < CHURN_RATE * spent)
        return MS_OK;
    uint32_t line = MS_NONE; /* the program's own: what a library does inside, nobody changes for it */
    for (uint32_t i = 0; i < e->nlines; i++)
        if (e->aside[i] == 0 && e->whose[i] == MS_OWN && (line == MS_NONE || p->lines[i].temporary_bytes > p->lines[line].temporary_bytes))
            line = i;
    if (line == MS_NONE)
        return MS_OK;
    const ms_line *l = &p->lines[line];
    if ((double)l->temporary_bytes < CHURN_SHARE * all || l->temporary_blocks == 0 ||
        (double)l->temporary_bytes / (double)l->temporary_blocks < CHURN_BLOCK)
        return MS_OK;
    MS_TRY(ms_finding_of_line(e, out, "N8", at, line, (double)l->temporary_bytes, 0.8, "temporary_bytes"));
    ms_finding *f = &out->finding[out->n - 1];
    f->flags = 0;
    f->confidence = 0.6;
    ms_finding_fact(f, "temporary_blocks", (double)l->temporary_blocks);
    return MS_OK;
}

/* N7: what worker processes unpickled: 8 MiB in each of at least two, 24 MiB together at their peaks, a fifth of all
 * of these; and in all twice as much as the first process ever allocated, pickles (large blocks from the standard library)
 * and what the standard library drops at once left out: so the same was sent several times. Whether the line unpickles, its source shows. What came four times as much as all
 * that was ever made, and 64 MiB, costs time however little is there at once: from 1 MiB in each. */
#define SENT_BYTES (8.0 * 1048576)
#define SENT_TOGETHER (24.0 * 1048576)
#define SENT_SHARE 0.2
#define SENT_TIMES 2.0
#define AGAIN_BYTES (64.0 * 1048576)
#define AGAIN_TIMES 4.0
#define AGAIN_PEAK (1.0 * 1048576)

static ms_err sent(const ms_evidence *e, ms_findings *out)
{
    double made = 0, peaks = 0;
    if (e->nprocess < 3)
        return MS_OK;
    for (uint32_t i = 0; i < e->nlines; i++) {
        const ms_line *l = &e->process[0].lines[i];
        if (e->whose[i] != MS_STANDARD)
            made += (double)l->allocated_bytes;
        else if ((double)l->allocated_bytes < ARRAY_BLOCK * (double)l->allocated_blocks)
            made += (double)(l->allocated_bytes - l->temporary_bytes); /* the other end of the pipe turns over what it waits with */
    }
    for (uint32_t at = 1; at < e->nprocess; at++)
        peaks += (double)e->process[at].peak_bytes;
    for (uint32_t i = 0; i < e->nlines; i++) {
        double together = 0, all = 0, most = 0, again = 0;
        uint32_t number = 0, top = 0;
        if (e->aside[i] || e->whose[i] == MS_OWN)
            continue;
        for (uint32_t at = 1; at < e->nprocess; at++)
            again += (double)e->process[at].lines[i].allocated_bytes;
        bool often = again >= AGAIN_BYTES && again >= AGAIN_TIMES * made;
        for (uint32_t at = 1; at < e->nprocess; at++) {
            const ms_line *l = &e->process[at].lines[i];
            if ((double)l->peak_bytes < (often ? AGAIN_PEAK : SENT_BYTES))
                continue;
            number++;
            together += (double)l->peak_bytes;
            all += (double)l->allocated_bytes;
            if ((double)l->peak_bytes > most) {
                most = (double)l->peak_bytes;
                top = at;
            }
        }
        if (number < 2 || together < fmax(often ? 0 : SENT_TOGETHER, SENT_SHARE * peaks) || all < SENT_TIMES * made)
            continue;
        ms_finding *f;
        MS_TRY(ms_finding_add(out, "N7", top, i, ms_whole(together), 0.8, &f));
        f->flags = MS_NEEDS_SOURCE;
        f->saves = ms_whole(together - together / number);
        ms_finding_fact(f, "number", number);
        ms_finding_fact(f, "each", together / number);
        ms_finding_fact(f, "sent", all);
        ms_finding_fact(f, "live", peaks);
    }
    return MS_OK;
}

static ms_err tee(const ms_evidence *e, uint32_t at, ms_view *v, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    const ms_snap *s = v->snap;
    double held = 0, number = 0, most = 0;
    uint32_t top = 0, line = MS_NONE;
    for (uint32_t i = 1; i <= s->objects; i++) {
        if (!ms_view_is(v, i, MS_IS(TEE)) || ms_snap_is_garbage(s, i))
            continue;
        number++;
        uint32_t up = s->idom[i];
        if (up && up <= s->objects && ms_view_is(v, up, MS_IS(TEE)))
            continue; /* a chain counts once, at its head */
        double bytes = (double)ms_snap_retained(s, i);
        held += bytes;
        if (bytes > most) {
            most = bytes;
            top = i;
        }
    }
    if (top == 0 || number < TEE_BLOCKS || held < fmax(PEAK_BYTES, PEAK_SHARE * (double)v->live))
        return MS_OK;
    for (uint32_t i = 1; i <= s->objects && line == MS_NONE; i++) /* the head was made by tee() itself, the rest where it is read */
        if (i != top && ms_view_is(v, i, MS_IS(TEE)) && ms_line_counts(e, ms_view_line(p, v, i)))
            line = ms_view_line(p, v, i);
    ms_finding *f;
    MS_TRY(ms_finding_add(out, "N6", at, line, ms_whole(held), 0.9, &f));
    f->saves = f->bytes;
    ms_finding_fact(f, "number", number);
    ms_finding_fact(f, "live", (double)v->live);
    ms_finding_type(f, "type", v, ms_snap_type(s, top));
    return ms_finding_way(out, f, p, v, top);
}

static ms_err run(const ms_evidence *e, ms_findings *out)
{
    for (uint32_t at = 0; at < e->nprocess; at++) {
        for (uint32_t i = 0; i < e->nlines; i++)
            if (e->aside[i] == 0 && e->whose[i] == MS_OWN)
                MS_TRY(line_needless(e, at, i, out));
            else if (e->aside[i] == 0 && e->whose[i] == MS_LIBRARY)
                MS_TRY(library_line(e, at, i, out));
        MS_TRY(churn(e, at, out));
        for (uint32_t k = 0, before = out->n; k < e->process[at].nview && out->n == before; k++)
            MS_TRY(tee(e, at, e->process[at].view[k], out));
    }
    return sent(e, out);
}

static const ms_rule rules[] = {
    {"N1", MS_VERDICT_CHURN}, {"N2", MS_VERDICT_CHURN}, {"N3", MS_VERDICT_CHURN},
    {"N4", MS_VERDICT_CHURN}, {"N5", MS_VERDICT_CHURN}, {"N6", MS_VERDICT_RETENTION}, {"N7", MS_VERDICT_RETENTION}, {"N8", MS_VERDICT_CHURN},
};
const ms_check ms_check_needless = {.principle = 6, .name = "needless", .rules = rules, .nrules = sizeof rules / sizeof *rules, .run = run,
    .asks = "what is made in a loop, or held at the peak, that the program never needed?"};
