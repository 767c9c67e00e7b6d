/* roots.c -- what holds objects and is none: threads, frames, the interpreter; and what nobody holds.
 *
 * Each such holder becomes a pseudo node, whose edges have names. Node 0, the root, holds them all:
 *
 *   root -> thread -> frame -> locals
 *        -> interpreter -> modules, builtins, codecs, ...
 *        -> held outside Python: objects with more references than were found
 *        -> immortal objects */
#include "snapshot/child.h"
#if PY_VERSION_HEX >= 0x030d0000
#include "internal/pycore_tstate.h"
#endif

uint32_t ms_pseudo_new(ms_child *c, uint32_t type, const char *text)
{
    uint32_t n = (uint32_t)MS_VEC_N(c->pseudo, ms_pseudo);
    MS_PUSH(c, c->pseudo, ms_pseudo, (ms_pseudo){.type = type, .text = ms_string(c, text, strlen(text))});
    return n;
}

void ms_pseudo_to(ms_child *c, uint32_t pseudo, PyObject *o, const char *name, uint32_t kind, bool counted)
{
    if (o == NULL)
        return;
    ms_seed(c, o);
    MS_PUSH(c, c->pseudo_edges, ms_pseudo_edge,
            (ms_pseudo_edge){.from = pseudo, .to = o, .name = ms_string(c, name, strlen(name)), .kind = kind, .counted = counted});
}

void ms_pseudo_holds(ms_child *c, uint32_t pseudo, uint32_t other, const char *name)
{
    MS_PUSH(c, c->pseudo_edges, ms_pseudo_edge,
            (ms_pseudo_edge){.from = pseudo, .pseudo = other, .name = ms_string(c, name, strlen(name))});
}

/* --- threads ----------------------------------------------------------------------------------------- */

static void thread_pseudo(ms_child *c, PyThreadState *ts)
{
    char text[96];
    snprintf(text, sizeof text, "thread %lu%s", (unsigned long)ts->native_thread_id, ts->next == NULL ? " (main)" : "");
    uint32_t thread = ms_pseudo_new(c, c->type_thread, text);
    ms_pseudo_holds(c, 0, thread, "thread");
    ms_pseudo_to(c, thread, ts->dict, "dict", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, thread, ts->context, "context", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, thread, ts->c_profileobj, "profile function", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, thread, ts->c_traceobj, "trace function", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, thread, ts->async_exc, "asynchronous exception", MS_EDGE_NORMAL, true);
#if PY_VERSION_HEX >= 0x030c0000
    ms_pseudo_to(c, thread, ts->current_exception, "exception", MS_EDGE_NORMAL, true);
#else
    ms_pseudo_to(c, thread, ts->curexc_value, "exception", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, thread, ts->curexc_type, "exception type", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, thread, ts->curexc_traceback, "exception traceback", MS_EDGE_NORMAL, true);
#endif
    ms_pseudo_to(c, thread, ts->exc_state.exc_value, "handled exception", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, thread, ts->async_gen_firstiter, "hook of asynchronous generators", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, thread, ts->async_gen_finalizer, "finalizer of asynchronous generators", MS_EDGE_NORMAL, true);
#if PY_VERSION_HEX >= 0x030d0000
    ms_pseudo_to(c, thread, ((_PyThreadStateImpl *)ts)->asyncio_running_loop, "event loop", MS_EDGE_NORMAL, true);
#endif
#if PY_VERSION_HEX >= 0x030e0000
    ms_pseudo_to(c, thread, ((_PyThreadStateImpl *)ts)->asyncio_running_task, "task", MS_EDGE_NORMAL, true);
#endif
    ms_frames_of_thread(c, thread, ts);
}

/* --- the interpreter --------------------------------------------------------------------------------- */

static void gc_list_seed(ms_child *c, PyGC_Head *head)
{
    PyGC_Head *g = head;
    while ((g = (PyGC_Head *)(g->_gc_next & ~(uintptr_t)3)) != NULL && g != head) {
        __builtin_prefetch((const char *)g + 1024); /* the list often runs forwards */
        ms_seed(c, g + 1);
    }
}

/* What is to be called at the end: until 3.13 an array of structs. */
static uint32_t atexit_pseudo(ms_child *c, PyInterpreterState *in, uint32_t interpreter)
{
    struct atexit_state *a = &in->atexit;
    uint32_t node = ms_pseudo_new(c, c->type_group, "atexit");
    ms_pseudo_holds(c, interpreter, node, "atexit");
#if PY_VERSION_HEX >= 0x030e0000
    ms_pseudo_to(c, node, a->callbacks, "functions", MS_EDGE_NORMAL, true);
#else
    for (int i = 0; i < a->ncallbacks; i++) {
        if (a->callbacks[i] == NULL)
            continue;
        ms_pseudo_to(c, node, a->callbacks[i]->func, "function", MS_EDGE_NORMAL, true);
        ms_pseudo_to(c, node, a->callbacks[i]->args, "arguments", MS_EDGE_NORMAL, true);
        ms_pseudo_to(c, node, a->callbacks[i]->kwargs, "keywords", MS_EDGE_NORMAL, true);
    }
#endif
    return node;
}

PyObject *ms_modules(const ms_child *c)
{
#if PY_VERSION_HEX >= 0x030c0000
    return c->interp->imports.modules;
#else
    return c->interp->modules;
#endif
}

static void interpreter_pseudo(ms_child *c, PyInterpreterState *in, const char *name)
{
    uint32_t i = ms_pseudo_new(c, c->type_group, name);
    ms_pseudo_holds(c, 0, i, name);
#if PY_VERSION_HEX >= 0x030c0000
    ms_pseudo_to(c, i, in->imports.modules, "sys.modules", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->imports.modules_by_index, "modules by index", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->imports.importlib, "importlib", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->imports.import_func, "import function", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->sysdict_copy, "sys dict copy", MS_EDGE_NORMAL, true);
#else
    ms_pseudo_to(c, i, in->modules, "sys.modules", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->modules_by_index, "modules by index", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->importlib, "importlib", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->import_func, "import function", MS_EDGE_NORMAL, true);
#endif
    ms_pseudo_to(c, i, in->sysdict, "sys", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->builtins, "builtins", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->builtins_copy, "builtins copy", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->dict, "dict", MS_EDGE_NORMAL, true);
#if PY_VERSION_HEX >= 0x030d0000
    ms_pseudo_to(c, i, in->codecs.search_path, "codec search path", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->codecs.search_cache, "codec cache", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->codecs.error_registry, "codec errors", MS_EDGE_NORMAL, true);
#else
    ms_pseudo_to(c, i, in->codec_search_path, "codec search path", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->codec_search_cache, "codec cache", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->codec_error_registry, "codec errors", MS_EDGE_NORMAL, true);
#endif
    ms_pseudo_to(c, i, in->before_forkers, "before fork", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->after_forkers_parent, "after fork in the parent", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->after_forkers_child, "after fork in the child", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->audit_hooks, "audit hooks", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->gc.garbage, "gc.garbage", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, i, in->gc.callbacks, "gc.callbacks", MS_EDGE_NORMAL, true);
    MS_PUSH(c, c->interpreters, ms_interpreter, (ms_interpreter){in, i, atexit_pseudo(c, in, i)});

    for (PyThreadState *ts = in->threads.head; ts; ts = ts->next)
        thread_pseudo(c, ts);
    for (int g = 0; g < NUM_GENERATIONS; g++)
        gc_list_seed(c, &in->gc.generations[g].head);
    gc_list_seed(c, &in->gc.permanent_generation.head);
}

static bool same_lock(const PyInterpreterState *a, const PyInterpreterState *b)
{
#if PY_VERSION_HEX >= 0x030c0000
    return a->ceval.gil == b->ceval.gil;
#else
    return true;
#endif
}

/* The caller's interpreter first. Others are read where they share its lock; one that has a lock of its own runs while the fork
 * happens, so its objects may be half made: it is counted, and said to be left out. */
void ms_roots_seed(ms_child *c)
{
    c->type_group = ms_type_pseudo(c, "(group)", MS_REST_LABELS);
    c->type_thread = ms_type_pseudo(c, "(thread)", MS_REST_LABELS);
    c->type_frame = ms_type_pseudo(c, "(frame)", MS_REST_LABELS);
    ms_pseudo_new(c, c->type_group, "root");
    /* Known from the start, so that two threads can sweep them. */
    PyTypeObject *const most[] = {&PyUnicode_Type, &PyLong_Type, &PyFloat_Type, &PyBytes_Type, &PyTuple_Type, &PyList_Type, &PyDict_Type};
    uint32_t dict = 0;
    for (size_t i = 0; i < sizeof most / sizeof *most; i++)
        dict = ms_type_new(c, most[i]);
    c->split_dict = ms_type_alias(c, dict);
    MS_VEC_AT(c->type_table, ms_ty)[c->split_dict].weak_keys = true;
    interpreter_pseudo(c, c->interp, "interpreter");
    for (PyInterpreterState *in = PyInterpreterState_Head(); in; in = PyInterpreterState_Next(in)) {
        char name[48];
        snprintf(name, sizeof name, "interpreter %lld", (long long)PyInterpreterState_GetID(in));
        if (in != c->interp && in->sysdict && !same_lock(in, c->interp))
            c->unread_interpreters++;
        else if (in != c->interp && in->sysdict) /* else it is being made, or has ended */
            interpreter_pseudo(c, in, name);
    }
}

/* --- the end: all pseudo nodes become nodes ----------------------------------------------------------- */

static bool immortal(int32_t refs) { return refs > MS_IMMORTAL / 2; }

/* The references that the pseudo nodes hold, taken off the ledger. */
void ms_roots_count(ms_child *c)
{
    int32_t *refs = MS_VEC_AT(c->refs, int32_t);
    const ms_pseudo_edge *e = MS_VEC_AT(c->pseudo_edges, ms_pseudo_edge);
    for (size_t k = 0; k < MS_VEC_N(c->pseudo_edges, ms_pseudo_edge); k++)
        if (e[k].to && e[k].counted)
            refs[ms_marks_id(&c->marks, (uintptr_t)e[k].to)]--;
}

enum { STRETCH = 128 };

void ms_roots_finish(ms_child *c)
{
    int32_t *refs = MS_VEC_AT(c->refs, int32_t);
    uint32_t n = c->objects;
    ms_pseudo_edge *e = MS_VEC_AT(c->pseudo_edges, ms_pseudo_edge);
    uint32_t given = (uint32_t)MS_VEC_N(c->pseudo_edges, ms_pseudo_edge);
    for (uint32_t k = 0; k < given; k++)
        if (e[k].to)
            e[k].node = ms_marks_id(&c->marks, (uintptr_t)e[k].to);
    uint32_t outside = ms_pseudo_new(c, c->type_group, "held outside Python"), still = ms_pseudo_new(c, c->type_group, "immortal objects");
    ms_pseudo_new(c, c->type_group, "cyclic garbage"); /* the last node: its edges come with the analysis */
    ms_pseudo_holds(c, 0, outside, "held outside Python");
    ms_pseudo_holds(c, 0, still, "immortal objects");
    ms_pseudo_holds(c, 0, still + 1, "cyclic garbage");
    c->group_outside = outside;
    c->group_immortal = still;
    ms_vec held_ids = {NULL, 0, 0};
    for (uint32_t id = 1, end; id <= n; id = end) { /* few are: a stretch at once */
        int32_t most = 0;
        end = n - id >= STRETCH ? id + STRETCH : n + 1;
        for (uint32_t i = id; i < end; i++)
            most = refs[i] > most ? refs[i] : most;
        for (uint32_t i = id; most > 0 && i < end; i++)
            if (refs[i] > 0)
                MS_PUSH(c, held_ids, uint32_t, i);
    }
    const uint32_t *held_id = MS_VEC_AT(held_ids, uint32_t);
    uint32_t held = (uint32_t)MS_VEC_N(held_ids, uint32_t);

    uint32_t pseudo = (uint32_t)MS_VEC_N(c->pseudo, ms_pseudo), more = given + 3 + held;
    size_t to_room = ((size_t)c->edge_count + more + 1) * sizeof *c->to;
    uint32_t *to = to_room <= c->to_room ? c->to : ms_sys_resize(c->to, c->to_room, to_room);
    size_t first_room = ((size_t)n + pseudo + 2) * sizeof *c->first;
    uint32_t *first = first_room <= c->first_room ? c->first : ms_sys_resize(c->first, c->first_room, first_room);
    if (to == NULL || first == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    c->to = to;
    c->to_room = to_room > c->to_room ? to_room : c->to_room;
    c->first = first;
    c->first_room = first_room > c->first_room ? first_room : c->first_room;
    c->pseudo_first = n + 1;
    c->nodes = n + pseudo; /* the root is pseudo node 0 */

    /* Node 0 comes first: its edges go before all others, where there are places for them. */
    e = MS_VEC_AT(c->pseudo_edges, ms_pseudo_edge);
    given += 3;
    uint32_t of_root = 0;
    for (uint32_t k = 0; k < given; k++)
        of_root += e[k].from == 0;
    uint32_t lacking = of_root > first[1] ? of_root - first[1] : 0;
    if (lacking) {
        memmove(to + of_root, to + first[1], (size_t)(c->edge_count - first[1]) * sizeof *to);
        for (uint32_t id = 1; id <= n + 1; id++)
            first[id] += lacking;
    }
    uint32_t at = c->edge_count + lacking;
    /* The edges by their holder, in the order they were found. */
    uint32_t *begin = ms_sys_alloc(((size_t)pseudo + 2 + given) * sizeof *begin);
    if (begin == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    uint32_t *order = begin + pseudo + 2;
    for (uint32_t k = 0; k < given; k++)
        begin[e[k].from + 2]++;
    for (uint32_t p = 0; p < pseudo; p++)
        begin[p + 2] += begin[p + 1];
    for (uint32_t k = 0; k < given; k++)
        order[begin[e[k].from + 1]++] = k;
    for (uint32_t p = 0; p < pseudo; p++) {
        uint32_t start = 0, *w = p ? &at : &start;
        if (p)
            first[n + p] = at;
        for (uint32_t i = begin[p]; i < begin[p + 1]; i++) {
            uint32_t k = order[i];
            if (e[k].to && e[k].node == 0) {
                to[(*w)++] = 0;
                continue;
            }
            MS_PUSH(c, c->labels, ms_label, (ms_label){*w, e[k].name});
            to[(*w)++] = e[k].to ? e[k].node | e[k].kind << 30 : n + e[k].pseudo;
        }
        if (p == outside || p == still)
            for (uint32_t i = 0; i < held; i++)
                if (immortal(refs[held_id[i]]) == (p == still))
                    to[at++] = held_id[i];
    }
    first[n + pseudo] = at;
    /* Labels of objects' own edges: in the order of edges, between the root's and the other pseudo nodes'. */
    size_t own = MS_VEC_N(c->object_labels, ms_object_label), others = MS_VEC_N(c->labels, ms_label), of_root_labels = 0;
    if (own) {
        ms_object_label *l = MS_VEC_AT(c->object_labels, ms_object_label);
        uint64_t *sorted = ms_sys_alloc(own * sizeof *sorted);
        if (sorted == NULL || ms_vec_want(&c->labels, own * sizeof(ms_label)) == NULL)
            ms_child_fail(c, MS_ENOMEM, NULL);
        for (size_t i = 0; i < own; i++)
            sorted[i] = (uint64_t)(first[ms_marks_id(&c->marks, l[i].object)] + l[i].place) << 32 | l[i].name;
        ms_sort(sorted, own);
        ms_label *out = MS_VEC_AT(c->labels, ms_label);
        while (of_root_labels < others && out[of_root_labels].edge < first[1])
            of_root_labels++;
        memmove(out + of_root_labels + own, out + of_root_labels, (others - of_root_labels) * sizeof *out);
        for (size_t i = 0; i < own; i++)
            out[of_root_labels + i] = (ms_label){sorted[i] >> 32, (uint32_t)sorted[i]};
        c->labels.used += own * sizeof *out;
        ms_sys_free(sorted, own * sizeof *sorted);
    }
    c->edge_count = at;
    ms_sys_free(begin, ((size_t)pseudo + 2 + given) * sizeof *begin);
    ms_vec_free(&held_ids);
}
