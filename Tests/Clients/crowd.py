#!/usr/bin/env python3
"""Many creates at once on simulated machines. All of them become active: none fails because it had to wait, none is lost
where the service is killed in the middle, and none is made twice by a client that asks again.

usage: crowd.py VPSD COUNT [--kill]"""

import http.client
import json
import sys
import threading
import time
import urllib.parse

from service import Service

CLIENTS = 16
# Nothing became active, or was answered, for so long: it will not. Steps go by turns, so that the first of many take about as long as
# the last.
STALL_SECONDS = 300


class Crowd:
    def __init__(self, service, count):
        self.service, self.count = service, count
        self.numbers = iter(range(count))
        self.lock = threading.Lock()
        self.accepted = 0
        self.half = threading.Event()
        self.refusals = []

    def client(self):
        connection = None
        while (number := self.next()) is not None:
            asked = time.monotonic()
            while True:
                try:
                    connection = connection or http.client.HTTPConnection(
                        urllib.parse.urlsplit(self.service.url).netloc, timeout=180)
                    status, reply = self.create(connection, number)
                except (OSError, http.client.HTTPException):
                    # It was killed. Asked again with the same key, it makes one server, whether it had made it or not.
                    connection = None
                    if time.monotonic() - asked > STALL_SECONDS:
                        status, reply = None, b"no answer"
                        break
                    time.sleep(0.05)
                    continue
                # Carried out already, by the service that was killed before it could answer.
                is_made = status == 201 or (status == 409 and b"was carried out" in reply)
                if status == 409 and not is_made and time.monotonic() - asked < STALL_SECONDS:
                    time.sleep(0.05)
                    continue
                break
            with self.lock:
                if not is_made:
                    self.refusals.append((status, reply))
                    self.half.set()
                    return
                self.accepted += 1
                if self.accepted >= self.count // 2:
                    self.half.set()

    def next(self):
        with self.lock:
            return next(self.numbers, None)

    def create(self, connection, number):
        body = {"name": f"crowd-{number}", "plan_id": 3, "os_id": 3, "location": "us-west"}
        connection.request("POST", "/api/v1/servers/", json.dumps(body), {
            "Authorization": f"Bearer {self.service.token}", "Content-Type": "application/json",
            "Idempotency-Key": f"crowd-{number}"})
        reply = connection.getresponse()
        return reply.status, reply.read()

    def number_of(self, status):
        return self.service.call("GET", f"/servers/?page_size=1&status={status}")[1]["count"]


def main():
    vpsd, count, kill = sys.argv[1], int(sys.argv[2]), "--kill" in sys.argv[3:]
    with Service(vpsd) as service:
        crowd = Crowd(service, count)
        began = time.monotonic()
        threads = [threading.Thread(target=crowd.client, daemon=True) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        if kill:
            crowd.half.wait()
            service.kill()
            service.start()
        for thread in threads:
            thread.join()
        accepted_seconds = time.monotonic() - began
        if crowd.refusals:
            sys.exit(f"{len(crowd.refusals)} creates were refused, the first with {crowd.refusals[0]}")
        active, changed = -1, time.monotonic()
        while active < count:
            now_active, failed = crowd.number_of("active"), crowd.number_of("error")
            if failed:
                sys.exit(f"{failed} of {count} servers are in error, {now_active} active")
            if now_active != active:
                active, changed = now_active, time.monotonic()
            elif time.monotonic() - changed > STALL_SECONDS:
                sys.exit(f"only {active} of {count} servers became active")
            time.sleep(0.2)
        seconds = time.monotonic() - began
        total = service.call("GET", "/servers/?page_size=1")[1]["count"]
        if total != count:
            sys.exit(f"{total} servers were made of {count} requests")
        service.run("check")
        print(f"{count} creates by {CLIENTS} clients{', killed in the middle' if kill else ''}: accepted within "
              f"{accepted_seconds:.0f} s, all active after {seconds:.0f} s, none in error")


main()
