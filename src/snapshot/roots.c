/* roots.c -- what holds objects and is none: threads, frames, the interpreter; and what nobody holds.
 *
 * Each such holder becomes a pseudo node, whose edges have names. Node 0, the root, holds them all:
 *
 *   root -> thread -> frame -> locals
 *        -> interpreter -> modules, builtins, codecs, ...
 *        -> held outside Python: objects with more references than were found
 *        -> immortal objects */
#include "snapshot/child.h"

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

/* --- frames ------------------------------------------------------------------------------------------ */

static PyObject *local_at(const ms_frame *f, int i)
{
#if PY_VERSION_HEX >= 0x030e0000
    uintptr_t bits = f->localsplus[i].bits;
    return (bits & 3) == 3 ? NULL : (PyObject *)(bits & ~(uintptr_t)Py_TAG_BITS); /* 3: an integer of the interpreter's own */
#else
    return f->localsplus[i];
#endif
}

static bool local_counted(const ms_frame *f, int i)
{
#if PY_VERSION_HEX >= 0x030e0000
    return (f->localsplus[i].bits & Py_TAG_BITS) == 0; /* 1: borrowed */
#else
    return true;
#endif
}

static void frame_pseudo(ms_child *c, uint32_t thread, const ms_frame *f, uint32_t depth)
{
    PyCodeObject *code = ms_frame_code(f);
    if (code == NULL || !PyCode_Check(code))
        return;
    char text[600], name[320];
    size_t n = ms_frame_text(code->co_qualname, text, 256);
    memcpy(text + n, " in ", 4);
    n += 4;
    n += ms_frame_text(code->co_filename, text + n, 300);
    uint32_t frame = ms_pseudo_new(c, c->type_frame, text);
    ms_place p = ms_frame_place(code, ms_frame_instruction(f));
    MS_VEC_AT(c->pseudo, ms_pseudo)[frame].frame = (uint32_t)MS_VEC_N(c->frame_table, ms_site_row) + 1;
    MS_PUSH(c, c->frame_table, ms_site_row,
            (ms_site_row){ms_string_of(c, code->co_filename), ms_string_of(c, code->co_qualname), p.line > 0 ? p.line : -1,
                          p.end_line > 0 ? p.end_line : -1, p.column, p.end_column, 0});
    ms_pseudo_holds(c, thread, frame, "frame");

    bool owned = f->owner == 0; /* FRAME_OWNED_BY_THREAD: a generator's frame is the generator's */
    PyObject *names = code->co_localsplusnames;
    int locals = code->co_nlocalsplus;
    for (int i = 0; i < locals; i++) {
        PyObject *o = local_at(f, i);
        if (o == NULL)
            continue;
        n = names && PyTuple_Check(names) && i < PyTuple_GET_SIZE(names) ? ms_frame_text(PyTuple_GET_ITEM(names, i), name, sizeof name) : 0;
        name[n] = 0;
        ms_pseudo_to(c, frame, o, name, MS_EDGE_NORMAL, local_counted(f, i));
    }
    if (owned)
        MS_PUSH(c, c->stacks, ms_stack, (ms_stack){(uintptr_t)&f->localsplus[locals], (uintptr_t)&f->localsplus[locals + code->co_stacksize], frame});
    if (owned) {
        ms_pseudo_to(c, frame, (PyObject *)code, "code", MS_EDGE_NORMAL, true);
#if PY_VERSION_HEX >= 0x030e0000
        ms_pseudo_to(c, frame, (PyObject *)(f->f_funcobj.bits & ~(uintptr_t)Py_TAG_BITS), "function", MS_EDGE_NORMAL, !(f->f_funcobj.bits & Py_TAG_BITS));
#elif PY_VERSION_HEX >= 0x030c0000
        ms_pseudo_to(c, frame, f->f_funcobj, "function", MS_EDGE_NORMAL, true);
#else
        ms_pseudo_to(c, frame, (PyObject *)f->f_func, "function", MS_EDGE_NORMAL, true);
#endif
        ms_pseudo_to(c, frame, f->f_locals, "locals", MS_EDGE_NORMAL, true);
        ms_pseudo_to(c, frame, (PyObject *)f->frame_obj, "frame object", MS_EDGE_NORMAL, true);
    }
}

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
    uint32_t depth = 0;
    for (const ms_frame *f = ms_frame_top(ts); f && depth < 100000; f = f->previous)
        if (ms_frame_is_python(f))
            frame_pseudo(c, thread, f, depth++);
}

/* --- the interpreter --------------------------------------------------------------------------------- */

static void gc_list_seed(ms_child *c, PyGC_Head *head)
{
    PyGC_Head *g = head;
    while ((g = (PyGC_Head *)(g->_gc_next & ~(uintptr_t)3)) != NULL && g != head)
        ms_seed(c, g + 1);
}

void ms_roots_seed(ms_child *c)
{
    PyInterpreterState *in = c->interp;
    c->type_group = ms_type_pseudo(c, "(group)", MS_REST_LABELS);
    c->type_thread = ms_type_pseudo(c, "(thread)", MS_REST_LABELS);
    c->type_frame = ms_type_pseudo(c, "(frame)", MS_REST_LABELS);
    uint32_t root = ms_pseudo_new(c, c->type_group, "root");
    uint32_t i = ms_pseudo_new(c, c->type_group, "interpreter");
    ms_pseudo_holds(c, root, i, "interpreter");
    c->pseudo_interpreter = i;
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

    for (PyThreadState *ts = in->threads.head; ts; ts = ts->next)
        thread_pseudo(c, ts);
    for (int g = 0; g < NUM_GENERATIONS; g++)
        gc_list_seed(c, &in->gc.generations[g].head);
    gc_list_seed(c, &in->gc.permanent_generation.head);
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
    uint32_t held = 0;
    for (uint32_t id = 1; id <= n; id++)
        held += immortal(refs[id]) || refs[id] > 0;

    uint32_t pseudo = (uint32_t)MS_VEC_N(c->pseudo, ms_pseudo), more = given + 3 + held;
    uint32_t *to = ms_sys_resize(c->to, c->to_room, ((size_t)c->edge_count + more + 1) * sizeof *to);
    uint32_t *first = ms_sys_resize(c->first, ((size_t)n + 3) * sizeof *first, ((size_t)n + pseudo + 2) * sizeof *first);
    if (to == NULL || first == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
    c->to = to;
    c->to_room = ((size_t)c->edge_count + more + 1) * sizeof *to;
    c->first = first;
    c->pseudo_first = n + 1;
    c->nodes = n + pseudo; /* the root is pseudo node 0 */

    /* Node 0 comes first: its edges go before all others. */
    e = MS_VEC_AT(c->pseudo_edges, ms_pseudo_edge);
    given += 3;
    uint32_t of_root = 0;
    for (uint32_t k = 0; k < given; k++)
        of_root += e[k].from == 0;
    memmove(to + of_root, to, (size_t)c->edge_count * sizeof *to);
    for (uint32_t id = 1; id <= n + 1; id++)
        first[id] += of_root;
    first[0] = 0;
    uint32_t at = c->edge_count + of_root;
    /* The edges by their holder, in the order they were found. */
    uint32_t *begin = ms_sys_alloc(((size_t)pseudo + 2 + given) * sizeof *begin), *order = begin + pseudo + 2;
    if (begin == NULL)
        ms_child_fail(c, MS_ENOMEM, NULL);
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
            for (uint32_t id = 1; id <= n; id++)
                if (p == still ? immortal(refs[id]) : refs[id] > 0 && !immortal(refs[id]))
                    to[at++] = id;
    }
    first[n + pseudo] = at;
    c->edge_count = at;
    ms_sys_free(begin, ((size_t)pseudo + 2 + given) * sizeof *begin);
}
