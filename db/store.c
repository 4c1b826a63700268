#include "db/store_internal.h"

#include "common/embed.h"
#include "common/file.h"
#include "common/text.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    APPLICATION_ID = 0x54554e45, /* "TUNE" */
    BUSY_MS = 60000,             /* how long another program's lock is waited out */
    CHECKPOINT_FRAMES = 1000     /* pages in the write-ahead log that make a checkpoint due */
};

EMBED(store_migration_001, "db/migrations/001.sql");
EMBED(store_migration_002, "db/migrations/002.sql");
EMBED(store_migration_003, "db/migrations/003.sql");
EMBED(store_migration_004, "db/migrations/004.sql");
EMBED(store_migration_005, "db/migrations/005.sql");
EMBED(store_migration_006, "db/migrations/006.sql");
EMBED(store_migration_007, "db/migrations/007.sql");
EMBED(store_migration_008, "db/migrations/008.sql");
extern const char store_migration_001[], store_migration_002[], store_migration_003[],
    store_migration_004[], store_migration_005[], store_migration_006[], store_migration_007[],
    store_migration_008[];

/* Migration i brings a database from version i to i + 1; a new one starts from 0. */
static const char *const migrations[] = {store_migration_001, store_migration_002,
                                         store_migration_003, store_migration_004,
                                         store_migration_005, store_migration_006,
                                         store_migration_007, store_migration_008};
enum { SCHEMA_VERSION = ARRAY_LENGTH(migrations) };

/* ---- connecting ---- */

static void disconnect(struct store *store)
{
    for (size_t i = 0; i < store->statement_count; i++)
        sqlite3_finalize(store->statements[i].compiled);
    store->statement_count = 0;
    sqlite3_close(store->db);
    store->db = NULL;
}

/* Opens, and looks into the file, without which SQLite would not touch it yet.  32 MiB of pages
 * are kept where SQLite would keep 2: a study of 100,000 trials has indices of more than that,
 * and its report goes over its tables several times. */
static int connect(struct store *store, const char *name, int flags)
{
    int code = sqlite3_open_v2(name, &store->db, flags, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_busy_timeout(store->db, BUSY_MS);
    if (code == SQLITE_OK)
        code = sqlite3_exec(store->db, "PRAGMA cache_size = -32768;"
                                       "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL);
    return code;
}

/* The path as a URI that tells SQLite that nobody changes the file. */
static char *immutable_name(const char *path)
{
    struct text name = TEXT_EMPTY;
    text_add(&name, "file:");
    for (const char *at = path; *at; at++) {
        if (isalnum((unsigned char)*at) || strchr("/._-", *at))
            text_add_char(&name, *at);
        else
            text_addf(&name, "%%%02x", (unsigned)(unsigned char)*at);
    }
    text_add(&name, "?immutable=1");
    return text_take(&name);
}

static bool log_is_empty(const char *path)
{
    char *log = xasprintf("%s-wal", path);
    struct stat status;
    bool empty = stat(log, &status) < 0 || status.st_size == 0;
    free(log);
    return empty;
}

/* Where SQLite may not make the files beside a database that reading in WAL mode needs,
 * nobody else may write either, so it is read as what never changes.  Unless its last
 * writer was killed: then part of it is in the log, which that way is not read. */
static int connect_immutable(struct store *store, struct failure *why)
{
    if (!log_is_empty(store->path))
        return fail_input(why, "%s: cannot be read in a folder that may not be written while "
                               "%s-wal holds a part of it; copy both to another folder",
                          store->path, store->path);
    disconnect(store);
    char *name = immutable_name(store->path);
    int code = connect(store, name, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI);
    free(name);
    return code == SQLITE_OK ? 0 : store_fail(store, code, why);
}

static int connect_to_read(struct store *store, struct failure *why)
{
    if (!file_exists(store->path))
        return fail_input(why, "%s: there is no such database; a first run of a study makes it",
                          store->path);
    int code = connect(store, store->path, SQLITE_OPEN_READONLY);
    int kind = code & 0xff;
    if (kind == SQLITE_CANTOPEN || kind == SQLITE_READONLY)
        return connect_immutable(store, why);
    return code == SQLITE_OK ? 0 : store_fail(store, code, why);
}

struct store *store_connect(const char *path, int flags, struct failure *why)
{
    struct store *store = xcalloc(1, sizeof *store);
    store->path = xstrdup(path);
    store->mode = flags & SQLITE_OPEN_READONLY ? STORE_READ : STORE_WRITE;
    int code = connect(store, path, flags);
    if (code == SQLITE_OK)
        return store;
    store_fail(store, code, why);
    store_close(store);
    return NULL;
}

static int connect_to_write(struct store *store, struct failure *why)
{
    store->lock = store_lock_new(store->path, why);
    if (!store->lock)
        return -1;
    int code = connect(store, store->path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    return code == SQLITE_OK ? 0 : store_fail(store, code, why);
}

/* ---- whose database it is ---- */

/* Finds the version of the schema, 0 for a database that holds nothing at all. */
static int identify(struct store *store, int64_t *version, struct failure *why)
{
    int64_t application = 0, objects = 0;
    if (store_look_up(store, "PRAGMA application_id", NULL, 0, &application, why) < 0 ||
        store_look_up(store, "PRAGMA user_version", NULL, 0, version, why) < 0 ||
        store_look_up(store, "SELECT count(*) FROM sqlite_schema", NULL, 0, &objects, why) < 0)
        return -1;
    if (application == 0 && *version == 0 && objects == 0)
        return 0;
    if (application != APPLICATION_ID || *version < 1)
        return fail_input(why, "%s: is the database of another program (application id %lld); "
                               "choose another place", store->path, (long long)application);
    if (*version > SCHEMA_VERSION)
        return fail_input(why, "%s: was written by a later version of this program (its schema "
                               "is %lld, this one knows up to %d); use that version",
                          store->path, (long long)*version, SCHEMA_VERSION);
    return 0;
}

/* Sets *old where the database is of an earlier version. */
static int check_readable(struct store *store, bool *old, struct failure *why)
{
    int64_t version = 0;
    if (identify(store, &version, why) < 0)
        return -1;
    if (version == 0)
        return fail_input(why, "%s: holds no studies yet; run one first", store->path);
    *old = version < SCHEMA_VERSION;
    return store_execute(store, "PRAGMA query_only = ON", why);
}

/* ---- writing ---- */

/* SQLite's own checkpoints keep quiet about a failed sync; this one tells. */
static int log_has_grown(void *context, sqlite3 *db, const char *schema, int frames)
{
    (void)context;
    if (frames < CHECKPOINT_FRAMES)
        return SQLITE_OK;
    int code = sqlite3_wal_checkpoint_v2(db, schema, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    bool reader_in_the_way = (code & 0xff) == SQLITE_BUSY || (code & 0xff) == SQLITE_LOCKED;
    return reader_in_the_way ? SQLITE_OK : code;
}

static int use_write_ahead_log(struct store *store, struct failure *why)
{
    sqlite3_stmt *statement = store_statement(store, "PRAGMA journal_mode = WAL", NULL, 0, why);
    if (!statement)
        return -1;
    int result = 0;
    int code = sqlite3_step(statement);
    bool is_used = code == SQLITE_ROW &&
                   strcmp((const char *)sqlite3_column_text(statement, 0), "wal") == 0;
    /* The row tells what is going to be; whether it was written, only the end. */
    if (code == SQLITE_ROW)
        code = sqlite3_step(statement);
    if (code != SQLITE_DONE)
        result = store_fail(store, code, why);
    else if (!is_used)
        result = fail_input(why, "%s: this file system cannot hold a database that is read while "
                                 "it is written (a network's?); choose another place",
                            store->path);
    store_reset(statement);
    if (result == 0)
        sqlite3_wal_hook(store->db, log_has_grown, store);
    return result;
}

static int migrate(struct store *store, int64_t version, struct failure *why)
{
    if (version == SCHEMA_VERSION)
        return 0;
    for (int64_t i = version; i < SCHEMA_VERSION; i++) {
        if (store_execute(store, migrations[i], why) < 0)
            return -1;
    }
    char *mark = xasprintf("PRAGMA application_id = %d; PRAGMA user_version = %d", APPLICATION_ID,
                           SCHEMA_VERSION);
    int result = store_execute(store, mark, why);
    free(mark);
    return result;
}

/* Whoever was still running when the last tuner was killed is so no more: its workers die
 * with a tuner, and there is no other tuner while we hold the lock. */
int store_tidy(struct store *store, struct failure *why)
{
    return store_execute(
        store,
        "UPDATE recorded_studies SET state = 'interrupted', standing = NULL"
        " WHERE state = 'running';"
        "UPDATE recorded_trials SET state = 'pending' WHERE state = 'running';"
        "UPDATE recorded_segments SET state = 'interrupted', reason = 'the tuner ended before it'"
        " WHERE state = 'running';"
        "UPDATE recorded_workers SET reason = 'the tuner ended before it'"
        " WHERE ended_ms IS NULL AND reason IS NULL",
        why);
}

static int prepare_to_write(struct store *store, struct failure *why)
{
    int64_t version = 0;
    if (identify(store, &version, why) < 0 || use_write_ahead_log(store, why) < 0)
        return -1;
    if (version > 0 && version < SCHEMA_VERSION && store_back_up(store, (int)version, why) < 0)
        return -1;
    if (store_execute(store,
                      "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
                      "PRAGMA journal_size_limit = 67108864; BEGIN IMMEDIATE", why) < 0)
        return -1;
    if (migrate(store, version, why) < 0 || store_tidy(store, why) < 0 ||
        store_make_views(store, why) < 0)
        return -1;
    return store_execute(store, "COMMIT", why);
}

/* Whoever writes brings an earlier version up to date, so reading one begins with that. */
static int bring_up_to_date(struct store *store, struct failure *why)
{
    struct store *writer = store_open(store->path, STORE_WRITE, why);
    if (!writer)
        return fail_prefix(why, "it was written by an earlier version of this program and has to "
                                "be brought up to date first");
    store_close(writer);
    disconnect(store);
    return connect_to_read(store, why);
}

static int prepare_to_read(struct store *store, struct failure *why)
{
    bool old = false;
    if (check_readable(store, &old, why) < 0)
        return -1;
    if (!old)
        return 0;
    return bring_up_to_date(store, why) < 0 ? -1 : check_readable(store, &old, why);
}

struct store *store_open(const char *path, enum store_mode mode, struct failure *why)
{
    struct store *store = xcalloc(1, sizeof *store);
    store->path = xstrdup(path);
    store->mode = mode;
    int result;
    if (folder_exists(path))
        result = fail_input(why, "%s: is a folder, a database is needed", path);
    else if (mode == STORE_READ)
        result = connect_to_read(store, why) < 0 ? -1 : prepare_to_read(store, why);
    else
        result = connect_to_write(store, why) < 0 ? -1 : prepare_to_write(store, why);
    if (result == 0)
        return store;
    /* Nothing of a file that is not ours, or that failed us, is put in order on leaving. */
    if (store->db)
        sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    store_close(store);
    return NULL;
}

void store_close(struct store *store)
{
    if (!store)
        return;
    disconnect(store);
    store_lock_free(store->lock);
    free(store->broken);
    free(store->path);
    free(store);
}

/* ---- transactions ---- */

int store_begin(struct store *store, struct failure *why)
{
    if (store_may_record(store, why) < 0)
        return -1;
    int code = sqlite3_exec(store->db, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    if (code != SQLITE_OK)
        return store_fail_recording(store, code, why);
    store->spoilt = false;
    return 0;
}

int store_commit(struct store *store, struct failure *why)
{
    if (store->spoilt) {
        store_rollback(store);
        return fail(why, "%s: a part could not be recorded, so nothing of it was", store->path);
    }
    if (store_record(store, "COMMIT", NULL, 0, why) == 0)
        return 0;
    store_rollback(store);
    return -1;
}

void store_rollback(struct store *store)
{
    if (!sqlite3_get_autocommit(store->db))
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    store->spoilt = false;
}

bool store_is_full(const struct store *store)
{
    return store->full;
}

int store_recover(struct store *store, struct failure *why)
{
    if (!store->full)
        return fail(why, "%s: nothing more is recorded after a failure of the disk", store->path);
    store_rollback(store);
    if (store_execute(store, "BEGIN IMMEDIATE", why) < 0 || store_tidy(store, why) < 0 ||
        store_execute(store, "COMMIT", why) < 0) {
        store_rollback(store);
        return -1;
    }
    free(store->broken);
    store->broken = NULL;
    store->full = false;
    sqlite3_db_config(store->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    return 0;
}
