/* checksum.c -- CRC-32C: by the processor's instruction where it has one, else by tables.
 *
 * The polynomial is Castagnoli's (0x1EDC6F41, reflected 0x82F63B78), bits reflected, begun with and
 * finished by all ones: the CRC of "123456789" is 0xE3069283. The instruction does 8 bytes in
 * 3 cycles, the tables ("slicing by 8") 8 bytes in about 12. */
#include "store/store.h"

#include <stdatomic.h>
#include <string.h>

#if defined(__aarch64__)
#include <arm_acle.h>
#include <sys/auxv.h>
#endif

static uint32_t   crc_table[8][256];
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
__attribute__((target("sse4.2"))) static uint32_t crc_by_machine(uint32_t c, const unsigned char *p, size_t n)
{
    uint64_t c64 = c;
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        c64 = __builtin_ia32_crc32di(c64, v);
    }
    c = (uint32_t)c64;
    while (n--)
        c = __builtin_ia32_crc32qi(c, *p++);
    return c;
}
#elif defined(__aarch64__)
__attribute__((target("+crc"))) static uint32_t crc_by_machine(uint32_t c, const unsigned char *p, size_t n)
{
    for (; n >= 8; n -= 8, p += 8) {
        uint64_t v;
        memcpy(&v, p, 8);
        c = __crc32cd(c, v);
    }
    while (n--)
        c = __crc32cb(c, *p++);
    return c;
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
