#!/usr/bin/env python3
"""Debian's nginx and Caddy before the service, with TLS and the configurations of packaging/proxies: the API, the panel, a stream of
events and the WebSocket of a console go through them, with links that lead back, and whose request it was is known.

usage: proxies.py VPSD"""

import base64
import contextlib
import http.client
import json
import os
import pathlib
import re
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from urllib.parse import urlsplit

from service import Service, free_port

CONFIGURATIONS = pathlib.Path(__file__).resolve().parents[2] / "packaging/proxies"
HOST = "vps.example.com"
# Nobody's whom the service believes, unlike the proxy's own 127.0.0.1.
CLIENT = "127.0.0.2"
SECONDS = 60


class TrustingService(Service):
    def start(self):
        self._environment |= {"VPSD_TRUSTED_PROXIES": "127.0.0.1"}
        super().start()


def replaced(text, *pairs):
    for old, new in pairs:
        assert old in text, f"{old} is not in the configuration any more"
        text = text.replace(old, new)
    return text


def nginx(folder, port, upstream, certificate, key):
    site = replaced(
        (CONFIGURATIONS / "nginx.conf").read_text(), ("127.0.0.1:8080", upstream), ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("    listen [::]:443 ssl;\n", ""), (f"/etc/letsencrypt/live/{HOST}/fullchain.pem", str(certificate)),
        (f"/etc/letsencrypt/live/{HOST}/privkey.pem", str(key)))
    paths = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    file = folder / "nginx.conf"
    file.write_text(
        f"daemon off;\nuser root;\npid {folder}/pid;\nerror_log {folder}/log;\nevents {{}}\nhttp {{\naccess_log off;\n{paths}{site}}}\n")
    return ["nginx", "-e", f"{folder}/log", "-c", str(file)]


def caddy(folder, port, upstream, certificate, key):
    site = replaced(
        (CONFIGURATIONS / "Caddyfile").read_text(), ("127.0.0.1:8080", upstream),
        (f"\n{HOST} {{\n", f"\nhttps://{HOST}:{port} {{\n\tbind 127.0.0.1\n\ttls {certificate} {key}\n"))
    file = folder / "Caddyfile"
    file.write_text("{\n\tadmin off\n\tauto_https disable_redirects\n}\n" + site)
    return ["caddy", "run", "--config", str(file), "--adapter", "caddyfile"]


@contextlib.contextmanager
def running(make, folder, service, certificate, key):
    folder.mkdir()
    port = free_port()
    command = make(folder, port, urlsplit(service.url).netloc, certificate, key)
    with open(folder / "output", "w") as output:
        process = subprocess.Popen(
            command, stdout=output, stderr=output, env=os.environ | {"HOME": str(folder), "XDG_DATA_HOME": str(folder)})
    try:
        deadline = time.monotonic() + SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit(f"{command[0]} does not listen: {(folder / 'output').read_text()}")
                time.sleep(0.05)
        yield port
    finally:
        process.terminate()
        process.wait(SECONDS)


class Client:
    def __init__(self, port, certificate, token):
        self.port, self.token = port, token
        self._context = ssl.create_default_context(cafile=certificate)

    @property
    def origin(self):
        return f"https://{HOST}:{self.port}"

    def socket(self):
        plain = socket.create_connection(("127.0.0.1", self.port), SECONDS, source_address=(CLIENT, 0))
        return self._context.wrap_socket(plain, server_hostname=HOST)

    def send(self, method, path, body=None, **headers):
        connection = http.client.HTTPConnection(HOST, self.port)
        connection.sock = self.socket()
        written = {"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"} | headers
        connection.request(
            method, path, None if body is None else json.dumps(body),
            {name: value for name, value in written.items() if value is not None})
        return connection.getresponse()

    def call(self, method, path, body=None, **headers):
        reply = self.send(method, "/api/v1" + path, body, **headers)
        text = reply.read()
        assert reply.status < 300, (path, reply.status, text)
        return json.loads(text) if text else None


def check_panel(client, service):
    link = urlsplit(re.search(r"http://\S+", service.run("account", "login-link", "admin@localhost")).group())
    form = client.send("GET", f"{link.path}?{link.query}" if link.query else link.path, Authorization=None)
    page = form.read().decode()
    cookie = (form.getheader("Set-Cookie") or "").split(";")
    if form.status == 200 and not cookie[0]:
        raise SystemExit(f"the link of the panel signs nobody in: {page[:500]}")
    assert form.status in (200, 302, 303), form.status
    assert any(part.strip() == "Secure" for part in cookie), f"the session's cookie goes over plain HTTP too: {cookie[1:]}"
    shown = client.send("GET", "/servers", Authorization=None, Cookie=cookie[0])
    assert shown.status == 200 and "through-proxy" in shown.read().decode(), shown.status


def check_events(client, server):
    stream = client.send("GET", "/api/v1/events/", Accept="text/event-stream")
    assert stream.status == 200, stream.status
    began = time.monotonic()
    client.call("POST", f"/servers/{server}/stop/")
    while b"server.status" not in (line := stream.fp.readline()):
        # What a proxy gathers comes after hours.
        assert line and time.monotonic() < began + SECONDS, "the stream told nothing"
    stream.close()


def check_console(client, server):
    console = client.call("POST", f"/servers/{server}/console/")
    assert console["url"].startswith(client.origin + "/console/"), console["url"]
    address = urlsplit(console["websocket_url"])
    assert (address.scheme, address.netloc) == ("wss", f"{HOST}:{client.port}"), address
    page = client.send("GET", "/console/", Authorization=None)
    assert page.status == 200 and b"<" in page.read(), page.status
    channel = client.socket()
    key = base64.b64encode(os.urandom(16)).decode()
    channel.sendall((
        f"GET {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\nOrigin: {client.origin}\r\n"
        f"Sec-WebSocket-Protocol: binary, ticket.{console['ticket']}\r\n\r\n").encode())
    received = b""
    while b"RFB 003.008\n" not in received:
        more = channel.recv(4096)
        assert more, f"the console ended: {received}"
        received += more
    assert received.startswith(b"HTTP/1.1 101 "), received
    # And back: a frame of a client is masked, here with zeros.
    channel.sendall(b"\x82\x8c\0\0\0\0RFB 003.008\n")
    received = received.split(b"RFB 003.008\n", 1)[1]
    while len(received) < 4:
        received += channel.recv(4096)
    # One kind of security, which is none.
    assert received[2:4] == b"\x01\x01", received
    channel.close()


def check(client, service):
    order = {"name": "through-proxy", "plan_id": 3, "os_id": 3, "location": "us-west"}
    server = client.call("POST", "/servers/", order, Prefer="wait=30", **{"X-Forwarded-For": "203.0.113.9"})["id"]
    deadline = time.monotonic() + SECONDS
    while client.call("GET", f"/servers/{server}/")["status"] != "active":
        assert time.monotonic() < deadline, "the server did not become active"
        time.sleep(0.1)
    check_panel(client, service)
    check_console(client, server)
    check_events(client, server)
    made = [json.loads(line) for line in service.run("audit", "--json", "--server", str(server)).splitlines()]
    origins = {row["origin"] for row in made if row["action"] == "server.create"}
    assert origins == {CLIENT}, f"the audit trail names {origins}"
    client.call("DELETE", f"/servers/{server}/")


def main(vpsd):
    with tempfile.TemporaryDirectory(prefix="vpsd-proxies-") as name, TrustingService(vpsd) as service:
        folder = pathlib.Path(name)
        certificate, key = folder / "certificate.pem", folder / "key.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
             f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}", "-keyout", key, "-out", certificate],
            check=True, capture_output=True)
        for make in (nginx, caddy):
            with running(make, folder / make.__name__, service, certificate, key) as port:
                check(Client(port, certificate, service.token), service)
    print("proxies: the API, the panel, events and a console go through nginx and Caddy")


if __name__ == "__main__":
    main(sys.argv[1])
