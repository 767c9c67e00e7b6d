/* test_live.c -- the live file: made, grown, and left behind at fork; and when there is no room for it.
 *
 * The area is the process's own, once; so each test runs in a child of its own, in a folder of its own. */
#include "record/map.h"
#include "record/site.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>

static char folder[64];
enum { SKIPPED = 77 };

static void folder_clear(void)
{
    DIR *d = opendir(folder);
    if (d == NULL)
        return;
    for (struct dirent *e; (e = readdir(d));)
        unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
}

/* Whether the child ended well. Its own failures are printed by itself. */
static int end_of(pid_t pid)
{
    int status = -1;
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return status;
}

static void alone(const char *name, void (*test)(void))
{
    test_random();
    test_name = name;
    strcpy(folder, "/dev/shm/memsure-test-XXXXXX"); /* where live files are, too: a disk is slow */
    if (mkdtemp(folder) == NULL && mkdtemp(strcpy(folder, "/tmp/memsure-test-XXXXXX")) == NULL) {
        perror("mkdtemp");
        exit(1);
    }
    pid_t pid = fork();
    if (pid == 0) {
        test_failures = 0;
        test();
        _exit(test_failures != 0);
    }
    int status = end_of(pid);
    if (WIFEXITED(status) && WEXITSTATUS(status) == SKIPPED) {
        printf("%s: not possible here\n", name);
    } else if (status != 0) {
        test_failed(__FILE__, __LINE__);
        fprintf(stderr, "ended with status %#x\n", (unsigned)status);
    }
    folder_clear();
    rmdir(folder);
}
#define ALONE(test) alone(#test, test)

/* In a forked child: as the recorder goes to a file of its own. */
static pid_t forked(void)
{
    ms_live_fork_before();
    pid_t pid = fork();
    if (pid == 0) {
        test_failures = 0;
        ms_live_fork_child();
    } else {
        ms_live_fork_parent();
    }
    return pid;
}
static _Noreturn void forked_end(void) { _exit(test_failures != 0); }

static void sound(void)
{
    const char *why = ms_site_check();
    EXPECT_STR(why ? why : "sound", "sound");
}

static void begin(void)
{
    EXPECT_EQ(ms_live_open(folder), MS_OK);
    EXPECT_EQ(ms_site_init(), MS_OK);
    ms_area.mode = MS_MODE_LINE;
    ms_area.ready = 1;
}

/* The file of process pid, mapped to be read; NULL: there is none. */
static const ms_live *file_of(pid_t pid, unsigned n)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%ld-%u.live", folder, (long)pid, n);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    const ms_live *f = mmap(NULL, sizeof *f, PROT_READ, MAP_SHARED, fd, 0);
    close(fd);
    return f == MAP_FAILED ? NULL : f;
}
static void file_end(const ms_live *f) { munmap((void *)f, sizeof *f); }

static unsigned files(void)
{
    unsigned n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; d && (e = readdir(d));)
        n += e->d_name[0] != '.';
    if (d)
        closedir(d);
    return n;
}

/* n sites with one tally each, of 48 bytes and of large blocks in turn, some of their blocks freed again. */
static void populate(uint32_t n)
{
    uint32_t text = ms_text_intern("/app.py", 7);
    for (uint32_t i = 0; i < n; i++) {
        char name[32];
        uint32_t function = ms_text_intern(name, (size_t)snprintf(name, sizeof name, "f%u", i));
        uint32_t site = ms_site_intern(ms_code_intern(text, function, 1, 0), (int32_t)i + 1, (int32_t)i + 1, 0, 1);
        uint32_t node = ms_node_intern(0, site);
        ms_area.node[node].live_bytes = 10;
        ms_area.node[node].samples = 2;
        uint32_t t = ms_tally_intern(site, i % 2 ? 0 : 48);
        ms_tally *tally = &ms_area.tally[t];
        ms_count *count = &ms_area.count[t];
        count->live = i % 7;
        count->young += i % 5;
        if (i % 4 == 0) /* of the ones of small blocks half have an extra */
            EXPECT(tally->extra || ms_tally_extend(tally));
        if (tally->extra) {
            ms_extra *x = ms_tally_extra(tally);
            x->older[i % (MS_AGES - 1)] += i % 5;
            x->gc_freed += i % 3;
            x->live_bytes = i % 2 ? 10000u * (i % 7) : 0;
            x->freed_bytes = i % 2 ? 77 : 0;
        }
    }
    ms_area.live_bytes = 0;
    for (uint32_t i = 1; i < ms_area.table[MS_T_TALLY].used; i++)
        ms_area.live_bytes += ms_area.tally[i].stride ? ms_area.count[i].live * ms_area.tally[i].stride : ms_tally_extra(&ms_area.tally[i])->live_bytes;
    ms_area.peak_bytes = ms_area.live_bytes + 5;
}

/* ---- made and grown ---- */

static void test_file_is_made(void)
{
    begin();
    const ms_live *f = file_of(getpid(), 1);
    EXPECT(f != NULL);
    struct stat st;
    char path[128];
    snprintf(path, sizeof path, "%s/%ld-1.live", folder, (long)getpid());
    EXPECT(stat(path, &st) == 0 && (st.st_mode & 07777) == 0600);
    EXPECT_EQ(st.st_size, sizeof(ms_live));
    EXPECT((uint64_t)st.st_blocks * 512 < 2u << 20); /* sparse */
    EXPECT(memcmp(f->magic, MS_LIVE_MAGIC, 8) == 0);
    EXPECT_EQ(f->version, MS_LIVE_VERSION);
    EXPECT_EQ(f->size, sizeof(ms_live));
    EXPECT_EQ(f->pid, getpid());
    EXPECT_EQ(f->ppid, getppid());
    EXPECT_EQ(f->own_base, (uintptr_t)&ms_area);
    ms_area.live_bytes = 12345; /* what is counted is seen outside */
    EXPECT_EQ(f->live_bytes, 12345);
    for (int fd = 3; fd < 10; fd++) /* no descriptor stays */
        EXPECT(fcntl(fd, F_GETFD) < 0 || (fcntl(fd, F_GETFD) & FD_CLOEXEC) == 0);
    file_end(f);
}

/* After exec the same pid starts anew: its second file. */
static void test_second_file_of_a_pid(void)
{
    begin();
    ms_area.live_bytes = 7;
    EXPECT_EQ(ms_live_open(folder), MS_OK);
    EXPECT_EQ(ms_area.live_bytes, 0);
    const ms_live *one = file_of(getpid(), 1), *two = file_of(getpid(), 2);
    EXPECT(one && two && one->live_bytes == 7 && two->pid == (uint32_t)getpid());
}

static void test_tables_grow(void)
{
    begin();
    populate(9000);
    sound();
    const ms_live *f = file_of(getpid(), 1);
    char path[128];
    struct stat st;
    snprintf(path, sizeof path, "%s/%ld-1.live", folder, (long)getpid());
    EXPECT(stat(path, &st) == 0);
    uint64_t backed = 0;
    static const size_t entry[MS_TABLES] = {sizeof(ms_tally), sizeof(ms_site), sizeof(ms_code), sizeof(ms_node), sizeof(ms_thread), 1, sizeof(ms_count), sizeof(ms_extra)};
    for (int t = 0; t < MS_TABLES; t++) {
        EXPECT(f->table[t].used <= f->table[t].backed);
        backed += f->table[t].backed * entry[t];
    }
    EXPECT_EQ(f->table[MS_T_TALLY].used, 9001);
    EXPECT_EQ(f->table[MS_T_EXTRA].used, 2 + 4500 + 2250);
    EXPECT((uint64_t)st.st_blocks * 512 >= backed);
    EXPECT(memcmp(f->tally, ms_area.tally, 9001 * sizeof(ms_tally)) == 0);
    EXPECT(memcmp(f->count, ms_area.count, 9001 * sizeof(ms_count)) == 0);
    EXPECT(memcmp(f->extra, ms_area.extra, 6752 * sizeof(ms_extra)) == 0);
    EXPECT_EQ(ms_sys_live(), 5); /* the maps; nothing else is kept */
}

/* ---- no room ---- */

/* Where the file cannot grow: what is there is counted on, new places are refused, nothing breaks. */
static void refused_growth(void)
{
    struct timespec start;
    clock_gettime(CLOCK_MONOTONIC, &start);
    uint32_t refused = 0, before = ms_area.table[MS_T_TALLY].used;
    for (uint32_t i = 0; i < 200000; i++) {
        uint32_t site = ms_site_intern(1, (int32_t)i, 0, 0, 0), t = ms_tally_intern(site, 16 + 16 * (i % 64));
        refused += t == 0;
        ms_area.count[t].live++; /* on tally 0, too: a page that is there */
        ms_area.live_bytes += ms_area.tally[t].stride;
    }
    EXPECT(refused > 0);
    EXPECT(ms_area.table[MS_T_TALLY].used > before);
    struct timespec end;
    clock_gettime(CLOCK_MONOTONIC, &end);
    EXPECT(end.tv_sec - start.tv_sec < 10); /* a refusal is remembered for a while, and cheap */
    for (int t = 0; t < MS_TABLES; t++)
        EXPECT(ms_area.table[t].used <= ms_area.table[t].backed);
    sound();
}

static void test_folder_gone(void)
{
    begin();
    populate(100);
    folder_clear();
    rmdir(folder);
    refused_growth();
    pid_t pid = forked(); /* a child counts for itself */
    if (pid == 0) {
        EXPECT_EQ(ms_area.started, MS_STARTED_FORK);
        EXPECT(ms_area.table[MS_T_TALLY].used > 100);
        sound();
        uint32_t t = ms_tally_intern(12345678 % ms_area.table[MS_T_SITE].used, 4080);
        EXPECT(t != 0);
        forked_end();
    }
    EXPECT_EQ(end_of(pid), 0);
    EXPECT_EQ(ms_live_open(folder), MS_EIO);
}

/* A name that leads elsewhere by now is not followed. */
static void test_file_replaced_by_a_link(void)
{
    begin();
    char path[128], other[128];
    snprintf(path, sizeof path, "%s/%ld-1.live", folder, (long)getpid());
    snprintf(other, sizeof other, "%s/other", folder);
    close(open(other, O_CREAT | O_WRONLY, 0600));
    unlink(path);
    EXPECT(symlink(other, path) == 0);
    refused_growth();
    struct stat st;
    EXPECT(stat(other, &st) == 0 && st.st_size == 0);
}

static void test_bad_folders(void)
{
    char long_name[600];
    memset(long_name, 'x', sizeof long_name);
    long_name[599] = 0;
    EXPECT_EQ(ms_live_open(long_name), MS_EINVAL);
    EXPECT_EQ(ms_live_open("/proc/self/status"), MS_EIO);
    EXPECT_EQ(ms_live_open("/nowhere/at/all"), MS_EIO);
    EXPECT_EQ(ms_site_init(), MS_OK); /* and it counts in private memory */
    populate(3000);
    sound();
}

/* The limit on a file's size ends a program that does not know the signal. */
static void test_file_size_limit(void)
{
    struct rlimit limit = {10 << 20, 10 << 20};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    EXPECT_EQ(ms_live_open(folder), MS_EIO);
    EXPECT_EQ(files(), 0);
}

static void test_file_size_limit_after_the_start(void)
{
    begin();
    populate(100);
    struct rlimit limit = {4096, 4096};
    EXPECT_EQ(setrlimit(RLIMIT_FSIZE, &limit), 0);
    populate(9000); /* within the file that is there */
    sound();
    pid_t pid = forked();
    if (pid == 0) {
        EXPECT_EQ(ms_area.tally[ms_area.table[MS_T_TALLY].used - 1].owner, ms_area.table[MS_T_SITE].used - 1);
        sound();
        forked_end();
    }
    EXPECT_EQ(end_of(pid), 0);
    EXPECT_EQ(files(), 1);
}

static void disk_of(const char *size)
{
    uid_t uid = getuid();
    char map[64];
    if (unshare(uid ? CLONE_NEWUSER | CLONE_NEWNS : CLONE_NEWNS) != 0)
        _exit(SKIPPED);
    if (uid) {
        int fd = open("/proc/self/uid_map", O_WRONLY);
        int n = snprintf(map, sizeof map, "0 %u 1", (unsigned)uid);
        if (fd < 0 || write(fd, map, (size_t)n) != n)
            _exit(SKIPPED);
        close(fd);
    }
    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    if (mount("none", folder, "tmpfs", 0, size) != 0)
        _exit(SKIPPED);
}

static void test_disk_full_at_the_start(void)
{
    disk_of("size=200k");
    EXPECT_EQ(ms_live_open(folder), MS_EIO);
    EXPECT_EQ(files(), 0);
    EXPECT_EQ(ms_site_init(), MS_OK);
    populate(3000);
    sound();
}

/* Every page that a counter may touch is there: a full disk ends no program by SIGBUS. */
static void test_disk_full_later(void)
{
    disk_of("size=1500k");
    begin();
    refused_growth();
    for (int t = 0; t < 3; t++) {
        pid_t pid = forked(); /* no room for a second file */
        if (pid == 0) {
            sound();
            EXPECT(ms_area.table[MS_T_TALLY].used > 2000);
            for (uint32_t i = 0; i < 5000; i++)
                EXPECT(ms_site_intern(2, (int32_t)i, 0, 0, 0) != 0);
            sound();
            forked_end();
        }
        EXPECT_EQ(end_of(pid), 0);
        EXPECT_EQ(files(), 1);
    }
}

static void test_disk_full_for_a_while(void)
{
    char path[128], bytes[4096] = {0};
    disk_of("size=8m");
    begin();
    snprintf(path, sizeof path, "%s/filler", folder);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    while (write(fd, bytes, sizeof bytes) > 0)
        ;
    close(fd);
    refused_growth();
    uint32_t used = ms_area.table[MS_T_TALLY].used;
    EXPECT(!ms_live_back_again());
    unlink(path);
    EXPECT_EQ(ms_tally_intern(5, 32), 0); /* until it is asked for again */
    EXPECT(ms_live_back_again());
    EXPECT(!ms_live_back_again());
    EXPECT(ms_tally_intern(5, 32) != 0);
    EXPECT(ms_site_intern(1, 8, 9, 0, 0) != 0);
    EXPECT(ms_area.table[MS_T_TALLY].used > used);
    sound();
}

/* The child's first tables fit, the parent's do not. */
static void test_disk_full_in_the_midst_of_fork(void)
{
    disk_of("size=2600k");
    begin();
    populate(6000);
    uint32_t used = ms_area.table[MS_T_TALLY].used;
    pid_t pid = forked();
    if (pid == 0) {
        EXPECT_EQ(ms_area.table[MS_T_TALLY].used, used);
        sound();
        populate(100);
        forked_end();
    }
    EXPECT_EQ(end_of(pid), 0);
    EXPECT_EQ(files(), 1);
}

/* ---- fork ---- */

static ms_live *kept; /* what the parent had counted */

static void keep(void)
{
    kept = mmap(NULL, sizeof *kept, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    memcpy(kept, &ms_area, offsetof(ms_live, count));
    memcpy(kept->count, ms_area.count, ms_area.table[MS_T_COUNT].used * sizeof(ms_count));
    memcpy(kept->tally, ms_area.tally, ms_area.table[MS_T_TALLY].used * sizeof(ms_tally));
    memcpy(kept->extra, ms_area.extra, ms_area.table[MS_T_EXTRA].used * sizeof(ms_extra));
    memcpy(kept->site, ms_area.site, ms_area.table[MS_T_SITE].used * sizeof(ms_site));
    memcpy(kept->node, ms_area.node, ms_area.table[MS_T_NODE].used * sizeof(ms_node));
    memcpy(kept->text, ms_area.text, ms_area.table[MS_T_TEXT].used);
}

/* What lives is inherited; all else starts at nothing. */
static void expect_inherited(void)
{
    for (int t = 0; t < MS_TABLES; t++)
        EXPECT_EQ(ms_area.table[t].used, t == MS_T_THREAD ? 0 : kept->table[t].used);
    for (uint32_t i = 0; i < kept->table[MS_T_TALLY].used; i++) {
        const ms_tally *t = &ms_area.tally[i], *was = &kept->tally[i];
        const ms_count *c = &ms_area.count[i], *before = &kept->count[i];
        const ms_extra *x = ms_tally_extra(t), *x_was = &kept->extra[was->extra / sizeof(ms_extra)];
        uint64_t freed = c->young + x->gc_freed + x->freed_bytes + x->gc_bytes;
        for (int k = 0; k < MS_AGES - 1; k++)
            freed += x->older[k];
        EXPECT_EQ(freed, 0);
        EXPECT(t->owner == was->owner && t->stride == was->stride && t->extra == was->extra && c->live == before->live && x->live_bytes == x_was->live_bytes);
        EXPECT_EQ(t->inherited, before->live);
        EXPECT_EQ(x->inherited_bytes, x_was->live_bytes);
        EXPECT(c->gen == ms_area.gen && c->peak == before->live && x->peak_bytes == x_was->live_bytes);
    }
    for (uint32_t i = 0; i < kept->table[MS_T_NODE].used; i++) {
        const ms_node *n = &ms_area.node[i], *was = &kept->node[i];
        EXPECT(n->parent == was->parent && n->site == was->site && n->live_bytes == was->live_bytes && n->samples == 0 && n->bytes == 0);
    }
    EXPECT(memcmp(ms_area.site, kept->site, kept->table[MS_T_SITE].used * sizeof(ms_site)) == 0);
    EXPECT(memcmp(ms_area.text, kept->text, kept->table[MS_T_TEXT].used) == 0);
    EXPECT_EQ(ms_area.live_bytes, kept->live_bytes);
    EXPECT_EQ(ms_area.peak_bytes, kept->live_bytes);
    EXPECT_EQ(ms_area.pid, getpid());
    EXPECT_EQ(ms_area.ppid, getppid());
    EXPECT_EQ(ms_area.started, MS_STARTED_FORK);
    EXPECT(ms_area.mode == kept->mode && ms_area.ready == 1 && ms_area.monitor == 0 && ms_area.ended == 0);
    EXPECT(ms_area.start_ns >= kept->start_ns && ms_area.epoch == kept->epoch && ms_area.sample_left == kept->sample_left);
    EXPECT(ms_area.unrecorded_blocks == 0 && ms_area.before_blocks == 0 && ms_area.taking_ns == 0 && ms_area.gc_used == 0);
    sound();
}

static void fork_inherits(bool shared)
{
    populate(5000);
    ms_area.epoch = 500;
    ms_area.gen = 33;
    ms_area.monitor = 1;
    ms_area.gc_used = ms_area.unrecorded_blocks = ms_area.before_blocks = ms_area.taking_ns = ms_area.ended = 9;
    ms_area.sample_left = 4321;
    ms_area.table[MS_T_THREAD].used = 2;
    keep();
    int go[2];
    EXPECT(pipe(go) == 0);
    pid_t pid = forked();
    if (pid == 0) {
        char c;
        (void)!read(go[0], &c, 1); /* the parent has counted on, and that is not seen here */
        expect_inherited();
        ms_tally *t = &ms_area.tally[5];
        ms_area.count[5].live += 1000;
        ms_area.live_bytes += 1000u * t->stride + (t->stride ? 0 : 3);
        ms_tally_extra(t)->live_bytes += t->stride ? 0 : 3;
        uint32_t old = kept->table[MS_T_TALLY].used;
        EXPECT_EQ(ms_tally_intern(ms_area.tally[7].owner, ms_area.tally[7].stride), 7); /* what it knew it knows */
        EXPECT_EQ(ms_tally_intern(7, 4080), old);
        populate(8000); /* and grows a file of its own */
        const ms_live *own = file_of(getpid(), 1);
        EXPECT_EQ(own != NULL, shared);
        if (own)
            EXPECT(memcmp(own->tally, ms_area.tally, ms_area.table[MS_T_TALLY].used * sizeof(ms_tally)) == 0 &&
                   memcmp(own->count, ms_area.count, ms_area.table[MS_T_COUNT].used * sizeof(ms_count)) == 0);
        pid_t grandchild = forked();
        if (grandchild == 0) {
            EXPECT_EQ(ms_area.ppid, getppid());
            EXPECT_EQ(ms_area.tally[9].inherited, ms_area.count[9].live);
            EXPECT_EQ(file_of(getpid(), 1) != NULL, shared);
            forked_end();
        }
        EXPECT_EQ(end_of(grandchild), 0);
        forked_end();
    }
    for (uint32_t i = 0; i < kept->table[MS_T_TALLY].used; i++) {
        ms_area.count[i].live += 17;
        ms_area.count[i].young += 17;
    }
    ms_area.live_bytes = 1;
    EXPECT(write(go[1], "x", 1) == 1);
    EXPECT_EQ(end_of(pid), 0);
    for (uint32_t i = 0; i < kept->table[MS_T_TALLY].used; i++) /* nor did the child write here */
        EXPECT(ms_area.count[i].live == kept->count[i].live + 17 && ms_area.tally[i].inherited == 0);
    EXPECT_EQ(ms_area.table[MS_T_TALLY].used, kept->table[MS_T_TALLY].used);
    EXPECT_EQ(ms_area.pid, getpid());
    EXPECT_EQ(ms_sys_live(), 5);
}

static void test_fork_inherits(void)
{
    begin();
    fork_inherits(true);
    EXPECT_EQ(files(), 3);
}

static void test_fork_inherits_without_a_file(void)
{
    EXPECT_EQ(ms_live_open(NULL), MS_OK);
    EXPECT_EQ(ms_site_init(), MS_OK);
    ms_area.mode = MS_MODE_LINE;
    ms_area.ready = 1;
    fork_inherits(false);
}

/* Without memory for the copy the child counts nothing of what was; the parent is left alone. */
static void test_fork_without_memory(void)
{
    begin();
    populate(2000); /* the file is to grow with the next ones */
    keep();
    ms_sys_fail_after(0);
    pid_t pid = forked();
    ms_sys_fail_after(-1);
    if (pid == 0) {
        EXPECT_EQ(ms_area.pid, getpid());
        for (uint32_t i = 0; i < 9000; i++) {
            uint32_t t = ms_tally_intern(i, 9008);
            ms_area.count[t].live++;
        }
        pid_t grandchild = forked();
        if (grandchild == 0)
            forked_end();
        EXPECT_EQ(end_of(grandchild), 0);
        forked_end();
    }
    char path[128];
    struct stat before, after;
    snprintf(path, sizeof path, "%s/%ld-1.live", folder, (long)getpid());
    EXPECT_EQ(stat(path, &before), 0);
    EXPECT_EQ(end_of(pid), 0);
    EXPECT_EQ(stat(path, &after), 0);
    EXPECT_EQ(after.st_blocks, before.st_blocks); /* no child reserves room in its parent's file */
    EXPECT_EQ(files(), 1);
    for (uint32_t i = 0; i < kept->table[MS_T_TALLY].used; i++)
        EXPECT(memcmp(&ms_area.tally[i], &kept->tally[i], sizeof(ms_tally)) == 0);
}

/* ---- fork while others write: a race on purpose, and not for ThreadSanitizer ---- */

#ifndef __SANITIZE_THREAD__
static bool stop;

static void *write_on(void *arg)
{
    ms_count *c = arg;
    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        __atomic_fetch_add(&c->live, 1, __ATOMIC_RELAXED); /* one word at a time, and nobody else writes it */
        __atomic_fetch_add(&c->young, 1, __ATOMIC_RELAXED);
    }
    return NULL;
}

static void test_fork_beside_a_writer(void)
{
    begin();
    populate(1500);
    uint32_t tally = ms_tally_intern(MS_SITE_NO_GIL, 64);
    ms_count *c = &ms_area.count[tally];
    pthread_t thread;
    EXPECT_EQ(pthread_create(&thread, NULL, write_on, c), 0);
    for (int i = 0; i < 20; i++) {
        pid_t pid = forked();
        if (pid == 0) {
            uint32_t live = c->live, inherited = ms_area.tally[tally].inherited;
            EXPECT_EQ(live, inherited);
            EXPECT_EQ(c->young, 0);
            usleep(1000);
            EXPECT_EQ(*(volatile uint32_t *)&c->live, live); /* the writer writes elsewhere */
            sound();
            forked_end();
        }
        EXPECT_EQ(end_of(pid), 0);
        EXPECT_EQ(ms_area.tally[tally].inherited, 0);
    }
    for (uint32_t was = __atomic_load_n(&c->live, __ATOMIC_RELAXED); __atomic_load_n(&c->live, __ATOMIC_RELAXED) == was;)
        usleep(100); /* it still writes here */
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    pthread_join(thread, NULL);
    EXPECT_EQ(files(), 21);
}
#endif

/* What says it is ready is the child's own by then: the monitor may look at any moment. Here a signal
 * looks, some thousand times while the child moves. */
static volatile sig_atomic_t looks, too_soon;

static void look(int signal_number)
{
    looks++;
    if (!__atomic_load_n(&ms_area.ready, __ATOMIC_ACQUIRE))
        return;
    uint32_t last = ms_area.table[MS_T_TALLY].used - 1;
    if ((ms_area.pid != (uint32_t)getpid() || ms_area.started != MS_STARTED_FORK || ms_area.tally[last].inherited != ms_area.count[last].live))
        too_soon++;
}

static void signals_begin(void)
{
    struct sigaction act = {.sa_handler = look, .sa_flags = SA_RESTART};
    struct itimerval often = {{0, 100}, {0, 100}};
    sigaction(SIGALRM, &act, NULL);
    setitimer(ITIMER_REAL, &often, NULL);
}
static void signals_end(void)
{
    struct itimerval never = {{0, 0}, {0, 0}};
    setitimer(ITIMER_REAL, &never, NULL);
}

static void test_child_is_ready_when_it_is(void)
{
    begin();
    populate(40000);
    ms_area.count[ms_area.table[MS_T_TALLY].used - 1].live = 1;
    ms_area.live_bytes += ms_area.tally[ms_area.table[MS_T_TALLY].used - 1].stride;
    ms_live_fork_before();
    ms_area.ready = 0; /* the parent's own, which the child sees at first; the copy that it goes on from says 1 */
    pid_t pid = fork();
    if (pid == 0) {
        test_failures = 0;
        signals_begin();
        ms_live_fork_child();
        signals_end();
        EXPECT(looks > 0);
        EXPECT_EQ(too_soon, 0);
        forked_end();
    }
    ms_live_fork_parent();
    EXPECT_EQ(end_of(pid), 0);
    EXPECT_EQ(files(), 2); /* and no signal kept it from a file of its own */
}

static void test_growth_beside_signals(void)
{
    begin();
    signals_begin();
    uint32_t refused = 0;
    for (uint32_t i = 0; i < 60000; i++)
        refused += ms_tally_intern(i, 16) == 0;
    signals_end();
    EXPECT(looks > 0);
    EXPECT_EQ(refused, 0);
}

int main(void)
{
    ALONE(test_file_is_made);
    ALONE(test_second_file_of_a_pid);
    ALONE(test_tables_grow);
    ALONE(test_folder_gone);
    ALONE(test_file_replaced_by_a_link);
    ALONE(test_bad_folders);
    ALONE(test_file_size_limit);
    ALONE(test_file_size_limit_after_the_start);
    ALONE(test_disk_full_at_the_start);
    ALONE(test_disk_full_later);
    ALONE(test_disk_full_for_a_while);
    ALONE(test_disk_full_in_the_midst_of_fork);
    ALONE(test_fork_inherits);
    ALONE(test_fork_inherits_without_a_file);
    ALONE(test_fork_without_memory);
#ifndef __SANITIZE_THREAD__
    ALONE(test_fork_beside_a_writer);
#endif
    ALONE(test_child_is_ready_when_it_is);
    ALONE(test_growth_beside_signals);
    return test_end();
}
