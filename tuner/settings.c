/* <home>/settings.yaml: what its owner sets for all daemons of this home.
 *
 *   workers: 8               so many at once, in all
 *   quota_bytes: 20e9        of checkpoints
 *   free_bytes: 1e9          below so much free space nothing new is started
 *   memory_megabytes: 4000   of each worker, and
 *   nice: 5                  how far it stands back, for studies that begin from now on */
#include "tuner/engine.h"

#include "common/file.h"
#include "tuner/field.h"

#include <stdlib.h>

enum { FILE_BYTES_MAX = 1 << 20 };
#define BYTES_MOST ((int64_t)1 << 60)

struct settings {
    int workers;         /* 0: as the first study says */
    int64_t quota_bytes, free_bytes;
    struct limits limits;
};

static int read_bytes(const char *path, const struct yaml *map, const char *name, int64_t *bytes,
                      struct failure *why)
{
    const struct yaml *node = yaml_get(map, name);
    return node != NULL ? field_integer(path, node, name, 0, BYTES_MOST, bytes, why) : 0;
}

static int read_map(const char *path, const struct yaml *map, struct settings *settings,
                    struct failure *why)
{
    static const char *const keys[] = {"workers", "quota_bytes", "free_bytes",
                                       "memory_megabytes", "nice"};
    if (field_map(path, map, "settings", "{workers: 4}", why) != 0 ||
        field_check_keys(path, map, "settings.yaml", keys, ARRAY_LENGTH(keys), why) != 0 ||
        field_optional_int(path, map, "workers", 1, WORKERS_MOST, &settings->workers, why) != 0 ||
        field_optional_int(path, map, "memory_megabytes", 1, LIMIT_MEGABYTES_MOST,
                           &settings->limits.memory_mb, why) != 0 ||
        field_optional_int(path, map, "nice", 0, LIMIT_NICE_MOST, &settings->limits.nice,
                           why) != 0 ||
        read_bytes(path, map, "quota_bytes", &settings->quota_bytes, why) != 0)
        return -1;
    return read_bytes(path, map, "free_bytes", &settings->free_bytes, why);
}

/* The file's settings over those that the daemon was started with. */
static int read_file(const char *path, struct settings *settings, struct failure *why)
{
    char *bytes;
    size_t size;
    struct yaml *map;
    int result;
    if (file_read(path, FILE_BYTES_MAX, &bytes, &size, why) != 0)
        return -1;
    map = yaml_parse(path, bytes, size, why);
    result = map != NULL ? read_map(path, map, settings, why) : -1;
    yaml_tree_free(map);
    free(bytes);
    return result;
}

static int cores(void)
{
    int count = cores_allowed();
    return count > WORKERS_MOST ? WORKERS_MOST : count;
}

static void take(struct daemon *daemon, const struct settings *settings)
{
    int workers = settings->workers;
    daemon->limits = settings->limits;
    daemon->disk.quota_bytes = settings->quota_bytes;
    daemon->disk.floor_bytes = settings->free_bytes;
    if (workers == 0 && daemon->settings.stay)
        workers = cores();
    if (workers > 0)
        daemon_set_workers(daemon, workers);
}

int settings_read(struct daemon *daemon, struct failure *why)
{
    struct settings settings = {.workers = daemon->settings.workers, .free_bytes = -1};
    char *path = path_join(daemon->settings.home, "settings.yaml");
    int result = file_exists(path) ? read_file(path, &settings, why) : 0;
    free(path);
    if (result == 0)
        take(daemon, &settings);
    return result;
}

int daemon_reload(struct daemon *daemon, struct failure *why)
{
    if (settings_read(daemon, why) != 0)
        return -1;
    event_line(daemon, NULL, "settings read again: %d workers", daemon->workers);
    return 0;
}
