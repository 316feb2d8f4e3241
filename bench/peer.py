"""A server to be measured: started on loopback, and gone afterwards with all its processes."""

import os
import pathlib
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")


def process_ticks(root):
    """CPU of a process and of those that it has started."""
    children, ticks = {}, {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        process = int(folder.name)
        children.setdefault(int(fields[1]), []).append(process)
        ticks[process] = int(fields[11]) + int(fields[12])
    total, found = 0, [root]
    while found:
        process = found.pop()
        total += ticks.get(process, 0)
        found += children.get(process, [])
    return total


def resident_mib(process):
    text = pathlib.Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"VmRSS:\s+(\d+)", text).group(1)) / 1024


class Peer:
    def __init__(self, name, command, url, folder, environment=None):
        self.name, self.url = name, url
        self._command, self._environment = command, dict(os.environ, **(environment or {}))
        self._log = folder / f"{name.replace(' ', '-').replace('/', '-')}.log"

    def __enter__(self):
        self._process = subprocess.Popen(
            self._command, env=self._environment, stdout=open(self._log, "w"), stderr=subprocess.STDOUT,
            start_new_session=True)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        deadline = time.monotonic() + 30
        while True:
            try:
                direct.open(self.url + "/", timeout=5)
                return self
            except urllib.error.HTTPError:
                return self
            except OSError:
                if time.monotonic() > deadline or self._process.poll() is not None:
                    self.__exit__()
                    raise SystemExit(f"{self.name} does not start:\n{self._log.read_text()}")
                time.sleep(0.05)

    def __exit__(self, *_):
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    @property
    def process_id(self):
        return self._process.pid


class Load:
    """What wrk says of a while, and what it cost the server."""

    def __init__(self, process, url, seconds, connections=32, token=None, script=None):
        command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency"]
        command += ["-H", f"Authorization: Bearer {token}"] if token else []
        command += ["-s", str(script)] if script else []
        before, began = process_ticks(process), time.monotonic()
        said = subprocess.run(command + [url], capture_output=True, text=True, check=True).stdout
        ticks, took = process_ticks(process) - before, time.monotonic() - began
        if "Non-2xx" in said or "Socket errors" in said:
            raise SystemExit(f"bench: {url}: some requests failed:\n{said}")
        requests = int(re.search(r"(\d+) requests in", said).group(1))
        self.requests = requests
        self.per_second = float(re.search(r"Requests/sec:\s+([0-9.]+)", said).group(1))
        self.microseconds = ticks * 1e6 / TICKS_A_SECOND / requests
        self.processors = ticks / TICKS_A_SECOND / took
        value, unit = re.search(r"99%\s+([0-9.]+)(us|ms|s)", said).groups()
        self.slowest_ms = float(value) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
