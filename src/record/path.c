/* path.c -- exact mode: the call path of every allocation, as a node of the tree.
 *
 * The frames of the last capture are kept, outermost first, each with the node of its callers. A frame
 * that is still running since then tells that everything below it is as it was: its callers wait for
 * it. So a capture walks from the innermost frame down only to the first such frame, and interns what
 * lies above it. How to know that it is the same frame, and not another at the same address:
 *
 *   Every captured frame of a function is *marked*: its f_locals, which is NULL in a new frame and which
 *   a function's own code never reads, is pointed at an object of ours. The pop of the frame forgets
 *   the mark by itself. 3.13 and later: the object is immortal and means nothing to anybody. 3.11 and
 *   3.12 fill f_locals when locals() asks for it, so there the mark is an empty dict, fresh for each
 *   depth, which serves for that as well as the one CPython would have made; once used it is replaced.
 *
 * Frames of generators are never marked (another caller may resume them), nor those of modules and
 * classes; an unmarked frame costs one step more, nothing else. With MEMSURE_VERIFY set
 * the whole stack is walked each time and compared.
 *
 * Recursion folds (ms_node_below), so the tree is bounded by the program's text. */
#include "record/recorder.h"

#include <string.h>

#define MARKS     1024u
#define MAP_SIZE  1024u /* frame -> depth, a hint that is verified */

typedef struct {
    ms_frame *frame;
    uint32_t  callers; /* node of the frames below */
    uint32_t  unused;
} step;

typedef struct {
    PyThreadState *ts;
    size_t    depth, room;
    step     *steps;
    ms_frame **above; /* scratch: frames met on the way down */
    uint16_t  where[MAP_SIZE];
} path;

static path  paths[32];
static path *current;

/* (callers, instruction) -> node: direct-mapped. */
static struct {
    uintptr_t instruction;
    uint32_t  callers, node;
} nodes[1u << 13];

ms_path_top ms_path_innermost;

void ms_path_forget(uintptr_t from, uintptr_t to) /* addresses that may come to mean other places */
{
    for (uint32_t i = 0; i < sizeof nodes / sizeof *nodes; i++)
        if (nodes[i].instruction - from < to - from)
            nodes[i].instruction = 0;
}

/* Another recording begins: its nodes and tallies are others. */
void ms_path_reset(void)
{
    memset(nodes, 0, sizeof nodes);
    ms_path_innermost = (ms_path_top){0};
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        paths[i].depth = 0;
    current = NULL;
}

/* --- marks ---------------------------------------------------------------------------------------- */

#if PY_VERSION_HEX >= 0x030d0000

static PyObject sentinels[MARKS] = {[0 ... MARKS - 1] = PyObject_HEAD_INIT(NULL)};

static inline PyObject *mark_of(size_t depth) { return depth < MARKS ? &sentinels[depth] : NULL; }

static void mark(ms_frame *f, size_t depth)
{
    if (depth >= MARKS || f->owner != FRAME_OWNED_BY_THREAD || !(ms_frame_code(f)->co_flags & CO_OPTIMIZED))
        return;
    if (f->f_locals && (uintptr_t)f->f_locals - (uintptr_t)sentinels >= sizeof sentinels)
        return; /* somebody else uses it */
    sentinels[depth].ob_type = Py_TYPE(Py_None);
    f->f_locals = &sentinels[depth];
}

void ms_path_refill(void) {}

#else

static PyObject *dicts[MARKS]; /* the mark of each depth */
static PyObject *spare[256];
static uint32_t  nspare;
static bool      wanted;

static inline PyObject *mark_of(size_t depth) { return depth < MARKS ? dicts[depth] : NULL; }

static bool pristine(PyObject *d) { return d && Py_REFCNT(d) == 1 && ((PyDictObject *)d)->ma_used == 0; }

static void mark(ms_frame *f, size_t depth)
{
    if (depth >= MARKS || f->owner != FRAME_OWNED_BY_THREAD || !(ms_frame_code(f)->co_flags & CO_OPTIMIZED) || f->f_locals)
        return;
    if (!pristine(dicts[depth])) { /* taken by locals(), or still held: a new one; the old goes its own way */
        if (nspare == 0) {
            if (!wanted)
                ms_python_ask();
            wanted = true;
            return;
        }
        dicts[depth] = spare[--nspare]; /* a reference to the old one is leaked: it cannot be dropped here */
    }
    Py_INCREF(dicts[depth]);
    f->f_locals = dicts[depth];
}

/* At a safe moment: dicts for further marks. */
void ms_path_refill(void)
{
    while (ms_mode == MS_MODE_EXACT && nspare < sizeof spare / sizeof *spare) {
        PyObject *d = PyDict_New();
        if (d == NULL)
            break;
        ms_block_disown((PyGC_Head *)d - 1);
        spare[nspare++] = d;
    }
    wanted = false;
}

#endif

/* --- capture -------------------------------------------------------------------------------------- */

static inline uint32_t frame_hash(const ms_frame *f) { return (uint32_t)((uintptr_t)f * 0x9E3779B97F4A7C15ull >> 54) & (MAP_SIZE - 1); }

/* Whether frame f has run since the last capture of p, at depth *at. */
static inline bool still_there(const path *p, const ms_frame *f, size_t *at)
{
    size_t d = p->where[frame_hash(f)];
    *at = d;
    return d < p->depth && p->steps[d].frame == f && f->f_locals && f->f_locals == mark_of(d) && f->owner == FRAME_OWNED_BY_THREAD;
}

static bool grow(path *p)
{
    size_t room = p->room ? p->room * 2 : 512;
    step *steps = ms_sys_resize(p->steps, p->room * sizeof *steps, room * sizeof *steps);
    if (steps)
        p->steps = steps;
    ms_frame **above = ms_sys_resize(p->above, p->room * sizeof *above, room * sizeof *above);
    if (above)
        p->above = above;
    if (steps == NULL || above == NULL)
        return false;
    p->room = room;
    return true;
}

static MS_COLD path *path_of(PyThreadState *ts)
{
    path *p = &paths[(uintptr_t)ts * 0x9E3779B97F4A7C15ull >> 59];
    if (p->ts != ts) {
        p->ts = ts;
        p->depth = 0; /* marks made for another thread are not looked for: depth 0 holds none */
    }
    return current = p;
}

static MS_COLD uint32_t node_new(uint32_t callers, ms_frame *f, uintptr_t instruction)
{
    uint64_t t;
    ms_lock_take();
    uint32_t site = ms_who_site(f, instruction); /* which counts its own time */
    ms_cold_begin(&t);
    uint32_t node = ms_node_below(callers, site);
    ms_cold_end(t);
    ms_lock_give();
    return node;
}

static inline uint32_t node_of(uint32_t callers, ms_frame *f)
{
    uintptr_t instruction = ms_frame_instruction(f);
    uint32_t i = (uint32_t)((instruction ^ (uint64_t)callers << 40) * 0x9E3779B97F4A7C15ull >> 51);
    if (nodes[i].instruction != instruction || nodes[i].callers != callers || instruction == 0) {
        uint32_t node = node_new(callers, f, instruction);
        nodes[i].instruction = instruction;
        nodes[i].callers = callers;
        nodes[i].node = node;
    }
    return nodes[i].node;
}

/* The node of the frames below f, the innermost one. */
static uint32_t capture(PyThreadState *ts, ms_frame *f)
{
    path *p = current && current->ts == ts ? current : path_of(ts);
    size_t n = 0, at = 0;
    bool found = false;
    for (; f; f = ms_frame_python(f->previous)) {
        if ((found = still_there(p, f, &at)))
            break;
        if (n == p->room && !grow(p))
            return 0;
        p->above[n++] = f;
    }
    size_t depth = found ? at + 1 : 0;
    if (n == 0) {
        p->depth = depth;
        return p->steps[at].callers;
    }
    uint32_t callers = found ? node_of(p->steps[at].callers, f) : 0;
    while (depth + n > p->room)
        if (!grow(p))
            return 0;
    while (n-- > 0) {
        ms_frame *g = p->above[n];
        p->steps[depth] = (step){.frame = g, .callers = callers};
        p->where[frame_hash(g)] = (uint16_t)(depth < UINT16_MAX ? depth : UINT16_MAX);
        mark(g, depth);
        depth++;
        if (n)
            callers = node_of(callers, g);
    }
    p->depth = depth;
    return callers;
}

/* With MEMSURE_VERIFY set, every capture is compared with a walk of the whole stack. */
bool ms_path_verify;

static MS_COLD void verify(PyThreadState *ts, ms_frame *f, uint32_t callers)
{
    ms_lock_take();
    ms_area.path_checked++;
    ms_area.path_wrong += node_of(callers, f) != ms_stack_node(ts);
    ms_lock_give();
}

/* The node of the callers of frame f, the innermost. */
uint32_t ms_path_callers(PyThreadState *ts, ms_frame *f)
{
    ms_path_top *top = &ms_path_innermost;
    uint32_t callers = top->callers;
    if (!ms_path_known(top, ts, f)) {
        callers = capture(ts, f);
        PyObject *mark = current->depth ? mark_of(current->depth - 1) : NULL;
        bool marked = mark && f->f_locals == mark && current->steps[current->depth - 1].frame == f;
        *top = (ms_path_top){ts, marked ? f : NULL, mark, callers};
    }
    if (MS_UNLIKELY(ms_path_verify))
        verify(ts, f, callers);
    return callers;
}

/* The node of the path that ends in frame f. */
uint32_t ms_path_node(ms_frame *f, uint32_t callers) { return node_of(callers, f); }
