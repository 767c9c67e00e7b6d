/* file.c -- a recording as a Python object: tables of columns, handed out without copying.
 *
 *   open(path) -> File       .tables, .column(table, column), .damage, .verify(), .path
 *   write(path, tables)      the other direction, for tests and tools
 *
 * A column is a memoryview over a Column, which holds its File: the file stays open as long as one of
 * its columns is looked at, and is closed by whoever lets go last. All views are read-only. */
#include "py/py.h"
#include "store/store.h"

#include <string.h>

typedef struct {
    PyObject_HEAD
    ms_file  *file;
    PyObject *path; /* str */
} py_file;

typedef struct {
    PyObject_HEAD
    py_file    *owner;
    const void *values;
    Py_ssize_t  size, count[1], stride[1];
    const char *format;
} py_column;

static const char *const formats[] = {
    [MS_TYPE_U8] = "B", [MS_TYPE_I32] = "i", [MS_TYPE_U32] = "I",
    [MS_TYPE_I64] = "q", [MS_TYPE_U64] = "Q", [MS_TYPE_F64] = "d", [MS_TYPE_U16] = "H",
};

static ms_py_state *state_of(PyObject *self)
{
    return (ms_py_state *)PyType_GetModuleState(Py_TYPE(self));
}

/* ---- Column: the exporter behind a memoryview ---- */

static int column_getbuffer(PyObject *self, Py_buffer *view, int flags)
{
    py_column *c = (py_column *)self;
    if (flags & PyBUF_WRITABLE) {
        PyErr_SetString(PyExc_BufferError, "a column of a recording is read-only");
        view->obj = NULL;
        return -1;
    }
    view->obj = Py_NewRef(self);
    view->buf = (void *)c->values;
    view->len = c->size;
    view->itemsize = c->stride[0];
    view->readonly = 1;
    view->ndim = 1;
    view->format = flags & PyBUF_FORMAT ? (char *)c->format : NULL;
    view->shape = flags & PyBUF_ND ? c->count : NULL;
    view->strides = (flags & PyBUF_STRIDES) == PyBUF_STRIDES ? c->stride : NULL;
    view->suboffsets = NULL;
    view->internal = NULL;
    return 0;
}

static void column_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    Py_XDECREF((PyObject *)((py_column *)self)->owner);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyType_Slot column_slots[] = {
    {Py_tp_dealloc, column_dealloc},
    {Py_bf_getbuffer, column_getbuffer},
    {Py_tp_doc, "The values of one column, to be looked at through a memoryview."},
    {0, NULL},
};

static PyType_Spec column_spec = {
    .name = "memsure._core.Column",
    .basicsize = sizeof(py_column),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = column_slots,
};

/* ---- File ---- */

static void file_dealloc(PyObject *self)
{
    PyTypeObject *type = Py_TYPE(self);
    ms_file_close(((py_file *)self)->file);
    Py_XDECREF(((py_file *)self)->path);
    type->tp_free(self);
    Py_DECREF(type);
}

static PyObject *file_column(PyObject *self, PyObject *args)
{
    py_file *f = (py_file *)self;
    const char *table, *column;
    ms_column found;
    ms_why why;
    if (!PyArg_ParseTuple(args, "ss:column", &table, &column))
        return NULL;
    ms_err err = ms_file_column(f->file, table, column, &why, &found);
    if (err != MS_OK)
        return ms_py_raise(state_of(self), err, why.text, f->path);

    py_column *c = PyObject_New(py_column, state_of(self)->Column);
    if (c == NULL)
        return NULL;
    c->owner = (py_file *)Py_NewRef(self);
    c->values = found.values;
    c->format = formats[found.type];
    c->stride[0] = (Py_ssize_t)ms_type_size(found.type);
    c->count[0] = (Py_ssize_t)(found.rows * found.width); /* the bytes lie in memory: this fits */
    c->size = c->count[0] * c->stride[0];
    PyObject *view = PyMemoryView_FromObject((PyObject *)c);
    Py_DECREF(c);
    return view;
}

static PyObject *file_tables(PyObject *self, void *unused)
{
    ms_file *f = ((py_file *)self)->file;
    PyObject *tables = PyDict_New();
    if (tables == NULL)
        return NULL;
    for (uint32_t i = 0; i < ms_file_count(f); i++) {
        ms_column c;
        if (ms_file_entry(f, i, &c) != MS_OK)
            continue; /* known to be damaged: .damage says so */
        PyObject *columns = PyDict_GetItemString(tables, c.table);
        if (columns == NULL) {
            columns = PyDict_New();
            if (columns == NULL || PyDict_SetItemString(tables, c.table, columns) < 0) {
                Py_XDECREF(columns);
                goto failed;
            }
            Py_DECREF(columns); /* tables holds it */
        }
        PyObject *shape = Py_BuildValue("(sKI)", ms_type_name(c.type), (unsigned long long)c.rows, (unsigned)c.width);
        if (shape == NULL || PyDict_SetItemString(columns, c.column, shape) < 0) {
            Py_XDECREF(shape);
            goto failed;
        }
        Py_DECREF(shape);
    }
    return tables;
failed:
    Py_DECREF(tables);
    return NULL;
}

static PyObject *text_or_none(const char *text)
{
    if (text == NULL)
        Py_RETURN_NONE;
    return PyUnicode_DecodeFSDefault(text);
}

static PyObject *file_damage(PyObject *self, void *unused)
{
    return text_or_none(ms_file_damage(((py_file *)self)->file));
}

static PyObject *file_verify(PyObject *self, PyObject *unused)
{
    return text_or_none(ms_file_verify(((py_file *)self)->file));
}

static PyObject *file_path(PyObject *self, void *unused)
{
    return Py_NewRef(((py_file *)self)->path);
}

static PyObject *file_repr(PyObject *self)
{
    return PyUnicode_FromFormat("<memsure._core.File %R>", ((py_file *)self)->path);
}

static PyMethodDef file_methods[] = {
    {"column", file_column, METH_VARARGS,
     "column(table, column) -> memoryview of its values, flat and read-only, without a copy.\n\n"
     "The checksum is verified at the first call; Error if the column is missing or damaged."},
    {"verify", file_verify, METH_NOARGS, "Check every column, and return damage."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef file_getset[] = {
    {"tables", file_tables, NULL, "{table: {column: (type, rows, width)}}", NULL},
    {"damage", file_damage, NULL, "What is missing, as one sentence; None: nothing that is known so far.", NULL},
    {"path", file_path, NULL, "The path it was opened by.", NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Slot file_slots[] = {
    {Py_tp_dealloc, file_dealloc},
    {Py_tp_repr, file_repr},
    {Py_tp_methods, file_methods},
    {Py_tp_getset, file_getset},
    {Py_tp_doc, "A memsure file, open for reading. It closes when neither it nor a column of it is in use."},
    {0, NULL},
};

static PyType_Spec file_spec = {
    .name = "memsure._core.File",
    .basicsize = sizeof(py_file),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots = file_slots,
};

ms_file *ms_py_file(PyObject *file)
{
    return ((py_file *)file)->file;
}

int ms_py_file_types(PyObject *module, ms_py_state *state)
{
    state->File = (PyTypeObject *)PyType_FromModuleAndSpec(module, &file_spec, NULL);
    if (state->File == NULL || PyModule_AddType(module, state->File) < 0)
        return -1;
    state->Column = (PyTypeObject *)PyType_FromModuleAndSpec(module, &column_spec, NULL);
    return state->Column ? PyModule_AddType(module, state->Column) : -1;
}

/* ---- open and write ---- */

static PyObject *core_open(PyObject *module, PyObject *arg)
{
    ms_py_state *state = ms_py_get_state(module);
    PyObject *bytes = NULL, *path = NULL, *result = NULL;
    ms_file *file = NULL;
    ms_why why;
    ms_err err;
    if (!PyUnicode_FSConverter(arg, &bytes))
        return NULL;
    if ((path = PyUnicode_DecodeFSDefault(PyBytes_AS_STRING(bytes))) == NULL)
        goto done;

    Py_BEGIN_ALLOW_THREADS
    err = ms_file_open(PyBytes_AS_STRING(bytes), &why, &file);
    Py_END_ALLOW_THREADS
    if (err != MS_OK) {
        ms_py_raise(state, err, why.text, path);
        goto done;
    }
    py_file *f = PyObject_New(py_file, state->File);
    if (f == NULL)
        goto done;
    f->file = file;
    f->path = Py_NewRef(path);
    file = NULL;
    result = (PyObject *)f;
done:
    ms_file_close(file);
    Py_XDECREF(path);
    Py_XDECREF(bytes);
    return result;
}

/* One value of the inner dict: (type, width, buffer). false: an exception is set. *err is the
 * writer's, and keeps the first. */
static bool write_column(ms_writer *w, PyObject *table, PyObject *column, PyObject *value, ms_err *err)
{
    const char *type_name, *table_name = PyUnicode_AsUTF8(table), *column_name = PyUnicode_AsUTF8(column);
    unsigned int width;
    PyObject *source;
    Py_buffer view;
    ms_type type;
    if (table_name == NULL || column_name == NULL)
        return false;
    if (!PyTuple_Check(value) || !PyArg_ParseTuple(value, "sIO", &type_name, &width, &source)) {
        if (!PyErr_Occurred())
            PyErr_Format(PyExc_TypeError, "column %s.%s must be a tuple (type, width, buffer)", table_name, column_name);
        return false;
    }
    if (!ms_type_find(type_name, &type)) {
        PyErr_Format(PyExc_ValueError, "column %s.%s has type '%s', not one of u8 i32 u32 i64 u64 f64 u16", table_name, column_name, type_name);
        return false;
    }
    if (PyObject_GetBuffer(source, &view, PyBUF_SIMPLE) < 0)
        return false;
    uint64_t row = (uint64_t)width * ms_type_size(type);
    bool whole = row > 0 && (uint64_t)view.len % row == 0;
    if (whole) {
        Py_BEGIN_ALLOW_THREADS
        *err = ms_writer_column(w, table_name, column_name, type, width, (uint64_t)view.len / row, view.buf);
        Py_END_ALLOW_THREADS
    } else
        PyErr_Format(PyExc_ValueError, "column %s.%s: %zd bytes do not make whole rows of %s with width %u",
                     table_name, column_name, view.len, type_name, width);
    PyBuffer_Release(&view);
    if (whole && *err == MS_EINVAL)
        PyErr_Format(PyExc_ValueError, "column %s.%s: names are 1 to 31 of a-z 0-9 _, begin with a letter, and occur once; width is at most %d",
                     table_name, column_name, MS_STORE_MAX_WIDTH);
    return !PyErr_Occurred();
}

static bool write_tables(ms_writer *w, PyObject *tables)
{
    PyObject *outer = PyMapping_Items(tables); /* copies: nobody changes them while the GIL is away */
    bool ok = outer != NULL;
    for (Py_ssize_t i = 0; ok && i < PyList_GET_SIZE(outer); i++) {
        PyObject *table, *columns, *inner = NULL;
        ok = PyArg_ParseTuple(PyList_GET_ITEM(outer, i), "UO", &table, &columns) &&
             (inner = PyMapping_Items(columns)) != NULL;
        for (Py_ssize_t j = 0; ok && j < PyList_GET_SIZE(inner); j++) {
            PyObject *column, *value;
            ms_err err = MS_OK;
            ok = PyArg_ParseTuple(PyList_GET_ITEM(inner, j), "UO", &column, &value) &&
                 write_column(w, table, column, value, &err);
            if (err != MS_OK)
                break; /* the writer remembers: commit says it */
        }
        Py_XDECREF(inner);
    }
    Py_XDECREF(outer);
    return ok;
}

static PyObject *core_write(PyObject *module, PyObject *args)
{
    ms_py_state *state = ms_py_get_state(module);
    PyObject *bytes = NULL, *path = NULL, *tables, *result = NULL;
    ms_writer *w = NULL;
    ms_why why;
    ms_err err;
    if (!PyArg_ParseTuple(args, "O&O:write", PyUnicode_FSConverter, &bytes, &tables))
        return NULL;
    if ((path = PyUnicode_DecodeFSDefault(PyBytes_AS_STRING(bytes))) == NULL)
        goto done;
    if ((err = ms_writer_open(PyBytes_AS_STRING(bytes), &why, &w)) != MS_OK) {
        ms_py_raise(state, err, why.text, path);
        goto done;
    }
    if (!write_tables(w, tables)) {
        ms_writer_abort(w);
        goto done;
    }
    Py_BEGIN_ALLOW_THREADS
    err = ms_writer_commit(w, &why);
    Py_END_ALLOW_THREADS
    if (err != MS_OK)
        ms_py_raise(state, err, why.text, path);
    else
        result = Py_NewRef(Py_None);
done:
    Py_XDECREF(path);
    Py_XDECREF(bytes);
    return result;
}

PyMethodDef ms_py_file_methods[] = {
    {"open", core_open, METH_O, "open(path) -> File. Error says in one sentence why not."},
    {"write", core_write, METH_VARARGS,
     "write(path, {table: {column: (type, width, buffer)}}): write a file; it appears whole or not at all."},
    {NULL, NULL, 0, NULL},
};
