/* Files, whole: read at once, or replaced so that a reader sees the old content
 * or the new one and never a half. */
#ifndef COMMON_FILE_H
#define COMMON_FILE_H

#include "common/base.h"

/* Reads all of `path` into a new zero-terminated buffer (the caller frees it).
 * A file larger than `most` bytes, a folder or an unreadable file is bad input; what may
 * pass (an I/O error, no more descriptors) is another failure, EXIT_FAILED. */
int file_read(const char *path, size_t most, char **bytes, size_t *size, struct failure *why);

/* One piece of a file to be written. */
struct file_piece {
    const void *bytes;
    size_t size;
};
/* Writes the pieces to "<path>.tmp.<pid>", syncs, renames to `path` and syncs
 * the folder.  On failure the temporary file is removed and `path` is as before; but where it
 * is the folder that cannot be synced, it is replaced, and may not stay so. */
int file_replace(const char *path, const struct file_piece *pieces, size_t count,
                 struct failure *why);

/* Makes a folder and those above it, where they are missing. */
int folder_make(const char *path, struct failure *why);

bool file_exists(const char *path);   /* anything that can be reached by the path */
bool folder_exists(const char *path);
/* `name` as seen from `folder`: itself when absolute, else "folder/name", also of "./name".
 * The caller frees it. */
char *path_join(const char *folder, const char *name);
/* The folder of a path ("." when it has none); the caller frees it. */
char *path_folder(const char *path);

#endif
