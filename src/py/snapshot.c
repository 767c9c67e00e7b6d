/* snapshot.c -- _core.snapshot: all objects of this process into a file, written by a child.
 *
 * The code is the recorder's library, which works as well where nothing is recorded. */
#include "py/py.h"
#include "snapshot/snapshot.h"

static PyObject *figures_dict(const ms_snapshot_figures *f)
{
    return Py_BuildValue("{s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K,s:K}", "pause_ns", f->pause_ns, "child_ns", f->child_ns, "graph_ns", f->graph_ns,
                         "let_go_ns", f->let_go_ns, "graph_cpu_ns", f->graph_cpu_ns, "let_go_cpu_ns", f->let_go_cpu_ns,
                         "analysis_cpu_ns", f->analysis_cpu_ns, "child_cpu_ns", f->child_cpu_ns, "write_ns", f->write_ns, "analysis_ns", f->analysis_ns, "child_bytes", f->child_bytes, "nodes", f->nodes,
                         "edges", f->edges);
}

static void running_end(PyObject *capsule)
{
    ms_snapshot *s = PyCapsule_GetPointer(capsule, "memsure.snapshot");
    ms_err (*wait)(ms_snapshot *, bool, ms_why *, ms_snapshot_figures *) = PyCapsule_GetContext(capsule);
    if (s && wait)
        wait(s, true, NULL, NULL);
}

PyDoc_STRVAR(snapshot_doc,
"snapshot(path, values=False, wait=True, moment='call', prefix='', memory_limit=0, fork=True)\n--\n\n"
"Write all objects of this process to path. The program stands still for a fork only; a child does the\n"
"work. With wait, returns a dict of figures when the file stands. Without, returns what snapshot_wait() takes.");

static PyObject *snapshot(PyObject *module, PyObject *args, PyObject *kwargs)
{
    static char *names[] = {"path", "values", "wait", "moment", "prefix", "memory_limit", "fork", NULL};
    PyObject *path = NULL, *result = NULL;
    int values = 0, block = 1, fork = 1;
    unsigned long long limit = 0;
    const char *moment = "call", *prefix = "";
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "O&|ppssKp", names, PyUnicode_FSConverter, &path, &values, &block, &moment, &prefix, &limit, &fork))
        return NULL;
    ms_err (*take)(const char *, const ms_snapshot_options *, ms_why *, ms_snapshot **) =
        (ms_err (*)(const char *, const ms_snapshot_options *, ms_why *, ms_snapshot **))ms_py_recorder_function(module, "ms_snapshot_take");
    ms_err (*wait)(ms_snapshot *, bool, ms_why *, ms_snapshot_figures *) =
        (ms_err (*)(ms_snapshot *, bool, ms_why *, ms_snapshot_figures *))ms_py_recorder_function(module, "ms_snapshot_wait");
    if (take == NULL || wait == NULL) {
        Py_DECREF(path);
        return NULL;
    }
    ms_snapshot_options options = {.moment = moment, .prefix = prefix, .values = values, .memory_limit = limit, .in_place = !fork, .loose = !block && fork};
    ms_snapshot_figures figures;
    ms_snapshot *running;
    ms_why why = {""};
    ms_err err = take(PyBytes_AS_STRING(path), &options, &why, &running);
    if (err == MS_OK && !block) {
        result = PyCapsule_New(running, "memsure.snapshot", running_end);
        if (result)
            PyCapsule_SetContext(result, (void *)wait);
        Py_DECREF(path);
        return result;
    }
    if (err == MS_OK) {
        Py_BEGIN_ALLOW_THREADS
        err = wait(running, true, &why, &figures);
        Py_END_ALLOW_THREADS
    }
    if (err == MS_OK) {
        result = figures_dict(&figures);
    } else {
        PyObject *text = PyUnicode_DecodeFSDefault(PyBytes_AS_STRING(path));
        if (text)
            ms_py_raise(ms_py_get_state(module), err == MS_ENOMEM ? MS_ELIMIT : err, why.text, text);
        Py_XDECREF(text);
    }
    Py_DECREF(path);
    return result;
}

static PyObject *snapshot_wait(PyObject *module, PyObject *capsule)
{
    ms_snapshot *s = PyCapsule_GetPointer(capsule, "memsure.snapshot");
    if (s == NULL)
        return NULL;
    ms_err (*wait)(ms_snapshot *, bool, ms_why *, ms_snapshot_figures *) = PyCapsule_GetContext(capsule);
    if (wait == NULL) {
        PyErr_SetString(PyExc_ValueError, "this snapshot was waited for already");
        return NULL;
    }
    PyCapsule_SetContext(capsule, NULL);
    ms_snapshot_figures figures;
    ms_why why = {""};
    ms_err err;
    Py_BEGIN_ALLOW_THREADS
    err = wait(s, true, &why, &figures);
    Py_END_ALLOW_THREADS
    return err == MS_OK ? figures_dict(&figures) : ms_py_raise(ms_py_get_state(module), err == MS_ENOMEM ? MS_ELIMIT : err, why.text, NULL);
}

static PyObject *snapshot_done(PyObject *module, PyObject *capsule)
{
    ms_snapshot *s = PyCapsule_GetPointer(capsule, "memsure.snapshot");
    if (s == NULL)
        return NULL;
    ms_err (*wait)(ms_snapshot *, bool, ms_why *, ms_snapshot_figures *) = PyCapsule_GetContext(capsule);
    if (wait && wait(s, false, NULL, NULL) == MS_EINVAL)
        Py_RETURN_FALSE;
    PyCapsule_SetContext(capsule, NULL);
    Py_RETURN_TRUE;
}

PyMethodDef ms_py_snapshot_methods[] = {
    {"snapshot", (PyCFunction)(void (*)(void))snapshot, METH_VARARGS | METH_KEYWORDS, snapshot_doc},
    {"snapshot_wait", snapshot_wait, METH_O, "snapshot_wait(running): wait for what snapshot(wait=False) began; a dict of figures."},
    {"snapshot_done", snapshot_done, METH_O, "snapshot_done(running): whether what snapshot(wait=False) began has ended."},
    {NULL, NULL, 0, NULL},
};
