"""`tuner sql`: any query of the database, nothing but read, as table, CSV or JSON."""
import csv
import gzip
import io
import json
import os
import pty
import select
import shutil
import signal
import sqlite3
import stat
import subprocess
import time

import harness
from harness import check, finish, folder, run
from patience import patient

ENDLESS = "WITH RECURSIVE n (x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) "


def recorded(name):
    """A home with the study `digits`, which an earlier version recorded."""
    home = folder(name)
    packed = os.path.join(harness.TOP, "tests/cases/databases/3.db.gz")
    with gzip.open(packed) as source, open(home + "/trials.db", "wb") as target:
        shutil.copyfileobj(source, target)
    done = run(home, "list")
    check("the database of an earlier version is brought up to date by a reader, which says so",
          done[0] == 0 and "kept in" in done[2] and "digits" in done[1], done)
    return home


HOME = recorded("sql")


def raw(*arguments, home=HOME, stdin=None, **options):
    return subprocess.run([harness.TUNER, "sql", *arguments], env=harness.environment(home),
                          input=stdin, capture_output=True, timeout=patient(60), **options)


def content(path):
    with open(path, "rb") as file:
        return file.read()


def test_formats():
    query = "SELECT trial, value, state, parameters FROM trials ORDER BY trial LIMIT 3"
    direct = harness.rows(HOME, query)
    done = raw(query)
    rows = list(csv.reader(io.StringIO(done.stdout.decode(), newline="")))
    check("CSV is what a pipe gets, and has what the database has",
          done.returncode == 0 and rows[0] == ["trial", "value", "state", "parameters"]
          and [(int(t), float(v) if v else None, s, p) for t, v, s, p in rows[1:]] == direct, done)
    check("lines of CSV end as RFC 4180 says", done.stdout.count(b"\r\n") == 4
          and done.stdout.count(b"\n") == 4, done.stdout)
    done = run(HOME, "sql", query, "--json")
    check("JSON is an array of objects with the same values",
          [tuple(row.values()) for row in json.loads(done[1])] == direct, done)
    done = run(HOME, "sql", query, "--table")
    lines = done[1].splitlines()
    check("a table has numbers to the right under their names, cuts what is wide, and shows NULL",
          lines[0].startswith("trial     value  state      parameters") and len(lines) == 4
          and lines[1].startswith("    0  0.723665  completed  {") and lines[1].endswith("…")
          and lines[3].startswith("    2         -  failed "), done)
    hard = "SELECT 'a,\"b\"' || char(10) || 'c' AS x, '' AS y, NULL AS z, 0.1 + 0.2 AS r, x'0aff' AS b"
    done = raw(hard)
    check("cells with commas, quotes and lines are quoted, an empty text is not NULL, reals are whole",
          done.stdout == b'x,y,z,r,b\r\n"a,""b""\nc","",,0.30000000000000004,0aff\r\n', done)
    done = run(HOME, "sql", "--json", "SELECT 1 AS a, 2 AS a, 9e999 AS big, NULL AS n")
    check("columns of one name stay apart in JSON, and infinity is null",
          json.loads(done[1]) == [{"a": 1, "a_2": 2, "big": None, "n": None}], done)
    done = run(HOME, "sql", "--table", "SELECT char(27) || '[31mé' || char(10, 155, 7) || '!' AS x")
    check("no character of a table does anything to a terminal",
          done[1] == "x\n [31mé   !\n", repr(done[1]))
    check("an answer without rows says so, or is empty",
          run(HOME, "sql", "--table", "SELECT 1 WHERE 0")[1] == "no rows\n"
          and run(HOME, "sql", "--json", "SELECT 1 WHERE 0")[1] == "[]\n"
          and raw("SELECT 1 AS a WHERE 0").stdout == b"a\r\n")
    done = run(HOME, "sql", "--table", "SELECT 1 AS one; SELECT 2 AS two")
    check("several queries are answered one after another", done[1] == "one\n  1\n\ntwo\n  2\n", done)
    many = run(HOME, "sql", "--table", ENDLESS + "SELECT x FROM n LIMIT 3000")
    check("a table may be longer than what decides its widths",
          many[1].splitlines()[-1].strip() == "3000" and len(many[1].splitlines()) == 3001)


def test_input():
    path = os.path.join(HOME, "mine.sql")
    with open(path, "w") as file:
        file.write("-- mine\nSELECT count(*) AS n\nFROM trials;\n")
    check("a query is read from a file", raw("-f", path).stdout == b"n\r\n10\r\n")
    check("a query is read from stdin", raw(stdin=b"SELECT 7 AS n").stdout == b"n\r\n7\r\n"
          and raw("-f", "-", stdin=b"SELECT 7 AS n").stdout == b"n\r\n7\r\n")
    for arguments, part in ((("SELECT 1", "SELECT 2"), "in quotes"),
                            (("SELECT 1", "-f", path), "only one of them"),
                            (("SELECT 1", "--csv", "--json"), "only one of them"),
                            (("--query", "best_trails"), "did you mean 'best_trials'?"),
                            (("--query", "nosuch"), "--queries lists them"),
                            (("--query", "best_trials", "digits", "trial=3"), "no :trial"),
                            (("--query", "curve", "digits", "digits"), "one argument too many")):
        done = run(HOME, "sql", *arguments)
        check(f"{' '.join(arguments)}: is refused with a hint", done[0] == 64 and part in done[2], done)
    done = run(HOME, "sql", "--query", "curve", "nosuch")
    check("a study that is not there is named", done[0] == 65 and "nosuch" in done[2], done)
    done = run(HOME, "trials", "digitz")
    check("a study that is nearly there as well", done[0] == 65 and "did you mean digits?" in done[2],
          done)


def test_mistakes():
    done = run(HOME, "sql", "SELECT trial,\n  é, vale\nFROM trials")
    check("a message shows the line of the mistake and marks the place",
          done[0] == 65 and done[2] == "tuner: no such column: é, in line 2\n    é, vale\n    ^\n", done)
    for table, answer in (("trialz", "did you mean trials?"), ("xyzzy", "docs/database.md")):
        done = run(HOME, "sql", f"SELECT * FROM {table}")
        check(f"no table {table}: {answer}", done[0] == 65 and answer in done[2]
              and done[2].startswith(f"tuner: no such table: {table}"), done)
    done = run(HOME, "sql", "SELEC 1")
    check("a mistake in the grammar is marked too", "\n  SELEC 1\n  ^\n" in done[2], done)
    long = "SELECT " + "1 + " * 400 + "nothing FROM trials"
    done = run(HOME, "sql", long)
    check("of a long line the part around the mistake is shown",
          done[0] == 65 and all(len(line) < 120 for line in done[2].splitlines()), done)
    line, mark = done[2].splitlines()[1:3]
    check("and the mark stands under it", line[mark.index("^"):].startswith("nothing"), done)
    done = run(HOME, "sql", "SELECT json('{')")
    check("a mistake in the data is told", done[0] == 65 and "malformed JSON" in done[2], done)


def test_nothing_is_written():
    before = content(HOME + "/trials.db")
    other = os.path.join(HOME, "other.db")
    for query in ("DELETE FROM recorded_trials", "UPDATE recorded_trials SET state = 'failed'",
                  "INSERT INTO trials VALUES (1)", "DROP TABLE recorded_trials", "CREATE TABLE x (a)",
                  "CREATE TEMP TABLE x (a)", "CREATE TEMP VIEW x AS SELECT 1", "ALTER TABLE trials ADD a",
                  f"ATTACH '{other}' AS o", f"VACUUM INTO '{other}'", "VACUUM", "REINDEX", "ANALYZE",
                  "PRAGMA journal_mode = DELETE", "PRAGMA user_version = 1", "PRAGMA query_only = 0",
                  "PRAGMA writable_schema = 1", "BEGIN IMMEDIATE", "SAVEPOINT a", "PRAGMA wal_checkpoint",
                  "UPDATE sqlite_schema SET sql = ''", "SELECT load_extension('x')",
                  f"SELECT writefile('{other}', 'x')", "EXPLAIN DELETE FROM recorded_trials",
                  "SELECT 1; DELETE FROM recorded_trials", "WITH a AS (SELECT 1) DELETE FROM recorded_trials",
                  "PRAGMA optimize", "PRAGMA incremental_vacuum"):
        done = run(HOME, "sql", query)
        check(f"{query.replace(HOME, '')}: is refused", done[0] == 65 and done[2].startswith("tuner: "),
              done)
    check("and nothing was changed or made", content(HOME + "/trials.db") == before
          and not os.path.exists(other))
    for query in ("PRAGMA user_version", "SELECT page_size FROM pragma_page_size",
                  "SELECT name FROM pragma_table_info('trials')", "EXPLAIN QUERY PLAN SELECT 1",
                  "SELECT value FROM json_each('[1]')", "PRAGMA integrity_check"):
        done = run(HOME, "sql", query)
        check(f"{query}: is answered", done[0] == 0 and len(done[1].splitlines()) >= 2, done)


def test_ready_queries():
    there = sorted(name[:-4] for name in os.listdir(harness.TOP + "/db/queries"))
    listed = run(HOME, "sql", "--queries")[1]
    names = [line for line in listed.splitlines() if not line.startswith(" ")]
    check("--queries lists every query of db/queries/, each with what it answers",
          names == there and len(names) >= 12 and listed.count("    ") >= 2 * len(names), names)
    for name in there:
        with open(f"{harness.TOP}/db/queries/{name}.sql") as file:
            text = file.read()
        check(f"{name}: its head says what it answers", text.startswith("-- ") and ":study" in text)
        direct = subprocess.run(["sqlite3", "-json", HOME + "/trials.db"], input=text,
                                capture_output=True, text=True)
        done = run(HOME, "sql", "--query", name, "DIGITS", "--json")
        check(f"{name}: --query gives what sqlite3 gives", done[0] == 0
              and json.loads(done[1]) == json.loads(direct.stdout or "[]"), (done, direct))
    curve = json.loads(run(HOME, "sql", "--query", "curve", "digits", "trial=3", "--json")[1])
    check("a setting is taken", [row["trial"] for row in curve] == [3, 3], curve)
    one = json.loads(run(HOME, "sql", "--query", "by_parameter", "parameter=filters", "--json")[1])
    check("a setting without a study is taken", {row["parameter"] for row in one} == {"filters"}, one)


def minds_interrupts(pid):
    """Waits until SIGINT would end the query of a process: while one runs it is kept back."""
    def kept():
        with open(f"/proc/{pid}/status") as file:
            blocked = next(line for line in file if line.startswith("SigBlk:"))
        return int(blocked.split()[1], 16) >> (signal.SIGINT - 1) & 1
    return harness.wait_until(kept)


def test_interruption():
    for arguments in ((ENDLESS + "SELECT count(*) FROM n",), (ENDLESS + "SELECT x FROM n",)):
        process = subprocess.Popen([harness.TUNER, "sql", *arguments], env=harness.environment(HOME),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
        running = minds_interrupts(process.pid)
        process.send_signal(signal.SIGINT)
        check("Ctrl-C ends a query without end, with exit code 130",
              running and process.wait(timeout=patient(20)) == 130, process.returncode)
    process = subprocess.Popen([harness.TUNER, "sql", ENDLESS + "SELECT x FROM n"],
                               env=harness.environment(HOME), stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdout.read(100)
    process.stdout.close()
    check("a reader that goes away ends it too", process.wait(timeout=patient(20)) == 1
          and b"cannot be written" in process.stderr.read(), process.returncode)


def test_while_it_is_written():
    writer = sqlite3.connect(HOME + "/trials.db", isolation_level=None)
    writer.execute("BEGIN IMMEDIATE")
    writer.execute("UPDATE recorded_studies SET note = 'half'")
    done = raw("SELECT note FROM studies")
    check("it reads the last whole state while another program writes",
          done.returncode == 0 and done.stdout == b"note\r\n\r\n", done)
    writer.execute("ROLLBACK")
    writer.close()


def test_read_only_folder():
    """Root may write everywhere, so it is left to a user without rights."""
    home = "/tmp/tuner-sql-%d" % os.getpid()
    os.mkdir(home)
    shutil.copy(HOME + "/trials.db", home + "/trials.db")
    program = home + "/tuner"
    shutil.copy(harness.TUNER, program)
    os.chmod(home + "/trials.db", 0o444)
    os.chmod(home, 0o555)

    def drop():
        if os.geteuid() == 0:
            os.setgid(65534)
            os.setuid(65534)

    done = subprocess.run([program, "sql", "SELECT count(*) AS n FROM trials", "--home", home],
                          capture_output=True, timeout=patient(60), preexec_fn=drop, cwd="/")
    check("it reads in a folder that may not be written", done.stdout == b"n\r\n10\r\n", done)
    check("and leaves nothing there", sorted(os.listdir(home)) == ["trials.db", "tuner"])
    os.chmod(home, stat.S_IRWXU)
    shutil.rmtree(home)


class Terminal:
    """The prompt, at a terminal."""

    def __init__(self, *arguments):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ["TUNER_HOME"] = HOME
            os.execv(harness.TUNER, [harness.TUNER, "sql", *arguments])

    def read_until(self, text):
        seen, deadline = "", time.monotonic() + patient(20)
        while text not in seen and time.monotonic() < deadline:
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    seen += os.read(self.fd, 4096).decode(errors="replace")
                except OSError:
                    break
        return seen.replace("\r\n", "\n")

    def say(self, line, until="sql> "):
        os.write(self.fd, line.encode())
        return self.read_until(until)

    def end(self):
        deadline = time.monotonic() + patient(20)
        while time.monotonic() < deadline:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                os.close(self.fd)
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.02)
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        return None


def test_prompt():
    terminal = Terminal()
    check("without a query it asks for one", "sql> " in terminal.read_until("sql> "))
    check("a query may take several lines, and rows are a table",
          "...> " in terminal.say("SELECT trial, state\n", "...> ")
          and "trial  state\n    9  completed\n" in terminal.say("FROM trials WHERE trial = 9;\n"))
    check(".help helps", "Ctrl-C" in terminal.say(".help\n"))
    check(".views lists the views", "leaderboard" in terminal.say(".views\n"))
    check(".tables does the same", "leaderboard" in terminal.say(".tables\n"))
    check("a mistake is shown and asked on", "no such column: vale" in terminal.say("SELECT vale FROM trials;\n"))
    check("an unknown word is told", "unknown word '.foo'" in terminal.say(".foo\n"))
    os.write(terminal.fd, (ENDLESS + "SELECT count(*) FROM n;\n").encode())
    minds_interrupts(terminal.pid)
    check("Ctrl-C ends the query, not the prompt", "interrupted" in terminal.say("\x03"))
    check("and the next one is answered", "    9\n" in terminal.say("SELECT max(trial) AS trial FROM trials;\n"))
    os.write(terminal.fd, b"\x04")
    check("Ctrl-D ends it", terminal.end() == 0)


test_formats()
test_input()
test_mistakes()
test_nothing_is_written()
test_ready_queries()
test_interruption()
test_while_it_is_written()
test_read_only_folder()
test_prompt()
finish()
