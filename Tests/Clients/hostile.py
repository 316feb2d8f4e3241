#!/usr/bin/env python3
"""What no client library sends: requests that break HTTP, and bodies that never end. Each is refused or cut off, and the
service goes on answering."""

import socket
import sys
import time

from service import Service

SECONDS = 60
# The service cuts nobody off meanwhile because time has passed.
PATIENCE = {f"VPSD_{name}_SECONDS": "600" for name in ("FIRST_REQUEST", "IDLE", "TRANSFER")}
IDLE_CONNECTIONS = 300


def cases(token):
    """What is sent, and the statuses that it may be answered with; None is a closed connection without an answer."""
    def request(line, *headers, body=b"", token=token):
        fields = [b"Host: localhost", b"Connection: close", *headers]
        if token:
            fields.append(b"Authorization: Bearer " + token.encode())
        return line + b" HTTP/1.1\r\n" + b"\r\n".join(fields) + b"\r\n\r\n" + body

    get, post, json = b"GET /api/v1/servers/", b"POST /api/v1/servers/", b"Content-Type: application/json"
    chunked = b"Transfer-Encoding: chunked"
    large = b"10000\r\n" + b" " * 0x10000 + b"\r\n"
    return {
        "a right request": (request(get), {200}),
        "a header of 20 KB": (request(get, b"X-Large: " + b"a" * 20_000), {400, 431}),
        "headers of 40 KB in all": (request(get, *(b"X-%d: %s" % (n, b"a" * 800) for n in range(50))), {400, 431}),
        "200 headers": (request(get, *(b"X-%d: a" % n for n in range(200))), {400, 431}),
        "a path of 100 KB": (request(b"GET /" + b"a" * 100_000), {400, 414}),
        "a query of 15 KB": (request(get + b"?name=" + b"a" * 15_000), {200, 400, 414}),
        "no HTTP at all": (b"\x16\x03\x01\x02\x00\x01\x00\r\n\r\n", {400, None}),
        "HTTP/0.9": (b"GET /healthz\r\n\r\n", {400, None}),
        "a NUL in the path": (request(b"GET /api/v1/servers/\x00/"), {400}),
        "a broken escape in the path": (request(b"GET /api/v1/servers/%zz%ff/"), {400, 404}),
        "a path that climbs": (request(b"GET /api/v1/../../etc/passwd"), {404}),
        "bytes that are no UTF-8 in a header": (request(get, b"Idempotency-Key: \xff\xfe"), {200, 400}),
        "a header that is folded": (request(get, b"X-Folded: a\r\n b"), {200, 400}),
        "a length that is no number": (request(post, json, b"Content-Length: x"), {400}),
        "a negative length": (request(post, json, b"Content-Length: -1"), {400}),
        "a length beyond all numbers": (request(post, json, b"Content-Length: " + b"9" * 30), {400, 413}),
        "two lengths": (request(post, json, b"Content-Length: 2", b"Content-Length: 3", body=b"{} "), {400}),
        "a length and chunks": (request(post, json, b"Content-Length: 2", chunked, body=b"0\r\n\r\n"), {400}),
        "chunks that are none": (request(post, json, chunked, body=b"ZZ\r\n{}\r\n"), {400}),
        "chunks of 2 MiB": (request(post, json, chunked, body=large * 32 + b"0\r\n\r\n"), {413, None}),
        "2 MiB, announced": (request(post, json, b"Content-Length: 2097152", body=b" " * 2_097_152), {413, None}),
        "2 MiB, without a token": (
            request(post, json, b"Content-Length: 2097152", body=b" " * 2_097_152, token=None), {401, None}),
        "a body in small chunks": (request(post, json, chunked, body=b"1\r\n{\r\n" + b"1\r\n}\r\n0\r\n\r\n"), {400}),
        "OPTIONS *": (request(b"OPTIONS *"), {404, 405}),
    }


def exchange(address, data):
    """The status of the answer; None where the connection ends without one."""
    with socket.create_connection(address, timeout=SECONDS) as connection:
        try:
            connection.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            # It was refused before all of it was sent; the answer may be there.
            pass
        answer = b""
        try:
            while b"\r\n" not in answer:
                part = connection.recv(4096)
                if not part:
                    return None
                answer += part
        except ConnectionResetError:
            return None
    return int(answer.split(b" ", 2)[1])


def main(vpsd):
    failures = 0
    with Service(vpsd, settings=PATIENCE) as service:
        host, port = service.url.removeprefix("http://").split(":")
        address = (host, int(port))
        for name, (data, expected) in cases(service.token).items():
            try:
                status = exchange(address, data)
            except TimeoutError:
                status = "nothing"
            if status not in expected:
                failures += 1
                print(f"FAILED  {name}: {status}, and not one of {expected}")
        # Bodies that are announced and never come, and connections that say nothing.
        # They come from several addresses: of one there may not be so many.
        open_connections = [
            socket.create_connection(address, timeout=SECONDS, source_address=(f"127.0.0.{2 + number % 3}", 0))
            for number in range(IDLE_CONNECTIONS)]
        for connection in open_connections[::2]:
            connection.sendall(
                b"POST /api/v1/servers/ HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                b"Authorization: Bearer " + service.token.encode() + b"\r\nContent-Length: 100\r\n\r\n{")
        started = time.monotonic()
        status, servers = service.call("GET", "/servers/")
        if (status, servers["count"]) != (200, 0) or time.monotonic() - started > SECONDS:
            failures += 1
            print(f"FAILED  beside {IDLE_CONNECTIONS} idle connections: {status} {servers}")
        for connection in open_connections:
            connection.close()
        if service.call("GET", "/servers/")[0] != 200 or not service.is_running():
            failures += 1
            print("FAILED  the service does not answer any more:\n" + service.log.read_text())
    print(f"hostile: {len(cases(''))} requests and {IDLE_CONNECTIONS} idle connections, {failures} failed")
    return failures == 0


if __name__ == "__main__":
    sys.exit(0 if main(sys.argv[1]) else 1)
