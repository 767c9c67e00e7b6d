/* path.c -- exact mode: the call path of every allocation, as a node of the tree.
 *
 * The path of the last capture is kept per thread, frame by frame. A capture compares the running
 * frames with it from the root up and interns only what changed. */
#include "record/recorder.h"

typedef struct {
    ms_frame *frame;
    uintptr_t instruction;
    uint32_t  node;
} step;

typedef struct {
    PyThreadState *ts;
    step   *steps;
    ms_frame **frames; /* scratch: the running frames, innermost first */
    size_t  depth, room;
} path;

static path paths[64];
static path *current;

void ms_path_forget(void)
{
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        paths[i].depth = 0; /* an instruction address may come to mean another place */
}

static path *path_of(PyThreadState *ts)
{
    if (current && current->ts == ts)
        return current;
    size_t slot = (size_t)((uintptr_t)ts >> 6) * 0x9E3779B97F4A7C15ull >> 58;
    current = &paths[slot];
    if (current->ts != ts) {
        current->ts = ts;
        current->depth = 0;
    }
    return current;
}

static bool grow(path *p)
{
    size_t room = p->room ? p->room * 2 : 512;
    step *steps = ms_sys_resize(p->steps, p->room * sizeof *steps, room * sizeof *steps);
    if (steps)
        p->steps = steps;
    ms_frame **frames = ms_sys_resize(p->frames, p->room * sizeof *frames, room * sizeof *frames);
    if (frames)
        p->frames = frames;
    if (steps == NULL || frames == NULL)
        return false;
    p->room = room;
    return true;
}

static uint32_t path_node(PyThreadState *ts)
{
    path *p = path_of(ts);
    size_t n = 0;
    for (ms_frame *f = ms_frame_python(ms_frame_top(ts)); f; f = ms_frame_python(f->previous)) {
        if (n == p->room && !grow(p))
            return 0;
        p->frames[n++] = f;
    }
    size_t d = 0;
    for (; d < n && d < p->depth; d++)
        if (p->steps[d].frame != p->frames[n - 1 - d] || p->steps[d].instruction != ms_frame_instruction(p->frames[n - 1 - d]))
            break;
    uint32_t node = d ? p->steps[d - 1].node : 0;
    for (; d < n; d++) {
        ms_frame *f = p->frames[n - 1 - d];
        uintptr_t instruction = ms_frame_instruction(f);
        node = ms_node_below(node, ms_who_site(f, instruction));
        p->steps[d] = (step){f, instruction, node};
    }
    p->depth = n;
    return node;
}

uint32_t ms_path_who(PyThreadState *ts, ms_frame *f, uint32_t cls, uint32_t bytes)
{
    return ms_tally_tag(ms_tally_intern(path_node(ts), bytes));
}
