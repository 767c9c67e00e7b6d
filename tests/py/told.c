/* Blocks taken from malloc itself, of which tracemalloc is told as numpy before 2.5 does: what test_told.py records. */
#include <Python.h>

#include <stdlib.h>

#define DOMAIN 389047 /* numpy's */

static PyObject *take(PyObject *self, PyObject *args) /* (size, domain): the block's address */
{
    Py_ssize_t size;
    unsigned int domain = DOMAIN;
    if (!PyArg_ParseTuple(args, "n|I", &size, &domain))
        return NULL;
    void *block = malloc((size_t)size);
    PyTraceMalloc_Track(domain, (uintptr_t)block, (size_t)size);
    return PyLong_FromVoidPtr(block);
}

static PyObject *grow(PyObject *self, PyObject *args) /* as numpy: realloc first, then the word */
{
    Py_ssize_t size;
    PyObject *at;
    if (!PyArg_ParseTuple(args, "On", &at, &size))
        return NULL;
    void *block = PyLong_AsVoidPtr(at);
    uintptr_t old = (uintptr_t)block;
    block = realloc(block, (size_t)size);
    if ((uintptr_t)block != old)
        PyTraceMalloc_Untrack(DOMAIN, old);
    PyTraceMalloc_Track(DOMAIN, (uintptr_t)block, (size_t)size);
    return PyLong_FromVoidPtr(block);
}

static PyObject *give(PyObject *self, PyObject *at)
{
    PyTraceMalloc_Untrack(DOMAIN, (uintptr_t)PyLong_AsVoidPtr(at));
    free(PyLong_AsVoidPtr(at));
    Py_RETURN_NONE;
}

static PyObject *replaced(PyObject *self, PyObject *size) /* freed without a word; Python's next block lies in its place */
{
    size_t n = (size_t)PyLong_AsSsize_t(size);
    void *block = malloc(n);
    PyTraceMalloc_Track(DOMAIN, (uintptr_t)block, n);
    free(block);
    void *next = PyMem_RawMalloc(n);
    PyTraceMalloc_Untrack(DOMAIN, (uintptr_t)block); /* late: of no block any more */
    PyMem_RawFree(next);
    return PyBool_FromLong((uintptr_t)next == (uintptr_t)block);
}

static PyObject *twice(PyObject *self, PyObject *size) /* Python's own memory, told of: numpy from 2.5 on. The address, freed again */
{
    void *block = PyMem_RawMalloc((size_t)PyLong_AsSsize_t(size));
    PyTraceMalloc_Track(DOMAIN, (uintptr_t)block, (size_t)PyLong_AsSsize_t(size));
    PyTraceMalloc_Untrack(DOMAIN, (uintptr_t)block);
    PyMem_RawFree(block);
    Py_RETURN_NONE;
}

static PyObject *nothing(PyObject *self, PyObject *unused) /* numpy frees NULL, and an allocation that failed is told of */
{
    PyTraceMalloc_Untrack(DOMAIN, 0);
    PyTraceMalloc_Track(DOMAIN, 0, 1 << 20);
    PyTraceMalloc_Untrack(DOMAIN, 0);
    Py_RETURN_NONE;
}

static PyMethodDef methods[] = {{"take", take, METH_VARARGS, ""},
                                {"grow", grow, METH_VARARGS, ""},
                                {"give", give, METH_O, ""},
                                {"replaced", replaced, METH_O, ""},
                                {"twice", twice, METH_O, ""},
                                {"nothing", nothing, METH_NOARGS, ""},
                                {NULL, NULL, 0, NULL}};
static struct PyModuleDef told = {PyModuleDef_HEAD_INIT, .m_name = "told", .m_size = 0, .m_methods = methods};
PyMODINIT_FUNC PyInit_told(void) { return PyModule_Create(&told); }
