/* A file whose content is taken piece by piece, plain or compressed by gzip.
 *
 *   struct data_file file;
 *   if (data_file_open(&file, path, why) == 0 && data_file_take(&file, header, 8, why) == 0 ...)
 *       ... data_file_finish(&file, why) ...
 *   data_file_close(&file);       after data_file_open() in any case
 *
 * Whatever is wrong with the file is bad input that names it. */
#ifndef TRAINER_DATA_FILE_H
#define TRAINER_DATA_FILE_H

#include "common/base.h"

#include <zlib.h>

struct data_file {
    char *path;
    char *bytes; /* as on the disk */
    size_t size;
    size_t taken; /* of them */
    bool compressed, stream_open, stream_ended;
    z_stream stream;
};

/* Takes over `path`, which may be NULL after a failure. */
int data_file_open(struct data_file *file, char *path, struct failure *why);
void data_file_close(struct data_file *file);

/* No content is longer than this, whatever its header says. */
size_t data_file_most(const struct data_file *file);

/* The next `size` bytes; fewer are a failure. */
int data_file_take(struct data_file *file, uint8_t *to, size_t size, struct failure *why);
/* The same as new memory, which the caller frees; nothing of a plain file can be taken
 * after it, since it is the file's own memory then.  NULL on failure. */
uint8_t *data_file_take_last(struct data_file *file, size_t size, struct failure *why);
/* Nothing may follow; of a gzip stream this also checks the sum at its end. */
int data_file_finish(struct data_file *file, struct failure *why);

#endif
