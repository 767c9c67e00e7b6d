/* proc.c -- what the kernel tells of a process, and what its RSS is made of.
 *
 * Beside RSS, smaps tells what a forked process did not leave shared, how much is in huge pages, and which segments
 * of shared memory are mapped. Whether huge pages are used is looked at in the memory itself: a sample of small parts of some
 * of them, read as a debugger would (/proc/PID/mem); the program does not notice.
 *
 * statm (the RSS) is read at every tick through a descriptor that is kept: it belongs to the process,
 * not to its number. smaps is dear (it walks the page tables, 1 to 10 ms per GiB), and read seldom.
 *
 * The split of RSS takes what the kernel counts by mapping and divides it by what the program counts:
 *   slab range        tags, Python's small blocks, and the rest: slab holes
 *   anonymous, heap   large Python blocks, malloc's live and free memory, and the rest: unaccounted
 *   memsure's own     the live file and libmemsure's mappings; with the tags, the row "memsure"
 *   stacks, files, shared memory: as mapped
 * A count may exceed what is resident (a bytearray of zeros that nobody touched): each part is limited
 * to what is left of its mapping, so that no row is negative and the rows add up to RSS exactly. */
#include "monitor/watch.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

const char *const ms_split_names[MS_SPLITS] = {
    "python_live", "slab_holes", "memsure", "native_live", "native_free", "stacks", "files", "shared", "unaccounted", "rss",
};

static size_t page_size(void)
{
    static size_t size;
    return size ? size : (size = (size_t)sysconf(_SC_PAGESIZE));
}

/* A whole small file; the text ends with NUL. -1: it cannot be read. */
static ssize_t slurp(const char *path, char *text, size_t room)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    size_t n = 0;
    ssize_t got;
    while (n < room - 1 && (got = read(fd, text + n, room - 1 - n)) > 0)
        n += (size_t)got;
    close(fd);
    text[n] = 0;
    return n ? (ssize_t)n : -1;
}

static uint64_t tick_ns(void) { return MS_SECOND_NS / (uint64_t)sysconf(_SC_CLK_TCK); }

bool ms_proc_stat(pid_t pid, char *state, uint64_t *start, uint64_t *cpu_ns, bool *had_children, int *exit_code)
{
    char path[64], text[2048];
    snprintf(path, sizeof path, "/proc/%ld/stat", (long)pid);
    if (slurp(path, text, sizeof text) < 0)
        return false;
    char *at = strrchr(text, ')'); /* the name may hold anything */
    if (at == NULL || at[1] != ' ')
        return false;
    *state = at[2];
    unsigned long long field[53] = {0};
    at += 3;
    for (int i = 4; i <= 52 && *at; i++)
        field[i] = strtoull(at, &at, 10);
    *cpu_ns = (field[14] + field[15]) * tick_ns();
    *had_children = field[11] || field[13] || field[16] || field[17];
    *start = field[22];
    *exit_code = (int)field[52];
    return true;
}

bool ms_proc_started_before(uint64_t kernel_start, uint64_t monotonic_ns)
{
    struct timespec boot, mono;
    clock_gettime(CLOCK_BOOTTIME, &boot);
    clock_gettime(CLOCK_MONOTONIC, &mono);
    int64_t asleep = (int64_t)(boot.tv_sec - mono.tv_sec) * (int64_t)MS_SECOND_NS + (boot.tv_nsec - mono.tv_nsec);
    return (int64_t)(kernel_start * tick_ns()) - asleep <= (int64_t)(monotonic_ns + 2 * tick_ns());
}

bool ms_proc_rss(ms_process *p)
{
    char text[128];
    ssize_t n = p->statm < 0 ? -1 : pread(p->statm, text, sizeof text - 1, 0);
    if (n <= 0)
        return false;
    text[n] = 0;
    char *at;
    strtoull(text, &at, 10);
    uint64_t rss = strtoull(at, NULL, 10) * page_size();
    if (rss == 0) /* a zombie */
        return false;
    p->rss = rss;
    if (rss > p->peak_rss)
        p->peak_rss = rss;
    return true;
}

/* --- shared memory -------------------------------------------------------------------------------- */

static void segment_note(ms_process *p, const char *name)
{
    size_t size = strlen(name) + 1, used = 0;
    if (strchr(name, '/') || strstr(name, " (deleted)") || strncmp(name, "memsure-", 8) == 0)
        return;
    while (used < sizeof p->segments && p->segments[used]) {
        if (strcmp(p->segments + used, name) == 0)
            return;
        used += strlen(p->segments + used) + 1;
    }
    if (used + size < sizeof p->segments)
        memcpy(p->segments + used, name, size);
}

static bool segment_of(const ms_process *p, const char *name)
{
    for (size_t at = 0; at < sizeof p->segments && p->segments[at]; at += strlen(p->segments + at) + 1)
        if (strcmp(p->segments + at, name) == 0)
            return true;
    return false;
}

uint64_t ms_proc_segments_left(const ms_session *s, const ms_process *p, char *out, size_t room)
{
    char words[sizeof p->segments];
    size_t n = 0;
    uint64_t bytes = 0;
    for (size_t at = 0; at < sizeof p->segments && p->segments[at]; at += strlen(p->segments + at) + 1) {
        const char *name = p->segments + at;
        char path[16 + sizeof p->segments];
        struct stat st;
        bool used = false;
        for (uint32_t i = 0; i < s->nprocess; i++)
            used = used || (s->process[i] != p && !s->process[i]->gone && segment_of(s->process[i], name));
        snprintf(path, sizeof path, "/dev/shm/%s", name);
        if (used || lstat(path, &st) != 0 || !S_ISREG(st.st_mode) ||
            (uint64_t)st.st_ctim.tv_sec * MS_SECOND_NS + (uint64_t)st.st_ctim.tv_nsec < p->start_unix_ns)
            continue; /* it was there before the program */
        memcpy(words + n, name, strlen(name) + 1);
        n += strlen(name) + 1;
        bytes += (uint64_t)st.st_blocks * 512;
    }
    ms_json_list(words, n, out, room);
    return bytes;
}

/* The names of the shared memory that it has mapped: each time that it has more of it. */
static void segments_look(ms_process *p, uint64_t shared)
{
    enum { MORE = 512 << 10 }; /* memsure's own tables grow, too, by less */
    static const char folder[] = " /dev/shm/";
    char path[64], line[1024];
    if (shared < p->shared_seen + MORE)
        return;
    p->shared_seen = shared;
    snprintf(path, sizeof path, "/proc/%ld/maps", (long)p->pid);
    FILE *maps = fopen(path, "re");
    while (maps && fgets(line, sizeof line, maps)) {
        char *name = strstr(line, folder);
        if (name) {
            name[strcspn(name, "\n")] = 0;
            segment_note(p, name + strlen(folder));
        }
    }
    if (maps)
        fclose(maps);
}

void ms_proc_peak_rss(ms_process *p)
{
    char path[64], text[4096];
    snprintf(path, sizeof path, "/proc/%ld/status", (long)p->pid);
    if (slurp(path, text, sizeof text) < 0)
        return;
    const char *at = strstr(text, "\nVmHWM:");
    uint64_t peak = at ? strtoull(at + 7, NULL, 10) * 1024 : 0;
    if (peak > p->peak_rss)
        p->peak_rss = peak;
    if ((at = strstr(text, "\nRssShmem:")) != NULL)
        segments_look(p, strtoull(at + 10, NULL, 10) * 1024);
}

void ms_proc_cpu(ms_process *p)
{
    clockid_t clock;
    struct timespec t;
    if (clock_getcpuclockid(p->pid, &clock) != 0 || clock_gettime(clock, &t) != 0)
        return;
    uint64_t ns = (uint64_t)t.tv_sec * MS_SECOND_NS + (uint64_t)t.tv_nsec;
    if (ns > p->cpu_ns)
        p->cpu_ns = ns;
}

void ms_proc_threads(ms_process *p)
{
    uint32_t used = ms_live_used(p, MS_T_THREAD);
    for (; p->ncomm < used; p->ncomm++) {
        ms_thread thread;
        char path[96], text[64];
        if (!ms_live_read(p, MS_T_THREAD, p->ncomm, 1, &thread))
            return;
        snprintf(path, sizeof path, "/proc/%ld/task/%llu/comm", (long)p->pid, (unsigned long long)thread.id);
        if (slurp(path, text, sizeof text) > 0)
            snprintf(p->comm[p->ncomm], sizeof p->comm[0], "%.*s", (int)strcspn(text, "\n"), text);
    }
}

/* --- how it ended --------------------------------------------------------------------------------- */

struct pidfd_info_v0 { /* linux/pidfd.h, since 6.13 */
    uint64_t mask, cgroupid;
    uint32_t pid, tgid, ppid, ids[8];
    int32_t  exit_code;
};
#define PIDFD_GET_INFO_V0 _IOWR(0xFF, 11, struct pidfd_info_v0)
#define PIDFD_INFO_EXIT_BIT (1ull << 3) /* since 6.15 */

bool ms_proc_exit(const ms_process *p, int *status)
{
    char state;
    uint64_t start, cpu;
    bool had_children;
    /* A zombie still says it to its owner; later the descriptor does. */
    if (ms_proc_stat(p->pid, &state, &start, &cpu, &had_children, status) && start == p->kernel_start &&
        (state == 'Z' || state == 'X')) {
        char path[64];
        struct stat st;
        snprintf(path, sizeof path, "/proc/%ld", (long)p->pid);
        /* The field reads 0 for those who may not trace the process. */
        if (*status != 0 || (stat(path, &st) == 0 && st.st_uid == geteuid()))
            return true;
    }
    for (int attempt = 0; p->pidfd >= 0 && attempt < 9; attempt++) { /* 0.1 s in all: who reaps it may have lost the processor */
        struct pidfd_info_v0 info = {.mask = PIDFD_INFO_EXIT_BIT};
        if (ioctl(p->pidfd, PIDFD_GET_INFO_V0, &info) != 0)
            return false;
        if (info.mask & PIDFD_INFO_EXIT_BIT) {
            *status = info.exit_code;
            return true;
        }
        usleep(200u << attempt); /* between zombie and gone */
    }
    return false;
}

/* --- who it is ------------------------------------------------------------------------------------ */

/* The length of the UTF-8 character at s, 0 when it is none. */
static int utf8(const unsigned char *s)
{
    if (s[0] < 0x80)
        return 1;
    int n = s[0] >= 0xC2 && s[0] < 0xE0 ? 2 : s[0] >= 0xE0 && s[0] < 0xF0 ? 3 : s[0] >= 0xF0 && s[0] < 0xF5 ? 4 : 0;
    for (int i = 1; i < n; i++)
        if ((s[i] & 0xC0) != 0x80)
            return 0;
    if ((s[0] == 0xE0 && s[1] < 0xA0) || (s[0] == 0xED && s[1] > 0x9F) || (s[0] == 0xF0 && s[1] < 0x90) ||
        (s[0] == 0xF4 && s[1] > 0x8F))
        return 0;
    return n;
}

void ms_json_list(const char *words, size_t size, char *out, size_t room)
{
    size_t n = 0, end = 0; /* end: after the last whole word */
    out[n++] = '[';
    for (size_t i = 0; i < size;) {
        if (n + 8 >= room)
            break;
        if (end)
            out[n++] = ',', out[n++] = ' ';
        out[n++] = '"';
        bool whole = false;
        for (; i < size && n + 12 < room;) {
            unsigned char c = (unsigned char)words[i];
            int length = utf8((const unsigned char *)words + i);
            if (c == 0) {
                whole = true;
                i++;
                break;
            }
            if (c == '"' || c == '\\') {
                out[n++] = '\\';
                out[n++] = (char)c;
            } else if (c < 0x20 || c == 0x7F) {
                n += (size_t)snprintf(out + n, room - n, "\\u%04x", c);
            } else if (length == 0) { /* as Python's surrogateescape */
                n += (size_t)snprintf(out + n, room - n, "\\udc%02x", c);
                length = 1;
            } else {
                memcpy(out + n, words + i, (size_t)length);
                n += (size_t)length;
            }
            i += length ? (size_t)length : 1;
        }
        out[n++] = '"';
        end = n;
        if (!whole)
            break; /* the last word without NUL, or too long: cut */
    }
    out[n++] = ']';
    out[n] = 0;
}

static bool takes_value(const char *option) { return strcmp(option, "-W") == 0 || strcmp(option, "-X") == 0 || strcmp(option, "--check-hash-based-pycs") == 0; }

/* A short name, and the file whose top level is the program: everything else's is import time. */
static void name_command(ms_process *p, const char *words, size_t size)
{
    const char *end = words + size, *at = words + strlen(words) + 1, *name = words;
    p->main_file[0] = 0;
    for (; at < end; at += strlen(at) + 1) {
        if (strcmp(at, "--") == 0)
            continue;
        if (at[0] == '-' && at[1] != '-' && at[1] != 0) { /* the letters of one option may end in m or c */
            size_t cut = strcspn(at, "cmWX");
            const char *value = at[cut] && at[cut + 1] ? at + cut + 1 : at + strlen(at) + 1;
            if (at[cut] == 'm' && value < end) {
                snprintf(p->command, sizeof p->command, "%s", value);
                snprintf(p->main_file, sizeof p->main_file, "%s", value);
                for (char *c = p->main_file; *c; c++)
                    *c = *c == '.' ? '/' : *c;
                return;
            }
            if (at[cut] == 'c') {
                snprintf(p->command, sizeof p->command, "-c");
                snprintf(p->main_file, sizeof p->main_file, "<string>");
                return;
            }
            if ((at[cut] == 'W' || at[cut] == 'X') && at[cut + 1] == 0)
                at = value < end ? value : at;
            continue;
        }
        if (at[0] == '-' && at[1] == '-') {
            if (takes_value(at) && at + strlen(at) + 1 < end)
                at += strlen(at) + 1;
            continue;
        }
        name = at;
        snprintf(p->main_file, sizeof p->main_file, "%s", strcmp(at, "-") == 0 ? "<stdin>" : at);
        break;
    }
    size_t n = strlen(name);
    while (n > 1 && name[n - 1] == '/')
        n--;
    size_t from = n;
    while (from > 0 && name[from - 1] != '/')
        from--;
    snprintf(p->command, sizeof p->command, "%.*s", (int)(n - from), name + from);
}

static void link_of(pid_t pid, const char *what, char *out, size_t room)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/%s", (long)pid, what);
    ssize_t n = readlink(path, out, room - 1);
    if (n >= 0)
        out[n] = 0;
}

void ms_proc_identity(ms_session *s, ms_process *p)
{
    char path[64], *words = s->buffer;
    snprintf(path, sizeof path, "/proc/%ld/cmdline", (long)p->pid);
    ssize_t n = p->gone ? -1 : slurp(path, words, MS_BUFFER / 2);
    if (n > 0) {
        if (words[n - 1] != 0)
            words[n++] = 0;
        ms_json_list(words, (size_t)n, p->argv, sizeof p->argv);
        name_command(p, words, (size_t)n);
        link_of(p->pid, "exe", p->executable, sizeof p->executable);
        link_of(p->pid, "cwd", p->cwd, sizeof p->cwd);
        return;
    }
    /* It was gone before it could be asked: what its parent is called, it is called most likely. */
    pid_t parent = (pid_t)p->head->ppid;
    const ms_process *like = NULL;
    for (uint32_t i = 0; i < s->nprocess; i++)
        if (s->process[i] != p && s->process[i]->argv[0] && (s->process[i]->pid == parent || like == NULL))
            like = s->process[i];
    if (like && p->started == MS_STARTED_FORK) {
        memcpy(p->argv, like->argv, sizeof p->argv);
        memcpy(p->executable, like->executable, sizeof p->executable);
        memcpy(p->cwd, like->cwd, sizeof p->cwd);
        memcpy(p->command, like->command, sizeof p->command);
        memcpy(p->main_file, like->main_file, sizeof p->main_file);
        return;
    }
    n = 0;
    if (p->pid == s->main_pid)
        for (char *const *a = s->ask->argv; *a && (size_t)n + strlen(*a) + 1 < MS_BUFFER / 2; a++) {
            memcpy(words + n, *a, strlen(*a) + 1);
            n += (ssize_t)strlen(*a) + 1;
        }
    ms_json_list(words, (size_t)n, p->argv, sizeof p->argv);
    if (n) {
        name_command(p, words, (size_t)n);
        if (getcwd(p->cwd, sizeof p->cwd) == NULL)
            p->cwd[0] = 0;
    }
}

bool ms_proc_became_other(ms_process *p)
{
    char now[sizeof p->executable] = "";
    link_of(p->pid, "exe", now, sizeof now);
    return now[0] && p->executable[0] && strcmp(now, p->executable) != 0 &&
           strncmp(now, p->executable, strlen(p->executable)) != 0; /* "... (deleted)": replaced on disk */
}

/* --- what RSS is made of -------------------------------------------------------------------------- */

typedef struct {
    uint64_t start, end, inode;
    char     perms[5];
    char     name[512];
} mapping;

static bool mapping_parse(const char *line, mapping *m)
{
    unsigned long long start, end, offset, inode;
    unsigned major, minor;
    int at = 0;
    m->name[0] = 0;
    if (sscanf(line, "%llx-%llx %4s %llx %x:%x %llu %n", &start, &end, m->perms, &offset, &major, &minor, &inode, &at) < 7)
        return false;
    m->start = start;
    m->end = end;
    m->inode = inode;
    if (at)
        snprintf(m->name, sizeof m->name, "%s", line + at);
    return true;
}

static bool begins(const char *text, const char *with) { return strncmp(text, with, strlen(with)) == 0; }

/* Which sum of maps a mapping's pages belong to. before: the mapping in front of it. */
static uint64_t *kind_of(ms_process *p, ms_maps *maps, const mapping *m, const mapping *before)
{
    const ms_live *head = p->head;
    const char *file = strrchr(m->name, '/');
    if (m->start >= head->own_base && m->start - head->own_base < head->own_size)
        return &maps->own;
    if (file && (begins(file, "/memsure_preload") || begins(file, "/memsure_record")))
        return &maps->own;
    if (m->start >= head->slab_base && m->start - head->slab_base < head->slab_span)
        return &maps->slab;
    if (begins(m->name, "[stack") || strstr(m->name, "pthread user stack"))
        return &maps->stacks;
    if (m->name[0] == '[')
        return begins(m->name, "[heap") || begins(m->name, "[anon") ? &maps->anonymous : &maps->files;
    if (m->inode) {
        bool deleted = strstr(m->name, "(deleted)") != NULL;
        if (begins(m->name, "/dev/shm/") || begins(m->name, "/SYSV") || begins(m->name, "/memfd:") ||
            begins(m->name, "/dev/zero") || (deleted && m->perms[3] == 's'))
            return &maps->shared;
        return &maps->files;
    }
    if (m->perms[3] == 's')
        return &maps->shared;
    bool adjacent = before->end == m->start;
    /* A library's zeroed data follows its file. */
    if (adjacent && before->inode && before->name[0] == '/') {
        const char *name = strrchr(before->name, '/');
        return begins(name, "/memsure_") ? &maps->own : &maps->files;
    }
    /* A thread's stack: a guard of a few pages that may not be touched, and right above it, at least 16 pages. */
    if (adjacent && before->inode == 0 && before->name[0] == 0 && begins(before->perms, "---") &&
        before->end - before->start <= 16 * page_size() && m->end - m->start >= 16 * page_size())
        return &maps->stacks;
    return &maps->anonymous;
}

/* --- huge pages ----------------------------------------------------------------------------------- */

enum { HUGE_RANGES = 32, HUGE_PAGES = 48, HUGE_PARTS = 8, PART = 4096 };
#define HUGE_PAGE ((uint64_t)2 << 20)
#define HUGE_LEAST ((uint64_t)16 << 20) /* less is not looked at */

typedef struct {
    uint64_t start, end;
} huge_range;

/* Of how many sampled parts of huge pages is every byte 0? As a share of all huge bytes. A mapping counts if it lies in huge
 * pages as a whole, as far as it is resident; pages are taken at even distances, and only those that are there: to read
 * another would bring it in. */
static uint64_t huge_empty(const ms_process *p, const huge_range *range, uint32_t n, uint64_t huge)
{
    char path[64], part[PART];
    static const char zero[PART];
    uint64_t pages = 0, looked = 0, empty = 0, at = 0, entry;
    for (uint32_t i = 0; i < n; i++)
        pages += range[i].end > range[i].start ? (range[i].end - range[i].start) / HUGE_PAGE : 0;
    if (pages == 0)
        return 0;
    snprintf(path, sizeof path, "/proc/%ld/mem", (long)p->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    snprintf(path, sizeof path, "/proc/%ld/pagemap", (long)p->pid);
    int map = open(path, O_RDONLY | O_CLOEXEC);
    uint64_t step = pages / HUGE_PAGES + 1;
    for (uint32_t i = 0; i < n; i++)
        for (uint64_t page = range[i].start; page + HUGE_PAGE <= range[i].end; page += HUGE_PAGE, at++) {
            if (at % step || pread(map, &entry, sizeof entry, (off_t)(page / page_size() * sizeof entry)) != sizeof entry || !(entry >> 63))
                continue;
            for (uint64_t k = 0; k < HUGE_PARTS; k++) /* an odd distance: data has even ones */
                if (pread(fd, part, PART, (off_t)(page + (k * 61 + at * 7) % 512 * PART)) == PART) {
                    looked++;
                    empty += memcmp(part, zero, PART) == 0;
                }
        }
    if (fd >= 0)
        close(fd);
    if (map >= 0)
        close(map);
    return looked ? huge / 1024 * empty / looked * 1024 : 0;
}

static uint64_t own_cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * MS_SECOND_NS + (uint64_t)t.tv_nsec;
}

bool ms_proc_maps(ms_process *p)
{
    enum { ROOM = 65536 };
    huge_range range[HUGE_RANGES];
    uint32_t nrange = 0;
    uint64_t resident = 0;
    char path[64], *text = NULL;
    uint64_t began = ms_clock_ns(), spent = own_cpu_ns(); /* time that another one had is not what it cost */
    snprintf(path, sizeof path, "/proc/%ld/smaps", (long)p->pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || (text = ms_sys_alloc(ROOM)) == NULL) {
        if (fd >= 0)
            close(fd);
        return false;
    }
    ms_maps maps = {.when_ns = began};
    mapping now = {0}, before = {0};
    uint64_t *kind = NULL;
    size_t have = 0;
    ssize_t got;
    while ((got = read(fd, text + have, ROOM - 1 - have)) > 0) {
        have += (size_t)got;
        text[have] = 0;
        char *line = text, *end;
        for (; (end = strchr(line, '\n')) != NULL; line = end + 1) {
            *end = 0;
            if (begins(line, "Rss:")) {
                uint64_t bytes = strtoull(line + 4, NULL, 10) * 1024;
                resident = bytes;
                maps.rss += bytes;
                if (kind)
                    *kind += bytes;
            } else if (kind == &maps.slab && begins(line, "Private_Dirty:")) {
                maps.slab_private += strtoull(line + 14, NULL, 10) * 1024;
            } else if (kind == &maps.anonymous && begins(line, "AnonHugePages:")) {
                uint64_t bytes = strtoull(line + 14, NULL, 10) * 1024;
                maps.huge += bytes;
                if (bytes && resident - bytes < bytes / 16 && nrange < HUGE_RANGES)
                    range[nrange++] = (huge_range){(now.start + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE, now.end / HUGE_PAGE * HUGE_PAGE};
            } else if (isdigit((unsigned char)line[0]) || (line[0] >= 'a' && line[0] <= 'f')) {
                before = now;
                kind = mapping_parse(line, &now) ? kind_of(p, &maps, &now, &before) : NULL;
            }
        }
        have -= (size_t)(line - text);
        memmove(text, line, have + 1);
        if (have == ROOM - 1)
            have = 0; /* a line without end: it is none of ours */
    }
    close(fd);
    ms_sys_free(text, ROOM);
    if (maps.huge >= HUGE_LEAST)
        maps.huge_empty = huge_empty(p, range, nrange, maps.huge);
    /* Of a copied page it counts that it was copied; a huge page may be about to be filled: twice empty is empty. */
    maps.slab_private = maps.slab_private > p->maps.slab_private ? maps.slab_private : p->maps.slab_private;
    uint64_t empty = maps.huge_empty;
    if (maps.huge < p->maps.huge && ms_ended(p)) { /* given back while the program is taken down: it was there to the end */
        maps.huge = p->maps.huge;
        maps.huge_empty = p->maps.huge_empty;
    } else if (p->maps.when_ns && p->huge_empty < empty) {
        maps.huge_empty = p->huge_empty;
    }
    p->huge_empty = empty;
    p->maps_cost = own_cpu_ns() - spent;
    p->maps_spent += p->maps_cost;
    if (maps.rss == 0)
        return false;
    p->maps = maps;
    return true;
}

/* Take at most want out of *left. */
static uint64_t take(uint64_t *left, uint64_t want)
{
    uint64_t got = want < *left ? want : *left;
    *left -= got;
    return got;
}

void ms_split(const ms_maps *maps, uint64_t rss, const ms_memory *memory, uint64_t live_bytes, uint64_t live_blocks,
              uint64_t out[MS_SPLITS])
{
    enum { TAG = 8 };
    ms_maps m = *maps;
    memset(out, 0, MS_SPLITS * sizeof *out);
    if (m.rss == 0) { /* never read: all of it is anonymous, and of the slabs we know what may be resident */
        m.rss = m.anonymous = rss;
        m.slab = take(&m.anonymous, memory->slab_bytes);
    }
    /* Since the mappings were read, RSS moved on: what came is anonymous, what went is, as long as there is any. */
    if (rss > m.rss)
        m.anonymous += rss - m.rss;
    uint64_t lost = m.rss > rss ? m.rss - rss : 0;
    uint64_t *from[] = {&m.anonymous, &m.slab, &m.files, &m.shared, &m.stacks, &m.own};
    for (size_t i = 0; i < sizeof from / sizeof *from; i++)
        lost -= take(from[i], lost);
    /* A program too short for its mappings to be read still says how much of it is files. */
    uint64_t mapped = m.files + m.shared + m.own;
    if (memory->mapped_bytes > mapped)
        m.files += take(&m.anonymous, memory->mapped_bytes - mapped);
    /* Slabs outside the range that was announced. */
    if (memory->slab_bytes > m.slab)
        m.slab += take(&m.anonymous, memory->slab_bytes - m.slab);

    uint64_t large = memory->large_bytes < live_bytes ? memory->large_bytes : live_bytes, small = live_bytes - large;
    /* The slabs hold at least their blocks: mappings read earlier may not show all of them. */
    if (small + live_blocks * TAG > m.slab)
        m.slab += take(&m.anonymous, small + live_blocks * TAG - m.slab);
    out[MS_SPLIT_OURS] = m.own + take(&m.slab, live_blocks * TAG);
    out[MS_SPLIT_PYTHON] = take(&m.slab, small);
    out[MS_SPLIT_HOLES] = m.slab;
    /* large_bytes may be of a moment ago: small blocks that found no room in the slabs are large ones. */
    out[MS_SPLIT_PYTHON] += take(&m.anonymous, live_bytes - out[MS_SPLIT_PYTHON]);
    uint64_t native = memory->native_used > large ? memory->native_used - large : 0;
    out[MS_SPLIT_NATIVE] = take(&m.anonymous, native);
    out[MS_SPLIT_NATIVE_FREE] = take(&m.anonymous, memory->native_free);
    out[MS_SPLIT_STACKS] = m.stacks;
    out[MS_SPLIT_FILES] = m.files;
    out[MS_SPLIT_SHARED] = m.shared;
    out[MS_SPLIT_REST] = m.anonymous;
    out[MS_SPLIT_RSS] = rss;
}
