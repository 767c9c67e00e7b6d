/* writer.c -- a file that appears whole or not at all.
 *
 * The columns go into a temporary file beside path, through one buffer; a column's description is
 * written over its place when the column has ended. commit() adds the directory, writes the header,
 * forces all of it to the disk, and renames the temporary over path in one step: who opens path sees
 * the old file or the new one. Whatever fails before leaves path alone and removes the temporary.
 *
 * The folder is held open: a changed working directory does not move the file.
 *
 * Always true:
 *   W1  at == bytes given to the file so far (in it or in the buffer); at % 64 == 0 between columns
 *   W2  after the first error nothing more is written */
#include "store/layout.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { WRITER_BUFFER = 256 << 10 };

struct ms_writer {
    int      folder, fd; /* -1: none */
    ms_err   err;        /* the first one */
    int      sys;        /* its errno */
    bool     in_column, passing;
    uint32_t columns;
    uint32_t room;       /* chunks that fit in directory */
    uint64_t at;
    size_t   held;       /* bytes in buffer */
    ms_chunk current;
    ms_chunk *directory;
    char     temporary[NAME_MAX + 1];
    char     path[PATH_MAX]; /* as the caller said it: for messages */
    char     real[PATH_MAX]; /* where it goes, symbolic links followed */
    const char *name;        /* the last part of real */
    uint8_t  buffer[WRITER_BUFFER];
};

/* ---- descriptions ---- */

static const struct { const char *name; size_t size; } type_table[] = {
    [MS_TYPE_U8] = {"u8", 1},   [MS_TYPE_I32] = {"i32", 4}, [MS_TYPE_U32] = {"u32", 4},
    [MS_TYPE_I64] = {"i64", 8}, [MS_TYPE_U64] = {"u64", 8}, [MS_TYPE_F64] = {"f64", 8},
    [MS_TYPE_U16] = {"u16", 2},
};

size_t ms_type_size(ms_type type)
{
    return (unsigned)type <= MS_TYPE_U16 ? type_table[type].size : 0;
}

const char *ms_type_name(ms_type type)
{
    return (unsigned)type <= MS_TYPE_U16 ? type_table[type].name : NULL;
}

bool ms_type_find(const char *name, ms_type *out)
{
    for (int t = MS_TYPE_U8; t <= MS_TYPE_U16; t++)
        if (strcmp(name, type_table[t].name) == 0) {
            *out = (ms_type)t;
            return true;
        }
    return false;
}

bool ms_store_name_ok(const char *name)
{
    if (name[0] < 'a' || name[0] > 'z')
        return false;
    for (int i = 1; i <= MS_STORE_MAX_NAME; i++) {
        char c = name[i];
        if (c == '\0')
            return true;
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'))
            return false;
    }
    return false; /* too long */
}

uint32_t ms_chunk_crc(const ms_chunk *c)
{
    ms_chunk copy = *c;
    copy.crc = 0;
    return ms_crc32c(0, &copy, sizeof copy);
}

uint32_t ms_file_header_crc(const ms_file_header *h)
{
    ms_file_header copy = *h;
    copy.crc = 0;
    return ms_crc32c(0, &copy, sizeof copy);
}

/* ---- bytes to the file ---- */

static ms_err writer_fail(ms_writer *w, ms_err err)
{
    if (w->err == MS_OK) {
        w->err = err;
        w->sys = err == MS_EIO ? errno : 0;
    }
    return w->err;
}

static ms_err write_all(int fd, const void *bytes, size_t size)
{
    const char *p = bytes;
    while (size > 0) {
        ssize_t n = write(fd, p, size < (1u << 30) ? size : (1u << 30));
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return MS_EIO;
        }
        if (n == 0) { /* no regular file does this; do not loop */
            errno = EIO;
            return MS_EIO;
        }
        p += n;
        size -= (size_t)n;
    }
    return MS_OK;
}

static ms_err write_at(int fd, const void *bytes, size_t size, uint64_t offset)
{
    const char *p = bytes;
    while (size > 0) {
        ssize_t n = pwrite(fd, p, size, (off_t)offset);
        if (n < 0) {
            if (errno == EINTR)
                continue;
            return MS_EIO;
        }
        if (n == 0) {
            errno = EIO;
            return MS_EIO;
        }
        p += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return MS_OK;
}

static ms_err writer_flush(ms_writer *w)
{
    size_t held = w->held;
    w->held = 0;
    return held ? write_all(w->fd, w->buffer, held) : MS_OK;
}

static ms_err writer_put(ms_writer *w, const void *bytes, size_t size)
{
    if (size > (uint64_t)INT64_MAX - w->at - 4096) {
        errno = EFBIG;
        return MS_EIO;
    }
    w->at += size;
    if (size > WRITER_BUFFER - w->held) {
        MS_TRY(writer_flush(w));
        if (size >= WRITER_BUFFER)
            return write_all(w->fd, bytes, size);
    }
    if (size)
        memcpy(w->buffer + w->held, bytes, size);
    w->held += size;
    return MS_OK;
}

static ms_err writer_pad(ms_writer *w)
{
    static const char zeros[MS_FILE_ALIGN];
    return writer_put(w, zeros, ms_align64(w->at) - w->at);
}

/* Write over bytes that were put earlier: in the buffer, in the file, or both. */
static ms_err writer_patch(ms_writer *w, uint64_t offset, const void *bytes, size_t size)
{
    uint64_t flushed = w->at - w->held;
    if (offset >= flushed) {
        memcpy(w->buffer + (offset - flushed), bytes, size);
        return MS_OK;
    }
    if (offset + size > flushed)
        MS_TRY(writer_flush(w));
    return write_at(w->fd, bytes, size, offset);
}

/* ---- opening ---- */

/* Where path really leads, and whether a file may be put there: a device, a folder or a pipe is
 * never replaced. */
static ms_err writer_resolve(ms_writer *w, ms_why *why)
{
    struct stat st;
    if (stat(w->path, &st) == 0) {
        if (!S_ISREG(st.st_mode)) {
            ms_why_set(why, "cannot write %s: it is %s", w->path,
                       S_ISDIR(st.st_mode) ? "a folder" : "not a regular file");
            return MS_EINVAL;
        }
        if (lstat(w->path, &st) == 0 && S_ISLNK(st.st_mode)) {
            if (realpath(w->path, w->real) == NULL) {
                ms_why_set(why, "cannot write %s: %s", w->path, strerror(errno));
                return MS_EIO;
            }
            return MS_OK;
        }
    }
    memcpy(w->real, w->path, strlen(w->path) + 1);
    return MS_OK;
}

static ms_err writer_open_folder(ms_writer *w, ms_why *why)
{
    char *slash = strrchr(w->real, '/');
    w->name = slash ? slash + 1 : w->real;
    if (*w->name == '\0') {
        ms_why_set(why, "cannot write '%s': it names no file", w->path);
        return MS_EINVAL;
    }
    const char *folder = ".";
    if (slash == w->real)
        folder = "/";
    else if (slash) {
        *slash = '\0';
        folder = w->real;
    }
    w->folder = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (w->folder < 0 && errno == EACCES) /* one may write into a folder that one may not list */
        w->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (w->folder < 0) {
        if (errno == ENOENT)
            ms_why_set(why, "cannot write %s: the folder %s does not exist", w->path, folder);
        else
            ms_why_set(why, "cannot write %s: %s", w->path, strerror(errno));
        return MS_EIO;
    }
    return MS_OK;
}

static ms_err writer_open_temporary(ms_writer *w, ms_why *why)
{
    for (int attempt = 0; attempt < 100; attempt++) {
        uint32_t noise = (uint32_t)attempt;
        if (syscall(SYS_getrandom, &noise, sizeof noise, GRND_NONBLOCK) < 0) /* not libc's, which keeps a state */
            noise += (uint32_t)(uintptr_t)w;
        snprintf(w->temporary, sizeof w->temporary, ".%.200s.%ld-%08x.tmp", w->name, (long)getpid(), noise);
        w->fd = openat(w->folder, w->temporary, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (w->fd >= 0)
            return MS_OK;
        if (errno != EEXIST && errno != EINTR)
            break;
    }
    w->temporary[0] = '\0';
    ms_why_set(why, "cannot write %s: %s", w->path, strerror(errno));
    return MS_EIO;
}

ms_err ms_writer_open(const char *path, ms_why *why, ms_writer **out)
{
    ms_err err = MS_OK;
    ms_writer *w = NULL;
    size_t length = strlen(path);

    *out = NULL;
    if (length == 0 || length >= PATH_MAX) {
        ms_why_set(why, length ? "cannot write a file whose path has %zu characters" : "cannot write '': it names no file",
                   length);
        return MS_EINVAL;
    }
    w = ms_sys_alloc(sizeof *w);
    if (w == NULL) {
        ms_why_set(why, "cannot write %s: %s", path, ms_err_text(MS_ENOMEM));
        return MS_ENOMEM;
    }
    w->folder = w->fd = -1;
    memcpy(w->path, path, length + 1);
    if ((err = writer_resolve(w, why)) != MS_OK)        goto done;
    if ((err = writer_open_folder(w, why)) != MS_OK)    goto done;
    if ((err = writer_open_temporary(w, why)) != MS_OK) goto done;

    ms_file_header h = {.magic = MS_FILE_MAGIC, .major = MS_FILE_MAJOR, .minor = MS_FILE_MINOR};
    h.crc = ms_file_header_crc(&h);
    if ((err = writer_put(w, &h, sizeof h)) != MS_OK)   goto done;

    *out = w;
    w = NULL;
done:
    ms_writer_abort(w);
    return err;
}

/* ---- columns ---- */

static ms_err writer_room(ms_writer *w)
{
    if (w->columns < w->room)
        return MS_OK;
    uint32_t room = w->room ? w->room * 2 : 64;
    ms_chunk *grown = ms_sys_resize(w->directory, w->room * sizeof *grown, room * sizeof *grown);
    if (grown == NULL)
        return MS_ENOMEM;
    w->directory = grown;
    w->room = room;
    return MS_OK;
}

ms_err ms_writer_column_begin(ms_writer *w, const char *table, const char *column, ms_type type, uint32_t width)
{
    ms_err err;
    if (w->err != MS_OK)
        return w->err;
    if (w->in_column || !ms_store_name_ok(table) || !ms_store_name_ok(column) || ms_type_size(type) == 0 ||
        width == 0 || width > MS_STORE_MAX_WIDTH)
        return writer_fail(w, MS_EINVAL);
    for (uint32_t i = 0; i < w->columns; i++)
        if (strcmp(w->directory[i].table, table) == 0 && strcmp(w->directory[i].column, column) == 0)
            return writer_fail(w, MS_EINVAL);
    if (w->columns == MS_STORE_MAX_COLUMNS)
        return writer_fail(w, MS_ELIMIT);
    if ((err = writer_room(w)) != MS_OK)
        return writer_fail(w, err);

    ms_chunk *c = &w->current;
    *c = (ms_chunk){.magic = MS_CHUNK_MAGIC, .kind = MS_CHUNK_COLUMN, .offset = w->at, .width = width, .type = (uint8_t)type};
    memcpy(c->table, table, strlen(table));
    memcpy(c->column, column, strlen(column));

    static const ms_chunk unknown; /* zeros: no chunk yet */
    if ((err = writer_put(w, &unknown, sizeof unknown)) != MS_OK)
        return writer_fail(w, err);
    w->in_column = true;
    return MS_OK;
}

ms_err ms_writer_append(ms_writer *w, const void *values, size_t bytes)
{
    if (w->err != MS_OK)
        return w->err;
    if (!w->in_column)
        return writer_fail(w, MS_EINVAL);
    w->current.length += bytes;
    w->current.payload_crc = ms_crc32c(w->current.payload_crc, values, bytes);
    ms_err err = writer_put(w, values, bytes);
    return err == MS_OK ? MS_OK : writer_fail(w, err);
}

ms_err ms_writer_column_end(ms_writer *w)
{
    ms_err err;
    ms_chunk *c = &w->current;
    if (w->err != MS_OK)
        return w->err;
    uint64_t row = w->in_column ? (uint64_t)c->width * ms_type_size((ms_type)c->type) : 1;
    if (!w->in_column || c->length % row != 0)
        return writer_fail(w, MS_EINVAL);
    w->in_column = false;
    c->rows = c->length / row;
    c->crc = ms_chunk_crc(c);
    if ((err = writer_pad(w)) != MS_OK || (err = writer_patch(w, c->offset, c, sizeof *c)) != MS_OK)
        return writer_fail(w, err);
    w->directory[w->columns++] = *c;
    return MS_OK;
}

ms_err ms_writer_column(ms_writer *w, const char *table, const char *column, ms_type type, uint32_t width,
                        uint64_t rows, const void *values)
{
    MS_TRY(ms_writer_column_begin(w, table, column, type, width));
    uint64_t row = (uint64_t)width * ms_type_size(type);
    if (rows > (uint64_t)INT64_MAX / row)
        return writer_fail(w, MS_EINVAL);
    MS_TRY(ms_writer_append(w, values, (size_t)(rows * row)));
    return ms_writer_column_end(w);
}

ms_err ms_writer_read(ms_writer *w, ms_why *why, ms_file **out)
{
    ms_err err = w->err;
    *out = NULL;
    if (err == MS_OK && w->in_column)
        err = MS_EINVAL;
    if (err == MS_OK && (err = writer_flush(w)) != MS_OK)
        writer_fail(w, err);
    if (err != MS_OK) {
        ms_why_set(why, "cannot read %s while it is written: %s", w->path, ms_err_text(err));
        return err;
    }
    return ms_file_of(w->fd, w->at, w->directory, w->columns, w->path, why, out);
}

/* ---- the end ---- */

void ms_writer_passing(ms_writer *w) { w->passing = true; }

static ms_err sync_file(int fd)
{
    while (fsync(fd) != 0) {
        if (errno == EINTR)
            continue;
        if (errno == EINVAL || errno == EROFS || errno == ENOSYS || errno == EBADF)
            return MS_OK; /* this kind of file cannot be forced out (EBADF: a folder opened by O_PATH) */
        return MS_EIO;
    }
    return MS_OK;
}

static ms_err writer_finish(ms_writer *w)
{
    if (w->in_column)
        return MS_EINVAL;
    uint64_t bytes = (uint64_t)w->columns * sizeof *w->directory;
    ms_chunk d = {.magic = MS_CHUNK_MAGIC, .kind = MS_CHUNK_DIRECTORY, .offset = w->at, .length = bytes,
                  .rows = w->columns, .width = sizeof *w->directory, .type = MS_TYPE_U8};
    d.payload_crc = ms_crc32c(0, w->directory, bytes);
    d.crc = ms_chunk_crc(&d);
    MS_TRY(writer_put(w, &d, sizeof d));
    MS_TRY(writer_put(w, w->directory, bytes));

    ms_file_header h = {.magic = MS_FILE_MAGIC, .major = MS_FILE_MAJOR, .minor = MS_FILE_MINOR,
                        .columns = w->columns, .directory = d.offset, .length = w->at};
    h.crc = ms_file_header_crc(&h);
    MS_TRY(writer_patch(w, 0, &h, sizeof h));
    MS_TRY(writer_flush(w));
    if (!w->passing)
        MS_TRY(sync_file(w->fd));
    if (renameat(w->folder, w->temporary, w->folder, w->name) != 0)
        return MS_EIO;
    w->temporary[0] = '\0';
    if (!w->passing)
        (void)sync_file(w->folder); /* the file is whole and in place; the folder's entry follows sooner or later */
    return MS_OK;
}

ms_err ms_writer_commit(ms_writer *w, ms_why *why)
{
    ms_err err = w->err;
    if (err == MS_OK && (err = writer_finish(w)) != MS_OK)
        writer_fail(w, err);
    if (err == MS_EIO)
        ms_why_set(why, "cannot write %s: %s", w->path, strerror(w->sys));
    else if (err != MS_OK)
        ms_why_set(why, "cannot write %s: %s", w->path, ms_err_text(err));
    ms_writer_abort(w);
    return err;
}

void ms_writer_abort(ms_writer *w)
{
    if (w == NULL)
        return;
    int saved = errno;
    if (w->temporary[0])
        unlinkat(w->folder, w->temporary, 0);
    if (w->fd >= 0)
        close(w->fd);
    if (w->folder >= 0)
        close(w->folder);
    ms_sys_free(w->directory, w->room * sizeof *w->directory);
    ms_sys_free(w, sizeof *w);
    errno = saved;
}
