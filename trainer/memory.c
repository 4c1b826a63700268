#include "trainer/memory.h"

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static size_t without(size_t all, size_t taken)
{
    return all > taken ? all - taken : 0;
}

size_t memory_left(void)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), address_space = 0, resident = 0, left;
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    FILE *file = fopen("/proc/self/statm", "r");
    if (file && fscanf(file, "%zu %zu", &address_space, &resident) != 2)
        address_space = resident = 0;
    if (file)
        fclose(file);
    left = without((size_t)sysconf(_SC_PHYS_PAGES) * page, resident * page);
    if (getrlimit(RLIMIT_AS, &limit) == 0 && limit.rlim_cur != RLIM_INFINITY) {
        size_t space = without((size_t)limit.rlim_cur, address_space * page);
        left = space < left ? space : left;
    }
    return left;
}
