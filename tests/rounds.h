/* How often a suite tries what it draws by chance. */
#ifndef TESTS_ROUNDS_H
#define TESTS_ROUNDS_H

#include <stdlib.h>

/* `usual` rounds, or where $TEST_THINNING is a number above 1, so many times fewer: the first of
 * the usual ones, and at least `least` of them, which are those that a suite needs to have had
 * every kind of case. */
static inline int rounds_of(int usual, int least)
{
    const char *word = getenv("TEST_THINNING");
    int thinning = word ? atoi(word) : 1;
    int rounds = thinning > 1 ? usual / thinning : usual;
    return rounds < least ? least : rounds;
}

#endif
