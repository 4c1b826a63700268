#include "tuner/engine.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

enum {
    LOOK_MS = 1000,          /* free space is looked at no more often */
    FLOOR_SHARE = 20         /* the default floor: this part of the disk, but ... */
};
#define FLOOR_MOST ((int64_t)64 << 20)

static const double MEBIBYTE = 1 << 20;

/* ---- the quota ---- */

void disk_add(struct run *run, struct trial *trial)
{
    struct stat status;
    if (trial->checkpoint == NULL)
        return;
    disk_subtract(run, trial);
    if (stat(trial->checkpoint, &status) == 0)
        trial->checkpoint_bytes = status.st_size;
    run->daemon->disk.used_bytes += trial->checkpoint_bytes;
}

void disk_subtract(struct run *run, struct trial *trial)
{
    run->daemon->disk.used_bytes -= trial->checkpoint_bytes;
    trial->checkpoint_bytes = 0;
}

/* Whether its checkpoint may go: no worker is about to read it, and it is not the best's. */
static bool is_spare(const struct run *run, const struct trial *trial)
{
    return trial->checkpoint != NULL && trial != run->best && trial != run->final.winner &&
           (trial->state == TRIAL_PAUSED || trial->state == TRIAL_ENDED);
}

/* The worst of a study's: what has completed goes before what may still be promoted. */
static struct trial *worst_spare(const struct run *run)
{
    struct trial *worst = NULL;
    int i;
    for (i = 0; i < run->trial_count; i++) {
        struct trial *trial = run->trials[i];
        if (!is_spare(run, trial))
            continue;
        if (worst == NULL || (trial->completed && !worst->completed) ||
            (trial->completed == worst->completed &&
             !value_better(trial->value, worst->value, run->study->maximize)))
            worst = trial;
    }
    return worst;
}

/* Of the study that holds the most of them. */
static bool drop_worst(struct daemon *daemon)
{
    struct run *fullest = NULL;
    struct trial *worst = NULL;
    int64_t most = 0, bytes;
    int i, t;
    for (i = 0; i < daemon->run_count; i++) {
        struct run *run = daemon->runs[i];
        for (bytes = 0, t = 0; t < run->trial_count; t++)
            bytes += run->trials[t]->checkpoint_bytes;
        if (bytes > most && worst_spare(run) != NULL) {
            most = bytes;
            fullest = run;
        }
    }
    if (fullest != NULL && (worst = worst_spare(fullest)) != NULL) {
        kept_remove(&fullest->kept, worst);
        run_drop_checkpoint(fullest, worst);
    }
    return worst != NULL;
}

void disk_keep_quota(struct daemon *daemon)
{
    const struct disk *disk = &daemon->disk;
    while (disk->quota_bytes > 0 && disk->used_bytes > disk->quota_bytes && drop_worst(daemon))
        continue;
}

/* ---- room ---- */

static void look_again(struct timer *timer, void *context)
{
    struct daemon *daemon = context;
    (void)timer;
    daemon->disk.looked_ms = 0; /* the turn that this has woken looks */
}

static void set_look_timer(struct daemon *daemon)
{
    daemon->disk.look_again.due = look_again;
    daemon->disk.look_again.context = daemon;
    loop_set_timer(daemon->loop, &daemon->disk.look_again, LOOK_MS);
}

/* Free bytes, and those below which nothing new is started; false where nobody can tell. */
static bool measure(const struct daemon *daemon, int64_t *free_bytes, int64_t *floor_bytes)
{
    struct statvfs status;
    int64_t size;
    if (statvfs(daemon->settings.home, &status) != 0)
        return false;
    *free_bytes = (int64_t)status.f_bavail * (int64_t)status.f_frsize;
    size = (int64_t)status.f_blocks * (int64_t)status.f_frsize;
    *floor_bytes = daemon->disk.floor_bytes;
    if (*floor_bytes < 0)
        *floor_bytes = size / FLOOR_SHARE < FLOOR_MOST ? size / FLOOR_SHARE : FLOOR_MOST;
    return true;
}

static void stop_waiting(struct daemon *daemon)
{
    free(daemon->disk.waiting);
    daemon->disk.waiting = NULL;
    event_line(daemon, NULL, "there is room on the disk again");
}

static void wait_for_room(struct daemon *daemon, int64_t free_bytes, int64_t floor_bytes)
{
    set_look_timer(daemon);
    if (daemon->disk.waiting != NULL)
        return;
    daemon->disk.waiting =
        xasprintf("the disk of %s has %.0f MiB left, less than %.0f MiB: nothing new is started "
                  "until there is more room", daemon->settings.home, (double)free_bytes / MEBIBYTE,
                  (double)floor_bytes / MEBIBYTE);
    event_warn(daemon, NULL, "%s", daemon->disk.waiting);
}

bool disk_has_room(struct daemon *daemon)
{
    struct disk *disk = &daemon->disk;
    int64_t now = clock_ms(), free_bytes, floor_bytes;
    if (disk->looked_ms != 0 && now - disk->looked_ms < LOOK_MS)
        return disk->waiting == NULL;
    disk->looked_ms = now;
    if (!measure(daemon, &free_bytes, &floor_bytes))
        return true;
    if (free_bytes < floor_bytes)
        wait_for_room(daemon, free_bytes, floor_bytes);
    else if (disk->waiting != NULL)
        stop_waiting(daemon);
    return disk->waiting == NULL;
}

/* ---- the store could not be written ---- */

void disk_put_down(struct daemon *daemon)
{
    int i, left = 0;
    failure_clear(&daemon->broken);
    daemon->disk.full = true;
    event_discard(daemon);
    for (i = 0; i < daemon->slot_count; i++) {
        struct slot *slot = daemon->slots[i];
        slot_drop_job(slot);
        slot->run = NULL;
        slot->worker_id = 0;
        slot_cancel(slot);
    }
    for (i = 0; i < daemon->run_count; i++) {
        if (daemon->runs[i]->id > 0)
            daemon->runs[left++] = run_renew(daemon->runs[i]);
        else
            run_free(daemon->runs[i]); /* its submission was not recorded */
    }
    daemon->run_count = left;
    if (daemon->disk.waiting == NULL)
        daemon->disk.waiting =
            xasprintf("the disk of %s is full: everything waits until there is room again",
                      daemon->settings.home);
    event_warn(daemon, NULL, "%s", daemon->disk.waiting);
    set_look_timer(daemon);
}

void disk_take_up(struct daemon *daemon)
{
    struct disk *disk = &daemon->disk;
    int64_t now = clock_ms(), free_bytes = 0, floor_bytes = 0;
    if (!disk->full || now - disk->looked_ms < LOOK_MS)
        return;
    disk->looked_ms = now;
    if ((measure(daemon, &free_bytes, &floor_bytes) && free_bytes < floor_bytes) ||
        store_recover(daemon->store, NULL) != 0) {
        set_look_timer(daemon);
        return;
    }
    disk->full = false;
    stop_waiting(daemon);
}
