#!/usr/bin/env python3
"""Three services on one PostgreSQL with a standby, which share simulated hosts, with clocks that are minutes apart. Customers order
through all of them while one trouble after the other befalls a service, its way to the database, or the database. After each nothing
is lost or doubled, all ends, events come in order everywhere; what a service had is done by another within ten seconds. What is
printed is how long each trouble was felt.

usage: replicas.py VPSD [--rounds N] [--seed N] [--only TROUBLE | --rolling]

Without a number of rounds there is one of each trouble. Links are cut where this is run as root."""

import argparse
import collections
import concurrent.futures
import os
import pathlib
import queue
import random
import signal
import statistics
import sys
import tempfile
import threading
import time

from customers import STALL_SECONDS, Customer, Listener
from installation import Failed, Network, Replica
from postgresql import PostgreSQL

# Of the machines, and so of each service by itself, in seconds.
CLOCKS = {"one": 0, "two": 300, "three": -300}
HOSTS = 3
MOVE_SECONDS = 10
# The same where the machine has too much else to do; it does not have that each time.
LATEST_MOVE_SECONDS = 60
# What a service is stopped for: longer than it is waited for.
STOP_SECONDS = 8
SERVER_AWAY_SECONDS = 3
PROMOTION_SECONDS = 2
# Between two orders of one customer, of whom each service has one.
PACE_SECONDS = 0.4
FOLLOWERS = 6


class Orders:
    """Servers are ordered of each service, and followed until they are active; some are restarted, and half of them deleted."""

    def __init__(self, replicas, token, first_number, is_rolling):
        self._replicas, self._token, self._is_rolling = replicas, token, is_rolling
        self._number, self._lock = first_number, threading.Lock()
        self._queue = queue.Queue()
        self._is_over = threading.Event()
        self.answers, self.deleted, self.failures, self.failure = [], 0, collections.Counter(), None
        self._customers = [self._begin(self._order, at) for at in range(len(replicas))]
        self._followers = [self._begin(self._follow, at) for at in range(FOLLOWERS)]

    def end(self):
        """Returns once all that was ordered is done, with the number of orders."""
        self._is_over.set()
        self._join(self._customers)
        for _ in self._followers:
            self._queue.put(None)
        self._join(self._followers)
        return len(self.answers)

    def _begin(self, work, at):
        def run():
            try:
                work(Customer(self._replicas, self._token, at, self._is_rolling))
            except BaseException as failure:
                self.failure = failure
        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        return thread

    def _join(self, threads):
        while any(thread.is_alive() for thread in threads):
            if self.failure:
                raise self.failure
            time.sleep(0.02)
        if self.failure:
            raise self.failure

    def are_answered_by_all(self, since):
        return {replica.name for began, _, replica in list(self.answers) if began >= since} == {
            replica.name for replica in self._replicas}

    def longest_silence(self, since):
        """For how long no create was answered, in seconds."""
        answered = [since, *sorted(at for _, at, _ in self.answers if at > since)]
        return max((after - before for before, after in zip(answered, answered[1:])), default=0)

    def slowest(self, since):
        return max((at - began for began, at, _ in self.answers if at > since), default=0)

    def _order(self, customer):
        while not self._is_over.is_set():
            with self._lock:
                number = self._number
                self._number += 1
            began = time.monotonic()
            server, replica = customer.create(f"server-{number}")
            self.answers.append((began, time.monotonic(), replica))
            self._queue.put((number, server))
            self._is_over.wait(PACE_SECONDS)
        self._note(customer)

    def _follow(self, customer):
        while order := self._queue.get():
            number, server = order
            customer.await_status(server, "active")
            if number % 3 == 0:
                customer.restart(server)
            if number % 2 == 0:
                customer.delete(server)
                with self._lock:
                    self.deleted += 1
        self._note(customer)

    def _note(self, customer):
        with self._lock:
            self.failures += customer.failures


class Trial:
    def __init__(self, arguments, folder, database, network):
        self.random = random.Random(arguments.seed)
        self.database, self.folder, self.network, self.rolling = database, folder, network, arguments.rolling
        vpsd = str(pathlib.Path(arguments.vpsd).resolve())
        # Long enough for a busy machine to be seen in between.
        settings = {"VPSD_DRAIN_SECONDS": "6" if self.rolling else "0"}
        self.replicas = [
            Replica(name, number, vpsd, folder, database.url, network, clock, HOSTS, settings)
            for number, (name, clock) in enumerate(CLOCKS.items(), 1)]
        self.ordered = self.deleted = self.events = 0
        self.failures = collections.Counter()
        self.orders = None
        # Of each trouble: how long no create was answered, the slowest one, when all answered again, when what it had was taken over.
        self.felt = collections.defaultdict(list)
        self.troubles = {
            "kill a service": self.kill, "stop a service": self.stop, "cut a service off": self.cut_off,
            "turn a clock": self.turn_clock, "kill the database": self.kill_database,
            "kill a process of it": self.kill_process, "stop the database": self.stop_database, "fail over": self.fail_over,
            "fail over in silence": self.fail_over_in_silence}
        if arguments.only:
            self.troubles = {arguments.only: self.troubles[arguments.only]}
        elif not network:
            del self.troubles["cut a service off"], self.troubles["fail over in silence"]
            print("replicas: no link is cut, which only root can")

    def start(self):
        first = self.replicas[0]
        first.start()
        self.token = first.token
        first.run("credit", "add", "admin@localhost", "1000000")
        for other in self.replicas[1:]:
            other.take_key(first)
            other.start()
        self.await_shares()
        self.listeners = [Listener(replica, self.token) for replica in self.replicas]
        for listener in self.listeners:
            listener.start()

    def await_shares(self):
        self.until("all services have a share", STALL_SECONDS, lambda: self.database.value(
            "SELECT COUNT(DISTINCT replica_id) FROM duty WHERE expires_at > vpsd_now()") == str(len(self.replicas)))

    def until(self, what, seconds, is_true):
        deadline = time.monotonic() + seconds
        while not is_true():
            if self.orders and self.orders.failure:
                raise self.orders.failure
            if time.monotonic() > deadline:
                raise Failed(f"{what}: not within {seconds} s; duties: {self.database.rows('SELECT * FROM duty')}, "
                             f"services: {self.database.rows('SELECT * FROM replica')}")
            time.sleep(0.05)

    # What goes wrong. Each returns how long it took until others had what a service had, where one was hit.

    def kill(self):
        replica = self.random.choice(self.replicas)
        me = self.replica_id(replica)
        replica.kill()
        moved = self.await_move(replica, me)
        replica.start()
        return moved

    def stop(self):
        replica = self.random.choice(self.replicas)
        me = self.replica_id(replica)
        return self.hold(replica, me, lambda: replica.signal(signal.SIGSTOP), lambda: replica.signal(signal.SIGCONT))

    def cut_off(self):
        replica = self.random.choice(self.replicas)
        me = self.replica_id(replica)
        return self.hold(
            replica, me, lambda: self.network.set_link(replica.number, "down"),
            lambda: self.network.set_link(replica.number, "up"))

    def hold(self, replica, me, begin, end):
        began = time.monotonic()
        begin()
        try:
            moved = self.await_move(replica, me)
            time.sleep(max(0, STOP_SECONDS - (time.monotonic() - began)))
        finally:
            end()
        return moved

    def turn_clock(self):
        replica = self.random.choice(self.replicas)
        replica.clock.turn(self.random.choice([offset for offset in CLOCKS.values() if offset != replica.clock.offset]))
        # Until it is looked at again.
        time.sleep(2)

    def kill_database(self):
        self.database.primary.kill()
        time.sleep(SERVER_AWAY_SECONDS)
        self.database.primary.start()
        self.database.await_start()

    def kill_process(self):
        self.database.primary.kill_child(self.random)
        self.database.await_start()

    def stop_database(self):
        self.database.primary.signal(signal.SIGSTOP)
        try:
            time.sleep(STOP_SECONDS)
        finally:
            self.database.primary.signal(signal.SIGCONT)

    def fail_over(self):
        self.database.fail_over(PROMOTION_SECONDS)

    def fail_over_in_silence(self):
        """The machine of the primary is gone, and nobody tells its clients that it is."""
        self.network.set_address(self.database.primary.address, "del")
        self.database.fail_over(PROMOTION_SECONDS)

    def roll(self):
        for replica in self.replicas:
            replica.signal(signal.SIGTERM)
            self.until("no requests are wanted by a service that lives", 60, lambda: (
                replica.get("/readyz")[0], replica.get("/healthz")[0]) == (503, 200))
            replica.stop()
            replica.start()

    def replica_id(self, replica):
        return self.database.value(f"SELECT id FROM replica WHERE name LIKE '%:{replica.id}'")

    def await_move(self, replica, me):
        began = time.monotonic()
        self.until(f"what the service {replica.name} had is done by others", LATEST_MOVE_SECONDS, lambda: self.database.value(
            f"SELECT COUNT(*) FROM duty WHERE replica_id = '{me}' OR expires_at <= vpsd_now()") == "0")
        return time.monotonic() - began

    # What must be true

    def check(self):
        self.until("every operation ends", STALL_SECONDS, lambda: self.database.value(
            "SELECT COUNT(*) FROM operation WHERE finished_at IS NULL") == "0")
        rows = self.database.rows("SELECT uuid, status, erased_at IS NULL FROM server")
        if len(rows) != self.ordered:
            raise Failed(f"{len(rows)} servers were made of {self.ordered} orders")
        wrong = [row for row in rows if row[2] == "t" and row[1] != "active"]
        if wrong:
            raise Failed(f"servers are not active: {wrong}")
        alive = sorted(row[0] for row in rows if row[2] == "t")
        if len(alive) != self.ordered - self.deleted:
            raise Failed(f"{len(alive)} servers are left of {self.ordered}, of which {self.deleted} were deleted")
        machines = sorted(path.stem for path in self.machines())
        if machines != alive:
            raise Failed(f"machines and servers differ: {set(machines) ^ set(alive)}, {len(machines)} machines")
        self.check_ledger()
        self.check_events()
        self.replicas[0].run("check")

    def check_ledger(self):
        """Each server was active, and has paid for the hour that it was made in, once."""
        paid = self.database.rows("SELECT server_id, COUNT(*) FROM ledger_entry WHERE reason = 'charge' GROUP BY server_id")
        if len(paid) != self.ordered or any(count != "1" for _, count in paid):
            raise Failed(f"{len(paid)} of {self.ordered} servers have paid: {[row for row in paid if row[1] != '1']}")
        if (rest := self.database.value("SELECT SUM(amount) FROM ledger_entry WHERE reason IN ('hold', 'release')")) != "0":
            raise Failed(f"of what was held {rest} is left")
        if (sums := self.database.rows("""
            SELECT account_id, SUM(amount), (SELECT balance FROM ledger_entry AS last WHERE last.account_id = ledger_entry.account_id
            ORDER BY id DESC LIMIT 1) FROM ledger_entry GROUP BY account_id""")) and any(row[1] != row[2] for row in sums):
            raise Failed(f"the balance is not the sum: {sums}")

    def check_events(self):
        last = int(self.database.value("SELECT MAX(id) FROM event"))
        self.until("all events come everywhere", STALL_SECONDS, lambda: all(one.ids and one.ids[-1] == last for one in self.listeners))
        expected = [int(row[0]) for row in self.database.rows("SELECT id FROM event ORDER BY id")]
        for listener in self.listeners:
            if listener.faults or listener.ids != expected:
                raise Failed(f"events: {listener.faults[:5]}, {len(listener.ids)} of {len(expected)}")
        self.events = len(expected)

    def machines(self):
        """Of the newest folder of each host."""
        hosts = collections.defaultdict(list)
        for folder in (self.folder / "shared").glob("**/simulated*"):
            number = folder.name.removeprefix("simulated").removeprefix("-")
            hosts[folder.parent].append((int(number or 0), folder))
        return [path for folders in hosts.values() for path in max(folders)[1].glob("machines/*.json")]

    # In turn

    def round(self, name, befall):
        self.orders = orders = Orders(self.replicas, self.token, self.ordered, self.rolling)
        self.until("all services answer", STALL_SECONDS, lambda: orders.are_answered_by_all(0))
        time.sleep(self.random.uniform(0, 1))
        began = time.monotonic()
        moved = befall()
        over = time.monotonic()
        self.until("all services answer again", STALL_SECONDS, lambda: orders.are_answered_by_all(over))
        again = time.monotonic() - over
        self.ordered += orders.end()
        self.deleted += orders.deleted
        self.failures += orders.failures
        self.orders = None
        self.felt[name].append((orders.longest_silence(began), orders.slowest(began), again, moved))
        print(f"{name}: " + ", ".join("-" if one is None else f"{one:.1f}" for one in self.felt[name][-1]) + " s", flush=True)
        if name == "fail over in silence":
            self.network.set_address(self.database.standby.address, "add")
        if name.startswith("fail over"):
            self.database.make_standby()
        self.check()
        self.await_shares()

    def run(self, rounds):
        began = time.monotonic()
        self.start()
        for name in self.rounds(rounds):
            try:
                self.round(name, self.roll if self.rolling else self.troubles[name])
            except Failed as failure:
                raise Failed(f"to {name}, after {dict((name, len(felt)) for name, felt in self.felt.items())}: {failure}")
        for listener in self.listeners:
            listener.end()
        self.tell(time.monotonic() - began)
        if self.rolling and self.failures:
            raise Failed("requests failed in a rolling restart")
        moved = [felt[-1] for felts in self.felt.values() for felt in felts if felt[-1] is not None]
        if moved and statistics.median(moved) > MOVE_SECONDS:
            raise Failed(f"what a service had was mostly not done by another within {MOVE_SECONDS} s: {moved}")

    def rounds(self, number):
        if self.rolling:
            return ["roll"] * (number or 1)
        rounds = []
        while len(rounds) < (number or len(self.troubles)):
            rounds += self.random.sample(list(self.troubles), len(self.troubles))
        return rounds[:number or len(self.troubles)]

    def tell(self, seconds):
        print(f"{self.ordered} servers through {len(self.replicas)} services in {seconds:.0f} s, {self.deleted} deleted, "
              f"{self.events} events in order on each. Asked again: {dict(self.failures) or 'nothing'}")
        print("seconds, median and largest     rounds  no create answered  slowest create  all answer again  taken over")
        for name, felt in self.felt.items():
            cells = [self.cell(column) for column in zip(*felt)]
            print(f"{name:<32}{len(felt):>6}{cells[0]:>20}{cells[1]:>16}{cells[2]:>18}{cells[3]:>12}")

    @staticmethod
    def cell(seconds):
        found = [second for second in seconds if second is not None]
        return f"{statistics.median(found):.1f} {max(found):.1f}" if found else "-"


def main():
    # Whoever is told to end still ends what it began.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    parser = argparse.ArgumentParser()
    parser.add_argument("vpsd")
    parser.add_argument("--rounds", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only")
    parser.add_argument("--rolling", action="store_true")
    arguments = parser.parse_args()
    network = Network() if os.geteuid() == 0 else None
    with tempfile.TemporaryDirectory(prefix="vpsd-replicas-") as name:
        folder = pathlib.Path(name)
        with PostgreSQL(folder, Network.DATABASES if network else (None, None), has_standby=True) as database:
            trial = Trial(arguments, folder, database, network)
            try:
                trial.run(arguments.rounds)
            except BaseException:
                logs = {replica.name: replica.log.read_text() for replica in trial.replicas if replica.log.exists()}
                for name, text in (logs | database.logs()).items():
                    print(f"--- {name}\n{text[-2000:]}", file=sys.stderr)
                raise
            finally:
                with concurrent.futures.ThreadPoolExecutor(len(CLOCKS)) as pool:
                    list(pool.map(Replica.end, trial.replicas))
                if network:
                    network.end()


main()
