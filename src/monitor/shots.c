/* shots.c -- the snapshots of recorded processes: asked for, waited for, and brought into the recording.
 *
 * A snapshot is taken by the program (record/moment.c) and written by a child of it, into a file of its own
 * beside the recording, PREFIX-PID-N-MOMENT.memsure: large files do not belong into /dev/shm, and should the
 * monitor be killed, that file stands for itself. The monitor follows the child by pidfd; the child outlives
 * the program, so a process that ended is written down when its last child has ended, too. Then the tables go
 * into the recording under a prefix (exit_, peak_, s001_ ...), one column at a time, and the file is removed.
 *
 *   exit     at most one       peak     the latest only, and none where the exit is nearly as high
 *   every    up to EVERY_MAX: then every second one goes and the interval doubles
 *   signal   (SIGURG to the monitor): stays the file it is
 *
 * What the live file says of a child is not trusted: names are made here, a child is only ever waited for, and
 * not for ever. What went wrong becomes the recording's snapshot_note; nothing here is an error of the run. */
#include "monitor/watch.h"
#include "store/store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHILD_NS   (660 * MS_SECOND_NS) /* the longest that a child is waited for */
#define ASK_NS     (5 * MS_SECOND_NS)   /* the longest until a safe moment */
#define ORPHAN_NS  (MS_SECOND_NS / 2)   /* until a child shows that nobody was told of */
enum { EVERY_MAX = 40 };
_Static_assert((EVERY_MAX + 2) * 92 + 200 < MS_STORE_MAX_COLUMNS, "a file has room for them: a snapshot has 79 columns, 88 with ready answers");

static const char *const names[MS_MOMENTS] = MS_MOMENT_NAMES;

/* The session's prefix, and the link by which the programs know it. */
void ms_shots_begin(ms_session *s)
{
    char folder[PATH_MAX], whole[PATH_MAX], link[560];
    const char *session = s->ask->session, *slash = strrchr(session, '/'), *name = slash ? slash + 1 : session;
    size_t length = strlen(name), end = length > 8 && strcmp(name + length - 8, ".memsure") == 0 ? length - 8 : length;
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - session + 1) : 2, slash ? session : "./");
    snprintf(link, sizeof link, "%s/" MS_SNAPSHOTS, s->live);
    s->snapshots[0] = 0;
    if (realpath(folder, whole) == NULL ||
        (size_t)snprintf(s->snapshots, sizeof s->snapshots, "%s/%.*s", strcmp(whole, "/") ? whole : "", (int)end, name) >= sizeof s->snapshots ||
        strlen(s->snapshots) > 2900 || symlink(s->snapshots, link) != 0)
        s->snapshots[0] = 0; /* none are taken then */
}

static bool path_of(const ms_session *s, const ms_process *p, const ms_photo *x, char *out)
{
    return s->snapshots[0] && snprintf(out, PATH_MAX, "%s-%ld-%u-%s%u.memsure", s->snapshots, (long)p->pid, p->n, names[x->moment], x->number) < PATH_MAX;
}

static void note(ms_process *p, uint32_t moment, const char *format, ...)
{
    if (p->snapshot_note[0])
        return; /* the first says most */
    va_list args;
    int n = snprintf(p->snapshot_note, sizeof p->snapshot_note, "%s: ", names[moment]);
    va_start(args, format);
    vsnprintf(p->snapshot_note + n, sizeof p->snapshot_note - (size_t)n, format, args);
    va_end(args);
}

/* --- the photos of a process ------------------------------------------------------------------------ */

static void forget(ms_process *p, uint32_t i)
{
    if (p->photo[i].pidfd >= 0)
        close(p->photo[i].pidfd);
    memmove(&p->photo[i], &p->photo[i + 1], (--p->nphoto - i) * sizeof p->photo[0]);
}

static void throw_away(ms_session *s, ms_process *p, uint32_t i)
{
    char path[PATH_MAX];
    if (path_of(s, p, &p->photo[i], path))
        unlink(path);
    forget(p, i);
}

/* The process that writes a snapshot of p, found by its name and the live file that it maps; 0: there is none. */
static pid_t writer_of(const ms_process *p)
{
    char path[300], text[4096], live[48];
    pid_t found = 0;
    snprintf(live, sizeof live, "/%ld-%u.live", (long)p->pid, p->n);
    DIR *dir = opendir("/proc");
    for (struct dirent *e; dir && !found && (e = readdir(dir)) != NULL;) {
        if (e->d_name[0] < '1' || e->d_name[0] > '9')
            continue;
        snprintf(path, sizeof path, "/proc/%s/comm", e->d_name);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
        if (fd >= 0)
            close(fd);
        if (n <= 0 || strncmp(text, MS_SNAPSHOT_NAME "\n", sizeof MS_SNAPSHOT_NAME) != 0)
            continue;
        snprintf(path, sizeof path, "/proc/%s/maps", e->d_name);
        fd = open(path, O_RDONLY | O_CLOEXEC);
        while (fd >= 0 && !found && (n = read(fd, text, sizeof text - 1)) > 0) { /* whole lines each time */
            text[n] = 0;
            if (strstr(text, live))
                found = (pid_t)strtol(e->d_name, NULL, 10);
        }
        if (fd >= 0)
            close(fd);
        for (uint32_t i = 0; i < p->nphoto; i++)
            if (p->photo[i].child == found)
                found = 0; /* of this one we know */
    }
    if (dir)
        closedir(dir);
    return found;
}

/* What a child that came to nothing left: its unfinished file, and perhaps a sentence. */
static void child_failed(ms_session *s, ms_process *p, ms_photo *x)
{
    char path[PATH_MAX], text[PATH_MAX + 8], begin[NAME_MAX + 32], why[200] = "";
    if (!path_of(s, p, x, path))
        return;
    snprintf(text, sizeof text, "%s.why", path);
    int fd = open(text, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = fd < 0 ? 0 : read(fd, why, sizeof why - 1);
    if (fd >= 0)
        close(fd);
    unlink(text);
    why[n > 0 ? n : 0] = 0;
    why[strcspn(why, "\n")] = 0;
    note(p, x->moment, "%s", why[0] ? why : "the process that wrote it was ended before it had");
    char *slash = strrchr(path, '/');
    int length = snprintf(begin, sizeof begin, ".%.200s.%ld-", slash + 1, (long)x->child);
    *slash = 0;
    DIR *dir = opendir(path);
    for (struct dirent *e; dir && (e = readdir(dir)) != NULL;)
        if (strncmp(e->d_name, begin, (size_t)length) == 0)
            unlinkat(dirfd(dir), e->d_name, 0);
    if (dir)
        closedir(dir);
}

static void add(ms_session *s, ms_process *p, uint32_t moment, uint32_t number, const ms_shot *shot)
{
    p->snapshot_pause_ns += shot->pause_ns;
    if (shot->child <= 0 || p->nphoto == MS_PHOTOS) {
        note(p, moment, "%.*s", (int)sizeof shot->why - 1, shot->child <= 0 ? shot->why : "there are too many");
        p->shots_over += moment == MS_MOMENT_PEAK || moment == MS_MOMENT_EXIT;
        return;
    }
    p->photo[p->nphoto++] = (ms_photo){.moment = moment, .number = number, .child = shot->child, .pidfd = ms_pidfd_open(shot->child),
                                       .t_ns = shot->t_ns, .began_ns = ms_clock_ns(), .live_bytes = shot->live_bytes};
}

static void keep(ms_session *s, ms_process *p, uint32_t i)
{
    char path[PATH_MAX];
    size_t n = path_of(s, p, &p->photo[i], path) ? strlen(path) + 1 : 0;
    if (n && s->kept_used + n > s->kept_room) {
        size_t room = s->kept_room ? 2 * s->kept_room : 65536;
        char *next = ms_sys_resize(s->kept, s->kept_room, room);
        if (next == NULL)
            n = 0; /* the file is there, only nobody says so */
        else {
            s->kept = next;
            s->kept_room = room;
        }
    }
    if (n) {
        memcpy(s->kept + s->kept_used, path, n);
        s->kept_used += n;
        s->nkept++;
    }
    forget(p, i);
}

/* A file that stands replaces others. */
static void stands(ms_session *s, ms_process *p, uint32_t i)
{
    ms_photo x = p->photo[i];
    if (x.moment == MS_MOMENT_PEAK) {
        for (uint32_t k = p->nphoto; k-- > 0;)
            if (p->photo[k].moment == MS_MOMENT_PEAK && p->photo[k].stands && p->photo[k].number < x.number)
                throw_away(s, p, k);
    } else if (x.moment == MS_MOMENT_SIGNAL) {
        keep(s, p, i);
    }
}

/* A process's CPU time, also when it has ended and nobody asked for it yet; 0: not known. */
static uint64_t worked_ns(pid_t pid)
{
    clockid_t clock;
    struct timespec t;
    if (pid <= 0 || clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return 0;
    return (uint64_t)t.tv_sec * MS_SECOND_NS + (uint64_t)t.tv_nsec;
}

static void look(ms_session *s, ms_process *p, uint32_t i, uint64_t now)
{
    char path[PATH_MAX];
    struct stat st;
    ms_photo *x = &p->photo[i];
    if (x->child == 0 && (x->child = writer_of(p)) != 0)
        x->pidfd = ms_pidfd_open(x->child);
    if (x->child == 0 && now < x->began_ns + ORPHAN_NS)
        return;
    uint64_t cpu_ns = worked_ns(x->child);
    x->cpu_ns = cpu_ns > x->cpu_ns ? cpu_ns : x->cpu_ns;
    struct pollfd f = {x->pidfd, POLLIN, 0};
    bool gone = x->pidfd >= 0 ? poll(&f, 1, 0) > 0 : true, late = now > x->began_ns + CHILD_NS;
    bool there = path_of(s, p, x, path) && stat(path, &st) == 0 && S_ISREG(st.st_mode);
    if (!gone && !there && !late)
        return;
    if (x->pidfd >= 0)
        close(x->pidfd);
    x->pidfd = -1;
    if (getpid() == 1 && x->child != s->main_pid) /* orphans are ours in a container */
        waitpid(x->child, NULL, WNOHANG | __WALL);
    /* Its work is its CPU time: on a busy machine the clock would count what others did, and the next peak would wait for that. */
    uint64_t took = x->cpu_ns ? x->cpu_ns : now > x->t_ns ? now - x->t_ns : 0;
    bool own = x->moment == MS_MOMENT_PEAK || x->moment == MS_MOMENT_EXIT;
    p->snapshot_child_ns += took;
    p->shots_over += own;
    if (x->moment == MS_MOMENT_PEAK)
        p->head->shots_ns += took;
    x->stands = there;
    if (there) {
        stands(s, p, i);
    } else {
        if (x->child)
            child_failed(s, p, x);
        forget(p, i);
    }
}

/* The program was killed while it took one: its child may live, and nobody was told of it. */
static void orphan(ms_session *s, ms_process *p, uint64_t now)
{
    uint32_t moment = __atomic_load_n(&p->head->taking, __ATOMIC_ACQUIRE) - 1;
    bool own = moment == MS_MOMENT_EXIT || moment == MS_MOMENT_PEAK;
    p->orphan_looked = true;
    if (p->nphoto < MS_PHOTOS && (own || (moment < MS_MOMENTS && moment == p->asking && p->head->ask.state == MS_ASK_TAKING)))
        p->photo[p->nphoto++] = (ms_photo){.moment = moment, .number = own ? p->shots_seen + 1 : p->asking_number, .pidfd = -1,
                                           .t_ns = now, .began_ns = now, .live_bytes = p->head->live_bytes};
}

/* --- asking ------------------------------------------------------------------------------------------ */

/* Under the file's lock; false: it must be tried again. */
bool ms_ask_begin(ms_live *head, uint32_t moment, bool values, const char *path)
{
    ms_ask *ask = &head->ask;
    if (__atomic_load_n(&ask->state, __ATOMIC_ACQUIRE) == MS_ASK_TAKING || strlen(path) >= sizeof ask->path)
        return false;
    __atomic_store_n(&ask->state, MS_ASK_NONE, __ATOMIC_RELEASE); /* of one who asked and is no more */
    ask->moment = moment;
    ask->values = values;
    strcpy(ask->path, path);
    __atomic_store_n(&ask->state, MS_ASK_ASKED, __ATOMIC_RELEASE);
    return true;
}

void ms_ask_ring(ms_live *head) { __atomic_store_n(&head->sample_left, INT64_MIN / 2, __ATOMIC_RELAXED); }

bool ms_ask_give_up(ms_live *head)
{
    uint32_t asked = MS_ASK_ASKED;
    return __atomic_compare_exchange_n(&head->ask.state, &asked, MS_ASK_NONE, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

bool ms_ask_answered(ms_live *head, ms_shot *out)
{
    ms_ask *ask = &head->ask;
    if (__atomic_load_n(&ask->state, __ATOMIC_ACQUIRE) != MS_ASK_ANSWERED)
        return false;
    *out = (ms_shot){.t_ns = ask->t_ns, .pause_ns = ask->pause_ns, .live_bytes = ask->live_bytes, .child = ask->child};
    memcpy(out->why, ask->why, sizeof out->why - 1);
    __atomic_store_n(&ask->state, MS_ASK_NONE, __ATOMIC_RELEASE);
    return true;
}

static void ask_end(ms_process *p)
{
    p->asking = 0;
    flock(p->fd, LOCK_UN);
}

static void ask_for(ms_session *s, ms_process *p, uint32_t moment, uint32_t number, uint64_t now)
{
    char path[PATH_MAX];
    ms_photo x = {.moment = moment, .number = number};
    if (!path_of(s, p, &x, path) || flock(p->fd, LOCK_EX | LOCK_NB) != 0)
        return; /* somebody else asks: at the next tick */
    if (!ms_ask_begin(p->head, moment, false, path)) {
        flock(p->fd, LOCK_UN);
        return;
    }
    p->asking = moment;
    p->asking_number = number;
    p->asking_ns = now;
    ms_ask_ring(p->head);
}

/* Too many of --snapshot=every: every second one goes. */
static void thin_out(ms_session *s, ms_process *p)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < p->nphoto; i++)
        n += p->photo[i].moment == MS_MOMENT_EVERY;
    if (n < EVERY_MAX)
        return;
    for (uint32_t i = 0, k = 0; i < p->nphoto;) {
        if (p->photo[i].moment == MS_MOMENT_EVERY && p->photo[i].stands && k++ % 2 == 0)
            throw_away(s, p, i);
        else
            i++;
    }
    p->every_step *= 2;
}

static void wishes(ms_session *s, ms_process *p, uint64_t now)
{
    if (p->asking) {
        ms_shot got;
        if (ms_ask_answered(p->head, &got)) {
            add(s, p, p->asking, p->asking_number, &got);
            ask_end(p);
        } else if (now > p->asking_ns + ASK_NS && ms_ask_give_up(p->head)) {
            note(p, p->asking, "the program did not come to a safe moment within %u s", (unsigned)(ASK_NS / MS_SECOND_NS));
            ask_end(p);
        } else {
            ms_ask_ring(p->head);
        }
        return;
    }
    if (s->signals_asked != p->signals_seen) {
        ask_for(s, p, MS_MOMENT_SIGNAL, s->signals_asked, now);
        if (p->asking)
            p->signals_seen = s->signals_asked;
    } else if (s->ask->every_ns) {
        if (p->every_step == 0) {
            p->every_step = s->ask->every_ns;
            p->every_due = p->start_ns + p->every_step;
        }
        if (now >= p->every_due) {
            ask_for(s, p, MS_MOMENT_EVERY, p->every_n + 1, now);
            if (!p->asking)
                return;
            p->every_n++;
            thin_out(s, p);
            while (p->every_due <= now)
                p->every_due += p->every_step;
        }
    }
}

/* --- what the others call ----------------------------------------------------------------------------- */

void ms_shots_look(ms_session *s, ms_process *p, uint64_t now)
{
    uint32_t taken = __atomic_load_n(&p->head->shots, __ATOMIC_ACQUIRE);
    if (taken - p->shots_seen > MS_SHOTS)
        p->shots_seen = taken - MS_SHOTS;
    while (p->shots_seen != taken) {
        ms_shot shot = p->head->shot[p->shots_seen++ % MS_SHOTS];
        shot.why[sizeof shot.why - 1] = 0;
        if (shot.moment == MS_MOMENT_EXIT || shot.moment == MS_MOMENT_PEAK)
            add(s, p, shot.moment, shot.number, &shot);
    }
    if (p->departed && !p->orphan_looked)
        orphan(s, p, now);
    for (uint32_t i = p->nphoto; i-- > 0;)
        if (i < p->nphoto && !p->photo[i].stands)
            look(s, p, i, now);
    if (!p->gone)
        wishes(s, p, now);
    else if (p->asking) { /* it answered before it ended, or will not */
        ms_shot got;
        if (ms_ask_answered(p->head, &got))
            add(s, p, p->asking, p->asking_number, &got);
        ask_end(p);
    }
    __atomic_store_n(&p->head->shots_over, p->shots_over, __ATOMIC_RELEASE);
}

bool ms_shots_pending(const ms_process *p)
{
    for (uint32_t i = 0; i < p->nphoto; i++)
        if (!p->photo[i].stands)
            return true;
    return false;
}

/* The process is given up: so are its snapshots. */
void ms_shots_drop(ms_session *s, ms_process *p)
{
    while (p->nphoto)
        throw_away(s, p, p->nphoto - 1);
}

/* Open those that go into the recording; the others are thrown away. */
void ms_shots_open(ms_session *s, ms_process *p)
{
    char path[PATH_MAX];
    ms_why why;
    uint64_t exit_bytes = 0;
    uint32_t every = 0;
    for (uint32_t i = 0; i < p->nphoto; i++)
        if (p->photo[i].moment == MS_MOMENT_EXIT && p->photo[i].stands)
            exit_bytes = p->photo[i].live_bytes;
    for (uint32_t i = 0; i < p->nphoto;) {
        ms_photo *x = &p->photo[i];
        bool surplus = x->moment == MS_MOMENT_PEAK && exit_bytes && x->live_bytes <= exit_bytes + exit_bytes / 10;
        if (!x->stands || surplus) {
            throw_away(s, p, i);
            continue;
        }
        why.text[0] = 0;
        if (x->file == NULL && (!path_of(s, p, x, path) || ms_file_open(path, &why, &x->file) != MS_OK || ms_file_damage(x->file))) {
            const char *damage = x->file ? ms_file_damage(x->file) : why.text;
            note(p, x->moment, "its file was not whole: %s", damage);
            ms_file_close(x->file);
            throw_away(s, p, i);
            continue;
        }
        if (x->moment == MS_MOMENT_EVERY)
            snprintf(x->prefix, sizeof x->prefix, "s%03u", ++every);
        else
            snprintf(x->prefix, sizeof x->prefix, "%s", names[x->moment]);
        i++;
    }
}

ms_err ms_shots_write(ms_process *p, ms_writer *w)
{
    for (uint32_t i = 0; i < p->nphoto; i++) {
        ms_file *f = p->photo[i].file;
        for (uint32_t k = 0; f && k < ms_file_count(f); k++) {
            ms_column c;
            ms_why why;
            char table[MS_STORE_MAX_NAME + 1];
            if (ms_file_entry(f, k, &c) != MS_OK ||
                snprintf(table, sizeof table, "%s_%s", p->photo[i].prefix, c.table) >= (int)sizeof table ||
                ms_file_column(f, c.table, c.column, &why, &c) != MS_OK)
                continue;
            MS_TRY(ms_writer_column(w, table, c.column, c.type, c.width, c.rows, c.values));
        }
    }
    return MS_OK;
}

/* They are in the recording, or (kept) are not, and stay files. */
void ms_shots_close(ms_session *s, ms_process *p, bool kept)
{
    for (uint32_t i = 0; i < p->nphoto; i++) {
        ms_file_close(p->photo[i].file);
        p->photo[i].file = NULL;
    }
    while (p->nphoto)
        (kept ? keep(s, p, 0) : throw_away(s, p, p->nphoto - 1));
}
