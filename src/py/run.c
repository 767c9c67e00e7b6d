/* run.c -- _core.run: start a program under memsure and wait for its end.
 *
 * Everything that Python owns is copied before the GIL is given up; the monitor (src/monitor) then
 * knows no Python object. */
#include "py/py.h"
#include "monitor/monitor.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define SAMPLE_BYTES (512u << 10) /* mean bytes from one sampled stack to the next */

PyObject *ms_py_library(PyObject *module, const char *name)
{
    static const char *const places[] = {"", "../record/"};
    PyObject *file = PyModule_GetFilenameObject(module), *beside = NULL, *path = NULL, *bytes;
    if (file == NULL)
        return NULL;
    Py_ssize_t slash = PyUnicode_FindChar(file, '/', 0, PyUnicode_GET_LENGTH(file), -1);
    PyObject *folder = slash < 0 ? PyUnicode_FromString("./") : PyUnicode_Substring(file, 0, slash + 1);
    for (size_t i = 0; folder && i < sizeof places / sizeof *places; i++) {
        path = PyUnicode_FromFormat("%U%s%s", folder, places[i], name);
        if (path == NULL || !PyUnicode_FSConverter(path, &bytes)) {
            Py_CLEAR(path);
            break;
        }
        bool found = access(PyBytes_AS_STRING(bytes), F_OK) == 0;
        Py_DECREF(bytes);
        if (found)
            break;
        if (i == 0)
            beside = Py_NewRef(path); /* in neither place: this one is missed */
        Py_CLEAR(path);
    }
    if (path == NULL && beside && !PyErr_Occurred())
        path = Py_NewRef(beside);
    Py_XDECREF(beside);
    Py_XDECREF(folder);
    Py_DECREF(file);
    return path;
}

/* options.get(name): a new reference; NULL: it is not there (or an exception is set). */
static PyObject *option(PyObject *options, const char *name)
{
    PyObject *value = options == Py_None ? NULL : PyMapping_GetItemString(options, name);
    if (value == NULL && PyErr_Occurred() && PyErr_ExceptionMatches(PyExc_KeyError))
        PyErr_Clear();
    return value;
}

static int option_flag(PyObject *options, const char *name, bool *out)
{
    PyObject *value = option(options, name);
    int truth = value ? PyObject_IsTrue(value) : PyErr_Occurred() ? -1 : *out;
    Py_XDECREF(value);
    *out = truth == 1;
    return truth < 0 ? -1 : 0;
}

static PyObject *path_list(const char *at, size_t n)
{
    PyObject *paths = PyList_New(0);
    for (size_t i = 0; paths && i < n; i++, at += strlen(at) + 1) {
        PyObject *path = PyUnicode_DecodeFSDefault(at);
        if (path == NULL || PyList_Append(paths, path) < 0)
            Py_CLEAR(paths);
        Py_XDECREF(path);
    }
    return paths;
}

static PyObject *result_dict(const ms_run_result *r)
{
    PyObject *paths = path_list(r->recordings, r->count), *snapshots = path_list(r->snapshots, r->nsnapshots);
    PyObject *problem = paths == NULL || snapshots == NULL ? NULL : r->problem.text[0] ? PyUnicode_DecodeFSDefault(r->problem.text) : Py_NewRef(Py_None);
    if (problem == NULL) {
        Py_XDECREF(paths);
        Py_XDECREF(snapshots);
        return NULL;
    }
    return Py_BuildValue("{s:s,s:i,s:N,s:N,s:N}", "exit_kind", r->signaled ? "signal" : "exit", "exit_code", r->code,
                         "recordings", paths, "snapshots", snapshots, "problem", problem);
}

PyDoc_STRVAR(run_doc,
"run(argv, session, mode, options)\n--\n\n"
"Run a program under memsure to its end and write what it did with its memory to the path session.\n\n"
"mode: 'line' or 'exact'. options: a dict with children (record child processes, default 1),\n"
"preload (path of memsure_preload.so), sample_bytes, replace (a file at session may be replaced),\n"
"snapshot ('exit', 'peak', 'peak,exit': what the processes take of themselves; 'values': with the texts of data), every (seconds).\n\n"
"Returns {'exit_kind': 'exit' or 'signal', 'exit_code': int, 'recordings': [path, ...],\n"
"'snapshots': [path, ...] (those that are files of their own), 'problem': None or a sentence}. Raises OSError when argv cannot be executed, and Error when\n"
"recording cannot begin; the program was not started then.");

static PyObject *run(PyObject *module, PyObject *args)
{
    PyObject *list, *session = NULL, *options = Py_None, *words = NULL, *preload = NULL, *snapshot = NULL, *result = NULL, *value;
    const char *mode;
    char **argv = NULL;
    if (!PyArg_ParseTuple(args, "OO&s|O:run", &list, PyUnicode_FSConverter, &session, &mode, &options))
        return NULL;
    ms_run_ask ask = {.session = PyBytes_AS_STRING(session), .mode = mode, .sample_bytes = SAMPLE_BYTES, .children = true};
    if (strcmp(mode, "line") != 0 && strcmp(mode, "exact") != 0 && strcmp(mode, "alloc") != 0) {
        PyErr_Format(PyExc_ValueError, "mode must be 'line', 'exact' or 'alloc', not '%s'", mode);
        goto done;
    }
    PyObject *given = PySequence_Tuple(list);
    if (given == NULL)
        goto done;
    Py_ssize_t n = PyTuple_GET_SIZE(given);
    words = PyTuple_New(n);
    argv = PyMem_Calloc((size_t)n + 1, sizeof *argv);
    if (argv == NULL && words)
        PyErr_NoMemory();
    bool ok = argv && words && n > 0;
    if (n == 0)
        PyErr_SetString(PyExc_ValueError, "argv is empty");
    for (Py_ssize_t i = 0; ok && i < n; i++) {
        PyObject *bytes;
        ok = PyUnicode_FSConverter(PyTuple_GET_ITEM(given, i), &bytes);
        if (ok) {
            PyTuple_SET_ITEM(words, i, bytes);
            argv[i] = PyBytes_AS_STRING(bytes);
        }
    }
    Py_DECREF(given);
    if (!ok)
        goto done;
    ask.argv = argv;

    if (option_flag(options, "children", &ask.children) < 0 || option_flag(options, "replace", &ask.replace) < 0)
        goto done;
    if ((value = option(options, "sample_bytes")) != NULL) {
        ask.sample_bytes = PyLong_AsUnsignedLongLong(value);
        Py_DECREF(value);
    }
    if ((value = option(options, "snapshot")) != NULL && !PyUnicode_FSConverter(value, &snapshot)) {
        Py_DECREF(value);
        goto done;
    }
    Py_XDECREF(value);
    ask.snapshot = snapshot ? PyBytes_AS_STRING(snapshot) : NULL;
    if ((value = option(options, "every")) != NULL) {
        double seconds = PyFloat_AsDouble(value);
        ask.every_ns = seconds > 0 && seconds < 1e9 ? (uint64_t)(seconds * 1e9) : 0;
        Py_DECREF(value);
    }
    if (PyErr_Occurred())
        goto done;
    value = option(options, "preload");
    if (value == NULL && !PyErr_Occurred())
        value = ms_py_library(module, "memsure_preload.so");
    if (value == NULL || !PyUnicode_FSConverter(value, &preload)) {
        Py_XDECREF(value);
        goto done;
    }
    Py_DECREF(value);
    ask.preload = PyBytes_GET_SIZE(preload) ? PyBytes_AS_STRING(preload) : NULL; /* "": none */

    ms_run_result r;
    ms_why why = {""};
    ms_err err;
    Py_BEGIN_ALLOW_THREADS
    err = ms_run(&ask, &r, &why);
    Py_END_ALLOW_THREADS
    if (err == MS_OK) {
        result = result_dict(&r);
    } else if (r.exec_errno) {
        errno = r.exec_errno;
        value = PyUnicode_DecodeFSDefault(argv[0]);
        if (value)
            PyErr_SetFromErrnoWithFilenameObject(PyExc_OSError, value);
        Py_XDECREF(value);
    } else {
        value = PyUnicode_DecodeFSDefault(ask.session);
        if (value)
            ms_py_raise(ms_py_get_state(module), err, why.text, value);
        Py_XDECREF(value);
    }
    ms_run_free(&r);
done:
    PyMem_Free(argv);
    Py_XDECREF(words);
    Py_XDECREF(preload);
    Py_XDECREF(snapshot);
    Py_DECREF(session);
    return result;
}

PyDoc_STRVAR(ask_doc,
"ask(pid, path, wait, values=False)\n--\n\n"
"Ask a process that memsure records for a snapshot into the file path (absolute); wait: seconds for its next\n"
"safe moment; values: with the texts of data. Returns {'pause_ns', 'child_ns', 'live_bytes'}, or the sentence (str) why there is none and a\n"
"command to try ('' or str), as a tuple.");

static PyObject *ask_process(PyObject *module, PyObject *args)
{
    int pid, values = 0;
    PyObject *path = NULL;
    double wait;
    if (!PyArg_ParseTuple(args, "iO&d|p:ask", &pid, PyUnicode_FSConverter, &path, &wait, &values))
        return NULL;
    ms_ask_result r;
    ms_why why = {""};
    ms_err err;
    uint64_t wait_ns = wait > 0 ? wait < 1e9 ? (uint64_t)(wait * 1e9) : 1000000000000000000u : 0;
    Py_BEGIN_ALLOW_THREADS
    err = ms_ask_snapshot((pid_t)pid, PyBytes_AS_STRING(path), values, wait_ns, &r, &why);
    Py_END_ALLOW_THREADS
    Py_DECREF(path);
    if (err == MS_OK)
        return Py_BuildValue("{s:K,s:K,s:K}", "pause_ns", (unsigned long long)r.pause_ns, "child_ns", (unsigned long long)r.child_ns,
                             "live_bytes", (unsigned long long)r.live_bytes);
    return Py_BuildValue("(NN)", PyUnicode_DecodeFSDefault(why.text), PyUnicode_DecodeFSDefault(r.hint));
}

PyMethodDef ms_py_run_methods[] = {
    {"run", run, METH_VARARGS, run_doc},
    {"ask", ask_process, METH_VARARGS, ask_doc},
    {NULL, NULL, 0, NULL},
};
