/* snap.c -- a snapshot as a Python object: questions in, plain numbers, tuples and lists out.
 *
 *   snap(file, prefix="") -> Snap
 *
 * Objects are known by their node, types, sites and texts by their row. Names are made in Python
 * (snapshot.py); whatever is as long as the heap stays here. Answers that take long let other threads
 * run (a progress line is one); meanwhile a second question to the same Snap is refused.
 *
 * The Snap holds its File. Ways (the search tree of `why`) and cycles are kept once they were asked for; so are the nodes of the last question. */
#include "graph/answer.h"
#include "py/py.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

/* The nodes that a question is about: ("type", [row, ...]), ("site", [row, ...]), ("node", [node]). */
typedef struct {
    char      kind;   /* its first letter */
    uint32_t  single;
    uint8_t  *wanted; /* a byte for each type or site */
    size_t    size;
    uint32_t *node;   /* ascending */
    size_t    n, room;
} chosen;

typedef struct {
    PyObject_HEAD
    PyObject  *file;
    ms_snap   *snap;
    ms_graph   graph;
    ms_paths  *ways;
    ms_cycles *cycles;
    chosen     chosen; /* of the last question */
    bool       busy;
} py_snap;

static ms_py_state *state_of(PyObject *self)
{
    return (ms_py_state *)PyType_GetModuleState(Py_TYPE(self));
}

/* An answer begins: nobody else may ask. */
static ms_snap *begin(PyObject *self)
{
    py_snap *p = (py_snap *)self;
    if (p->busy) {
        PyErr_SetString(PyExc_RuntimeError, "this snapshot is answering another question: one thread at a time");
        return NULL;
    }
    p->busy = true;
    return p->snap;
}

static PyObject *refuse(PyObject *self, ms_err err, const char *why)
{
    PyObject *path = PyObject_GetAttrString(((py_snap *)self)->file, "path");
    if (path != NULL) {
        ms_py_raise(state_of(self), err, why, path);
        Py_DECREF(path);
    }
    return NULL;
}

/* The answer stands; false: an exception is set. */
static bool end(PyObject *self, ms_err err, const ms_why *why)
{
    ((py_snap *)self)->busy = false;
    if (err != MS_OK)
        refuse(self, err, why->text);
    return err == MS_OK;
}

/* Run `call` without the GIL; the function returns NULL where it fails. */
#define ANSWER(self, call)                                  \
    do {                                                    \
        ms_why why = {{0}};                                 \
        ms_err answer_err_;                                 \
        ms_snap *s = begin(self);                           \
        if (s == NULL)                                      \
            return NULL;                                    \
        Py_BEGIN_ALLOW_THREADS                              \
        answer_err_ = (call);                               \
        Py_END_ALLOW_THREADS                                \
        if (!end(self, answer_err_, &why))                  \
            return NULL;                                    \
    } while (0)

static bool node_ok(const ms_snap *s, unsigned long v)
{
    if (v < s->nodes)
        return true;
    PyErr_Format(PyExc_IndexError, "there is no object %lu: it has %u", v, s->nodes);
    return false;
}

/* ---- facts ---- */

static PyObject *text_of(const ms_snap *s, uint32_t row)
{
    ms_snap_string t = ms_snap_text(s, row);
    return PyUnicode_DecodeUTF8(t.at, (Py_ssize_t)t.size, "replace");
}

static PyObject *snap_text(PyObject *self, PyObject *arg)
{
    unsigned long row = PyLong_AsUnsignedLong(arg);
    if (row == (unsigned long)-1 && PyErr_Occurred())
        return NULL;
    return text_of(((py_snap *)self)->snap, row > UINT32_MAX ? UINT32_MAX : (uint32_t)row);
}

static PyObject *snap_info(PyObject *self, PyObject *unused)
{
    const ms_snap *s = ((py_snap *)self)->snap;
    PyObject *out = PyDict_New();
    for (uint64_t i = 0; out && i < s->n_info; i++) {
        PyObject *key = text_of(s, s->info_key[i]), *value = text_of(s, s->info_value[i]);
        if (key == NULL || value == NULL || PyDict_SetItem(out, key, value) < 0)
            Py_CLEAR(out);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    return out;
}

static PyObject *snap_types(PyObject *self, PyObject *unused)
{
    const ms_snap *s = ((py_snap *)self)->snap;
    PyObject *out = PyList_New(s->n_types);
    for (uint32_t i = 0; out && i < s->n_types; i++) {
        PyObject *row = Py_BuildValue("(NIBIII)", text_of(s, s->type_name[i]), s->type_node[i], s->type_rest[i],
                                      s->type_flags[i], s->type_basicsize[i], s->type_itemsize[i]);
        if (row == NULL)
            Py_CLEAR(out);
        else
            PyList_SET_ITEM(out, i, row);
    }
    return out;
}

static PyObject *snap_sites(PyObject *self, PyObject *unused)
{
    const ms_snap *s = ((py_snap *)self)->snap;
    PyObject *out = PyList_New(s->n_sites);
    for (uint32_t i = 0; out && i < s->n_sites; i++) {
        PyObject *row = Py_BuildValue("(IIiiiiI)", s->site_file[i], s->site_function[i], s->site_line[i], s->site_end_line[i],
                                      s->site_column[i], s->site_end_column[i], s->site_flags[i]);
        if (row == NULL)
            Py_CLEAR(out);
        else
            PyList_SET_ITEM(out, i, row);
    }
    return out;
}

/* (type, site, birth, address, bytes, said, retained, retained_said, entries, dominator, text or None, garbage) */
static PyObject *snap_node(PyObject *self, PyObject *arg)
{
    ms_snap *snap = ((py_snap *)self)->snap;
    unsigned long v = PyLong_AsUnsignedLong(arg);
    uint32_t string;
    if ((v == (unsigned long)-1 && PyErr_Occurred()) || !node_ok(snap, v))
        return NULL;
    ANSWER(self, ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_BIRTHS | MS_SNAP_ADDRESSES | MS_SNAP_EDGES | MS_SNAP_TEXTS | MS_SNAP_TREE, &why));
    uint32_t n = (uint32_t)v;
    PyObject *text = ms_snap_name(snap, n, &string) ? text_of(snap, string) : Py_NewRef(Py_None);
    return Py_BuildValue("(IIIKKKKKKINO)", ms_snap_type(snap, n), ms_snap_id(snap->site, n), ms_snap_id(snap->birth, n),
                         (unsigned long long)ms_snap_address(snap, n), (unsigned long long)ms_snap_bytes(snap, n),
                         (unsigned long long)ms_snap_said(snap, n), (unsigned long long)ms_snap_retained(snap, n),
                         (unsigned long long)ms_snap_retained_said(snap, n), (unsigned long long)ms_entries(snap, n),
                         snap->idom[n], text, ms_snap_is_garbage(snap, n) ? Py_True : Py_False);
}

/* All objects together, as allocated. */
static PyObject *snap_bytes(PyObject *self, PyObject *unused)
{
    uint64_t bytes = 0;
    ANSWER(self, ms_total(s, &bytes, &why));
    return PyLong_FromUnsignedLongLong(bytes);
}

/* The text of a node alone: what labels need; cheaper than node(). */
static PyObject *snap_name(PyObject *self, PyObject *arg)
{
    ms_snap *snap = ((py_snap *)self)->snap;
    unsigned long v = PyLong_AsUnsignedLong(arg);
    uint32_t string;
    if ((v == (unsigned long)-1 && PyErr_Occurred()) || !node_ok(snap, v))
        return NULL;
    ANSWER(self, ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_TEXTS, &why));
    PyObject *text = ms_snap_name(snap, (uint32_t)v, &string) ? text_of(snap, string) : Py_NewRef(Py_None);
    return Py_BuildValue("(IN)", ms_snap_type(snap, (uint32_t)v), text);
}

static PyObject *snap_find(PyObject *self, PyObject *arg)
{
    ms_snap *snap = ((py_snap *)self)->snap;
    unsigned long long address = PyLong_AsUnsignedLongLong(arg);
    uint32_t v;
    if (address == (unsigned long long)-1 && PyErr_Occurred())
        return NULL;
    ANSWER(self, ms_snap_need(s, MS_SNAP_ADDRESSES, &why));
    if (!ms_snap_find(snap, address, &v))
        Py_RETURN_NONE;
    return PyLong_FromUnsignedLong(v);
}

/* ---- sums ---- */

static PyObject *sum_tuple(const ms_sum *o)
{
    return Py_BuildValue("(KKKKK)", (unsigned long long)o->count, (unsigned long long)o->bytes, (unsigned long long)o->said,
                         (unsigned long long)o->retained, (unsigned long long)o->retained_said);
}

static bool by_what(const char *word, ms_by *by)
{
    *by = MS_BY_TYPE;
    if (strcmp(word, "type") == 0)
        return true;
    *by = MS_BY_SITE;
    if (strcmp(word, "site") == 0)
        return true;
    PyErr_Format(PyExc_ValueError, "'%s' is not 'type' or 'site'", word);
    return false;
}

static PyObject *snap_sums(PyObject *self, PyObject *args)
{
    const char *word;
    int retained = 1, garbage = 0;
    ms_by by;
    if (!PyArg_ParseTuple(args, "s|pp:sums", &word, &retained, &garbage) || !by_what(word, &by))
        return NULL;
    ms_snap *snap = ((py_snap *)self)->snap;
    uint32_t n = by == MS_BY_TYPE ? snap->n_types : snap->n_sites;
    ms_sum *sums = ms_sys_alloc(n * sizeof *sums + 1);
    if (sums == NULL)
        return PyErr_NoMemory();
    PyObject *out = NULL;
    ms_why why = {{0}};
    ms_err err;
    if (begin(self) == NULL)
        goto done;
    Py_BEGIN_ALLOW_THREADS
    err = ms_sums(snap, by, retained, garbage, sums, &why);
    Py_END_ALLOW_THREADS
    if (!end(self, err, &why) || (out = PyList_New(0)) == NULL)
        goto done;
    for (uint32_t i = 0; out && i < n; i++) {
        if (sums[i].count == 0)
            continue;
        PyObject *row = Py_BuildValue("(IN)", i, sum_tuple(&sums[i]));
        if (row == NULL || PyList_Append(out, row) < 0)
            Py_CLEAR(out);
        Py_XDECREF(row);
    }
done:
    ms_sys_free(sums, n * sizeof *sums + 1);
    return out;
}

/* ---- steps ---- */

static PyObject *steps_list(const ms_steps *steps)
{
    PyObject *out = PyList_New((Py_ssize_t)steps->n);
    for (size_t i = 0; out && i < steps->n; i++) {
        const ms_step *o = &steps->at[i];
        PyObject *row = Py_BuildValue("(IIIIIIIIOKKKKKN)", o->parent, o->depth, o->label.kind, o->label.value, o->key, o->type, o->example, o->site,
                                      o->more_sites ? Py_True : Py_False, (unsigned long long)o->folded, (unsigned long long)o->entries,
                                      (unsigned long long)o->targets, (unsigned long long)o->weight, (unsigned long long)o->here,
                                      sum_tuple(&o->sum));
        if (row == NULL)
            Py_CLEAR(out);
        else
            PyList_SET_ITEM(out, (Py_ssize_t)i, row);
    }
    return out;
}

static PyObject *snap_holders(PyObject *self, PyObject *args)
{
    ms_snap *snap = ((py_snap *)self)->snap;
    unsigned long top;
    unsigned long long least, wide;
    unsigned int deep;
    ms_steps steps = {0};
    if (!PyArg_ParseTuple(args, "kKIK:holders", &top, &least, &deep, &wide) || !node_ok(snap, top))
        return NULL;
    ANSWER(self, ms_holders(s, (uint32_t)top, least, deep, wide, &steps, &why));
    PyObject *out = steps_list(&steps);
    MS_VEC_FREE(&steps);
    return out;
}

static PyObject *snap_tops(PyObject *self, PyObject *unused)
{
    ms_steps steps = {0};
    ANSWER(self, ms_tops(s, &steps, &why));
    PyObject *out = steps_list(&steps);
    MS_VEC_FREE(&steps);
    return out;
}

/* ---- why ---- */

static ms_err no_memory(ms_why *why)
{
    ms_why_set(why, "cannot look at the snapshot: %s", ms_err_text(MS_ENOMEM));
    return MS_ENOMEM;
}

static void chosen_free(chosen *c)
{
    ms_sys_free(c->wanted, c->size);
    ms_sys_free(c->node, c->room * sizeof *c->node);
    *c = (chosen){0};
}

static ms_err chosen_find(ms_snap *s, chosen *c, ms_why *why)
{
    if (c->kind == 'n') {
        MS_TRY(ms_vec_grow_((void **)&c->node, 0, &c->room, sizeof *c->node));
        c->node[0] = c->single;
        c->n = c->single != 0;
        return MS_OK;
    }
    bool by_type = c->kind == 't';
    uint8_t *shape = by_type ? ms_sys_alloc(s->n_shapes) : c->wanted; /* the kind of number that nodes have */
    ms_snap_ids ids = by_type ? s->shape : s->site;
    ms_err err = shape ? MS_OK : MS_ENOMEM;
    for (uint32_t i = 0; by_type && shape && i < s->n_shapes; i++)
        shape[i] = c->wanted[s->shape_type[i]];
    for (uint32_t v = 1; v <= s->objects && err == MS_OK; v++)
        if (shape[ms_snap_id(ids, v)]) {
            err = ms_vec_grow_((void **)&c->node, c->n, &c->room, sizeof *c->node);
            if (err == MS_OK)
                c->node[c->n++] = v;
        }
    if (by_type)
        ms_sys_free(shape, s->n_shapes);
    return err;
}

/* The nodes of this question into p->chosen; they often stand there from the one before. */
static ms_err choose(py_snap *p, chosen *c, ms_why *why)
{
    chosen *known = &p->chosen;
    if (known->wanted && known->kind == c->kind && known->single == c->single && memcmp(known->wanted, c->wanted, c->size) == 0)
        return MS_OK;
    chosen_free(known);
    MS_TRY(ms_snap_need(p->snap, MS_SNAP_SHAPES | MS_SNAP_BIRTHS, why));
    if (chosen_find(p->snap, c, why) != MS_OK)
        return no_memory(why);
    *known = *c;
    *c = (chosen){0};
    return MS_OK;
}

/* kind and rows from Python. false: an exception is set. */
static bool chosen_read(const ms_snap *s, const char *kind, PyObject *rows, chosen *c)
{
    *c = (chosen){.kind = kind[0], .size = (kind[0] == 't' ? s->n_types : s->n_sites) + (size_t)1};
    if (strcmp(kind, "type") != 0 && strcmp(kind, "site") != 0 && strcmp(kind, "node") != 0) {
        PyErr_Format(PyExc_ValueError, "'%s' is not 'type', 'site' or 'node'", kind);
        return false;
    }
    PyObject *fast = PySequence_Fast(rows, "rows must be a list of numbers");
    if (fast == NULL)
        return false;
    c->wanted = ms_sys_alloc(c->size);
    if (c->wanted == NULL)
        PyErr_NoMemory();
    for (Py_ssize_t i = 0; c->wanted && i < PySequence_Fast_GET_SIZE(fast); i++) {
        unsigned long row = PyLong_AsUnsignedLong(PySequence_Fast_GET_ITEM(fast, i));
        bool node = kind[0] == 'n';
        if ((row == (unsigned long)-1 && PyErr_Occurred()) || (node && !node_ok(s, row)))
            chosen_free(c);
        else if (node)
            c->single = (uint32_t)row;
        else if (row < c->size - 1)
            c->wanted[row] = 1;
    }
    Py_DECREF(fast);
    return c->wanted != NULL;
}

typedef struct {
    ms_sum    sum;
    ms_steps  steps;
    ms_others others;
    uint64_t  lost, weak, garbage;
    uint32_t  oldest, newest, parts[MS_GROWING_PARTS];
    uint64_t  aged;
} reasons;

static ms_err ages(ms_snap *s, const chosen *of, reasons *r)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < of->n; i++) {
            uint32_t v = of->node[i], birth = ms_snap_id(s->birth, v);
            if (ms_snap_id(s->site, v) == 0 || birth > s->epoch)
                continue;
            if (pass == 0) {
                r->oldest = r->aged == 0 || birth < r->oldest ? birth : r->oldest;
                r->newest = r->aged == 0 || birth > r->newest ? birth : r->newest;
                r->aged++;
            } else
                r->parts[(uint64_t)(birth - r->oldest) * MS_GROWING_PARTS / ((uint64_t)r->newest - r->oldest + 1)]++;
        }
    return MS_OK;
}

/* For `why` all that is as long as the heap is compared with its checksum, and the edges are brought. A second thread does half of that: first
 * the columns that the first one comes to last (the state of each is atomic, and who comes to one that is not known looks itself). */
typedef struct {
    ms_snap  *snap;
    pthread_t thread;
    bool      there;
} ahead;

static void *go_ahead(void *arg)
{
    static const char *const heavy[] = {"retained_said", "retained", "node"};
    ms_snap *s = arg;
    ms_column column;
    ms_why why;
    for (size_t i = 0; i < sizeof heavy / sizeof heavy[0]; i++)
        (void)ms_snap_column_any(s, "heavy", heavy[i], &why, &column);
    return ms_snap_edges(s, &why) == MS_OK ? s : NULL;
}

static bool ahead_end(void *arg)
{
    ahead *a = arg;
    void *done = NULL;
    if (a->there)
        pthread_join(a->thread, &done);
    a->there = false;
    a->snap->edges_wait = NULL;
    return done != NULL;
}

static void ahead_begin(ahead *a)
{
    enum { WORTH = 1 << 16 }; /* objects */
    sigset_t all, before;
    sigfillset(&all);
    if (a->snap->nodes < WORTH || a->snap->have & MS_SNAP_EDGES)
        return;
    pthread_sigmask(SIG_SETMASK, &all, &before); /* Control-C is the program's */
    a->there = pthread_create(&a->thread, NULL, go_ahead, a->snap) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    a->snap->edges_wait = a->there ? ahead_end : NULL;
    a->snap->edges_arg = a;
}

static ms_err ask_why(py_snap *p, chosen *asked, reasons *r, ms_why *why)
{
    ms_snap *s = p->snap;
    const chosen *of = &p->chosen;
    MS_TRY(choose(p, asked, why));
    MS_TRY(ms_sum_of(s, of->node, of->n, &r->sum, why));
    if (p->ways == NULL)
        MS_TRY(ms_ways(s, &p->graph, &p->ways, why));
    MS_TRY(ms_ways_to(s, p->ways, of->node, (uint32_t)of->n, &r->steps, &r->lost, why));
    MS_TRY(ms_other_refs(s, p->ways, of->node, (uint32_t)of->n, &r->others, &r->weak, why));
    for (size_t i = 0; i < of->n; i++)
        r->garbage += ms_snap_is_garbage(s, of->node[i]);
    return ages(s, of, r);
}

static PyObject *others_list(const ms_others *others, size_t most)
{
    PyObject *out = PyList_New(0);
    for (size_t i = 0; out && i < others->n && i < most; i++) {
        const ms_other *o = &others->at[i];
        PyObject *row = Py_BuildValue("(IIIIIKK)", o->label.kind, o->label.value, o->type, o->example, o->target, (unsigned long long)o->refs,
                                      (unsigned long long)o->owners);
        if (row == NULL || PyList_Append(out, row) < 0)
            Py_CLEAR(out);
        Py_XDECREF(row);
    }
    return out;
}

static PyObject *snap_why(PyObject *self, PyObject *args)
{
    py_snap *p = (py_snap *)self;
    const char *kind;
    PyObject *rows, *out = NULL;
    chosen asked;
    reasons r = {0};
    ms_why why = {{0}};
    ms_err err;
    if (!PyArg_ParseTuple(args, "sO:why", &kind, &rows))
        return NULL;
    if (!chosen_read(p->snap, kind, rows, &asked) || begin(self) == NULL)
        goto done;
    Py_BEGIN_ALLOW_THREADS
    ahead a = {.snap = p->snap};
    ahead_begin(&a);
    err = ask_why(p, &asked, &r, &why);
    ahead_end(&a);
    Py_END_ALLOW_THREADS
    if (!end(self, err, &why))
        goto done;
    uint64_t all = 0;
    for (size_t i = 0; i < r.others.n; i++)
        all += r.others.at[i].refs;
    out = Py_BuildValue("{s:N,s:N,s:K,s:N,s:K,s:n,s:K,s:K,s:(KII(IIIIIIII))}", "sum", sum_tuple(&r.sum), "steps", steps_list(&r.steps),
                        "lost", (unsigned long long)r.lost, "others", others_list(&r.others, 20), "other_refs", (unsigned long long)all,
                        "other_kinds", (Py_ssize_t)r.others.n, "weak", (unsigned long long)r.weak, "garbage", (unsigned long long)r.garbage,
                        "ages", (unsigned long long)r.aged, r.oldest, r.newest, r.parts[0], r.parts[1], r.parts[2], r.parts[3],
                        r.parts[4], r.parts[5], r.parts[6], r.parts[7]);
done:
    chosen_free(&asked);
    MS_VEC_FREE(&r.steps);
    MS_VEC_FREE(&r.others);
    return out;
}

/* How many of the objects each of these nodes dominates: below('type', [row], [node, ...]) -> [count]. */
static PyObject *snap_below(PyObject *self, PyObject *args)
{
    enum { MOST = 64 };
    py_snap *p = (py_snap *)self;
    const char *kind;
    PyObject *rows, *nodes, *out = NULL;
    uint32_t node[MOST];
    uint64_t count[MOST] = {0};
    const chosen *c = &p->chosen;
    chosen asked;
    ms_why why = {{0}};
    ms_err err;
    if (!PyArg_ParseTuple(args, "sOO!:below", &kind, &rows, &PyList_Type, &nodes))
        return NULL;
    Py_ssize_t n = PyList_GET_SIZE(nodes) < MOST ? PyList_GET_SIZE(nodes) : MOST;
    for (Py_ssize_t i = 0; i < n; i++) {
        unsigned long v = PyLong_AsUnsignedLong(PyList_GET_ITEM(nodes, i));
        if ((v == (unsigned long)-1 && PyErr_Occurred()) || !node_ok(p->snap, v))
            return NULL;
        node[i] = (uint32_t)v;
    }
    if (!chosen_read(p->snap, kind, rows, &asked) || begin(self) == NULL)
        goto done;
    Py_BEGIN_ALLOW_THREADS
    err = ms_snap_need(p->snap, MS_SNAP_TREE, &why);
    if (err == MS_OK)
        err = choose(p, &asked, &why);
    for (Py_ssize_t i = 0; err == MS_OK && i < n; i++) {
        const ms_snap *s = p->snap;
        if (!ms_snap_holds(s, node[i])) {
            for (size_t k = 0; k < c->n; k++)
                count[i] += c->node[k] == node[i];
            continue;
        }
        uint32_t r = ms_snap_rank(s, node[i]), from = s->begin[r], to = s->end[r];
        for (size_t k = 0; k < c->n; k++) {
            uint32_t q = s->begin[ms_snap_rank(s, ms_snap_holds(s, c->node[k]) ? c->node[k] : s->idom[c->node[k]])];
            count[i] += q >= from && q < to;
        }
    }
    Py_END_ALLOW_THREADS
    if (!end(self, err, &why) || (out = PyList_New(n)) == NULL)
        goto done;
    for (Py_ssize_t i = 0; out && i < n; i++) {
        PyObject *number = PyLong_FromUnsignedLongLong(count[i]);
        if (number == NULL)
            Py_CLEAR(out);
        else
            PyList_SET_ITEM(out, i, number);
    }
done:
    chosen_free(&asked);
    return out;
}

/* The objects of a type or site, those that hold most first: [(node, retained)]. */
typedef struct {
    uint64_t retained;
    uint32_t node;
} ranked;

static int more_held(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    return x->retained != y->retained ? (x->retained < y->retained ? 1 : -1) : x->node < y->node ? -1 : x->node > y->node;
}

static ms_err ask_objects(py_snap *p, chosen *asked, ranked **out, size_t *n, ms_why *why)
{
    ms_snap *s = p->snap;
    const chosen *of = &p->chosen;
    MS_TRY(ms_snap_need(s, MS_SNAP_IDOMS, why));
    MS_TRY(choose(p, asked, why));
    if ((*out = ms_sys_alloc((of->n + 1) * sizeof **out)) == NULL)
        return no_memory(why);
    *n = of->n;
    for (size_t i = 0; i < of->n; i++)
        (*out)[i] = (ranked){ms_snap_retained(s, of->node[i]), of->node[i]};
    qsort(*out, of->n, sizeof **out, more_held);
    return MS_OK;
}

static PyObject *snap_list(PyObject *self, PyObject *args)
{
    py_snap *p = (py_snap *)self;
    const char *kind;
    PyObject *rows, *out = NULL;
    unsigned long long most;
    size_t n = 0;
    chosen asked;
    ranked *found = NULL;
    ms_why why = {{0}};
    ms_err err;
    if (!PyArg_ParseTuple(args, "sOK:objects", &kind, &rows, &most))
        return NULL;
    if (!chosen_read(p->snap, kind, rows, &asked) || begin(self) == NULL)
        goto done;
    Py_BEGIN_ALLOW_THREADS
    err = ask_objects(p, &asked, &found, &n, &why);
    Py_END_ALLOW_THREADS
    if (!end(self, err, &why))
        goto done;
    out = PyList_New(0);
    for (size_t i = 0; out && i < n && i < most; i++) {
        PyObject *row = Py_BuildValue("(IK)", found[i].node, (unsigned long long)found[i].retained);
        if (row == NULL || PyList_Append(out, row) < 0)
            Py_CLEAR(out);
        Py_XDECREF(row);
    }
done:
    chosen_free(&asked);
    if (found != NULL)
        ms_sys_free(found, (n + 1) * sizeof *found);
    return out;
}

/* ---- one object ---- */

static PyObject *edge_tuple(const ms_snap *s, uint32_t owner, uint32_t e)
{
    ms_label label = ms_snap_label(s, owner, e);
    return Py_BuildValue("(IIIII)", owner, MS_SNAP_TARGET(s->to[e]), MS_SNAP_KIND(s->to[e]), label.kind, label.value);
}

static PyObject *snap_references(PyObject *self, PyObject *args)
{
    ms_snap *snap = ((py_snap *)self)->snap;
    unsigned long v;
    unsigned long long most;
    if (!PyArg_ParseTuple(args, "kK:references", &v, &most) || !node_ok(snap, v))
        return NULL;
    ANSWER(self, ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_EDGES, &why));
    PyObject *out = PyList_New(0);
    for (uint32_t e = snap->first[v]; out && e < snap->first[v + 1] && most > 0; e++) {
        if (MS_SNAP_TARGET(snap->to[e]) == 0)
            continue;
        PyObject *row = edge_tuple(snap, (uint32_t)v, e);
        if (row == NULL || PyList_Append(out, row) < 0)
            Py_CLEAR(out);
        Py_XDECREF(row);
        most--;
    }
    return out;
}

static PyObject *snap_referrers(PyObject *self, PyObject *args)
{
    ms_snap *snap = ((py_snap *)self)->snap;
    unsigned long v;
    unsigned long long most;
    if (!PyArg_ParseTuple(args, "kK:referrers", &v, &most) || !node_ok(snap, v))
        return NULL;
    ANSWER(self, ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_EDGES, &why));
    PyObject *out = PyList_New(0);
    ms_graph g = ms_snap_graph(snap);
    for (uint32_t e = 0; out && v != 0 && (unsigned long long)PyList_GET_SIZE(out) < most && ms_edge_to(&g, (uint32_t)v, &e); e++) {
        PyObject *row = edge_tuple(snap, ms_edge_owner(&g, e), e);
        if (row == NULL || PyList_Append(out, row) < 0)
            Py_CLEAR(out);
        Py_XDECREF(row);
    }
    return out;
}

/* How many references keep a node, from outside what it holds itself. */
static PyObject *snap_outside(PyObject *self, PyObject *arg)
{
    ms_snap *snap = ((py_snap *)self)->snap;
    unsigned long v = PyLong_AsUnsignedLong(arg);
    unsigned long long n = 0;
    if ((v == (unsigned long)-1 && PyErr_Occurred()) || !node_ok(snap, v))
        return NULL;
    ANSWER(self, ms_snap_need(s, MS_SNAP_EDGES | MS_SNAP_TREE, &why));
    bool holds = ms_snap_holds(snap, (uint32_t)v);
    uint32_t r = holds ? ms_snap_rank(snap, (uint32_t)v) : 0, from = holds ? snap->begin[r] : 1, to = holds ? snap->end[r] : 0;
    ms_graph g = ms_snap_graph(snap);
    for (uint32_t e = 0; v != 0 && ms_edge_to(&g, (uint32_t)v, &e); e++) {
        uint32_t owner = ms_edge_owner(&g, e), q;
        if (MS_SNAP_KIND(snap->to[e]) == MS_SNAP_NORMAL && owner != v) {
            q = snap->begin[ms_snap_rank(snap, ms_snap_holds(snap, owner) ? owner : snap->idom[owner])];
            n += q < from || q >= to;
        }
    }
    return PyLong_FromUnsignedLongLong(n);
}

/* What would be freed if these objects lost all their references: emptied containers. */
static PyObject *snap_freed(PyObject *self, PyObject *arg)
{
    enum { MOST = 16 };
    py_snap *p = (py_snap *)self;
    uint32_t node[MOST];
    ms_freed freed = {0};
    ms_why why = {{0}};
    ms_err err;
    if (!PyList_Check(arg) || PyList_GET_SIZE(arg) > MOST) {
        PyErr_SetString(PyExc_TypeError, "freed([node, ...]) takes a list of at most 16");
        return NULL;
    }
    uint32_t n = (uint32_t)PyList_GET_SIZE(arg);
    for (uint32_t i = 0; i < n; i++) {
        unsigned long v = PyLong_AsUnsignedLong(PyList_GET_ITEM(arg, i));
        if ((v == (unsigned long)-1 && PyErr_Occurred()) || !node_ok(p->snap, v))
            return NULL;
        node[i] = (uint32_t)v;
    }
    if (begin(self) == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    err = ms_snap_need(p->snap, MS_SNAP_SHAPES | MS_SNAP_EDGES, &why);
    if (err == MS_OK) {
        ms_graph g = ms_snap_graph(p->snap);
        err = ms_freed_by(&g, NULL, 0, node, n, NULL, &freed);
        if (err != MS_OK)
            ms_why_set(&why, "cannot look at the snapshot: %s", ms_err_text(err));
    }
    Py_END_ALLOW_THREADS
    if (!end(self, err, &why))
        return NULL;
    return Py_BuildValue("(KKK)", (unsigned long long)freed.nodes, (unsigned long long)freed.bytes[MS_ALLOCATED],
                         (unsigned long long)freed.bytes[MS_SAID]);
}

/* What a node dominates at once, that which holds most first: [(node, retained)]. */
static PyObject *snap_children(PyObject *self, PyObject *args)
{
    ms_snap *snap = ((py_snap *)self)->snap;
    unsigned long v;
    unsigned long long most;
    if (!PyArg_ParseTuple(args, "kK:children", &v, &most) || !node_ok(snap, v))
        return NULL;
    ANSWER(self, ms_snap_need(s, MS_SNAP_TREE, &why));
    MS_VEC(ranked) found = {0};
    for (uint32_t c = 1; c < snap->nodes; c++) {
        if (snap->idom[c] != v)
            continue;
        if (MS_VEC_ROOM(&found) != MS_OK) {
            MS_VEC_FREE(&found);
            return PyErr_NoMemory();
        }
        found.at[found.n++] = (ranked){ms_snap_retained(snap, c), c};
    }
    if (found.n > 1)
        qsort(found.at, found.n, sizeof *found.at, more_held);
    PyObject *out = PyList_New(0);
    for (size_t i = 0; out && i < found.n && i < most; i++) {
        PyObject *row = Py_BuildValue("(IK)", found.at[i].node, (unsigned long long)found.at[i].retained);
        if (row == NULL || PyList_Append(out, row) < 0)
            Py_CLEAR(out);
        Py_XDECREF(row);
    }
    MS_VEC_FREE(&found);
    return out;
}

/* ---- modules and variables ---- */

/* The entries of a dict whose key has this text. */
static bool dict_find(const ms_snap *s, uint32_t dict, const char *word, size_t size, uint32_t *value)
{
    uint32_t type = ms_snap_type(s, dict), string;
    if (s->type_rest[type] != MS_REST_PAIRS)
        return false;
    for (uint32_t e = s->first[dict] + s->type_count[type]; e + 1 < s->first[dict + 1]; e += 2)
        if (ms_snap_name(s, MS_SNAP_TARGET(s->to[e]), &string)) {
            ms_snap_string t = ms_snap_text(s, string);
            if (t.size == size && memcmp(t.at, word, size) == 0) {
                *value = MS_SNAP_TARGET(s->to[e + 1]);
                return *value != 0;
            }
        }
    return false;
}

/* [(node, dict, name, retained)] of all modules. */
static PyObject *snap_modules(PyObject *self, PyObject *unused)
{
    ms_module_list found = {0};
    ANSWER(self, ms_modules_of(s, &found, &why));
    const ms_snap *snap = ((py_snap *)self)->snap;
    PyObject *out = PyList_New((Py_ssize_t)found.n);
    for (size_t i = 0; out && i < found.n; i++) {
        const ms_module *m = &found.at[i];
        PyObject *row = Py_BuildValue("(IINK)", m->node, m->dict, text_of(snap, m->name), (unsigned long long)m->retained);
        if (row == NULL)
            Py_CLEAR(out);
        else
            PyList_SET_ITEM(out, (Py_ssize_t)i, row);
    }
    MS_VEC_FREE(&found);
    return out;
}

/* [(dict of the module, name, node, type, dominator, retained)] of the module variables that hold at least so much. */
static PyObject *snap_variables(PyObject *self, PyObject *arg)
{
    unsigned long long least = PyLong_AsUnsignedLongLong(arg);
    ms_variable_list found = {0};
    if (least == (unsigned long long)-1 && PyErr_Occurred())
        return NULL;
    ANSWER(self, ms_variables_of(s, least, &found, &why));
    const ms_snap *snap = ((py_snap *)self)->snap;
    PyObject *out = PyList_New((Py_ssize_t)found.n);
    for (size_t i = 0; out && i < found.n; i++) {
        const ms_variable *v = &found.at[i];
        PyObject *row = Py_BuildValue("(INIIIK)", v->dict, text_of(snap, v->name), v->node, v->type, v->idom, (unsigned long long)v->retained);
        if (row == NULL)
            Py_CLEAR(out);
        else
            PyList_SET_ITEM(out, (Py_ssize_t)i, row);
    }
    MS_VEC_FREE(&found);
    return out;
}

/* [(key text, value node, retained)] of a namespace, those that hold at least so much. */
static PyObject *snap_namespace(PyObject *self, PyObject *args)
{
    ms_snap *snap = ((py_snap *)self)->snap;
    unsigned long dict;
    unsigned long long least;
    if (!PyArg_ParseTuple(args, "kK:namespace", &dict, &least) || !node_ok(snap, dict))
        return NULL;
    ANSWER(self, ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_EDGES | MS_SNAP_TEXTS | MS_SNAP_IDOMS, &why));
    PyObject *out = PyList_New(0);
    uint32_t type = ms_snap_type(snap, (uint32_t)dict), string;
    if (snap->type_rest[type] != MS_REST_PAIRS)
        return out;
    for (uint32_t e = snap->first[dict] + snap->type_count[type]; out && e + 1 < snap->first[dict + 1]; e += 2) {
        uint32_t value = MS_SNAP_TARGET(snap->to[e + 1]);
        if (value == 0 || ms_snap_retained(snap, value) < least || !ms_snap_name(snap, MS_SNAP_TARGET(snap->to[e]), &string))
            continue;
        PyObject *row = Py_BuildValue("(NIK)", text_of(snap, string), value, (unsigned long long)ms_snap_retained(snap, value));
        if (row == NULL || PyList_Append(out, row) < 0)
            Py_CLEAR(out);
        Py_XDECREF(row);
    }
    return out;
}

/* The value of an attribute: in a dict, or of an object with a __dict__ or such a field. None: there is none. */
static PyObject *snap_attribute(PyObject *self, PyObject *args)
{
    ms_snap *snap = ((py_snap *)self)->snap;
    unsigned long v;
    const char *word;
    Py_ssize_t size;
    uint32_t value;
    if (!PyArg_ParseTuple(args, "ks#:attribute", &v, &word, &size) || !node_ok(snap, v))
        return NULL;
    ANSWER(self, ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_EDGES | MS_SNAP_TEXTS, &why));
    uint32_t type = ms_snap_type(snap, (uint32_t)v);
    for (uint32_t i = 0; i < snap->type_count[type] && snap->first[v] + i < snap->first[v + 1]; i++) {
        ms_snap_string t = ms_snap_text(snap, snap->field_name[snap->type_first[type] + i]);
        if (t.size == (size_t)size && memcmp(t.at, word, t.size) == 0 && (value = MS_SNAP_TARGET(snap->to[snap->first[v] + i])) != 0)
            return PyLong_FromUnsignedLong(value);
    }
    uint32_t dict = ms_snap_namespace_of(snap, (uint32_t)v);
    if (dict_find(snap, dict ? dict : (uint32_t)v, word, (size_t)size, &value))
        return PyLong_FromUnsignedLong(value);
    Py_RETURN_NONE;
}

/* ---- cycles, growth, tables ---- */

static ms_err ask_cycles(py_snap *p, ms_forms *out, ms_why *why)
{
    ms_snap *s = p->snap;
    ms_column node, scc;
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_EDGES | MS_SNAP_TEXTS | MS_SNAP_TREE, why));
    p->graph = ms_snap_graph(s);
    if (p->cycles == NULL && s->analysis != NULL) /* no table of them: computed with the dominators */
        return ms_cycle_forms(s, &s->analysis->cycles, false, out, why);
    if (p->cycles == NULL) {
        MS_TRY(ms_snap_column(s, "cycles", "node", MS_TYPE_U32, why, &node));
        MS_TRY(ms_snap_column(s, "cycles", "scc", MS_TYPE_U32, why, &scc));
        ms_err err = node.rows != scc.rows ? MS_EDAMAGED : ms_cycles_of(&p->graph, node.values, scc.values, node.rows, &p->cycles);
        if (err != MS_OK) {
            ms_why_set(why, "this snapshot cannot be read: its table of cycles %s", err == MS_ENOMEM ? ms_err_text(err) : "contradicts itself");
            return err;
        }
    }
    return ms_cycle_forms(s, p->cycles, false, out, why);
}

static PyObject *loop_list(const ms_snap *s, const uint32_t *edge, uint32_t n)
{
    PyObject *out = PyList_New(0);
    uint32_t owner;
    ms_graph g = ms_snap_graph(s);
    for (uint32_t i = 0; out && i < n; i++) {
        owner = ms_edge_owner(&g, edge[i]);
        PyObject *row = edge_tuple(s, owner, edge[i]);
        if (row == NULL || PyList_Append(out, row) < 0)
            Py_CLEAR(out);
        Py_XDECREF(row);
    }
    return out;
}

/* [(garbage, circles, sum, members of the example, its shortest circle as edges, the edge to weaken)] */
static PyObject *snap_cycles(PyObject *self, PyObject *args)
{
    enum { LOOP = 12 };
    py_snap *p = (py_snap *)self;
    unsigned long long most;
    ms_forms forms = {0};
    if (!PyArg_ParseTuple(args, "K:cycles", &most))
        return NULL;
    ANSWER(self, ((void)s, ask_cycles(p, &forms, &why)));
    const ms_cycles *all_cycles = p->cycles ? p->cycles : &p->snap->analysis->cycles;
    PyObject *out = PyList_New(0);
    for (size_t i = 0; out && i < forms.n && i < most; i++) {
        const ms_form *f = &forms.at[i];
        uint32_t loop[LOOP], n = 0, cuts = 0;
        size_t room = 0;
        ms_cut *cut = NULL;
        ms_err err = ms_cycle_cut(&p->graph, all_cycles, f->example, p->snap->idom, &cut, &cuts, &room);
        if (err == MS_OK)
            err = ms_cycle_loop(&p->graph, all_cycles, f->example, cuts ? cut[0].edge : MS_NONE, LOOP, loop, &n);
        PyObject *row = err == MS_ENOMEM ? PyErr_NoMemory()
                        : err != MS_OK   ? refuse(self, MS_EDAMAGED, "this snapshot cannot be read: one of its cycles is none")
                                         : Py_BuildValue("(OKNINI)", f->garbage ? Py_True : Py_False, (unsigned long long)f->count, sum_tuple(&f->sum),
                                                     all_cycles->first[f->example + 1] - all_cycles->first[f->example],
                                                     loop_list(p->snap, loop, n < LOOP ? n : LOOP), n);
        ms_sys_free(cut, room);
        if (row == NULL || PyList_Append(out, row) < 0)
            Py_CLEAR(out);
        Py_XDECREF(row);
    }
    Py_ssize_t all = (Py_ssize_t)forms.n;
    MS_VEC_FREE(&forms);
    return out ? Py_BuildValue("(nN)", all, out) : NULL;
}

static PyObject *snap_growing(PyObject *self, PyObject *args)
{
    unsigned int least;
    unsigned long long most;
    ms_growings found = {0};
    if (!PyArg_ParseTuple(args, "IK:growing", &least, &most))
        return NULL;
    ANSWER(self, ms_growing_containers(s, least, &found, &why));
    PyObject *out = PyList_New(0);
    for (size_t i = 0; out && i < found.n && i < most; i++) {
        const ms_growing *g = &found.at[i];
        PyObject *row = Py_BuildValue("(IOIII(IIIIIIII))", g->node, g->grows ? Py_True : Py_False, g->entries, g->oldest, g->newest,
                                      g->parts[0], g->parts[1], g->parts[2], g->parts[3], g->parts[4], g->parts[5], g->parts[6], g->parts[7]);
        if (row == NULL || PyList_Append(out, row) < 0)
            Py_CLEAR(out);
        Py_XDECREF(row);
    }
    MS_VEC_FREE(&found);
    return out;
}

/* Of one container: (grows, entries of known birth, oldest, newest). */
static PyObject *snap_grows(PyObject *self, PyObject *arg)
{
    ms_snap *snap = ((py_snap *)self)->snap;
    unsigned long v = PyLong_AsUnsignedLong(arg);
    ms_growing g;
    if ((v == (unsigned long)-1 && PyErr_Occurred()) || !node_ok(snap, v))
        return NULL;
    ANSWER(self, ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_BIRTHS | MS_SNAP_EDGES, &why));
    ms_growing_one(snap, (uint32_t)v, &g);
    return Py_BuildValue("(OIII)", g.grows ? Py_True : Py_False, g.entries, g.oldest, g.newest);
}

/* The edge by which owner refers to v, as in references(); None: it does not. */
static PyObject *snap_edge(PyObject *self, PyObject *args)
{
    ms_snap *snap = ((py_snap *)self)->snap;
    unsigned long owner, v;
    if (!PyArg_ParseTuple(args, "kk:edge", &owner, &v) || !node_ok(snap, owner))
        return NULL;
    ANSWER(self, ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_EDGES, &why));
    for (uint32_t e = snap->first[owner]; e < snap->first[owner + 1]; e++)
        if (MS_SNAP_TARGET(snap->to[e]) == v && MS_SNAP_KIND(snap->to[e]) == MS_SNAP_NORMAL)
            return edge_tuple(snap, (uint32_t)owner, e);
    Py_RETURN_NONE;
}

/* Some columns of a small table, row by row: table(name, column, ...) -> [tuple]. */
static PyObject *snap_table(PyObject *self, PyObject *args)
{
    enum { COLUMNS = 8, MOST = 1 << 20 };
    ms_snap *snap = ((py_snap *)self)->snap;
    ms_column c[COLUMNS];
    Py_ssize_t n = PyTuple_GET_SIZE(args) - 1;
    uint64_t rows = UINT64_MAX;
    if (n < 1 || n > COLUMNS) {
        PyErr_SetString(PyExc_TypeError, "table(name, column, ...) takes 1 to 8 columns");
        return NULL;
    }
    const char *table = PyUnicode_AsUTF8(PyTuple_GET_ITEM(args, 0));
    for (Py_ssize_t i = 0; i < n; i++) {
        ms_why why = {{0}};
        const char *name = table ? PyUnicode_AsUTF8(PyTuple_GET_ITEM(args, i + 1)) : NULL;
        if (name == NULL || begin(self) == NULL)
            return NULL;
        ms_err err = ms_snap_column_any(snap, table, name, &why, &c[i]);
        if (!end(self, err, &why))
            return NULL;
        rows = c[i].rows < rows ? c[i].rows : rows;
    }
    PyObject *out = PyList_New(0);
    for (uint64_t r = 0; out && r < rows && r < MOST; r++) {
        PyObject *row = PyTuple_New(n);
        for (Py_ssize_t i = 0; row && i < n; i++) {
            PyObject *value = c[i].type == MS_TYPE_I32   ? PyLong_FromLong(((const int32_t *)c[i].values)[r])
                              : c[i].type == MS_TYPE_I64 ? PyLong_FromLongLong(((const int64_t *)c[i].values)[r])
                              : c[i].type == MS_TYPE_U64 ? PyLong_FromUnsignedLongLong(((const uint64_t *)c[i].values)[r])
                              : c[i].type == MS_TYPE_F64 ? PyFloat_FromDouble(((const double *)c[i].values)[r])
                              : PyLong_FromUnsignedLong(ms_snap_id((ms_snap_ids){c[i].values, (uint8_t)ms_type_size(c[i].type)}, r));
            if (value == NULL)
                Py_CLEAR(row);
            else
                PyTuple_SET_ITEM(row, i, value);
        }
        if (row == NULL || PyList_Append(out, row) < 0)
            Py_CLEAR(out);
        Py_XDECREF(row);
    }
    return out;
}

/* The way to one object, as edges from the root on. */
static PyObject *snap_way(PyObject *self, PyObject *arg)
{
    enum { LONGEST = 64 };
    py_snap *p = (py_snap *)self;
    unsigned long v = PyLong_AsUnsignedLong(arg);
    uint32_t node[LONGEST], edge[LONGEST];
    if ((v == (unsigned long)-1 && PyErr_Occurred()) || !node_ok(p->snap, v))
        return NULL;
    ANSWER(self, p->ways ? MS_OK : ms_ways(s, &p->graph, &p->ways, &why));
    uint32_t n = ms_path(p->ways, (uint32_t)v, LONGEST, node, edge), shown = n < LONGEST ? n : LONGEST;
    PyObject *out = PyList_New(0);
    for (uint32_t i = n <= LONGEST ? 1 : 0; out && i < shown; i++) {
        PyObject *row = edge[i] < p->snap->edges ? edge_tuple(p->snap, i ? node[i - 1] : ms_path_hop(p->ways, node[0]).from, edge[i])
                                                 : Py_BuildValue("(IIIII)", i ? node[i - 1] : 0, node[i], MS_SNAP_TYPE, MS_LABEL_INDIRECT, 0);
        if (row == NULL || PyList_Append(out, row) < 0)
            Py_CLEAR(out);
        Py_XDECREF(row);
    }
    return out;
}

/* Containers with room to spare, by type and line of birth: [(type, site, containers, used, room, bytes to spare)]. */
typedef struct {
    uint32_t type, site;
    uint64_t count, used, room, bytes;
} spare_row;
typedef MS_VEC(spare_row) spare_rows;

/* Bytes of one unused entry. */
static uint32_t entry_bytes(const ms_snap *s, uint32_t type)
{
    static const struct { const char *name; uint32_t bytes; } known[] = {{"dict", 24}, {"set", 16}, {"frozenset", 16}, {"bytearray", 1}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (ms_snap_text_is(s, s->type_name[type], known[i].name))
            return known[i].bytes;
    return s->type_rest[type] == MS_REST_PAIRS ? 24 : 8;
}

static ms_err ask_spare(ms_snap *s, spare_rows *out, ms_why *why)
{
    ms_column node, used, room;
    ms_table rows = {0};
    ms_err err = MS_OK;
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_BIRTHS, why));
    MS_TRY(ms_snap_column(s, "containers", "node", MS_TYPE_U32, why, &node));
    MS_TRY(ms_snap_column(s, "containers", "used", MS_TYPE_U32, why, &used));
    MS_TRY(ms_snap_column(s, "containers", "room", MS_TYPE_U32, why, &room));
    for (uint64_t i = 0; err == MS_OK && i < node.rows && i < used.rows && i < room.rows; i++) {
        uint32_t v = ((const uint32_t *)node.values)[i], u = ((const uint32_t *)used.values)[i], r = ((const uint32_t *)room.values)[i], row;
        bool new;
        if (v == 0 || v > s->objects || r < u)
            continue;
        uint32_t type = ms_snap_type(s, v), site = ms_snap_id(s->site, v);
        if ((err = MS_VEC_ROOM(out)) == MS_OK)
            err = ms_table_row(&rows, type, site, 0, (uint32_t)out->n, &row, &new);
        if (err == MS_OK && new)
            out->at[out->n++] = (spare_row){type, site, 0, 0, 0, 0};
        if (err == MS_OK) {
            spare_row *o = &out->at[row];
            o->count++;
            o->used += u;
            o->room += r;
            o->bytes += (uint64_t)(r - u) * entry_bytes(s, type);
        }
    }
    ms_table_free(&rows);
    if (err != MS_OK) {
        MS_VEC_FREE(out);
        ms_why_set(why, "cannot look at the snapshot: %s", ms_err_text(err));
    }
    return err;
}

static PyObject *snap_spare(PyObject *self, PyObject *unused)
{
    spare_rows found = {0};
    ANSWER(self, ask_spare(s, &found, &why));
    PyObject *out = PyList_New((Py_ssize_t)found.n);
    for (size_t i = 0; out && i < found.n; i++) {
        const spare_row *o = &found.at[i];
        PyObject *row = Py_BuildValue("(IIKKKK)", o->type, o->site, (unsigned long long)o->count, (unsigned long long)o->used,
                                      (unsigned long long)o->room, (unsigned long long)o->bytes);
        if (row == NULL)
            Py_CLEAR(out);
        else
            PyList_SET_ITEM(out, (Py_ssize_t)i, row);
    }
    MS_VEC_FREE(&found);
    return out;
}

/* ---- the references that nobody owns ---- */

typedef struct {
    uint32_t type, site, example;
    uint64_t objects;
    int64_t  refs;
} unowned;
typedef MS_VEC(unowned) unowneds;

static ms_err ask_unexplained(ms_snap *s, unowneds *out, ms_why *why)
{
    ms_column node, refs;
    ms_table rows = {0};
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_BIRTHS, why));
    MS_TRY(ms_snap_column(s, "unexplained", "node", MS_TYPE_U32, why, &node));
    MS_TRY(ms_snap_column(s, "unexplained", "refs", MS_TYPE_I32, why, &refs));
    ms_err err = MS_OK;
    for (uint64_t i = 0; err == MS_OK && i < node.rows && i < refs.rows; i++) {
        uint32_t v = ((const uint32_t *)node.values)[i], row;
        bool new;
        if (v == 0 || v > s->objects)
            continue;
        uint32_t type = ms_snap_type(s, v), site = ms_snap_id(s->site, v);
        if ((err = MS_VEC_ROOM(out)) == MS_OK)
            err = ms_table_row(&rows, type, site, 0, (uint32_t)out->n, &row, &new);
        if (err == MS_OK && new)
            out->at[out->n++] = (unowned){type, site, v, 0, 0};
        if (err == MS_OK) {
            out->at[row].objects++;
            out->at[row].refs += ((const int32_t *)refs.values)[i];
        }
    }
    ms_table_free(&rows);
    if (err != MS_OK) {
        MS_VEC_FREE(out);
        ms_why_set(why, "cannot look at the snapshot: %s", ms_err_text(err));
    }
    return err;
}

static PyObject *snap_unexplained(PyObject *self, PyObject *unused)
{
    unowneds found = {0};
    ANSWER(self, ask_unexplained(s, &found, &why));
    PyObject *out = PyList_New((Py_ssize_t)found.n);
    for (size_t i = 0; out && i < found.n; i++) {
        const unowned *u = &found.at[i];
        PyObject *row = Py_BuildValue("(IIIKL)", u->type, u->site, u->example, (unsigned long long)u->objects, (long long)u->refs);
        if (row == NULL)
            Py_CLEAR(out);
        else
            PyList_SET_ITEM(out, (Py_ssize_t)i, row);
    }
    MS_VEC_FREE(&found);
    return out;
}

/* Objects with references beyond those of objects and frames: how many, and the words in places that may be some of them. */
typedef struct {
    uint32_t node, words;
    int32_t  refs;
} ledger_row;
typedef MS_VEC(ledger_row) ledger_rows;

static ms_err ask_ledger(ms_snap *s, ledger_rows *out, ms_why *why)
{
    ms_column node, refs, at = {0}, left = {0}, words = {0};
    MS_TRY(ms_snap_need(s, MS_SNAP_SHAPES | MS_SNAP_BIRTHS | MS_SNAP_ADDRESSES, why));
    MS_TRY(ms_snap_column(s, "unexplained", "node", MS_TYPE_U32, why, &node));
    MS_TRY(ms_snap_column(s, "unexplained", "refs", MS_TYPE_I32, why, &refs));
    if (ms_snap_column(s, "places", "node", MS_TYPE_U32, NULL, &at) != MS_OK || ms_snap_column(s, "places", "refs", MS_TYPE_I32, NULL, &left) != MS_OK ||
        ms_snap_column(s, "places", "words", MS_TYPE_U32, NULL, &words) != MS_OK)
        at.rows = left.rows = words.rows = 0;
    uint64_t n = node.rows < refs.rows ? node.rows : refs.rows, m = at.rows < left.rows ? at.rows : left.rows, i = 0, k = 0;
    m = words.rows < m ? words.rows : m;
    while (i < n || k < m) { /* both ascend by node; who stands in places need not be unexplained, and is told by them */
        uint32_t v = i < n ? ((const uint32_t *)node.values)[i] : UINT32_MAX, place = k < m ? ((const uint32_t *)at.values)[k] : UINT32_MAX;
        ledger_row row = k < m && place <= v ? (ledger_row){place, ((const uint32_t *)words.values)[k], ((const int32_t *)left.values)[k]}
                                    : (ledger_row){v, 0, ((const int32_t *)refs.values)[i]};
        i += i < n && v == row.node;
        k += k < m && place == row.node;
        if (row.node == 0 || row.node > s->objects)
            continue;
        if (MS_VEC_ROOM(out) != MS_OK) {
            MS_VEC_FREE(out);
            ms_why_set(why, "cannot look at the snapshot: %s", ms_err_text(MS_ENOMEM));
            return MS_ENOMEM;
        }
        out->at[out->n++] = row;
    }
    return MS_OK;
}

static PyObject *snap_ledger(PyObject *self, PyObject *unused)
{
    ledger_rows found = {0};
    ANSWER(self, ask_ledger(s, &found, &why));
    const ms_snap *snap = ((py_snap *)self)->snap;
    PyObject *out = PyList_New((Py_ssize_t)found.n);
    for (size_t i = 0; out && i < found.n; i++) {
        const ledger_row *o = &found.at[i];
        PyObject *row = Py_BuildValue("(IIIKIlI)", ms_snap_type(snap, o->node), ms_snap_id(snap->site, o->node), o->node,
                                      (unsigned long long)ms_snap_address(snap, o->node), ms_snap_id(snap->birth, o->node), (long)o->refs, o->words);
        if (row == NULL)
            Py_CLEAR(out);
        else
            PyList_SET_ITEM(out, (Py_ssize_t)i, row);
    }
    MS_VEC_FREE(&found);
    return out;
}

/* ---- two snapshots of one process: containers that got longer ---- */

typedef struct {
    uint32_t before, after;
    uint64_t entries_before, entries_after;
} longer;
typedef MS_VEC(longer) longers;

static int more_longer(const void *a, const void *b)
{
    const longer *x = a, *y = b;
    uint64_t p = x->entries_after - x->entries_before, q = y->entries_after - y->entries_before;
    return p != q ? (p < q ? 1 : -1) : x->after < y->after ? -1 : x->after > y->after;
}

/* A container is the same in both if address, type and birth are. */
static ms_err ask_longer(ms_snap *a, ms_snap *b, longers *out, ms_why *why)
{
    enum { PARTS = MS_SNAP_SHAPES | MS_SNAP_BIRTHS | MS_SNAP_ADDRESSES | MS_SNAP_EDGES };
    MS_TRY(ms_snap_need(a, PARTS, why));
    MS_TRY(ms_snap_need(b, PARTS, why));
    for (uint32_t v = 1; v <= b->objects; v++) {
        uint32_t u, type = ms_snap_type(b, v);
        uint8_t rest = b->type_rest[type];
        if (rest == MS_REST_NONE || rest == MS_REST_LABELS || b->first[v + 1] - b->first[v] < 8)
            continue;
        uint64_t after = ms_entries(b, v), before;
        if (!ms_snap_find(a, ms_snap_address(b, v), &u) || (before = ms_entries(a, u)) >= after ||
            ms_snap_id(a->birth, u) != ms_snap_id(b->birth, v))
            continue;
        ms_snap_string p = ms_snap_text(a, a->type_name[ms_snap_type(a, u)]), q = ms_snap_text(b, b->type_name[type]);
        if (p.size != q.size || memcmp(p.at, q.at, p.size) != 0)
            continue;
        if (MS_VEC_ROOM(out) != MS_OK) {
            MS_VEC_FREE(out);
            ms_why_set(why, "cannot compare the snapshots: %s", ms_err_text(MS_ENOMEM));
            return MS_ENOMEM;
        }
        out->at[out->n++] = (longer){u, v, before, after};
    }
    if (out->n > 1)
        qsort(out->at, out->n, sizeof *out->at, more_longer);
    return MS_OK;
}

static PyObject *snap_longer(PyObject *self, PyObject *args)
{
    PyObject *earlier;
    unsigned long long most;
    longers found = {0};
    if (!PyArg_ParseTuple(args, "O!K:longer", Py_TYPE(self), &earlier, &most))
        return NULL;
    if (earlier == self)
        return PyList_New(0);
    ms_snap *a = begin(earlier);
    if (a == NULL)
        return NULL;
    ms_why why = {{0}};
    ms_err err;
    ms_snap *b = begin(self);
    if (b == NULL) {
        ((py_snap *)earlier)->busy = false;
        return NULL;
    }
    Py_BEGIN_ALLOW_THREADS
    err = ask_longer(a, b, &found, &why);
    Py_END_ALLOW_THREADS
    ((py_snap *)earlier)->busy = false;
    if (!end(self, err, &why))
        return NULL;
    PyObject *out = PyList_New(0);
    for (size_t i = 0; out && i < found.n && i < most; i++) {
        const longer *o = &found.at[i];
        PyObject *row = Py_BuildValue("(IIKK)", o->before, o->after, (unsigned long long)o->entries_before, (unsigned long long)o->entries_after);
        if (row == NULL || PyList_Append(out, row) < 0)
            Py_CLEAR(out);
        Py_XDECREF(row);
    }
    MS_VEC_FREE(&found);
    return out;
}

/* ---- as a file of another tool ---- */

static ms_err sink_fd(void *arg, const char *bytes, size_t size)
{
    int fd = *(int *)arg;
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return MS_EIO; /* errno says why */
        bytes += n;
        size -= (size_t)n;
    }
    return MS_OK;
}

static PyObject *snap_heapsnapshot(PyObject *self, PyObject *arg)
{
    int fd = PyObject_AsFileDescriptor(arg), failed = 0;
    ms_why why = {{0}};
    ms_err err;
    ms_snap *s;
    if (fd < 0 || (s = begin(self)) == NULL)
        return NULL;
    Py_BEGIN_ALLOW_THREADS
    err = ms_devtools_write(s, sink_fd, &fd, &why);
    failed = errno;
    Py_END_ALLOW_THREADS
    if (err == MS_EIO) {
        ((py_snap *)self)->busy = false;
        errno = failed;
        return PyErr_SetFromErrno(PyExc_OSError);
    }
    if (!end(self, err, &why))
        return NULL;
    Py_RETURN_NONE;
}

/* ---- the type ---- */

static void snap_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    py_snap *p = (py_snap *)self;
    ms_paths_delete(p->ways);
    ms_cycles_delete(p->cycles);
    chosen_free(&p->chosen);
    ms_snap_close(p->snap);
    Py_XDECREF(p->file);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *snap_check(PyObject *self, PyObject *unused)
{
    const char *broken = ms_snap_check(((py_snap *)self)->snap);
    if (broken == NULL)
        Py_RETURN_NONE;
    return PyUnicode_FromString(broken);
}

#define FACT(name)                                                                     \
    static PyObject *snap_get_##name(PyObject *self, void *unused)                      \
    {                                                                                  \
        return PyLong_FromUnsignedLongLong(((py_snap *)self)->snap->name);             \
    }
FACT(nodes)
FACT(objects)
FACT(edges)
FACT(garbage)
FACT(epoch)
FACT(epoch_ns)

static PyGetSetDef snap_getset[] = {
    {"nodes", snap_get_nodes, NULL, "Rows of the graph: root, objects, pseudo nodes.", NULL},
    {"objects", snap_get_objects, NULL, "How many of them are objects.", NULL},
    {"edges", snap_get_edges, NULL, "References, empty places included.", NULL},
    {"garbage", snap_get_garbage, NULL, "The pseudo node that holds the cyclic garbage; 0: none.", NULL},
    {"epoch", snap_get_epoch, NULL, "The tick in which it was taken.", NULL},
    {"epoch_ns", snap_get_epoch_ns, NULL, "Length of a tick.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyMethodDef snap_methods[] = {
    {"info", snap_info, METH_NOARGS, "info() -> {key: text}"},
    {"text", snap_text, METH_O, "text(row) -> str"},
    {"types", snap_types, METH_NOARGS, "types() -> [(name, node, rest, flags, basicsize, itemsize)]"},
    {"sites", snap_sites, METH_NOARGS, "sites() -> [(file, function, line, end_line, column, end_column, flags)]; file and function are texts"},
    {"bytes", snap_bytes, METH_NOARGS, "bytes() -> int: of all objects together, as allocated"},
    {"node", snap_node, METH_O,
     "node(v) -> (type, site, birth, address, bytes, said, retained, retained_said, entries, dominator, text or None, garbage)"},
    {"name", snap_name, METH_O, "name(v) -> (type, text or None)"},
    {"find", snap_find, METH_O, "find(address) -> node or None"},
    {"sums", snap_sums, METH_VARARGS, "sums('type' or 'site', retained=True, garbage=False) -> [(row, (count, bytes, said, retained, retained_said))]"},
    {"tops", snap_tops, METH_NOARGS, "tops() -> [step]: holders() from the root, as far as a summary goes"},
    {"holders", snap_holders, METH_VARARGS, "holders(top, least bytes, deep, wide) -> [step]"},
    {"why", snap_why, METH_VARARGS, "why('type', 'site' or 'node', [row]) -> {sum, steps, lost, others, ...}"},
    {"below", snap_below, METH_VARARGS, "below('type', 'site' or 'node', [row], [node]) -> how many of the objects each node dominates"},
    {"list", snap_list, METH_VARARGS, "list('type' or 'site', [row], most) -> [(node, retained)]"},
    {"references", snap_references, METH_VARARGS, "references(v, most) -> [(owner, target, kind, label kind, label value)]"},
    {"referrers", snap_referrers, METH_VARARGS, "referrers(v, most) -> [(owner, target, kind, label kind, label value)]"},
    {"outside", snap_outside, METH_O, "outside(v) -> how many references keep v, from outside what it holds itself"},
    {"freed", snap_freed, METH_O, "freed([node]) -> (objects, bytes, said) that would go if these objects lost all their references"},
    {"children", snap_children, METH_VARARGS, "children(v, most) -> [(node, retained)] of what v alone keeps"},
    {"variables", snap_variables, METH_O, "variables(least) -> [(dict of the module, name, node, type, dominator, retained)]"},
    {"modules", snap_modules, METH_NOARGS, "modules() -> [(node, dict, name, retained)]"},
    {"namespace", snap_namespace, METH_VARARGS, "namespace(dict, least) -> [(name, node, retained)]"},
    {"attribute", snap_attribute, METH_VARARGS, "attribute(v, name) -> node or None"},
    {"cycles", snap_cycles, METH_VARARGS, "cycles(most) -> (forms, [(garbage, circles, sum, members, edges of a circle, its length)])"},
    {"growing", snap_growing, METH_VARARGS, "growing(least entries, most) -> [(node, grows, entries, oldest, newest, parts)]"},
    {"grows", snap_grows, METH_O, "grows(v) -> (grows, entries of known birth, oldest, newest)"},
    {"edge", snap_edge, METH_VARARGS, "edge(owner, v) -> (owner, target, kind, label kind, label value) or None"},
    {"ledger", snap_ledger, METH_NOARGS, "ledger() -> [(type, site, v, address, birth, references beyond those known, words in places that point at it)]"},
    {"unexplained", snap_unexplained, METH_NOARGS, "unexplained() -> [(type, site, example, objects, refs)]"},
    {"spare", snap_spare, METH_NOARGS, "spare() -> [(type, site, containers, used, room, bytes to spare)]"},
    {"table", snap_table, METH_VARARGS, "table(name, column, ...) -> [row]"},
    {"way", snap_way, METH_O, "way(v) -> [(owner, target, kind, label kind, label value)] from the root on"},
    {"longer", snap_longer, METH_VARARGS, "longer(earlier snap, most) -> [(node before, node, entries before, entries)]"},
    {"heapsnapshot", snap_heapsnapshot, METH_O, "heapsnapshot(fd): write it there as V8 does, for Chrome's DevTools"},
    {"check", snap_check, METH_NOARGS, "What is broken in it, or None; for tests."},
    {NULL, NULL, 0, NULL},
};

static PyType_Slot snap_slots[] = {
    {Py_tp_dealloc, snap_dealloc},
    {Py_tp_methods, snap_methods},
    {Py_tp_getset, snap_getset},
    {Py_tp_doc, "A snapshot, open for questions."},
    {0, NULL},
};

static PyType_Spec snap_spec = {
    .name = "memsure._core.Snap",
    .basicsize = sizeof(py_snap),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = snap_slots,
};

int ms_py_snap_types(PyObject *module, ms_py_state *state)
{
    state->Snap = (PyTypeObject *)PyType_FromModuleAndSpec(module, &snap_spec, NULL);
    return state->Snap ? PyModule_AddType(module, state->Snap) : -1;
}

static PyObject *core_snap(PyObject *module, PyObject *args)
{
    ms_py_state *state = ms_py_get_state(module);
    PyObject *file;
    const char *prefix = "";
    ms_snap *snap = NULL;
    ms_why why = {{0}};
    if (!PyArg_ParseTuple(args, "O!|s:snap", state->File, &file, &prefix))
        return NULL;
    ms_err err = ms_snap_open(ms_py_file(file), prefix, &why, &snap);
    if (err != MS_OK) {
        PyObject *path = PyObject_GetAttrString(file, "path");
        if (path != NULL)
            ms_py_raise(state, err, why.text, path);
        Py_XDECREF(path);
        return NULL;
    }
    py_snap *p = PyObject_New(py_snap, state->Snap);
    if (p == NULL) {
        ms_snap_close(snap);
        return NULL;
    }
    p->file = Py_NewRef(file);
    p->snap = snap;
    p->graph = (ms_graph){0};
    p->ways = NULL;
    p->cycles = NULL;
    p->chosen = (chosen){0};
    p->busy = false;
    return (PyObject *)p;
}

static PyObject *core_snap_there(PyObject *module, PyObject *args)
{
    PyObject *file;
    const char *prefix = "";
    if (!PyArg_ParseTuple(args, "O!|s:snap_there", ms_py_get_state(module)->File, &file, &prefix))
        return NULL;
    return PyBool_FromLong(ms_snap_there(ms_py_file(file), prefix));
}

PyMethodDef ms_py_snap_methods[] = {
    {"snap", core_snap, METH_VARARGS, "snap(file, prefix='') -> Snap. Error says in one sentence why not."},
    {"snap_there", core_snap_there, METH_VARARGS, "snap_there(file, prefix='') -> whether the file holds a snapshot under this prefix."},
    {NULL, NULL, 0, NULL},
};
