#!/usr/bin/env python3
"""Figures and logs for programs: servers are ordered and requests sent, and what is counted is what was done; a real Prometheus
(Debian's package prometheus) takes it in, and answers every query of packaging/monitoring.

usage: monitoring.py VPSD"""

import json
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.parse
import urllib.request

from service import Service

PACKAGING = pathlib.Path(__file__).resolve().parents[2] / "packaging/monitoring"
SERVERS = 5
READS = 40
MISSES = 3
# Of what nothing happened in this test, or not for long enough.
MAY_BE_EMPTY = re.compile(r"5\.\.|failed|_capacity_|\[3h\]|== 0|> ")


class WatchedService(Service):
    def start(self):
        self._environment |= {
            "VPSD_METRICS_LISTEN": "0", "VPSD_LOG_FORMAT": "json", "VPSD_LOG_LEVEL": "debug", "VPSD_CURRENCY": "EUR"}
        super().start()
        self.metrics = wait("the address of the metrics", lambda: re.search(
            r"http://127\.0\.0\.1:[0-9]+/metrics", self._banner.read_text())).group()


def wait(what, value):
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        try:
            if found := value():
                return found
        except OSError:
            pass
        time.sleep(0.05)
    raise SystemExit(f"monitoring: {what} did not come")


def get(url):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(url, timeout=120) as reply:
        return reply.read().decode()


def figures(text):
    """The value of each series, by its name with its labels."""
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
            for line in text.splitlines() if line and not line.startswith("#")}


def equal(found, wanted, what):
    assert found == wanted, f"{what}: {found}, and not {wanted}"


def order(service):
    order = {"plan_id": 3, "os_id": 3, "location": "us-west"}
    ids = []
    for number in range(SERVERS):
        status, reply = service.call("POST", "/servers/", order | {"name": f"server-{number}"})
        assert status == 201, reply
        ids.append(reply["id"])
    for id in ids:
        wait("an active server", lambda: service.call("GET", f"/servers/{id}/")[1]["status"] == "active")
    return ids


def check_figures(service, ids):
    before = figures(get(service.metrics))
    for _ in range(READS):
        assert service.call("GET", f"/servers/{ids[0]}/")[0] == 200
    for number in range(MISSES):
        # What somebody makes up is no label.
        assert service.call("GET", f"/nothing-{number}/")[0] == 404
    assert service.call("DELETE", f"/servers/{ids[-1]}/")[0] == 204
    # The database is asked once a second at most.
    wait("the end of a server", lambda: 'workflow="delete",outcome="succeeded"' in get(service.metrics)
         and (shown := figures(get(service.metrics)))['vpsd_servers{host="local",status="active"}'] == SERVERS - 1
         and shown['vpsd_servers{host="local",status="deleting"}'] == 0)
    text = get(service.metrics)
    now = figures(text)

    def grown(name):
        return now[name] - before.get(name, 0)

    route = 'method="GET",route="/api/v1/servers/{id}"'
    equal(grown(f'vpsd_http_requests_total{{{route},status="200"}}'), READS, "reads")
    equal(grown(f"vpsd_http_request_duration_seconds_count{{{route}}}"), READS, "their durations")
    equal(now[f'vpsd_http_request_duration_seconds_bucket{{{route},le="+Inf"}}'],
          now[f"vpsd_http_request_duration_seconds_count{{{route}}}"], "the last bucket")
    equal(grown('vpsd_http_requests_total{method="GET",route="none",status="404"}'), MISSES, "misses")
    equal(now['vpsd_http_requests_total{method="POST",route="/api/v1/servers",status="201"}'], SERVERS, "orders")
    equal(now['vpsd_operations_total{workflow="create",outcome="succeeded"}'], SERVERS, "creates")
    equal(now['vpsd_operations_total{workflow="delete",outcome="succeeded"}'], 1, "deletes")
    equal(now['vpsd_servers{host="local",status="active"}'], SERVERS - 1, "active servers")
    equal(now['vpsd_servers{host="local",status="error"}'], 0, "servers in error")
    equal(now['vpsd_operations_unfinished{host="local",state="queued"}'], 0, "the queue")
    equal(now['vpsd_host_up{host="local"}'], 1, "the host")
    # Of each server its address, its network; and of the one that is gone what they are called now.
    equal(now['vpsd_reverse_names_waiting{location="us-west"}'], 2 * SERVERS, "names")
    equal(now['vpsd_reverse_names_refused{location="us-west"}'], 0, "refused names")
    assert 0 < now['vpsd_reverse_name_oldest_wait_seconds{location="us-west"}'] < 600, now
    equal(now['vpsd_ledger_entries_total{reason="hold"}'], SERVERS, "holds")
    equal(now['vpsd_ledger_entries_total{reason="charge"}'], SERVERS, "first hours")
    taken = now['vpsd_ledger_amount_total{currency="EUR",direction="taken",reason="charge"}']
    assert abs(taken - SERVERS * 0.005) < 1e-9, taken
    plan = service.call("GET", "/plans/3/")[1]
    equal(now['vpsd_host_reserved_memory_bytes{host="local"}'], plan["memory"] * 2**20 * (SERVERS - 1), "memory")
    assert now["process_resident_memory_bytes"] > 1e6 and now["process_open_fds"] > 5
    service.run("account", "suspend", "admin@localhost")
    wait("the suspension", lambda: figures(get(service.metrics))['vpsd_accounts_suspended{cause="operator"}'] == 1)
    service.run("account", "resume", "admin@localhost")
    for word in ["server-0", "admin", "nothing-", service.token]:
        assert word not in text, f"{word} is told to whoever reads figures"
    checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    assert checked.returncode == 0 and not checked.stderr + checked.stdout, checked.stderr + checked.stdout
    return len(now)


def check_log(service, ids):
    records = [json.loads(line) for line in service.log.read_text().splitlines()]
    read = [one for one in records if one.get("path") == f"/api/v1/servers/{ids[0]}/" and one["method"] == "GET"]
    assert len(read) >= READS
    for one in read:
        assert one["server"] == str(ids[0]) and one["account"] == "1" and one["request"] and one["time"][-1] == "Z", one
    done = [one for one in records if one["message"] == "operation succeeded" and one["workflow"] == "create"]
    assert {one["server"] for one in done} == {str(id) for id in ids} and all(int(one["operation"]) for one in done)
    assert not [one for one in records if one["level"] in ("error", "critical")]
    return len(records)


def queries():
    found = re.findall(r"expr: (?:\|\n((?: {10,}.*\n)+)|(.+)\n)", (PACKAGING / "vpsd-rules.yml").read_text())
    rules = [" ".join((block or line).split()) for block, line in found]
    dashboard = json.loads((PACKAGING / "vpsd-dashboard.json").read_text())
    graphs = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(rules) > 5 and len(graphs) > 10
    return rules, [query.replace("$__rate_interval", "5s") for query in graphs]


def check_prometheus(service):
    subprocess.run(["promtool", "check", "rules", "--lint-fatal", PACKAGING / "vpsd-rules.yml"], check=True,
                   stdout=subprocess.DEVNULL)
    with tempfile.TemporaryDirectory(prefix="vpsd-clients-") as folder:
        folder = pathlib.Path(folder)
        target = urllib.parse.urlsplit(service.metrics).netloc
        configuration = (PACKAGING / "prometheus.yml").read_text().replace("15s", "500ms")
        configuration = configuration.replace("127.0.0.1:9109", target).replace(
            "vpsd-rules.yml", str(PACKAGING / "vpsd-rules.yml"))
        (folder / "prometheus.yml").write_text(configuration)
        with open(folder / "log", "w") as log:
            process = subprocess.Popen(
                ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
                 "--web.listen-address=127.0.0.1:0"], stdout=log, stderr=log)
        try:
            port = wait("Prometheus", lambda: re.search(
                r'Listening on.*address=127\.0\.0\.1:([0-9]+)', (folder / "log").read_text())).group(1)
            return ask(f"http://127.0.0.1:{port}/api/v1", service)
        finally:
            process.terminate()
            process.wait(30)


def ask(api, service):
    def query(text):
        reply = json.loads(get(f"{api}/query?query={urllib.parse.quote(text)}"))
        assert reply["status"] == "success", (text, reply)
        return reply["data"]["result"]

    wait("three looks", lambda: query('count_over_time(up{job="vpsd"}[1m]) >= 3'))
    # Something goes on while it looks.
    wait("a rate", lambda: service.call("GET", "/servers/") and query(
        'sum(rate(vpsd_http_requests_total{route="/api/v1/servers"}[5s])) > 0'))
    rules, graphs = queries()
    for text in rules + graphs:
        # Some ask for the last five seconds, in which a busy machine may have looked once only.
        if not query(text) and not MAY_BE_EMPTY.search(text):
            wait(f"an answer to {text}", lambda: query(text))
    loaded = json.loads(get(f"{api}/rules"))["data"]["groups"]
    known = [rule for group in loaded for rule in group["rules"]]
    assert len(known) == len(rules) and all(rule["health"] in ("ok", "unknown") for rule in known), known
    firing = [rule["name"] for rule in known if rule["state"] == "firing"]
    assert not firing, firing
    return len(rules) + len(graphs)


def main(vpsd):
    with WatchedService(vpsd, names=True) as service:
        ids = order(service)
        series = check_figures(service, ids)
        records = check_log(service, ids)
        answered = check_prometheus(service)
        print(f"monitoring: {series} series say what was done, Prometheus answers {answered} queries, "
              f"and each of {records} lines of the log is an object")


if __name__ == "__main__":
    main(sys.argv[1])
