/* lines.c -- the rows of the tables `sites` of a session, grouped to lines.
 *
 *   lines([(file, line, function, flags), ...]) -> ([(file, line, function, flags)], [group, ...])
 *     four columns of each process, 'I', 'i', 'I', 'I' buffers of one length
 *     a line for each four numbers that occur, in the order in which they do; group: the line of each row, an 'I' buffer
 *
 * A hash table with open addressing, at most half full. */
#include "py/py.h"

#include <string.h>

typedef struct {
    uint32_t n, room;
    uint32_t (*key)[4];
    uint32_t *place, places; /* a line + 1, or 0; a power of two */
} lines;

static uint32_t *place_of(const lines *l, const uint32_t *key)
{
    uint64_t h = ((uint64_t)key[0] << 32 | key[1]) * 0x9E3779B97F4A7C15u;
    h = (h ^ h >> 32 ^ ((uint64_t)key[2] << 32 | key[3])) * 0xD6E8FEB86659FD93u;
    uint32_t i = (uint32_t)(h >> 32) & (l->places - 1);
    while (l->place[i] && memcmp(l->key[l->place[i] - 1], key, sizeof *l->key) != 0)
        i = (i + 1) & (l->places - 1);
    return &l->place[i];
}

static bool lines_grow(lines *l)
{
    uint32_t room = l->room ? 2 * l->room : 1024, places = 2 * room;
    void *key = PyMem_Realloc(l->key, room * sizeof *l->key);
    if (key == NULL)
        return false;
    l->key = key;
    l->room = room;
    uint32_t *place = PyMem_Calloc(places, sizeof *place);
    if (place == NULL)
        return false;
    PyMem_Free(l->place);
    l->place = place;
    l->places = places;
    for (uint32_t i = 0; i < l->n; i++)
        *place_of(l, l->key[i]) = i + 1;
    return true;
}

/* One process: the group of its rows, or NULL with an exception. */
static PyObject *group_of(lines *l, PyObject *columns)
{
    PyObject *out = NULL, *column[4];
    Py_buffer view[4];
    int held = 0;
    if (!PyTuple_Check(columns)) {
        PyErr_SetString(PyExc_TypeError, "lines() takes a list of tuples of columns");
        return NULL;
    }
    if (!PyArg_ParseTuple(columns, "OOOO:lines", &column[0], &column[1], &column[2], &column[3]))
        return NULL;
    for (; held < 4; held++) {
        if (PyObject_GetBuffer(column[held], &view[held], PyBUF_SIMPLE) < 0)
            goto done;
        if (view[held].len != view[0].len || view[held].len % 4) {
            held++;
            PyErr_SetString(PyExc_ValueError, "the columns of lines() must be of one length, 4 bytes a row");
            goto done;
        }
    }
    if ((out = PyByteArray_FromStringAndSize(NULL, view[0].len)) == NULL)
        goto done;
    for (Py_ssize_t i = 0; i < view[0].len / 4; i++) {
        uint32_t key[4], *place;
        for (int k = 0; k < 4; k++)
            memcpy(&key[k], (const char *)view[k].buf + 4 * i, 4);
        if (l->n == l->room && !lines_grow(l)) {
            Py_CLEAR(out);
            PyErr_NoMemory();
            break;
        }
        place = place_of(l, key);
        if (*place == 0) {
            memcpy(l->key[l->n], key, sizeof key);
            *place = ++l->n;
        }
        uint32_t line = *place - 1;
        memcpy(PyByteArray_AS_STRING(out) + 4 * i, &line, 4);
    }
done:
    while (held-- > 0)
        PyBuffer_Release(&view[held]);
    return out;
}

static PyObject *core_lines(PyObject *module, PyObject *processes)
{
    lines l = {0};
    PyObject *keys = NULL, *groups = NULL, *fast = PySequence_Fast(processes, "lines() takes a list of four columns each");
    if (fast == NULL || (groups = PyList_New(0)) == NULL)
        goto failed;
    for (Py_ssize_t i = 0; i < PySequence_Fast_GET_SIZE(fast); i++) {
        PyObject *group = group_of(&l, PySequence_Fast_GET_ITEM(fast, i));
        if (group == NULL || PyList_Append(groups, group) < 0) {
            Py_XDECREF(group);
            goto failed;
        }
        Py_DECREF(group);
    }
    if ((keys = PyList_New(l.n)) == NULL)
        goto failed;
    for (uint32_t i = 0; i < l.n; i++) {
        PyObject *key = Py_BuildValue("(IiII)", l.key[i][0], (int)l.key[i][1], l.key[i][2], l.key[i][3]);
        if (key == NULL)
            goto failed;
        PyList_SET_ITEM(keys, i, key);
    }
    goto done;
failed:
    Py_CLEAR(keys);
    Py_CLEAR(groups);
done:
    Py_XDECREF(fast);
    PyMem_Free(l.key);
    PyMem_Free(l.place);
    return keys ? Py_BuildValue("(NN)", keys, groups) : NULL;
}

PyMethodDef ms_py_lines_methods[] = {
    {"lines", core_lines, METH_O, "lines([(file, line, function, flags), ...]) -> ([(file, line, function, flags)], [group, ...])"},
    {NULL, NULL, 0, NULL},
};
