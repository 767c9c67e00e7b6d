/* ready_copy.h -- a snapshot file again, column by column, with the ready answers that its child would have written. */
#ifndef MS_READY_COPY_H
#define MS_READY_COPY_H

#include "graph/ready.h"
#include "test.h"

typedef struct {
    const char *table, *column; /* gets other values, of the same type and width */
    const void *values;
    uint64_t    rows;           /* 0: as many as before */
} ready_other;

/* Without them for ready false. other (NULL: none): up to a row without a table. */
static ms_err ready_copy(const char *from, const char *path, bool ready, const ready_other *other, ms_why *why)
{
    ms_file *f = NULL;
    ms_writer *w = NULL;
    ms_err err = ms_file_open(from, why, &f);
    if (err == MS_OK)
        err = ms_writer_open(path, why, &w);
    if (w)
        ms_writer_passing(w);
    for (uint32_t i = 0; err == MS_OK && i < ms_file_count(f); i++) {
        ms_column c;
        (void)ms_file_entry(f, i, &c);
        err = ms_file_column(f, c.table, c.column, why, &c);
        for (const ready_other *o = other; o && o->table; o++)
            if (strcmp(c.table, o->table) == 0 && strcmp(c.column, o->column) == 0) {
                c.values = o->values;
                c.rows = o->rows ? o->rows : c.rows;
            }
        if (err == MS_OK)
            err = ms_writer_column(w, c.table, c.column, c.type, c.width, c.rows, c.values);
    }
    if (err == MS_OK && ready)
        (void)ms_ready_write(w, "", NULL, why); /* what fails is left out */
    if (w && err == MS_OK)
        err = ms_writer_commit(w, why);
    else
        ms_writer_abort(w);
    ms_file_close(f);
    return err;
}

#endif
