/* The home folder, where a user's studies live:
 *
 *   trials.db  checkpoints/<study>/<trial>.<epoch>.<attempt>  logs/  reports/<study>/
 *   data/  cache/ (decoded images, which the trainer shares among workers)
 */
#ifndef TUNER_HOME_H
#define TUNER_HOME_H

#include "common/base.h"

/* The folder to use: `option` (--home), else $TUNER_HOME, else "tuning"; absolute.
 * Nothing is made.  The caller frees it. */
char *home_path(const char *option);
/* What --help says of --home. */
#define HOME_OPTION_HELP "the home folder (default: $TUNER_HOME, else ./tuning)"

/* Makes the home with its folders; a folder that cannot be written is bad input, and so is a
 * path that is no UTF-8. */
int home_make(const char *home, struct failure *why);
char *home_database(const char *home); /* <home>/trials.db; the caller frees it */
char *home_report(const char *home, const char *study);
char *home_cache(const char *home);
char *home_checkpoints(const char *home, const char *study);
/* Whether a path is that of a file in the folder of the study's checkpoints, spelled as
 * home_checkpoints() spells it: no other file is recorded as one, or deleted. */
bool home_has_checkpoint(const char *home, const char *study, const char *path);
/* Where a checkpoint is by now that the database has under the path `recorded`, NULL when that
 * is NULL or the file is gone.  The home may have been moved, or have another path to it, since;
 * so its folder is looked into, and never another home's, of which the database may be a copy.
 * The caller frees it. */
char *home_find_checkpoint(const char *home, const char *study, const char *recorded);

#endif
