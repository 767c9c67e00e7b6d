/* mark.h -- exact figures of a stretch of the run, for the process itself. The GIL is held for all of it. */
#ifndef MS_MARK_H
#define MS_MARK_H

#include "base/base.h"

typedef struct ms_mark ms_mark;

/* Since a mark, without what memsure made itself. */
typedef struct {
    uint64_t allocated_blocks, allocated_bytes;
    int64_t  live_blocks, live_bytes;           /* more, or fewer, than at the mark */
    uint64_t peak_bytes;                        /* the highest, over what was live at the mark */
    uint64_t live_blocks_now, live_bytes_now;   /* of all that is counted */
    bool     peak_by_line;                      /* the lines' peak_bytes are known */
    size_t   rows_size;
} ms_since;

typedef struct {
    const char *file, *function;                /* until the recording ends */
    int32_t  line;
    uint32_t flags;                             /* MS_CODE_* */
    uint64_t allocated_blocks, allocated_bytes;
    int64_t  live_blocks, live_bytes;
    int64_t  peak_bytes;                        /* its part of the peak since the mark */
    uint64_t collected_blocks, collected_bytes; /* that died in collections */
} ms_line;

MS_EXPORT ms_mark *ms_mark_new(void);           /* NULL: nothing is recorded, or no memory */
MS_EXPORT void     ms_mark_free(ms_mark *m);
/* lines: NULL, or gets a row for each site that moved, to be freed with ms_mark_lines_free(). MS_EINVAL: the
 * recording that the mark was made in has ended. */
MS_EXPORT ms_err   ms_mark_since(const ms_mark *m, ms_since *out, ms_line **lines, uint32_t *nlines);
MS_EXPORT void     ms_mark_lines_free(ms_line *lines, const ms_since *since);

void ms_marks_begin(void); /* a recording begins */
void ms_marks_end(void);   /* it ends: its peak is the highest of all */

#endif
