"""The daemon end to end: `tuner serve` and the commands that talk to it, with a fake
trainer that answers at once."""
import shutil

from daemon_harness import *

EXPECTED = {}
SLOW = "{scheduler: hyperband, max_epochs: 9, eta: 3, limits: {epoch_seconds: 20}}"


def undisturbed():
    for name in ("a", "b"):
        home = folder("undisturbed-" + name)
        code, _, err = run(home, "run", write_study(home, name, seed=ord(name)))
        EXPECTED[name] = results(home, name)
        check(f"study {name} runs alone", code == 0 and len(EXPECTED[name]) > 17, err)


def study(home, name="a"):
    return write_study(home, name, seed=ord(name), search=SLOW)


def as_expected(home, *names):
    return all(results(home, name) == EXPECTED[name] for name in names)


def two_studies():
    home = folder("two")
    daemon = Daemon(home, "--workers", "4", fake="slow")
    check("the daemon gets ready", daemon.ready, daemon.logged())
    for name in ("a", "b"):
        code, out, err = run(home, "submit", study(home, name))
        check(f"submit prints the name alone on stdout ({name})", (code, out) == (0, name + "\n"),
              (code, out, err))
        check("and how to watch it on stderr", f"tuner watch {name}" in err, err)
    both = wait_until(lambda: all(study_of(home, n).get("segments", 0) > 0 for n in "ab"))
    check("both are worked on at once", both, request(home, "status"))
    code, out, err = run(home, "status")
    check("status shows a row for each", code == 0 and out.count("running") == 2, (out, err))
    code, out, _ = run(home, "status", "--json")
    check("as JSON it has them too", [s["study"] for s in json.loads(out)["studies"]] == ["a", "b"],
          out)
    code, out, err = run(home, "status", "a")
    check("of one study it shows workers and rungs", code == 0 and "training" in out and
          "places" in out, (out, err))
    hurry(home)
    for name in ("a", "b"):
        code, out, err = run(home, "watch", name)
        check(f"watch ends with the study and shows its result ({name})",
              code == 0 and out.startswith("best trial") and "index.html" in out, (code, out, err))
    check("the results are those of each alone", as_expected(home, "a", "b"))
    code, out, err = run(home, "watch", "a", timeout=20)
    check("watching a finished study shows its result at once", code == 0 and "index.html" in out,
          (code, out, err))
    code, out, err = run(home, "status")
    check("with nothing in hand status says what to do", code == 0 and "tuner submit" in out, out)
    log = daemon.end()
    check("TERM ends the daemon with 0", daemon.process.returncode == 0, log)
    check("its socket is gone", not os.path.exists(home + "/control.sock"))
    check("it logged its work, line by line with a time and a level",
          "notice  a: finished" in log and "info    b: trial" in log, log)


def held(home, name):
    """Waits until nothing of a study runs; how many epochs it has then."""
    wait_until(lambda: study_of(home, name)["segments"] == 0)
    return rows(home, "SELECT count(*) FROM curves WHERE study = ?", name)[0][0]


def steering():
    home = folder("steering")
    daemon = Daemon(home, "--workers", "2", fake="slow")
    run(home, "submit", study(home))
    becomes(home, "a", "running")
    wait_until(lambda: study_of(home, "a")["epochs_done"] > 3)
    code, out, err = run(home, "pause", "a")
    check("pause says nothing", (code, out, err) == (0, "", ""), (code, out, err))
    before = held(home, "a")
    time.sleep(0.3)
    check("a paused study starts nothing new", state_of(home, "a") == "paused" and
          held(home, "a") == before > 0, (before, held(home, "a")))
    code, _, err = run(home, "pause", "a")
    check("it cannot be paused twice", code == 65 and "paused" in err, (code, err))
    code, _, err = run(home, "set", "a", "--workers", "1", "--priority", "7")
    now = study_of(home, "a")
    check("set changes workers and priority", (code, now["workers"], now["priority"]) == (0, 1, 7),
          (code, err, now))
    code, _, err = run(home, "set", "--workers", "3")
    check("set changes the workers of all", code == 0 and request(home, "status")["workers"] == 3,
          err)
    code, _, err = run(home, "resume", "a")
    check("resume goes on", code == 0 and becomes(home, "a", "running"), err)
    wait_until(lambda: study_of(home, "a")["epochs_done"] > before + 3)
    for word in ("stop", "cancel"):
        code, _, err = run(home, word, "a")
        check(f"{word} puts the study down", code == 0 and becomes(home, "a", "interrupted"),
              (code, err, study_of(home, "a")))
        code, out, err = run(home, "submit", study(home))
        check(f"submitted after {word} it goes on", (code, out) == (0, "a\n") and
              becomes(home, "a", "running"), (code, out, err))
        epochs = study_of(home, "a")["epochs_done"]
        wait_until(lambda: study_of(home, "a")["epochs_done"] > epochs + 1)
    hurry(home)
    check("the results are those of an undisturbed study",
          becomes(home, "a", "finished") and as_expected(home, "a"))
    daemon.end()


def refusals():
    home = folder("refusals")
    for words in (["status"], ["watch", "a"], ["stop", "a"], ["ask", "a"], ["submit", study(home)]):
        code, out, err = run(home, *words)
        check(f"without a daemon `{words[0]}` says how to start one",
              code == 65 and "no daemon works in" in err and "tuner serve" in err and not out,
              (code, out, err))
    daemon = Daemon(home)
    bad = write_study(home, "bad", search="{scheduler: hyperbend, max_epochs: 9}")
    code, _, err = run(home, "submit", bad)
    check("a bad file is refused at its place before anything is sent",
          code == 65 and err.startswith(bad + ":") and "hyperband" in err and
          rows(home, "SELECT count(*) FROM studies") == [(0,)], (code, err))
    code, _, err = run(home, "submit", study(home), "--name", "x/y")
    check("a name that is none is refused", code == 64 and "x/y" in err, (code, err))
    code, _, err = run(home, "pause", "nobody")
    check("a study that is not known is refused", code == 65 and "nobody" in err, (code, err))
    for words in (["stop"], ["cancel", "a", "--all"], ["set"], ["set", "a"], ["tell", "a", "1"],
                  ["tell", "a", "x", "--value", "1"], ["tell", "a", "1", "--value", "nan"],
                  ["logs", "../x"], ["logs", "a", "--worker", "1"], ["serve", "--log-format", "x"]):
        code, out, err = run(home, *words)
        check(f"`{' '.join(words)}` is wrong usage", code == 64 and err.count("\n") == 1, err)
    daemon.end()


def killed():
    """kill -9 of the daemon, and again; each next one goes on by itself."""
    home = folder("killed")
    daemon = Daemon(home, "--workers", "3", fake="slow")
    for name in ("a", "b"):
        run(home, "submit", study(home, name))
    for epochs in (10, 40):
        wait_until(lambda: sum(s["epochs_done"] for s in request(home, "status")["studies"])
                   > epochs)
        daemon.kill()
        code, _, err = run(home, "status")
        check("after kill -9 the socket that is left is no daemon", code == 65 and
              os.path.exists(home + "/control.sock"), (code, err))
        daemon = Daemon(home, "--workers", "3", fake="slow")
        check("the next daemon takes its place", daemon.ready, daemon.logged())
    hurry(home)
    for name in ("a", "b"):
        code, _, err = run(home, "watch", name)
        check(f"study {name} went on by itself", code == 0, err)
    check("to the same results", as_expected(home, "a", "b") and integrity(home) == [("ok",)])
    daemon.end()


class Asked(Daemon):
    """Counts in vain asking; it may end between a look whether it has and a question."""
    asked_when_dead = 0

    def answers(self):
        self.asked_when_dead += self.process.poll() is not None
        return super().answers()


def second():
    home = folder("second")
    daemon = Daemon(home)
    code, out, err = run(home, "serve", timeout=20)
    check("a second daemon says who has the home, and ends",
          code == 1 and str(daemon.process.pid) in err and not out, (code, err))
    check("the first works on", daemon.answers())
    daemon.end()


def gone():
    daemon = Asked(folder("gone"), "--nonsense")
    check("one that has ended is not asked whether it is ready", not daemon.ready and
          daemon.process.returncode == 64 and daemon.asked_when_dead <= 1, daemon.asked_when_dead)
    daemon.log.close()


def detached():
    home = folder("detached")
    code, out, err = run(home, "serve", "--detach", timeout=20)
    check("--detach returns when the daemon is ready", code == 0 and
          request(home, "status")["ok"], (code, out, err))
    pid = request(home, "status")["pid"]
    log = home + "/logs/daemon.log"
    check("and says its process and its log", str(pid) in out and log in out, out)
    check("it has a session of its own", os.getsid(pid) not in (os.getsid(0), 0))
    code, _, err = run(home, "logs", "--worker", "77")
    check("`tuner logs` of a worker that never was says how workers are numbered", code == 65 and
          "worker-77.log" in err and "numbers from 0 on" in err, err)
    code, out, err = run(home, "logs")
    check("`tuner logs` shows its log", code == 0 and f"as process {pid}" in out, (out, err))
    os.rename(log, log + ".1")
    with open(home + "/settings.yaml", "w") as file:
        file.write("workers: 5\n")
    os.kill(pid, signal.SIGHUP)
    check("HUP reads settings.yaml again",
          wait_until(lambda: request(home, "status")["workers"] == 5))
    check("and opens its log anew", wait_until(lambda: os.path.exists(log)))
    os.kill(pid, signal.SIGUSR1)
    check("USR1 writes the state to the log",
          wait_until(lambda: "5 workers" in open(log).read()), open(log).read())
    code, _, err = run(home, "serve", "--detach", timeout=20)
    check("a second one is refused", code == 1 and str(pid) in err, (code, err))
    os.kill(pid, signal.SIGTERM)
    check("TERM ends it", wait_until(lambda: not os.path.exists(f"/proc/{pid}") or
                                     open(f"/proc/{pid}/stat").read().split()[2] == "Z"))
    home = folder("detached-bad")
    open(home + "/trials.db", "w").write("this is no database " * 100)
    code, out, err = run(home, "serve", "--detach", timeout=20)
    check("a start that fails is reported with its message and exit code",
          code == 65 and "trials.db" in err and not out, (code, out, err))


def without_streams():
    """Started by a program that has neither stdin nor stdout nor stderr."""
    home = folder("without-streams")
    subprocess.run(["sh", "-c", 'exec "$0" serve --detach <&- >&- 2>&-', TUNER], timeout=patient(20),
                   env=environment(home), check=False)
    pid = request(home, "status")["pid"]
    streams = [os.readlink(f"/proc/{pid}/fd/{fd}") for fd in range(3)]
    log = home + "/logs/daemon.log"
    check("what is printed goes to the log, and to no file of the daemon",
          streams == ["/dev/null", log, log] and f"as process {pid}" in open(log).read(), streams)
    os.kill(pid, signal.SIGTERM)
    check("and it ends as it should", wait_until(lambda: not os.path.exists(home + "/control.sock")))


def strange_homes():
    home = os.fsencode(folder("strange")) + b"/\xff"
    done = subprocess.run([TUNER, "serve", "--home", home], capture_output=True, timeout=patient(20),
                          env=environment(folder("strange")), stdin=subprocess.DEVNULL, check=False)
    check("a home whose path is no UTF-8 is refused", done.returncode == 65 and
          b"UTF-8" in done.stderr and not os.path.exists(home), done)


def signals():
    home = folder("signals")
    daemon = Daemon(home, "--workers", "2", fake="hang=3!")
    run(home, "submit", study(home))
    soon(home, "SELECT count(*) FROM segments WHERE trial = 3")
    daemon.signal(signal.SIGINT)
    check("after INT it waits for the segments in hand", daemon.wait(0.5) is None)
    check("and says so", request(home, "status")["ending"] is True)
    daemon.signal(signal.SIGINT)
    check("INT once more ends it now", daemon.wait(10) == 0, daemon.logged())
    daemon = Daemon(home)
    check("the next daemon goes on to the same results",
          becomes(home, "a", "finished") and as_expected(home, "a"), daemon.logged())
    daemon.end()


def run_with_a_daemon():
    home = folder("run")
    daemon = Daemon(home, "--workers", "2", fake="slow")
    process = start(home, "run", study(home), trainer=None)
    wait_until(lambda: study_of(home, "a").get("epochs_done", 0) > 3)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=patient(20))
    check("run where a daemon is only watches: Ctrl-C leaves the study running",
          process.returncode == 130 and state_of(home, "a") == "running", (out, err))
    check("and says how to go on", "tuner watch a" in err and "tuner stop a" in err, err)
    hurry(home)
    code, out, err = run(home, "run", study(home), "--quiet", "--json", trainer=None)
    check("run again it watches on", code == 0 and json.loads(out)["study"] == "a" and
          json.loads(out)["report"], (code, out, err))
    check("to the same results", as_expected(home, "a"))
    code, out, err = run(home, "run", study(home), trainer=None)
    check("of a finished study it shows the result", code == 0 and out.startswith("best trial"),
          (code, out, err))
    code, _, err = run(home, "run", study(home), "--trainer", FAKE)
    check("the daemon runs no trainer of somebody else's choice", code == 64 and
          "tuner serve" in err, (code, err))
    daemon.end()


def watchers():
    home = folder("watchers")
    daemon = Daemon(home, "--workers", "2", fake="slow,crash=15")
    run(home, "submit", study(home))
    quiet = start(home, "watch", "a", "--quiet", trainer=None)
    events = start(home, "watch", "a", "--json", trainer=None)
    lines = start(home, "watch", "A", trainer=None)
    soon(home, "SELECT count(*) FROM faults")
    hurry(home)
    out, err = quiet.communicate(timeout=patient(60))
    check("a quiet watcher gets the result alone", (quiet.returncode, err) == (0, "") and
          out.startswith("best trial"), (out, err))
    out, err = events.communicate(timeout=patient(10))
    seen = [json.loads(line) for line in out.splitlines()]
    check("a watcher with --json gets every event", events.returncode == 0 and
          {e["event"] for e in seen} >= {"epoch", "segment", "decision", "fault", "state", "line"},
          (err, {e["event"] for e in seen}))
    check("in order, up to the report",
          [e["state"] for e in seen if e["event"] == "state"][-1] == "finished" and
          seen[-1]["event"] == "report", seen[-3:])
    out, err = lines.communicate(timeout=patient(10))
    check("another gets lines for people", lines.returncode == 0 and "trial 15" in err, err)
    os.unlink(home + "/fake-state/hurry")
    run(home, "submit", study(home, "b"))
    watcher = start(home, "watch", "b", trainer=None)
    wait_until(lambda: study_of(home, "b").get("epochs_done", 0) > 3)
    run(home, "stop", "b")
    out, err = watcher.communicate(timeout=patient(20))
    check("a watcher of a study that is stopped ends with 130", watcher.returncode == 130 and
          "interrupted" in err, (watcher.returncode, err))
    daemon.end()


def failing_studies():
    home = folder("failing")
    daemon = Daemon(home, fake="refuse!")
    code, out, err = run(home, "run", study(home), trainer=None)
    check("a study that fails ends its watcher with 1 and the reason", code == 1 and
          "no trial ended well" in err and not out, (code, out, err))
    daemon.end()
    home = folder("unfit")
    daemon = Daemon(home, trainer=None)
    path = study(home)
    text = open(path).read().replace("kernel: 3", "kernel: 31")
    open(path, "w").write(text)
    code, out, err = run(home, "run", path, trainer=None)
    check("a network that fits no image is bad input at its place", code == 65 and
          err.splitlines()[-1].startswith(path + ":"), (code, out, err))
    daemon.end()


def hostile():
    """Nothing that is said to the socket harms a study."""
    home = folder("hostile")
    daemon = Daemon(home, "--workers", "2", fake="slow")
    run(home, "submit", study(home))
    for line in (b"", b"\n", b"\0\n", b"{\n", b"[" * 5000 + b"\n", b"\xff\xfe\n", b"x" * 3000000,
                 b'{"request": "submit", "file": "/etc/passwd", "text": "x: y"}\n',
                 b'{"request": "logs", "study": "../../etc/passwd"}\n',
                 b'{"request": "status", "study": "' + b"a" * 500000 + b'"}\n'):
        peer = connect(home)
        try:
            peer.sendall(line)
            peer.shutdown(socket.SHUT_WR)
            while peer.recv(65536):
                pass
        except OSError:
            pass
        peer.close()
    floods = [connect(home) for _ in range(20)]
    for peer in floods:
        peer.sendall(b'{"request": "watch"}\n' + b'{"request": "status"}\n' * 500)
    check("the daemon answers others", daemon.answers(), daemon.logged())
    for peer in floods:
        peer.close()
    hurry(home)
    check("and the study comes to its results", becomes(home, "a", "finished") and
          as_expected(home, "a"), daemon.logged())
    daemon.end()


OUTSIDE = """study: mine
trainer: none
objective: {metric: speed, goal: maximize}
parameters:
  cache: {type: int, low: 64, high: 4096, log: true}
  share: {type: float, low: 0.0, high: 0.5}
search: {scheduler: hyperband, max_epochs: 9}
"""


def told(drawn):
    """A measure of its parameters, as another program would take it."""
    return 0.5 + 0.001 * drawn["parameters"]["cache"] + 0.01 * drawn["to_epoch"]


def ask_and_tell():
    home = folder("ask")
    daemon = Daemon(home, trainer=None)
    path = home + "/mine.yaml"
    open(path, "w").write(OUTSIDE)
    code, out, err = run(home, "check", path, trainer=None)
    check("a study without a trainer can be checked", code == 0 and "ask and tell" in out and
          "17 configurations" in out, (out, err))
    code, out, err = run(home, "submit", path)
    check("and is accepted", (code, out) == (0, "mine\n"), err)
    becomes(home, "mine", "running")
    code, out, err = run(home, "ask", "mine")
    first = json.loads(out)
    check("ask draws a configuration", code == 0 and first["trial"] == 0 and
          {"cache", "share"} == set(first["parameters"]) and
          (first["from_epoch"], first["to_epoch"]) == (0, 1), (out, err))
    for words, why in ((["--value", "0.5", "--epoch", "7"], "epoch 7"),
                       (["--value", "0.5", "--attempt", "9"], "not in hand")):
        code, _, err = run(home, "tell", "mine", "0", *words)
        check(f"tell {' '.join(words)} is refused", code == 65 and why in err, (code, err))
    code, _, err = run(home, "tell", "mine", "77", "--value", "1")
    check("so is a trial that nobody asked for", code == 65 and "77" in err, (code, err))
    code, out, err = run(home, "tell", "mine", "0", "--failed", "the sensor broke")
    check("tell --failed fails the trial", (code, out, err) == (0, "", "") and rows(
        home, "SELECT state, error FROM trials WHERE trial = 0") == [("failed", "the sensor broke")],
        (code, err))
    drawn = json.loads(run(home, "ask", "mine")[1])
    code, out, err = run(home, "tell", "mine", str(drawn["trial"]), "--value", str(told(drawn)))
    check("tell --value ends the segment", code == 0 and rows(
        home, "SELECT value FROM trials WHERE trial = 1") == [(told(drawn),)], err)
    for words, why in ((["--minutes", "5"], "limits can only be set of a study; name it"),
                       (["mine", "--quota-bytes", "5"], "quota_bytes can only be set of all")):
        code, _, err = run(home, "set", *words)
        check(f"tuner set {' '.join(words)} is refused", code == 65 and why in err, (code, err))
    waited = 0
    with connect(home) as peer, peer.makefile("rw") as lines:
        def talk(word, **fields):
            print(json.dumps({"request": word, "study": "mine", **fields}), file=lines, flush=True)
            return json.loads(lines.readline())
        while not (drawn := talk("ask")).get("finished"):
            if drawn.get("wait"):
                waited += 1
                time.sleep(0.01)
                if waited > 1000:
                    break
                continue
            for epoch in range(drawn["from_epoch"] + 1, drawn["to_epoch"]):
                talk("tell", trial=drawn["trial"], attempt=drawn["attempt"], epoch=epoch,
                     metrics={"speed": 0.1, "heat": 3.5})
            answer = talk("tell", trial=drawn["trial"], attempt=drawn["attempt"],
                          value=told(drawn))
            if not answer["ok"]:
                break
    check("over the socket it goes on to the end", drawn.get("finished") is True, (drawn, answer))
    check("with every trial recorded, and metrics of the program's own",
          rows(home, "SELECT count(*), sum(state = 'failed') FROM trials") == [(17, 1)] and
          rows(home, "SELECT count(*) > 0 FROM metrics WHERE name = 'heat'") == [(1,)])
    code, out, err = run(home, "watch", "mine", timeout=20)
    check("its result can be watched like any other", code == 0 and "best trial" in out, (out, err))
    check("and that there is no model of it is said", "other programs trained it" in out, out)
    for command in (("report",), ("best", "--model", home + "/m"), ("export", "--onnx", home + "/m")):
        code, _, err = run(home, command[0], "mine", *command[1:])
        check(f"tuner {' '.join(command[:2])} says so, too", code == 1 and "other programs" in err
              and "run it to its end" not in err, (code, err))
    code, out, err = run(home, "ask", "mine")
    check("asked once more it says that it has finished", json.loads(out) == {"finished": True},
          (out, err))
    path = write_study(home, "a")
    run(home, "submit", path, "--name", "other")
    code, _, err = run(home, "ask", "other")
    check("a study that has a trainer is not asked", code == 65 and "trainer: none" in err, err)
    daemon.end()


def example():
    """The Python example of docs/control.md does what that page says."""
    home = folder("example")
    daemon = Daemon(home, trainer=None)
    open(home + "/mine.yaml", "w").write(OUTSIDE)
    run(home, "submit", home + "/mine.yaml")
    becomes(home, "mine", "running")
    with open(os.path.join(harness.TOP, "docs/control.md")) as page:
        code = page.read().split("```python\n")[1].split("```")[0]
    place = os.open(home, os.O_PATH)
    exec(code.replace("tuning/control.sock", f"/proc/self/fd/{place}/control.sock"),
         {"measure": lambda parameters, begin, end: 0.5 + 0.01 * end})
    os.close(place)
    check("the example in the documentation works a study off", state_of(home, "mine") ==
          "finished" and rows(home, "SELECT count(*), sum(value > 0.5) FROM trials") ==
          [(17, 17)])
    daemon.end()


def logs_as_json():
    home = folder("json-log")
    daemon = Daemon(home, "--log-format", "json")
    run(home, "run", study(home), trainer=None)
    log = [json.loads(line) for line in daemon.end().splitlines()]
    check("with --log-format json every line is an object with time and level",
          len(log) > 20 and all("time" in line and "level" in line for line in log), log[:3])
    check("and every event is among them", {line.get("event") for line in log} >=
          {"epoch", "segment", "decision", "state", "line"})


def systemd():
    """What systemd would hear."""
    home = folder("notify")
    name = "tuner-test-" + os.path.basename(harness.SCRATCH)
    ear = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    ear.bind("\0" + name)
    ear.settimeout(20)
    heard = []

    def hear(word):
        def there():
            ear.settimeout(0.05)
            try:
                heard.append(ear.recv(4096).decode())
            except OSError:
                pass
            return any(line.startswith(word) for line in heard)
        return wait_until(there, 20)

    daemon = Daemon(home, env={"NOTIFY_SOCKET": "@" + name, "WATCHDOG_USEC": "200000"})
    check("systemd hears READY", hear("READY=1"), heard)
    check("STATUS", hear("STATUS=0 studies in hand"), heard)
    check("WATCHDOG", hear("WATCHDOG=1"), heard)
    daemon.signal(signal.SIGHUP)
    check("RELOADING", hear("RELOADING=1\nMONOTONIC_USEC="), heard)
    daemon.signal(signal.SIGTERM)
    check("and STOPPING", hear("STOPPING=1"), heard)
    daemon.end()
    ear.close()


def installed():
    """The unit that `make install` places names the program that it places."""
    place = folder("installed")
    build = os.path.relpath(os.path.dirname(TUNER), harness.TOP)
    done = subprocess.run(["make", "-s", "-o", "all", "install", f"BUILD={build}",
                           f"DESTDIR={place}", "PREFIX=/opt/tuner"], cwd=harness.TOP,
                          capture_output=True, text=True, timeout=patient(120))
    units = [f"{place}/opt/tuner/lib/systemd/{kind}/tuner.service" for kind in ("system", "user")]
    check("make install places the unit for both kinds of manager",
          done.returncode == 0 and all(os.path.exists(unit) for unit in units), done)
    text = open(units[0]).read()
    check("it starts the installed program", "ExecStart=/opt/tuner/bin/tuner serve" in text and
          os.access(place + "/opt/tuner/bin/tuner", os.X_OK), text)
    if shutil.which("systemd-analyze"):
        unit = place + "/tuner.service"
        open(unit, "w").write(text.replace("/opt/tuner/bin/tuner", TUNER))
        done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True,
                              timeout=patient(30))
        check("systemd understands it", "tuner.service" not in done.stderr, done.stderr)


undisturbed()
two_studies()
steering()
refusals()
killed()
second()
gone()
detached()
without_streams()
strange_homes()
signals()
run_with_a_daemon()
watchers()
failing_studies()
hostile()
ask_and_tell()
example()
logs_as_json()
systemd()
installed()
finish()
