-- The whole schema: the steps that make an empty database, in their order.  From the
-- top of the tree, `sqlite3 empty.db < db/schema.sql` makes the same one as the tuner.

.read db/migrations/001.sql
.read db/migrations/002.sql
.read db/migrations/003.sql
.read db/migrations/004.sql
.read db/migrations/005.sql
.read db/migrations/006.sql
.read db/migrations/007.sql
.read db/migrations/008.sql
PRAGMA user_version = 8;
PRAGMA application_id = 0x54554e45; -- "TUNE"
.read db/views.sql
