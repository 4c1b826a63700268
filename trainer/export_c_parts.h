/* The parts of a network in C: for export_c*.c alone.
 *
 *   export_c.c           the two files, their weights, and whether they were written right
 *   export_c_buffers.c   where the values between the layers lie
 *   export_c_calls.c     the calls that run the layers, and the functions that they need
 *   inference/           those functions */
#ifndef TRAINER_EXPORT_C_PARTS_H
#define TRAINER_EXPORT_C_PARTS_H

#include "common/text.h"
#include "trainer/export.h"

/* ---- buffers ---- */

/* Layers that are not at the same time of use share a buffer. */
struct c_buffers {
    int *of_layer; /* [layers] its output's buffer; -1: the images themselves */
    size_t *sizes; /* [count] floats */
    int count;
};

struct c_buffers c_buffers_plan(const struct export_model *model);
void c_buffers_release(struct c_buffers *buffers);

/* Whether what comes in goes out as it is. */
bool c_runs_nothing(const struct export_layer *layer);

/* ---- calls ---- */

/* The functions that are called, each with those that it needs; then the windows that they are
 * called with. */
struct c_calls {
    struct text functions, windows, calls;
};

/* Release in any case. */
int c_calls_make(const struct export_model *model, const struct c_buffers *buffers,
                 struct c_calls *calls, struct failure *why);
void c_calls_release(struct c_calls *calls);

/* "buffer_0"; "image" for -1. */
enum { C_NAME = 32 };
const char *c_buffer_name(int buffer, char name[C_NAME]);

/* The function that turns logits into probabilities. */
extern const char inference_predict[];

#endif
