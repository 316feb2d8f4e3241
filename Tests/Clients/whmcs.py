"""The module for WHMCS, run with Debian's PHP against a service on simulated machines: a service is sold, suspended, changed,
measured and ended, and each call is made twice, as a panel does that has lost an answer."""

import json
import os
import pathlib
import re
import subprocess
import time
import urllib.request

HARNESS = pathlib.Path(__file__).resolve().parent / "whmcs.php"
SECONDS = 60


class Panel:
    def __init__(self, service):
        self._service = service
        self.token = re.search(r"vps_\S+", service.run("token", "create", "--name", "whmcs", "--operator")).group()
        host, port = re.search(r"http://([^:/]+):(\d+)", service.url).groups()
        self.params = {
            "serverid": 3, "serverhostname": host, "serverport": port, "serversecure": "",
            "serveraccesshash": self.token + "\n", "serviceid": 42, "domain": "web.example.com",
            "clientsdetails": {"email": "ada@example.com", "firstname": "Ada", "lastname": "Lovelace", "companyname": ""},
            "configoption1": "3", "configoption2": "3", "configoption3": "us-west", "configoption4": "5.00",
            "suspendreason": "Overdue <b>", "packageid": 1,
        }

    def call(self, function, nextduedate="2026-02-01", **changes):
        given = json.dumps({"function": function, "params": self.params | changes, "nextduedate": nextduedate})
        ran = subprocess.run(
            ["php", "-d", "display_errors=stderr", "-d", "error_reporting=-1", str(HARNESS)], input=given,
            capture_output=True, text=True, timeout=SECONDS, env={"PATH": os.environ["PATH"], "NO_PROXY": "*"})
        assert ran.returncode == 0 and not ran.stderr, ran.stderr + ran.stdout
        return json.loads(ran.stdout)

    def read(self, path, method="GET", body=None):
        return self._service.call(method, "/operator/" + path, body, token=self.token)

    def status(self, wanted):
        """Waits until the server is so."""
        deadline = time.monotonic() + SECONDS
        while True:
            server = self.read("servers/?name=service-42")[1]["results"][0]
            if server["status"] == wanted:
                return server
            assert time.monotonic() < deadline, f"{server['status']} and not {wanted}"
            time.sleep(0.05)


def run(service):
    """How many calls there were; whatever is wrong ends it."""
    panel = Panel(service)
    calls = 0

    def call(function, expected="success", **arguments):
        nonlocal calls
        calls += 1
        reply = panel.call(function, **arguments)
        assert reply["result"] == expected, f"{function}: {reply}"
        return reply

    call("TestConnection", {"success": True, "error": ""})
    wrong = panel.call("TestConnection", serveraccesshash=service.token)["result"]
    assert not wrong["success"] and "--operator" in wrong["error"], wrong
    away = panel.call("TestConnection", serverport="1")["result"]
    assert not away["success"] and "does not answer" in away["error"], away

    made = call("CreateAccount")
    assert made["saved"]["Username"] == "root" and made["saved"]["Password"], made
    server = panel.status("active")
    assert server["hostname"] == "web.example.com" and server["account"]["email"] == "ada@example.com", server
    # Again: neither a second server nor a second account, nor the credit of this period.
    call("CreateAccount")
    _, accounts = panel.read("accounts/?email=ada@example.com")
    account = accounts["results"][0]
    assert accounts["count"] == 1 and 4.9 < account["balance"] <= 5, accounts
    assert panel.read(f"servers/?account_id={account['id']}")[1]["count"] == 1
    call("Renew", nextduedate="2026-03-01")
    call("Renew", nextduedate="2026-03-01")
    assert 9.9 < panel.read(f"accounts/{account['id']}/")[1]["balance"] <= 10

    for _ in range(2):
        call("SuspendAccount")
    panel.status("suspended")
    for _ in range(2):
        call("UnsuspendAccount")
    panel.status("active")

    for _ in range(2):
        call("ChangePackage", configoption1="1")
        deadline = time.monotonic() + SECONDS
        while panel.status("active")["plan"]["id"] != 1 and time.monotonic() < deadline:
            time.sleep(0.05)
    refused = panel.call("ChangePackage", configoption1="3")
    assert "smaller" in refused["result"] and refused["logged"][0][:2] == ["vpsd", "vpsd_ChangePackage"], refused

    updates = call("UsageUpdate", None)["updates"]
    assert len(updates) == 1, updates
    assert updates[0]["id"] == 42 and updates[0]["server"] == 3 and updates[0]["table"] == "tblhosting", updates
    assert updates[0]["disklimit"] == 80 * 1024 and updates[0]["bwlimit"] == 2048 * 1000, updates

    link = panel.call("ServiceSingleSignOn")["result"]
    assert link["success"] and link["redirectTo"].startswith(service.url + "/sign-in?link="), link
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    assert direct.open(link["redirectTo"], timeout=SECONDS).status == 200

    for _ in range(2):
        call("TerminateAccount")
    assert panel.read("servers/?name=service-42")[1]["count"] == 0
    gone = panel.call("SuspendAccount")["result"]
    assert gone == "There is no server service-42.", gone
    nobody = panel.call("CreateAccount", configoption1="999")["result"]
    assert "plan_id" in nobody and "999" in nobody, nobody
    return calls + 6
