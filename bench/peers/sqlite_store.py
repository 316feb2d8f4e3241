"""Ten servers and a token in SQLite, for servers that are written in Python. Its file is $BENCH_DATABASE."""

import hashlib
import json
import os
import sqlite3
import threading

COLUMNS = "id, name, hostname, status, ip_address, location, plan, os, backups_enabled, created_at, updated_at, uuid"
_local = threading.local()


def connection():
    if not hasattr(_local, "connection"):
        _local.connection = sqlite3.connect(os.environ["BENCH_DATABASE"])
    return _local.connection


def fill(list_file, token):
    with connection() as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE token (hash TEXT PRIMARY KEY, account INTEGER)")
        database.execute(f"CREATE TABLE server ({COLUMNS}, account INTEGER, PRIMARY KEY (id))")
        database.execute("INSERT INTO token VALUES (?, 1)", [hashlib.sha256(token.encode()).hexdigest()])
        for server in json.load(open(list_file))["results"]:
            values = [server.get(name.strip()) for name in COLUMNS.split(",")]
            values = [json.dumps(value) if isinstance(value, dict) else value for value in values]
            database.execute(f"INSERT INTO server VALUES ({', '.join('?' * len(values))}, 1)", values)


def account(authorization):
    """Nil for a token that is not valid."""
    digest = hashlib.sha256(authorization.removeprefix("Bearer ").encode()).hexdigest()
    row = connection().execute("SELECT account FROM token WHERE hash = ?", [digest]).fetchone()
    return row and row[0]


def as_object(row):
    names = [name.strip() for name in COLUMNS.split(",")]
    server = dict(zip(names, row))
    return server | {"plan": json.loads(server["plan"]), "os": json.loads(server["os"])}


def one(account, number):
    return as_object(connection().execute(
        f"SELECT {COLUMNS} FROM server WHERE account = ? AND id = ?", [account, number]).fetchone())


def all_of(account):
    rows = connection().execute(
        f"SELECT {COLUMNS} FROM server WHERE account = ? ORDER BY id DESC LIMIT 10", [account]).fetchall()
    count = connection().execute("SELECT count(*) FROM server WHERE account = ?", [account]).fetchone()[0]
    return {"count": count, "next": None, "previous": None, "results": [as_object(row) for row in rows]}
