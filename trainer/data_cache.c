#include "trainer/data_cache.h"

#include "common/file.h"
#include "trainer/data_labels.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zlib.h>

struct header {
    char magic[8];
    uint32_t version, height, width, channels, classes;
    uint32_t checksum;       /* of the data set */
    uint64_t training, test; /* images */
    uint64_t sources_size;
    uint64_t sum;            /* CRC-32 of all before it */
};
_Static_assert(sizeof(struct header) == 64, "what is summed and written has no padding");
static const char magic[8] = "images\r\n";

enum { SIDE_MOST = 1 << 16 };

/* ---- Names and sizes ---- */

char *data_cache_path(const char *folder, const char *sources)
{
    size_t line = strcspn(sources, "\n"), word = strcspn(sources, " \n");
    char *name = xasprintf("%.*s-%08lx.images", (int)word, sources,
                           crc32_z(0, (const Bytef *)sources, line));
    char *path = path_join(folder, name);
    free(name);
    return path;
}

static uint64_t header_sum(const struct header *header)
{
    return crc32_z(0, (const Bytef *)header, offsetof(struct header, sum));
}

static size_t image_size(const struct header *header)
{
    return (size_t)header->height * header->width * header->channels;
}

/* Whether a file of `size` bytes is what the header promises; nothing can overflow. */
static bool sizes_fit(const struct header *header, size_t size)
{
    if (header->height - 1 >= SIDE_MOST || header->width - 1 >= SIDE_MOST ||
        header->channels - 1 >= SIDE_MOST || header->classes < 2 ||
        header->classes > DATA_CLASSES_MOST)
        return false;
    if (header->training - 1 >= size || header->test - 1 >= size ||
        header->sources_size > size - sizeof *header)
        return false;
    size_t bytes = sizeof(uint16_t) + image_size(header);
    size_t images = header->training + header->test;
    size_t room = size - sizeof *header - header->sources_size;
    return images <= room / bytes && images * bytes == room;
}

/* ---- Mapping ---- */

/* A missing file is no failure of anything. */
static int map_file(const char *path, uint8_t **bytes, size_t *size, struct failure *why)
{
    struct stat status;
    int result = -1;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return errno == ENOENT ? -1 : fail(why, "%s: %s", path, strerror(errno));
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode) ||
        (size_t)status.st_size < sizeof(struct header)) {
        fail(why, "%s: no images are in it", path);
        goto done;
    }
    /* Every page is wanted at once, for the checksum. */
    void *map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_SHARED | MAP_POPULATE, fd, 0);
    if (map == MAP_FAILED) {
        fail(why, "%s: cannot be mapped: %s", path, strerror(errno));
        goto done;
    }
    *bytes = map;
    *size = (size_t)status.st_size;
    result = 0;
done:
    close(fd);
    return result;
}

static int check_header(const char *path, const uint8_t *bytes, size_t size, const char *sources,
                        struct failure *why)
{
    const struct header *header = (const struct header *)bytes;
    if (memcmp(header->magic, magic, sizeof magic) != 0 ||
        header->version != DATA_CACHE_VERSION)
        return fail(why, "%s: it is of another version", path);
    if (header_sum(header) != header->sum || !sizes_fit(header, size))
        return fail(why, "%s: it is damaged", path);
    if (header->sources_size != strlen(sources) ||
        memcmp(bytes + size - header->sources_size, sources, header->sources_size) != 0)
        return fail(why, "%s: the files that it was made of have changed", path);
    return 0;
}

/* The data set that lies in the file, unchecked; nobody writes to it. */
static struct dataset dataset_in(uint8_t *bytes, size_t size)
{
    const struct header *header = (const struct header *)bytes;
    struct dataset found = {
        .height = (int)header->height, .width = (int)header->width,
        .channels = (int)header->channels, .classes = (int)header->classes,
        .training.count = header->training, .test.count = header->test,
        .checksum = header->checksum, .mapping = bytes, .mapping_size = size};
    found.training.labels = (uint16_t *)(bytes + sizeof *header);
    found.test.labels = found.training.labels + header->training;
    found.training.pixels = (uint8_t *)(found.test.labels + header->test);
    found.test.pixels = found.training.pixels + header->training * image_size(header);
    return found;
}

/* Labels are looked at one by one too: of small ones the checksum sees only a byte. */
static int check_images(const char *path, const struct dataset *found, struct failure *why)
{
    int classes = found->classes;
    if (data_labels_check(path, &found->training, &classes, why) != 0 ||
        data_labels_check(path, &found->test, &classes, why) != 0)
        return -1;
    if (dataset_checksum(found) != found->checksum)
        return fail(why, "%s: its images are damaged", path);
    return 0;
}

int data_cache_map(const char *folder, const char *sources, struct dataset *dataset,
                   struct failure *why)
{
    char *path = data_cache_path(folder, sources);
    uint8_t *bytes = NULL;
    size_t size = 0;
    int result = map_file(path, &bytes, &size, why);
    if (result == 0)
        result = check_header(path, bytes, size, sources, why);
    if (result == 0) {
        struct dataset found = dataset_in(bytes, size);
        result = check_images(path, &found, why);
        if (result == 0)
            *dataset = found;
    }
    if (result != 0 && bytes)
        munmap(bytes, size);
    free(path);
    return result;
}

void data_cache_unmap(struct dataset *dataset)
{
    munmap(dataset->mapping, dataset->mapping_size);
    dataset->mapping = NULL;
}

/* ---- Making ---- */

/* file_replace() writes to PATH.tmp.PID first; a process that is killed leaves that. */
static void remove_leftovers(const char *folder, const char *path)
{
    const struct dirent *entry;
    char *beginning = xasprintf("%s.tmp.", strrchr(path, '/') + 1);
    size_t length = strlen(beginning);
    DIR *stream = opendir(folder);
    while (stream && (entry = readdir(stream))) {
        if (strncmp(entry->d_name, beginning, length) != 0)
            continue;
        long process = strtol(entry->d_name + length, NULL, 10);
        if (process > 0 && kill((pid_t)process, 0) != 0 && errno == ESRCH)
            unlinkat(dirfd(stream), entry->d_name, 0);
    }
    if (stream)
        closedir(stream);
    free(beginning);
}

static int check_room(const char *folder, size_t size, struct failure *why)
{
    struct statvfs disk;
    if (statvfs(folder, &disk) != 0)
        return fail(why, "%s: %s", folder, strerror(errno));
    uint64_t room = (uint64_t)disk.f_bavail * disk.f_frsize;
    if (size > room / 2)
        return fail(why, "%s: %zu MB of images would take more than half of the %llu MB that are "
                    "left", folder, size >> 20, (unsigned long long)room >> 20);
    return 0;
}

int data_cache_make(const char *folder, const char *sources, const struct dataset *dataset,
                    struct failure *why)
{
    const struct image_set *training = &dataset->training, *test = &dataset->test;
    struct header header = {
        .version = DATA_CACHE_VERSION, .height = (uint32_t)dataset->height,
        .width = (uint32_t)dataset->width, .channels = (uint32_t)dataset->channels,
        .classes = (uint32_t)dataset->classes, .checksum = dataset->checksum,
        .training = training->count, .test = test->count, .sources_size = strlen(sources)};
    memcpy(header.magic, magic, sizeof magic);
    header.sum = header_sum(&header);
    const struct file_piece pieces[] = {
        {&header, sizeof header},
        {training->labels, training->count * sizeof *training->labels},
        {test->labels, test->count * sizeof *test->labels},
        {training->pixels, training->count * image_size(&header)},
        {test->pixels, test->count * image_size(&header)},
        {sources, header.sources_size},
    };
    size_t size = 0;
    for (size_t i = 0; i < ARRAY_LENGTH(pieces); i++)
        size += pieces[i].size;

    char *path = data_cache_path(folder, sources);
    int result = folder_make(folder, why);
    if (result == 0) {
        remove_leftovers(folder, path);
        result = check_room(folder, size, why);
    }
    if (result == 0)
        result = file_replace(path, pieces, ARRAY_LENGTH(pieces), why);
    free(path);
    return result;
}
