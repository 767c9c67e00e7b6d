/* site.h -- who allocates: names, places in code, and their tallies, each kept once.
 *
 * Everything here is found by content, so two code objects made from the same text at the same place
 * (a lambda evaluated again, a module executed again) are one code, and the tables grow with the
 * program's text, not with its run time. Nothing refers to a Python object: names are copied.
 *
 * Site 0, code 0, tally 0 and node 0 stand for "no room for a record". Cold code: called once per
 * new place. One caller at a time. */
#ifndef MS_SITE_H
#define MS_SITE_H

#include "record/live.h"

/* This process's counters; live.c maps the shared file over it. */
extern MS_HIDDEN ms_live ms_area;

/* Place the area in folder dir as a file PID-N.live; with dir NULL it stays private memory. */
ms_err ms_live_open(const char *dir);
/* The live file's path; "": none. */
const char *ms_live_path(void);
/* fork(): copy what is counted so far (parent, before), drop the copy (parent, after), and move to a
 * file of the child's own, where what lives is inherited and all else starts at nothing (child). */
void ms_live_fork_before(void);
void ms_live_fork_parent(void);
void ms_live_fork_child(void);
/* Make room for entry n of a table (MS_T_*). False: the table or the disk is full. */
bool ms_live_back(int table, uint32_t n);
/* Ask once more for the room that was refused. True: some of it is there now. */
bool ms_live_back_again(void);
void ms_live_seal(bool yes);
size_t ms_live_size(void); /* of the address space that the area takes */

/* The pseudo sites. */
enum { MS_SITE_FULL, MS_SITE_BEFORE, MS_SITE_NO_FRAME, MS_SITE_NO_GIL, MS_SITE_OURS, MS_SITE_FIRST };
ms_err ms_site_init(void);
uint32_t ms_site_pseudo(const char *what, uint32_t flags); /* flags: MS_CODE_* */

uint32_t ms_text_intern(const char *text, size_t length);
uint32_t ms_code_intern(uint32_t file, uint32_t function, int32_t first_line, uint32_t flags);
uint32_t ms_site_intern(uint32_t code, int32_t line, int32_t end_line, int32_t column, int32_t end_column);
/* owner: a site, or a node in exact mode. stride: bytes a block counts for, 0 for large blocks. */
uint32_t ms_tally_intern(uint32_t owner, uint32_t stride);
uint32_t ms_node_intern(uint32_t parent, uint32_t site);
/* Give a tally its extra. False: there is no room. */
bool ms_tally_extend(ms_tally *t);
/* What a tally without one has is nothing. Not to be written then. */
static inline ms_extra *ms_tally_extra(const ms_tally *t) { return (ms_extra *)((char *)ms_area.extra + t->extra); }

/* NULL: the tables are sound; else the broken rule. */
const char *ms_site_check(void);

#endif
