/* mark.c -- _core.mark and _core.since: exact figures of a stretch of this very process's run.
 *
 * A mark is a capsule. The recorder is the one that recording brought, by the preload or by start(): loading it
 * again finds it. What these functions make for their answer comes after the figures were read. */
#include "py/py.h"
#include "record/live.h"
#include "record/mark.h"

#define CAPSULE "memsure._core.mark"

static struct {
    ms_mark *(*make)(void);
    void (*free)(ms_mark *);
    ms_err (*since)(const ms_mark *, ms_since *, ms_line **, uint32_t *);
    void (*lines_free)(ms_line *, const ms_since *);
} recorder;

static bool find_recorder(PyObject *module)
{
    if (recorder.make)
        return true;
    recorder.free = (void (*)(ms_mark *))ms_py_recorder_function(module, "ms_mark_free");
    if (recorder.free == NULL)
        return false;
    recorder.since = (ms_err(*)(const ms_mark *, ms_since *, ms_line **, uint32_t *))ms_py_recorder_function(module, "ms_mark_since");
    recorder.lines_free = (void (*)(ms_line *, const ms_since *))ms_py_recorder_function(module, "ms_mark_lines_free");
    recorder.make = (ms_mark * (*)(void)) ms_py_recorder_function(module, "ms_mark_new");
    return recorder.make != NULL;
}

static PyObject *nothing_recorded(PyObject *module)
{
    if (PyErr_Occurred())
        return NULL;
    return ms_py_raise(ms_py_get_state(module), MS_EINVAL, "this process is not recorded: memsure run or memsure.start() begins that", NULL);
}

static void mark_end(PyObject *capsule)
{
    recorder.free(PyCapsule_GetPointer(capsule, CAPSULE));
}

static PyObject *mark(PyObject *module, PyObject *unused)
{
    ms_mark *m = find_recorder(module) ? recorder.make() : NULL;
    if (m == NULL)
        return nothing_recorded(module);
    PyObject *capsule = PyCapsule_New(m, CAPSULE, mark_end);
    if (capsule == NULL)
        recorder.free(m);
    return capsule;
}

static PyObject *text_of(const char *text) { return PyUnicode_DecodeUTF8(text, (Py_ssize_t)strlen(text), "replace"); }

static PyObject *since(PyObject *module, PyObject *args)
{
    PyObject *capsule, *result = NULL;
    int with_lines = 0;
    if (!PyArg_ParseTuple(args, "O|p:since", &capsule, &with_lines))
        return NULL;
    ms_mark *m = PyCapsule_GetPointer(capsule, CAPSULE);
    if (m == NULL)
        return NULL;
    ms_since s;
    ms_line *lines = NULL;
    uint32_t n = 0;
    ms_err err = recorder.since(m, &s, with_lines ? &lines : NULL, &n);
    if (err != MS_OK)
        return ms_py_raise(ms_py_get_state(module), err, "the recording that the mark belongs to has ended", NULL);
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list && i < n; i++) {
        const ms_line *x = &lines[i];
        PyObject *row = Py_BuildValue("(NNiIKKLLLKK)", text_of(x->file), text_of(x->function), x->line, x->flags,
                                      (unsigned long long)x->allocated_blocks, (unsigned long long)x->allocated_bytes,
                                      (long long)x->live_blocks, (long long)x->live_bytes, (long long)x->peak_bytes,
                                      (unsigned long long)x->collected_blocks, (unsigned long long)x->collected_bytes);
        if (row == NULL || PyList_Append(list, row) < 0)
            Py_CLEAR(list);
        Py_XDECREF(row);
    }
    recorder.lines_free(lines, &s);
    if (list)
        result = Py_BuildValue("(KKLLKKKNO)", (unsigned long long)s.allocated_blocks, (unsigned long long)s.allocated_bytes,
                               (long long)s.live_blocks, (long long)s.live_bytes, (unsigned long long)s.peak_bytes,
                               (unsigned long long)s.live_blocks_now, (unsigned long long)s.live_bytes_now, list,
                               s.peak_by_line ? Py_True : Py_False);
    return result;
}

PyMethodDef ms_py_mark_methods[] = {
    {"mark", mark, METH_NOARGS, "mark(): the counters of this recorded process as they are now, for since()."},
    {"since", since, METH_VARARGS,
     "since(mark, lines=False): (allocated_blocks, allocated_bytes, live_blocks, live_bytes, peak_bytes,\n"
     "live_blocks_now, live_bytes_now, [(file, function, line, flags, allocated_blocks, allocated_bytes, live_blocks,\n"
     "live_bytes, peak_bytes, collected_blocks, collected_bytes), ...], peak_by_line): what happened since the mark, exactly.\n"
     "A file may stand there more than once with the same line. peak_bytes are 0 where peak_by_line is false."},
    {NULL, NULL, 0, NULL},
};
