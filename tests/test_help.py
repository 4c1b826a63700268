"""What the programs say of themselves: --help, manual pages, completion."""
import os
import re
import subprocess

import harness
from harness import check, finish, folder
from patience import patient

PROGRAMS = {"tuner": harness.TUNER, "trainer": harness.TRAINER}
ENVIRONMENT = dict(os.environ, LC_ALL="C.UTF-8", MANWIDTH="100")


def output(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=patient(60), env=ENVIRONMENT,
                          stdin=subprocess.DEVNULL, **more)
    return done.returncode, done.stdout, done.stderr


def commands(program):
    """The commands that --help lists."""
    listed = output(PROGRAMS[program], "--help")[1].split("Usage:")[1]
    return re.findall(r"^  ([a-z]+)(?: |$)", listed, re.M)


def options(program, command):
    """The options that a command's --help lists."""
    text = output(PROGRAMS[program], command, "--help")[1]
    return re.findall(r"^  --([a-z-]+)", text, re.M)


def test_commands():
    check("tuner --help lists what users need, and not what is for programs",
          {"run", "check", "trials", "best", "report", "list", "help"} <= set(commands("tuner")) and
          "prepare" not in commands("tuner"), commands("tuner"))
    for program, path in PROGRAMS.items():
        bad, wide = [], []
        for command in commands(program):
            code, out, err = output(path, command, "--help")
            if code != 0 or not out.startswith("Examples:\n") or err or \
                    f"\nUsage: {program} {command}" not in out:
                bad.append((command, code, out, err))
            if output(path, "help", command)[1] != out and command != "help":
                bad.append((command, "help COMMAND differs"))
            wide += [line for line in out.splitlines() if len(line) > 80]
        wide += [line for line in output(path, "--help")[1].splitlines() if len(line) > 80]
        check(f"every command of {program} explains itself, examples first", not bad, bad)
        check(f"no line of {program}'s help is too long", not wide, wide)
    code, out, err = output(harness.TUNER)
    check("without a command the help goes to stderr, with exit code 64",
          code == 64 and out == "" and err.startswith("Examples:"), (code, out, err))
    code, out, err = output(harness.TUNER, "help", "rnu")
    check("help of an unknown command names the nearest", code == 64 and "'run'" in err, err)


def test_options():
    """A misspelt option is answered with the one that the parser knows."""
    for program, path in PROGRAMS.items():
        unknown, count = [], 0
        for command in commands(program):
            for option in options(program, command):
                code, _, err = output(path, command, f"--{option}x")
                count += 1
                if code != 64 or f"did you mean '--{option}'?" not in err and len(option) > 1:
                    unknown.append((command, option, code, err))
        check(f"every option that {program}'s help lists is one that its commands parse",
              count > 20 and not unknown, unknown)


def test_options_before():
    """An option of a command that stands before it, and one that nobody has."""
    for program, path in PROGRAMS.items():
        for option, answer in (("--home", "the options of a command stand behind it"),
                               ("--versoin", "did you mean '--version'?")):
            code, _, err = output(path, option, "x")
            check(f"{program} {option} is answered", code == 64
                  and err == f"{program}: unknown option '{option}'; {answer}\n", (code, err))


def test_completion_lists_all():
    for program, path in PROGRAMS.items():
        script = output(path, "help", "--completion", "bash")[1]
        different = []
        for command in commands(program):
            table = re.search(rf"^    {command}\)\n(.*?);;", script, re.M | re.S)
            found = re.findall(r"'--([a-z-]+)", table[1] if table else "")
            if found != options(program, command):
                different.append((command, found))
        check(f"bash completes what {program}'s help lists", not different, different)


# ---- manual pages ----

def test_manual():
    home = folder("manual")
    for program, path in PROGRAMS.items():
        page = os.path.join(home, program + ".1")
        with open(page, "w") as file:
            file.write(output(path, "help", "--man")[1])
        _, shown, warnings = output("man", "--warnings", "-l", page)
        check(f"man shows {program}(1) without a warning", shown and not warnings, warnings)
        warnings = output("groff", "-man", "-Tutf8", "-ww", "-z", page)
        check(f"so does groff with every warning on", warnings == (0, "", ""), warnings)
        missing = [(command, option) for command in commands(program)
                   for option in options(program, command)
                   if not re.search(rf"^ +--{option}\b", shown, re.M)]
        check(f"{program}(1) has every command and option",
              not missing and all(f"\n   {program} {command}\n" in shown
                                  for command in commands(program)), missing)
        check(f"{program}(1) has examples that can be copied",
              f"{program} {'run search_spaces/' if program == 'tuner' else 'train config.json --'}"
              in shown and "\u2010" not in shown.split("EXAMPLES")[1].split("COMMANDS")[0], shown)


# ---- completion ----

def complete(line, *, program="tuner", directory=None):
    """What bash offers at the end of a command line, as a set."""
    words = [word for part in line.split(" ") for word in re.split("(=)", part) if word]
    if line.endswith(" "):
        words.append("")
    current = "" if words[-1] == "=" else words[-1]
    script = (f'source <({PROGRAMS[program]} help --completion bash)\n'
              'COMP_WORDS=("${@:2}") COMP_CWORD=$(($# - 2))\n'
              f'_{program} {PROGRAMS[program]} "$1" ""\n'
              'printf "%s\\n" "${COMPREPLY[@]}"\n')
    _, out, err = output("bash", "-c", script, "bash", current, *words, cwd=directory)
    return set(out.split()) | ({"stderr: " + err} if err else set())


def test_bash():
    home = folder("bash")
    for name in ("one.yaml", "two.yaml", "notes.txt", "a.json"):
        open(os.path.join(home, name), "w").close()
    os.mkdir(os.path.join(home, "folder"))
    ENVIRONMENT["TUNER_HOME"] = home
    check("bash completes commands", complete("tuner ch") == {"check"}, complete("tuner ch"))
    check("and all of them where nothing is written yet",
          complete("tuner ") == set(commands("tuner")), complete("tuner "))
    check("options", complete("tuner run --f") == {"--fresh"}, complete("tuner run --f"))
    check("all of a command's", complete("tuner list -") ==
          {"--names", "--home", "--json", "--help"}, complete("tuner list -"))
    check("study files and folders, and no other files", complete("tuner run ", directory=home) ==
          {"one.yaml", "two.yaml", "folder"}, complete("tuner run ", directory=home))
    check("also behind options with values", complete("tuner run --workers 2 --quiet o",
                                                      directory=home) == {"one.yaml"})
    check("folders for --home", complete("tuner list --home ", directory=home) == {"folder"})
    check("also behind =", complete("tuner list --home=f", directory=home) == {"folder"},
          complete("tuner list --home=f", directory=home))
    check("what an option may be", complete("tuner trials s --sort ") ==
          {"trial", "value", "epochs"}, complete("tuner trials s --sort "))
    check("nothing for a number", complete("tuner run --workers ", directory=home) == set())
    check("nothing behind the last word", complete("tuner check one.yaml ", directory=home) ==
          set())
    check("choices and files alike", complete("trainer evaluate m --data ", program="trainer",
                                              directory=home) >=
          {"mnist", "synthetic", "notes.txt"})
    check("any number of files", complete("trainer predict m a b n", program="trainer",
                                          directory=home) == {"notes.txt"})
    check("the shells that there is completion for", complete("tuner help --completion ") ==
          {"bash", "zsh"})


def test_studies():
    """Names of studies come from the home that the command line names."""
    home = folder("studies")
    study = harness.write_study(home, "alpha", search="{trials: 1, max_epochs: 1}")
    ended = harness.run(home, "run", study, "--quiet")
    ENVIRONMENT["TUNER_HOME"] = folder("nothing")
    names = output(harness.TUNER, "list", "--names", "--home", home)
    check("tuner list --names prints names alone", names == (0, "alpha\n", ""), (ended, names))
    check("bash completes studies of --home",
          complete(f"tuner best --home {home} ") == {"alpha"},
          complete(f"tuner best --home {home} "))
    check("and of $TUNER_HOME, where there are none", complete("tuner best ") == set(),
          complete("tuner best "))


# A shell on a terminal of its own, in which a line is written and the tabulator pressed.
ZSH = r"""
zmodload zsh/zpty
zpty shell zsh -f -i
zpty -w shell "autoload -Uz compinit; compinit -u -D; source <($1 help --completion zsh); cd $3"
zpty -w shell 'print READ''Y'
zpty -r -m shell shown '*READY*'
zpty -n -w shell "$2"$'\t'
zpty -n -w shell $'\C-A: \C-E\n'
zpty -w shell 'print DON''E'
zpty -r -m shell shown '*DONE*'
print -r -- "$shown"
"""


def test_zsh():
    home = folder("zsh")
    open(os.path.join(home, "one.yaml"), "w").close()
    open(os.path.join(home, "one.txt"), "w").close()
    for program, path in PROGRAMS.items():
        script = output(path, "help", "--completion", "zsh")[1]
        check(f"zsh can read what completes {program}",
              output("zsh", "-n", "-c", script) == (0, "", ""), script)
    for what, line, completed in (("commands", "tuner ch", "tuner check"),
                                  ("options", "tuner run --fr", "tuner run --fresh"),
                                  ("what an option may be", "tuner trials s --sort v", "value"),
                                  ("study files", "tuner run o", "tuner run one.yaml")):
        for _ in range(5):  # what is typed before its editor has begun is no line to complete
            shown = output("zsh", "-f", "-c", ZSH, "zsh", harness.TUNER, line, home)[1]
            if completed in shown:
                break
        check(f"zsh completes {what}", completed in shown, shown)


test_commands()
test_options()
test_options_before()
test_completion_lists_all()
test_manual()
test_bash()
test_studies()
test_zsh()
finish()
