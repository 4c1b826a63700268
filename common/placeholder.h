/* What stands in a usage line where a user writes something: "N", "DIR", "STUDY.yaml",
 * "trial|value|epochs", "mnist|synthetic|PATH".  Parts in small letters are to be written as
 * they are; those in capitals say what is meant, and shells complete what they can. */
#ifndef COMMON_PLACEHOLDER_H
#define COMMON_PLACEHOLDER_H

#include <stdbool.h>
#include <stddef.h>

enum placeholder_kind {
    PLACEHOLDER_OTHER,   /* N, NAME: nobody can know it */
    PLACEHOLDER_CHOICE,  /* to be written as it is */
    PLACEHOLDER_FILE,    /* FILE, PATH, MODEL; STUDY.yaml: those that end so */
    PLACEHOLDER_FOLDER,  /* DIR, FOLDER */
    PLACEHOLDER_PROGRAM, /* PROGRAM */
    PLACEHOLDER_STUDY,   /* STUDY: of the home */
    PLACEHOLDER_QUERY,   /* QUERY: that stands ready */
    PLACEHOLDER_COMMAND  /* COMMAND: of the program */
};

struct placeholder_part {
    enum placeholder_kind kind;
    const char *at; /* in the placeholder; not terminated */
    size_t length;
    const char *ending; /* of a file, ".yaml", up to the end of the part; "" if any will do */
    size_t ending_length;
};

/* The parts of one placeholder, one call each: begins at *rest and moves it on; false at its
 * end, which is a space or the end of the string. */
bool placeholder_next(const char **rest, struct placeholder_part *part);

/* The placeholder number `index` of a list such as "MODEL FILE...", without its dots; the last
 * one for any later index if it ends in dots.  Its length, 0 when there is none. */
size_t placeholder_of_word(const char *words, size_t index, const char **at);

#endif
