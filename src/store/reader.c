/* reader.c -- columns out of a file that nobody vouches for.
 *
 * Opening checks the header and the directory, each under its checksum, and that every column the
 * directory names lies inside the file. Where either does not hold, the chunks are found by walking:
 * each description (itself under a checksum, and saying where it lies, so that a copy inside another
 * column is none) gives the place of the next; after a broken one the walk goes on in steps of 64
 * bytes. A file found so is checked whole at once; a sound one column by column, as they are read.
 *
 * Cost: a sound file is opened by reading two places. A damaged one is read once, end to end.
 *
 * Always true of each entry (ms_file_check() tests it):
 *   R1  its names are sound and end inside their fields
 *   R2  offset % 64 == 0, and offset + 128 + length <= the file's size, without overflow
 *   R3  rows * width * size of the type == length, without overflow
 *
 * Files up to COPY_LIMIT are copied; larger ones are mapped. A mapped file that somebody shortens
 * loses pages, and the kernel answers a read of those with SIGBUS: before a column is checked its end
 * is compared with the file's size of that moment, which leaves only a cut during or after the check.
 * memsure itself never shortens a file: it renames a new one into place. */
#include "store/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_LIMIT = 16 << 20 };

enum entry_state { UNREAD, WHOLE, BROKEN };

typedef struct {
    ms_chunk     chunk;
    _Atomic char state;
} file_entry;

/* Why the file is not as it was written, as far as opening could see. */
enum file_state {
    SOUND,
    CUT,          /* shorter than its header says */
    UNFINISHED,   /* the writer never came to the end */
    BAD_HEADER,
    BAD_DIRECTORY,
};

struct ms_file {
    const uint8_t *base;
    size_t         size;
    int            fd;       /* of a mapped file; -1: copied */
    enum file_state state;
    uint32_t       expected; /* columns the file should have; UINT32_MAX: not known */
    uint64_t       length;   /* bytes the file should have; 0: not known */
    uint32_t       count, room;
    file_entry    *entries;
    ms_why         damage;
    char           name[PATH_MAX];
};

/* ---- one chunk ---- */

/* A description that can be believed, and lies at offset. */
static bool chunk_sound(const ms_chunk *c, uint64_t offset)
{
    return memcmp(c->magic, MS_CHUNK_MAGIC, sizeof c->magic) == 0 && c->offset == offset &&
           offset % MS_FILE_ALIGN == 0 && c->crc == ms_chunk_crc(c);
}

/* offset + 128 + length lies inside size bytes. */
static bool chunk_inside(const ms_chunk *c, uint64_t size)
{
    return c->offset <= size && size - c->offset >= sizeof *c && size - c->offset - sizeof *c >= c->length;
}

/* A column this version can read. Unknown kinds and flags belong to later minor versions: skipped. */
static bool chunk_is_column(const ms_chunk *c)
{
    uint64_t row, bytes;
    size_t value = ms_type_size((ms_type)c->type);
    return c->kind == MS_CHUNK_COLUMN && c->flags == 0 && value != 0 && c->width > 0 &&
           c->width <= MS_STORE_MAX_WIDTH && ms_store_name_ok(c->table) && ms_store_name_ok(c->column) &&
           !__builtin_mul_overflow((uint64_t)c->width, (uint64_t)value, &row) &&
           !__builtin_mul_overflow(row, c->rows, &bytes) && bytes == c->length;
}

static ms_err file_add(ms_file *f, const ms_chunk *c)
{
    for (uint32_t i = 0; i < f->count; i++) /* the first of a name counts */
        if (memcmp(f->entries[i].chunk.table, c->table, sizeof c->table) == 0 &&
            memcmp(f->entries[i].chunk.column, c->column, sizeof c->column) == 0)
            return MS_OK;
    if (f->count == MS_STORE_MAX_COLUMNS)
        return MS_OK;
    if (f->count == f->room) {
        uint32_t room = f->room ? f->room * 2 : 64;
        file_entry *grown = ms_sys_resize(f->entries, f->room * sizeof *grown, room * sizeof *grown);
        if (grown == NULL)
            return MS_ENOMEM;
        f->entries = grown;
        f->room = room;
    }
    f->entries[f->count].chunk = *c;
    atomic_init(&f->entries[f->count].state, UNREAD);
    f->count++;
    return MS_OK;
}

/* ---- the two ways to the columns ---- */

/* By the directory. *found is false where it cannot be believed; nothing has been added then. */
static ms_err file_read_directory(ms_file *f, uint64_t at, bool *found)
{
    ms_chunk d, c;
    *found = false;
    if (at % MS_FILE_ALIGN != 0 || at > f->size || f->size - at < sizeof d)
        return MS_OK;
    memcpy(&d, f->base + at, sizeof d);
    if (!chunk_sound(&d, at) || d.kind != MS_CHUNK_DIRECTORY || d.flags != 0 || !chunk_inside(&d, f->size) ||
        d.length % sizeof c != 0 || d.length / sizeof c > MS_STORE_MAX_COLUMNS)
        return MS_OK;
    const uint8_t *copies = f->base + at + sizeof d;
    if (ms_crc32c(0, copies, d.length) != d.payload_crc)
        return MS_OK;
    uint64_t n = d.length / sizeof c;
    for (uint64_t i = 0; i < n; i++) {
        memcpy(&c, copies + i * sizeof c, sizeof c);
        if (!chunk_sound(&c, c.offset) || !chunk_inside(&c, f->size))
            return MS_OK;
    }
    for (uint64_t i = 0; i < n; i++) {
        memcpy(&c, copies + i * sizeof c, sizeof c);
        if (chunk_is_column(&c))
            MS_TRY(file_add(f, &c));
        else if (f->expected > 0)
            f->expected--; /* not for this version: not missing either */
    }
    *found = true;
    return MS_OK;
}

/* By walking from chunk to chunk. */
static ms_err file_walk(ms_file *f)
{
    ms_chunk c;
    uint64_t at = sizeof(ms_file_header);
    while (at < f->size && f->size - at >= sizeof c) {
        memcpy(&c, f->base + at, sizeof c);
        if (!chunk_sound(&c, at)) {
            at += MS_FILE_ALIGN;
            continue;
        }
        if (!chunk_inside(&c, f->size))
            break; /* the file was cut in this one */
        if (chunk_is_column(&c))
            MS_TRY(file_add(f, &c));
        else if (c.kind != MS_CHUNK_DIRECTORY && f->expected != UINT32_MAX && f->expected > 0)
            f->expected--;
        at += ms_align64(sizeof c + c.length); /* inside the file, so far from 2^64 */
    }
    return MS_OK;
}

/* ---- what other files are, to say so ---- */

static const struct { const char *begin; uint8_t size; const char *shown, *what; } foreign[] = {
    {"PK\3\4", 4, "\"PK\"", "a zip archive"},
    {"\x1f\x8b", 2, "1f 8b", "gzip data"},
    {"BZh", 3, "\"BZh\"", "bzip2 data"},
    {"\xfd" "7zXZ", 5, "\"7zXZ\"", "xz data"},
    {"\x28\xb5\x2f\xfd", 4, "28 b5 2f fd", "zstd data"},
    {"\x7f" "ELF", 4, "\"ELF\"", "a program or library"},
    {"\x89PNG", 4, "\"PNG\"", "an image"},
    {"\xff\xd8\xff", 3, "ff d8 ff", "a JPEG image"},
    {"GIF8", 4, "\"GIF8\"", "an image"},
    {"%PDF", 4, "\"%PDF\"", "a PDF document"},
    {"SQLite format 3", 15, "\"SQLite format 3\"", "a database"},
    {"PAR1", 4, "\"PAR1\"", "a Parquet file"},
    {"ARROW1", 6, "\"ARROW1\"", "an Arrow file"},
    {"PERFILE2", 8, "\"PERFILE2\"", "a recording of perf"},
    {"memray", 6, "\"memray\"", "a recording of memray"},
    {"\x80\x04", 2, "80 04", "a pickle"},
    {"\x80\x05", 2, "80 05", "a pickle"},
    {"#!", 2, "\"#!\"", "a script"},
    {"<!DOCTYPE", 9, "\"<!DOCTYPE\"", "a web page"},
    {"<html", 5, "\"<html\"", "a web page"},
    {"{", 1, "\"{\"", "JSON, perhaps"},
};

static void foreign_text(const ms_file *f, ms_why *why)
{
    if (f->size == 0) {
        ms_why_set(why, "%s is not a memsure file (it is empty)", f->name);
        return;
    }
    for (size_t i = 0; i < sizeof foreign / sizeof foreign[0]; i++)
        if (f->size >= foreign[i].size && memcmp(f->base, foreign[i].begin, foreign[i].size) == 0) {
            ms_why_set(why, "%s is not a memsure file (it begins with %s: %s)", f->name, foreign[i].shown, foreign[i].what);
            return;
        }
    if (f->size >= 8 && memcmp(f->base, MS_FILE_MAGIC, 8) == 0) {
        ms_why_set(why, "%s was changed on its way here: its line ends were converted, as for text; copy it as binary", f->name);
        return;
    }
    char begin[64];
    size_t n = 0, shown = f->size < 16 ? f->size : 16;
    while (n < shown && f->base[n] >= ' ' && f->base[n] < 127 && f->base[n] != '"')
        n++;
    if (n == shown || (n >= 2 && (f->base[n] == '\n' || f->base[n] == '\r'))) {
        ms_why_set(why, "%s is not a memsure file (it begins with \"%.*s\": text)", f->name, (int)n, (const char *)f->base);
        return;
    }
    n = 0;
    for (size_t i = 0; i < shown && i < 6; i++)
        n += (size_t)snprintf(begin + n, sizeof begin - n, "%s%02x", i ? " " : "", f->base[i]);
    ms_why_set(why, "%s is not a memsure file (it begins with %s)", f->name, begin);
}

/* ---- opening ---- */

static ms_err file_read_header(ms_file *f, ms_why *why, ms_file_header *h)
{
    size_t magic = f->size < sizeof h->magic ? f->size : sizeof h->magic;
    if (f->size == 0 || memcmp(f->base, MS_FILE_MAGIC, magic) != 0) {
        /* One damaged byte must not make the file a foreign one: its first chunk tells. */
        ms_chunk c;
        if (f->size >= sizeof *h + sizeof c) {
            memcpy(&c, f->base + sizeof *h, sizeof c);
            if (chunk_sound(&c, sizeof *h)) {
                f->state = BAD_HEADER;
                return MS_OK;
            }
        }
        foreign_text(f, why);
        return MS_EFORMAT;
    }
    if (f->size < sizeof *h) {
        ms_why_set(why, "%s ends early: it has only %zu bytes, and nothing in them can be shown", f->name, f->size);
        return MS_EDAMAGED;
    }
    memcpy(h, f->base, sizeof *h);
    if (h->crc != ms_file_header_crc(h)) {
        f->state = BAD_HEADER;
        return MS_OK;
    }
    if (h->major > MS_FILE_MAJOR) {
        ms_why_set(why, "%s was written by a newer memsure (its format is version %u, this memsure reads up to %u)",
                   f->name, h->major, MS_FILE_MAJOR);
        return MS_EVERSION;
    }
    if (h->directory == 0 || h->length == 0)
        f->state = UNFINISHED;
    else {
        f->expected = h->columns;
        f->length = h->length;
        f->state = h->length > f->size ? CUT : SOUND;
    }
    return MS_OK;
}

/* f has base, size and name: find the columns. */
static ms_err file_read(ms_file *f, ms_why *why)
{
    ms_file_header h;
    bool found = false;
    f->expected = UINT32_MAX;
    MS_TRY(file_read_header(f, why, &h));
    ms_err err = MS_OK;
    if (f->state == SOUND) {
        err = file_read_directory(f, h.directory, &found);
        if (err == MS_OK && !found)
            f->state = BAD_DIRECTORY;
    }
    if (err == MS_OK && f->state != SOUND && (err = file_walk(f)) == MS_OK)
        ms_file_verify(f);
    if (err != MS_OK)
        ms_why_set(why, "cannot open %s: %s", f->name, ms_err_text(err));
    return err;
}

static ms_err file_new(const char *name, ms_why *why, ms_file **out)
{
    size_t length = strlen(name);
    *out = NULL;
    if (length == 0 || length >= PATH_MAX) {
        ms_why_set(why, length ? "cannot open a file whose path has %zu characters" : "cannot open '': it names no file",
                   length);
        return MS_EINVAL;
    }
    ms_file *f = ms_sys_alloc(sizeof *f);
    if (f == NULL) {
        ms_why_set(why, "cannot open %s: %s", name, ms_err_text(MS_ENOMEM));
        return MS_ENOMEM;
    }
    f->fd = -1;
    memcpy(f->name, name, length + 1);
    *out = f;
    return MS_OK;
}

/* The file's bytes into memory of ours. It may be shorter by now than it was: what came counts. */
static ms_err file_copy(ms_file *f, int fd, size_t size, ms_why *why)
{
    uint8_t *bytes = ms_sys_alloc(size);
    if (bytes == NULL) {
        ms_why_set(why, "cannot open %s: %s", f->name, ms_err_text(MS_ENOMEM));
        return MS_ENOMEM;
    }
    f->base = bytes;
    f->size = size;
    size_t have = 0;
    while (have < size) {
        ssize_t n = pread(fd, bytes + have, size - have, (off_t)have);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            ms_why_set(why, "cannot read %s: %s", f->name, strerror(errno));
            return MS_EIO;
        }
        if (n == 0) /* the rest reads as zeros: the size of the block stays what it was */
            break;
        have += (size_t)n;
    }
    return MS_OK;
}

ms_err ms_file_open(const char *path, ms_why *why, ms_file **out)
{
    ms_err err;
    ms_file *f;
    struct stat st;
    int fd = -1;

    *out = NULL;
    MS_TRY(file_new(path, why, &f));
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY); /* a pipe must not stop us */
    if (fd < 0 || fstat(fd, &st) != 0) {
        err = MS_EIO;
        if (errno == ENOENT)
            ms_why_set(why, "'%s' does not exist", path);
        else
            ms_why_set(why, "cannot open %s: %s", path, strerror(errno));
        goto done;
    }
    if (!S_ISREG(st.st_mode)) {
        err = MS_EFORMAT;
        ms_why_set(why, "%s is not a memsure file (it is %s)", path, S_ISDIR(st.st_mode) ? "a folder" : "not a regular file");
        goto done;
    }
    if (st.st_size <= COPY_LIMIT) {
        if ((err = file_copy(f, fd, (size_t)st.st_size, why)) != MS_OK)
            goto done;
    } else {
        void *base = (uint64_t)st.st_size <= SIZE_MAX
                         ? mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0) : MAP_FAILED;
        if (base == MAP_FAILED) {
            err = MS_EIO;
            ms_why_set(why, "cannot map %s: %s", path, strerror(errno));
            goto done;
        }
        f->base = base;
        f->size = (size_t)st.st_size;
        f->fd = fd;
        fd = -1;
    }
    if ((err = file_read(f, why)) != MS_OK)
        goto done;
    *out = f;
    f = NULL;
done:
    ms_file_close(f);
    if (fd >= 0)
        close(fd);
    return err;
}

ms_err ms_file_open_memory(const void *bytes, size_t size, const char *name, ms_why *why, ms_file **out)
{
    ms_file *f;
    *out = NULL;
    MS_TRY(file_new(name, why, &f));
    ms_err err = MS_OK;
    uint8_t *copy = ms_sys_alloc(size);
    if (copy == NULL) {
        ms_why_set(why, "cannot open %s: %s", name, ms_err_text(MS_ENOMEM));
        err = MS_ENOMEM;
        goto done;
    }
    if (size)
        memcpy(copy, bytes, size);
    f->base = copy;
    f->size = size;
    if ((err = file_read(f, why)) != MS_OK)
        goto done;
    *out = f;
    f = NULL;
done:
    ms_file_close(f);
    return err;
}

ms_err ms_file_of(int fd, uint64_t size, const ms_chunk *chunks, uint32_t count, const char *name, ms_why *why, ms_file **out)
{
    ms_file *f;
    *out = NULL;
    MS_TRY(file_new(name, why, &f));
    void *base = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
    ms_err err = base == MAP_FAILED ? MS_EIO : MS_OK;
    if (err == MS_OK) {
        f->base = base;
        f->size = (size_t)size;
        f->expected = count;
        f->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
        if (f->fd < 0) {
            munmap(base, (size_t)size);
            f->base = NULL;
            f->size = 0;
            err = MS_EIO;
        }
    }
    for (uint32_t i = 0; err == MS_OK && i < count; i++)
        if ((err = file_add(f, &chunks[i])) == MS_OK)
            atomic_store_explicit(&f->entries[i].state, WHOLE, memory_order_release);
    if (err != MS_OK) {
        ms_why_set(why, "cannot map %s: %s", name, ms_err_text(err));
        ms_file_close(f);
        return err;
    }
    *out = f;
    return MS_OK;
}

void ms_file_close(ms_file *f)
{
    if (f == NULL)
        return;
    if (f->fd >= 0) {
        munmap((void *)f->base, f->size);
        close(f->fd);
    } else
        ms_sys_free((void *)f->base, f->size);
    ms_sys_free(f->entries, f->room * sizeof *f->entries);
    ms_sys_free(f, sizeof *f);
}

/* ---- columns ---- */

uint32_t ms_file_count(const ms_file *f)
{
    return f->count;
}

static char entry_state(const file_entry *e)
{
    return atomic_load_explicit(&e->state, memory_order_acquire);
}

/* Its values compared with their checksum, once. */
static bool entry_verify(ms_file *f, file_entry *e)
{
    struct stat st;
    if (entry_state(e) == UNREAD) {
        const ms_chunk *c = &e->chunk;
        bool there = f->fd < 0 || (fstat(f->fd, &st) == 0 && chunk_inside(c, (uint64_t)st.st_size));
        bool whole = there && ms_crc32c(0, f->base + c->offset + sizeof *c, c->length) == c->payload_crc;
        atomic_store_explicit(&e->state, whole ? WHOLE : BROKEN, memory_order_release);
    }
    return entry_state(e) == WHOLE;
}

ms_err ms_file_entry(const ms_file *f, uint32_t i, ms_column *out)
{
    if (i >= f->count)
        return MS_EINVAL;
    const ms_chunk *c = &f->entries[i].chunk;
    *out = (ms_column){.table = c->table, .column = c->column, .type = (ms_type)c->type, .width = c->width, .rows = c->rows};
    return entry_state(&f->entries[i]) == BROKEN ? MS_EDAMAGED : MS_OK;
}

ms_err ms_file_column(ms_file *f, const char *table, const char *column, ms_why *why, ms_column *out)
{
    *out = (ms_column){0};
    for (uint32_t i = 0; i < f->count; i++) {
        file_entry *e = &f->entries[i];
        const ms_chunk *c = &e->chunk;
        if (strcmp(c->table, table) != 0 || strcmp(c->column, column) != 0)
            continue;
        if (!entry_verify(f, e)) {
            ms_why_set(why, "%s is damaged: the column %s.%s does not match its checksum", f->name, table, column);
            return MS_EDAMAGED;
        }
        (void)ms_file_entry(f, i, out);
        out->values = f->base + c->offset + sizeof *c;
        return MS_OK;
    }
    if (f->state == SOUND)
        ms_why_set(why, "%s has no column %.40s.%.40s", f->name, table, column);
    else
        ms_why_set(why, "%s has no whole column %.40s.%.40s: the file is damaged", f->name, table, column);
    return f->state == SOUND ? MS_EINVAL : MS_EDAMAGED;
}

/* ---- what is missing ---- */

const char *ms_file_damage(ms_file *f)
{
    static const char *const said[] = {
        [SOUND] = "is damaged",
        [CUT] = "ends early",
        [UNFINISHED] = "was never finished",
        [BAD_HEADER] = "is damaged (its header)",
        [BAD_DIRECTORY] = "is damaged (its directory)",
    };
    char broken[160] = "";
    uint32_t n = 0, bad = 0;
    for (uint32_t i = 0; i < f->count; i++) {
        const ms_chunk *c = &f->entries[i].chunk;
        if (entry_state(&f->entries[i]) != BROKEN)
            continue;
        if (bad++ < 2)
            n += (uint32_t)snprintf(broken + n, sizeof broken - n, "%s%s.%s", bad > 1 ? ", " : "", c->table, c->column);
    }
    if (f->state == SOUND && bad == 0)
        return NULL;
    uint32_t whole = f->count - bad, all = f->state == SOUND ? f->count : f->expected;
    char parts[64], lost[200] = "";
    if (all != UINT32_MAX)
        snprintf(parts, sizeof parts, "%u of %u columns are whole", whole, all > whole ? all : whole);
    else
        snprintf(parts, sizeof parts, "%u column%s found whole", whole, whole == 1 ? " was" : "s were");
    if (bad > 0)
        snprintf(lost, sizeof lost, "; not %s%s", broken, bad > 2 ? " and others" : "");
    ms_why_set(&f->damage, "%.600s %s; %s%s", f->name, said[f->state], parts, lost);
    return f->damage.text;
}

const char *ms_file_verify(ms_file *f)
{
    for (uint32_t i = 0; i < f->count; i++)
        entry_verify(f, &f->entries[i]);
    return ms_file_damage(f);
}

const char *ms_file_check(const ms_file *f)
{
    for (uint32_t i = 0; i < f->count; i++) {
        const ms_chunk *c = &f->entries[i].chunk;
        if (!ms_store_name_ok(c->table) || !ms_store_name_ok(c->column))
            return "R1: a name is unsound";
        if (c->offset % MS_FILE_ALIGN != 0 || !chunk_inside(c, f->size))
            return "R2: a column leaves the file";
        if (!chunk_is_column(c))
            return "R3: rows, width and type do not give the length";
    }
    return NULL;
}
