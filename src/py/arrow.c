/* arrow.c -- columns as a table that pyarrow, Polars, DuckDB and pandas take without copying.
 *
 *   Table([(name, values), ...]) -> Table       values: a buffer of numbers, or a pair of them (offsets i64,
 *                                               data u8) for texts, or a triple (indexes, offsets, data)
 *                                               for texts that repeat
 *
 * A Table speaks the Arrow C stream interface (__arrow_c_stream__): two C structs of function pointers
 * and addresses, as the Arrow project publishes them; no library of theirs is needed. The stream has one
 * batch. What it hands out are the addresses of the buffers themselves, such as columns of a mapped file.
 *
 * Who holds what: a Table holds its buffers; every struct that was handed out holds the Table, until
 * its release() is called, which may happen on any thread and without the GIL. Columns are as long as
 * the first one says, without nulls; the interface's alignment (8 bytes) is kept by the file. */
#include "py/py.h"

#include <stdatomic.h>
#include <string.h>

/* ---- the interface, as published ---- */

struct ArrowSchema {
    const char *format, *name, *metadata;
    int64_t flags, n_children;
    struct ArrowSchema **children, *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

struct ArrowArray {
    int64_t length, null_count, offset, n_buffers, n_children;
    const void **buffers;
    struct ArrowArray **children, *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

struct ArrowArrayStream {
    int (*get_schema)(struct ArrowArrayStream *, struct ArrowSchema *);
    int (*get_next)(struct ArrowArrayStream *, struct ArrowArray *);
    const char *(*get_last_error)(struct ArrowArrayStream *);
    void (*release)(struct ArrowArrayStream *);
    void *private_data;
};

/* ---- the table ---- */

typedef struct {
    char     *name;
    Py_buffer part[3];  /* numbers; offsets, data; or indexes, offsets, data */
    int       parts;
    int64_t   rows, texts;
    char      format[2]; /* of numbers or indexes; "U": texts */
} column;

typedef struct {
    PyObject_HEAD
    int     n;
    int64_t rows;
    column *columns;
} py_table;

/* What the structs that were handed out hold in common. */
typedef struct {
    atomic_long refs;
    PyObject   *table;
} hold;

static hold *hold_more(hold *h)
{
    atomic_fetch_add(&h->refs, 1);
    return h;
}

static void hold_less(hold *h)
{
    if (atomic_fetch_sub(&h->refs, 1) != 1)
        return;
    if (Py_IsInitialized()) { /* else the table went with the interpreter */
        PyGILState_STATE gil = PyGILState_Ensure();
        Py_DECREF(h->table);
        PyGILState_Release(gil);
    }
    PyMem_RawFree(h);
}

/* ---- schemas ---- */

static void schema_release(struct ArrowSchema *s)
{
    for (int64_t i = 0; i < s->n_children; i++) {
        if (s->children[i]->release)
            s->children[i]->release(s->children[i]);
        PyMem_RawFree(s->children[i]);
    }
    if (s->dictionary) {
        if (s->dictionary->release)
            s->dictionary->release(s->dictionary);
        PyMem_RawFree(s->dictionary);
    }
    PyMem_RawFree(s->children);
    hold_less(s->private_data);
    s->release = NULL;
}

static void schema_begin(struct ArrowSchema *s, const char *format, const char *name, hold *h)
{
    *s = (struct ArrowSchema){.format = format, .name = name, .release = schema_release, .private_data = hold_more(h)};
}

static bool schema_column(struct ArrowSchema *s, const column *c, hold *h)
{
    schema_begin(s, c->format, c->name, h);
    if (c->parts == 3) {
        s->dictionary = PyMem_RawCalloc(1, sizeof *s->dictionary);
        if (s->dictionary == NULL)
            return false;
        schema_begin(s->dictionary, "U", "", h);
    }
    return true;
}

static bool schema_table(struct ArrowSchema *s, const py_table *t, hold *h)
{
    schema_begin(s, "+s", "", h);
    s->children = PyMem_RawCalloc((size_t)t->n + 1, sizeof *s->children);
    for (int i = 0; s->children && i < t->n; i++) {
        if ((s->children[i] = PyMem_RawCalloc(1, sizeof **s->children)) == NULL)
            break;
        s->n_children++;
        if (!schema_column(s->children[i], &t->columns[i], h))
            break;
    }
    if (s->children == NULL || s->n_children < t->n || (t->n && s->children[t->n - 1]->release == NULL)) {
        schema_release(s);
        return false;
    }
    return true;
}

/* ---- arrays ---- */

static void array_release(struct ArrowArray *a)
{
    for (int64_t i = 0; i < a->n_children; i++) {
        if (a->children[i]->release)
            a->children[i]->release(a->children[i]);
        PyMem_RawFree(a->children[i]);
    }
    if (a->dictionary) {
        if (a->dictionary->release)
            a->dictionary->release(a->dictionary);
        PyMem_RawFree(a->dictionary);
    }
    PyMem_RawFree(a->children);
    PyMem_RawFree((void *)a->buffers);
    hold_less(a->private_data);
    a->release = NULL;
}

/* One array with these buffers behind the (missing) one of nulls. */
static bool array_begin(struct ArrowArray *a, int64_t rows, const void *first, const void *second, int n, hold *h)
{
    *a = (struct ArrowArray){.length = rows, .n_buffers = 1 + n, .release = array_release, .private_data = hold_more(h)};
    a->buffers = PyMem_RawCalloc(3, sizeof *a->buffers);
    if (a->buffers == NULL)
        return false;
    a->buffers[1] = first;
    a->buffers[2] = second;
    return true;
}

static bool array_column(struct ArrowArray *a, const column *c, hold *h)
{
    if (c->parts == 2)
        return array_begin(a, c->rows, c->part[0].buf, c->part[1].buf, 2, h);
    if (!array_begin(a, c->rows, c->part[0].buf, NULL, 1, h))
        return false;
    if (c->parts == 3) {
        a->dictionary = PyMem_RawCalloc(1, sizeof *a->dictionary);
        return a->dictionary && array_begin(a->dictionary, c->texts, c->part[1].buf, c->part[2].buf, 2, h);
    }
    return true;
}

static bool array_table(struct ArrowArray *a, const py_table *t, hold *h)
{
    bool whole = array_begin(a, t->rows, NULL, NULL, 0, h);
    a->children = PyMem_RawCalloc((size_t)t->n + 1, sizeof *a->children);
    whole = whole && a->children;
    for (int i = 0; whole && i < t->n; i++) {
        whole = (a->children[i] = PyMem_RawCalloc(1, sizeof **a->children)) != NULL;
        a->n_children += whole;
        whole = whole && array_column(a->children[i], &t->columns[i], h);
    }
    if (!whole)
        array_release(a);
    return whole;
}

/* ---- the stream ---- */

typedef struct {
    hold *h;
    bool  done;
} stream;

static int stream_schema(struct ArrowArrayStream *self, struct ArrowSchema *out)
{
    stream *s = self->private_data;
    return schema_table(out, (py_table *)s->h->table, s->h) ? 0 : 12 /* ENOMEM */;
}

static int stream_next(struct ArrowArrayStream *self, struct ArrowArray *out)
{
    stream *s = self->private_data;
    if (s->done) {
        *out = (struct ArrowArray){0};
        return 0;
    }
    if (!array_table(out, (py_table *)s->h->table, s->h))
        return 12;
    s->done = true;
    return 0;
}

static const char *stream_error(struct ArrowArrayStream *self)
{
    return "the system gave no memory";
}

static void stream_release(struct ArrowArrayStream *self)
{
    stream *s = self->private_data;
    hold_less(s->h);
    PyMem_RawFree(s);
    self->release = NULL;
}

static void capsule_free(PyObject *capsule)
{
    struct ArrowArrayStream *out = PyCapsule_GetPointer(capsule, "arrow_array_stream");
    if (out->release) /* else somebody took it over */
        out->release(out);
    PyMem_RawFree(out);
}

static PyObject *table_stream(PyObject *self, PyObject *args, PyObject *keywords)
{
    static char *names[] = {"requested_schema", NULL};
    PyObject *wanted = Py_None; /* the interface lets us ignore it */
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "|O:__arrow_c_stream__", names, &wanted))
        return NULL;
    struct ArrowArrayStream *out = PyMem_RawCalloc(1, sizeof *out);
    stream *s = PyMem_RawCalloc(1, sizeof *s);
    hold *h = PyMem_RawCalloc(1, sizeof *h);
    if (out == NULL || s == NULL || h == NULL) {
        PyMem_RawFree(out);
        PyMem_RawFree(s);
        PyMem_RawFree(h);
        return PyErr_NoMemory();
    }
    atomic_init(&h->refs, 1);
    h->table = Py_NewRef(self);
    s->h = h;
    *out = (struct ArrowArrayStream){stream_schema, stream_next, stream_error, stream_release, s};
    PyObject *capsule = PyCapsule_New(out, "arrow_array_stream", capsule_free);
    if (capsule == NULL) {
        out->release(out);
        PyMem_RawFree(out);
    }
    return capsule;
}

/* ---- making one ---- */

/* The letter of a buffer's numbers in Arrow: 0 if there is none. */
static char arrow_letter(const Py_buffer *b)
{
    const char *f = b->format ? b->format : "B";
    if (f[0] == '<' || f[0] == '=' || f[0] == '@')
        f++;
    if (f[0] == '\0' || f[1] != '\0')
        return 0;
    switch (f[0]) {
    case 'B': return 'C';
    case 'b': return 'c';
    case 'H': return 'S';
    case 'h': return 's';
    case 'I': return 'I';
    case 'i': return 'i';
    case 'L':
    case 'Q': return b->itemsize == 8 ? 'L' : 'I';
    case 'l':
    case 'q': return b->itemsize == 8 ? 'l' : 'i';
    case 'd': return 'g';
    case 'f': return 'f';
    default:  return 0;
    }
}

/* Offsets must be sound: they will be followed without a look. */
static bool texts_sound(const Py_buffer *offsets, const Py_buffer *data, int64_t *rows)
{
    const int64_t *at = offsets->buf;
    Py_ssize_t n = offsets->len / 8;
    bool sound = offsets->itemsize == 8 && n >= 1 && at[0] >= 0;
    for (Py_ssize_t i = 1; sound && i < n; i++)
        sound = at[i] >= at[i - 1];
    *rows = n - 1;
    return sound && at[n - 1] <= data->len;
}

static bool column_fill(column *c, PyObject *item)
{
    const char *name;
    PyObject *values, *part[3] = {NULL};
    if (!PyArg_ParseTuple(item, "sO;a column is a name and its values", &name, &values))
        return false;
    if (PyTuple_Check(values)) {
        c->parts = (int)PyTuple_GET_SIZE(values);
        if (c->parts != 2 && c->parts != 3) {
            PyErr_SetString(PyExc_TypeError, "texts are (offsets, data) or (indexes, offsets, data)");
            c->parts = 0;
            return false;
        }
        for (int i = 0; i < c->parts; i++)
            part[i] = PyTuple_GET_ITEM(values, i);
    } else {
        c->parts = 1;
        part[0] = values;
    }
    for (int i = 0; i < c->parts; i++)
        if (PyObject_GetBuffer(part[i], &c->part[i], PyBUF_FORMAT | PyBUF_ND) < 0) {
            c->parts = i;
            return false;
        }
    size_t length = strlen(name) + 1;
    c->name = PyMem_RawMalloc(length);
    if (c->name == NULL) {
        PyErr_NoMemory();
        return false;
    }
    memcpy(c->name, name, length);
    bool sound = true;
    if (c->parts == 2) {
        c->format[0] = 'U';
        sound = texts_sound(&c->part[0], &c->part[1], &c->rows);
    } else {
        c->format[0] = arrow_letter(&c->part[0]);
        c->rows = c->part[0].itemsize ? c->part[0].len / c->part[0].itemsize : 0;
        sound = c->format[0] != 0;
        if (sound && c->parts == 3) {
            sound = c->format[0] == 'I' && texts_sound(&c->part[1], &c->part[2], &c->texts);
            for (int64_t i = 0; sound && i < c->rows; i++)
                sound = ((const uint32_t *)c->part[0].buf)[i] < (uint64_t)c->texts;
        }
    }
    if (!sound)
        PyErr_Format(PyExc_ValueError, "the column %s cannot be a column of a table", name);
    return sound;
}

static void table_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    py_table *t = (py_table *)self;
    for (int i = 0; i < t->n; i++) {
        for (int k = 0; k < t->columns[i].parts; k++)
            PyBuffer_Release(&t->columns[i].part[k]);
        PyMem_RawFree(t->columns[i].name);
    }
    PyMem_RawFree(t->columns);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *table_new(PyTypeObject *type, PyObject *args, PyObject *keywords)
{
    PyObject *columns;
    if (!PyArg_ParseTuple(args, "O:Table", &columns))
        return NULL;
    PyObject *list = PySequence_Fast(columns, "a table is a list of columns");
    if (list == NULL)
        return NULL;
    Py_ssize_t n = PySequence_Fast_GET_SIZE(list);
    py_table *t = (py_table *)type->tp_alloc(type, 0);
    if (t != NULL && (n > 4096 || (t->columns = PyMem_RawCalloc((size_t)n + 1, sizeof *t->columns)) == NULL)) {
        Py_DECREF(t);
        t = NULL;
        PyErr_NoMemory();
    }
    for (Py_ssize_t i = 0; t != NULL && i < n; i++) {
        t->n++;
        bool sound = column_fill(&t->columns[i], PySequence_Fast_GET_ITEM(list, i));
        if (sound && i > 0 && t->columns[i].rows != t->rows) {
            PyErr_Format(PyExc_ValueError, "the column %s is not as long as the first one", t->columns[i].name);
            sound = false;
        }
        t->rows = t->columns[i].rows;
        if (!sound) {
            Py_DECREF(t);
            t = NULL;
        }
    }
    Py_DECREF(list);
    return (PyObject *)t;
}

static Py_ssize_t table_length(PyObject *self)
{
    return (Py_ssize_t)((py_table *)self)->rows;
}

static PyObject *table_columns(PyObject *self, void *unused)
{
    py_table *t = (py_table *)self;
    PyObject *out = PyList_New(t->n);
    for (int i = 0; out && i < t->n; i++) {
        PyObject *name = PyUnicode_FromString(t->columns[i].name);
        if (name == NULL)
            Py_CLEAR(out);
        else
            PyList_SET_ITEM(out, i, name);
    }
    return out;
}

static void schema_capsule_free(PyObject *capsule)
{
    struct ArrowSchema *s = PyCapsule_GetPointer(capsule, "arrow_schema");
    if (s->release)
        s->release(s);
    PyMem_RawFree(s);
}

static PyObject *table_schema(PyObject *self, PyObject *unused)
{
    struct ArrowSchema *s = PyMem_RawCalloc(1, sizeof *s);
    hold *h = PyMem_RawCalloc(1, sizeof *h);
    if (s == NULL || h == NULL) {
        PyMem_RawFree(s);
        PyMem_RawFree(h);
        return PyErr_NoMemory();
    }
    atomic_init(&h->refs, 1);
    h->table = Py_NewRef(self);
    bool made = schema_table(s, (py_table *)self, h);
    hold_less(h);
    PyObject *capsule = made ? PyCapsule_New(s, "arrow_schema", schema_capsule_free) : PyErr_NoMemory();
    if (capsule == NULL) {
        if (made)
            s->release(s);
        PyMem_RawFree(s);
    }
    return capsule;
}

static PyMethodDef table_methods[] = {
    {"__arrow_c_stream__", (PyCFunction)(void (*)(void))table_stream, METH_VARARGS | METH_KEYWORDS, "The table as an Arrow C stream, without a copy."},
    {"__arrow_c_schema__", table_schema, METH_NOARGS, "The table's columns and their types."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef table_getset[] = {
    {"columns", table_columns, NULL, "The names of the columns.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot table_slots[] = {
    {Py_tp_new, table_new},
    {Py_tp_dealloc, table_dealloc},
    {Py_tp_methods, table_methods},
    {Py_tp_getset, table_getset},
    {Py_sq_length, table_length},
    {Py_tp_doc, "Table([(name, values), ...]): columns that pyarrow.table(), polars.DataFrame() and DuckDB take without copying."},
    {0, NULL},
};

static PyType_Spec table_spec = {
    .name = "memsure._core.Table",
    .basicsize = sizeof(py_table),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = table_slots,
};

int ms_py_arrow_types(PyObject *module)
{
    PyTypeObject *type = (PyTypeObject *)PyType_FromModuleAndSpec(module, &table_spec, NULL);
    if (type == NULL)
        return -1;
    int done = PyModule_AddType(module, type);
    Py_DECREF(type);
    return done;
}
