/* start.c -- _core.start and _core.stop: the recorder in this very process, from now on.
 *
 * Installed this late, the recorder forwards what was allocated before it to the allocator that was
 * there. It is loaded once and stays: the blocks it made live on after stop(), which ends the counting. It
 * may be started again then; what lives is inherited by the new recording. */
#include "py/py.h"
#include "record/live.h"

#include <dlfcn.h>
#include <string.h>

static void *recorder;

void *ms_py_recorder_function(PyObject *module, const char *name)
{
    PyObject *path = recorder ? NULL : ms_py_library(module, "memsure_record.so"), *bytes = NULL;
    if (recorder == NULL && path && PyUnicode_FSConverter(path, &bytes)) {
        recorder = dlopen(PyBytes_AS_STRING(bytes), RTLD_NOW | RTLD_LOCAL);
        if (recorder == NULL)
            PyErr_Format(ms_py_get_state(module)->Error, "the recorder cannot be loaded: %s", dlerror());
        Py_DECREF(bytes);
    }
    Py_XDECREF(path);
    return recorder ? dlsym(recorder, name) : NULL;
}

static PyObject *start(PyObject *module, PyObject *args)
{
    const char *dir, *mode;
    unsigned long long sample_bytes;
    if (!PyArg_ParseTuple(args, "ssK", &dir, &mode, &sample_bytes))
        return NULL;
    ms_err (*begin)(const char *, int, uint64_t, uint64_t, uint32_t) =
        (ms_err (*)(const char *, int, uint64_t, uint64_t, uint32_t))ms_py_recorder_function(module, "ms_recorder_start");
    if (begin == NULL)
        return NULL;
    ms_err err = begin(dir, strcmp(mode, "exact") == 0 ? MS_MODE_EXACT : MS_MODE_LINE, sample_bytes, 0, MS_STARTED_LATE);
    if (err == MS_OK)
        Py_RETURN_NONE;
    return ms_py_raise(ms_py_get_state(module), err,
                       err == MS_EINVAL ? "this process is recorded already" : "the recorder could not start", NULL);
}

static PyObject *stop(PyObject *module, PyObject *unused)
{
    void (*end)(void) = recorder ? (void (*)(void))dlsym(recorder, "ms_recorder_end") : NULL;
    if (end)
        end();
    Py_RETURN_NONE;
}

PyMethodDef ms_py_start_methods[] = {
    {"start", start, METH_VARARGS, "start(folder, mode, sample_bytes): record this process from now on, into a live file in folder."},
    {"stop", stop, METH_NOARGS, "stop(): end the counting; the recorder's allocator stays."},
    {NULL, NULL, 0, NULL},
};
