/* test_store.c -- the file: what is written is read, whatever fails leaves no trace, and no cut and no
 * flipped byte gives a wrong value or a crash.
 *
 *   test_store FILE...   each FILE (the golden ones) is also cut and flipped */
#include "store/layout.h"
#include "test.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>

static char folder[] = "/tmp/memsure-test-XXXXXX";
static char path[64];

/* ---- a model: columns in plain memory ---- */

enum { MODEL_COLUMNS = 24, MODEL_BYTES = 6000 };

typedef struct {
    char     table[32], column[32];
    ms_type  type;
    uint32_t width;
    uint64_t rows;
    size_t   bytes;
    uint8_t  values[MODEL_BYTES];
} model_column;

typedef struct {
    uint32_t n;
    model_column columns[MODEL_COLUMNS];
} model;

static void model_fill(model *m)
{
    m->n = (uint32_t)test_below(MODEL_COLUMNS);
    for (uint32_t i = 0; i < m->n; i++) {
        model_column *c = &m->columns[i];
        snprintf(c->table, sizeof c->table, "table_%u", i / 4);
        snprintf(c->column, sizeof c->column, "c%u", i);
        if (i == 3)
            snprintf(c->column, sizeof c->column, "a123456789012345678901234567890"); /* 31: the longest */
        c->type = (ms_type)(1 + test_below(6));
        c->width = test_below(3) ? 1 : (uint32_t)(1 + test_below(12));
        size_t row = c->width * ms_type_size(c->type);
        c->rows = test_below(4) ? test_below(1 + 200 / row) : test_below(MODEL_BYTES / row);
        c->bytes = c->rows * row;
        for (size_t b = 0; b < c->bytes; b++)
            c->values[b] = (uint8_t)test_random();
    }
}

static ms_err model_write_columns(const model *m, ms_writer *w)
{
    for (uint32_t i = 0; i < m->n; i++) {
        const model_column *c = &m->columns[i];
        if (test_below(2)) {
            MS_TRY(ms_writer_column(w, c->table, c->column, c->type, c->width, c->rows, c->values));
            continue;
        }
        MS_TRY(ms_writer_column_begin(w, c->table, c->column, c->type, c->width));
        for (size_t done = 0; done < c->bytes;) {
            size_t piece = 1 + test_below(c->bytes - done);
            MS_TRY(ms_writer_append(w, c->values + done, piece));
            done += piece;
        }
        MS_TRY(ms_writer_column_end(w));
    }
    return MS_OK;
}

static ms_err model_write(const model *m, const char *to, ms_why *why)
{
    ms_writer *w;
    MS_TRY(ms_writer_open(to, why, &w));
    (void)model_write_columns(m, w); /* the error sticks: commit says it */
    return ms_writer_commit(w, why);
}

static void model_expect_file(const model *m, ms_file *f)
{
    EXPECT_EQ(ms_file_count(f), m->n);
    EXPECT(ms_file_check(f) == NULL);
    for (uint32_t i = 0; i < m->n; i++) {
        const model_column *c = &m->columns[i];
        ms_column entry, got;
        EXPECT_EQ(ms_file_entry(f, i, &entry), MS_OK);
        EXPECT_STR(entry.table, c->table);
        EXPECT_STR(entry.column, c->column);
        EXPECT_EQ(ms_file_column(f, c->table, c->column, NULL, &got), MS_OK);
        EXPECT(got.type == c->type && got.width == c->width && got.rows == c->rows);
        EXPECT_EQ((uintptr_t)got.values % 64, 0);
        EXPECT(got.values != NULL && memcmp(got.values, c->values, c->bytes) == 0);
    }
    EXPECT(ms_file_verify(f) == NULL);
}

/* ---- helpers ---- */

static uint8_t *slurp(const char *from, size_t *size)
{
    FILE *s = fopen(from, "rb");
    if (s == NULL) {
        fprintf(stderr, "%s: %s\n", from, strerror(errno));
        exit(1);
    }
    uint8_t *bytes = malloc(1 << 20);
    *size = fread(bytes, 1, 1 << 20, s);
    fclose(s);
    return bytes;
}

static int files_in_folder(void)
{
    int n = 0;
    DIR *d = opendir(folder);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        n += e->d_name[0] != '.' || (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0);
    closedir(d);
    return n;
}

/* ---- writing and reading ---- */

static void test_crc(void)
{
    EXPECT_EQ(ms_crc32c(0, "123456789", 9), 0xE3069283u);
    EXPECT_EQ(ms_crc32c_table(0, "123456789", 9), 0xE3069283u);
    static uint8_t bytes[20000]; /* long enough for several rounds of three streams */
    for (int i = 0; i < 200; i++) {
        size_t at = test_below(16), n = test_below(sizeof bytes - at), cut = test_below(n + 1);
        for (size_t b = 0; b < sizeof bytes; b++)
            bytes[b] = (uint8_t)test_random();
        uint32_t whole = ms_crc32c(0, bytes + at, n);
        EXPECT_EQ(whole, ms_crc32c_table(0, bytes + at, n));
        EXPECT_EQ(whole, ms_crc32c(ms_crc32c(0, bytes + at, cut), bytes + at + cut, n - cut));
    }
}

static void test_what_is_written_is_read(void)
{
    static model m;
    ms_why why;
    for (int round = 0; round < 200; round++) {
        ms_file *f = NULL;
        model_fill(&m);
        EXPECT_EQ(model_write(&m, path, &why), MS_OK);
        EXPECT_EQ(ms_file_open(path, &why, &f), MS_OK);
        EXPECT(ms_file_damage(f) == NULL);
        model_expect_file(&m, f);
        ms_file_close(f);
        EXPECT_EQ(ms_sys_live(), 0);
    }
    struct stat st;
    EXPECT(stat(path, &st) == 0 && (st.st_mode & 0777) == 0600);
    EXPECT_EQ(files_in_folder(), 1);
}

static void test_writer_refuses(void)
{
    ms_why why;
    static const struct { const char *table, *column; int type; uint32_t width; } wrong[] = {
        {"", "c", 1, 1}, {"t", "", 1, 1}, {"T", "c", 1, 1}, {"t", "c.d", 1, 1}, {"1", "c", 1, 1}, {"t", "c", 0, 1}, {"t", "c", 8, 1},
        {"t", "c", -1, 1}, {"t", "c", 1, 0}, {"t", "c", 1, UINT32_MAX}, {"a1234567890123456789012345678901", "c", 1, 1},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        ms_writer *w;
        EXPECT_EQ(ms_writer_open(path, &why, &w), MS_OK);
        EXPECT_EQ(ms_writer_column(w, wrong[i].table, wrong[i].column, (ms_type)wrong[i].type, wrong[i].width, 1, "12345678"), MS_EINVAL);
        EXPECT_EQ(ms_writer_column(w, "t", "c", MS_TYPE_U8, 1, 1, "1"), MS_EINVAL); /* it sticks */
        EXPECT_EQ(ms_writer_commit(w, &why), MS_EINVAL);
    }
    ms_writer *w;
    EXPECT_EQ(ms_writer_open(path, &why, &w), MS_OK);
    EXPECT_EQ(ms_writer_column(w, "t", "c", MS_TYPE_U8, 1, 1, "1"), MS_OK);
    EXPECT_EQ(ms_writer_column(w, "t", "c", MS_TYPE_U8, 1, 1, "1"), MS_EINVAL); /* twice */
    ms_writer_abort(w);
    EXPECT_EQ(ms_writer_open(path, &why, &w), MS_OK);
    EXPECT_EQ(ms_writer_append(w, "1", 1), MS_EINVAL); /* outside a column */
    ms_writer_abort(w);
    EXPECT_EQ(ms_writer_open(path, &why, &w), MS_OK);
    EXPECT_EQ(ms_writer_column_begin(w, "t", "c", MS_TYPE_U32, 1), MS_OK);
    EXPECT_EQ(ms_writer_append(w, "123", 3), MS_OK);
    EXPECT_EQ(ms_writer_column_end(w), MS_EINVAL); /* not a whole row */
    ms_writer_abort(w);

    EXPECT_EQ(ms_writer_open("/dev/null", &why, &w), MS_EINVAL);
    EXPECT_STR(why.text, "cannot write /dev/null: it is not a regular file");
    EXPECT_EQ(ms_writer_open(folder, &why, &w), MS_EINVAL);
    EXPECT_EQ(ms_writer_open("", &why, &w), MS_EINVAL);
    EXPECT_EQ(ms_writer_open("/nowhere/f", &why, &w), MS_EIO);
    EXPECT_STR(why.text, "cannot write /nowhere/f: the folder /nowhere does not exist");
    EXPECT_EQ(ms_sys_live(), 0);
    EXPECT_EQ(files_in_folder(), 1);
}

static void test_limit_of_columns(void)
{
    ms_why why;
    ms_writer *w;
    char name[32];
    EXPECT_EQ(ms_writer_open(path, &why, &w), MS_OK);
    for (int i = 0; i < MS_STORE_MAX_COLUMNS; i++) {
        snprintf(name, sizeof name, "c%d", i);
        EXPECT_EQ(ms_writer_column(w, "t", name, MS_TYPE_U8, 1, 1, "1"), MS_OK);
    }
    EXPECT_EQ(ms_writer_commit(w, &why), MS_OK);
    ms_file *f = NULL;
    EXPECT_EQ(ms_file_open(path, &why, &f), MS_OK);
    EXPECT_EQ(ms_file_count(f), MS_STORE_MAX_COLUMNS);
    EXPECT(ms_file_verify(f) == NULL);
    ms_file_close(f);
    EXPECT_EQ(ms_writer_open(path, &why, &w), MS_OK);
    for (int i = 0; i <= MS_STORE_MAX_COLUMNS; i++) {
        snprintf(name, sizeof name, "c%d", i);
        (void)ms_writer_column(w, "t", name, MS_TYPE_U8, 1, 1, "1");
    }
    EXPECT_EQ(ms_writer_commit(w, &why), MS_ELIMIT);
}

static void test_links_and_folders(void)
{
    static model m;
    char link[128], target[128];
    ms_why why;
    struct stat st;
    m.n = 0;
    snprintf(link, sizeof link, "%s/link", folder);
    snprintf(target, sizeof target, "%s/target", folder);
    fclose(fopen(target, "w"));
    EXPECT_EQ(symlink("target", link), 0);
    EXPECT_EQ(model_write(&m, link, &why), MS_OK); /* the target is replaced, the link stays */
    EXPECT(lstat(link, &st) == 0 && S_ISLNK(st.st_mode));
    EXPECT(stat(target, &st) == 0 && st.st_size > 64);

    char here[512]; /* a changed working directory does not move the file */
    EXPECT(getcwd(here, sizeof here) != NULL && chdir(folder) == 0);
    ms_writer *w;
    EXPECT_EQ(ms_writer_open("relative", &why, &w), MS_OK);
    EXPECT_EQ(chdir("/"), 0);
    EXPECT_EQ(ms_writer_commit(w, &why), MS_OK);
    EXPECT_EQ(chdir(folder), 0);
    EXPECT_EQ(stat("relative", &st), 0);
    unlink("relative");
    EXPECT_EQ(chdir(here), 0);
    unlink(link);
    unlink(target);
}

/* ---- every failed allocation ---- */

static void test_write_survives_every_failed_allocation(void)
{
    static model m;
    while (m.n < 4)
        model_fill(&m);
    unlink(path);
    ms_err err = MS_ENOMEM;
    long n = 0;
    for (; err != MS_OK; n++) {
        ms_why why;
        ms_sys_fail_after(n);
        err = model_write(&m, path, &why);
        ms_sys_fail_after(-1);
        EXPECT(err == MS_OK || (err == MS_ENOMEM && access(path, F_OK) != 0));
        EXPECT_EQ(ms_sys_live(), 0);
        EXPECT_EQ(files_in_folder(), err == MS_OK);
    }
    EXPECT(n > 2);
}

static void test_open_survives_every_failed_allocation(void)
{
    size_t size;
    uint8_t *bytes = slurp(path, &size);
    for (int cut = 0; cut < 2; cut++) { /* a sound file, and one that must be walked */
        ms_err err = MS_ENOMEM;
        for (long n = 0; err != MS_OK; n++) {
            ms_file *f = NULL;
            ms_why why;
            ms_sys_fail_after(n);
            err = cut ? ms_file_open_memory(bytes, size - 1, "cut", &why, &f) : ms_file_open(path, &why, &f);
            ms_sys_fail_after(-1);
            EXPECT(err == MS_OK ? f != NULL : err == MS_ENOMEM && f == NULL);
            ms_file_close(f);
            EXPECT_EQ(ms_sys_live(), 0);
        }
    }
    free(bytes);
}

/* ---- full disk ---- */

static void test_full_disk_leaves_the_old_file(void)
{
    static model m, old;
    size_t before_size, after_size;
    ms_why why;
    while (m.n < 8)
        model_fill(&m);
    model_fill(&old);
    EXPECT_EQ(model_write(&old, path, &why), MS_OK);
    uint8_t *before = slurp(path, &before_size);
    struct rlimit most;
    getrlimit(RLIMIT_FSIZE, &most);
    signal(SIGXFSZ, SIG_IGN);
    ms_err err = MS_EIO;
    int failed = 0;
    for (rlim_t limit = 0; err != MS_OK; limit += 997, failed++) {
        struct rlimit low = {limit, most.rlim_max};
        setrlimit(RLIMIT_FSIZE, &low);
        err = model_write(&m, path, &why);
        setrlimit(RLIMIT_FSIZE, &most);
        EXPECT(err == MS_OK || err == MS_EIO);
        EXPECT_EQ(ms_sys_live(), 0);
        EXPECT_EQ(files_in_folder(), 1);
        if (err != MS_OK) {
            EXPECT(strstr(why.text, "File too large") != NULL);
            uint8_t *after = slurp(path, &after_size);
            EXPECT(after_size == before_size && memcmp(before, after, after_size) == 0);
            free(after);
        }
    }
    EXPECT(failed > 3);
    free(before);
}

/* On a real file system that is full, where this process may mount one. */
static void test_full_file_system(void)
{
    ms_why why;
    ms_writer *w;
    char disk[64], file[96];
    static char big[256 << 10];
    snprintf(disk, sizeof disk, "%s/disk", folder);
    snprintf(file, sizeof file, "%s/f", disk);
    mkdir(disk, 0700);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("memsure-test", disk, "tmpfs", 0, "size=128k") != 0) {
        fprintf(stderr, "skipped: no full file system can be mounted here (%s)\n", strerror(errno));
        rmdir(disk);
        return;
    }
    EXPECT_EQ(ms_writer_open(file, &why, &w), MS_OK);
    (void)ms_writer_column(w, "t", "c", MS_TYPE_U8, 1, sizeof big, big);
    EXPECT_EQ(ms_writer_commit(w, &why), MS_EIO);
    EXPECT(strstr(why.text, "No space left on device") != NULL);
    EXPECT_EQ(rmdir(file), -1);
    EXPECT(access(file, F_OK) != 0);
    umount(disk);
    rmdir(disk);
}

/* ---- cut and flipped ---- */

/* Of every column that f says is there, the values are those of whole; count them. */
static uint32_t expect_same_values(ms_file *f, ms_file *whole)
{
    uint32_t same = 0;
    for (uint32_t i = 0; i < ms_file_count(f); i++) {
        ms_column entry, got, want;
        if (ms_file_entry(f, i, &entry) != MS_OK)
            continue;
        ms_err err = ms_file_column(f, entry.table, entry.column, NULL, &got);
        if (err == MS_EDAMAGED) {
            EXPECT(ms_file_damage(f) != NULL);
            continue;
        }
        EXPECT_EQ(err, MS_OK);
        EXPECT_EQ(ms_file_column(whole, entry.table, entry.column, NULL, &want), MS_OK);
        EXPECT(got.type == want.type && got.width == want.width && got.rows == want.rows);
        EXPECT(memcmp(got.values, want.values, got.rows * got.width * ms_type_size(got.type)) == 0);
        same++;
    }
    return same;
}

static void cut_everywhere(const uint8_t *bytes, size_t size)
{
    ms_file *whole = NULL;
    ms_why why;
    EXPECT_EQ(ms_file_open_memory(bytes, size, "whole", &why, &whole), MS_OK);
    for (size_t n = 0; n < size; n++) {
        ms_file *f = NULL;
        ms_err err = ms_file_open_memory(bytes, n, "cut", &why, &f);
        EXPECT_EQ(err, n == 0 ? MS_EFORMAT : n < 64 ? MS_EDAMAGED : MS_OK);
        if (f == NULL)
            continue;
        uint32_t must = 0; /* the columns that end before the cut */
        for (uint32_t i = 0; i < ms_file_count(whole); i++) {
            ms_column c, values;
            EXPECT_EQ(ms_file_entry(whole, i, &c), MS_OK);
            EXPECT_EQ(ms_file_column(whole, c.table, c.column, NULL, &values), MS_OK);
            ms_column first;
            EXPECT_EQ(ms_file_entry(whole, 0, &first), MS_OK);
            EXPECT_EQ(ms_file_column(whole, first.table, first.column, NULL, &first), MS_OK);
            size_t end = (size_t)((const uint8_t *)values.values - (const uint8_t *)first.values) + 64 + 128 +
                         (size_t)(c.rows * c.width * ms_type_size(c.type));
            must += end <= n;
        }
        EXPECT_EQ(expect_same_values(f, whole), must);
        char said[128];
        snprintf(said, sizeof said, "cut ends early; %u of %u columns are whole", must, ms_file_count(whole));
        EXPECT_STR(ms_file_damage(f), said);
        ms_file_close(f);
    }
    ms_file_close(whole);
    EXPECT_EQ(ms_sys_live(), 0);
}

static void flip_everywhere(const uint8_t *bytes, size_t size)
{
    ms_file *whole = NULL;
    ms_why why;
    EXPECT_EQ(ms_file_open_memory(bytes, size, "whole", &why, &whole), MS_OK);
    uint32_t all = ms_file_count(whole);
    uint8_t *copy = malloc(size);
    memcpy(copy, bytes, size);
    for (size_t at = 0; at < size; at++) {
        const uint8_t change[] = {(uint8_t)(1u << (at % 8)), 0xff};
        for (int k = 0; k < 2; k++) {
            ms_file *f = NULL;
            copy[at] ^= change[k];
            ms_err err = ms_file_open_memory(copy, size, "flipped", &why, &f);
            EXPECT_EQ(err, MS_OK); /* one byte never loses the whole file */
            if (f != NULL) {
                uint32_t same = expect_same_values(f, whole);
                EXPECT(same + 1 >= all);
                EXPECT((same == all) || ms_file_damage(f) != NULL);
                ms_file_close(f);
            }
            copy[at] ^= change[k];
        }
    }
    free(copy);
    ms_file_close(whole);
    EXPECT_EQ(ms_sys_live(), 0);
}

static void test_cut_and_flip_own(void)
{
    static model m;
    size_t size;
    ms_why why;
    do
        model_fill(&m);
    while (m.n < 3 || m.n > 8);
    EXPECT_EQ(model_write(&m, path, &why), MS_OK);
    uint8_t *bytes = slurp(path, &size);
    cut_everywhere(bytes, size);
    flip_everywhere(bytes, size);
    free(bytes);
}

/* A file inside a column of another: its chunks must not be taken for the outer file's. */
static void test_a_file_inside_a_file(void)
{
    static model m;
    size_t size, outer;
    ms_why why;
    ms_writer *w;
    while (m.n < 3)
        model_fill(&m);
    EXPECT_EQ(model_write(&m, path, &why), MS_OK);
    uint8_t *inner = slurp(path, &size);
    EXPECT_EQ(ms_writer_open(path, &why, &w), MS_OK);
    EXPECT_EQ(ms_writer_column(w, "out", "inner", MS_TYPE_U8, 1, size, inner), MS_OK);
    EXPECT_EQ(ms_writer_column(w, "out", "other", MS_TYPE_U8, 1, 3, "abc"), MS_OK);
    EXPECT_EQ(ms_writer_commit(w, &why), MS_OK);
    uint8_t *bytes = slurp(path, &outer);
    bytes[64] ^= 1;  /* the first chunk's magic: the walk goes through its payload */
    bytes[24] ^= 1;  /* and the header */
    ms_file *f = NULL;
    ms_column c;
    EXPECT_EQ(ms_file_open_memory(bytes, outer, "outer", &why, &f), MS_OK);
    EXPECT_EQ(ms_file_count(f), 1);
    EXPECT_EQ(ms_file_column(f, "out", "other", &why, &c), MS_OK);
    EXPECT_STR(ms_file_damage(f), "outer is damaged (its header); 1 column was found whole");
    ms_file_close(f);
    free(bytes);
    free(inner);
}

/* ---- other versions, other files ---- */

static void chunk_sign(uint8_t *at)
{
    ms_chunk c;
    memcpy(&c, at, sizeof c);
    c.crc = ms_chunk_crc(&c);
    memcpy(at, &c, sizeof c);
}

static void header_sign(uint8_t *at)
{
    ms_file_header h;
    memcpy(&h, at, sizeof h);
    h.crc = ms_file_header_crc(&h);
    memcpy(at, &h, sizeof h);
}

/* Four columns; the second becomes a kind, the third a flag, the fourth a type from the future. */
static void test_future_versions(void)
{
    size_t size;
    ms_why why;
    ms_writer *w;
    ms_file *f = NULL;
    EXPECT_EQ(ms_writer_open(path, &why, &w), MS_OK);
    EXPECT_EQ(ms_writer_column(w, "t", "a", MS_TYPE_U8, 1, 1, "1"), MS_OK);
    EXPECT_EQ(ms_writer_column(w, "t", "b", MS_TYPE_U8, 1, 1, "1"), MS_OK);
    EXPECT_EQ(ms_writer_column(w, "t", "c", MS_TYPE_U8, 1, 1, "1"), MS_OK);
    EXPECT_EQ(ms_writer_column(w, "t", "d", MS_TYPE_U8, 1, 1, "1"), MS_OK);
    EXPECT_EQ(ms_writer_commit(w, &why), MS_OK);
    uint8_t *bytes = slurp(path, &size);
    enum { EACH = 128 + 64, B = 64 + EACH, C = B + EACH, D = C + EACH, DIRECTORY = D + EACH };
    uint8_t *copies = bytes + DIRECTORY + 128;
    bytes[B + 12] = copies[128 + 12] = 77;     /* kind */
    bytes[C + 14] = copies[2 * 128 + 14] = 1;  /* flags */
    bytes[D + 48] = copies[3 * 128 + 48] = 99; /* type */
    bytes[14] = 9;                             /* minor version */
    int marks[] = {B, C, D};
    for (int i = 0; i < 3; i++) {
        chunk_sign(bytes + marks[i]);
        chunk_sign(copies + (i + 1) * 128);
    }
    ms_chunk d;
    memcpy(&d, bytes + DIRECTORY, sizeof d);
    d.payload_crc = ms_crc32c(0, copies, 4 * 128);
    d.crc = ms_chunk_crc(&d);
    memcpy(bytes + DIRECTORY, &d, sizeof d);
    header_sign(bytes);

    EXPECT_EQ(ms_file_open_memory(bytes, size, "minor", &why, &f), MS_OK);
    EXPECT_EQ(ms_file_count(f), 1);
    EXPECT(ms_file_verify(f) == NULL);
    ms_file_close(f);
    EXPECT_EQ(ms_file_open_memory(bytes, size - 1, "minor", &why, &f), MS_OK); /* and when walked */
    EXPECT_EQ(ms_file_count(f), 1);
    EXPECT_STR(ms_file_damage(f), "minor ends early; 1 of 1 columns are whole");
    ms_file_close(f);

    bytes[12] = 2; /* major version */
    header_sign(bytes);
    EXPECT_EQ(ms_file_open_memory(bytes, size, "major", &why, &f), MS_EVERSION);
    EXPECT_STR(why.text, "major was written by a newer memsure (its format is version 2, this memsure reads up to 1)");

    ms_file_header h = {.magic = MS_FILE_MAGIC, .major = 1}; /* as the writer leaves it until commit */
    h.crc = ms_file_header_crc(&h);
    memcpy(bytes, &h, sizeof h);
    EXPECT_EQ(ms_file_open_memory(bytes, D + 64, "stopped", &why, &f), MS_OK);
    EXPECT_STR(ms_file_damage(f), "stopped was never finished; 1 column was found whole");
    ms_file_close(f);
    free(bytes);
}

static void test_columns_that_lie(void)
{
    size_t size;
    ms_why why;
    ms_writer *w;
    EXPECT_EQ(ms_writer_open(path, &why, &w), MS_OK);
    EXPECT_EQ(ms_writer_column(w, "t", "a", MS_TYPE_U64, 2, 1, "0123456789abcdef"), MS_OK);
    EXPECT_EQ(ms_writer_commit(w, &why), MS_OK);
    uint8_t *bytes = slurp(path, &size);
    uint8_t *directory = bytes + 64 + 192, *copy = directory + 128;
    static const struct { uint64_t length, rows; uint32_t width; uint64_t offset; } lies[] = {
        {16, UINT64_MAX / 16 + 2, 2, 64}, {UINT64_MAX, 1, 2, 64}, {UINT64_MAX - 127, 1, 2, 64}, {16, 1, 0, 64},
        {16, 1, UINT32_MAX, 64}, {16, 2, 2, 64}, {16, 1, 2, UINT64_MAX - 63}, {16, 1, 2, 65}, {1 << 20, 1 << 16, 2, 64},
    };
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        ms_file *f = NULL;
        ms_column got;
        ms_chunk c, d;
        memcpy(&c, copy, sizeof c);
        c.length = lies[i].length, c.rows = lies[i].rows, c.width = lies[i].width, c.offset = lies[i].offset;
        c.crc = ms_chunk_crc(&c);
        uint8_t saved[128];
        memcpy(saved, copy, 128);
        memcpy(copy, &c, sizeof c);
        memcpy(bytes + 64, &c, sizeof c);
        memcpy(&d, directory, sizeof d);
        d.payload_crc = ms_crc32c(0, copy, 128);
        d.crc = ms_chunk_crc(&d);
        memcpy(directory, &d, sizeof d);
        EXPECT_EQ(ms_file_open_memory(bytes, size, "lie", &why, &f), MS_OK);
        EXPECT(ms_file_check(f) == NULL);
        EXPECT(ms_file_column(f, "t", "a", &why, &got) != MS_OK);
        ms_file_close(f);
        memcpy(copy, saved, 128);
    }
    free(bytes);
}

static void test_foreign_files(void)
{
    static const struct { const char *bytes; size_t size; const char *said; ms_err err; } files[] = {
        {"", 0, "run.memsure is not a memsure file (it is empty)", MS_EFORMAT},
        {"PK\3\4....", 8, "run.memsure is not a memsure file (it begins with \"PK\": a zip archive)", MS_EFORMAT},
        {"import os\n", 10, "run.memsure is not a memsure file (it begins with \"import os\": text)", MS_EFORMAT},
        {"\0\0\0\0\0\0\0\0", 8, "run.memsure is not a memsure file (it begins with 00 00 00 00 00 00)", MS_EFORMAT},
        {"x", 1, "run.memsure is not a memsure file (it begins with \"x\": text)", MS_EFORMAT},
        {"\x89memsure\n\x1a\n.....", 16, "run.memsure was changed on its way here: its line ends were converted, as for text; copy it as binary", MS_EFORMAT},
        {MS_FILE_MAGIC, 12, "run.memsure ends early: it has only 12 bytes, and nothing in them can be shown", MS_EDAMAGED},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        ms_why why;
        ms_file *f = NULL;
        EXPECT_EQ(ms_file_open_memory(files[i].bytes, files[i].size, "run.memsure", &why, &f), files[i].err);
        EXPECT_STR(why.text, files[i].said);
        EXPECT(f == NULL);
    }
    ms_why why;
    ms_file *f;
    EXPECT_EQ(ms_file_open("/nowhere/f", &why, &f), MS_EIO);
    EXPECT_STR(why.text, "'/nowhere/f' does not exist");
    EXPECT_EQ(ms_file_open(folder, &why, &f), MS_EFORMAT);
    EXPECT_EQ(ms_file_open("/dev/zero", &why, &f), MS_EFORMAT);
    EXPECT_EQ(ms_sys_live(), 0);
}

/* Larger than what is copied: mapped; and then somebody shortens it. */
static void test_large_file_is_mapped(void)
{
    ms_why why;
    ms_writer *w;
    ms_file *f = NULL;
    ms_column c;
    static uint64_t block[8192];
    EXPECT_EQ(ms_writer_open(path, &why, &w), MS_OK);
    EXPECT_EQ(ms_writer_column(w, "t", "small", MS_TYPE_U8, 1, 5, "small"), MS_OK);
    EXPECT_EQ(ms_writer_column_begin(w, "t", "large", MS_TYPE_U64, 1), MS_OK);
    for (uint64_t n = 0; n < 20 << 20; n += sizeof block) {
        for (uint64_t i = 0; i < 8192; i++)
            block[i] = n / 8 + i;
        EXPECT_EQ(ms_writer_append(w, block, sizeof block), MS_OK);
    }
    EXPECT_EQ(ms_writer_column_end(w), MS_OK);
    EXPECT_EQ(ms_writer_commit(w, &why), MS_OK);

    EXPECT_EQ(ms_file_open(path, &why, &f), MS_OK);
    EXPECT_EQ(ms_file_column(f, "t", "large", &why, &c), MS_OK);
    EXPECT_EQ(c.rows, (20 << 20) / 8);
    for (uint64_t i = 0; i < c.rows; i++)
        if (((const uint64_t *)c.values)[i] != i) {
            EXPECT_EQ(((const uint64_t *)c.values)[i], i);
            break;
        }
    ms_file_close(f);

    EXPECT_EQ(ms_file_open(path, &why, &f), MS_OK);
    EXPECT_EQ(truncate(path, 1 << 20), 0);
    EXPECT_EQ(ms_file_column(f, "t", "large", &why, &c), MS_EDAMAGED);
    EXPECT_EQ(ms_file_column(f, "t", "small", &why, &c), MS_OK);
    EXPECT(ms_file_damage(f) != NULL && strstr(ms_file_damage(f), "1 of 2 columns are whole; not t.large") != NULL);
    ms_file_close(f);
    EXPECT_EQ(ms_sys_live(), 0);
}

int main(int argc, char **argv)
{
    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/f.memsure", folder);
    RUN(test_crc);
    RUN(test_what_is_written_is_read);
    RUN(test_writer_refuses);
    RUN(test_limit_of_columns);
    RUN(test_write_survives_every_failed_allocation);
    RUN(test_open_survives_every_failed_allocation);
    RUN(test_full_disk_leaves_the_old_file);
    RUN(test_links_and_folders);
    RUN(test_cut_and_flip_own);
    RUN(test_a_file_inside_a_file);
    RUN(test_future_versions);
    RUN(test_columns_that_lie);
    RUN(test_foreign_files);
    RUN(test_large_file_is_mapped);
    RUN(test_full_file_system);
    for (int i = 1; i < argc; i++) {
        size_t size;
        uint8_t *bytes = slurp(argv[i], &size);
        test_name = argv[i];
        cut_everywhere(bytes, size);
        flip_everywhere(bytes, size);
        free(bytes);
    }
    unlink(path);
    rmdir(folder);
    return test_end();
}
