/* frame.h -- the running Python frame and its instruction, read from the interpreter's own structs.
 *
 * The address of the running instruction lies inside its code object, so it names code and place at
 * once: the hot path needs no more than three loads. All that differs between CPython 3.11 and 3.15
 * is here:
 *                    3.11                  3.12                  3.13        3.14, 3.15
 *   thread state     _PyRuntime, a global  hidden thread-local   same        same
 *   top frame        cframe->current_frame same                  current_frame of the thread state
 *   instruction      prev_instr            prev_instr            instr_ptr   instr_ptr
 *   code             f_code                f_code                f_executable  tagged f_executable
 *   frames to skip   none                  owner CSTACK          same        owner INTERPRETER and up
 *
 * The thread-local of 3.12 and later has no exported name. Its offset from the thread pointer is found
 * once, by looking for the thread state's known address in the TLS block of the module that holds the
 * interpreter, and compared with what Python says at each new site (ms_frame_verify). Where it is not
 * found or once wrong, the exported call is used instead: slower, never wrong. */
#ifndef MS_FRAME_H
#define MS_FRAME_H

#ifndef Py_BUILD_CORE
#define Py_BUILD_CORE 1
#endif
#include <Python.h>
#if PY_VERSION_HEX < 0x030b0000 || PY_VERSION_HEX >= 0x03100000
#error "memsure knows CPython 3.11 to 3.15"
#endif
#include "internal/pycore_code.h"
#include "internal/pycore_frame.h"
#include "internal/pycore_interp.h"
#include "internal/pycore_runtime.h"
#if PY_VERSION_HEX >= 0x030e0000
#include "internal/pycore_interpframe_structs.h"
#include "internal/pycore_stackref.h"
#endif

#include "base/base.h"

typedef struct _PyInterpreterFrame ms_frame;

#if PY_VERSION_HEX < 0x030c0000

static inline PyThreadState *ms_thread_state(void)
{
    return (PyThreadState *)_PyRuntime.gilstate.tstate_current._value;
}
static inline void ms_frame_init(void) {}
static inline bool ms_frame_verify(void) { return true; }

#else

/* Offset of the thread state from the thread pointer. Until it is known it leads to a thread-local of
 * ours that is always NULL, so the hot path needs no test of its own. */
extern MS_HIDDEN intptr_t ms_tss_offset;
void ms_frame_init(void);
bool ms_frame_verify(void);

static inline PyThreadState *ms_thread_state(void)
{
    PyThreadState *ts;
#if defined(__x86_64__)
    __asm__ volatile("movq %%fs:(%1), %0" : "=r"(ts) : "r"(ms_tss_offset));
#else
    ts = *(PyThreadState **)((char *)__builtin_thread_pointer() + ms_tss_offset);
#endif
    return ts;
}

#endif

static inline ms_frame *ms_frame_top(PyThreadState *ts)
{
#if PY_VERSION_HEX < 0x030d0000
    return ts->cframe->current_frame;
#elif PY_VERSION_HEX < 0x030f0000
    return ts->current_frame;
#else
    return ts->current_frame == ts->base_frame ? NULL : ts->current_frame; /* a sentinel, no instruction */
#endif
}

static inline uintptr_t ms_frame_instruction(const ms_frame *f)
{
#if PY_VERSION_HEX < 0x030d0000
    return (uintptr_t)f->prev_instr;
#else
    return (uintptr_t)f->instr_ptr;
#endif
}

/* Whether f runs Python code, or is one of the interpreter's own marks between C and Python. */
static inline bool ms_frame_is_python(const ms_frame *f)
{
#if PY_VERSION_HEX < 0x030c0000
    return true;
#elif PY_VERSION_HEX < 0x030e0000
    return f->owner != FRAME_OWNED_BY_CSTACK;
#else
    return f->owner < FRAME_OWNED_BY_INTERPRETER;
#endif
}

static inline PyCodeObject *ms_frame_code(const ms_frame *f)
{
#if PY_VERSION_HEX < 0x030d0000
    return f->f_code;
#elif PY_VERSION_HEX < 0x030e0000
    return (PyCodeObject *)f->f_executable;
#else
    return (PyCodeObject *)(f->f_executable.bits & ~(uintptr_t)Py_TAG_BITS);
#endif
}

static inline ms_frame *ms_frame_python(ms_frame *f)
{
    while (f && !ms_frame_is_python(f))
        f = f->previous;
    return f;
}

/* The thread state this thread runs Python with, NULL when it does not hold the GIL. Always right. */
PyThreadState *ms_thread_state_asked(void);

/* The place of an instruction of code in its source, from the code's location table (PEP 657). */
typedef struct {
    int32_t line, end_line, column, end_column;
} ms_place;

/* Where the last search in a code's table ended: the next, which is further on for the most part (a module runs from its
 * first line to its last), begins there. It holds for this code object only, as long as it lives. */
typedef struct {
    PyCodeObject *code; /* NULL: nothing */
    intptr_t      unit; /* the first code unit of the entry */
    uint32_t      entry;
    int32_t       line; /* before it */
} ms_place_mark;
ms_place ms_frame_place(PyCodeObject *code, uintptr_t instruction, ms_place_mark *mark /* or NULL */);

/* UTF-8 of a str without touching the object: at most size - 1 bytes and a NUL. Returns the length. */
size_t ms_frame_text(PyObject *str, char *out, size_t size);

#endif
