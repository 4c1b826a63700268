#include "trainer/pool.h"

#include "common/base.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct helper {
    struct pool *pool;
    pthread_t thread;
    int number; /* from 1; the caller of pool_run() is 0 */
};

struct pool {
    struct helper *helpers;
    int helper_count;

    pthread_mutex_t mutex; /* guards all below */
    pthread_cond_t begun;  /* a loop has begun, or the pool ends */
    pthread_cond_t ended;  /* the last helper has left the loop */
    unsigned long loop;    /* counts the loops, so that a helper enters each one once */
    int busy;              /* helpers that have not left the loop */
    bool closing;
    pool_work *work;
    void *context;
    size_t next, items;
};

/* The next item that nobody has taken; false when there is none. */
static bool take_item(struct pool *pool, size_t *item)
{
    pthread_mutex_lock(&pool->mutex);
    bool any = pool->next < pool->items;
    if (any)
        *item = pool->next++;
    pthread_mutex_unlock(&pool->mutex);
    return any;
}

static void work_items(struct pool *pool, int thread)
{
    size_t item;
    while (take_item(pool, &item))
        pool->work(pool->context, item, thread);
}

static bool wait_for_loop(struct pool *pool, unsigned long done)
{
    pthread_mutex_lock(&pool->mutex);
    while (pool->loop == done && !pool->closing)
        pthread_cond_wait(&pool->begun, &pool->mutex);
    bool closing = pool->closing;
    pthread_mutex_unlock(&pool->mutex);
    return !closing;
}

static void leave_loop(struct pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    if (--pool->busy == 0)
        pthread_cond_signal(&pool->ended);
    pthread_mutex_unlock(&pool->mutex);
}

static void *help(void *argument)
{
    struct helper *helper = argument;
    for (unsigned long done = 0; wait_for_loop(helper->pool, done); done++) {
        work_items(helper->pool, helper->number);
        leave_loop(helper->pool);
    }
    return NULL;
}

/* Signals are the business of the program's first thread: helpers take none. */
static void start_helpers(struct pool *pool, int count)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    for (int i = 0; i < count; i++) {
        struct helper *helper = &pool->helpers[i];
        *helper = (struct helper){.pool = pool, .number = i + 1};
        if (pthread_create(&helper->thread, NULL, help, helper) != 0)
            break;
        pool->helper_count++;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct pool *pool_new(int threads)
{
    struct pool *pool = xcalloc(1, sizeof *pool);
    pthread_mutex_init(&pool->mutex, NULL);
    pthread_cond_init(&pool->begun, NULL);
    pthread_cond_init(&pool->ended, NULL);
    if (threads > 1) {
        pool->helpers = xcalloc((size_t)threads - 1, sizeof *pool->helpers);
        start_helpers(pool, threads - 1);
    }
    return pool;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pthread_mutex_lock(&pool->mutex);
    pool->closing = true;
    pthread_cond_broadcast(&pool->begun);
    pthread_mutex_unlock(&pool->mutex);
    for (int i = 0; i < pool->helper_count; i++)
        pthread_join(pool->helpers[i].thread, NULL);
    pthread_cond_destroy(&pool->ended);
    pthread_cond_destroy(&pool->begun);
    pthread_mutex_destroy(&pool->mutex);
    free(pool->helpers);
    free(pool);
}

int pool_threads(const struct pool *pool)
{
    return pool->helper_count + 1;
}

static void begin_loop(struct pool *pool, pool_work *work, void *context, size_t items)
{
    pthread_mutex_lock(&pool->mutex);
    pool->work = work;
    pool->context = context;
    pool->next = 0;
    pool->items = items;
    pool->busy = pool->helper_count;
    pool->loop++;
    pthread_cond_broadcast(&pool->begun);
    pthread_mutex_unlock(&pool->mutex);
}

static void end_loop(struct pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    while (pool->busy > 0)
        pthread_cond_wait(&pool->ended, &pool->mutex);
    pthread_mutex_unlock(&pool->mutex);
}

void pool_run(struct pool *pool, pool_work *work, void *context, size_t items)
{
    if (pool->helper_count == 0 || items < 2) {
        for (size_t item = 0; item < items; item++)
            work(context, item, 0);
        return;
    }
    begin_loop(pool, work, context, items);
    work_items(pool, 0);
    end_loop(pool);
}
