/* store.h -- the file: typed columns in checksummed chunks, readable after any cut.
 *
 * A memsure file is a small database that is written once and mapped by its readers:
 *
 *   | header | chunk | chunk | ... | chunk | directory |
 *             each: 128 bytes that describe the column, then its values, both 64-byte aligned
 *
 * The directory repeats every chunk's description, so that opening reads two places however large
 * the file is. When it is cut off or damaged, the chunks are found again one after the other, and
 * every column that is whole can be read. docs/FORMAT.md gives each byte.
 *
 * A column is (table, name, type, width, rows): rows * width values of one type. Names are 1 to 31
 * characters of a-z, 0-9 and _, beginning with a letter. Columns of one table may differ in rows.
 *
 * Threads: one at a time per writer and per file. */
#ifndef MS_STORE_H
#define MS_STORE_H

#include "base/base.h"

typedef enum {
    MS_TYPE_U8 = 1,
    MS_TYPE_I32,
    MS_TYPE_U32,
    MS_TYPE_I64,
    MS_TYPE_U64,
    MS_TYPE_F64,
    MS_TYPE_U16,
} ms_type;

size_t      ms_type_size(ms_type type);                       /* bytes of one value; 0: no such type */
const char *ms_type_name(ms_type type);                       /* "u8", ...; NULL: no such type */
bool        ms_type_find(const char *name, ms_type *out);

enum {
    MS_STORE_MAX_NAME = 31,
    MS_STORE_MAX_COLUMNS = 4096,
    MS_STORE_MAX_WIDTH = 1 << 24,
};

/* Writing. The file appears at path, whole, when ms_writer_commit() succeeds; until then, and after
 * any error, path is as it was. The first error sticks: later calls return it again and do nothing,
 * so a caller may write everything and look at commit's result alone. The file has mode 0600. */
typedef struct ms_writer ms_writer;
typedef struct ms_file ms_file;

ms_err ms_writer_open(const char *path, ms_why *why, ms_writer **out);
ms_err ms_writer_column(ms_writer *w, const char *table, const char *column, ms_type type, uint32_t width,
                        uint64_t rows, const void *values);
/* The same in pieces, for columns too large to hold: begin, append any number of times, end. The
 * bytes appended must make whole rows. One column at a time. */
ms_err ms_writer_column_begin(ms_writer *w, const char *table, const char *column, ms_type type, uint32_t width);
ms_err ms_writer_append(ms_writer *w, const void *values, size_t bytes);
ms_err ms_writer_column_end(ms_writer *w);
void   ms_writer_passing(ms_writer *w); /* the file is read at once and removed: commit need not force it to the disk */
/* The columns that have ended, to be read while w goes on: for columns that follow from others. Their checksums are not compared
 * again. The caller's, for ms_file_close(), before w ends. */
ms_err ms_writer_read(ms_writer *w, ms_why *why, ms_file **out);
/* Either ends w, whatever the result. */
ms_err ms_writer_commit(ms_writer *w, ms_why *why);
void   ms_writer_abort(ms_writer *w); /* NULL is fine */

/* Reading. No byte is trusted. Files up to 16 MiB are copied at opening, so that they cannot change
 * under the reader; larger ones are mapped, and must not be shortened while they are open. */
typedef struct {
    const char *table, *column;
    ms_type     type;
    uint32_t    width;
    uint64_t    rows;
    const void *values; /* rows * width of them, 64-byte aligned, until ms_file_close(); NULL from _entry */
} ms_column;

ms_err ms_file_open(const char *path, ms_why *why, ms_file **out);
ms_err ms_file_open_memory(const void *bytes, size_t size, const char *name, ms_why *why, ms_file **out); /* copies */
void   ms_file_close(ms_file *f); /* NULL is fine */

/* The columns there are, 0 .. count-1, as the directory describes them; their values are not read. */
uint32_t ms_file_count(const ms_file *f);
ms_err   ms_file_entry(const ms_file *f, uint32_t i, ms_column *out); /* MS_EDAMAGED: found to be damaged */

/* One column with its values. Its checksum is verified at the first call. MS_EINVAL: there is none;
 * MS_EDAMAGED: it is not what was written. why says either as a sentence. */
ms_err ms_file_column(ms_file *f, const char *table, const char *column, ms_why *why, ms_column *out);

/* What is missing, as one sentence; NULL: nothing that is known. Columns are checked as they are
 * read; ms_file_verify() checks all. The text lives until the next call on f. */
const char *ms_file_damage(ms_file *f);
const char *ms_file_verify(ms_file *f);

const char *ms_file_check(const ms_file *f); /* NULL: sound; else what is broken */

/* CRC-32C (Castagnoli), going on from crc; begin with 0. */
uint32_t ms_crc32c(uint32_t crc, const void *bytes, size_t size);

/* How the machine at hand computes it, for tests: both must agree. */
uint32_t ms_crc32c_table(uint32_t crc, const void *bytes, size_t size);

#endif
