"""A server of PostgreSQL of its own and, where it is wanted, a standby that has all that was answered, in a folder, as long as it
is wanted."""

import glob
import os
import pathlib
import random
import shutil
import signal
import subprocess
import time

START_SECONDS = 180
PORTS = (5432, 5433)


class Server:
    """One of the two, of whose processes none is left when it is killed."""

    def __init__(self, programs, folder, port, address, settings):
        self.port, self.address, self.data = port, address, folder / f"data-{port}"
        self._programs, self._folder = programs, folder
        self._settings = [*settings, f"listen_addresses={address or ''}"]
        self._process = None

    def start(self):
        arguments = [argument for setting in self._settings for argument in ("-c", setting)]
        with open(self._folder / f"log-{self.port}", "a") as log:
            self._process = subprocess.Popen(
                self._programs.command("postgres", "-D", self.data, "-k", self._folder, "-p", self.port, *arguments),
                cwd=self._folder, stdout=log, stderr=log)

    def end(self):
        if self._process and self._process.poll() is None:
            self.signal(signal.SIGCONT)
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait()

    def kill(self):
        """As a power cut would, but for what the kernel has yet to write."""
        self.signal(signal.SIGSTOP)
        self.signal(signal.SIGKILL)
        self._process.wait()

    def signal(self, number):
        # First the one that would make new ones.
        for process in [self._process.pid, *self._children()]:
            with_none_left(lambda: os.kill(process, number))

    def log(self):
        path = self._folder / f"log-{self.port}"
        return path.read_text() if path.exists() else ""

    def processor_seconds(self):
        """Of all its processes, those that have ended too."""
        return processor_seconds(self._process.pid, with_ended=True) + sum(map(processor_seconds, self._children()))

    def kill_child(self, chance):
        """The server then ends all its processes, and begins anew with what is on its disk."""
        os.kill(chance.choice(self._children()), signal.SIGKILL)

    def _children(self):
        text = pathlib.Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text()
        return [int(word) for word in text.split()]


class Programs:
    """PostgreSQL's own, which refuse to be root."""

    def __init__(self, folder):
        found = glob.glob("/usr/lib/postgresql/*/bin")
        if not found:
            raise SystemExit("PostgreSQL is missing (Debian's package postgresql)")
        self._folder, self._path = folder, max(found, key=lambda path: int(path.split("/")[-2]))
        self._user = []
        if os.geteuid() == 0:
            shutil.chown(folder, "nobody")
            folder.parent.chmod(0o755)
            self._user = ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"]

    def command(self, program, *arguments):
        return [*self._user, f"{self._path}/{program}", *map(str, arguments)]

    def run(self, program, *arguments):
        return subprocess.run(
            self.command(program, *arguments), cwd=self._folder, check=True, capture_output=True, text=True).stdout


class PostgreSQL:
    """With addresses it is reached over TCP from the networks beside them, without by sockets in its folder. Fast is whose disk writes
    the kernel may put off: nothing of it outlives the kernel anyway."""

    def __init__(self, folder, addresses=(None, None), has_standby=False, is_fast=True):
        self._folder = folder / "postgresql"
        self._folder.mkdir(mode=0o700)
        self._programs = Programs(self._folder)
        self._has_standby = has_standby
        settings = ["max_connections=100", "wal_retrieve_retry_interval=500ms", *(["fsync=off"] if is_fast else [])]
        self.primary, self.standby = (
            Server(self._programs, self._folder, port, address, settings) for port, address in zip(PORTS, addresses))
        self.url = self.url_of("vpsd")

    def __enter__(self):
        server = self.primary
        self._programs.run("initdb", "-D", server.data, "-U", "vpsd", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        if server.address:
            network = server.address.rsplit(".", 2)[0] + ".0.0/16"
            with open(server.data / "pg_hba.conf", "a") as rules:
                rules.write(f"host all all {network} trust\n")
        server.start()
        self._await("SELECT 1")
        self._sql("CREATE DATABASE vpsd")
        if self._has_standby:
            self.make_standby()
        return self

    def __exit__(self, *_):
        for server in (self.standby, self.primary):
            server.end()

    @property
    def host(self):
        return self.primary.address or str(self._folder)

    @property
    def environment(self):
        """For PostgreSQL's programs that are told no server."""
        return {"PGHOST": self.host, "PGPORT": str(self.primary.port), "PGUSER": "vpsd"}

    def url_of(self, database):
        servers = (self.primary, self.standby) if self._has_standby else (self.primary,)
        hosts = ",".join(server.address or str(self._folder) for server in servers)
        return f"postgresql://vpsd@/{database}?host={hosts}&port={','.join(str(server.port) for server in servers)}"

    def logs(self):
        return {f"PostgreSQL at {server.port}": server.log() for server in (self.primary, self.standby)}

    def processor_seconds(self):
        return self.primary.processor_seconds()

    def rows(self, sql):
        return [line.split("\t") for line in self._sql(sql, "vpsd").splitlines()]

    def value(self, sql):
        return self.rows(sql)[0][0]

    def make_standby(self):
        """What the primary answers from then on, both have."""
        shutil.rmtree(self.standby.data, ignore_errors=True)
        self._programs.run(
            "pg_basebackup", "-D", self.standby.data, "-h", self._folder, "-p", self.primary.port, "-U", "vpsd",
            "--checkpoint=fast", "--no-sync", "--write-recovery-conf")
        self.standby.start()
        self._await("SELECT 1 FROM pg_stat_replication WHERE state = 'streaming'")
        self._wait_for_standby("*")
        self._await("SELECT 1 FROM pg_stat_replication WHERE sync_state = 'sync'")

    def fail_over(self, after_seconds):
        """The primary is gone for good, and the standby takes its place after so long."""
        self.primary.kill()
        time.sleep(after_seconds)
        self._programs.run("pg_ctl", "promote", "-D", self.standby.data, "-w")
        self.primary, self.standby = self.standby, self.primary

    def await_start(self):
        self._await("SELECT 1")

    def _wait_for_standby(self, names):
        self._sql(f"ALTER SYSTEM SET synchronous_standby_names = '{names}'")
        self._sql("SELECT pg_reload_conf()")

    def _sql(self, sql, database="postgres"):
        return self._programs.run(
            "psql", "-h", self._folder, "-p", self.primary.port, "-U", "vpsd", "-AtX", "-F", "\t", "-c", sql, database)

    def _await(self, sql):
        """Until it has an answer."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                if self._sql(sql).strip():
                    return
                complaint = f"no row of {sql}"
            except subprocess.CalledProcessError as error:
                complaint = error.stderr
            if time.monotonic() > deadline:
                raise SystemExit(f"PostgreSQL: {complaint}")
            time.sleep(0.05)


def processor_seconds(process, with_ended=False):
    """Of a process, and of its children that have ended where they are wanted too."""
    try:
        words = pathlib.Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return sum(map(int, words[11:15 if with_ended else 13])) / os.sysconf("SC_CLK_TCK")


def with_none_left(call):
    try:
        call()
    except ProcessLookupError:
        pass
