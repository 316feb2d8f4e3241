#!/usr/bin/env python3
"""Runs schemathesis over the service's own description of itself, against a service on simulated machines: thousands of
requests, right and wrong ones, and every answer must be one that is documented."""

import collections
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile

from service import Service

FOLDER = pathlib.Path(__file__).resolve().parent
SECONDS = 1200
# A run with fewer has met something that kept it from its work, such as a token that is not valid.
MINIMUM_CASES, MINIMUM_SUCCESSES = 2000, 400
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GK%s me@laptop"


def make_something(service):
    """Objects to read, change and delete."""
    for number in range(4):
        server = {"name": f"server-{number}", "plan_id": 3, "os_id": 3, "location": "us-west"}
        assert service.call("POST", "/servers/", server, Prefer="wait=30")[0] == 201
        key = {"name": f"key-{number}", "public_key": KEY % ("J" + "lmno"[number])}
        assert service.call("POST", "/ssh-keys/", key)[0] == 201
        token = {"name": f"token-{number}", "permissions": ["*:*"]}
        assert service.call("POST", "/tokens/", token)[0] == 201


def make_operators_things(service, token):
    """The same for an operator's program; what it changes of the catalogue is nothing that servers are made from."""
    makers = {
        "plans": {"name": "Spare", "vcpus": 1, "memory": 512, "storage": 5, "bandwidth": 1, "price_hourly": "0.001"},
        "operating-systems": {"name": "Spare", "family": "debian", "version": "1"},
        "locations": {"code": "spare", "name": "Spare", "country_code": "BG", "country_name": "Bulgaria"},
    }
    for path, body in makers.items():
        assert service.call("POST", f"/operator/{path}/", body, token)[0] == 201
    for number in range(3):
        account = {"email": f"customer-{number}@example.com", "credit": "100.00"}
        status, made = service.call("POST", "/operator/accounts/", account, token)
        assert status == 201
        server = {"account_id": made["id"], "name": f"other-{number}", "plan_id": 3, "os_id": 3, "location": "us-west"}
        assert service.call("POST", "/operator/servers/", server, token, Prefer="wait=30")[0] == 201


def report(counts):
    """How many answers there were of each status, and how many of them were good."""
    statuses, succeeded = collections.Counter(), collections.Counter()
    for name, count in counts.items():
        operation, status = name.rsplit(" ", 1)
        statuses[status] += count
        succeeded[operation] += count if status[0] == "2" else 0
    print("contract:", ", ".join(f"{count} of {status}" for status, count in sorted(statuses.items())))
    print("contract: never answered well:", ", ".join(sorted(+succeeded ^ succeeded.keys())) or "none")
    return sum(statuses.values()), sum(succeeded.values())


def main(vpsd, python, *arguments):
    with Service(vpsd) as service, tempfile.TemporaryDirectory() as folder:
        make_something(service)
        command = ["token", "create", "--name", "contract", "--operator", "--permission", "*:*"]
        token = re.search(r"vps_\S+", service.run(*command)).group()
        make_operators_things(service, token)
        _, me = service.call("GET", "/account/me/", token=token)
        counts_file = pathlib.Path(folder) / "counts.json"
        environment = os.environ | {
            "VPSD_TEST_TOKEN": token, "VPSD_TEST_TOKEN_ID": str(me["token"]["id"]),
            "VPSD_TEST_COUNTS": str(counts_file), "NO_PROXY": "*", "PYTHONPATH": str(FOLDER),
            "PYTHONDONTWRITEBYTECODE": "1", "HYPOTHESIS_STORAGE_DIRECTORY": folder}
        ran = subprocess.run(
            [os.path.abspath(python), "-m", "schemathesis.cli", "run", service.url + "/api/v1/openapi.json", *arguments],
            cwd=FOLDER, env=environment, timeout=SECONDS)
        errors = service.log.read_text()
        if errors or not service.is_running():
            print("contract: the service wrote:\n" + errors)
            return False
        cases, successes = report(json.loads(counts_file.read_text()))
        if cases < MINIMUM_CASES or successes < MINIMUM_SUCCESSES:
            print(f"contract: {cases} cases and {successes} good answers are too few")
            return False
    return ran.returncode == 0


if __name__ == "__main__":
    sys.exit(0 if main(*sys.argv[1:]) else 1)
