#include "tuner/heap.h"

#include "common/base.h"

#include <stdlib.h>

void heap_free(struct heap *heap)
{
    free(heap->keys);
    *heap = (struct heap)HEAP_EMPTY;
}

void heap_push(struct heap *heap, uint64_t key)
{
    size_t at = heap->count++;

    if (heap->count > heap->capacity) {
        heap->capacity = heap->count * 2;
        heap->keys = xreallocarray(heap->keys, heap->capacity, sizeof(*heap->keys));
    }
    for (size_t parent; at > 0; at = parent) {
        parent = (at - 1) / 2;
        if (heap->keys[parent] <= key)
            break;
        heap->keys[at] = heap->keys[parent];
    }
    heap->keys[at] = key;
}

uint64_t heap_first(const struct heap *heap)
{
    return heap->keys[0];
}

bool heap_pop(struct heap *heap, uint64_t *key)
{
    size_t at = 0;

    if (heap->count == 0)
        return false;
    *key = heap->keys[0];
    uint64_t last = heap->keys[--heap->count];

    /* The last key sinks from the top to where it belongs. */
    for (size_t child; (child = 2 * at + 1) < heap->count; at = child) {
        if (child + 1 < heap->count && heap->keys[child + 1] < heap->keys[child])
            child++;
        if (heap->keys[child] >= last)
            break;
        heap->keys[at] = heap->keys[child];
    }
    heap->keys[at] = last;
    return true;
}
