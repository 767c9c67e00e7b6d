/* checks.c -- the checks, asked from Python: a session's files in, findings as plain data out.
 *
 *   checks([(File, group), ...], aside, whose) -> (findings, slopes, judged_growth, spread, windows)
 *     group     'I' buffer: the line of each row of the file's sites
 *     aside     a byte for each line: not 0: a baseline;   whose: whose code it is (checks.h)
 *     findings  [{rule, principle, verdict, process, line, site, bytes, saves, confidence, needs_source, suspect, facts}]
 *     windows   of each process: (start, end) in seconds, in which growth is judged, or None
 *     slopes    [(process, line, per_second, error, start, end)];   spread: one without a line, or None
 *   rules() -> [(id, principle, verdict, check, question)]
 *   trend(times, values, live) -> (per_second, error, start, end, grows) */
#include "py/py.h"
#include "checks/checks.h"
#include "store/store.h"

#include <math.h>
#include <string.h>

static PyObject *line_or_none(uint32_t line)
{
    if (line == MS_NONE)
        Py_RETURN_NONE;
    return PyLong_FromUnsignedLong(line);
}

/* [(label, kind, type, bytes, line)] */
static PyObject *way_list(const ms_findings *found, const ms_finding *f)
{
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list && i < f->nstep; i++) {
        const ms_way_step *s = &found->step[f->step + i];
        PyObject *label = PyUnicode_DecodeUTF8(s->label, (Py_ssize_t)strlen(s->label), "replace");
        PyObject *type = label ? PyUnicode_DecodeUTF8(s->type, (Py_ssize_t)strlen(s->type), "replace") : NULL;
        PyObject *one = type ? Py_BuildValue("(NINKN)", label, (unsigned)s->kind, type, (unsigned long long)s->bytes, line_or_none(s->line)) : NULL;
        if (one == NULL || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
    }
    return list;
}

static PyObject *finding_dict(const ms_findings *found, const ms_finding *f)
{
    const ms_check *check = NULL;
    ms_rule_find(f->rule->id, &check);
    PyObject *facts = PyDict_New();
    if (facts == NULL)
        return NULL;
    for (uint32_t i = 0; i < f->nfact; i++) {
        double v = f->fact[i].value;
        bool whole = isfinite(v) && v == floor(v) && fabs(v) < 9007199254740992.0;
        PyObject *value = whole ? PyLong_FromDouble(v) : PyFloat_FromDouble(v);
        if (value == NULL || PyDict_SetItemString(facts, f->fact[i].name, value) < 0) {
            Py_XDECREF(value);
            Py_DECREF(facts);
            return NULL;
        }
        Py_DECREF(value);
    }
    for (uint32_t i = 0; i < f->ntext; i++) {
        PyObject *value = PyUnicode_DecodeUTF8(f->text[i].value, (Py_ssize_t)strlen(f->text[i].value), "replace");
        if (value == NULL || PyDict_SetItemString(facts, f->text[i].name, value) < 0) {
            Py_XDECREF(value);
            Py_DECREF(facts);
            return NULL;
        }
        Py_DECREF(value);
    }
    PyObject *way = way_list(found, f);
    if (way == NULL) {
        Py_DECREF(facts);
        return NULL;
    }
    return Py_BuildValue("{s:N,s:s,s:i,s:s,s:I,s:N,s:N,s:K,s:K,s:d,s:N,s:N,s:N}", "way", way, "rule", f->rule->id, "principle", check->principle,
                         "verdict", ms_verdict_name(f->verdict), "process", (unsigned)f->process, "line", line_or_none(f->line),
                         "site", line_or_none(f->site), "bytes", (unsigned long long)f->bytes, "saves", (unsigned long long)f->saves,
                         "confidence", f->confidence, "needs_source", PyBool_FromLong(f->flags & MS_NEEDS_SOURCE), "suspect",
                         PyBool_FromLong(f->flags & MS_SUSPECT), "facts", facts);
}

static PyObject *findings_list(const ms_findings *found)
{
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list && i < found->n; i++) {
        PyObject *one = finding_dict(found, &found->finding[i]);
        if (one == NULL || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
    }
    return list;
}

static PyObject *slopes_list(const ms_findings *found)
{
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list && i < found->nslope; i++) {
        const ms_line_slope *s = &found->slope[i];
        PyObject *one = Py_BuildValue("(IIdddd)", (unsigned)s->process, (unsigned)s->line, s->slope.per_second, s->slope.error,
                                      s->slope.start, s->slope.end);
        if (one == NULL || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
    }
    return list;
}

static PyObject *windows_list(const ms_evidence *e)
{
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list && i < e->nprocess; i++) {
        double start, end;
        PyObject *one = ms_trend_window(&e->process[i], MS_TREND_SECONDS, &start, &end) ? Py_BuildValue("(dd)", start, end) : Py_NewRef(Py_None);
        if (one == NULL || PyList_Append(list, one) < 0)
            Py_CLEAR(list);
        Py_XDECREF(one);
    }
    return list;
}

static PyObject *found_tuple(const ms_evidence *e, const ms_findings *found)
{
    PyObject *list = findings_list(found), *slopes = list ? slopes_list(found) : NULL, *spread = NULL;
    if (slopes)
        spread = found->spread == MS_NONE ? Py_NewRef(Py_None)
                                          : Py_BuildValue("(Idddd)", (unsigned)found->spread, found->spread_slope.per_second,
                                                          found->spread_slope.error, found->spread_slope.start, found->spread_slope.end);
    PyObject *windows = spread ? windows_list(e) : NULL;
    if (windows == NULL) {
        Py_XDECREF(list);
        Py_XDECREF(slopes);
        Py_XDECREF(spread);
        return NULL;
    }
    return Py_BuildValue("(NNNNN)", list, slopes, PyBool_FromLong(found->judged_growth), spread, windows);
}

static PyObject *core_checks(PyObject *module, PyObject *args)
{
    ms_py_state *state = ms_py_get_state(module);
    PyObject *processes, *fast = NULL, *result = NULL;
    Py_buffer aside = {0}, whose = {0}, *group = NULL;
    ms_evidence_source *source = NULL;
    ms_evidence *e = NULL;
    ms_findings found;
    Py_ssize_t n = 0, held = 0;
    ms_err err = MS_OK;
    ms_findings_open(&found);
    if (!PyArg_ParseTuple(args, "Oy*y*:checks", &processes, &aside, &whose))
        return NULL;
    if ((fast = PySequence_Fast(processes, "checks() takes a list of (File, group)")) == NULL)
        goto done;
    n = PySequence_Fast_GET_SIZE(fast);
    source = PyMem_Calloc((size_t)n + 1, sizeof *source);
    group = PyMem_Calloc((size_t)n + 1, sizeof *group);
    if (source == NULL || group == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    for (; held < n; held++) {
        PyObject *file, *rows;
        if (!PyArg_ParseTuple(PySequence_Fast_GET_ITEM(fast, held), "O!O:checks", state->File, &file, &rows) ||
            PyObject_GetBuffer(rows, &group[held], PyBUF_SIMPLE) < 0)
            goto done;
        source[held] = (ms_evidence_source){ms_py_file(file), group[held].buf, (size_t)group[held].len / 4};
    }
    if (whose.len != aside.len || aside.len >= MS_NONE || n >= MS_NONE) {
        PyErr_SetString(PyExc_ValueError, "aside and whose must have a byte for each line");
        goto done;
    }
    Py_BEGIN_ALLOW_THREADS
    err = ms_evidence_open(source, (uint32_t)n, (uint32_t)aside.len, aside.buf, whose.buf, &e);
    if (err == MS_OK)
        err = ms_checks_run(e, &found);
    Py_END_ALLOW_THREADS
    result = err == MS_OK ? found_tuple(e, &found) : ms_py_raise(state, err, ms_err_text(err), NULL);
done:
    ms_evidence_close(e);
    ms_findings_close(&found);
    for (Py_ssize_t i = 0; i < held; i++)
        PyBuffer_Release(&group[i]);
    PyMem_Free(group);
    PyMem_Free(source);
    Py_XDECREF(fast);
    PyBuffer_Release(&aside);
    PyBuffer_Release(&whose);
    return result;
}

static PyObject *core_rules(PyObject *module, PyObject *unused)
{
    PyObject *list = PyList_New(0);
    for (uint32_t i = 0; list && i < ms_checks_count; i++)
        for (uint32_t k = 0; list && k < ms_checks[i]->nrules; k++) {
            const ms_rule *r = &ms_checks[i]->rules[k];
            PyObject *one = Py_BuildValue("(sisss)", r->id, ms_checks[i]->principle, ms_verdict_name(r->verdict), ms_checks[i]->name, ms_checks[i]->asks);
            if (one == NULL || PyList_Append(list, one) < 0)
                Py_CLEAR(list);
            Py_XDECREF(one);
        }
    return list;
}

static bool doubles(PyObject *sequence, double **out, Py_ssize_t *n)
{
    PyObject *fast = PySequence_Fast(sequence, "trend() takes two lists of numbers");
    if (fast == NULL)
        return false;
    *n = PySequence_Fast_GET_SIZE(fast);
    *out = PyMem_Calloc((size_t)*n + 1, sizeof **out);
    for (Py_ssize_t i = 0; *out && i < *n; i++)
        (*out)[i] = PyFloat_AsDouble(PySequence_Fast_GET_ITEM(fast, i));
    Py_DECREF(fast);
    if (*out == NULL)
        PyErr_NoMemory();
    return !PyErr_Occurred();
}

static PyObject *core_trend(PyObject *module, PyObject *args)
{
    PyObject *times, *values, *result = NULL;
    double *t = NULL, *v = NULL, live;
    Py_ssize_t n = 0, m = 0;
    if (!PyArg_ParseTuple(args, "OOd:trend", &times, &values, &live))
        return NULL;
    if (doubles(times, &t, &n) && doubles(values, &v, &m)) {
        ms_slope s, grown;
        uint32_t up, steps;
        uint32_t few = (uint32_t)(n < m ? n : m);
        s = ms_trend_slope(few, t, v);
        bool grows = ms_trend_grows(few, t, v, fmax(MS_GROWTH_BYTES, MS_GROWTH_SHARE * live), &grown, &up, &steps);
        result = Py_BuildValue("(ddddN)", s.per_second, s.error, s.start, s.end, PyBool_FromLong(grows));
    }
    PyMem_Free(t);
    PyMem_Free(v);
    return result;
}

PyMethodDef ms_py_checks_methods[] = {
    {"checks", core_checks, METH_VARARGS, "checks([(File, group)], aside, whose) -> (findings, slopes, judged_growth, spread, windows)"},
    {"rules", core_rules, METH_NOARGS, "rules() -> [(id, principle, verdict, check, question)] of every rule that a check can find."},
    {"trend", core_trend, METH_VARARGS, "trend(times, values, live) -> (per_second, error, start, end, grows)"},
    {NULL, NULL, 0, NULL},
};
