/* A C extension that forgets one reference per call, and its correct twin: what test_snap_real.py looks for. */
#include <Python.h>

static PyObject *made(PyObject *self, PyObject *arg) /* a new tuple, with a reference too many */
{
    PyObject *out = PyTuple_Pack(1, arg);
    Py_XINCREF(out);
    return out;
}

static PyObject *made_right(PyObject *self, PyObject *arg)
{
    return PyTuple_Pack(1, arg);
}

static PyObject *borrowed(PyObject *self, PyObject *arg) /* keeps a reference to its argument for nothing */
{
    Py_INCREF(arg);
    Py_RETURN_NONE;
}

static PyObject *borrowed_right(PyObject *self, PyObject *arg)
{
    Py_INCREF(arg);
    Py_DECREF(arg);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {
    {"made", made, METH_O, NULL},         {"made_right", made_right, METH_O, NULL},
    {"borrowed", borrowed, METH_O, NULL}, {"borrowed_right", borrowed_right, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

static PyModuleDef leaky = {PyModuleDef_HEAD_INIT, .m_name = "leaky", .m_size = -1, .m_methods = methods};

PyMODINIT_FUNC PyInit_leaky(void)
{
    return PyModule_Create(&leaky);
}
