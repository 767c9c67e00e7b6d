/* floor.c -- a class whose call does nothing: it returns None, which is there already and is never freed.
 *
 * What calling it costs, no class written in C can go below; an instance that is made and dropped comes on top.
 * bench/pools.py compiles it, where there is a compiler. */
#include <Python.h>

static PyObject *nothing(PyObject *type, PyObject *const *args, size_t n, PyObject *names)
{
    (void)type, (void)args, (void)n, (void)names;
    Py_RETURN_NONE;
}

static PyModuleDef def = {PyModuleDef_HEAD_INIT, .m_name = "floor", .m_size = -1};

PyMODINIT_FUNC PyInit_floor(void)
{
    PyObject *m = PyModule_Create(&def), *type = m ? PyObject_CallFunction((PyObject *)&PyType_Type, "s(){}", "Nothing") : NULL;
    if (type == NULL)
        return NULL;
    ((PyTypeObject *)type)->tp_vectorcall = nothing;
    if (PyModule_AddObjectRef(m, "Nothing", type) < 0)
        return NULL;
    Py_DECREF(type);
    return m;
}
