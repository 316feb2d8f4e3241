#!/usr/bin/env python3
"""Three services on one server of PostgreSQL, which share simulated hosts. Many clients order through all of them, with clocks that
are minutes apart, while one is killed and another stopped. Nothing is lost or doubled, all ends, events come in order everywhere,
and what one had is done by another within ten seconds.

usage: replicas.py VPSD SERVERS [--rounds N] [--seed N] [--rolling]"""

import argparse
import collections
import concurrent.futures
import contextlib
import glob
import http.client
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from service import free_port

NAMES = ("one", "two", "three")
# Of the machines, and so of each service by itself.
CLOCKS = {"one": "+0", "two": "+300s", "three": "-300s"}
CLIENTS = 8
MOVE_SECONDS = 10
STALL_SECONDS = 120
# What a service is stopped for: longer than it is waited for.
STOP_SECONDS = 9
HOSTS = 3
DUTIES = HOSTS + 2


class Failed(SystemExit):
    pass


class Database:
    """A server of its own, as long as this runs."""

    def __init__(self, folder):
        self._folder = folder / "postgresql"
        self._folder.mkdir(mode=0o700)
        self._programs = max(glob.glob("/usr/lib/postgresql/*/bin"))
        self._as = []
        if os.geteuid() == 0:
            shutil.chown(self._folder, "nobody")
            folder.chmod(0o755)
            self._as = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        self.url = f"postgresql://vpsd@/vpsd?host={self._folder}"

    def __enter__(self):
        data = self._folder / "data"
        self._run("initdb", "-D", data, "-U", "vpsd", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        self._server = subprocess.Popen(
            [*self._as, f"{self._programs}/postgres", "-D", data, "-k", self._folder, "-c", "listen_addresses=",
             "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "max_connections=100"],
            cwd=self._folder, stdout=subprocess.DEVNULL, stderr=open(self._folder.parent / "postgresql.log", "w"))
        deadline = time.monotonic() + 60
        while True:
            try:
                self._run("psql", "-h", self._folder, "-U", "vpsd", "-c", "CREATE DATABASE vpsd", "postgres")
                return self
            except subprocess.CalledProcessError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    def __exit__(self, *_):
        self._server.send_signal(signal.SIGQUIT)
        self._server.wait()

    def _run(self, program, *arguments):
        return subprocess.run(
            [*self._as, f"{self._programs}/{program}", *map(str, arguments)], cwd=self._folder, check=True,
            capture_output=True, text=True).stdout

    def rows(self, sql):
        text = self._run("psql", "-h", self._folder, "-U", "vpsd", "-AtX", "-F", "\t", "-c", sql, "vpsd")
        return [line.split("\t") for line in text.splitlines()]

    def value(self, sql):
        return self.rows(sql)[0][0]


class Replica:
    def __init__(self, name, vpsd, folder, database, drains):
        self.name = name
        self._vpsd = vpsd
        self._folder = folder / name
        self._folder.mkdir()
        self.port = free_port()
        configuration = folder / "vpsd.yaml"
        configuration.write_text(f"locations:\n  us-west: {{driver: simulated, hosts: {HOSTS}}}\n")
        self._arguments = ["--config", str(configuration)]
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("VPSD_")} | {
            "VPSD_DRIVER": "simulated", "VPSD_DATA_DIR": str(self._folder / "data"),
            "VPSD_LISTEN": f"127.0.0.1:{self.port}", "VPSD_DATABASE": database.url,
            "VPSD_SIMULATED_DIR": str(folder / "shared"), "VPSD_LOG_LEVEL": "notice", "VPSD_RATE_LIMIT": "0",
            "VPSD_SERVER_QUOTA": "0", "VPSD_DRAIN_SECONDS": "2" if drains else "0",
        }
        self._clock = Clock(CLOCKS[name], folder / "timers.so")
        self.log = self._folder / "log"
        self._process = None

    @property
    def token(self):
        return (self._folder / "data/token").read_text().strip()

    @property
    def key(self):
        return self._folder / "data/secret.key"

    def take_key(self, other):
        (self._folder / "data").mkdir(mode=0o700)
        shutil.copyfile(other.key, self.key)
        self.key.chmod(0o600)

    def start(self):
        banner = self._folder / "banner"
        with open(banner, "w") as output, open(self.log, "a") as errors:
            self._process = subprocess.Popen(
                [self._vpsd, "serve", *self._arguments], env=self.environment | self._clock.environment, stdout=output,
                stderr=errors)
        deadline = time.monotonic() + 60
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"the service {self.name} did not start (status {self._process.poll()}):\n{self.log.read_text()}")
            time.sleep(0.05)

    def is_ready(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get("/readyz")[0] == 200
        return False

    def get(self, path):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with contextlib.closing(connection):
            connection.request("GET", path)
            reply = connection.getresponse()
            return reply.status, reply.read()

    @property
    def id(self):
        return self._process.pid

    def signal(self, number):
        self._process.send_signal(number)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def end(self):
        """Whoever is not started again needs no clock."""
        self.stop()
        self._clock.end()

    def stop(self):
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"the service {self.name} did not end within a minute:\n{self.log.read_text()[-3000:]}")

    def run(self, *arguments):
        done = subprocess.run(
            [self._vpsd, *arguments, *self._arguments], env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"vpsd {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout


class Clock:
    """Another time of day; how long anything takes is measured as ever (see billing.py)."""

    def __init__(self, offset, timers):
        self._process, self.environment = None, {}
        if offset == "+0":
            return
        if not shutil.which("faketime"):
            raise Failed("replicas: faketime is missing (Debian's package faketime)")
        if not timers.exists():
            subprocess.run(
                ["clang", "-shared", "-fPIC", "-o", timers, pathlib.Path(__file__).with_name("timers.c")], check=True)
        real = {"DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        # It lives as long as a program that does nothing.
        self._process = subprocess.Popen(
            ["faketime", "-f", offset, "/bin/sh", "-c", "env; echo; exec cat"], env=os.environ | real, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        lines = [line.rstrip("\n").split("=", 1) for line in iter(self._process.stdout.readline, "\n")]
        self.environment = real | {
            line[0]: line[1] for line in lines if len(line) == 2 and line[0].startswith(("FAKETIME", "LD_PRELOAD"))}
        self.environment["LD_PRELOAD"] = f"{timers}:{self.environment['LD_PRELOAD']}"

    def end(self):
        if self._process:
            self._process.communicate()


class Customer:
    """Asks any of the services, and another one where one does not answer, with the same key."""

    def __init__(self, replicas, token, number, rolling=False):
        self._replicas, self._token, self._at = replicas, token, number
        self._connections = {}
        self._is_rolling = rolling
        self.failures = collections.Counter()

    def ask(self, method, path, body=None, key=None):
        deadline = time.monotonic() + STALL_SECONDS
        while time.monotonic() < deadline:
            self._at += 1
            replica = self._replicas[self._at % len(self._replicas)]
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
            return status, text
        raise Failed(f"{method} {path} was not answered within {STALL_SECONDS} s")

    def _send(self, replica, method, path, body, key):
        connection = self._connections.get(replica.name)
        if connection is None:
            connection = http.client.HTTPConnection("127.0.0.1", replica.port, timeout=4)
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
        connection = http.client.HTTPConnection("127.0.0.1", self._replica.port, timeout=20)
        with contextlib.closing(connection):
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


class Trial:
    def __init__(self, arguments, folder, database):
        self.count, self.rounds, self.rolling = arguments.servers, arguments.rounds, arguments.rolling
        self.random = random.Random(arguments.seed)
        self.database, self.folder = database, folder
        vpsd = str(pathlib.Path(arguments.vpsd).resolve())
        self.replicas = [Replica(name, vpsd, folder, database, arguments.rolling) for name in NAMES]
        self.moves = []
        self.deleted = 0
        self.lock = threading.Lock()
        self.done = 0

    def start(self):
        first = self.replicas[0]
        first.start()
        self.token = first.token
        first.run("credit", "add", "admin@localhost", "100000")
        for other in self.replicas[1:]:
            other.take_key(first)
            other.start()
        self.await_shares()

    def await_shares(self):
        """Each has some of the duties."""
        self.until("all services have a share", 20, lambda: len(self.holders()) == len(NAMES))

    def until(self, what, seconds, is_true):
        deadline = time.monotonic() + seconds
        while not is_true():
            if time.monotonic() > deadline:
                raise Failed(f"{what}: not within {seconds} s; duties: {self.database.rows('SELECT * FROM duty')}, "
                             f"services: {self.database.rows('SELECT * FROM replica')}")
            time.sleep(0.2)

    def holders(self):
        return {row[0] for row in self.database.rows(
            "SELECT DISTINCT replica_id FROM duty WHERE replica_id IS NOT NULL AND expires_at > vpsd_now()")}

    def replica_id(self, replica):
        return self.database.value(f"SELECT id FROM replica WHERE name LIKE '%:{replica.id}'")

    # What customers do

    def order(self, number):
        customer = Customer(self.replicas, self.token, number, self.rolling)
        body = {"name": f"server-{number}", "plan_id": 3, "os_id": 3, "location": "us-west"}
        status, text = customer.ask("POST", "/servers/", body, f"server-{number}")
        # One that was carried out by a service that died before it could answer.
        if status != 201 and not (status == 409 and b"was carried out" in text):
            raise Failed(f"the create {number}: {status} {text}")
        server = self.database.value(f"SELECT id FROM server WHERE name = 'server-{number}'")
        self.await_status(customer, server, "active")
        if number % 3 == 0:
            status, text = customer.ask("POST", f"/servers/{server}/power/", {"action": "restart"}, f"reboot-{number}")
            if status >= 400 and status != 409:
                raise Failed(f"the reboot of {number}: {status} {text}")
        if number % 4 == 1:
            status, text = customer.ask("DELETE", f"/servers/{server}/")
            if status not in (204, 404):
                raise Failed(f"the delete of {number}: {status} {text}")
            with self.lock:
                self.deleted += 1
        with self.lock:
            self.done += 1
        return customer.failures

    def await_status(self, customer, server, wanted):
        deadline = time.monotonic() + STALL_SECONDS
        while time.monotonic() < deadline:
            status, text = customer.ask("GET", f"/servers/{server}/")
            if status == 200 and json.loads(text)["status"] == wanted:
                return
            if status == 200 and json.loads(text)["status"] == "error":
                raise Failed(f"server {server} is in error: {text}")
            time.sleep(0.1)
        raise Failed(f"server {server} is not {wanted}")

    # What goes wrong

    def break_one(self, how, replica):
        me = self.replica_id(replica)
        had = int(self.database.value(f"SELECT COUNT(*) FROM duty WHERE replica_id = '{me}'"))
        began = time.monotonic()
        replica.kill() if how == "kill" else replica.signal(signal.SIGSTOP)
        self.until(f"what the service {replica.name} had is done by others", MOVE_SECONDS, lambda: self.database.value(
            f"SELECT COUNT(*) FROM duty WHERE replica_id = '{me}' OR expires_at <= vpsd_now()") == "0")
        self.moves.append((how, had, time.monotonic() - began))
        if how == "kill":
            replica.start()
        else:
            time.sleep(max(0, STOP_SECONDS - (time.monotonic() - began)))
            replica.signal(signal.SIGCONT)
            self.until(f"the service {replica.name} answers again", 20, replica.is_ready)

    def roll(self):
        for replica in self.replicas:
            replica.signal(signal.SIGTERM)
            self.until("no requests are wanted by a service that lives", 5, lambda: (
                replica.get("/readyz")[0], replica.get("/healthz")[0]) == (503, 200))
            replica.stop()
            replica.start()

    # What must be true

    def check(self, listeners):
        self.until("every operation ends", STALL_SECONDS, lambda: self.database.value(
            "SELECT COUNT(*) FROM operation WHERE finished_at IS NULL") == "0")
        rows = self.database.rows("SELECT uuid, status, erased_at IS NULL FROM server")
        if len(rows) != self.count:
            raise Failed(f"{len(rows)} servers were made of {self.count} orders")
        wrong = [row for row in rows if row[2] == "t" and row[1] != "active"]
        if wrong:
            raise Failed(f"servers are not active: {wrong}")
        alive = sorted(row[0] for row in rows if row[2] == "t")
        if len(alive) != self.count - self.deleted:
            raise Failed(f"{len(alive)} servers are left of {self.count}, of which {self.deleted} were deleted")
        machines = sorted(path.stem for path in self.machines())
        if machines != alive:
            raise Failed(f"machines and servers differ: {set(machines) ^ set(alive)}, {len(machines)} machines")
        self.check_ledger()
        last = int(self.database.value("SELECT MAX(id) FROM event"))
        self.until("all events come everywhere", 60, lambda: all(one.ids and one.ids[-1] == last for one in listeners))
        expected = [int(row[0]) for row in self.database.rows("SELECT id FROM event ORDER BY id")]
        for listener in listeners:
            if listener.faults or listener.ids != expected:
                raise Failed(f"events: {listener.faults[:5]}, {len(listener.ids)} of {len(expected)}")
        self.replicas[0].run("check")
        return len(expected)

    def check_ledger(self):
        """Each server was active, and has paid for the hour that it was made in, once."""
        paid = self.database.rows("SELECT server_id, COUNT(*) FROM ledger_entry WHERE reason = 'charge' GROUP BY server_id")
        if len(paid) != self.count or any(count != "1" for _, count in paid):
            raise Failed(f"{len(paid)} of {self.count} servers have paid: {[row for row in paid if row[1] != '1']}")
        if (rest := self.database.value("SELECT SUM(amount) FROM ledger_entry WHERE reason IN ('hold', 'release')")) != "0":
            raise Failed(f"of what was held {rest} is left")
        if (sums := self.database.rows("""
            SELECT account_id, SUM(amount), (SELECT balance FROM ledger_entry AS last WHERE last.account_id = ledger_entry.account_id
            ORDER BY id DESC LIMIT 1) FROM ledger_entry GROUP BY account_id""")) and any(row[1] != row[2] for row in sums):
            raise Failed(f"the balance is not the sum: {sums}")

    def machines(self):
        """Of the newest folder of each host."""
        hosts = collections.defaultdict(list)
        for folder in (self.folder / "shared").glob("**/simulated*"):
            number = folder.name.removeprefix("simulated").removeprefix("-")
            hosts[folder.parent].append((int(number or 0), folder))
        return [path for folders in hosts.values() for path in max(folders)[1].glob("machines/*.json")]

    def run(self):
        began = time.monotonic()
        self.start()
        started = time.monotonic() - began
        listeners = [Listener(replica, self.token) for replica in self.replicas]
        for listener in listeners:
            listener.start()
        failures = collections.Counter()
        with concurrent.futures.ThreadPoolExecutor(CLIENTS) as pool:
            orders = [pool.submit(self.order, number) for number in range(self.count)]
            try:
                self.disturb(orders)
            finally:
                for order in concurrent.futures.as_completed(orders):
                    failures += order.result()
        ordered = time.monotonic() - began
        events = self.check(listeners)
        for listener in listeners:
            listener.end()
        moves = ", ".join(f"{how} with {had} duties {seconds:.1f} s" for how, had, seconds in self.moves)
        print(f"{self.count} servers by {CLIENTS} clients through {len(NAMES)} services, {self.deleted} deleted, {events} "
              f"events in order on each: started {started:.0f} s, done {ordered:.0f} s, all "
              f"{time.monotonic() - began:.0f} s. {f'Moved after {moves}. ' if moves else ''}Asked again: "
              f"{dict(failures) or 'nothing'}")
        if self.rolling and failures:
            raise Failed("requests failed in a rolling restart")

    def disturb(self, orders):
        if self.rolling:
            return self.roll()
        for number in range(self.rounds):
            # Where there is still something under way.
            reached = self.count * (number + 1) // (self.rounds + 2)
            self.until("orders go on", STALL_SECONDS, lambda: self.done >= reached or any(
                order.done() and order.exception() for order in orders))
            how = ("kill", "stop")[number % 2]
            self.break_one(how, self.random.choice(self.replicas))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("vpsd")
    parser.add_argument("servers", type=int)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rolling", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="vpsd-replicas-") as name:
        folder = pathlib.Path(name)
        with Database(folder) as database:
            trial = Trial(arguments, folder, database)
            try:
                trial.run()
            except BaseException:
                for replica in trial.replicas:
                    if replica.log.exists():
                        print(f"--- {replica.name}\n{replica.log.read_text()[-2500:]}", file=sys.stderr)
                raise
            finally:
                with concurrent.futures.ThreadPoolExecutor(len(NAMES)) as pool:
                    list(pool.map(Replica.end, trial.replicas))


main()
