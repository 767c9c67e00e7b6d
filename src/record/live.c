/* live.c -- the shared file under ms_area: made, grown, and left behind at fork. */
#include "record/site.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* In .bss, so that its address is a constant of the hot path; the file is mapped over it. */
_Alignas(4096) ms_live ms_area;

static char path[512]; /* of the live file; empty: private memory */
static char dir_kept[400];

static const struct {
    size_t offset, entry;
    uint32_t max, first;
} region[MS_TABLES] = {
    [MS_T_TALLY] = {offsetof(ms_live, tally), sizeof(ms_tally), MS_TALLY_MAX, 2048},
    [MS_T_EXTRA] = {offsetof(ms_live, extra), sizeof(ms_extra), MS_TALLY_MAX, 256},
    [MS_T_SITE] = {offsetof(ms_live, site), sizeof(ms_site), MS_SITE_MAX, 4096},
    [MS_T_CODE] = {offsetof(ms_live, code), sizeof(ms_code), MS_CODE_MAX, 2048},
    [MS_T_NODE] = {offsetof(ms_live, node), sizeof(ms_node), MS_NODE_MAX, 1024},
    [MS_T_THREAD] = {offsetof(ms_live, thread), sizeof(ms_thread), MS_THREAD_MAX, MS_THREAD_MAX},
    [MS_T_TEXT] = {offsetof(ms_live, text), 1, MS_TEXT_MAX, 65536},
    [MS_T_COUNT] = {offsetof(ms_live, count), sizeof(ms_count), MS_TALLY_MAX, 2048},
};

/* --- where address space is limited ------------------------------------------------------------------- */

/* Each table then has room for 1 / 2^trim of its entries, and what is behind is not mapped: it may be anybody's. */
static uint32_t trim;
enum { TRIM_MAX = 5, TRIM_SHARE = 32 }; /* of the limit */

static uint32_t max_of(int t)
{
    uint32_t max = region[t].max >> trim;
    return max > region[t].first ? max : region[t].first;
}

/* The mapped parts, by pages: [0] has all before the first table, too, and that of the threads the ring behind it. */
static size_t part(int i, size_t *from)
{
    static const int order[] = {MS_T_COUNT, MS_T_TALLY, MS_T_EXTRA, MS_T_SITE, MS_T_CODE, MS_T_NODE, MS_T_THREAD, MS_T_TEXT};
    _Static_assert(sizeof order / sizeof *order == MS_TABLES, "each table is in one part");
    int t = order[i];
    size_t to = t == MS_T_THREAD ? offsetof(ms_live, text) : region[t].offset + max_of(t) * region[t].entry;
    *from = i ? region[t].offset & ~(size_t)4095 : 0;
    return ((to + 4095) & ~(size_t)4095) - *from;
}

/* Map the area anew: the file fd, or memory of our own (-1). */
static bool area_map(int fd)
{
    int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE : MAP_SHARED;
    for (int i = 0; i < MS_TABLES; i++) {
        size_t from = 0, size = trim ? part(i, &from) : sizeof ms_area;
        if (mmap((char *)&ms_area + from, size, PROT_READ | PROT_WRITE, flags | MAP_FIXED, fd, (off_t)(fd < 0 ? 0 : from)) == MAP_FAILED)
            return false;
        if (trim == 0)
            break;
    }
    return true;
}

/* Before anything is in the area. A limit that the program sets later can be kept in a better way (preload.c). */
static void area_trim(void)
{
    struct rlimit limit;
    if (getrlimit(RLIMIT_AS, &limit) != 0)
        return;
    while (trim < TRIM_MAX && sizeof ms_area >> trim > limit.rlim_cur / TRIM_SHARE)
        trim++;
    for (int i = 0; trim && i < MS_TABLES; i++) {
        size_t from, next = sizeof ms_area, end = part(i, &from) + from;
        if (i + 1 < MS_TABLES)
            part(i + 1, &next);
        if (end < next)
            munmap((char *)&ms_area + end, next - end);
    }
}

void ms_live_seal(bool yes)
{
    for (int t = 0; yes && t < MS_TABLES; t++) /* room for as much again */
        ms_live_back(t, ms_area.table[t].used * 2);
    ms_area.sealed = yes;
}

size_t ms_live_size(void)
{
    size_t sum = trim ? 0 : sizeof ms_area, from;
    for (int i = 0; trim && i < MS_TABLES; i++)
        sum += part(i, &from);
    return sum;
}

/* Have the file system set aside the bytes, so that touching them cannot fail. A signal would end the
 * call half-way (tmpfs, before Linux 6), and a program's timer may ring faster than it can be done. */
static bool reserve(int fd, size_t offset, size_t size)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool ok = posix_fallocate(fd, (off_t)offset, (off_t)size) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return ok;
}

/* By table: a growth was refused (a full disk, no descriptor to be had). It may cost as much as one that is not, so it is asked
 * for again when the monitor rings, not at each new entry. */
static bool refused[MS_TABLES];

bool ms_live_back(int t, uint32_t n)
{
    uint32_t have = ms_area.table[t].backed, want = have ? have * 2 : region[t].first;
    if (n >= max_of(t) || (path[0] && (ms_area.sealed || refused[t])))
        return false;
    while (want <= n)
        want *= 2;
    if (want > max_of(t))
        want = max_of(t);
    if (path[0]) {
        /* No descriptor is kept: the program may close or reuse any number. */
        int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
        bool ok = fd >= 0 && reserve(fd, region[t].offset + have * region[t].entry, (want - have) * region[t].entry);
        if (fd >= 0)
            close(fd);
        if (!ok)
            return !(refused[t] = true);
    }
    ms_area.table[t].backed = want;
    return true;
}

bool ms_live_back_again(void)
{
    bool any = false;
    for (int t = 0; t < MS_TABLES; t++)
        if (refused[t]) {
            refused[t] = false;
            any |= ms_live_back(t, ms_area.table[t].backed);
        }
    return any;
}

static uint64_t clock_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* Make the file and map it over the area. What the area held is gone. */
static ms_err place(void)
{
    int fd = -1;
    struct rlimit most;
    memset(refused, 0, sizeof refused);
    if (getrlimit(RLIMIT_FSIZE, &most) == 0 && most.rlim_cur < sizeof ms_area)
        goto fail; /* to go beyond it would end the program: SIGXFSZ */
    for (unsigned n = 1; n < 10000; n++) {
        int length = snprintf(path, sizeof path, "%s/%ld-%u.live", dir_kept, (long)getpid(), n);
        if (length < 0 || (size_t)length >= sizeof path)
            break;
        fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd >= 0 || errno != EEXIST)
            break;
    }
    if (fd < 0)
        goto fail;
    if (ftruncate(fd, sizeof ms_area) != 0 || !reserve(fd, 0, offsetof(ms_live, count)) ||
        !reserve(fd, offsetof(ms_live, gc), sizeof ms_area.gc))
        goto fail;
    for (int t = 0; t < MS_TABLES; t++)
        if (!reserve(fd, region[t].offset, region[t].first * region[t].entry))
            goto fail;
    if (!area_map(fd))
        goto fail;
    close(fd);
    for (int t = 0; t < MS_TABLES; t++)
        ms_area.table[t].backed = region[t].first;
    return MS_OK;
fail:
    if (fd >= 0) {
        unlink(path);
        close(fd);
    }
    path[0] = 0;
    return MS_EIO;
}

static void identify(uint32_t started)
{
    memcpy(ms_area.magic, MS_LIVE_MAGIC, 8);
    ms_area.version = MS_LIVE_VERSION;
    ms_area.size = sizeof ms_area;
    ms_area.started = started;
    ms_area.pid = (uint32_t)getpid();
    ms_area.ppid = (uint32_t)getppid();
    ms_area.start_ns = clock_ns(CLOCK_MONOTONIC);
    ms_area.start_unix_ns = clock_ns(CLOCK_REALTIME);
    if (started != MS_STARTED_FORK)
        ms_area.epoch_zero_ns = ms_area.start_ns;
    ms_area.own_base = (uint64_t)(uintptr_t)&ms_area;
    ms_area.own_size = sizeof ms_area;
}

const char *ms_live_path(void) { return path; }

ms_err ms_live_open(const char *dir)
{
    static bool before_any = true;
    if (before_any)
        area_trim();
    before_any = false;
    if (dir && strlen(dir) >= sizeof dir_kept)
        return MS_EINVAL;
    if (dir) {
        char before[sizeof path];
        strcpy(before, path);
        strcpy(dir_kept, dir);
        ms_err err = place();
        if (err != MS_OK) {
            strcpy(path, before); /* an area from before stays as it is */
            if (path[0])
                return err;
        }
        identify(MS_STARTED_PRELOAD);
        return err;
    }
    path[0] = 0;
    identify(MS_STARTED_PRELOAD);
    return MS_OK;
}

/* --- fork ---------------------------------------------------------------------------------------- */

/* The parts of the area in use, copied before fork: the parent goes on writing into the shared file
 * while the child reads. */
static char  *copy;
static size_t copy_size;

static size_t used_parts(size_t offset[], size_t size[])
{
    int n = 0;
    offset[n] = 0;
    size[n++] = offsetof(ms_live, count);
    for (int t = 0; t < MS_TABLES; t++) {
        offset[n] = region[t].offset;
        size[n++] = ms_area.table[t].used * region[t].entry;
    }
    size_t sum = 0;
    for (int i = 0; i < n; i++)
        sum += size[i];
    return sum;
}

void ms_live_fork_before(void)
{
    if (path[0] == 0)
        return; /* private memory is copied by fork itself */
    size_t offset[MS_TABLES + 1], size[MS_TABLES + 1], at = 0;
    copy_size = used_parts(offset, size);
    copy = ms_sys_alloc(copy_size);
    for (int i = 0; copy && i <= MS_TABLES; i++, at += size[i - 1])
        memcpy(copy + at, (char *)&ms_area + offset[i], size[i]);
}

void ms_live_fork_parent(void)
{
    ms_sys_free(copy, copy_size);
    copy = NULL;
}

void ms_live_fork_child(void)
{
    bool shared = path[0] != 0;
    if (shared) {
        /* First away from the parent's pages, whatever comes after. */
        ms_live *head = (ms_live *)copy;
        if (head)
            head->ready = 0; /* until it is the child's own */
        uint32_t used[MS_TABLES];
        if (!area_map(-1))
            _exit(127); /* cannot happen: it replaces mappings of the same sizes */
        bool placed = copy && !head->sealed && place() == MS_OK;
        if (!placed)
            path[0] = 0; /* it is the parent's */
        for (int t = 0; copy && t < MS_TABLES; t++) {
            used[t] = head->table[t].used;
            if (placed && used[t] > ms_area.table[t].backed && !ms_live_back(t, used[t] - 1)) {
                area_map(-1);
                unlink(path);
                path[0] = 0;
                placed = false;
                t = -1;
            }
        }
        if (copy) {
            ms_table backed[MS_TABLES];
            memcpy(backed, ms_area.table, sizeof backed);
            size_t at = 0;
            for (int i = 0; i <= MS_TABLES; i++) {
                size_t offset = i ? region[i - 1].offset : 0, size = i ? used[i - 1] * region[i - 1].entry : offsetof(ms_live, count);
                memcpy((char *)&ms_area + offset, copy + at, size);
                at += size;
            }
            for (int t = 0; t < MS_TABLES; t++)
                ms_area.table[t].backed = placed ? backed[t].backed : max_of(t);
        }
        ms_sys_free(copy, copy_size);
        copy = NULL;
    }
    for (uint32_t i = 0; i < ms_area.table[MS_T_TALLY].used; i++) {
        ms_tally *t = &ms_area.tally[i];
        ms_count *c = &ms_area.count[i];
        c->peak = t->inherited = c->live;
        c->young = 0;
        c->gen = ms_area.gen;
    }
    for (uint32_t i = 1; i < ms_area.table[MS_T_EXTRA].used; i++) {
        ms_extra *x = &ms_area.extra[i];
        uint64_t live = x->live_bytes;
        *x = (ms_extra){.live_bytes = live, .peak_bytes = live, .inherited_bytes = live};
    }
    for (uint32_t i = 0; i < ms_area.table[MS_T_NODE].used; i++) {
        ms_node *n = &ms_area.node[i];
        n->samples = 0;
        n->blocks = n->bytes = n->variance = 0;
        n->peak_bytes = n->live_bytes;
        n->gen = ms_area.gen;
    }
    ms_area.peak_bytes = ms_area.live_bytes;
    ms_area.table[MS_T_THREAD].used = 0;
    ms_area.gc_used = ms_area.ended = ms_area.gc_on = 0;
    ms_area.monitor = 0;
    ms_area.unrecorded_blocks = ms_area.before_blocks = ms_area.cold_ns = ms_area.taking_ns = 0;
    memset(&ms_area.memory_now, 0, sizeof ms_area.memory_now);
    memset(&ms_area.memory_end, 0, sizeof ms_area.memory_end);
    memset(&ms_area.memory_peak, 0, sizeof ms_area.memory_peak);
    ms_area.arrow_ns = ms_area.arrow_used = ms_area.arrow_peak = 0;
    ms_area.shots = ms_area.shots_over = ms_area.taking = 0;
    ms_area.shots_ns = 0;
    ms_area.ask.state = MS_ASK_NONE;
    if (!ms_area.sealed)
        identify(MS_STARTED_FORK);
    __atomic_store_n(&ms_area.ready, 1, __ATOMIC_RELEASE);
}
