/* The store's insides, shared by the files of db/: the open database, SQL statements with
 * their values, and what a failure of the disk means.  Nobody else includes this. */
#ifndef DB_STORE_INTERNAL_H
#define DB_STORE_INTERNAL_H

#include "db/store.h"
#include "db/value.h"

#include <sqlite3.h>

enum { STATEMENTS_MAX = 64 };

/* A statement that is kept, compiled, for the next time; known by the address of its
 * text, which therefore must be static. */
struct statement {
    const char *sql;
    sqlite3_stmt *compiled;
};

struct store {
    sqlite3 *db;
    char *path;
    enum store_mode mode;
    struct store_lock *lock;    /* NULL when reading */
    char *broken;               /* why nothing may be recorded any more, or NULL */
    bool full;                  /* and it was that the disk had no more room */
    bool spoilt;                /* something of this transaction is missing: never commit it */
    int readings;               /* that have begun and not ended */
    struct statement statements[STATEMENTS_MAX];
    size_t statement_count;
};

/* ---- store.c ---- */

/* Any database as it is, nothing asked and nothing made in it: for files of another
 * program.  `flags` are those of sqlite3_open_v2(); no lock is taken. */
struct store *store_connect(const char *path, int flags, struct failure *why);

/* ---- store_lock.c: one writer per database ---- */

struct store_lock;

/* Locks "<path>.lock" and writes this process's id into it; the file exists only while
 * somebody holds it (or was killed while holding it). */
struct store_lock *store_lock_new(const char *path, struct failure *why);
void store_lock_free(struct store_lock *lock);

/* ---- store_statement.c ---- */

/* Values to be bound to ?1, ?2, ...; texts and blobs are not copied. */
struct value value_null(void);
struct value value_integer(int64_t integer);
struct value value_integer_or_null(int64_t integer, int64_t null);
struct value value_real(double real);          /* not finite: NULL */
struct value value_text(const char *text);     /* NULL: NULL */
struct value value_blob(const void *bytes, size_t size);
struct value value_json(const json_t *value);  /* a scalar; true and false are 1 and 0 */

/* Records: runs one changing statement of static text to its end, in the transaction
 * that the caller has opened.  A failure spoils the transaction; a failure of the disk
 * ends all recording. */
int store_record(struct store *store, const char *sql, const struct value *values, size_t count,
                 struct failure *why);
/* The same for the whole array `values`. */
#define RECORD(store, sql, values, why) \
    store_record(store, sql, values, ARRAY_LENGTH(values), why)
/* Whether anything may be recorded still; -1 with the reason when not. */
int store_may_record(const struct store *store, struct failure *why);
/* How many rows the last store_record() changed. */
int store_changed(const struct store *store);
/* Runs statements that have no values and whose rows do not matter. */
int store_execute(struct store *store, const char *sql, struct failure *why);
/* The first column of the first row: 1 found, 0 no row, -1 failure. */
int store_look_up(struct store *store, const char *sql, const struct value *values, size_t count,
                  int64_t *result, struct failure *why);
/* A statement of static text with its values, ready for sqlite3_step(), NULL on failure;
 * to be given back by store_reset(). */
sqlite3_stmt *store_statement(struct store *store, const char *sql, const struct value *values,
                              size_t count, struct failure *why);
void store_reset(sqlite3_stmt *statement);
int store_bind(sqlite3_stmt *statement, const struct value *values, size_t count);
/* One of them, to ?place. */
int store_bind_at(sqlite3_stmt *statement, int place, const struct value *value);
/* What a row has in a column; until the next step. */
struct value store_column(sqlite3_stmt *statement, int column);

/* Turns what SQLite just reported into a failure; -1. */
int store_fail(struct store *store, int code, struct failure *why);
/* The same where something was to be recorded. */
int store_fail_recording(struct store *store, int code, struct failure *why);

/* ---- store_backup.c ---- */

/* Copies the database, which is of this version, to "<path>.v<version>.backup", before it is
 * brought up to date; a copy of that name that is there already is replaced. */
int store_back_up(struct store *store, int version, struct failure *why);

/* ---- store.c ---- */

/* Puts in order what a tuner that is gone, or a lost transaction, left running. */
int store_tidy(struct store *store, struct failure *why);

/* ---- store_views.c ---- */

/* Makes the views of this version of the program, those of each study included; where
 * they are there already, only those of studies that have none. */
int store_make_views(struct store *store, struct failure *why);
/* The wide view "study_<name>" with a column for each parameter. */
int store_make_study_view(struct store *store, int64_t study, struct failure *why);
int store_drop_study_view(struct store *store, int64_t study, struct failure *why);

#endif
