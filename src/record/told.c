/* told.c -- blocks that a library takes from malloc itself, and tells tracemalloc of.
 *
 * numpy (before 2.5) takes the data of arrays from malloc, and pandas its hash tables: no allocator of Python's sees them. Both call
 * PyTraceMalloc_Track for each block, and PyTraceMalloc_Untrack before they free it, whether tracemalloc runs or not. When a module is
 * about to be made, these two entries of its table of functions are set to ours, which count, and pass the call on. All other
 * tables, and the functions themselves, stay as they are.
 *
 * The table is found as the loader finds it, by the module's relocations; where the loader has made it read only, it is writable for
 * that moment. Only the domains of these two are heard: what others tell of may be memory of a device. */
#include "record/recorder.h"

#include <dlfcn.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { NUMPY = 389047, PANDAS = 424242 };

static int track(unsigned int domain, uintptr_t block, size_t size)
{
    if (domain == NUMPY || domain == PANDAS)
        ms_recorder_told((void *)block, size);
    return PyTraceMalloc_Track(domain, block, size);
}

static int untrack(unsigned int domain, uintptr_t block)
{
    if (domain == NUMPY || domain == PANDAS)
        ms_recorder_untold((void *)block);
    return PyTraceMalloc_Untrack(domain, block);
}

#if defined(__x86_64__)
static bool is_function(uint64_t type) { return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT; }
#elif defined(__aarch64__)
static bool is_function(uint64_t type) { return type == R_AARCH64_JUMP_SLOT || type == R_AARCH64_GLOB_DAT; }
#endif

typedef struct {
    uintptr_t base, from, to; /* the module; what is read only once it is loaded */
} sealed_part;

static int find_sealed(struct dl_phdr_info *info, size_t size, void *arg)
{
    sealed_part *part = arg;
    if (info->dlpi_addr != part->base)
        return 0;
    uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE);
    for (int i = 0; i < info->dlpi_phnum; i++)
        if (info->dlpi_phdr[i].p_type == PT_GNU_RELRO) {
            part->from = (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr) & ~(page - 1);
            part->to = (info->dlpi_addr + info->dlpi_phdr[i].p_vaddr + info->dlpi_phdr[i].p_memsz) & ~(page - 1);
        }
    return 1;
}

static void set(void **entry, void *function, uintptr_t base)
{
    sealed_part part = {.base = base};
    dl_iterate_phdr(find_sealed, &part);
    uintptr_t page = (uintptr_t)entry & ~((uintptr_t)sysconf(_SC_PAGESIZE) - 1);
    bool closed = page >= part.from && page < part.to;
    if (closed && mprotect((void *)page, 1, PROT_READ | PROT_WRITE) != 0)
        return;
    *entry = function;
    if (closed)
        mprotect((void *)page, 1, PROT_READ);
}

void ms_told_listen(void *module)
{
    struct link_map *map = NULL;
    const ElfW(Rela) *list[2] = {NULL, NULL}; /* data, and functions */
    size_t bytes[2] = {0, 0}, relative = 0;
    const ElfW(Sym) *symbol = NULL;
    const char *text = NULL;
    if (ms_area.sealed || ms_mode == MS_MODE_ALLOC || dlinfo(module, RTLD_DI_LINKMAP, &map) != 0 || map == NULL || map->l_ld == NULL)
        return;
    for (const ElfW(Dyn) *d = map->l_ld; d->d_tag != DT_NULL; d++)
        switch (d->d_tag) { /* the loader has made addresses of these */
        case DT_RELA:      list[0] = (const void *)d->d_un.d_ptr; break;
        case DT_RELASZ:    bytes[0] = d->d_un.d_val; break;
        case DT_RELACOUNT: relative = d->d_un.d_val; break;
        case DT_JMPREL:    list[1] = (const void *)d->d_un.d_ptr; break;
        case DT_PLTRELSZ:  bytes[1] = d->d_un.d_val; break;
        case DT_SYMTAB:    symbol = (const void *)d->d_un.d_ptr; break;
        case DT_STRTAB:    text = (const void *)d->d_un.d_ptr; break;
        }
    if (symbol == NULL || text == NULL || (uintptr_t)symbol < map->l_addr || (uintptr_t)text < map->l_addr)
        return;
    for (int k = 0; k < 2; k++)
        for (size_t i = k == 0 ? relative : 0; list[k] && i < bytes[k] / sizeof **list; i++) {
            const ElfW(Rela) *r = &list[k][i];
            const char *name = is_function(ELF64_R_TYPE(r->r_info)) ? text + symbol[ELF64_R_SYM(r->r_info)].st_name : "";
            if (strcmp(name, "PyTraceMalloc_Track") == 0)
                set((void **)(map->l_addr + r->r_offset), (void *)track, map->l_addr);
            else if (strcmp(name, "PyTraceMalloc_Untrack") == 0)
                set((void **)(map->l_addr + r->r_offset), (void *)untrack, map->l_addr);
        }
}
