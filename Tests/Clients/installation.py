"""Several services of one installation, each with a clock of its own and, where whoever runs this may make any, with a network of its
own that leads to the database by a link which can be cut."""

import contextlib
import ctypes
import glob
import http.client
import os
import pathlib
import shutil
import signal
import subprocess
import time

from service import free_port

NEW_NETWORK = 0x40000000
START_SECONDS = 180


class Failed(SystemExit):
    pass


class Network:
    """From here on this process is in a network of its own, in which both servers of the database have an address. Each service has a
    network too, with two links to this one: one to the database, and one for its clients. Nothing of it is left when this process
    ends."""

    DATABASES = ("10.77.0.1", "10.77.0.2")

    def __init__(self):
        if ctypes.CDLL(None, use_errno=True).unshare(NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "no network of its own can be made")
        self._holders = []
        self._run("ip", "link", "set", "lo", "up")
        for address in self.DATABASES:
            self.set_address(address, "add")

    def join(self, number):
        """A network with that number: how a program is started in it, and its address for clients."""
        # It lasts as long as a program that does nothing, which does not outlive this one.
        holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE)
        self._holders.append(holder)
        while os.readlink(f"/proc/{holder.pid}/ns/net") == os.readlink("/proc/self/ns/net"):
            time.sleep(0.005)
        inside = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
        self._run(*inside, "ip", "link", "set", "lo", "up")
        for name, network in (("database", f"10.77.{number}"), ("clients", f"10.77.{100 + number}")):
            self._run("ip", "link", "add", f"{name}{number}", "type", "veth", "peer", "name", name, "netns", str(holder.pid))
            self._run("ip", "address", "add", f"{network}.1/30", "dev", f"{name}{number}")
            self._run(*inside, "ip", "address", "add", f"{network}.2/30", "dev", name)
            self._run("ip", "link", "set", f"{name}{number}", "up")
            self._run(*inside, "ip", "link", "set", name, "up")
        self._run(*inside, "ip", "route", "add", "10.77.0.0/24", "via", f"10.77.{number}.1")
        return inside, f"10.77.{100 + number}.2"

    def set_link(self, number, state):
        """Packets of a link that is down are swallowed without a word."""
        self._run("ip", "link", "set", f"database{number}", state)

    def set_address(self, address, what):
        """Without its address nothing that a server says is heard, nor that it is gone: as that of a machine without power."""
        self._run("ip", "address", what, f"{address}/32", "dev", "lo")

    def end(self):
        for holder in self._holders:
            holder.communicate()

    @staticmethod
    def _run(*command):
        subprocess.run(command, check=True, capture_output=True)


class Clock:
    """Another time of day, which can be changed; how long anything takes is measured as ever (see billing.py)."""

    def __init__(self, offset, folder, timers):
        libraries = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if not libraries or not shutil.which("faketime"):
            raise Failed("replicas: faketime is missing (Debian's package faketime)")
        if not timers.exists():
            subprocess.run(
                ["clang", "-shared", "-fPIC", "-o", timers, pathlib.Path(__file__).with_name("timers.c")], check=True)
        real = {"DONT_FAKE_MONOTONIC": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
        # What its processes share lives as long as a program that does nothing.
        self._process = subprocess.Popen(
            ["faketime", "-f", "+0", "/bin/sh", "-c", "env; echo; exec cat"], env=os.environ | real, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        lines = [line.rstrip("\n").split("=", 1) for line in iter(self._process.stdout.readline, "\n")]
        self._file = folder / "clock"
        self.environment = real | {line[0]: line[1] for line in lines if line[0] == "FAKETIME_SHARED"} | {
            "FAKETIME_TIMESTAMP_FILE": str(self._file), "FAKETIME_CACHE_DURATION": "1",
            "LD_PRELOAD": f"{timers}:{libraries[0]}"}
        self.turn(offset)

    def turn(self, offset):
        self.offset = offset
        new = self._file.with_suffix(".new")
        new.write_text(f"{offset:+d}s\n")
        new.replace(self._file)

    def end(self):
        self._process.communicate()


class Replica:
    """One of the services. What `settings` say goes before what is said here."""

    def __init__(self, name, number, vpsd, folder, database_url, network, clock_offset, hosts, settings, configuration=None):
        self.name, self.number = name, number
        self._vpsd = vpsd
        self._folder = folder / name
        self._folder.mkdir()
        self.inside, self.host, self.port = [], "127.0.0.1", 8080
        if network:
            self.inside, self.host = network.join(number)
        else:
            self.port = free_port()
        file = self._folder / "vpsd.yaml"
        file.write_text(configuration or f"locations:\n  us-west: {{driver: simulated, hosts: {hosts}}}\n")
        self._arguments = ["--config", str(file)]
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("VPSD_")} | {
            "VPSD_DRIVER": "simulated", "VPSD_DATA_DIR": str(self.data),
            "VPSD_LISTEN": f"{self.host}:{self.port}", "VPSD_DATABASE": database_url,
            "VPSD_SIMULATED_DIR": "none" if configuration else str(folder / "shared"), "VPSD_LOG_LEVEL": "notice",
            "VPSD_RATE_LIMIT": "0",
            "VPSD_SERVER_QUOTA": "0", "VPSD_IDEMPOTENCY_QUOTA": "0",
        } | settings
        self.clock = None if clock_offset is None else Clock(clock_offset, self._folder, folder / "timers.so")
        self.log = self._folder / "log"
        self._process = None

    @property
    def data(self):
        return self._folder / "data"

    @property
    def token(self):
        return (self.data / "token").read_text().strip()

    def take_key(self, other):
        self.data.mkdir(mode=0o700)
        key = self.data / "secret.key"
        shutil.copyfile(other.data / "secret.key", key)
        key.chmod(0o600)

    def start(self):
        with open(self._folder / "banner", "w") as output, open(self.log, "a") as errors:
            self._process = subprocess.Popen(
                [*self.inside, self._vpsd, "serve", *self._arguments],
                env=self.environment | (self.clock.environment if self.clock else {}), stdout=output, stderr=errors)
        deadline = time.monotonic() + START_SECONDS
        while not self.is_ready():
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"the service {self.name} did not start (status {self._process.poll()}):\n{self.log.read_text()}")
            time.sleep(0.05)

    def is_ready(self):
        with contextlib.suppress(OSError, http.client.HTTPException):
            return self.get("/readyz")[0] == 200
        return False

    def get(self, path):
        with contextlib.closing(self.connection(5)) as connection:
            connection.request("GET", path)
            reply = connection.getresponse()
            return reply.status, reply.read()

    def connection(self, patience_seconds):
        return http.client.HTTPConnection(self.host, self.port, timeout=patience_seconds)

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
        try:
            self.stop()
        finally:
            if self.clock:
                self.clock.end()

    def stop(self):
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(180)
        except subprocess.TimeoutExpired:
            self.kill()
            raise Failed(f"the service {self.name} did not end within three minutes:\n{self.log.read_text()[-3000:]}")

    def run(self, *arguments):
        """An operator's command, on the machine of this service."""
        done = subprocess.run(
            [*self.inside, self._vpsd, *arguments, *self._arguments], env=self.environment, capture_output=True, text=True)
        if done.returncode:
            raise Failed(f"vpsd {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout
