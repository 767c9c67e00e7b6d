/* p2_release.c -- what is held longer than it is needed?
 *
 * All from a snapshot, mostly that of the peak: exceptions that hold their frames (R1, R2), a waiting worker's last
 * job (R3), locals of running frames that are not read any more (R4, with the source), generators begun and not
 * finished (R8), small views of large buffers (R11, with the source). */
#include "checks/checks.h"

#include <math.h>
#include <string.h>

/* Worth a finding: 1 MiB and a twentieth of all; a local that its function still has: 4 MiB and a fifth. */
#define HELD_BYTES (1.0 * 1048576)
#define HELD_SHARE 0.05
#define LOCAL_BYTES (4.0 * 1048576)
#define LOCAL_SHARE 0.2
enum { GENERATORS = 100, VIEW_TIMES = 100 };

static ms_err exceptions(const ms_evidence *e, uint32_t at, ms_view *v, ms_findings *out)
{
    const ms_process *p = &e->process[at];
    const ms_snap *s = v->snap;
    double least = fmax(HELD_BYTES, HELD_SHARE * (double)v->live), sum = 0, most = 0;
    uint32_t top = 0, number = 0;
    for (uint32_t i = 1; i <= s->objects; i++) {
        if (!(s->type_flags[ms_snap_type(s, i)] & MS_SNAP_EXCEPTION) || !ms_snap_holds(s, i) || ms_snap_is_garbage(s, i))
            continue;
        double held = 0; /* by way of the traceback: other things that it holds are its own business */
        uint32_t up = s->idom[i];
        for (uint32_t edge = s->first[i]; edge < s->first[i + 1]; edge++) {
            uint32_t t = MS_SNAP_TARGET(s->to[edge]);
            if (t && s->idom[t] == i && ms_view_type_is(v, t, "traceback"))
                held = (double)ms_snap_retained(s, t);
        }
        if (held < 4096 || (up && up <= s->objects && s->type_flags[ms_snap_type(s, up)] & MS_SNAP_EXCEPTION))
            continue;
        sum += held;
        number++;
        if (held > most) {
            most = held;
            top = i;
        }
    }
    if (top == 0 || sum < least)
        return MS_OK;
    ms_finding *f;
    uint32_t line = ms_view_line(p, v, top);
    MS_TRY(ms_finding_add(out, "R1", at, ms_line_counts(e, line) ? line : MS_NONE, (uint64_t)sum, 0.9, &f));
    MS_TRY(ms_finding_way(out, f, p, v, top));
    for (uint32_t i = 0; i < f->nstep; i++)
        if (strcmp(out->step[f->step + i].label, ".last_traceback") == 0 || strcmp(out->step[f->step + i].label, ".last_exc") == 0 ||
            strcmp(out->step[f->step + i].label, ".last_value") == 0)
            f->rule = ms_rule_find("R2", NULL);
    f->saves = f->bytes;
    ms_finding_fact(f, "number", number);
    ms_finding_fact(f, "live", (double)v->live);
    ms_finding_type(f, "type", v, ms_snap_type(s, top));
    return MS_OK;
}

/* R3 and R4: what a frame alone holds by one of its variables. */
static ms_err locals(const ms_evidence *e, uint32_t at, ms_view *v, ms_findings *out)
{
    ms_snap *s = v->snap;
    ms_column node, site;
    if (ms_snap_column(s, "frames", "node", MS_TYPE_U32, NULL, &node) != MS_OK ||
        ms_snap_column(s, "frames", "site", MS_TYPE_U32, NULL, &site) != MS_OK)
        return MS_OK;
    const uint32_t *frames = node.values, *sites = site.values;
    for (uint64_t i = 0; i < node.rows && i < site.rows; i++) {
        uint32_t frame = frames[i], string;
        if (frame <= s->objects || frame >= s->nodes || sites[i] >= s->n_sites)
            continue;
        uint32_t line = MS_NONE, thread = s->idom[frame];
        bool main = thread > s->objects && ms_snap_name(s, thread, &string) && memmem(ms_snap_text(s, string).at, ms_snap_text(s, string).size, "(main)", 6);
        if ((double)ms_snap_retained(s, frame) < HELD_BYTES || (line = ms_view_near(e, &e->process[at], v, sites[i])) == MS_NONE ||
            e->whose[line] != MS_OWN)
            continue;
        for (uint32_t edge = s->first[frame]; edge < s->first[frame + 1]; edge++) {
            uint32_t t = MS_SNAP_TARGET(s->to[edge]);
            double held = t ? (double)ms_snap_retained(s, t) : 0;
            ms_label label = ms_snap_label(s, frame, edge);
            if (t == 0 || s->idom[t] != frame || label.kind != MS_LABEL_NAMED)
                continue;
            bool job = !main && held >= fmax(HELD_BYTES, HELD_SHARE * (double)v->live);
            bool local = held >= fmax(LOCAL_BYTES, LOCAL_SHARE * (double)v->live);
            for (int k = 0; k < 2; k++) {
                ms_finding *f;
                if (!(k ? local : job))
                    continue;
                MS_TRY(ms_finding_add(out, k ? "R4" : "R3", at, line, (uint64_t)held, 0.8, &f));
                f->flags = MS_NEEDS_SOURCE;
                f->saves = f->bytes;
                ms_finding_fact(f, "live", (double)v->live);
                ms_finding_fact(f, "frame_line", s->site_line[sites[i]]);
                ms_finding_fact(f, "inner", i > 0 && s->idom[frames[i - 1]] == thread); /* a frame of its own is above it */
                ms_snap_string name = ms_snap_text(s, label.value);
                ms_finding_text(f, "local", "%.*s", (int)name.size, name.at ? name.at : "");
                ms_finding_type(f, "type", v, ms_snap_type(s, t));
            }
        }
    }
    return MS_OK;
}

/* R8, R11: many of one kind, by the line that made them. */
static ms_err kinds(const ms_evidence *e, uint32_t at, ms_view *v, ms_findings *out)
{
    static const char *const generators[] = {"generator", "coroutine", "async_generator"};
    static const char *const views[] = {"memoryview", "re.Match", "numpy.ndarray", "managedbuffer"};
    const ms_process *p = &e->process[at];
    const ms_snap *s = v->snap;
    double least = fmax(HELD_BYTES, HELD_SHARE * (double)v->live);
    size_t size = e->nlines * sizeof(double);
    ms_err err = MS_OK;
    for (int kind = 0; kind < 2 && err == MS_OK && e->nlines; kind++) {
        double *held = ms_sys_alloc(size), *number = ms_sys_alloc(size);
        uint32_t best = MS_NONE, example = 0;
        if (held == NULL || number == NULL)
            err = MS_ENOMEM;
        for (uint32_t i = 1; err == MS_OK && i <= s->objects; i++) {
            bool is = false;
            if (!ms_snap_holds(s, i))
                continue;
            for (int k = 0; k < (kind ? 4 : 3); k++)
                is = is || ms_view_type_is(v, i, kind ? views[k] : generators[k]);
            uint32_t line = is ? ms_view_line(p, v, i) : MS_NONE;
            if (!ms_line_counts(e, line) || ms_snap_is_garbage(s, i))
                continue;
            double bytes = (double)ms_snap_retained(s, i), own = (double)ms_snap_bytes(s, i);
            if (kind && bytes < VIEW_TIMES * own)
                continue;
            held[line] += bytes;
            number[line]++;
            if (best == MS_NONE || held[line] > held[best]) {
                best = line;
                example = i;
            }
        }
        if (err == MS_OK && best != MS_NONE && held[best] >= least && (kind || number[best] >= GENERATORS)) {
            ms_finding *f;
            err = ms_finding_add(out, kind ? "R11" : "R8", at, best, (uint64_t)held[best], 0.8, &f);
            if (err == MS_OK) {
                f->flags = kind ? MS_NEEDS_SOURCE : 0;
                f->saves = f->bytes;
                ms_finding_fact(f, "number", number[best]);
                ms_finding_fact(f, "live", (double)v->live);
                ms_finding_type(f, "type", v, ms_snap_type(s, example));
                err = ms_finding_way(out, f, p, v, example);
            }
        }
        ms_sys_free(held, size);
        ms_sys_free(number, size);
    }
    return err;
}

static ms_err run(const ms_evidence *e, ms_findings *out)
{
    for (uint32_t at = 0; at < e->nprocess; at++) {
        const ms_process *p = &e->process[at];
        uint32_t before = out->n;
        for (uint32_t k = 0; k < p->nview && out->n == before; k++) {
            MS_TRY(exceptions(e, at, p->view[k], out));
            MS_TRY(locals(e, at, p->view[k], out));
            MS_TRY(kinds(e, at, p->view[k], out));
        }
    }
    return MS_OK;
}

static const ms_rule rules[] = {
    {"R1", MS_VERDICT_RETENTION}, {"R2", MS_VERDICT_RETENTION}, {"R3", MS_VERDICT_RETENTION},
    {"R4", MS_VERDICT_RETENTION}, {"R8", MS_VERDICT_RETENTION}, {"R11", MS_VERDICT_RETENTION},
};
const ms_check ms_check_release = {.principle = 2, .name = "release", .rules = rules, .nrules = sizeof rules / sizeof *rules, .run = run,
    .asks = "what is held longer than it is needed, and by whom?"};
