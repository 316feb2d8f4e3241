#!/usr/bin/env python3
"""Servers from templates, while whatever works on them is killed or the disk is full: each becomes active and takes a login, and
nothing is left.

usage: instant.py VPSD [--postgresql]

Where the database is on the same disk, which is the default, nothing is told of a server while that is full; with PostgreSQL, which is
elsewhere, it is in error by then. With real machines, from the image debian-12 in VPSD_IMAGE_DIR, on a host that a script of Tests/Hosts makes: on its loopback, or on its
uplink, with a libvirtd of our own or with the host's. Needs root. The service makes templates while the host is idle: it is waited for.
"""

import contextlib
import ctypes
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time

from postgresql import PostgreSQL
from service import Service

WORLD = os.environ.get("VPSD_TEST_WORLD")
IS_HOSTS_LIBVIRTD = os.environ.get("VPSD_LIBVIRTD") == "host"
NANO, NANO_STORAGE_GIB = 3, 5
TEMPLATE_SECONDS = 1800
SERVER_SECONDS = 600
FULL_SECONDS = 30
# By then a step has been given up.
ERROR_SECONDS = 120


def wait(what, seconds, is_so):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = is_so()
        if found:
            return found
        time.sleep(0.02)
    sys.exit(f"instant: not within {seconds} s: {what}")


def processes(*words):
    found = []
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if all(word in arguments for word in words):
            found.append(int(folder.name))
    return found


def end(*words):
    """Kills what has all these words in its command line, as soon as there is any."""
    for process in wait(f"a process with {words}", SERVER_SECONDS, lambda: processes(*words)):
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass


def end_libvirtd(data):
    if IS_HOSTS_LIBVIRTD:
        os.kill(int(pathlib.Path("/run/libvirt/libvirtd.pid").read_text()), signal.SIGKILL)
    else:
        end("libvirtd", str(data))


class Disk:
    """The file system of the data directory, in memory, which can be full."""

    ROOMY = 8 << 30
    REMOUNT = 32

    def __init__(self, path):
        self._path = path
        path.mkdir()
        self._mount(0, f"size={self.ROOMY},mode=0700")

    @contextlib.contextmanager
    def full(self):
        """Meanwhile whatever is freed is taken at once."""
        is_over = threading.Event()

        def fill():
            while not is_over.wait(0.005):
                with contextlib.suppress(OSError):
                    status = os.statvfs(self._path)
                    if status.f_bfree:
                        self._mount(self.REMOUNT, f"size={(status.f_blocks - status.f_bfree) * status.f_frsize}")

        filler = threading.Thread(target=fill)
        filler.start()
        try:
            yield
        finally:
            is_over.set()
            filler.join()
            self._mount(self.REMOUNT, f"size={self.ROOMY}")

    def _mount(self, flags, options):
        if ctypes.CDLL(None, use_errno=True).mount(b"tmpfs", str(self._path).encode(), b"tmpfs", flags, options.encode()):
            raise OSError(ctypes.get_errno(), options)

    def end(self):
        subprocess.run(["umount", "--lazy", str(self._path)], check=True)


class Trial:
    def __init__(self, service, folder, disk):
        self.service, self.disk = service, disk
        self.link_locals = set()
        self.data = pathlib.Path(service._environment["VPSD_DATA_DIR"])
        self.key = pathlib.Path(folder) / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        public = self.key.with_suffix(".pub").read_text().strip()
        self.key_id = service.call("POST", "/ssh-keys/", {"name": "test", "public_key": public})[1]["id"]

    def names(self, suffix):
        folder = self.data / "templates"
        return [name for name in os.listdir(folder) if name.endswith(suffix)] if folder.exists() else []

    def templates(self):
        images = map(json.loads, self.service.run("image", "list", "--json").splitlines())
        return [template for image in images for template in image["templates"] if template["storage_gib"] == NANO_STORAGE_GIB]

    def await_template(self):
        wait("a template", TEMPLATE_SECONDS, lambda: (time.sleep(1), self.templates())[1])

    def making(self):
        """The service dies while it makes a template."""
        half = wait("a template in the making", TEMPLATE_SECONDS, lambda: self.names(".making"))[0]
        machine = half.removesuffix(".making")
        wait("its machine", 300, lambda: processes("qemu-system", machine))
        self.service.kill()
        assert processes("qemu-system", machine)
        self.service.start()
        wait("nothing of it", 120, lambda: half not in self.names(".making") and not processes("qemu-system", machine))

    def no_room_for_template(self):
        """The disk becomes full while the service makes a template: it is made when there is room."""
        half = wait("a template in the making", TEMPLATE_SECONDS, lambda: self.names(".making"))[0]
        machine = half.removesuffix(".making")
        wait("its machine", 300, lambda: processes("qemu-system", machine))
        with self.disk.full():
            wait("its end", SERVER_SECONDS, lambda: "a template could not be made" in self.service.log.read_text())
            assert not self.names(".making") and not processes("qemu-system", machine)
            assert not (self.data / "servers" / machine).exists()
        print(next(line for line in self.service.log.read_text().splitlines() if "a template could not be made" in line))
        self.await_template()

    def server(self, what, trouble, fails=False):
        self.await_template()
        begin = time.monotonic()
        server = self.service.call(
            "POST", "/servers/", {"name": "a", "plan_id": NANO, "os_id": 3, "location": "us-west", "ssh_key_id": self.key_id})[1]
        trouble(server)
        path = f"/servers/{server['id']}/"
        server = wait(f"an end of {what}", SERVER_SECONDS, lambda: self.settled(path))
        if fails:
            print(f"{what}: {server['status_reason']}", flush=True)
            assert server["status"] == "error" and server["status_reason"], server
            status, answer = self.service.call("POST", f"{path}start/")
            assert status == 200, answer
            server = wait(f"a start after {what}", SERVER_SECONDS, lambda: self.settled(path))
        assert server["status"] == "active", server
        options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes", "ConnectTimeout=60"]
        into = ["nsenter", f"--net={WORLD}"] if WORLD else []
        name, link_local = subprocess.run(
            [*into, "ssh", "-i", str(self.key), "-p", str(server["ssh_port"]), *(f"-o{option}" for option in options),
             f"root@{server['ip_address']}", "cat /etc/machine-id; sed -n 's/^\\(fe80[^ ]*\\).* eth0$/\\1/p' /proc/net/if_inet6"],
            check=True, capture_output=True, text=True).stdout.split()
        assert name == server["uuid"].replace("-", ""), name
        assert link_local not in self.link_locals, link_local
        self.link_locals.add(link_local)
        assert not (self.data / "servers" / server["uuid"] / "clone.json").exists()
        print(f"{what}: {'instant' if server['instant'] else 'booted'}, {time.monotonic() - begin:.1f} s", flush=True)
        self.service.call("DELETE", path)
        wait("nothing of it", 120, lambda: not (self.data / "servers" / server["uuid"]).exists())
        return server["instant"]

    def settled(self, path):
        status, server = self.service.call("GET", path)
        return server if status == 200 and server["status"] in ("active", "error") else None

    def has_no_server(self):
        """Besides the machine of a template that is being made, and the file that names the installation."""
        folders = set(os.listdir(self.data / "servers"))
        return folders <= {".installation", *(name.removesuffix(".making") for name in self.names(".making"))}

    def restart(self):
        self.service.kill()
        self.service.start()

    def disk_is_there(self, server):
        wait("its disk", 120, lambda: (self.data / "servers" / server["uuid"] / "clone.json").exists())
        self.restart()

    def no_room_for_memory(self, server, seconds):
        wait("its disk", 120, lambda: (self.data / "servers" / server["uuid"] / "clone.json").exists())
        self.no_room(seconds)

    def no_room_for_guest(self, server):
        wait("its QEMU", 120, lambda: processes("qemu-system", server["uuid"], "-incoming"))
        self.no_room(FULL_SECONDS)

    def no_room(self, seconds):
        with self.disk.full():
            time.sleep(seconds)

    def no_room_for_boot(self, server):
        """QEMU dies while the memory is loaded, and the disk is full when the machine boots instead."""
        end("qemu-system", server["uuid"], "-incoming")
        wait("its boot", 120, lambda: processes("qemu-system", server["uuid"]) and not processes("qemu-system", server["uuid"], "-incoming"))
        self.no_room(FULL_SECONDS)

    def memory_is_loaded(self, server):
        wait("its QEMU", 120, lambda: processes("qemu-system", server["uuid"], "-incoming"))
        self.restart()


def settings(folder):
    common = {
        "VPSD_DATA_DIR": f"{folder}/data", "VPSD_DRIVER": "libvirt", "VPSD_IMAGE_DIR": os.environ["VPSD_IMAGE_DIR"],
        "VPSD_INSTANT_TEMPLATES": "auto", "VPSD_INSTANT_STORAGE": "3", "VPSD_LOG_LEVEL": "warning",
        "VPSD_LIBVIRTD": "host" if IS_HOSTS_LIBVIRTD else "own"}
    if not WORLD:
        return common | {"VPSD_ADDRESS_POOL": "127.86.0.0/16"}
    return common | {
        "VPSD_NETWORK": "routed", "VPSD_ADDRESS_POOL": "203.0.113.0/26", "VPSD_ADDRESS_POOL6": "2001:db8:10::/56"}


def main():
    if os.environ.get("VPSD_TEST_MOUNTS") != "own":
        sys.exit("instant: what it mounts would be the whole machine's: run it below a script of Tests/Hosts")
    with contextlib.ExitStack() as stack:
        # Short, because unix sockets lie below it, and open to all, because QEMU is not root everywhere.
        folder = stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp"))
        os.chmod(folder, 0o755)
        disk = Disk(pathlib.Path(folder) / "data")
        stack.callback(disk.end)
        database = stack.enter_context(PostgreSQL(pathlib.Path(folder))) if "--postgresql" in sys.argv else None
        elsewhere = {"VPSD_DATABASE": database.url} if database else {}
        service = stack.enter_context(Service(sys.argv[1], settings=settings(folder) | elsewhere))
        try:
            trial = Trial(service, folder, disk)
            service.run("credit", "add", "admin@localhost", "1000")
            trial.making()
            print("the service dies while it makes a template: nothing is left", flush=True)
            trial.no_room_for_template()
            assert trial.server("no trouble", lambda server: None)
            trial.server("the service dies when the disk is there", trial.disk_is_there)
            trial.server("the service dies while the memory is loaded", trial.memory_is_loaded)
            trial.server("QEMU dies", lambda server: end("qemu-system", server["uuid"], "-incoming"))
            trial.server("libvirtd dies", lambda server: (
                wait("its QEMU", 120, lambda: processes("qemu-system", server["uuid"])), end_libvirtd(trial.data)))
            seconds = ERROR_SECONDS if database else FULL_SECONDS
            trial.server(
                "the disk is full when the server has its own", lambda server: trial.no_room_for_memory(server, seconds),
                fails=database is not None)
            trial.server("the disk is full while the memory is loaded", trial.no_room_for_guest)
            trial.server("the disk is full when the server boots instead", trial.no_room_for_boot)
            service.run("check")
            wait("nothing of a server", 120, trial.has_no_server)
        except BaseException:
            print(service.log.read_text()[-3000:])
            raise
        finally:
            service.run("shutdown", "--servers")


main()
