#!/usr/bin/env python3
"""What docs/scale.md says of a server of PostgreSQL: the commands of its copies, as they stand there, and pgbouncer before it, in the
mode that it names and in those that it warns of.

usage: database.py VPSD"""

import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import time

from customers import Customer
from installation import Failed, Replica
from postgresql import PostgreSQL

PAGE = pathlib.Path(__file__).parents[2] / "docs/scale.md"
POOLER_PORT = 6432


class Pooler:
    """pgbouncer with what the page says of it, in another mode where one is named."""

    def __init__(self, folder, server, mode="session"):
        if not shutil.which("pgbouncer", path=os.environ["PATH"] + ":/usr/sbin"):
            raise Failed("database: pgbouncer is missing (Debian's package pgbouncer)")
        self._folder = folder / f"pooler-{mode}"
        self._folder.mkdir(mode=0o700)
        databases = re.search(r"^    (\[databases\]\n(?:    .+\n)+)", PAGE.read_text(), re.MULTILINE)[1]
        databases = databases.replace("db.example.com", server).replace("pool_mode=session", f"pool_mode={mode}")
        (self._folder / "users").write_text('"vpsd" ""\n')
        (self._folder / "pgbouncer.ini").write_text(f"""{databases}
[pgbouncer]
listen_port = {POOLER_PORT}
unix_socket_dir = {self._folder}
auth_type = trust
auth_file = {self._folder}/users
""")
        self._user = []
        if os.geteuid() == 0:
            for path in (self._folder, *self._folder.iterdir()):
                shutil.chown(path, "nobody")
            self._user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]
        self.url = f"postgresql://vpsd@/vpsd?host={self._folder}&port={POOLER_PORT}"

    def __enter__(self):
        with open(self._folder / "log", "a") as log:
            self._process = subprocess.Popen(
                [*self._user, "/usr/sbin/pgbouncer", self._folder / "pgbouncer.ini"], stdout=log, stderr=log)
        deadline = time.monotonic() + 120
        while not (self._folder / f".s.PGSQL.{POOLER_PORT}").exists():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"database: pgbouncer did not start: {(self._folder / 'log').read_text()}")
            time.sleep(0.05)
        return self

    def __exit__(self, *_):
        self._process.kill()
        self._process.wait()
        (self._folder / f".s.PGSQL.{POOLER_PORT}").unlink(missing_ok=True)


class Page:
    def __init__(self, vpsd, folder, database):
        self._vpsd, self._folder, self._database = vpsd, folder, database
        self._number = 0
        self._first = None

    def service(self, url):
        """They are of one installation, and one after the other."""
        self._number += 1
        service = Replica(
            f"service-{self._number}", self._number, self._vpsd, self._folder, url, None, None, 1, {"VPSD_SIMULATED_DIR": ""})
        if self._first:
            shutil.copytree(self._first.data, service.data)
        self._first = self._first or service
        return service

    def copies(self):
        """What was ordered before the copy is there in the restored database."""
        with started(self.service(self._database.url)) as service:
            first = order(service, "copied")
            self._run_commands(service)
        restored = self.service(self._database.url_of("vpsd_restored"))
        with started(restored):
            restored.run("check")
            second = Customer([restored], service.token, 0)
            status, text, _ = second.ask("GET", f"/servers/{first}/")
            if status != 200 or json.loads(text)["name"] != "copied":
                raise Failed(f"database: the server is not in the restored database: {status} {text}")
            order(restored, "after-it")
        print("database: a copy by pg_dump was restored by pg_restore, and served")

    def _run_commands(self, service):
        """Those of the page, on this server."""
        section = PAGE.read_text().split("## Copies of the state")[1].split("\n## ")[0]
        for command in re.findall(r"^    (.+)$", section, re.MULTILINE):
            for name in ("vpsd_restored", "vpsd"):
                command = command.replace(f"postgresql://vpsd@db.example.com/{name}", shlex.quote(self._database.url_of(name)))
            command = command.replace("/var/lib/vpsd", str(service.data))
            if command.startswith("install "):
                # Of the restored one, which has another folder.
                continue
            subprocess.run(
                ["bash", "-c", command], cwd=self._folder, check=True, env=os.environ | self._database.environment)

    def session_mode(self):
        with Pooler(self._folder, self._database.host) as pooler, started(self.service(pooler.url)) as service:
            order(service, "pooled")
            service.run("check")
            self._require_refused(self.service(self._database.url), "Another vpsd serves the database")
            pooler.__exit__()
            with pooler:
                order(service, "pooled-again")
        print("database: through pgbouncer in the mode session, which was killed and came back")

    def other_mode(self, mode, complaint):
        with Pooler(self._folder, self._database.host, mode) as pooler:
            self._require_refused(self.service(pooler.url), complaint)
        print(f"database: not through pgbouncer in the mode {mode}")

    @staticmethod
    def _require_refused(service, words):
        try:
            service.start()
        except Failed as failure:
            if words not in str(failure):
                raise
        else:
            raise Failed("database: it was started where it must not")
        finally:
            service.stop()


@contextlib.contextmanager
def started(service):
    try:
        service.start()
        yield service
    finally:
        service.stop()


def order(service, name):
    customer = Customer([service], service.token, 0)
    server, _ = customer.create(name)
    customer.await_status(server, "active")
    return server


def main(vpsd):
    with tempfile.TemporaryDirectory(prefix="vpsd-database-") as name:
        folder = pathlib.Path(name)
        with PostgreSQL(folder) as database:
            page = Page(str(pathlib.Path(vpsd).resolve()), folder, database)
            page.copies()
            page.session_mode()
            page.other_mode("transaction", "prepared statement")
            page.other_mode("statement", "statement pooling mode")


main(sys.argv[1])
