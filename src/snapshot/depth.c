/* depth.c -- how much of a running frame's evaluation stack is in use.
 *
 * While a frame runs, or calls C code, 3.11 to 3.13 keep its stack pointer in a register. Above it lie words of
 * earlier frames, which refer to nothing any more. So the depth is worked out from the code, as a compiler does it: what
 * each instruction pushes and pops is the same on every way that leads to it. Jumps are followed, and handlers begin as deep as the
 * table of exceptions says. Where an instruction is not known (code that sys.monitoring has rewritten) or two ways
 * disagree, there is no answer.
 *
 * Costs two bytes for each code unit, and few passes over the code. 3.14 and later note the pointer. */
#define NEED_OPCODE_TABLES
#define NEED_OPCODE_METADATA
#include "snapshot/child.h"

#if PY_VERSION_HEX < 0x030e0000
#if PY_VERSION_HEX < 0x030d0000
#include "internal/pycore_opcode.h"
#else
#include "internal/pycore_opcode_metadata.h"
#endif
#include <opcode.h>

enum { UNITS_MAX = 1 << 20, PASSES = 64 };
static const int16_t unknown = -1;

static bool jumps(int opcode)
{
#if PY_VERSION_HEX < 0x030d0000
    return _PyOpcode_Jump[opcode >> 5] >> (opcode & 31) & 1;
#else
    return OPCODE_HAS_JUMP(opcode);
#endif
}

static bool jumps_back(int opcode)
{
    switch (opcode) {
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
#if PY_VERSION_HEX < 0x030c0000
    case POP_JUMP_BACKWARD_IF_FALSE:
    case POP_JUMP_BACKWARD_IF_TRUE:
    case POP_JUMP_BACKWARD_IF_NONE:
    case POP_JUMP_BACKWARD_IF_NOT_NONE:
#endif
        return true;
    }
    return false;
}

/* Whether the next instruction is not reached from this one. */
static bool ends(int opcode)
{
    switch (opcode) {
    case RETURN_VALUE:
    case RAISE_VARARGS:
    case RERAISE:
    case JUMP_FORWARD:
    case JUMP_BACKWARD:
    case JUMP_BACKWARD_NO_INTERRUPT:
#if PY_VERSION_HEX >= 0x030c0000
    case RETURN_CONST:
#endif
        return true;
    }
    return false;
}

/* A way leads to this unit, so deep. False: another way said otherwise. */
static bool reach(int16_t *depth, uint32_t units, int64_t unit, int d, bool *changed)
{
    if (unit < 0 || unit >= units || d < 0 || d > INT16_MAX)
        return false;
    if (depth[unit] == unknown) {
        depth[unit] = (int16_t)d;
        *changed = true;
    }
    return depth[unit] == d;
}

static const uint8_t *number(const uint8_t *at, const uint8_t *end, uint32_t *out)
{
    for (*out = 0; at < end; at++) {
        *out = *out << 6 | (*at & 63);
        if (!(*at & 64))
            return at + 1;
    }
    return end;
}

static bool handlers(PyCodeObject *code, int16_t *depth, uint32_t units)
{
    PyObject *table = code->co_exceptiontable;
    if (table == NULL || !PyBytes_Check(table))
        return false;
    const uint8_t *at = (const uint8_t *)((PyBytesObject *)table)->ob_sval, *end = at + Py_SIZE(table);
    bool changed;
    while (at < end) {
        uint32_t start, size, target, how;
        at = number(number(number(number(at, end, &start), end, &size), end, &target), end, &how);
        if (!reach(depth, units, target, (int)(how >> 1) + (how & 1) + 1, &changed))
            return false;
    }
    return true;
}

static bool work_out(PyCodeObject *code, int16_t *depth, uint32_t units)
{
    const _Py_CODEUNIT *unit = _PyCode_CODE(code);
    bool changed = true;
    memset(depth, 0xFF, units * sizeof *depth);
    depth[0] = 0;
    if (!handlers(code, depth, units))
        return false;
    for (int pass = 0; changed && pass < PASSES; pass++) {
        uint32_t arg = 0;
        changed = false;
        for (uint32_t i = 0; i < units;) {
#if PY_VERSION_HEX >= 0x030d0000
            int given = unit[i].op.code, opcode = _PyOpcode_Deopt[given];
#else
            int given = _Py_OPCODE(unit[i]), opcode = _PyOpcode_Deopt[given];
#endif
            arg = arg << 8 | (uint32_t)_Py_OPARG(unit[i]);
            uint32_t next = i + 1 + _PyOpcode_Caches[opcode];
            int d = depth[i];
            i = i + 1;
            if (opcode == EXTENDED_ARG && d != unknown && !reach(depth, units, next, d, &changed))
                return false;
            if (opcode == EXTENDED_ARG)
                continue;
            i = next;
            if (d != unknown) {
                int effect = PyCompile_OpcodeStackEffectWithJump(opcode, (int)arg, 0);
#if PY_VERSION_HEX < 0x030d0000
                if (opcode == RETURN_GENERATOR)
                    effect = 1; /* what is sent first, popped by the next one */
#endif
                if (effect == PY_INVALID_STACK_EFFECT || (opcode == 0 && given != 0))
                    return false;
#ifdef MIN_INSTRUMENTED_OPCODE
                if (opcode >= MIN_INSTRUMENTED_OPCODE)
                    return false;
#endif
                if (!ends(opcode) && !reach(depth, units, next, d + effect, &changed))
                    return false;
                if (jumps(opcode)) {
                    effect = PyCompile_OpcodeStackEffectWithJump(opcode, (int)arg, 1);
                    int64_t target = jumps_back(opcode) ? (int64_t)next - arg : (int64_t)next + arg;
                    if (effect == PY_INVALID_STACK_EFFECT || !reach(depth, units, target, d + effect, &changed))
                        return false;
                }
            }
            arg = 0;
        }
    }
    return !changed;
}

int ms_frame_depth(ms_child *c, PyCodeObject *code, uintptr_t instruction)
{
    uint32_t units = (uint32_t)Py_SIZE(code);
    uintptr_t first = (uintptr_t)_PyCode_CODE(code);
    if (instruction < first)
        return 0; /* before its first one */
    size_t at = (instruction - first) / sizeof(_Py_CODEUNIT);
    if (Py_SIZE(code) <= 0 || units > UNITS_MAX || at >= units)
        return -1;
    if (c->depth_code != code) {
        c->depth.used = 0;
        c->depth_code = NULL;
        int16_t *depth = ms_vec_want(&c->depth, units * sizeof *depth);
        if (depth == NULL || !work_out(code, depth, units))
            return -1;
        c->depth_code = code;
    }
    int d = MS_VEC_AT(c->depth, int16_t)[at];
    return d <= code->co_stacksize ? d : -1;
}

#else

int ms_frame_depth(ms_child *c, PyCodeObject *code, uintptr_t instruction) { return -1; }

#endif
