/* module.c -- memsure._pool: what python/memsure/pools.py and buffers.py need in C, and nothing else.
 *
 * A module of its own, so that a program which pools its classes does not load memsure's engine. */
#include "act/pool.h"

#include <dlfcn.h>
#include <string.h>

static ms_pools *pools_of(PyObject *module) { return (ms_pools *)PyModule_GetState(module); }

/* Is the allocator under us memsure's recorder? It may be there from the start, or come later: recording(). */
static bool recorder_is_there(void)
{
    PyMemAllocatorEx a;
    Dl_info info;
    PyMem_GetAllocator(PYMEM_DOMAIN_OBJ, &a);
    return dladdr((void *)a.malloc, &info) && info.dli_fname && strstr(info.dli_fname, "memsure_record");
}

/* Call owner.method(our function), owner being a module, or an attribute of it. */
static int hand_over(PyObject *module, const char *owner_module, const char *attribute, const char *method, const char *function)
{
    PyObject *owner = PyImport_ImportModule(owner_module), *ours = NULL, *result = NULL;
    if (owner && attribute)
        Py_SETREF(owner, PyObject_GetAttrString(owner, attribute));
    if (owner && (ours = PyObject_GetAttrString(module, function)) != NULL)
        result = PyObject_CallMethod(owner, method, "O", ours);
    Py_XDECREF(owner);
    Py_XDECREF(ours);
    Py_XDECREF(result);
    return result ? 0 : -1;
}

/* Be called before each collection, unless nothing is kept: then all instances are the collector's anyway, and a
 * callback would only add its own allocations to the recording. And once at the interpreter's end. */
static int watch(PyObject *module)
{
    ms_pools *all = pools_of(module);
    if (all->watching != !all->off) {
        if (hand_over(module, "gc", "callbacks", all->off ? "remove" : "append", "_collecting") < 0) {
            if (!all->off || !PyErr_ExceptionMatches(PyExc_ValueError))
                return -1;
            PyErr_Clear();          /* the program took it out */
        }
        all->watching = !all->off;
    }
    if (!all->at_exit && hand_over(module, "atexit", NULL, "register", "_ending") < 0)
        return -1;
    all->at_exit = true;
    return 0;
}

static PyObject *attach(PyObject *module, PyObject *args)
{
    PyTypeObject *type;
    PyObject *plan;
    if (!PyArg_ParseTuple(args, "O!O:attach", &PyType_Type, &type, &plan))
        return NULL;
    if (watch(module) < 0 || ms_pool_attach(pools_of(module), type, plan) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *info(PyObject *module, PyObject *arg)
{
    static const char *const modes[] = {"compiled", "compiled", "called", "plain"};
    ms_pool *p = PyType_Check(arg) ? ms_pool_of((PyTypeObject *)arg) : NULL;
    if (p == NULL)
        Py_RETURN_NONE;
    return Py_BuildValue("{s:s,s:O,s:I,s:I,s:I,s:I}", "constructor", modes[ms_pool_look(p)], "keeps",
                         p->all->off ? Py_False : Py_True, "untracked", (unsigned)(p->nlisted - p->nlisted_free),
                         "free", (unsigned)(p->nlisted_free + p->nplain_free), "block", (unsigned)p->block, "most", (unsigned)p->keep);
}

static PyObject *sweep(PyObject *module, PyObject *arg)
{
    int everything = PyObject_IsTrue(arg);
    if (everything < 0)
        return NULL;
    ms_pool_sweep(pools_of(module), everything, everything);
    Py_RETURN_NONE;
}

static PyObject *check(PyObject *module, PyObject *unused)
{
    const char *broken = NULL;
    for (ms_pool *p = pools_of(module)->first; p && !broken; p = p->next)
        broken = ms_pool_check(p);
    if (broken)
        return PyUnicode_FromString(broken);
    Py_RETURN_NONE;
}

static PyObject *recording(PyObject *module, PyObject *arg)
{
    int on = PyObject_IsTrue(arg);
    if (on < 0)
        return NULL;
    ms_pool_switch(pools_of(module), on);
    if (pools_of(module)->first && watch(module) < 0)
        return NULL;
    Py_RETURN_NONE;
}

static PyObject *collecting(PyObject *module, PyObject *args)
{
    const char *phase;
    PyObject *dict, *generation;
    if (!PyArg_ParseTuple(args, "sO!", &phase, &PyDict_Type, &dict))
        return NULL;
    if (strcmp(phase, "start") == 0 && (generation = PyDict_GetItemString(dict, "generation")) != NULL &&
        PyLong_AsLong(generation) == 2)
        ms_pool_sweep(pools_of(module), true, false);
    Py_RETURN_NONE;
}

/* What is in a cycle now is the collector's to finalize: nobody will ask us again. */
static PyObject *ending(PyObject *module, PyObject *unused)
{
    ms_pool_switch(pools_of(module), true);
    Py_RETURN_NONE;
}

/* ---- buffers (python/memsure/buffers.py) ---- */

/* Nobody but the list of held buffers knows it, and no view of it is out. */
static bool is_idle(PyObject *buffer)
{
    return PyByteArray_CheckExact(buffer) && Py_REFCNT(buffer) == 1 && ((PyByteArrayObject *)buffer)->ob_exports == 0;
}

static PyObject *buffer_take(PyObject *module, PyObject *args)
{
    PyObject *held;
    Py_ssize_t n;
    if (!PyArg_ParseTuple(args, "O!n:buffer_take", &PyList_Type, &held, &n))
        return NULL;
    for (Py_ssize_t i = PyList_GET_SIZE(held) - 1; i >= 0; i--) {
        PyObject *buffer = PyList_GET_ITEM(held, i);
        if (!is_idle(buffer))
            continue;
        Py_INCREF(buffer);
        if (PyByteArray_Resize(buffer, n) < 0) {
            Py_DECREF(buffer);
            return NULL;
        }
        return buffer;
    }
    Py_RETURN_NONE;
}

/* Contents: whatever malloc gives. */
static PyObject *buffer_new(PyObject *module, PyObject *args)
{
    Py_ssize_t room, n;
    if (!PyArg_ParseTuple(args, "nn:buffer_new", &room, &n))
        return NULL;
    if (n < 0 || room < n)
        return PyErr_Format(PyExc_ValueError, "a buffer has 0 bytes or more, not %zd", n);
    PyObject *buffer = PyByteArray_FromStringAndSize(NULL, room);
    if (buffer && PyByteArray_Resize(buffer, n) < 0)
        Py_CLEAR(buffer);
    return buffer;
}

/* Takes those that are idle out of the list; their number. */
static PyObject *buffer_drop(PyObject *module, PyObject *args)
{
    PyObject *held;
    Py_ssize_t most, dropped = 0;
    if (!PyArg_ParseTuple(args, "O!n:buffer_drop", &PyList_Type, &held, &most))
        return NULL;
    for (Py_ssize_t i = PyList_GET_SIZE(held) - 1; i >= 0 && dropped < most; i--)
        if (is_idle(PyList_GET_ITEM(held, i))) {
            if (PyList_SetSlice(held, i, i + 1, NULL) < 0)
                return NULL;
            dropped++;
        }
    return PyLong_FromSsize_t(dropped);
}

static PyObject *zero(PyObject *module, PyObject *arg)
{
    Py_buffer view;
    if (PyObject_GetBuffer(arg, &view, PyBUF_WRITABLE) < 0)
        return NULL;
    memset(view.buf, 0, (size_t)view.len);
    PyBuffer_Release(&view);
    Py_RETURN_NONE;
}

static PyMethodDef functions[] = {
    {"attach", attach, METH_VARARGS, "attach(cls, plan): make cls a pooled class; plan: its compiled constructor, or None."},
    {"info", info, METH_O, "info(cls): what its pool does and holds, as a dict; None: cls is not pooled."},
    {"sweep", sweep, METH_O, "sweep(everything): look at all untracked instances; everything: give all free blocks back."},
    {"check", check, METH_NOARGS, "check(): None, or the broken rule."},
    {"recording", recording, METH_O, "recording(on): keep nothing while a recorder counts."},
    {"_collecting", collecting, METH_VARARGS, "A callback of the collector."},
    {"_ending", ending, METH_NOARGS, "The interpreter ends."},
    {"buffer_take", buffer_take, METH_VARARGS, "buffer_take(held, n): one of the bytearrays that nobody uses, n bytes long; or None."},
    {"buffer_new", buffer_new, METH_VARARGS, "buffer_new(room, n): a bytearray of n bytes with room for more, not filled."},
    {"buffer_drop", buffer_drop, METH_VARARGS, "buffer_drop(held, most): let go of those that nobody uses; how many."},
    {"zero", zero, METH_O, "zero(buffer): fill it with zeros."},
    {NULL, NULL, 0, NULL},
};

static int pool_exec(PyObject *module)
{
    ms_pools *all = pools_of(module);
    all->sweep_at = 2048;
    all->off = recorder_is_there();
    all->str_init = PyUnicode_InternFromString("__init__");
    all->Pool = (PyTypeObject *)PyType_FromModuleAndSpec(module, &ms_pool_spec, NULL);
    all->Plain = (PyTypeObject *)PyObject_CallFunction((PyObject *)&PyType_Type, "s(){s:(s)}", "Plain", "__slots__", "x");
    return all->str_init && all->Pool && all->Plain ? 0 : -1;
}

static int pool_module_traverse(PyObject *module, visitproc visit, void *arg)
{
    ms_pools *all = pools_of(module);
    Py_VISIT(all->Pool);
    Py_VISIT(all->Plain);
    return 0;
}

static int pool_module_clear(PyObject *module)
{
    ms_pools *all = pools_of(module);
    Py_CLEAR(all->Pool);
    Py_CLEAR(all->Plain);
    return 0;
}

static void pool_module_free(void *module)
{
    pool_module_clear((PyObject *)module);
    Py_CLEAR(pools_of((PyObject *)module)->str_init);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, pool_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

static PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT,
    .m_name = "memsure._pool",
    .m_doc = "Births and deaths of pooled instances; see memsure.pooled.",
    .m_size = sizeof(ms_pools),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = pool_module_traverse,
    .m_clear = pool_module_clear,
    .m_free = pool_module_free,
};

PyMODINIT_FUNC PyInit__pool(void)
{
    return PyModuleDef_Init(&module_def);
}
