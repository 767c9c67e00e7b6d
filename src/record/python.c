/* python.c -- what the recorder asks of the interpreter, and what it changes there.
 *
 * Changed, and why:
 *   type free lists   switched off, so that each birth and death comes by the allocator. 3.13+: by their
 *                     own counters. 3.11, 3.12: those of float and tuple likewise; list and dict keep
 *                     theirs in arrays that cannot be switched off, so their tp_dealloc is wrapped and
 *                     the list emptied again after each death. What stays is named in `undercounted`.
 *   collections       are noted by a callback; the program's own gc.callbacks stays as it was.
 *   the end           is noted by the last of the atexit callbacks, for the snapshot at exit (moment.c).
 * Nothing is imported and no Python code is run; of libraries, pyarrow's memory pool is asked,
 * where the program has imported it: what it has in use the system does not tell. What these calls allocate is moved from the program's
 * lines to memsure's own (ms_block_disown). Free lists are switched off when an interpreter is first
 * seen, by plain stores; whatever calls into Python waits for a pending call, between two bytecodes. */
#include "record/moment.h"
#include "record/recorder.h"
#include "internal/pycore_ceval.h"

#include <string.h>

/* --- free lists ----------------------------------------------------------------------------------- */

static void *gc_block(void *op) { return (PyGC_Head *)op - 1; }

#if PY_VERSION_HEX >= 0x030e0000

static void list_off(struct _Py_freelist *fl, bool gc)
{
    while (fl->freelist) {
        void *op = fl->freelist;
        fl->freelist = *(void **)op;
        ms_free_list_block(gc ? gc_block(op) : op);
    }
    fl->size = -1; /* refuses what is pushed */
}

static void free_lists_off(PyThreadState *ts)
{
    struct _Py_freelists *f = &ts->interp->object_state.freelists;
    list_off(&f->floats, false);
    list_off(&f->ints, false);
    for (int i = 0; i < PyTuple_MAXSAVESIZE; i++)
        list_off(&f->tuples[i], true);
    list_off(&f->lists, true);
    list_off(&f->list_iters, true);
    list_off(&f->tuple_iters, true);
    list_off(&f->dicts, true);
    list_off(&f->dictkeys, false);
    list_off(&f->slices, true);
    list_off(&f->ranges, false);
    list_off(&f->range_iters, false);
    list_off(&f->contexts, true);
    list_off(&f->async_gens, true);
    list_off(&f->async_gen_asends, true);
    list_off(&f->futureiters, true);
    list_off(&f->pycfunctionobject, true);
    list_off(&f->pycmethodobject, true);
    list_off(&f->pymethodobjects, true);
#if PY_VERSION_HEX >= 0x030f0000
    list_off(&f->complexes, false);
#endif
}

#elif PY_VERSION_HEX >= 0x030d0000

static void free_lists_off(PyThreadState *ts)
{
    struct _Py_object_freelists *f = &ts->interp->object_state.freelists;
    while (f->floats.items) {
        PyFloatObject *op = f->floats.items;
        f->floats.items = (PyFloatObject *)Py_TYPE(op);
        ms_free_list_block(op);
    }
    f->floats.numfree = -1;
    for (int i = 0; i < PyTuple_NFREELISTS; i++) {
        while (f->tuples.items[i]) {
            PyTupleObject *op = f->tuples.items[i];
            f->tuples.items[i] = (PyTupleObject *)op->ob_item[0];
            ms_free_list_block(gc_block(op));
        }
        f->tuples.numfree[i] = -1;
    }
    while (f->lists.numfree > 0)
        ms_free_list_block(gc_block(f->lists.items[--f->lists.numfree]));
    while (f->dicts.numfree > 0)
        ms_free_list_block(gc_block(f->dicts.items[--f->dicts.numfree]));
    while (f->dictkeys.numfree > 0)
        ms_free_list_block(f->dictkeys.items[--f->dictkeys.numfree]);
    f->lists.numfree = f->dicts.numfree = f->dictkeys.numfree = -1;
    ms_area.undercounted = MS_UNDER_SLICE | MS_UNDER_CONTEXT | MS_UNDER_ASYNC;
}

#else

static destructor list_dealloc, dict_dealloc;

/* As PyObject_GC_Del, for an object that a free list held: the collector counts deaths as it does births. */
static void free_gc(PyThreadState *ts, void *op)
{
    struct gc_generation *young = &ts->interp->gc.generations[0];
    if (young->count > 0)
        young->count--;
    ms_free_list_block(gc_block(op));
}

static void list_dealloc_and_free(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, list_dealloc_and_free) /* list_dealloc's own stands aside: it knows itself only */
    list_dealloc(op);
    PyThreadState *ts = ms_thread_state();
    struct _Py_list_state *s = &ts->interp->list;
    while (s->numfree > 0)
        free_gc(ts, s->free_list[--s->numfree]);
    Py_TRASHCAN_END
}

static void dict_free_list_empty(PyThreadState *ts)
{
    struct _Py_dict_state *s = &ts->interp->dict_state;
    while (s->numfree > 0)
        free_gc(ts, s->free_list[--s->numfree]);
    while (s->keys_numfree > 0)
        ms_free_list_block(s->keys_free_list[--s->keys_numfree]);
}

static void dict_dealloc_and_free(PyObject *op)
{
    PyObject_GC_UnTrack(op);
    Py_TRASHCAN_BEGIN(op, dict_dealloc_and_free)
    dict_dealloc(op);
    dict_free_list_empty(ms_thread_state());
    Py_TRASHCAN_END
}

static void free_lists_off(PyThreadState *ts)
{
    struct _Py_float_state *f = &ts->interp->float_state;
    while (f->free_list) {
        PyFloatObject *op = f->free_list;
        f->free_list = (PyFloatObject *)Py_TYPE(op);
        ms_free_list_block(op);
    }
    f->numfree = PyFloat_MAXFREELIST; /* full, and nothing in it */
    struct _Py_tuple_state *t = &ts->interp->tuple;
    for (int i = 0; i < PyTuple_NFREELISTS; i++) {
        while (t->free_list[i]) {
            PyTupleObject *op = t->free_list[i];
            t->free_list[i] = (PyTupleObject *)op->ob_item[0];
            ms_free_list_block(gc_block(op));
        }
        t->numfree[i] = PyTuple_MAXFREELIST;
    }
    if (list_dealloc == NULL) {
        list_dealloc = PyList_Type.tp_dealloc;
        dict_dealloc = PyDict_Type.tp_dealloc;
        PyList_Type.tp_dealloc = list_dealloc_and_free;
        PyDict_Type.tp_dealloc = dict_dealloc_and_free;
    }
    dict_free_list_empty(ts);
    struct _Py_list_state *s = &ts->interp->list;
    while (s->numfree > 0)
        free_gc(ts, s->free_list[--s->numfree]);
    ms_area.undercounted = MS_UNDER_DICTKEYS | MS_UNDER_SLICE | MS_UNDER_CONTEXT | MS_UNDER_ASYNC;
}

#endif

/* --- collections ---------------------------------------------------------------------------------- */

/* The list that the program knows as gc.callbacks. The collector is given one of ours, which holds only
 * on_collection; that calls those on the program's list. So the program finds its list as it left it. */
static PyObject *program_callbacks;

static PyObject *key_generation, *key_collected, *key_uncollectable, *key_arrow, *key_arrow_pool, *key_arrow_used, *key_arrow_most;
static uint64_t  collection_start, collection_work;
static int64_t   collection_live;
static uint32_t  collection_site;

static uint64_t info_number(PyObject *info, PyObject *key)
{
    PyObject *v = PyDict_GetItemWithError(info, key);
    return v && PyLong_CheckExact(v) ? (uint64_t)PyLong_AsLong(v) : 0;
}

/* What the collector made to call us: the dict, its keys and values. */
static void disown_info(PyObject *info)
{
    PyObject *key, *value;
    Py_ssize_t at = 0;
    ms_block_disown(gc_block(info));
    ms_block_disown(((PyDictObject *)info)->ma_keys);
    while (PyDict_Next(info, &at, &key, &value)) {
        if (Py_REFCNT(key) == 1)
            ms_block_disown(key);
        if (Py_REFCNT(value) == 1)
            ms_block_disown(value);
    }
}

/* Where the program asks for a full collection. One that comes by itself does so because the second generation was collected
 * more often than the threshold says. */
static uint32_t who_asks(const PyObject *info)
{
    PyThreadState *ts = PyThreadState_Get();
    const struct gc_generation *oldest = &ts->interp->gc.generations[NUM_GENERATIONS - 1];
    ms_frame *f = info_number((PyObject *)info, key_generation) + 1 == NUM_GENERATIONS && oldest->count <= oldest->threshold
                      ? ms_frame_python(ms_frame_top(ts)) : NULL;
    return f ? ms_who_site(f, ms_frame_instruction(f)) : 0;
}

static bool is_ending(void)
{
#if PY_VERSION_HEX >= 0x030d0000
    return Py_IsFinalizing();
#else
    return _Py_IsFinalizing();
#endif
}

static PyObject *on_collection(PyObject *self, PyObject *const *args, Py_ssize_t n)
{
    if (is_ending())
        ms_moment_exit();
    else if (ms_area.gc_on == 0)
        ms_moment_safe();
    if (ms_mode != MS_MODE_ALLOC && n == 2 && PyUnicode_Check(args[0]) && PyDict_CheckExact(args[1])) {
        disown_info(args[1]);
        const char *phase = PyUnicode_DATA(args[0]);
        if (strcmp(phase, "start") == 0) {
            collection_start = ms_now_ns();
            collection_work = ms_thread_ns();
            collection_live = (int64_t)ms_area.live_bytes;
            collection_site = is_ending() ? 0 : who_asks(args[1]);
            ms_area.gc_on = MS_AGE_GC;
            ms_collector = ms_thread_state();
        } else if (ms_area.gc_on) {
            ms_area.gc_on = 0;
            ms_gc *e = &ms_area.gc[ms_area.gc_used % MS_GC_MAX];
            e->done = 0;
            e->start_ns = collection_start;
            uint64_t work = ms_thread_ns();
            e->stop_ns = collection_start + (work > collection_work ? work - collection_work : 0);
            e->generation = (uint32_t)info_number(args[1], key_generation);
            e->collected = info_number(args[1], key_collected);
            e->uncollectable = info_number(args[1], key_uncollectable);
            e->reclaimed_bytes = collection_live - (int64_t)ms_area.live_bytes;
            e->site = collection_site;
            __atomic_store_n(&e->done, 1, __ATOMIC_RELEASE);
            __atomic_store_n(&ms_area.gc_used, ms_area.gc_used + 1, __ATOMIC_RELEASE);
            free_lists_off(PyThreadState_Get()); /* a full collection switches them on again */
        }
    }
    PyErr_Clear();
    for (Py_ssize_t i = 0; program_callbacks && i < PyList_GET_SIZE(program_callbacks); i++) { /* as the collector does */
        PyObject *callback = Py_NewRef(PyList_GET_ITEM(program_callbacks, i));
        PyObject *result = PyObject_Vectorcall(callback, args, (size_t)n, NULL);
        if (result == NULL)
            PyErr_WriteUnraisable(callback);
        Py_XDECREF(result);
        Py_DECREF(callback);
    }
    Py_RETURN_NONE;
}

/* The gc module takes its `callbacks` from the collector when it is made, which may be after us. */
static int (*gc_exec)(PyObject *);

static int gc_exec_with_its_list(PyObject *module)
{
    struct _gc_runtime_state *gc = &PyThreadState_Get()->interp->gc;
    PyObject *ours = gc->callbacks;
    bool swap = program_callbacks && ours && ours != program_callbacks && PyInterpreterState_Get() == PyInterpreterState_Main();
    if (swap)
        gc->callbacks = program_callbacks;
    int result = gc_exec(module);
    if (swap)
        gc->callbacks = ours;
    return result;
}

PyMODINIT_FUNC PyInit_gc(void); /* exported, declared in no header */

static bool gc_module_wrap(void)
{
    PyModuleDef *def = (PyModuleDef *)PyInit_gc();
    for (PyModuleDef_Slot *s = def ? def->m_slots : NULL; s && s->slot; s++) {
        if (s->slot != Py_mod_exec)
            continue;
        gc_exec = (int (*)(PyObject *))s->value;
        s->value = (void *)gc_exec_with_its_list;
        return true;
    }
    return false;
}

static PyMethodDef on_collection_def = {"memsure_on_collection", (PyCFunction)(void (*)(void))on_collection, METH_FASTCALL,
                                        "Notes a collection for memsure's recording."};

static PyObject *ours(PyObject *o, bool gc)
{
    if (o)
        ms_block_disown(gc ? gc_block(o) : o);
    return o;
}

static bool watch_collections(PyThreadState *ts)
{
    PyObject *callbacks = ts->interp->gc.callbacks;
    if (callbacks == NULL || !PyList_CheckExact(callbacks))
        return false;
    key_generation = ours(PyUnicode_FromString("generation"), false);
    key_collected = ours(PyUnicode_FromString("collected"), false);
    key_uncollectable = ours(PyUnicode_FromString("uncollectable"), false);
    key_arrow = ours(PyUnicode_FromString("pyarrow"), false);
    key_arrow_pool = ours(PyUnicode_FromString("default_memory_pool"), false);
    key_arrow_used = ours(PyUnicode_FromString("bytes_allocated"), false);
    key_arrow_most = ours(PyUnicode_FromString("max_memory"), false);
    PyObject *f = ours(PyCFunction_New(&on_collection_def, NULL), true);
    PyObject *list = ours(PyList_New(1), true);
    if (key_generation == NULL || key_collected == NULL || key_uncollectable == NULL || key_arrow == NULL || key_arrow_pool == NULL || key_arrow_used == NULL ||
        key_arrow_most == NULL || f == NULL || list == NULL || !gc_module_wrap()) {
        PyErr_Clear();
        Py_XDECREF(f);
        Py_XDECREF(list);
        return true; /* not to be tried again: collections go unseen */
    }
    ms_block_disown(((PyListObject *)list)->ob_item);
    PyList_SET_ITEM(list, 0, f);
    program_callbacks = callbacks; /* its reference was the collector's, and is ours now */
    ts->interp->gc.callbacks = list;
    return true;
}

/* --- Arrow's pool --------------------------------------------------------------------------------- */

#define ARROW_NS UINT64_C(100000000) /* between two questions */

static bool     arrow_there; /* these two: written with the main GIL, read by any interpreter's threads */
static uint64_t arrow_due;

bool ms_python_arrow_due(uint64_t now)
{
    return __atomic_load_n(&arrow_there, __ATOMIC_RELAXED) && now >= __atomic_load_n(&arrow_due, __ATOMIC_RELAXED);
}

static uint64_t arrow_number(PyObject *pool, PyObject *method)
{
    PyObject *v = pool ? PyObject_CallMethodNoArgs(pool, method) : NULL;
    long long n = v && PyLong_CheckExact(v) ? PyLong_AsLongLong(v) : 0;
    Py_XDECREF(v);
    return n > 0 ? (uint64_t)n : 0;
}

/* The pool is C++, with counters that its Python module reads. Only functions written in C are called. */
void ms_python_arrow(uint64_t now)
{
    if (now < arrow_due || key_arrow_most == NULL)
        return;
    __atomic_store_n(&arrow_due, now + ARROW_NS, __ATOMIC_RELAXED);
    PyObject *modules = PyImport_GetModuleDict(), *module = modules ? PyDict_GetItemWithError(modules, key_arrow) : NULL;
    PyObject *f = module && PyModule_CheckExact(module) ? PyDict_GetItemWithError(PyModule_GetDict(module), key_arrow_pool) : NULL;
    bool there = f && !PyFunction_Check(f) && PyCallable_Check(f);
    __atomic_store_n(&arrow_there, there, __ATOMIC_RELAXED);
    PyObject *pool = there ? PyObject_CallNoArgs(f) : NULL;
    if (pool) {
        ms_area.arrow_used = arrow_number(pool, key_arrow_used);
        ms_area.arrow_peak = arrow_number(pool, key_arrow_most);
        ms_area.arrow_ns = now;
    }
    Py_XDECREF(pool);
    PyErr_Clear();
}

/* --- the end -------------------------------------------------------------------------------------- */

static PyObject *on_end(PyObject *self, PyObject *unused)
{
    if (ms_mode != MS_MODE_ALLOC) {
        __atomic_store_n(&arrow_due, 0, __ATOMIC_RELAXED);
        ms_python_arrow(ms_now_ns());
    }
    if (ms_frame_python(ms_frame_top(PyThreadState_Get())) == NULL) /* else Python code called atexit's callbacks */
        ms_moment_exit();
    Py_RETURN_NONE;
}

static PyMethodDef on_end_def = {"memsure_on_end", on_end, METH_NOARGS, "Takes memsure's snapshot at exit."};

/* Be called after all atexit callbacks of the program: they are called from the last to the first. The entry
 * is written into the interpreter's own list, since nothing is imported; who counts the list is not told. */
static PyObject *end_function;

#if PY_VERSION_HEX >= 0x030e0000 /* a list of (function, arguments, keywords), the newest in front */

static bool end_is_watched(const struct atexit_state *state)
{
    Py_ssize_t n = state->callbacks ? PyList_GET_SIZE(state->callbacks) : 0;
    PyObject *last = n ? PyList_GET_ITEM(state->callbacks, n - 1) : NULL;
    return last && PyTuple_CheckExact(last) && PyTuple_GET_SIZE(last) > 0 && PyTuple_GET_ITEM(last, 0) == end_function;
}

static void end_entry_add(struct atexit_state *state, PyObject *none)
{
    PyObject *entry = ours(PyTuple_Pack(3, end_function, none, Py_None), true);
    if (entry)
        PyList_Append(state->callbacks, entry);
    Py_XDECREF(entry);
}

#else

static bool end_is_watched(const struct atexit_state *state)
{
    return state->ncallbacks > 0 && state->callbacks[0] && state->callbacks[0]->func == end_function;
}

static void end_entry_add(struct atexit_state *state, PyObject *none)
{
    __typeof__(*state->callbacks) entry = state->ncallbacks < state->callback_len ? PyMem_Malloc(sizeof *entry) : NULL;
    if (entry == NULL)
        return;
    ms_block_disown(entry);
    *entry = (__typeof__(*entry)){.func = Py_NewRef(end_function), .args = Py_NewRef(none)};
    memmove(state->callbacks + 1, state->callbacks, (size_t)state->ncallbacks++ * sizeof *state->callbacks);
    state->callbacks[0] = entry;
}

#endif

static PyCFunction count_callbacks;

static PyObject *count_callbacks_of_program(PyObject *module, PyObject *unused)
{
    PyObject *n = count_callbacks(module, unused);
    if (n && end_is_watched(&PyThreadState_Get()->interp->atexit))
        Py_SETREF(n, PyLong_FromLong(PyLong_AsLong(n) - 1));
    return n;
}

PyMODINIT_FUNC PyInit_atexit(void); /* exported, declared in no header */

static void watch_end(PyThreadState *ts)
{
    struct atexit_state *state = &ts->interp->atexit;
    if (state->callbacks == NULL || !(ms_area.snapshot_policy & MS_SNAPSHOT_EXIT))
        return;
    PyModuleDef *def = (PyModuleDef *)PyInit_atexit();
    PyMethodDef *count = def ? def->m_methods : NULL;
    while (count && count->ml_name && strcmp(count->ml_name, "_ncallbacks") != 0)
        count++;
    end_function = ours(PyCFunction_New(&on_end_def, NULL), true);
    PyObject *none = PyTuple_New(0);
    if (count && count->ml_name && end_function && none) {
        count_callbacks = count->ml_meth;
        count->ml_meth = count_callbacks_of_program;
        end_entry_add(state, none);
    }
    Py_XDECREF(none);
    PyErr_Clear();
}

/* --- threads -------------------------------------------------------------------------------------- */

/* The names that threading keeps, read without running its code: sys.modules["threading"]._active is a
 * dict of Thread objects by identity, each with its name in _name. */
static void name_threads(void)
{
    static PyObject *threading, *active, *name;
    if (threading == NULL) {
        threading = ours(PyUnicode_FromString("threading"), false);
        active = ours(PyUnicode_FromString("_active"), false);
        name = ours(PyUnicode_FromString("_name"), false);
    }
    PyObject *modules = PyImport_GetModuleDict();
    PyObject *m = modules && threading && active && name ? PyDict_GetItemWithError(modules, threading) : NULL;
    PyObject *d = m && PyModule_Check(m) ? PyDict_GetItemWithError(PyModule_GetDict(m), active) : NULL;
    if (d == NULL || !PyDict_CheckExact(d))
        return;
    for (uint32_t i = 0; i < ms_area.table[MS_T_THREAD].used; i++) {
        ms_thread *t = &ms_area.thread[i];
        if (t->name[0])
            continue;
        for (PyThreadState *ts = PyInterpreterState_ThreadHead(PyInterpreterState_Main()); ts; ts = PyThreadState_Next(ts)) {
            if (ts->native_thread_id != t->id)
                continue;
            PyObject *ident = ours(PyLong_FromUnsignedLong(ts->thread_id), false);
            PyObject *thread = ident ? PyDict_GetItemWithError(d, ident) : NULL;
            PyObject *text = thread ? PyObject_GenericGetAttr(thread, name) : NULL;
            if (text)
                ms_frame_text(text, t->name, sizeof t->name);
            Py_XDECREF(text);
            Py_XDECREF(ident);
        }
    }
    PyErr_Clear();
}

/* --- safe moments --------------------------------------------------------------------------------- */

static bool watching, naming, inside;
static uint32_t pending; /* calls asked for and not yet made */

static int at_safe_moment(void *arg)
{
    pending = 0;
    if (ms_mode == MS_MODE_ALLOC)
        return 0;
    inside = true;
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    if (!watching && (watching = watch_collections(PyThreadState_Get())))
        watch_end(PyThreadState_Get());
    ms_path_refill();
    if (naming) {
        naming = false;
        name_threads();
    }
    ms_moment_safe();
    PyErr_Restore(type, value, trace);
    inside = false;
    return 0;
}

void ms_python_ask(void)
{
    /* A call that asks for the next would keep an interpreter that ends from ending; and asking takes a lock that asks for the time. */
    if (pending || inside || ms_area.sealed)
        return;
#if PY_VERSION_HEX >= 0x030c0000 /* in whatever thread comes first; the main one may be waiting for this */
    pending = _PyEval_AddPendingCall(PyInterpreterState_Main(), at_safe_moment, NULL, 0) == 0;
#else
    pending = Py_AddPendingCall(at_safe_moment, NULL) == 0;
#endif
}

static PyInterpreterState *seen[64]; /* their free lists are off */

/* A recording begins: a full collection may have switched them on. */
void ms_python_reset(void) { memset(seen, 0, sizeof seen); }

void ms_python_attach(PyThreadState *ts)
{
    if (!watching)
        ms_python_ask();
    for (int i = 0; i < 64; i++) {
        if (seen[i] == ts->interp)
            return;
        if (seen[i] == NULL) {
            seen[i] = ts->interp;
            break;
        }
    }
    free_lists_off(ts);
}

void ms_python_name_threads(void)
{
    naming = true;
    ms_python_ask();
}

void ms_python_maybe_end(void)
{
    if (ms_area.ended == 0 && is_ending())
        ms_recorder_end();
}
