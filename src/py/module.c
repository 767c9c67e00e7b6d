/* module.c -- memsure._core: its exception, its types, and the functions of its neighbours.
 *
 * To add functions: write them in a file of their own, declare its PyMethodDef array in py.h, and
 * name it in method_lists below. */
#include "py/py.h"

static PyMethodDef *const method_lists[] = {
    ms_py_file_methods,
    ms_py_run_methods,
    ms_py_start_methods,
    ms_py_snapshot_methods,
    ms_py_checks_methods,
    ms_py_mark_methods,
    ms_py_lines_methods,
    ms_py_snap_methods,
};

PyObject *ms_py_raise(ms_py_state *state, ms_err err, const char *sentence, PyObject *path)
{
    if (err == MS_ENOMEM)
        return PyErr_NoMemory();
    PyObject *message = PyUnicode_DecodeFSDefault(sentence);
    if (message == NULL)
        return NULL;
    PyObject *error = PyObject_CallFunctionObjArgs(state->Error, message, NULL);
    Py_DECREF(message);
    if (error == NULL)
        return NULL;
    if (PyObject_SetAttrString(error, "path", path ? path : Py_None) == 0)
        PyErr_SetObject(state->Error, error);
    Py_DECREF(error);
    return NULL;
}

static int core_add_error(PyObject *module, ms_py_state *state)
{
    PyObject *members = Py_BuildValue("{s:O}", "path", Py_None);
    if (members == NULL)
        return -1;
    state->Error = PyErr_NewExceptionWithDoc(
        "memsure._core.Error", "What memsure could not do, as one sentence; path: the file it is about, or None.", NULL, members);
    Py_DECREF(members);
    return state->Error ? PyModule_AddObjectRef(module, "Error", state->Error) : -1;
}

static int core_exec(PyObject *module)
{
    ms_py_state *state = ms_py_get_state(module);
    if (core_add_error(module, state) < 0 || ms_py_file_types(module, state) < 0 || ms_py_snap_types(module, state) < 0 ||
        ms_py_arrow_types(module) < 0)
        return -1;
    for (size_t i = 0; i < sizeof method_lists / sizeof method_lists[0]; i++)
        if (PyModule_AddFunctions(module, method_lists[i]) < 0)
            return -1;
    return 0;
}

static int core_traverse(PyObject *module, visitproc visit, void *arg)
{
    ms_py_state *state = ms_py_get_state(module);
    Py_VISIT(state->Error);
    Py_VISIT(state->File);
    Py_VISIT(state->Column);
    Py_VISIT(state->Snap);
    return 0;
}

static int core_clear(PyObject *module)
{
    ms_py_state *state = ms_py_get_state(module);
    Py_CLEAR(state->Error);
    Py_CLEAR(state->File);
    Py_CLEAR(state->Column);
    Py_CLEAR(state->Snap);
    return 0;
}

static void core_free(void *module)
{
    core_clear((PyObject *)module);
}

static PyModuleDef_Slot core_slots[] = {
    {Py_mod_exec, core_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_PER_INTERPRETER_GIL_SUPPORTED},
#endif
    {0, NULL},
};

PyModuleDef ms_py_module = {
    PyModuleDef_HEAD_INIT,
    .m_name = "memsure._core",
    .m_doc = "The engine of memsure: reading and writing its files, and running programs under it.",
    .m_size = sizeof(ms_py_state),
    .m_slots = core_slots,
    .m_traverse = core_traverse,
    .m_clear = core_clear,
    .m_free = core_free,
};

PyMODINIT_FUNC PyInit__core(void)
{
    return PyModuleDef_Init(&ms_py_module);
}
