#!/usr/bin/env python3
"""Servers from templates, while whatever works on them is killed: each becomes active and takes a login, and nothing is left.

usage: instant.py VPSD

With real machines, from the image debian-12 in VPSD_IMAGE_DIR; needs root. The service makes templates while the host is idle: it is
waited for.
"""

import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

from service import Service

NANO = 3
TEMPLATE_SECONDS = 1800
SERVER_SECONDS = 600


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


class Trial:
    def __init__(self, service, folder):
        self.service = service
        self.data = pathlib.Path(service._environment["VPSD_DATA_DIR"])
        self.key = pathlib.Path(folder) / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key)], check=True)
        public = self.key.with_suffix(".pub").read_text().strip()
        self.key_id = service.call("POST", "/ssh-keys/", {"name": "test", "public_key": public})[1]["id"]

    def names(self, suffix):
        folder = self.data / "templates"
        return [name for name in os.listdir(folder) if name.endswith(suffix)] if folder.exists() else []

    def templates(self):
        return [t for line in self.service.run("image", "list", "--json").splitlines() for t in json.loads(line)["templates"]]

    def await_template(self):
        wait("a template", TEMPLATE_SECONDS, lambda: (time.sleep(1), self.templates())[1])

    def making(self):
        """The service dies while it makes a template."""
        half = wait("a template in the making", TEMPLATE_SECONDS, lambda: self.names(".making"))[0]
        machine = half.removesuffix(".making")
        wait("its machine", 60, lambda: processes("qemu-system", machine))
        self.service.kill()
        assert processes("qemu-system", machine)
        self.service.start()
        wait("nothing of it", 120, lambda: half not in self.names(".making") and not processes("qemu-system", machine))

    def server(self, what, trouble):
        self.await_template()
        begin = time.monotonic()
        server = self.service.call(
            "POST", "/servers/", {"name": "a", "plan_id": NANO, "os_id": 3, "location": "us-west", "ssh_key_id": self.key_id})[1]
        trouble(server)
        path = f"/servers/{server['id']}/"
        server = wait(f"an end of {what}", SERVER_SECONDS, lambda: self.settled(path))
        assert server["status"] == "active", server
        options = ["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null", "LogLevel=ERROR", "BatchMode=yes", "ConnectTimeout=60"]
        name = subprocess.run(
            ["ssh", "-i", str(self.key), "-p", str(server["ssh_port"]), *(f"-o{option}" for option in options),
             f"root@{server['ip_address']}", "cat /etc/machine-id"], check=True, capture_output=True, text=True).stdout.strip()
        assert name == server["uuid"].replace("-", ""), name
        assert not (self.data / "servers" / server["uuid"] / "clone.json").exists()
        print(f"{what}: {'instant' if server['instant'] else 'booted'}, {time.monotonic() - begin:.1f} s", flush=True)
        self.service.call("DELETE", path)
        wait("nothing of it", 120, lambda: not (self.data / "servers" / server["uuid"]).exists())
        return server["instant"]

    def settled(self, path):
        status, server = self.service.call("GET", path)
        return server if status == 200 and server["status"] in ("active", "error") else None

    def restart(self):
        self.service.kill()
        self.service.start()

    def disk_is_there(self, server):
        wait("its disk", 120, lambda: (self.data / "servers" / server["uuid"] / "clone.json").exists())
        self.restart()

    def memory_is_loaded(self, server):
        wait("its QEMU", 120, lambda: processes("qemu-system", server["uuid"], "-incoming"))
        self.restart()


def main():
    settings = {
        "VPSD_DRIVER": "libvirt", "VPSD_IMAGE_DIR": os.environ["VPSD_IMAGE_DIR"], "VPSD_INSTANT_TEMPLATES": "auto",
        "VPSD_ADDRESS_POOL": "127.86.0.0/16"}
    with tempfile.TemporaryDirectory() as folder, Service(sys.argv[1], settings=settings) as service:
        try:
            trial = Trial(service, folder)
            service.run("credit", "add", "admin@localhost", "1000")
            trial.making()
            print("the service dies while it makes a template: nothing is left", flush=True)
            assert trial.server("no trouble", lambda server: None)
            trial.server("the service dies when the disk is there", trial.disk_is_there)
            trial.server("the service dies while the memory is loaded", trial.memory_is_loaded)
            trial.server("QEMU dies", lambda server: end("qemu-system", server["uuid"], "-incoming"))
            trial.server("libvirtd dies", lambda server: (
                wait("its QEMU", 120, lambda: processes("qemu-system", server["uuid"])), end("libvirtd", str(trial.data))))
            service.run("check")
            # The folder names its installation.
            left = [name for name in os.listdir(trial.data / "servers") if name != ".installation"]
            assert left == [], left
        except BaseException:
            print(service.log.read_text()[-3000:])
            raise
        finally:
            service.run("shutdown", "--servers")


main()
