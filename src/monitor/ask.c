/* ask.c -- ask a recorded process, from outside, for a snapshot.
 *
 * A recorded process maps its live file, so /proc/PID/maps leads to it; who may open it may ask. One asks at
 * a time, under the file's lock, and so does the process's own monitor. The process is rung until it
 * answers: at its next allocation it takes note, and at its next safe moment the snapshot. A process that runs
 * no Python code does not come to one; then the wish is taken back. */
#include "monitor/watch.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define HEAD_SIZE offsetof(ms_live, tally)
enum { LOOK_NS = 3000000 };

static void pause_for(int pidfd)
{
    struct pollfd f = {pidfd, POLLIN, 0};
    struct timespec wait = {0, LOOK_NS};
    ppoll(&f, pidfd >= 0, &wait, NULL);
}

static bool ended(int pidfd)
{
    struct pollfd f = {pidfd, POLLIN, 0};
    return pidfd < 0 || poll(&f, 1, 0) > 0;
}

/* "it belongs to user www-data". */
static void say_owner(pid_t pid, const char *what, ms_ask_result *out, ms_why *why)
{
    char path[64], number[32], buffer[2048];
    struct stat st;
    struct passwd entry, *found = NULL;
    snprintf(path, sizeof path, "/proc/%ld", (long)pid);
    if (stat(path, &st) != 0) {
        ms_why_set(why, "no process %ld is running", (long)pid);
        return;
    }
    snprintf(number, sizeof number, "%lu", (unsigned long)st.st_uid);
    if (getpwuid_r(st.st_uid, &entry, buffer, sizeof buffer, &found) != 0)
        found = NULL;
    const char *name = found ? found->pw_name : number;
    if (st.st_uid == geteuid()) {
        ms_why_set(why, "cannot look into process %ld: %s", (long)pid, what);
        return;
    }
    ms_why_set(why, "cannot ask process %ld: it belongs to user %s", (long)pid, name);
    snprintf(out->hint, sizeof out->hint, "sudo -u %.100s memsure snapshot %ld", name, (long)pid);
}

/* The live file that pid maps: opened, or -1. */
static int live_file_of(pid_t pid, ms_ask_result *out, ms_why *why)
{
    char path[PATH_MAX], line[PATH_MAX + 256], found[PATH_MAX] = "", begin[32];
    size_t have = 0;
    ssize_t got;
    snprintf(path, sizeof path, "/proc/%ld/maps", (long)pid);
    snprintf(begin, sizeof begin, "/%ld-", (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        say_owner(pid, strerror(errno), out, why);
        return -1;
    }
    bool denied = false, any = false;
    while ((got = read(fd, line + have, sizeof line - 1 - have)) > 0 || (got < 0 && errno == EINTR)) {
        if (got < 0)
            continue;
        any = true;
        have += (size_t)got;
        line[have] = 0;
        char *at = line, *end;
        for (; (end = strchr(at, '\n')) != NULL; at = end + 1) {
            *end = 0;
            char *file = strchr(at, '/'), *slash = file ? strrchr(file, '/') : NULL;
            size_t n = file ? strlen(file) : 0;
            if (slash && n < sizeof found && strncmp(slash, begin, strlen(begin)) == 0 && strstr(slash, ".live"))
                memcpy(found, file, n + 1);
        }
        have = strlen(at);
        memmove(line, at, have + 1);
        if (have > sizeof line / 2)
            have = 0; /* a path that is longer than any */
    }
    denied = got < 0 && (errno == EACCES || errno == EPERM);
    close(fd);
    if (denied || (!any && kill(pid, 0) != 0 && errno == EPERM)) {
        say_owner(pid, strerror(EACCES), out, why);
        return -1;
    }
    size_t n = strlen(found);
    if (found[0] == 0) {
        char state;
        uint64_t start, cpu;
        bool children;
        int code;
        if (!ms_proc_stat(pid, &state, &start, &cpu, &children, &code) || state == 'Z' || state == 'X') {
            ms_why_set(why, "process %ld has ended", (long)pid);
        } else {
            ms_why_set(why, "process %ld is not recorded by memsure", (long)pid);
            snprintf(out->hint, sizeof out->hint, "memsure run app.py");
        }
        return -1;
    }
    if (n > 10 && strcmp(found + n - 10, " (deleted)") == 0) {
        ms_why_set(why, "process %ld is not recorded any more: the memsure that had started it has ended", (long)pid);
        return -1;
    }
    fd = open(found, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 && (size_t)snprintf(path, sizeof path, "/proc/%ld/root%s", (long)pid, found) < sizeof path)
        fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK); /* another place for its files */
    if (fd < 0)
        say_owner(pid, strerror(errno), out, why);
    return fd;
}

/* memsure run itself was meant? Then its program is, among what it started. */
static void hint_program(pid_t pid, ms_ask_result *out)
{
    char path[96], text[256] = "";
    ms_ask_result none;
    ms_why why;
    snprintf(path, sizeof path, "/proc/%ld/task/%ld/children", (long)pid, (long)pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    char *at = text, *end;
    for (long child; (child = strtol(at, &end, 10)) > 0 && end != at; at = end)
        if ((fd = live_file_of((pid_t)child, &none, &why)) >= 0) {
            close(fd);
            snprintf(out->hint, sizeof out->hint, "memsure snapshot %ld", child);
            break;
        }
}

static ms_err wait_for_file(pid_t pid, pid_t child, const char *path, ms_why *why)
{
    struct stat st;
    int fd = ms_pidfd_open(child);
    while (!ended(fd) && stat(path, &st) != 0)
        pause_for(fd);
    if (fd >= 0)
        close(fd);
    if (stat(path, &st) == 0)
        return MS_OK;
    char name[PATH_MAX + 8], text[600] = "";
    snprintf(name, sizeof name, "%s.why", path);
    fd = open(name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    unlink(name);
    text[n > 0 ? n : 0] = 0;
    text[strcspn(text, "\n")] = 0;
    ms_why_set(why, "process %ld took a snapshot, but %s", (long)pid, text[0] ? text : "what wrote it was ended before it had");
    return MS_EIO;
}

ms_err ms_ask_snapshot(pid_t pid, const char *path, bool values, uint64_t wait_ns, ms_ask_result *out, ms_why *why)
{
    ms_err err = MS_EIO;
    struct stat st;
    ms_live *head = MAP_FAILED;
    ms_shot got = {0};
    uint64_t began = ms_clock_ns(), until = began + wait_ns;
    int fd = -1, pidfd = -1;
    memset(out, 0, sizeof *out);
    if (pid <= 0 || (kill(pid, 0) != 0 && errno == ESRCH)) {
        ms_why_set(why, "no process %ld is running", (long)pid);
        return MS_EINVAL;
    }
    pidfd = ms_pidfd_open(pid);
    if ((fd = live_file_of(pid, out, why)) < 0) {
        hint_program(pid, out);
        goto done;
    }
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size < (off_t)HEAD_SIZE ||
        (head = mmap(NULL, HEAD_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)) == MAP_FAILED ||
        memcmp(head->magic, MS_LIVE_MAGIC, sizeof head->magic) != 0 || head->version != MS_LIVE_VERSION || head->pid != (uint32_t)pid) {
        ms_why_set(why, "cannot ask process %ld: it is recorded by another version of memsure", (long)pid);
        goto done;
    }
    bool locked = false, asked = false, answered = false;
    for (uint64_t now = began; !answered; now = ms_clock_ns()) {
        if (ended(pidfd) || __atomic_load_n(&head->ended, __ATOMIC_ACQUIRE)) {
            ms_why_set(why, "process %ld has ended, before it took the snapshot", (long)pid);
            goto done;
        }
        if (!locked)
            locked = flock(fd, LOCK_EX | LOCK_NB) == 0;
        if (locked && !asked)
            asked = ms_ask_begin(head, MS_MOMENT_CALL, values, path);
        if (asked) {
            ms_ask_ring(head);
            answered = ms_ask_answered(head, &got);
        }
        if (!answered && now > until && (!asked || ms_ask_give_up(head))) {
            if (locked)
                ms_why_set(why, "process %ld did not come to a safe moment within %.3g s: it waits, or runs no Python code", (long)pid, (double)wait_ns / 1e9);
            else
                ms_why_set(why, "process %ld is being asked for another snapshot, for %.3g s by now", (long)pid, (double)wait_ns / 1e9);
            snprintf(out->hint, sizeof out->hint, "memsure snapshot %ld --wait 60", (long)pid);
            goto done;
        }
        if (!answered)
            pause_for(pidfd);
    }
    if (got.child <= 0) {
        got.why[sizeof got.why - 1] = 0;
        ms_why_set(why, "process %ld could not take a snapshot: %s", (long)pid, got.why);
        goto done;
    }
    flock(fd, LOCK_UN);
    out->pause_ns = got.pause_ns;
    out->live_bytes = got.live_bytes;
    err = wait_for_file(pid, got.child, path, why);
    out->child_ns = ms_clock_ns() - got.t_ns;
done:
    if (head != MAP_FAILED)
        munmap(head, HEAD_SIZE);
    if (fd >= 0)
        close(fd);
    if (pidfd >= 0)
        close(pidfd);
    return err;
}
