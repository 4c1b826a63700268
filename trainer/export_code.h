/* What those share who write a network down as a program's text: in PyTorch, Keras or C. */
#ifndef TRAINER_EXPORT_CODE_H
#define TRAINER_EXPORT_CODE_H

#include "common/text.h"
#include "trainer/export.h"

bool export_is(const struct export_layer *layer, const char *type);

/* The variable that holds a layer's output: its name where it is read later on, "x" where the
 * next layer alone reads it or nobody does; "images" of -1. */
const char *export_variable(const struct export_model *model, int layer);

/* A setting as a program has it: with as few digits as give the same float again. */
void export_add_number(struct text *text, double number);

/* The name of a file without its folders. */
const char *export_base_name(const char *path);

/* A second file that goes with the exported one: a program that loads it, or a header.  Its
 * first line has this, so that another export may replace it. */
#define EXPORT_MARK "Written by `trainer export`, which replaces it."

/* The path of a file `name` in the folder of `path`; the caller frees it. */
char *export_beside(const char *path, const char *name);

/* Bad input where the second file is there without the mark: it is somebody else's, and stays. */
int export_check_second(const char *second, struct failure *why);
int export_write_second(const char *second, const char *content, struct failure *why);

/* Appends the line FILE = ..., the path of the exported file as seen from the loader beside it;
 * -1 for a name that no program can have within. */
int export_add_file(struct text *program, const char *path, struct failure *why);

#endif
