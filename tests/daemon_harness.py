"""What tests of the daemon share: one that serves a home, and talking to it."""
import json
import os
import signal
import socket
import subprocess
import time

import harness
from harness import *
from patience import patient


class Daemon:
    """`tuner serve` in the foreground, with the fake trainer."""

    def __init__(self, home, *options, fake="", trainer=FAKE, env=None):
        self.home = home
        command = [TUNER, "serve", *options] + (["--trainer", trainer] if trainer else [])
        self.log = open(home + "/serve.log", "ab")
        self.process = subprocess.Popen(
            command, env=dict(environment(home, fake), **(env or {})), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=self.log)
        heard = wait_until(lambda: self.ended() or self.answers(), 20)
        self.ready = heard and not self.ended()

    def ended(self):
        return self.process.poll() is not None

    def answers(self):
        if self.ended():
            return False
        try:
            return request(self.home, "status")["ok"]
        except (OSError, ValueError):
            return False

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self, seconds=30):
        """Its exit code, or None when it does not end."""
        try:
            return self.process.wait(timeout=patient(seconds))
        except subprocess.TimeoutExpired:
            return None

    def kill(self):
        self.process.kill()
        self.process.wait()

    def end(self):
        """Ends it as a user would; what it logged."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        if self.wait() is None:
            self.kill()
        self.log.close()
        return self.logged()

    def logged(self):
        with open(self.home + "/serve.log") as file:
            return file.read()


def connect(home):
    """Through the folder's descriptor: a test's folder may have too long a name."""
    folder = os.open(home, os.O_PATH)
    try:
        peer = socket.socket(socket.AF_UNIX)
        peer.settimeout(patient(30))
        peer.connect(f"/proc/self/fd/{folder}/control.sock")
        return peer
    finally:
        os.close(folder)


def request(home, word, **fields):
    with connect(home) as peer, peer.makefile("rw") as lines:
        lines.write(json.dumps({"request": word, **fields}) + "\n")
        lines.flush()
        return json.loads(lines.readline())


def study_of(home, name):
    """A study as `status` shows it; {} when it is not known."""
    answer = request(home, "status", study=name)
    return answer["studies"][0] if answer["ok"] else {}


def state_of(home, name):
    return study_of(home, name).get("state")


def becomes(home, name, *states, seconds=60):
    return wait_until(lambda: state_of(home, name) in states, seconds)
