/* frame.c -- the cold half of frame.h: the hidden thread-local found, places and names decoded. */
#include "record/frame.h"

#include <link.h>
#include <string.h>

PyThreadState *ms_thread_state_asked(void)
{
#if PY_VERSION_HEX < 0x030c0000
    /* tstate_current is the GIL holder's, whoever asks: is that this thread? Another's state cannot be
     * freed meanwhile: it is raw memory, and who asks without the GIL holds the recorder's lock. */
    PyThreadState *ts = _PyThreadState_UncheckedGet();
    return ts && ts->thread_id == PyThread_get_thread_ident() ? ts : NULL;
#elif PY_VERSION_HEX < 0x030d0000
    return _PyThreadState_UncheckedGet();
#else
    return PyThreadState_GetUnchecked();
#endif
}

#if PY_VERSION_HEX >= 0x030c0000

static __thread PyThreadState *none __attribute__((tls_model("initial-exec")));
intptr_t ms_tss_offset;

static inline char *thread_pointer(void)
{
#if defined(__x86_64__)
    char *tp;
    __asm__("movq %%fs:0, %0" : "=r"(tp));
    return tp;
#else
    return __builtin_thread_pointer();
#endif
}

void ms_frame_init(void) { ms_tss_offset = (char *)&none - thread_pointer(); }

typedef struct {
    uintptr_t known; /* an address inside the module */
    char     *block;
    size_t    size;
} tls_query;

static int find_tls(struct dl_phdr_info *info, size_t size, void *arg)
{
    tls_query *q = arg;
    bool ours = false;
    const ElfW(Phdr) *tls = NULL;
    for (int i = 0; i < info->dlpi_phnum; i++) {
        const ElfW(Phdr) *ph = &info->dlpi_phdr[i];
        if (ph->p_type == PT_LOAD && q->known - (info->dlpi_addr + ph->p_vaddr) < ph->p_memsz)
            ours = true;
        if (ph->p_type == PT_TLS)
            tls = ph;
    }
    if (!ours)
        return 0;
    if (tls && info->dlpi_tls_data) {
        q->block = info->dlpi_tls_data;
        q->size = tls->p_memsz;
    }
    return 1;
}

/* Compare the fast read with Python's answer; search when it differs. False: the fast read is off. */
bool ms_frame_verify(void)
{
    static int tries;
    PyThreadState *asked = ms_thread_state_asked();
    if (asked == ms_thread_state())
        return true;
    intptr_t last = ms_tss_offset;
    ms_frame_init();
    if (asked == NULL || tries++ >= 8)
        return false;
    tls_query q = {.known = (uintptr_t)&_PyRuntime};
    dl_iterate_phdr(find_tls, &q);
    for (size_t at = 0; q.block && at + sizeof(void *) <= q.size; at += sizeof(void *)) {
        intptr_t offset = q.block + at - thread_pointer();
        if (offset != last && *(PyThreadState **)(q.block + at) == asked) {
            ms_tss_offset = offset;
            return true;
        }
    }
    return false;
}

#endif

/* --- places -------------------------------------------------------------------------------------- */

typedef struct {
    const unsigned char *at, *end;
} reader;

static int next_byte(reader *r) { return r->at < r->end ? *r->at++ : 0; }

static uint32_t varint(reader *r)
{
    int b = next_byte(r);
    uint32_t v = b & 63;
    for (unsigned shift = 6; b & 64 && shift < 32; shift += 6) {
        b = next_byte(r);
        v |= (uint32_t)(b & 63) << shift;
    }
    return v;
}

static int32_t signed_varint(reader *r)
{
    uint32_t v = varint(r);
    return v & 1 ? -(int32_t)(v >> 1) : (int32_t)(v >> 1);
}

/* The format is that of CPython's Objects/locations.md: entries of one head byte 1kkkklll (kind,
 * length - 1 in code units) and what the kind adds, in bytes below 128. */
ms_place ms_frame_place(PyCodeObject *code, uintptr_t instruction, ms_place_mark *mark)
{
    ms_place p = {code->co_firstlineno, 0, -1, -1};
    intptr_t unit = ((intptr_t)instruction - (intptr_t)code->co_code_adaptive) / 2;
    PyObject *table = code->co_linetable;
    if (table == NULL || !PyBytes_CheckExact(table) || unit < 0)
        return p;
    const unsigned char *start = (unsigned char *)PyBytes_AS_STRING(table);
    ms_place_mark m = {code, 0, 0, code->co_firstlineno};
    if (mark && mark->code == code && mark->unit <= unit)
        m = *mark;
    reader r = {start + m.entry, start + PyBytes_GET_SIZE(table)};
    for (; r.at < r.end; m.entry = (uint32_t)(r.at - start)) {
        int head = next_byte(&r), kind = head >> 3 & 15, length = (head & 7) + 1;
        bool is_long = kind == 14, is_line = kind == 13, is_one_line = kind >= 10 && kind < 13; /* and 15: no place, below 10: short */
        int32_t line = m.line + (is_long || is_line ? signed_varint(&r) : is_one_line ? kind - 10 : 0);
        if (m.unit + length <= unit) {
            while (r.at < r.end && *r.at < 128)
                r.at++;
            m.line = line;
            m.unit += length;
            continue;
        }
        if (mark)
            *mark = m;
        if (kind == 15 || line <= 0)
            return p;
        p.line = p.end_line = line;
        if (is_long) {
            p.end_line = line + (int32_t)varint(&r);
            p.column = (int32_t)varint(&r) - 1;
            p.end_column = (int32_t)varint(&r) - 1;
        } else if (is_one_line) { /* columns as bytes */
            p.column = next_byte(&r);
            p.end_column = next_byte(&r);
        } else if (!is_line) { /* short: 8 * kind + high bits, width in the low 4 */
            int b = next_byte(&r);
            p.column = kind << 3 | b >> 4;
            p.end_column = p.column + (b & 15);
        }
        return p;
    }
    return p;
}

size_t ms_frame_text(PyObject *str, char *out, size_t size)
{
    size_t n = 0;
    if (str == NULL || !PyUnicode_Check(str))
        str = NULL;
    Py_ssize_t length = str ? PyUnicode_GET_LENGTH(str) : 0;
    int kind = str ? (int)PyUnicode_KIND(str) : 0;
    const void *data = str ? PyUnicode_DATA(str) : NULL;
    for (Py_ssize_t i = 0; i < length; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c == 0 || (c >= 0xD800 && c < 0xE000))
            c = 0xFFFD; /* NUL and lone surrogates have no place in a file of UTF-8 names */
        size_t need = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
        if (n + need >= size)
            break;
        if (need == 1) {
            out[n++] = (char)c;
            continue;
        }
        for (size_t k = need; k-- > 1; c >>= 6)
            out[n + k] = (char)(0x80 | (c & 63));
        out[n] = (char)((0xF00 >> need & 0xFF) | c);
        n += need;
    }
    out[n] = 0;
    return n;
}
