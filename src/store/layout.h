/* layout.h -- the bytes of the file, as docs/FORMAT.md gives them. For writer.c and reader.c only.
 *
 * Everything is little-endian, and so are the machines memsure runs on: the structs below are the
 * bytes. All checksums are CRC-32C; a struct's own is taken with its crc field as 0. */
#ifndef MS_STORE_LAYOUT_H
#define MS_STORE_LAYOUT_H

#include "store/store.h"

#include <assert.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "memsure files are little-endian, and read and written as they lie in memory"
#endif

#define MS_FILE_MAGIC  "\x89memsure\r\n\x1a\n" /* not text, and shows where line ends were converted */
#define MS_CHUNK_MAGIC "\x89" "chunk1\n"

enum { MS_FILE_MAJOR = 1, MS_FILE_MINOR = 0, MS_FILE_ALIGN = 64 };
enum { MS_CHUNK_COLUMN = 1, MS_CHUNK_DIRECTORY = 2 };

typedef struct {
    char     magic[12];
    uint16_t major, minor;
    uint32_t crc;
    uint32_t columns;   /* in the whole file */
    uint64_t directory; /* where its chunk begins; 0: the file was never finished */
    uint64_t length;    /* of the whole file, in bytes; 0: never finished */
    uint8_t  reserved[24];
} ms_file_header;
static_assert(sizeof(ms_file_header) == 64, "docs/FORMAT.md");

typedef struct {
    char     magic[8];
    uint32_t crc;
    uint16_t kind, flags;
    uint64_t offset; /* of this chunk in the file: a copy elsewhere is no chunk */
    uint64_t length; /* of the payload, in bytes, without its padding */
    uint64_t rows;
    uint32_t width;
    uint32_t payload_crc;
    uint8_t  type;
    uint8_t  reserved[15];
    char     table[32], column[32]; /* ended and filled with 0 */
} ms_chunk;
static_assert(sizeof(ms_chunk) == 128, "docs/FORMAT.md");

uint32_t ms_chunk_crc(const ms_chunk *c);
uint32_t ms_file_header_crc(const ms_file_header *h);
bool     ms_store_name_ok(const char *name); /* at most 32 bytes are read */

/* A file of these columns, which lie whole in the first size bytes behind fd. */
ms_err ms_file_of(int fd, uint64_t size, const ms_chunk *chunks, uint32_t count, const char *name, ms_why *why, ms_file **out);

static inline uint64_t ms_align64(uint64_t n) /* the caller knows that n is far from 2^64 */
{
    return (n + MS_FILE_ALIGN - 1) & ~(uint64_t)(MS_FILE_ALIGN - 1);
}

#endif
