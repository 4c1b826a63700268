/* A parallel loop with a barrier, over threads that wait between loops.
 *
 * Which thread works on which item is up to chance: an item's result must depend
 * on the item alone, and then it has the same bits for every number of threads. */
#ifndef TRAINER_POOL_H
#define TRAINER_POOL_H

#include <stddef.h>

struct pool;

/* `threads` counts the calling thread too; a pool of 1 starts none.  Where the
 * system gives fewer threads than asked for, the pool makes do with those. */
struct pool *pool_new(int threads);
void pool_free(struct pool *pool);
int pool_threads(const struct pool *pool);

/* One item's work.  `thread`, from 0 to pool_threads() - 1, names who does it: no
 * two items are in work with the same number at the same time. */
typedef void pool_work(void *context, size_t item, int thread);

/* Does items 0 to `items` - 1 and returns when all are done.  Called by one thread
 * at a time, and not from within the work. */
void pool_run(struct pool *pool, pool_work *work, void *context, size_t items);

#endif
