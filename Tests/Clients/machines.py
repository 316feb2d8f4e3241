#!/usr/bin/env python3
"""Two machines, each with a vpsd, a libvirtd and real servers of its own in a routed network, on one PostgreSQL. Whichever vpsd is asked,
the one on the server's machine does it: servers are ordered, reached from the world and from each other, guarded, given a password and
shown on their consoles. One vpsd is killed: its servers run on, and the other one says what it knows. In the end nothing is left.

usage: Tests/Hosts/network Tests/Clients/machines.py VPSD IMAGES

The first machine is the network that Tests/Hosts/network makes, and the world beyond its uplink is the router of both."""

import base64
import contextlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import time

from installation import Failed, Replica
from postgresql import PostgreSQL

ACTIVE_SECONDS = 600
AWAY_SECONDS = 180
LEFT_SECONDS = 180
WORLD = os.environ["VPSD_TEST_WORLD"]
POOLS = {"one": "203.0.113.0/26", "two": "203.0.113.64/26"}
LOCATIONS = {"one": "us-west", "two": "us-east"}
NETWORKS6 = {"one": "2001:db8:10::/56", "two": "2001:db8:11::/56"}


def run(*command, inside=(), check=True, **more):
    done = subprocess.run([*inside, *command], capture_output=True, text=True, **more)
    if check and done.returncode:
        raise Failed(f"{' '.join(command)}: {done.stdout}{done.stderr}")
    return done.stdout


class SecondMachine:
    """Its processes see their own links in /sys, and end with this one."""

    ADDRESS = "192.0.2.2"

    def __init__(self):
        self._holder = subprocess.Popen(
            ["unshare", "--net", "--mount", "sh", "-c",
             "umount --lazy --recursive /sys; mount -t sysfs sysfs /sys; ip link set lo up; echo; exec cat"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._holder.stdout.readline()
        process = f"/proc/{self._holder.pid}/ns"
        self.inside = ["nsenter", f"--net={process}/net", f"--mount={process}/mnt"]
        world = ["nsenter", f"--net={WORLD}"]
        run("ip", "link", "add", "up1", "type", "veth", "peer", "name", "up0", "netns", str(self._holder.pid), inside=world)
        for command in (
                "ip address add 192.0.2.1/30 dev up1", "ip address add 2001:db8:fffe::1/64 dev up1 nodad", "ip link set up1 up",
                f"ip route add {POOLS['two']} via {self.ADDRESS}", f"ip route add {NETWORKS6['two']} via 2001:db8:fffe::2",
                "sysctl -q -w net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1"):
            run(*command.split(), inside=world)
        for command in (
                f"ip address add {self.ADDRESS}/30 dev up0", "ip address add 2001:db8:fffe::2/64 dev up0 nodad",
                "ip link set up0 up", "ip route add default via 192.0.2.1", "ip route add default via 2001:db8:fffe::1"):
            run(*command.split(), inside=self.inside)

    def end(self):
        self._holder.communicate()


class Machine(Replica):
    def __init__(self, name, number, vpsd, images, folder, database, inside, host):
        locations = "".join(
            f"  {LOCATIONS[one]}: {{address_pool: [{POOLS[one]}], address_pool6: {NETWORKS6[one]}}}\n" for one in POOLS)
        super().__init__(name, number, vpsd, folder, database, None, None, None, {
            "VPSD_DRIVER": "libvirt", "VPSD_NETWORK": "routed", "VPSD_HOST_NAME": name, "VPSD_HOST_LOCATION": LOCATIONS[name],
            "VPSD_HOST_URL": f"http://{host}:8080", "VPSD_LISTEN": f"{host}:8080", "VPSD_IMAGE_DIR": images,
            "VPSD_IMAGE_DOWNLOADS": "off", "VPSD_NAMESERVERS": "192.0.2.80"},
            configuration=f"locations:\n{locations}")
        self.host, self.port, self.inside = host, 8080, inside

    def ask(self, method, path, body=None):
        with contextlib.closing(self.connection(60)) as connection:
            connection.request(
                method, "/api/v1" + path, None if body is None else json.dumps(body),
                {"Authorization": f"Bearer {self.bearer}", "Content-Type": "application/json"})
            reply = connection.getresponse()
            text = reply.read()
        return reply.status, json.loads(text) if text else None

    def must(self, method, path, body=None):
        status, reply = self.ask(method, path, body)
        if status >= 300:
            raise Failed(f"{self.name}: {method} {path}: {status} {reply}")
        return reply


class Trial:
    def __init__(self, vpsd, images, folder, database, second):
        self.folder = folder
        self.one = Machine("one", 1, vpsd, images, folder, database, [], "198.51.100.2")
        self.two = Machine("two", 2, vpsd, images, folder, database, second.inside, second.ADDRESS)
        self.machines = [self.one, self.two]
        self.key = folder / "key"
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(self.key))

    def until(self, what, seconds, is_true):
        deadline = time.monotonic() + seconds
        while not (result := is_true()):
            if time.monotonic() > deadline:
                raise Failed(f"{what}: not within {seconds} s")
            time.sleep(0.2)
        return result

    def login(self, address, command="true", check=True, inside=("nsenter", f"--net={WORLD}")):
        return run(
            "ssh", "-i", str(self.key), "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
            "-o", "LogLevel=ERROR", "-o", "ConnectTimeout=60", f"root@{address}", command, inside=inside, check=check).strip()

    def is_open(self, address):
        return subprocess.run(
            ["nsenter", f"--net={WORLD}", "timeout", "4", "bash", "-c", f"exec 3<>/dev/tcp/{address}/22"],
            capture_output=True).returncode == 0

    def run(self):
        one, two = self.machines
        one.start()
        one.run("credit", "add", "admin@localhost", "1000")
        two.take_key(one)
        two.start()
        for machine in self.machines:
            machine.bearer = one.token
        key = one.must("POST", "/ssh-keys/", {"name": "test", "public_key": self.key.with_suffix(".pub").read_text()})["id"]
        began = time.monotonic()
        # Each is ordered of the service that has not its machine.
        servers = {}
        for name, asked in (("two", one), ("one", two)):
            servers[name] = asked.must("POST", "/servers/", {
                "name": name, "plan_id": 3, "os_id": 3, "location": LOCATIONS[name], "ssh_key_id": key})["id"]
        views = {name: self.until(f"{name} is active", ACTIVE_SECONDS, lambda: self.active(one, server))
                 for name, server in servers.items()}
        addresses = {name: view["ip_address"] for name, view in views.items()}
        for name, view in views.items():
            for address in (view["ip_address"], view["ipv6_address"]):
                if (said := self.login(address, "hostname")) != name:
                    raise Failed(f"{name} at {address} says that it is {said}")
        print(f"a server on each machine, ordered of the other one, and logins from the world: {time.monotonic() - began:.0f} s")
        self.look_across(addresses)
        self.leave_to_the_other(servers["two"], addresses["two"])
        self.survive(servers, addresses)
        self.leave_nothing(servers, addresses)

    @staticmethod
    def active(machine, server):
        view = machine.must("GET", f"/servers/{server}/")
        if view["status"] == "error":
            raise Failed(f"{view}")
        return view if view["status"] == "active" else None

    def look_across(self, addresses):
        """From a guest on one machine to a guest on the other."""
        knock = f"timeout 60 bash -c 'exec 3<>/dev/tcp/{addresses['two']}/22 && read -t 50 line <&3 && echo ${{line:0:4}}'"
        if (said := self.login(addresses["one"], knock)) != "SSH-":
            raise Failed(f"the server on the other machine says {said!r}")

    def leave_to_the_other(self, server, address):
        """What only the service on the server's machine can do, asked of the other one."""
        one = self.one
        password = self.until("the guest takes a password", ACTIVE_SECONDS, lambda: self.password(one, server))
        shadow = self.login(address, "grep ^root: /etc/shadow").split(":")[1]
        salt = shadow.rsplit("$", 1)[0]
        if run("perl", "-e", "print crypt($ARGV[0], $ARGV[1])", password, salt) != shadow:
            raise Failed("the password is not the one that was shown")
        console = one.must("POST", f"/servers/{server}/console/")
        if not console["websocket_url"].startswith(f"ws://{self.two.host}:8080/"):
            raise Failed(f"the console is at {console['websocket_url']}")
        if (screen := self.first_words(self.two.host, console["ticket"])) != b"RFB 003.008\n":
            raise Failed(f"the console says {screen!r}")
        one.must("PUT", f"/servers/{server}/firewall/", {"enabled": True, "rules": []})
        self.until("the firewall holds", 120, lambda: not self.is_open(address))
        one.must("PUT", f"/servers/{server}/firewall/", {"enabled": False, "rules": []})
        self.until("the firewall is gone", 120, lambda: self.is_open(address))

    @staticmethod
    def password(machine, server):
        """None while the guest's agent has not started."""
        status, reply = machine.ask("POST", f"/servers/{server}/reset-password/")
        if status not in (200, 503):
            raise Failed(f"a password is refused: {status} {reply}")
        return reply.get("password")

    @staticmethod
    def first_words(host, ticket):
        """Of the machine on a console's WebSocket."""
        key = base64.b64encode(os.urandom(16)).decode()
        with socket.create_connection((host, 8080), 60) as connection:
            connection.sendall((
                f"GET /console/websocket HTTP/1.1\r\nHost: {host}:8080\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
                f"Sec-WebSocket-Protocol: binary, ticket.{ticket}\r\n\r\n").encode())
            received = b""
            while b"RFB" not in received or not received.endswith(b"\n"):
                more = connection.recv(4096)
                if not more:
                    return received
                received += more
            return received.split(b"\r\n\r\n", 1)[1][2:]

    def survive(self, servers, addresses):
        one, two = self.machines
        two.kill()
        began = time.monotonic()
        self.until("its servers say so", AWAY_SECONDS, lambda: one.must("GET", f"/servers/{servers['two']}/")["status_reason"])
        print(f"its servers have said after {time.monotonic() - began:.0f} s that their host does not answer")
        if self.login(addresses["two"], "hostname") != "two":
            raise Failed("the server has not run on")
        one.must("POST", f"/servers/{servers['two']}/reboot/")
        if one.must("GET", f"/servers/{servers['one']}/")["status_reason"] is not None:
            raise Failed("a server of the other machine is said to be unreachable")
        before = self.login(addresses["two"], "cat /proc/sys/kernel/random/boot_id")
        two.start()
        self.until("what was asked for is done", ACTIVE_SECONDS, lambda: self.active(one, servers["two"]))
        if self.login(addresses["two"], "cat /proc/sys/kernel/random/boot_id") == before:
            raise Failed("the server was not restarted")
        if one.must("GET", f"/servers/{servers['two']}/")["status_reason"] is not None:
            raise Failed("the host answers, and its server says that it does not")
        for machine in self.machines:
            machine.run("check")

    def leave_nothing(self, servers, addresses):
        one, two = self.machines
        # Again of the other one.
        one.must("DELETE", f"/servers/{servers['two']}/")
        two.must("DELETE", f"/servers/{servers['one']}/")
        for machine in self.machines:
            self.until(f"nothing of it is left on the machine {machine.name}", LEFT_SECONDS, lambda: addresses[
                machine.name] not in run("ip", "route", inside=machine.inside))
            machine.run("shutdown", "--servers")
            machine.run("network", "off")
        if (hosts := one.run("host", "remove", "two")) != "The host two is removed.\n":
            raise Failed(hosts)


def main(vpsd, images):
    with tempfile.TemporaryDirectory(prefix="vpsd-machines-") as name:
        folder = pathlib.Path(name)
        second = SecondMachine()
        with PostgreSQL(folder) as database:
            trial = Trial(vpsd, images, folder, database.url, second)
            try:
                trial.run()
            except BaseException:
                for machine in trial.machines:
                    print(f"-- {machine.name}\n{machine.log.read_text()[-6000:] if machine.log.exists() else ''}", file=sys.stderr)
                raise
            finally:
                for machine in trial.machines:
                    machine.end()
        second.end()
    print("two machines on one database: all is well")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*map(os.path.abspath, sys.argv[1:]))
