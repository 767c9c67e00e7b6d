/* place.c -- what is at the session path: nothing, one file, or a folder of files.
 *
 * The first recording written is put at the session path itself. When a second process has one, the
 * path becomes a folder PID-N.memsure of them: it is prepared beside the path, with a link to the file
 * that is there, and the two change names in one step (renameat2). When in the end a single file is
 * left (the other was a child that turned out to be nothing), they change back. */
#include "monitor/watch.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void folder_of(const char *path, char *out, size_t room)
{
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(out, room, ".");
    else
        snprintf(out, room, "%.*s", slash == path ? 1 : (int)(slash - path), path);
}

ms_err ms_place_check(const ms_run_ask *ask, ms_why *why)
{
    struct stat st;
    char folder[PATH_MAX];
    const char *path = ask->session, *slash = strrchr(path, '/');
    if (strlen(path) >= PATH_MAX - 64 || (slash ? slash[1] : path[0]) == 0) {
        ms_why_set(why, path[0] ? "cannot write %.200s: it names no file" : "cannot write '%.200s': it names no file", path);
        return MS_EINVAL;
    }
    folder_of(path, folder, sizeof folder);
    if (stat(folder, &st) != 0 || !S_ISDIR(st.st_mode)) {
        ms_why_set(why, "cannot write %s: the folder %s does not exist", path, folder);
        return MS_EIO;
    }
    if (faccessat(AT_FDCWD, folder, W_OK | X_OK, AT_EACCESS) != 0) {
        ms_why_set(why, "cannot write %s: %s", path, strerror(errno));
        return MS_EIO;
    }
    if (lstat(path, &st) == 0 && !(ask->replace && S_ISREG(st.st_mode))) {
        ms_why_set(why, "%s is there already: choose another name with -o", path);
        return MS_EINVAL;
    }
    /* What a file system refuses it says when it is asked for a file. */
    ms_writer *w;
    ms_err err = ms_writer_open(path, why, &w);
    if (err == MS_OK)
        ms_writer_abort(w);
    return err;
}

/* The next free N for a process of this pid: numbers come back, files stay. */
static bool number(ms_session *s, ms_process *p)
{
    if (p->file_n)
        return true;
    uint32_t n = 1;
    for (uint32_t i = 0; i < s->nwritten; i++)
        if (s->written[i].pid == p->pid && s->written[i].n >= n)
            n = s->written[i].n + 1;
    if (s->nwritten == s->written_room) {
        uint32_t room = s->written_room ? 2 * s->written_room : 512;
        ms_written *next = ms_sys_resize(s->written, s->written_room * sizeof *next, room * sizeof *next);
        if (next == NULL)
            return false;
        s->written = next;
        s->written_room = room;
    }
    s->written[s->nwritten++] = (ms_written){p->pid, n};
    p->file_n = n;
    return true;
}

static void file_path(const char *folder, ms_written w, char *out)
{
    if (snprintf(out, PATH_MAX, "%s/%ld-%u.memsure", folder, (long)w.pid, w.n) >= PATH_MAX)
        out[0] = 0;
}

/* Give two things beside each other each other's name. Where the file system cannot do that in one
 * step, a moment remains in which there is nothing under the first name. */
static bool exchange(const char *a, const char *b)
{
    if (renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE) == 0)
        return true;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
        return false;
    char aside[PATH_MAX + 8];
    snprintf(aside, sizeof aside, "%s.tmp", b);
    return rename(a, aside) == 0 && rename(b, a) == 0 && rename(aside, b) == 0;
}

static bool hidden_folder(const char *session, char *out)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(session, '/');
    folder_of(session, folder, sizeof folder);
    if (snprintf(out, PATH_MAX, "%s/.%.150s-XXXXXX", folder, slash ? slash + 1 : session) >= PATH_MAX)
        return false;
    return mkdtemp(out) != NULL;
}

/* session: file -> folder with that file, of the process first. */
static bool to_folder(ms_session *s, ms_written first)
{
    char hidden[PATH_MAX], inside[PATH_MAX];
    const char *session = s->ask->session;
    if (!hidden_folder(session, hidden))
        return false;
    file_path(hidden, first, inside);
    if (link(session, inside) == 0) {
        if (exchange(session, hidden)) {
            unlink(hidden); /* the file's other name */
            return true;
        }
        unlink(inside);
    } else if (rename(session, inside) == 0) { /* no links here */
        if (rename(hidden, session) == 0)
            return true;
        rename(inside, session);
    }
    int saved = errno;
    rmdir(hidden);
    errno = saved;
    return false;
}

/* session: folder with one file -> that file. */
static void to_file(ms_session *s, ms_written last)
{
    char hidden[PATH_MAX], inside[PATH_MAX], folder[PATH_MAX];
    const char *session = s->ask->session;
    if (!hidden_folder(session, hidden))
        return;
    rmdir(hidden); /* its name is what we need */
    file_path(session, last, inside);
    if (link(inside, hidden) == 0 && exchange(session, hidden)) {
        /* the folder is now hidden */
        file_path(hidden, last, folder);
        unlink(folder);
        rmdir(hidden);
        s->folder = false;
    } else {
        unlink(hidden);
    }
}

static uint32_t index_of(const ms_session *s, const ms_process *p)
{
    for (uint32_t i = 0; i < s->nwritten; i++)
        if (s->written[i].pid == p->pid && s->written[i].n == p->file_n)
            return i;
    return UINT32_MAX;
}

void ms_place_write(ms_session *s, ms_process *p, bool final)
{
    char path[PATH_MAX];
    ms_why why = {""};
    uint64_t began = ms_clock_ns();
    bool fresh = p->file_n == 0;
    if (!number(s, p)) {
        ms_session_problem(s, "process %ld could not be recorded: %s", (long)p->pid, ms_err_text(MS_ENOMEM));
        return;
    }
    if (!s->folder && s->placed && s->nwritten > 1) {
        ms_written first = s->written[0];
        if (to_folder(s, first)) {
            s->folder = true;
        } else {
            ms_session_problem(s, "cannot make %s a folder for several processes: %s", s->ask->session, strerror(errno));
            s->nwritten--;
            p->file_n = 0;
            return;
        }
    }
    if (s->folder)
        file_path(s->ask->session, (ms_written){p->pid, p->file_n}, path);
    else
        snprintf(path, sizeof path, "%s", s->ask->session);
    if (final) {
        p->snapshot_wait_ns = p->gone && began > p->end_ns && p->snapshot_child_ns ? began - p->end_ns : 0;
        ms_shots_open(s, p);
    }
    ms_err err = ms_write_process(s, p, path, final, ms_clock_ns(), &why);
    bool kept = err != MS_OK && p->nphoto;
    if (final)
        ms_shots_close(s, p, kept);
    if (kept) { /* no room for both, perhaps: what was written is not lost */
        snprintf(p->snapshot_note, sizeof p->snapshot_note, "the snapshots are in files of their own, %.150s-%ld-...", s->snapshots, (long)p->pid);
        why.text[0] = 0;
        err = ms_write_process(s, p, path, final, ms_clock_ns(), &why);
    }
    if (err == MS_OK) {
        s->placed = true;
    } else {
        bool full = strstr(why.text, strerror(ENOSPC)) || strstr(why.text, strerror(EDQUOT));
        ms_session_problem(s, full ? "the disk is full: %s" : "%s", why.text[0] ? why.text : ms_err_text(err));
        if (fresh) { /* nothing of it is there */
            s->nwritten--;
            p->file_n = 0;
        }
    }
    if (!final)
        s->write_spent += ms_clock_ns() - began;
}

void ms_place_forget(ms_session *s, ms_process *p)
{
    char path[PATH_MAX];
    uint32_t i = index_of(s, p);
    if (i == UINT32_MAX)
        return;
    if (s->folder) {
        file_path(s->ask->session, s->written[i], path);
        unlink(path);
    } else {
        unlink(s->ask->session);
        s->placed = false;
    }
    s->written[i] = s->written[--s->nwritten];
    p->file_n = 0;
}

void ms_place_finish(ms_session *s, ms_run_result *out)
{
    if (s->nwritten == 0 && s->spare) /* the only one: better than nothing */
        ms_place_write(s, s->spare, true);
    if (s->folder && s->nwritten == 1)
        to_file(s, s->written[0]);
    if (s->folder && s->nwritten == 0)
        rmdir(s->ask->session);
    size_t each = strlen(s->ask->session) + 48;
    out->size = s->nwritten * each;
    out->recordings = out->size ? ms_sys_alloc(out->size) : NULL;
    if (out->recordings == NULL)
        return;
    char *at = out->recordings;
    for (uint32_t i = 0; i < s->nwritten; i++) {
        char path[PATH_MAX];
        if (s->folder)
            file_path(s->ask->session, s->written[i], path);
        else
            snprintf(path, sizeof path, "%s", s->ask->session);
        at += snprintf(at, each, "%s", path) + 1;
        out->count++;
    }
}
