/* py.h -- the door between Python and the stages: what the files of this folder share.
 *
 * memsure._core is initialised in several phases and keeps what it needs in its module state, so that
 * each interpreter of a process has its own. A file of this folder offers a list of functions (a
 * PyMethodDef array, declared here and named in module.c) or a type. */
#ifndef MS_PY_H
#define MS_PY_H

#ifndef PY_SSIZE_T_CLEAN
#define PY_SSIZE_T_CLEAN
#endif
#include <Python.h>

#include "base/base.h"

typedef struct {
    PyObject     *Error;       /* memsure._core.Error */
    PyTypeObject *File;
    PyTypeObject *Column;      /* what a column's memoryview looks at */
    PyTypeObject *Snap;
} ms_py_state;

extern PyModuleDef ms_py_module;

static inline ms_py_state *ms_py_get_state(PyObject *module)
{
    return (ms_py_state *)PyModule_GetState(module);
}

/* Raise Error with this sentence and, unless it is NULL, this path. Returns NULL. MS_ENOMEM becomes
 * a MemoryError. */
PyObject *ms_py_raise(ms_py_state *state, ms_err err, const char *sentence, PyObject *path);

/* run.c */
extern PyMethodDef ms_py_run_methods[];
/* The path of a library of ours, beside this module's file; in a build tree (an editable install)
 * beside the recorder. A new reference; NULL: an exception is set. */
PyObject *ms_py_library(PyObject *module, const char *name);

/* start.c */
extern PyMethodDef ms_py_start_methods[];
/* A function of the recorder's library, which is loaded if need be. NULL: an exception is set. */
void *ms_py_recorder_function(PyObject *module, const char *name);

/* snapshot.c */
extern PyMethodDef ms_py_snapshot_methods[];

/* checks.c */
extern PyMethodDef ms_py_checks_methods[];
/* mark.c */
extern PyMethodDef ms_py_mark_methods[];
extern PyMethodDef ms_py_lines_methods[];

/* file.c */
struct ms_file *ms_py_file(PyObject *file); /* what a File looks at; it lives as long as the File */
extern PyMethodDef ms_py_file_methods[];
int ms_py_file_types(PyObject *module, ms_py_state *state); /* make the types; -1: an exception is set */

/* snap.c */
extern PyMethodDef ms_py_snap_methods[];
int ms_py_snap_types(PyObject *module, ms_py_state *state);

/* arrow.c */
int ms_py_arrow_types(PyObject *module);

#endif
