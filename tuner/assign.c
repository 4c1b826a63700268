#include "tuner/engine.h"

/* How many cores a study has, with its workers and those that are about to be. */
static int cores_of_workers(const struct daemon *daemon, const struct run *run)
{
    int i, count = 0;
    for (i = 0; i < daemon->slot_count; i++)
        count += daemon->slots[i]->run == run && daemon->slots[i]->state != SLOT_ENDING;
    return count * run->study->threads;
}

/* Whether `a` comes before `b` (NULL: nobody): by priority, then by the fewest of what
 * `share` counts, then whose trainer the slot runs already, then by age. */
static bool comes_before(const struct slot *slot, const struct run *a, const struct run *b,
                         int (*share)(const struct daemon *, const struct run *))
{
    int share_a, share_b;
    if (b == NULL || a->priority != b->priority)
        return b == NULL || a->priority > b->priority;
    share_a = share(slot->daemon, a);
    share_b = share(slot->daemon, b);
    if (share_a != share_b)
        return share_a < share_b;
    return a->launcher == slot->launcher && b->launcher != slot->launcher;
}

/* How many it uses: a segment has as many as its study has threads. */
static int cores_of_segments(const struct daemon *daemon, const struct run *run)
{
    (void)daemon;
    return run->segments * run->study->threads;
}

/* The study that should have the slot next; NULL: none has anything to do. */
static struct run *choose(struct slot *slot,
                          int (*share)(const struct daemon *, const struct run *))
{
    struct daemon *daemon = slot->daemon;
    struct run *chosen = NULL;
    int i;
    for (i = 0; i < daemon->run_count; i++) {
        struct run *run = daemon->runs[i];
        if (run->begun && !run->study->outside && comes_before(slot, run, chosen, share) &&
            run_has_work(run))
            chosen = run;
    }
    return chosen;
}

static void give(struct slot *slot, struct run *run)
{
    if (run->final.winner != NULL)
        final_assign(run, slot);
    else
        segment_give(run, slot, run_next(run));
}

static void assign_slot(struct slot *slot)
{
    struct daemon *daemon = slot->daemon;
    struct run *run;
    if (slot->number >= daemon->workers) {
        slot_stop(slot);
        return;
    }
    if (slot->state == SLOT_IDLE) {
        run = choose(slot, cores_of_segments);
        if (run == NULL)
            slot_rest(slot);
        else if (run->launcher == slot->launcher)
            give(slot, run);
        else
            slot_stop(slot); /* its place is for a worker with that study's trainer */
    } else if (slot->state == SLOT_EMPTY && daemon->unstartable == NULL) {
        slot->run = choose(slot, cores_of_workers);
    }
}

static bool conclude(struct daemon *daemon)
{
    bool more = false;
    int i;
    for (i = 0; i < daemon->run_count; i++) {
        struct run *run = daemon->runs[i];
        if (run->begun && run->state == RUN_RUNNING && run->segments == 0)
            more = run_conclude(run) || more;
    }
    return more;
}

void assign(struct daemon *daemon)
{
    bool more = true;
    int i;
    while (more && daemon->ending == 0 && !daemon->disk.full && daemon->broken.text == NULL) {
        bool room = disk_has_room(daemon);
        for (i = 0; room && i < daemon->slot_count; i++)
            assign_slot(daemon->slots[i]);
        more = conclude(daemon);
    }
}
