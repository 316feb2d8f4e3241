"""Whoever orders servers of several services of one installation, and whoever follows what happens there."""

import collections
import contextlib
import http.client
import json
import re
import threading
import time

from installation import Failed

STALL_SECONDS = 120


class Customer:
    """Asks any of the services, and another one where one does not answer, with the same key."""

    def __init__(self, replicas, token, first, is_rolling=False):
        self._replicas, self._token, self._first = replicas, token, first
        self._connections = {}
        self._is_rolling = is_rolling
        self.failures = collections.Counter()

    def ask(self, method, path, body=None, key=None):
        """Status, body, and which service said it."""
        deadline, at = time.monotonic() + STALL_SECONDS, self._first
        while time.monotonic() < deadline:
            replica = self._replicas[at % len(self._replicas)]
            at += 1
            if self._is_rolling and not replica.is_ready():
                continue
            try:
                status, text = self._send(replica, method, path, body, key)
            except (OSError, http.client.HTTPException) as error:
                self._connections.pop(replica.name, None)
                self.failures[type(error).__name__] += 1
                time.sleep(0.02)
                continue
            if status == 503 or (status == 409 and b"still being carried out" in text):
                self.failures[status] += 1
                time.sleep(0.1)
                continue
            return status, text, replica
        raise Failed(f"{method} {path} was not answered within {STALL_SECONDS} s")

    def _send(self, replica, method, path, body, key):
        connection = self._connections.get(replica.name)
        if connection is None:
            connection = replica.connection(4)
            self._connections[replica.name] = connection
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        connection.request(method, "/api/v1" + path, None if body is None else json.dumps(body), headers)
        reply = connection.getresponse()
        if self._is_rolling:
            # As a proxy does that keeps no connections: one of a service that has ended since fails.
            del self._connections[replica.name]
        return reply.status, reply.read()

    # What customers do

    def create(self, name):
        """The id of a new server, and which service said that it is there."""
        body = {"name": name, "plan_id": 3, "os_id": 3, "location": "us-west"}
        status, text, replica = self.ask("POST", "/servers/", body, name)
        if status == 201:
            return json.loads(text)["id"], replica
        # One that was carried out by a service that died before it could answer.
        if status == 409 and b"was carried out" in text:
            return self._find(name), replica
        raise Failed(f"the create of {name}: {status} {text}")

    def _find(self, name):
        status, text, _ = self.ask("GET", f"/servers/?name={name}")
        found = [server["id"] for server in json.loads(text)["results"] if server["name"] == name] if status == 200 else []
        if len(found) != 1:
            raise Failed(f"{name} was made, and is there {len(found)} times: {status} {text[:300]}")
        return found[0]

    def await_status(self, server, wanted):
        deadline = time.monotonic() + STALL_SECONDS
        while time.monotonic() < deadline:
            status, text, _ = self.ask("GET", f"/servers/{server}/")
            if status != 200 or json.loads(text)["status"] == "error":
                raise Failed(f"server {server} is lost, or in error: {status} {text}")
            if json.loads(text)["status"] == wanted:
                return
            time.sleep(0.1)
        raise Failed(f"server {server} is not {wanted}")

    def restart(self, server):
        status, text, _ = self.ask("POST", f"/servers/{server}/power/", {"action": "restart"}, f"restart-{server}")
        if status >= 400 and status != 409:
            raise Failed(f"the restart of {server}: {status} {text}")

    def delete(self, server):
        status, text, _ = self.ask("DELETE", f"/servers/{server}/")
        if status not in (204, 404):
            raise Failed(f"the delete of {server}: {status} {text}")


class Listener(threading.Thread):
    """Follows the events of one service from the first one on, and goes on at the same one where the stream ends."""

    def __init__(self, replica, token):
        super().__init__(daemon=True)
        self._replica, self._token = replica, token
        self.ids, self.faults, self._is_over = [], [], threading.Event()

    def run(self):
        while not self._is_over.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                self._follow()
            time.sleep(0.1)

    def end(self):
        self._is_over.set()

    def _follow(self):
        with contextlib.closing(self._replica.connection(20)) as connection:
            connection.request("GET", "/api/v1/events/", headers={
                "Authorization": f"Bearer {self._token}", "Last-Event-ID": str(self.ids[-1] if self.ids else 0)})
            reply = connection.getresponse()
            number = None
            while not self._is_over.is_set():
                line = reply.readline().decode()
                if not line:
                    return
                if found := re.match(r"id: ?(\d+)", line):
                    number = int(found[1])
                elif found := re.match(r"event: ?(\S+)", line):
                    if found[1] == "gap":
                        self.faults.append("a gap")
                elif line.strip() == "" and number is not None:
                    if self.ids and number <= self.ids[-1]:
                        self.faults.append(f"{number} after {self.ids[-1]}")
                    self.ids.append(number)
                    number = None
