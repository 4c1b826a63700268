"""Installing, and the Debian package: everything is there, works from there, and goes away."""
import glob
import os
import re
import shutil
import subprocess

import harness
from harness import check, finish, folder
from patience import patient

BUILD = os.path.dirname(harness.TUNER)
if BUILD.startswith(harness.TOP + "/"):
    BUILD = os.path.relpath(BUILD, harness.TOP)  # as make knows the files


def output(*command, **more):
    done = subprocess.run(command, capture_output=True, text=True, timeout=patient(300),
                          stdin=subprocess.DEVNULL, **more)
    return done.returncode, done.stdout, done.stderr


def make(*arguments, **more):
    """Makes with the programs under test, which are not to be built again with other flags."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(("MAKE", "DEB"))} | more
    return output("make", "--no-print-directory", f"BUILD={BUILD}", "-o", f"{BUILD}/tuner", "-o",
                  f"{BUILD}/trainer", *arguments, cwd=harness.TOP, env=env)


def files(root):
    return {os.path.relpath(os.path.join(path, name), root)
            for path, _, names in os.walk(root) for name in names}


def run_installed(root, what):
    """A study with the installed tuner, which has to find the installed trainer."""
    home = folder("home-" + what)
    study = os.path.join(home, "s.yaml")
    with open(study, "w") as file:
        file.write(harness.STUDY.format(name="s", seed=1, search="{trials: 1, max_epochs: 1}"))
    done = output(f"{root}/bin/tuner", "run", study, "--quiet", "--home", home, cwd=home)
    check(f"the {what} tuner runs a study with the trainer beside it",
          done[0] == 0 and os.path.exists(f"{home}/reports/s/index.html"), done)


EXPECTED = {"bin/tuner", "bin/trainer", "share/man/man1/tuner.1", "share/man/man1/trainer.1",
            "share/bash-completion/completions/tuner", "share/bash-completion/completions/trainer",
            "share/zsh/site-functions/_tuner", "share/zsh/site-functions/_trainer",
            "lib/systemd/system/tuner.service", "lib/systemd/user/tuner.service",
            "share/doc/tuner/README.md", "share/doc/tuner/LICENSE",
            "share/doc/tuner/search_spaces/quickstart.yaml", "share/doc/tuner/docs/database.md",
            "share/tuner/queries/best_trials.sql"}


def test_install():
    top = folder("destination")
    root = top + "/opt/tuner"
    done = make("install", f"DESTDIR={top}", "PREFIX=/opt/tuner")
    found = files(root)
    check("make install puts everything under DESTDIR and PREFIX",
          done[0] == 0 and EXPECTED <= found and files(top) == {"opt/tuner/" + name
                                                                 for name in found},
          (done, EXPECTED - found))
    check("and says where", f"INSTALL {root}\n" in done[1], done)
    modes = {name: oct(os.stat(f"{root}/{name}").st_mode & 0o777) for name in found}
    check("programs can be run by all, and nothing else can",
          all(mode == ("0o755" if name.startswith("bin/") else "0o644")
              for name, mode in modes.items()), modes)
    with open(root + "/lib/systemd/system/tuner.service") as file:
        check("the unit starts the tuner of the prefix",
              "ExecStart=/opt/tuner/bin/tuner serve" in file.read())
    run_installed(root, "installed")

    kept = root + "/share/doc/tuner/search_spaces/mine.yaml"
    open(kept, "w").close()
    done = make("uninstall", f"DESTDIR={top}", "PREFIX=/opt/tuner")
    check("make uninstall removes it all, and nothing that a user has put there",
          done[0] == 0 and files(root) == {"share/doc/tuner/search_spaces/mine.yaml"},
          (done, files(root)))
    os.unlink(kept)
    make("uninstall", f"DESTDIR={top}", "PREFIX=/opt/tuner")
    check("with its own folders", files(top) == set() and
          not os.path.exists(root + "/share/doc/tuner") and
          not os.path.exists(root + "/share/tuner"), list(os.walk(top)))


def control(package, field):
    return output("dpkg-deb", "--field", package, field)[1].strip()


def maintainer(git="", **more):
    """Who a package would be by, with `git` in the user's configuration."""
    home = folder("who")
    with open(home + "/gitconfig", "w") as file:
        file.write(git)
    env = {"PATH": os.environ["PATH"], "GIT_CONFIG_GLOBAL": home + "/gitconfig",
           "GIT_CONFIG_NOSYSTEM": "1", **more}
    return output(harness.TOP + "/packaging/maintainer.sh", cwd=home, env=env)[1].strip()


def test_maintainer():
    git = "[user]\nname = Git Name\nemail = git@example.org\n"
    check("a package is by whom Debian's variables name",
          maintainer(git, DEBFULLNAME="Ann Other", DEBEMAIL="ann@example.org") ==
          "Ann Other <ann@example.org>")
    check("which may stand in one", maintainer(git, DEBEMAIL="Ann O. <ann@example.org>") ==
          "Ann O. <ann@example.org>")
    if shutil.which("git"):
        check("then by whom git names", maintainer(git) == "Git Name <git@example.org>")
        check("each for itself",
              maintainer(git, DEBEMAIL="ann@example.org") == "Git Name <ann@example.org>")
    check("and by its authors where nobody is named",
          maintainer() == "The tuner authors <tuner@localhost>", maintainer())


def test_package():
    done = make("deb", DEBFULLNAME="Ann Other", DEBEMAIL="ann@example.org")
    packages = glob.glob(os.path.join(harness.TOP, BUILD, "tuner_*.deb"))
    check("make deb makes one package", done[0] == 0 and len(packages) == 1, done)
    package = packages[0]
    version = output(harness.TUNER, "--version")[1].split()[1]
    check("which is named after its version and architecture", os.path.basename(package) ==
          f"tuner_{version}_{control(package, 'Architecture')}.deb", package)
    check("it says who made it",
          control(package, "Maintainer") == "Ann Other <ann@example.org>")
    needed = {"libsqlite3-0", "libyaml-0-2", "libjansson4", "libpng16-16", "zlib1g", "libc6"}
    depends = set(re.split(r"[ ,(]+", control(package, "Depends")))
    check("it depends on the packages of its libraries",
          needed <= depends and any(name.startswith("libopenblas") for name in depends), depends)

    listed = output("dpkg-deb", "--contents", package)[1].splitlines()
    wrong = [line for line in listed if " root/root " not in line or
             not re.match(r"drwxr-xr-x|-rwxr-xr-x .*/bin/|-rw-r--r--", line)]
    check("everything in it is root's, with the usual permissions", listed and not wrong, wrong)

    tree = folder("unpacked")
    output("dpkg-deb", "-R", package, tree)
    found = files(tree)
    check("manual pages, copyright and changelog are where Debian has them",
          {"usr/share/man/man1/tuner.1.gz", "usr/share/man/man1/trainer.1.gz",
           "usr/share/doc/tuner/copyright", "usr/share/doc/tuner/changelog.gz",
           "usr/share/zsh/vendor-completions/_tuner"} <= found, found)
    check("md5sums has every file and is right",
          output("md5sum", "--check", "--quiet", "DEBIAN/md5sums", cwd=tree) == (0, "", "") and
          {line.split()[1] for line in open(tree + "/DEBIAN/md5sums")} ==
          {name for name in found if name.startswith("usr/")})
    run_installed(tree + "/usr", "packaged")
    if os.geteuid() == 0:
        test_dpkg(package)


def test_dpkg(package):
    """dpkg with a root and a list of packages of its own, where nothing else is installed."""
    root = folder("root")
    os.makedirs(root + "/var/lib/dpkg/updates")
    os.makedirs(root + "/var/lib/dpkg/info")
    for name in ("status", "available"):
        open(f"{root}/var/lib/dpkg/{name}", "w").close()
    dpkg = ("dpkg", f"--root={root}", "--force-not-root", "--force-depends", "--log=/dev/null")
    done = output(*dpkg, "-i", package)
    check("dpkg installs it", done[0] == 0 and os.path.exists(root + "/usr/bin/tuner") and
          "install ok installed" in open(root + "/var/lib/dpkg/status").read(), done)
    done = output(*dpkg, "-r", "tuner")
    check("and removes it without a rest", done[0] == 0 and not os.path.exists(root + "/usr"),
          (done, list(os.walk(root + "/usr"))))
    shutil.rmtree(root)


test_install()
test_maintainer()
test_package()
finish()
