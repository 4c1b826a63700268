/* Decoded images in a file that many processes map at once, so that they have one copy of
 * the pixels in memory and none but the first reads the files that the images come from.
 *
 * A cache file is known by `sources`, a text that tells what its images were made of
 * (data_kind.h): a first line that says which data set it is, beginning with a word for
 * people, and lines that say in which state its files are.  The file is named
 * <word>-<CRC-32 of the first line>.images; the whole text is in it.  So each data set has
 * one file: when the state of its files changes, the next one replaces it.  (Two data sets
 * whose first lines have the same sum would replace each other's, and never mix.)
 *
 *   struct header (data_cache.c)    sizes, the data set's checksum, a sum of the header
 *   labels                          uint16_t, of the training images, then of the test images
 *   pixels                          likewise
 *   sources                         the text, without a zero
 *
 * All numbers are in the byte order of the machine.  What is mapped was checked before: its
 * size, both sums, its sources.  Files are replaced whole (file_replace), so that a process
 * keeps what it has mapped, and any of them may be deleted at any time.  Nobody waits for
 * anybody: of processes that begin together each may write the same file; the last one stays.
 */
#ifndef TRAINER_DATA_CACHE_H
#define TRAINER_DATA_CACHE_H

#include "trainer/data.h"

/* Raise it when the layout changes, and when a loader makes other images of the same files. */
enum { DATA_CACHE_VERSION = 2 };

/* The file of these sources in a folder; the caller frees it. */
char *data_cache_path(const char *folder, const char *sources);

/* Sets the images of `dataset`, its sizes and its checksum from the file of these sources; they
 * are read-only, and end with data_cache_unmap().  -1: there is no such file (then `why`
 * stays as it is), or none that can be used. */
int data_cache_map(const char *folder, const char *sources, struct dataset *dataset,
                   struct failure *why);
void data_cache_unmap(struct dataset *dataset);

/* Makes the file, and the folder where it is missing; also removes what processes left
 * that died over it.  It takes at most half of the room that the disk has left, since other
 * things there are more important. */
int data_cache_make(const char *folder, const char *sources, const struct dataset *dataset,
                    struct failure *why);

#endif
