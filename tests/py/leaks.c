/* Functions that forget one reference per call, each in the way that such faults are made, and their correct twins (..._right):
 * what test_ledger.py looks for. Each takes one argument. */
#include <Python.h>

/* A twin that gives its reference back where the other one forgets to. */
#define GIVE_BACK(o, right) \
    if (right)              \
    Py_XDECREF(o)

#define PAIR(name)                                                                               \
    static PyObject *name(PyObject *self, PyObject *arg) { return name##_(arg, 0); }             \
    static PyObject *name##_right(PyObject *self, PyObject *arg) { return name##_(arg, 1); }

static PyObject *fresh_(PyObject *arg, int right) /* a new object with a reference too many */
{
    PyObject *out = PyTuple_Pack(1, arg);
    Py_XINCREF(out);
    GIVE_BACK(out, right);
    return out;
}

static PyObject *shared_(PyObject *arg, int right) /* a reference to the argument */
{
    Py_INCREF(arg);
    GIVE_BACK(arg, right);
    Py_RETURN_NONE;
}

static PyObject *built_(PyObject *arg, int right) /* "O" takes a reference of its own: the new list keeps one */
{
    PyObject *list = PyList_New(0);
    PyObject *out = list ? Py_BuildValue("(iO)", 1, list) : NULL;
    GIVE_BACK(list, right);
    return out;
}

static PyObject *set_item_(PyObject *arg, int right) /* PyTuple_SetItem steals: an INCREF too many */
{
    PyObject *tuple = PyTuple_New(1), *item = PyFloat_FromDouble(1.5e300);
    if (tuple == NULL || item == NULL)
        return NULL;
    Py_INCREF(item);
    PyTuple_SetItem(tuple, 0, item);
    GIVE_BACK(item, right);
    return tuple;
}

static PyObject *append_(PyObject *arg, int right) /* PyList_Append does not steal */
{
    PyObject *list = PyList_New(0), *item = PyBytes_FromString("an item of a list, which has one reference more than it should");
    if (list == NULL || item == NULL || PyList_Append(list, item) < 0)
        return NULL;
    GIVE_BACK(item, right);
    return list;
}

static PyObject *store_(PyObject *arg, int right) /* nor does PyDict_SetItemString */
{
    PyObject *dict = PyDict_New(), *value = PyComplex_FromDoubles(1, 2);
    if (dict == NULL || value == NULL || PyDict_SetItemString(dict, "value", value) < 0)
        return NULL;
    GIVE_BACK(value, right);
    return dict;
}

static PyObject *error_(PyObject *arg, int right) /* forgotten on the way out with an error only */
{
    PyObject *set = PySet_New(NULL);
    if (set == NULL)
        return NULL;
    if (!PyDict_Check(arg)) {
        GIVE_BACK(set, right);
        PyErr_SetString(PyExc_TypeError, "a dict is wanted");
        return NULL;
    }
    return set;
}

static PyObject *inside_(PyObject *arg, int right) /* a whole container: what is in it is held, and not lost itself */
{
    PyObject *dict = PyDict_New(), *list = PyList_New(0), *words = PyUnicode_FromString("held by a dict that is lost");
    if (dict == NULL || list == NULL || words == NULL || PyList_Append(list, words) < 0 || PyDict_SetItemString(dict, "list", list) < 0)
        return NULL;
    Py_DECREF(words);
    Py_DECREF(list);
    GIVE_BACK(dict, right);
    Py_RETURN_NONE;
}

static PyObject *attribute_(PyObject *arg, int right) /* what PyObject_GetAttrString gives is ours */
{
    PyObject *value = PyObject_GetAttrString(arg, "held");
    GIVE_BACK(value, right);
    Py_RETURN_NONE;
}

static PyObject *type_(PyObject *arg, int right) /* an INCREF of a type */
{
    PyObject *type = (PyObject *)Py_TYPE(arg);
    Py_INCREF(type);
    GIVE_BACK(type, right);
    Py_RETURN_NONE;
}

static PyObject *call_(PyObject *arg, int right) /* the result of a call */
{
    PyObject *out = PyObject_CallNoArgs(arg);
    GIVE_BACK(out, right);
    Py_RETURN_NONE;
}

static PyObject *iterate_(PyObject *arg, int right) /* an iterator */
{
    PyObject *it = PyObject_GetIter(arg), *item = it ? PyIter_Next(it) : NULL;
    Py_XDECREF(item);
    GIVE_BACK(it, right);
    Py_RETURN_NONE;
}

static PyObject *number_(PyObject *arg, int right) /* an int too large to be a cached one */
{
    PyObject *n = PyLong_FromString("123456789012345678901234567890", NULL, 10);
    GIVE_BACK(n, right);
    Py_RETURN_NONE;
}

static PyObject *module_(PyObject *arg, int right) /* a module */
{
    PyObject *module = PyImport_ImportModule("colorsys");
    GIVE_BACK(module, right);
    Py_RETURN_NONE;
}

static PyObject *fetched_(PyObject *arg, int right) /* an exception that was fetched */
{
    PyObject *type, *value, *trace;
    PyErr_SetString(PyExc_ArithmeticError, "fetched");
    PyErr_Fetch(&type, &value, &trace);
    PyErr_NormalizeException(&type, &value, &trace);
    Py_XDECREF(type);
    Py_XDECREF(trace);
    GIVE_BACK(value, right);
    Py_RETURN_NONE;
}

static PyObject *none_(PyObject *arg, int right)
{
    Py_INCREF(Py_None);
    GIVE_BACK(Py_None, right);
    Py_RETURN_NONE;
}

static PyObject *true_(PyObject *arg, int right)
{
    Py_INCREF(Py_True);
    GIVE_BACK(Py_True, right);
    Py_RETURN_NONE;
}

#define EACH(X) \
    X(fresh) X(shared) X(built) X(set_item) X(append) X(store) X(error) X(inside) X(attribute) X(type) X(call) X(iterate) X(number) X(module) \
    X(fetched) X(none) X(true)

EACH(PAIR)

/* References that C code keeps for a good reason, in static data and in a block of malloc's that grows. */
PyObject *leaks_kept[4096]; /* not static: a compiler leaves out what nobody reads */
static PyObject **heap;
static int n_kept, n_heap;

static PyObject *keep(PyObject *self, PyObject *arg)
{
    if (n_kept < 4096)
        leaks_kept[n_kept++] = Py_NewRef(arg);
    Py_RETURN_NONE;
}

static PyObject *keep_in_heap(PyObject *self, PyObject *arg)
{
    PyObject **more = realloc(heap, (size_t)(n_heap + 1) * sizeof *heap);
    if (more == NULL)
        return PyErr_NoMemory();
    heap = more;
    heap[n_heap++] = Py_NewRef(arg);
    Py_RETURN_NONE;
}

/* Blocks of Python's allocator that are free again, full of references to the argument; static data still points at them, and each looks as one of
 * malloc's would: a size in front, and behind that it is in use. Some lie in pools that hold nothing else. */
void *leaks_stale[64];

static PyObject *stale(PyObject *self, PyObject *arg)
{
    enum { SIZE = 496 };
    char *block[64];
    for (int i = 0; i < 64; i++)
        if ((block[i] = PyObject_Malloc(SIZE)) == NULL)
            return PyErr_NoMemory();
    for (int i = 0; i < 64; i++) {
        PyObject **word = (PyObject **)block[i];
        for (int w = 0; w < SIZE / 8 - 1; w++)
            word[w] = arg;
        word[SIZE / 8 - 1] = (PyObject *)(SIZE | 1);
    }
    for (int i = 0; i < 64; i++) {
        leaks_stale[i] = block[i];
        PyObject_Free(block[i]);
    }
    Py_RETURN_NONE;
}

#define ROWS(name) {#name, name, METH_O, NULL}, {#name "_right", name##_right, METH_O, NULL},
static PyMethodDef methods[] = {EACH(ROWS){"keep", keep, METH_O, NULL}, {"keep_in_heap", keep_in_heap, METH_O, NULL},
                                {"stale", stale, METH_O, NULL}, {NULL, NULL, 0, NULL}};
static PyModuleDef leaks = {PyModuleDef_HEAD_INIT, .m_name = "leaks", .m_size = -1, .m_methods = methods};

PyMODINIT_FUNC PyInit_leaks(void)
{
    return PyModule_Create(&leaks);
}
