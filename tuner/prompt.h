/* Queries typed by hand: reads lines from stdin until a statement is whole, runs it, and
 * asks for the next.  ".help" says what else there is. */
#ifndef TUNER_PROMPT_H
#define TUNER_PROMPT_H

#include "tuner/row_printer.h"

/* Until the end of the input or ".quit".  A query that fails is a message on stderr; Ctrl-C
 * ends the query at hand.  -1 when the output cannot be written any more. */
int prompt_run(struct store *store, struct query_reader *reader, struct failure *why);

/* Whether Ctrl-C was pressed since SIGINT was blocked; for a query's `interrupted`. */
bool prompt_interrupted(void *context);
/* Keeps Ctrl-C for prompt_interrupted(), or gives it back its usual effect. */
void prompt_keep_interrupts(bool keep);

#endif
