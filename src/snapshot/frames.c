/* frames.c -- frames: those that run, those that generators and coroutines keep, and frame objects.
 *
 * A running frame is a pseudo node, a suspended one belongs to its generator. Their edges are named by the
 * code's local variables; what lies on the evaluation stack is called "stack". */
#include "snapshot/child.h"

PyObject *ms_frame_local(const ms_frame *f, int i, bool *counted)
{
#if PY_VERSION_HEX >= 0x030e0000
    uintptr_t bits = f->localsplus[i].bits;
    *counted = (bits & Py_TAG_BITS) == 0; /* else borrowed, or no object */
    return (bits & 3) == 3 ? NULL : (PyObject *)(bits & ~(uintptr_t)Py_TAG_BITS);
#else
    *counted = true;
    return f->localsplus[i];
#endif
}

PyObject *ms_frame_function(const ms_frame *f, bool *counted)
{
    *counted = true;
#if PY_VERSION_HEX >= 0x030e0000
    *counted = !(f->f_funcobj.bits & Py_TAG_BITS);
    return (PyObject *)(f->f_funcobj.bits & ~(uintptr_t)Py_TAG_BITS);
#elif PY_VERSION_HEX >= 0x030c0000
    return f->f_funcobj;
#else
    return (PyObject *)f->f_func;
#endif
}

/* How many of localsplus are in use when the frame does not run; 0 where that is not known. */
static int frame_used(const ms_frame *f, const PyCodeObject *code)
{
    int room = code->co_nlocalsplus + code->co_stacksize;
#if PY_VERSION_HEX >= 0x030e0000
    ptrdiff_t n = f->stackpointer ? f->stackpointer - f->localsplus : 0;
#else
    ptrdiff_t n = f->stacktop;
#endif
    return n >= 0 && n <= room ? (int)n : 0;
}

static void label(ms_child *c, uint32_t name)
{
    if (c->recording)
        MS_PUSH(c, c->object_labels, ms_object_label,
                (ms_object_label){(uint64_t)(uintptr_t)c->object, (uint32_t)((c->edges.used - c->start) / sizeof(uint32_t)), name});
}

static void emit_named(ms_child *c, PyObject *o, const char *name)
{
    if (o == NULL)
        return;
    label(c, ms_string(c, name, strlen(name)));
    ms_emit(c, o);
}

/* What a frame that does not run holds, as edges of the object at hand. */
static void emit_frame(ms_child *c, const ms_frame *f)
{
    PyCodeObject *code = ms_frame_code(f);
    bool counted;
    if (code == NULL || !PyCode_Check(code))
        return;
    PyObject *function = ms_frame_function(f, &counted);
    emit_named(c, (PyObject *)code, "code");
    if (counted)
        emit_named(c, function, "function");
    emit_named(c, f->f_locals, "locals");
    if ((PyObject *)f->frame_obj != c->object)
        emit_named(c, (PyObject *)f->frame_obj, "frame object");
    int used = frame_used(f, code);
    PyObject *names = code->co_localsplusnames;
    uint32_t stack = ms_string(c, "stack", 5);
    for (int i = 0; i < used; i++) {
        PyObject *o = ms_frame_local(f, i, &counted);
        if (o == NULL || !counted)
            continue;
        label(c, i < code->co_nlocalsplus && names && PyTuple_Check(names) && i < PyTuple_GET_SIZE(names)
                     ? ms_string_of(c, PyTuple_GET_ITEM(names, i)) : stack);
        ms_emit(c, o);
    }
}

static uint64_t frame_bytes(const PyCodeObject *code)
{
    return offsetof(ms_frame, localsplus) + (uint64_t)(code->co_nlocalsplus + code->co_stacksize) * sizeof(PyObject *);
}

static void read_generator(ms_child *c, PyObject *o, const ms_ty *t)
{
    PyGenObject *g = (PyGenObject *)o;
    ms_frame *f = (ms_frame *)&g->gi_iframe;
    int state = g->gi_frame_state;
    emit_named(c, g->gi_name, "__name__");
    emit_named(c, g->gi_qualname, "__qualname__");
    emit_named(c, g->gi_exc_state.exc_value, "exception");
    if (t->type != &PyGen_Type) /* a generator never sets it */
        emit_named(c, g->gi_origin_or_finalizer, "origin");
#if PY_VERSION_HEX < 0x030c0000
    emit_named(c, (PyObject *)g->gi_code, "gi_code");
    const PyCodeObject *code = g->gi_code;
#else
    const PyCodeObject *code = ms_frame_code(f);
#endif
    if (code && PyCode_Check((PyObject *)code)) /* a finished frame keeps its code until 3.14 */
        c->said = t->prefix + offsetof(PyGenObject, gi_iframe) + frame_bytes(code);
#if PY_VERSION_HEX >= 0x030f0000
    bool ended = state >= FRAME_CLEARED;
#else
    bool ended = state >= FRAME_COMPLETED;
#endif
    if (!ended && state != FRAME_EXECUTING)
        emit_frame(c, f);
#if PY_VERSION_HEX >= 0x030c0000
    else if (ended && code && PyCode_Check((PyObject *)code))
        emit_named(c, (PyObject *)code, "code");
#endif
}

static void read_frame(ms_child *c, PyObject *o, const ms_ty *t)
{
    PyFrameObject *fo = (PyFrameObject *)o;
    emit_named(c, (PyObject *)fo->f_back, "f_back");
    emit_named(c, fo->f_trace, "f_trace");
#if PY_VERSION_HEX >= 0x030d0000
    emit_named(c, fo->f_extra_locals, "f_extra_locals");
    emit_named(c, fo->f_locals_cache, "f_locals_cache");
#endif
#if PY_VERSION_HEX >= 0x030e0000
    emit_named(c, fo->f_overwritten_fast_locals, "f_overwritten_fast_locals");
#endif
    const ms_frame *f = fo->f_frame;
    PyCodeObject *code = f ? ms_frame_code(f) : NULL;
    if (code == NULL || !PyCode_Check(code))
        return;
    c->said = t->prefix + offsetof(PyFrameObject, _f_frame_data) + frame_bytes(code);
    if (f->owner == FRAME_OWNED_BY_FRAME_OBJECT)
        emit_frame(c, f);
}

bool ms_frames_choose(ms_child *c, ms_ty *t)
{
    if (t->type == &PyGen_Type || t->type == &PyCoro_Type || t->type == &PyAsyncGen_Type)
        t->read = read_generator;
    else if (t->type == &PyFrame_Type)
        t->read = read_frame;
    else
        return false;
    t->rest = MS_REST_LABELS;
    t->itemsize = 0;
    return true;
}

/* --- those that run ------------------------------------------------------------------------------------ */

static void frame_pseudo(ms_child *c, uint32_t thread, const ms_frame *f)
{
    PyCodeObject *code = ms_frame_code(f);
    bool counted;
    if (code == NULL || !PyCode_Check(code))
        return;
    char text[600], name[320];
    size_t n = ms_frame_text(code->co_qualname, text, 256);
    memcpy(text + n, " in ", 4);
    ms_frame_text(code->co_filename, text + n + 4, 300);
    uint32_t frame = ms_pseudo_new(c, c->type_frame, text);
    ms_place p = ms_frame_place(code, ms_frame_instruction(f), NULL);
    MS_VEC_AT(c->pseudo, ms_pseudo)[frame].frame = (uint32_t)MS_VEC_N(c->frame_table, ms_site_row) + 1;
    MS_PUSH(c, c->frame_table, ms_site_row,
            (ms_site_row){ms_string_of(c, code->co_filename), ms_string_of(c, code->co_qualname), p.line > 0 ? p.line : -1,
                          p.end_line > 0 ? p.end_line : -1, p.column, p.end_column, 0});
    ms_pseudo_holds(c, thread, frame, "frame");

    PyObject *names = code->co_localsplusnames;
    int locals = code->co_nlocalsplus;
    for (int i = 0; i < locals; i++) {
        PyObject *o = ms_frame_local(f, i, &counted);
        if (o == NULL)
            continue;
        n = names && PyTuple_Check(names) && i < PyTuple_GET_SIZE(names) ? ms_frame_text(PyTuple_GET_ITEM(names, i), name, sizeof name) : 0;
        name[n] = 0;
        ms_pseudo_to(c, frame, o, name, MS_EDGE_NORMAL, counted);
    }
    /* What is on its stack has no names: left to the ledger. */
    const void *stack = &f->localsplus[locals], *end = &f->localsplus[locals + code->co_stacksize];
    bool sure = false;
#if PY_VERSION_HEX >= 0x030e0000 /* while it calls C code its stack's end is noted */
    if ((const void *)f->stackpointer >= stack && (const void *)f->stackpointer <= end) {
        end = f->stackpointer;
        sure = true;
    }
#else
    int used = f->stacktop >= locals ? f->stacktop - locals : ms_frame_depth(c, code, ms_frame_instruction(f));
    if (used >= 0 && used <= code->co_stacksize) {
        end = &f->localsplus[locals + used];
        sure = true;
    }
#endif
    MS_PUSH(c, c->stacks, ms_stack, (ms_stack){(uintptr_t)stack, (uintptr_t)end, frame, sure});
    PyObject *function = ms_frame_function(f, &counted);
    ms_pseudo_to(c, frame, function, "function", MS_EDGE_NORMAL, counted);
#if PY_VERSION_HEX >= 0x030e0000
    counted = !(f->f_executable.bits & Py_TAG_BITS);
#else
    counted = true;
#endif
    ms_pseudo_to(c, frame, (PyObject *)code, "code", MS_EDGE_NORMAL, counted);
    ms_pseudo_to(c, frame, f->f_locals, "locals", MS_EDGE_NORMAL, true);
    ms_pseudo_to(c, frame, (PyObject *)f->frame_obj, "frame object", MS_EDGE_NORMAL, true);
}

void ms_frames_of_thread(ms_child *c, uint32_t thread, PyThreadState *ts)
{
    uint32_t depth = 0;
    for (const ms_frame *f = ms_frame_top(ts); f && depth < 100000; f = f->previous, depth++)
        if (ms_frame_is_python(f))
            frame_pseudo(c, thread, f);
}
