#!/usr/bin/env python3
"""The built program under a clock that runs 600 times as fast (Debian's faketime), and an operator's commands under the same
clock: an account of 0.10 with one running and one stopped server of plan 3 pays exactly twenty hours, both are suspended, and
a payment makes each again what it was.

usage: billing.py VPSD"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from service import Service

SPEED = 600
EMAIL = "ada@example.com"
PRICE_HOURS = 20


class FastService(Service):
    """All its processes are under one fast clock, which lives as long as a program that does nothing."""

    def __enter__(self):
        if not shutil.which("faketime"):
            raise SystemExit("billing: faketime is missing (Debian's package faketime)")
        # Only dates go fast: how long anything takes is measured as ever.
        real = {"DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        self._clock = subprocess.Popen(
            ["faketime", "-f", f"+0 x{SPEED}", "/bin/sh", "-c", "env; echo; exec cat"], env=os.environ | real, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        lines = [line.rstrip("\n").split("=", 1) for line in iter(self._clock.stdout.readline, "\n")]
        wanted = ("FAKETIME", "LD_PRELOAD")
        self._fast = real | {line[0]: line[1] for line in lines if len(line) == 2 and line[0].startswith(wanted)}
        self._tools = tempfile.TemporaryDirectory(prefix="vpsd-clients-")
        timers = self._tools.name + "/timers.so"
        subprocess.run(
            ["clang", "-shared", "-fPIC", "-o", timers, pathlib.Path(__file__).with_name("timers.c")], check=True)
        self._fast["LD_PRELOAD"] = timers + ":" + self._fast["LD_PRELOAD"]
        return super().__enter__()

    def __exit__(self, *_):
        super().__exit__(*_)
        self._clock.communicate()
        self._tools.cleanup()

    def start(self):
        self._environment |= self._fast
        super().start()


def wait(what, seconds, is_so):
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise SystemExit(f"billing: {what} did not come to pass")
        time.sleep(0.2)


def main(vpsd):
    with FastService(vpsd) as service:
        service.run("account", "create", EMAIL)
        service.run("credit", "add", EMAIL, "0.10")
        token = next(word for word in service.run("token", "create", "--name", "x", "--account", EMAIL).split()
                     if word.startswith("vps_"))

        def call(method, path, body=None):
            status, reply = service.call(method, path, body, token=token)
            assert status < 300, (status, reply)
            return reply

        def status(number):
            return call("GET", f"/servers/{number}/")["status"]

        order = {"plan_id": 3, "os_id": 3, "location": "us-west"}
        running, stopped = (call("POST", "/servers/", order | {"name": name})["id"] for name in ("running", "stopped"))
        wait("active", 120, lambda: status(running) == status(stopped) == "active")
        call("POST", f"/servers/{stopped}/stop/")
        wait("stopped", 120, lambda: status(stopped) == "stopped")
        wait("suspended", 300, lambda: status(running) == status(stopped) == "suspended")
        account = call("GET", "/account/me/")["account"]
        assert account["balance"] == 0 and account["suspended"] == "credit" and account["deletion_at"], account
        service.run("credit", "check")
        # Twenty hours of 0.005 are all that there was.
        service.run("credit", "add", EMAIL, "10")
        wait("what they were", 120, lambda: (status(running), status(stopped)) == ("active", "stopped"))
        account = call("GET", "/account/me/")["account"]
        assert account["suspended"] is None and account["deletion_at"] is None, account
        service.run("credit", "check")
        print(f"billing: {PRICE_HOURS} hours were paid, both servers suspended, and each became again what it was")


if __name__ == "__main__":
    main(sys.argv[1])
