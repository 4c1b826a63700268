/* Numbers of which the smallest can be taken: a binary heap.  The same number may
 * be in it more than once. */
#ifndef TUNER_HEAP_H
#define TUNER_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct heap {
    uint64_t *keys; /* keys[i] <= keys[2i + 1], keys[2i + 2] */
    size_t count, capacity;
};
#define HEAP_EMPTY {NULL, 0, 0}

void heap_free(struct heap *heap);
void heap_push(struct heap *heap, uint64_t key);
/* The smallest of a heap that is not empty. */
uint64_t heap_first(const struct heap *heap);
/* Takes the smallest; false when the heap is empty. */
bool heap_pop(struct heap *heap, uint64_t *key);

#endif
