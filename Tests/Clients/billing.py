#!/usr/bin/env python3
"""The built program under a clock that runs 600 times as fast (Debian's faketime), and an operator's commands under the same
clock: an account of 0.10 with one running and one stopped server of plan 3 pays exactly twenty hours, both are suspended, and
a payment makes each again what it was.

usage: billing.py VPSD"""

import glob
import os
import sys
import time

from service import Service

SPEED = 600
LIBRARY = "/usr/lib/*/faketime/libfaketimeMT.so.1"
EMAIL = "ada@example.com"
PRICE_HOURS = 20


class FastService(Service):
    """Every process of it begins where the fast clock is by then."""

    def __enter__(self):
        library = glob.glob(LIBRARY)
        if not library:
            raise SystemExit("billing: faketime is missing (Debian's package faketime)")
        self._library = library[0]
        self._real, self._began = time.monotonic(), time.time()
        return super().__enter__()

    def _hurry(self):
        now = self._began + (time.monotonic() - self._real) * SPEED
        # Only dates go fast: how long anything takes is measured as ever.
        self._environment |= {
            "LD_PRELOAD": self._library, "TZ": "UTC", "DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "FAKETIME": time.strftime("@%Y-%m-%d %H:%M:%S", time.gmtime(now)) + f" x{SPEED}",
        }

    def start(self):
        self._hurry()
        super().start()

    def run(self, *arguments):
        self._hurry()
        return super().run(*arguments)


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
        wait("active", 30, lambda: status(running) == status(stopped) == "active")
        call("POST", f"/servers/{stopped}/stop/")
        wait("stopped", 30, lambda: status(stopped) == "stopped")
        wait("suspended", 150, lambda: status(running) == status(stopped) == "suspended")
        account = call("GET", "/account/me/")["account"]
        assert account["balance"] == 0 and account["suspended"] == "credit" and account["deletion_at"], account
        service.run("credit", "check")
        # Twenty hours of 0.005 are all that there was.
        service.run("credit", "add", EMAIL, "10")
        wait("what they were", 30, lambda: (status(running), status(stopped)) == ("active", "stopped"))
        account = call("GET", "/account/me/")["account"]
        assert account["suspended"] is None and account["deletion_at"] is None, account
        service.run("credit", "check")
        print(f"billing: {PRICE_HOURS} hours were paid, both servers suspended, and each became again what it was")


if __name__ == "__main__":
    main(sys.argv[1])
