/* mutate.h -- what the fuzzers of files share: mutants of a file, half of them with their checksums put right again, so
 * that what lies behind them is reached; and the main() that replays FILES and mutates them for SECONDS.
 *
 * The including file defines LLVMFuzzerTestOneInput. An input that fails an expectation is kept as NAME.failed. */
#ifndef MS_MUTATE_H
#define MS_MUTATE_H

#include "store/layout.h"
#include "test.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void put_right(uint8_t *bytes, size_t size)
{
    for (size_t at = 64; at + sizeof(ms_chunk) <= size; at += 64) {
        ms_chunk c;
        memcpy(&c, bytes + at, sizeof c);
        if (memcmp(c.magic, MS_CHUNK_MAGIC, sizeof c.magic) != 0)
            continue;
        if (c.length <= size - at - sizeof c)
            c.payload_crc = ms_crc32c(0, bytes + at + sizeof c, c.length);
        c.crc = ms_chunk_crc(&c);
        memcpy(bytes + at, &c, sizeof c);
    }
    for (size_t at = 64; at + sizeof(ms_chunk) <= size; at += 64) { /* the directory's now changed payload */
        ms_chunk c;
        memcpy(&c, bytes + at, sizeof c);
        if (memcmp(c.magic, MS_CHUNK_MAGIC, sizeof c.magic) != 0 || c.kind != MS_CHUNK_DIRECTORY || c.length > size - at - sizeof c)
            continue;
        c.payload_crc = ms_crc32c(0, bytes + at + sizeof c, c.length);
        c.crc = ms_chunk_crc(&c);
        memcpy(bytes + at, &c, sizeof c);
    }
    if (size >= sizeof(ms_file_header)) {
        ms_file_header h;
        memcpy(&h, bytes, sizeof h);
        h.crc = ms_file_header_crc(&h);
        memcpy(bytes, &h, sizeof h);
    }
}

static size_t mutate(uint8_t *bytes, size_t size, size_t room)
{
    static const uint64_t odd[] = {0, 1, 63, 64, 128, 0x7fffffff, 0xffffffff, 0x7fffffffffffffff, UINT64_MAX, UINT64_MAX - 127};
    for (uint64_t times = 1 + test_below(4); times > 0 && size > 16; times--) {
        size_t at = test_below(size);
        switch (test_below(6)) {
        case 0: bytes[at] ^= (uint8_t)(1u << test_below(8)); break;
        case 1: bytes[at] = (uint8_t)test_random(); break;
        case 2: { /* a number in a description */
            at = (at & ~(size_t)7) % (size - 8);
            uint64_t v = test_below(2) ? odd[test_below(10)] : test_below(size);
            memcpy(bytes + at, &v, test_below(2) ? 8 : 4);
            break;
        }
        case 3: size = test_below(4) ? size : at; break;
        case 4: { /* 64 bytes elsewhere */
            size_t to = test_below(size) & ~(size_t)63, from = at & ~(size_t)63, n = 64 * (1 + test_below(4));
            if (to + n <= size && from + n <= size)
                memmove(bytes + to, bytes + from, n);
            break;
        }
        default: { /* longer */
            size_t n = test_below(300);
            if (size + n <= room) {
                memset(bytes + size, (int)test_below(256), n);
                size += n;
            }
        }
        }
    }
    return size;
}

static void keep(const char *name, const uint8_t *bytes, size_t size)
{
    char path[64];
    snprintf(path, sizeof path, "%s.failed", name);
    FILE *s = fopen(path, "wb");
    if (s != NULL) {
        fwrite(bytes, 1, size, s);
        fclose(s);
    }
}

static int fuzz_main(const char *name, int argc, char **argv)
{
    enum { ROOM = 1 << 20, SEEDS = 64 };
    static uint8_t work[ROOM];
    static struct { uint8_t *bytes; size_t size; } seeds[SEEDS];
    int n = 0;
    unsigned long long runs = 0;
    test_name = name;
    for (int i = 2; i < argc && n < SEEDS; i++) {
        FILE *s = fopen(argv[i], "rb");
        if (s == NULL) {
            perror(argv[i]);
            return 1;
        }
        seeds[n].bytes = malloc(ROOM);
        seeds[n].size = fread(seeds[n].bytes, 1, ROOM, s);
        fclose(s);
        LLVMFuzzerTestOneInput(seeds[n].bytes, seeds[n].size);
        n++;
    }
    time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 0);
    while (n > 0 && test_failures == 0 && time(NULL) < end) {
        int seed = (int)test_below((uint64_t)n);
        memcpy(work, seeds[seed].bytes, seeds[seed].size);
        size_t size = mutate(work, seeds[seed].size, ROOM);
        if (test_below(2))
            put_right(work, size);
        LLVMFuzzerTestOneInput(work, size);
        runs++;
        if (test_failures)
            keep(name, work, size);
    }
    for (int i = 0; i < n; i++)
        free(seeds[i].bytes);
    printf("%d files, %llu mutants, %u failures\n", n, runs, test_failures);
    return test_end();
}

#endif
