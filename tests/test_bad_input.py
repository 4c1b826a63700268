"""Bad input and bad surroundings: a clear message, the documented exit code, and
nothing half-written."""
import gzip
import shutil
import sqlite3
import struct

from harness import *
from patience import patient

RANDOM = "{sampler: random, scheduler: full, trials: 2, max_epochs: 1}"


def refused(what, home, study, word, code=65, trainer=FAKE, nothing=True):
    got, out, err = run(home, "run", study, trainer=trainer)
    check(f"{what}: exit code {code} and a message", got == code and word in err, (got, err))
    check(f"{what}: the message is short, and nothing is on stdout",
          err.count("\n") <= 6 and out == "", (out, err))
    if nothing:
        check(f"{what}: no database was made", not os.path.exists(home + "/trials.db"))


def study_files():
    home = folder("files")
    refused("a study file that is not there", home, home + "/none.yaml", "none.yaml")
    path = write_study(home, name="digits")
    for wrong in ("/digits", "/digits.yml", "/digits.yam"):
        for command in ("run", "check"):
            code, _, err = run(home, command, home + wrong)
            check(f"{command} {wrong[1:]}: the file that may have been meant is named", code == 65
                  and err == f"tuner: there is no file {home}{wrong}; did you mean {path}?\n", err)
    path = write_study(home, search="{sampler: randon, scheduler: full, trials: 2, max_epochs: 1}")
    refused("a misspelt sampler", home, path, "error:")
    _, _, err = run(home, "run", path)
    check("the message has file:line:column and the right word",
          err.startswith(path + ":") and "random" in err, err)
    text = open(write_study(home, search=RANDOM)).read()
    open(path, "w").write(text.replace("kernel: 3", "kernel: 31"))
    refused("a network that fits no image", home, path, "error:", trainer=None)
    _, _, err = run(home, "run", path, trainer=None)
    check("it names the line of the layer", ":11:" in err.split(" ")[0] or ":10:" in err, err)
    open(path, "w").write(text.replace("dataset: synthetic", "dataset: ./nowhere"))
    refused("data that are not there", home, path, "nowhere")
    _, _, err = run(home, "run", path)
    check("the message has the place that names them, and the path once",
          err.startswith(path + ":3:17: error: ") and f"'{home}/nowhere'" in err, err)


def no_trainer():
    home = folder("no-trainer")
    path = write_study(home)
    refused("a trainer that is not there", home, path, "tuner: cannot run /nope: No such file",
            code=1, trainer="/nope")
    _, _, err = run(home, "check", path, trainer="/nope")
    check("every line says which program says it",
          all(line.startswith("tuner: ") for line in err.splitlines()), err)


def idx_files():
    """A folder of IDX files, damaged in one way at a time."""
    def idx(kind, *sizes, body):
        return struct.pack(">HBB", 0, kind, len(sizes)) + b"".join(
            struct.pack(">I", n) for n in sizes) + body
    images = idx(8, 200, 28, 28, body=bytes(200 * 784))
    labels = idx(8, 200, body=bytes(i % 10 for i in range(200)))
    good = {"train-images-idx3-ubyte": images, "train-labels-idx1-ubyte": labels,
            "t10k-images-idx3-ubyte": images, "t10k-labels-idx1-ubyte": labels}
    damages = {
        "truncated images": ("train-images-idx3-ubyte", images[:-5]),
        "an empty file": ("train-images-idx3-ubyte", b""),
        "a wrong magic": ("train-images-idx3-ubyte", b"\x01" + images[1:]),
        "labels instead of images": ("train-images-idx3-ubyte", labels),
        "counts that differ": ("train-labels-idx1-ubyte", idx(8, 199, body=bytes(199))),
        "trailing bytes": ("t10k-images-idx3-ubyte", images + b"x"),
        "a test set of another size": ("t10k-images-idx3-ubyte",
                                       idx(8, 200, 20, 20, body=bytes(200 * 400))),
        "a label that no training image has": ("t10k-labels-idx1-ubyte",
                                               idx(8, 200, body=bytes([77]) * 200)),
        "a corrupted gzip": ("train-images-idx3-ubyte.gz",
                             bytearray(gzip.compress(images))[:-9] + b"abcdefghi"),
        "absurd sizes": ("train-images-idx3-ubyte",
                         idx(8, 4000000000, 4000000000, 28, body=b"")),
    }
    for what, (name, content) in damages.items():
        home = folder("idx-" + what.replace(" ", "-"))
        data = home + "/digits"
        os.makedirs(data)
        for file, body in good.items():
            open(f"{data}/{file}", "wb").write(body)
        if name.endswith(".gz"):
            os.unlink(f"{data}/{name[:-3]}")
        open(f"{data}/{name}", "wb").write(content)
        path = write_study(home, search=RANDOM)
        text = open(path).read().replace("dataset: synthetic, train: 1000, validation: 100",
                                         "dataset: ./digits, train: 100, validation: 50")
        open(path, "w").write(text)
        refused(f"IDX with {what}", home, path, name.replace(".gz", "")[:12], trainer=None)


def homes():
    home = folder("foreign")
    foreign = sqlite3.connect(home + "/trials.db")
    foreign.execute("CREATE TABLE accounts (id INTEGER)")
    foreign.commit()
    foreign.close()
    before = open(home + "/trials.db", "rb").read()
    refused("a database of another program", home, write_study(home), "trials.db", nothing=False)
    check("it is left as it was", open(home + "/trials.db", "rb").read() == before)
    home = folder("garbage")
    open(home + "/trials.db", "wb").write(b"no database at all, " * 100)
    refused("a file that is no database", home, write_study(home), "trials.db", nothing=False)
    home = folder("afile")
    study = write_study(home)
    open(home + "/file", "w").close()
    code, _, err = run(home, "run", study, "--home", home + "/file")
    check("a home that is a file", code == 65 and "/file: is a file" in err and
          "--home" in err, (code, err))
    code, _, err = run(home, "trials", "s")
    check("a home without a database", code == 65 and "--home" in err, (code, err))


# A mount namespace of its own: root needs no user namespace for it, others do.
UNSHARE = ["unshare", "-m" if os.geteuid() == 0 else "-rm"]


def in_small_disk(home, script):
    """Runs a script that mounts a small file system over `home`, seen by the script alone.
    What the fake trainer keeps for itself is beside it, where the mount does not hide it."""
    return subprocess.run([*UNSHARE, "bash", "-c", script], capture_output=True, text=True,
                          env=environment(home + "-trainer"), timeout=patient(120))


def disks():
    if subprocess.run([*UNSHARE, "true"], capture_output=True).returncode != 0:
        print("skipped: small and read-only disks; this machine lets nobody mount one")
        return
    home = folder("readonly")
    study = write_study(folder("readonly-study"))
    done = in_small_disk(home, f"mount -t tmpfs -o size=300k,ro t {home} && "
                               f"{TUNER} run {study} --home {home} --trainer {FAKE}")
    check("a read-only home: exit code 65 and a message", done.returncode == 65 and
          home in done.stderr and "ead-only" in done.stderr and "another home with --home" in
          done.stderr, (done.returncode, done.stderr))
    home = folder("full")
    script = (f"mount -t tmpfs -o size=300k t {home} && cd /; "
              f"{TUNER} run {study} --home {home} --trainer {FAKE} 2>{home}-said & "
              f"for i in {{1..300}}; do grep -q 'is full' {home}-said && break; sleep 0.1; done; "
              f"sqlite3 {home}/trials.db 'PRAGMA integrity_check'; "
              f"mount -o remount,size=20m {home}; wait $!; echo code $?; cat {home}-said >&2; "
              f"sqlite3 {home}/trials.db 'SELECT count(*) FROM trials WHERE value > 0'")
    done = in_small_disk(home, script)
    out = done.stdout.split("\n")
    check("a full disk has the study wait, and says so", "is full" in done.stderr and
          "ok" in out, (done.stdout, done.stderr))
    check("with room again it goes on to its end, and nothing is lost", "code 0" in out and
          "there is room" in done.stderr and "17" in out, (done.stdout, done.stderr))
    home = folder("small")
    study = write_study(folder("small-study"), search=RANDOM)
    script = (f"mount -t tmpfs -o size=80m t {home} && {TUNER} run {study} --home {home}; "
              f"echo code $?; ls {home}/cache; cat {home}/logs/*")
    done = in_small_disk(home, script)
    check("a cache that would take most of a disk is done without", "code 0" in done.stdout and
          ".images\n" not in done.stdout and "more than half" in done.stdout,
          (done.stdout, done.stderr))


def command_lines():
    home = folder("usage")
    for arguments, word in ((["rum"], "run"), (["run"], "STUDY.yaml"), (["run", "x", "--worker", "2"],
                            "--workers"), (["run", "x", "--workers", "0"], "workers"),
                            (["trials", "s", "--sort", "valu"], "value"), (["list", "extra"], "extra")):
        code, out, err = run(home, *arguments, trainer=None)
        check(f"tuner {' '.join(arguments)}: exit code 64, naming {word}",
              code == 64 and word in err and out == "", (code, err))
    for command in ("run", "check", "trials", "best", "report", "list"):
        code, out, err = run(home, command, "--help", trainer=None)
        check(f"tuner {command} --help shows examples first",
              code == 0 and out.startswith("Examples:") and err == "", (code, out, err))


def checking():
    home = folder("checking")
    study = write_study(home)
    before = sorted(os.listdir(home))
    code, out, err = run(home, "check", study)
    check("tuner check shows brackets, epochs and samples", code == 0 and "9 x 1" in out and
          "17 configurations, 69 epochs" in out and "sample" in out, (out, err))
    jobs = home + "/fake-state/jobs"
    check("and a guess of the time, for which a worker trains a little",
          "(1000 images/s)" in out and os.path.exists(jobs), out)
    check("and the arithmetic that trials would use here", "\narithmetic python fp32\n" in out, out)
    out = run(home, "check", study, fake="bf16")[1]
    check("which is that of the configuration", "\narithmetic python bf16\n" in out, out)
    out = run(home, "check", study, fake="bf16,unsaid")[1]
    check("or the worker's where it is not said", "\narithmetic python\n" in out, out)
    code, out, _ = run(home, "check", study, "--json")
    os.remove(jobs)
    code, trial, _ = run(home, "check", study, "--trial", "16")
    check("tuner check --trial prints a whole configuration", code == 0 and
          set(json.loads(trial)) >= {"model", "training", "data", "seed", "trial", "epochs"}, trial)
    code, middle, _ = run(home, "check", study, "--middle")
    check("and --middle one that no trial need have", code == 0 and
          json.loads(middle)["parameters"]["batch_size"] in (64, 128), middle)
    check("for neither of which anything is trained", not os.path.exists(jobs))
    code, _, err = run(home, "check", study, "--trial", "17")
    check("a trial beyond the plan is refused", code == 64 and "17" in err, (code, err))
    check("tuner check --json is JSON", json.loads(out)["configurations"] == 17 and
          json.loads(out)["arithmetic"] == "python fp32", out)
    check("and it makes nothing", sorted(set(os.listdir(home)) - {"fake-state"}) ==
          [name for name in before if name != "fake-state"], os.listdir(home))


def precisions():
    """A precision that the processor has not, asked of the real trainer."""
    home = folder("precisions")
    study = write_study(home)
    text = open(study).read().replace("training:\n", "training:\n  precision: bf16\n")
    open(study, "w").write(text)
    os.environ["TRAINER_ISA"] = "portable"
    for command in ("check", "run"):
        code, _, err = run(home, command, study, trainer=TRAINER)
        line = text[:text.index("precision: bf16")].count("\n") + 1
        check(f"tuner {command} refuses bf16 where there is none, at its place", code == 65 and
              err.startswith(f"{study}:{line}:14: error: ") and "take fp32, or auto" in err, err)
    open(study, "w").write(text.replace("precision: bf16", "precision: auto"))
    code, out, err = run(home, "check", study, trainer=TRAINER)
    check("auto is fp32 there", code == 0 and "\narithmetic portable+" in out and
          " fp32\n" in out, (out, err))
    del os.environ["TRAINER_ISA"]


def no_memory():
    """Whichever request for memory is refused, and all after it: the tuner says so."""
    if "asan" in TUNER or "tsan" in TUNER:
        return  # they have memory of their own
    shim = os.path.join(os.path.dirname(TUNER), "tests", "memory_shim.so")
    home, silent = folder("no-memory"), []
    study = write_study(home)
    for number in range(5, 3000, 10):
        done = subprocess.run([TUNER, "check", study, "--trainer", FAKE], capture_output=True, text=True,
                              env={**environment(home), "LD_PRELOAD": shim, "SHIM_MEMORY": str(number)},
                              timeout=patient(60), check=False)
        if done.returncode != 0 and "memory" not in done.stderr:
            silent.append((number, done.returncode, done.stderr))
    check("want of memory is told wherever it comes", not silent, silent)


study_files()
no_trainer()
no_memory()
idx_files()
homes()
disks()
command_lines()
checking()
precisions()
finish()
