#include "trainer/data_stamp.h"

#include "common/file.h"

#include <stdlib.h>
#include <sys/stat.h>

void data_stamp_add(struct text *stamps, const char *folder, const char *name)
{
    struct stat status;
    char *path = path_join(folder, name);
    if (stat(path, &status) == 0)
        text_addf(stamps, "%s %lld %lld.%09ld %lld.%09ld\n", name, (long long)status.st_size,
                  (long long)status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                  (long long)status.st_ctim.tv_sec, status.st_ctim.tv_nsec);
    else
        text_addf(stamps, "%s missing\n", name);
    free(path);
}
