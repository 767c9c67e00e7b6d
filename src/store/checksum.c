/* checksum.c -- CRC-32C: by the processor's instruction where it has one, else by tables.
 *
 * The polynomial is Castagnoli's (0x1EDC6F41, reflected 0x82F63B78), bits reflected, begun with and
 * finished by all ones: the CRC of "123456789" is 0xE3069283. The instruction does 8 bytes in little more than
 * 1 cycle, in three streams; the tables ("slicing by 8") 8 bytes in about 12. */
#include "store/store.h"

#include <stdatomic.h>
#include <string.h>

#if defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

#define STRETCH 1024u /* bytes */

static uint32_t   crc_table[8][256];
static uint32_t   crc_skipped[4][256]; /* by each byte of a checksum: what STRETCH zeros make of it */
static atomic_int crc_state; /* 0: unknown; 1: tables; 2: the instruction */

/* Writing the same values twice is harmless, so that two first callers need no lock; the state is
 * stored after the tables. */
static void crc_prepare_table(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t c = i;
        for (int bit = 0; bit < 8; bit++)
            c = (c >> 1) ^ (c & 1 ? 0x82F63B78u : 0);
        crc_table[0][i] = c;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int t = 1; t < 8; t++)
            crc_table[t][i] = (crc_table[t - 1][i] >> 8) ^ crc_table[0][crc_table[t - 1][i] & 255];
    uint32_t bit[32]; /* a checksum is the sum of its bits, and zeros keep sums */
    for (int b = 0; b < 32; b++) {
        bit[b] = 1u << b;
        for (uint32_t i = 0; i < STRETCH; i++)
            bit[b] = (bit[b] >> 8) ^ crc_table[0][bit[b] & 255];
    }
    for (uint32_t i = 0; i < 4 * 256; i++) {
        uint32_t c = 0;
        for (int b = 0; b < 8; b++)
            c ^= i >> b & 1 ? bit[(i >> 8) * 8 + (uint32_t)b] : 0;
        crc_skipped[i >> 8][i & 255] = c;
    }
}

static bool crc_machine_has_it(void)
{
#if defined(__x86_64__)
    return __builtin_cpu_supports("sse4.2");
#elif defined(__aarch64__)
    return getauxval(AT_HWCAP) & (1UL << 7); /* HWCAP_CRC32 */
#else
    return false;
#endif
}

static int crc_prepare(void)
{
    crc_prepare_table();
    int state = crc_machine_has_it() ? 2 : 1;
    atomic_store_explicit(&crc_state, state, memory_order_release);
    return state;
}

static uint32_t crc_by_table(uint32_t c, const unsigned char *p, size_t n)
{
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        v ^= c;
        c = crc_table[7][v & 255] ^ crc_table[6][v >> 8 & 255] ^ crc_table[5][v >> 16 & 255] ^
            crc_table[4][v >> 24 & 255] ^ crc_table[3][v >> 32 & 255] ^ crc_table[2][v >> 40 & 255] ^
            crc_table[1][v >> 48 & 255] ^ crc_table[0][v >> 56];
    }
    while (n--)
        c = (c >> 8) ^ crc_table[0][(c ^ *p++) & 255];
    return c;
}

#if defined(__x86_64__)
#define MACHINE __attribute__((target("sse4.2")))
#define crc_8(c, v) __builtin_ia32_crc32di(c, v)
#define crc_1(c, v) __builtin_ia32_crc32qi((uint32_t)(c), v)
#elif defined(__aarch64__)
#define MACHINE __attribute__((target("+crc")))
#define crc_8(c, v) __crc32cd((uint32_t)(c), v)
#define crc_1(c, v) __crc32cb((uint32_t)(c), v)
#endif

#ifdef MACHINE
static inline uint64_t word_at(const unsigned char *p)
{
    uint64_t v;
    memcpy(&v, p, 8);
    return v;
}

/* c as it is after a stretch of zeros. */
static inline uint64_t crc_skip(uint64_t c)
{
    return crc_skipped[0][c & 255] ^ crc_skipped[1][c >> 8 & 255] ^ crc_skipped[2][c >> 16 & 255] ^ crc_skipped[3][c >> 24];
}

/* Three stretches at a time: the instruction begins a word each cycle, but takes three for it. Each has a checksum of its own;
 * they are joined by what zeros in place of the next stretch would make of it. */
MACHINE static uint32_t crc_by_machine(uint32_t crc, const unsigned char *p, size_t n)
{
    uint64_t c = crc;
    for (; n >= 3 * STRETCH; n -= 3 * STRETCH, p += 3 * STRETCH) {
        uint64_t second = 0, third = 0;
        for (size_t i = 0; i < STRETCH; i += 8) {
            c = crc_8(c, word_at(p + i));
            second = crc_8(second, word_at(p + STRETCH + i));
            third = crc_8(third, word_at(p + 2 * STRETCH + i));
        }
        c = crc_skip(crc_skip(c) ^ second) ^ third;
    }
    for (; n >= 8; n -= 8, p += 8)
        c = crc_8(c, word_at(p));
    crc = (uint32_t)c;
    while (n--)
        crc = crc_1(crc, *p++);
    return crc;
}
#else
#define crc_by_machine crc_by_table
#endif

uint32_t ms_crc32c(uint32_t crc, const void *bytes, size_t size)
{
    int state = atomic_load_explicit(&crc_state, memory_order_acquire);
    if (MS_UNLIKELY(state == 0))
        state = crc_prepare();
    return ~(state == 2 ? crc_by_machine : crc_by_table)(~crc, bytes, size);
}

uint32_t ms_crc32c_table(uint32_t crc, const void *bytes, size_t size)
{
    if (atomic_load_explicit(&crc_state, memory_order_acquire) == 0)
        crc_prepare();
    return ~crc_by_table(~crc, bytes, size);
}
