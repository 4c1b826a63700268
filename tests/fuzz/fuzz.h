/* What the fuzzing targets share.  A target fuzz_NAME.c hands bytes to the doorway of one
 * module and checks what must hold of its answer.  The same file makes two programs: with
 * clang's libFuzzer one that looks for bytes that break it (`make fuzz`), and with run_files.c
 * one that tries the files of tests/fuzz/corpus/NAME, as every `make test` does. */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include "common/base.h"
#include "trainer/data.h"

/* Each target's; the name and the result, 0, are libFuzzer's. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Ends the program when `holds` is false. */
void fuzz_expect(bool holds, const char *what);
/* Refused bytes leave a message, accepted ones none; releases `why`. */
void fuzz_judge(bool accepted, struct failure *why);

/* ---- Pieces of the bytes ---- */

struct fuzz_input {
    const uint8_t *at;
    size_t left;
};
/* 0 where there are no more. */
unsigned fuzz_byte(struct fuzz_input *input);
/* As many bytes as the next two say (the lower first), or as there are; *size of them. */
const uint8_t *fuzz_piece(struct fuzz_input *input, size_t *size);

/* ---- Files, in memory ---- */

/* A file with these bytes; its path is the same every time. */
const char *fuzz_file(const uint8_t *bytes, size_t size);
/* A folder that is there until the program ends. */
const char *fuzz_folder(void);
/* Makes a file, and the folders above it, or replaces its content. */
void fuzz_write(const char *folder, const char *name, const void *bytes, size_t size);

/* ---- Data sets ---- */

/* Loads what `data` (data.h; the reference is taken) names, and checks what was accepted:
 * every pixel can be read and every label is a class. */
void fuzz_load(json_t *data);

#endif
