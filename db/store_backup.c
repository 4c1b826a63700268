#include "db/store_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAGES_AT_ONCE = 4096 };

/* SQLite's own way to copy a database, whatever is still in its log. */
static int copy_pages(sqlite3 *from, sqlite3 *to)
{
    sqlite3_backup *backup = sqlite3_backup_init(to, "main", from, "main");
    if (!backup)
        return sqlite3_errcode(to);
    int code;
    while ((code = sqlite3_backup_step(backup, PAGES_AT_ONCE)) == SQLITE_OK)
        continue;
    int finished = sqlite3_backup_finish(backup);
    return code == SQLITE_DONE ? finished : code;
}

static int write_copy(struct store *store, const char *path, struct failure *why)
{
    sqlite3 *copy = NULL;
    int code = sqlite3_open_v2(path, &copy, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (code == SQLITE_OK)
        code = copy_pages(store->db, copy);
    int result = 0;
    if (code != SQLITE_OK)
        result = fail(why, "%s: cannot be written: %s; nothing was changed", path,
                      sqlite3_errstr(code));
    sqlite3_close(copy);
    return result;
}

int store_back_up(struct store *store, int version, struct failure *why)
{
    char *path = xasprintf("%s.v%d.backup", store->path, version);
    char *unfinished = xasprintf("%s.tmp.%ld", path, (long)getpid());
    int result = write_copy(store, unfinished, why);
    if (result == 0 && rename(unfinished, path) < 0)
        result = fail(why, "%s: cannot be written: %s; nothing was changed", path,
                      strerror(errno));
    if (result < 0)
        unlink(unfinished);
    else
        message("%s: is brought up to date; as it was, it is kept in %s", store->path, path);
    free(unfinished);
    free(path);
    return result;
}
