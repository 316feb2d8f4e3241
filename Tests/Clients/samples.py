#!/usr/bin/env python3
"""Runs every sample of docs/api/servers-api.bg.txt with the client it is written for, against a service on simulated machines;
then the module for WHMCS makes its calls, and then every sample of the service's own page at /docs.

A sample of the document runs as it is written, but for host, token and the id of the server. After its last line it is made to
say what it was answered: the body as it understood it, and the status. Those are held against the document's own reply and
status. A sample of the page runs as it is.
"""

import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

import page_samples
import whmcs
from service import Service

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
DOCUMENT = ROOT / "docs" / "api" / "servers-api.bg.txt"
PLACEHOLDERS = {"https://admin.vps.org": "url", "YOUR_API_TOKEN": "token", "12345": "server"}
METHODS = {"ПОЛУЧИ": "GET", "ПУБЛИКАЦИЯ": "POST", "ПУТ": "PUT", "ПАТЧ": "PATCH", "ИЗТРИВАНЕ": "DELETE"}
SAMPLE, REPLY, STATUSES = "Примерна заявка", "Примерен отговор", "Кодове за състояние на отговора"
# How a sample of each language begins.
BEGINNINGS = {"cURL": r"curl ", "Python": r"import requests$", "JavaScript": r"const ", "PHP": r"\$"}
SECONDS = 60


class Endpoint:
    def __init__(self, method, path):
        self.method, self.path = method, path
        self.samples, self.reply, self.status = {}, None, None

    @property
    def name(self):
        return f"{self.method} {self.path.removeprefix('/api/v1')}"


def endpoints(text):
    """The endpoints of the document, with their samples in each language."""
    heading = re.compile(rf"^({'|'.join(METHODS)}) (/api/v1/\S+)$", re.M)
    parts = heading.split(text)[1:]
    found = []
    for method, path, section in zip(parts[::3], parts[1::3], parts[2::3]):
        endpoint = Endpoint(METHODS[method], path)
        programs, *rest = re.split(rf"^(?:{REPLY}|{STATUSES})$", section.split(SAMPLE, 1)[1], flags=re.M)
        endpoint.samples = samples(programs)
        reply = re.search(rf"^{REPLY}\n\n(\{{.*?^\}})$", section, re.M | re.S)
        endpoint.reply = reply and json.loads(reply.group(1))
        statuses = re.search(rf"^{STATUSES}\n\n(\d+) ", section, re.M)
        endpoint.status = int(statuses.group(1)) if statuses else 200
        found.append(endpoint)
    # What the document leaves out: the reply to a change is the server, as when it is read.
    detail = next(endpoint.reply for endpoint in found if endpoint.name == "GET /servers/{server_id}/")
    for endpoint in found:
        if endpoint.method in ("PUT", "PATCH"):
            endpoint.reply = detail
    return found


def samples(text):
    """First the languages, one a line, then a sample of each, in the same order."""
    lines = text.strip().split("\n")
    languages = []
    while lines[0] in BEGINNINGS:
        languages.append(lines.pop(0))
    found = {}
    for language, following in zip(languages, languages[1:] + [None]):
        assert re.match(BEGINNINGS[language], lines[0]), f"no sample in {language}: {lines[0]}"
        program = [lines.pop(0)]
        while lines and not (following and re.match(BEGINNINGS[following], lines[0])):
            program.append(lines.pop(0))
        found[language] = "\n".join(program).strip()
    return found


def command(language, program, python, folder):
    """How a sample is run, and made to say the body and the status on its last two lines."""
    if language == "cURL":
        return ["bash", "-c", program + " --silent --show-error --write-out '\\n%{http_code}\\n'"]
    if language == "Python":
        program += "\nprint(response.text)\nprint(response.status_code)\n"
        return [python, "-c", program]
    if language == "JavaScript":
        variable = re.search(r"const (\w+) = await response\.json\(\)", program).group(1)
        program += f"\nconsole.log(JSON.stringify({variable}));\nconsole.log(response.status);\n"
        file = folder / "sample.mjs"
        file.write_text(program)
        return ["node", str(file)]
    variable = re.search(r"\$(\w+) = json_decode", program).group(1)
    program = f"<?php\n{program}\n" + (
        f'echo json_encode(${variable}), "\\n", curl_getinfo($ch, CURLINFO_RESPONSE_CODE), "\\n";\n')
    file = folder / "sample.php"
    file.write_text(program)
    return ["php", "-d", "display_errors=stderr", "-d", "error_reporting=-1", str(file)]


def differences(reply, documented, place="$"):
    """What the documented reply has and this one has not, or has as another type."""
    if isinstance(documented, dict) and isinstance(reply, dict):
        for key, value in documented.items():
            if key not in reply:
                yield f"{place}.{key} is missing"
            else:
                yield from differences(reply[key], value, f"{place}.{key}")
    elif isinstance(documented, list) and isinstance(reply, list):
        if not reply:
            yield f"{place} is empty"
        for element in reply:
            yield from differences(element, documented[0], f"{place}[]")
    elif None not in (reply, documented) and kind(reply) != kind(documented):
        yield f"{place} is {kind(reply)} and not {kind(documented)}"


def kind(value):
    # 23.5 and 0 are both numbers of JSON.
    return "number" if type(value) in (int, float) else type(value).__name__


class Samples:
    def __init__(self, service, python, folder):
        self._service, self._python, self._folder = service, python, folder

    def new_server(self):
        body = {"name": "web-server-01", "plan_id": 1, "os_id": 3, "location": "us-west"}
        status, server = self._service.call("POST", "/servers/", body, Prefer="wait=30")
        assert status == 201, server
        deadline = time.monotonic() + SECONDS
        while server["status"] != "active":
            assert server["status"] == "provisioning" and time.monotonic() < deadline, server
            time.sleep(0.05)
            server = self._service.call("GET", f"/servers/{server['id']}/")[1]
        return server["id"]

    def prepare(self, endpoint, server):
        """Brings the server to where the sample makes sense."""
        wanted = {"start": "stopped", "stop": "active", "reboot": "active"}.get(endpoint.path.rstrip("/").split("/")[-1])
        deadline = time.monotonic() + SECONDS
        while wanted and time.monotonic() < deadline:
            _, read = self._service.call("GET", f"/servers/{server}/")
            if read["status"] == wanted:
                return
            if read["status"] in ("active", "stopped"):
                action = {"stopped": "stop", "active": "start"}[wanted]
                self._service.call("POST", f"/servers/{server}/{action}/", Prefer="wait=30")
            time.sleep(0.05)
        assert not wanted, f"the server did not become {wanted}"

    def run(self, endpoint, language, server):
        """What is wrong with the outcome."""
        program = endpoint.samples[language]
        for placeholder, name in PLACEHOLDERS.items():
            values = {"url": self._service.url, "token": self._service.token, "server": str(server)}
            program = program.replace(placeholder, values[name])
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._folder), "NO_PROXY": "*"}
        ran = subprocess.run(
            command(language, program, self._python, self._folder), capture_output=True, text=True, env=environment,
            timeout=SECONDS)
        if ran.returncode != 0 or ran.stderr:
            return [f"exit {ran.returncode}: {ran.stderr.strip() or ran.stdout.strip()}"]
        *_, body, status = ["", *ran.stdout.rstrip("\n").split("\n")]
        if status != str(endpoint.status):
            return [f"{status} and not {endpoint.status}: {body}"]
        if endpoint.status == 204:
            return [] if body in ("", "204") else [f"a body: {body}"]
        return list(differences(json.loads(body), endpoint.reply))


def run_document(samples):
    """How many samples ran, and how many of them failed."""
    documented = endpoints(DOCUMENT.read_text())
    assert len(documented) == 9, f"the document has 9 endpoints, {len(documented)} were found"
    failures = count = 0
    server = samples.new_server()
    for endpoint in documented:
        for language in endpoint.samples:
            used = samples.new_server() if endpoint.method == "DELETE" else server
            samples.prepare(endpoint, used)
            wrong = samples.run(endpoint, language, used)
            count += 1
            failures += bool(wrong)
            print(f"{'FAILED' if wrong else 'ok':7} {endpoint.status} {endpoint.name:34} {language}", flush=True)
            for line in wrong:
                print(f"        {line}")
    return count, failures


def main(vpsd, python):
    with Service(vpsd) as service, tempfile.TemporaryDirectory() as folder:
        samples = Samples(service, python, pathlib.Path(folder))
        count, failures = run_document(samples)
        print(f"samples: {count} of the document run as documented, {failures} failed")
        print(f"samples: the module for WHMCS made {whmcs.run(service)} calls")
        pages_count, pages_failures = page_samples.run(service, python, pathlib.Path(folder))
        print(f"samples: {pages_count} of the page run, {pages_failures} failed")
    return failures + pages_failures == 0


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1], sys.argv[2]) else 1)
