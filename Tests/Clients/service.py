"""A service of its own on simulated machines, on loopback, in a folder that is gone afterwards."""

import json
import os
import pathlib
import random
import re
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

START_SECONDS = 180
STOP_SECONDS = 180


def free_port():
    """One that nobody listens at, and that the kernel gives no client to connect from before somebody does."""
    first, last = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    for port in random.sample([port for port in range(5000, 65_000) if not first <= port <= last], 1000):
        try:
            socket.create_server(("127.0.0.1", port)).close()
            return port
        except OSError:
            continue
    raise SystemExit("there is no free port")


class Service:
    def __init__(self, vpsd, mails=False, names=False, settings=None):
        """With mails it knows where it is reached, and what it sends is in the file `mails`. With names its addresses have some, at a
        DNS server that never answers. Settings are of its environment."""
        self._vpsd = str(pathlib.Path(vpsd).resolve())
        self._sends_mails, self._names_addresses, self._settings = mails, names, settings or {}

    def __enter__(self):
        self._folder = tempfile.TemporaryDirectory(prefix="vpsd-clients-")
        folder = pathlib.Path(self._folder.name)
        self._environment = {name: value for name, value in os.environ.items() if not name.startswith("VPSD_")}
        self._environment |= {
            "VPSD_DRIVER": "simulated",
            "VPSD_DATA_DIR": str(folder / "data"),
            "VPSD_LISTEN": "127.0.0.1:0",
            "VPSD_LOG_LEVEL": "error",
            "VPSD_RATE_LIMIT": "0",
            "VPSD_LOGIN_FAILURES": "0",
            "VPSD_SERVER_QUOTA": "0",
            "VPSD_IDEMPOTENCY_QUOTA": "0",
            "VPSD_IDEMPOTENCY_BYTES": "268435456",
        } | self._settings
        self.mails = folder / "mails"
        if self._sends_mails:
            address = f"127.0.0.1:{free_port()}"
            self._environment |= {
                "VPSD_LISTEN": address,
                "VPSD_PUBLIC_URL": f"http://{address}",
                "VPSD_NOTIFY_COMMAND": f"/usr/bin/tee, -a, {self.mails}",
                "VPSD_NOTIFY_FROM": "noreply@example.com",
            }
        if self._names_addresses:
            key = folder / "key"
            key.write_text("key vpsd { algorithm hmac-sha256; secret \"c2VjcmV0\"; };\n")
            key.chmod(0o600)
            self._environment |= {
                "VPSD_RDNS_SERVER": "127.0.0.1:1", "VPSD_RDNS_KEY_FILE": str(key),
                "VPSD_RDNS_PATTERN": "<address>.vps.example.com", "VPSD_ADDRESS_POOL6": "2001:db8:10::/56",
            }
        self._banner = folder / "banner"
        self.log = folder / "log"
        try:
            self.start()
            self.token = (pathlib.Path(self._environment["VPSD_DATA_DIR"]) / "token").read_text().strip()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        with open(self._banner, "w") as output, open(self.log, "a") as errors:
            self._process = subprocess.Popen(
                [self._vpsd, "serve"], env=self._environment, stdout=output, stderr=errors)
        self.url = self._wait_for_url()

    def kill(self):
        """As a power cut would; `start` goes on with what is on the disk."""
        self._process.kill()
        self._process.wait()

    def stop(self):
        self._process.terminate()
        self._process.wait(STOP_SECONDS)

    def run(self, *arguments):
        """An operator's command, which must succeed."""
        done = subprocess.run([self._vpsd, *arguments], env=self._environment, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"vpsd {' '.join(arguments)}: {done.stdout}{done.stderr}")
        return done.stdout

    def __exit__(self, *_):
        self._process.terminate()
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def _wait_for_url(self):
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            found = re.search(r"vpsd listens on (http://[0-9.:]+)", self._banner.read_text())
            if found:
                return found.group(1)
            if self._process.poll() is not None:
                break
            time.sleep(0.005)
        raise SystemExit("The service did not start:\n" + self.log.read_text())

    def call(self, method, path, body=None, token=None, **headers):
        """The status and the body of one request."""
        request = urllib.request.Request(
            self.url + "/api/v1" + path, method=method, data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"Bearer {token or self.token}", "Content-Type": "application/json"} | headers)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(request, timeout=180) as reply:
                status, text = reply.status, reply.read()
        except urllib.error.HTTPError as error:
            status, text = error.code, error.read()
        return status, json.loads(text) if text else None

    @property
    def process_id(self):
        return self._process.pid

    def is_running(self):
        return self._process.poll() is None
