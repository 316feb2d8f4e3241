"""What schemathesis must know about this service beyond its description."""

import atexit
import collections
import itertools
import json
import os
import re
import urllib.parse

import jsonschema_rs
import schemathesis

OWN_TOKEN = os.environ["VPSD_TEST_TOKEN_ID"]
COUNTS_FILE = os.environ["VPSD_TEST_COUNTS"]

counts = collections.Counter()
calls = itertools.count()


@schemathesis.hook
def before_call(context, case, kwargs):
    # A wait may last two minutes, and what it does is the same in one second.
    headers = case.headers or {}
    if re.search("wait", str(headers.get("Prefer", "")), re.IGNORECASE):
        headers["Prefer"] = "wait=1"
    # The same keys again and again would meet nothing but 422; some are left as they are.
    if len(headers.get("Idempotency-Key", "")) in range(1, 200) and next(calls) % 4:
        headers["Idempotency-Key"] += f"-{next(calls)}"
    protect(case)
    # A run that revokes its own token meets nothing but 401 from there on.
    if case.operation.path == "/tokens/{id}/" and str((case.path_parameters or {}).get("id")) == OWN_TOKEN:
        case.path_parameters["id"] = 0


# What servers are made from, and by whom, stays as it is: the ids of these, and of what contract.py has made to be changed instead.
SPARES = {
    ("PATCH", "/operator/plans/{id}/"): ({"1", "2", "3"}, 4),
    ("PATCH", "/operator/operating-systems/{id}/"): ({"3", "5"}, 6),
    ("PATCH", "/operator/locations/{id}/"): ({"1", "2", "us-west", "us-east"}, 3),
    ("DELETE", "/operator/accounts/{id}/"): ({"1", "2"}, 4),
    ("POST", "/operator/accounts/{id}/suspend/"): ({"1"}, 3),
    ("POST", "/operator/hosts/{id}/drain/"): ({"1"}, 0),
}


def protect(case):
    used, spare = SPARES.get((case.method.upper(), case.operation.path), (set(), None))
    if str((case.path_parameters or {}).get("id")) in used:
        case.path_parameters["id"] = spare


@schemathesis.hook
def after_call(context, case, response):
    counts[f"{case.operation.label} {response.status_code}"] += 1


@atexit.register
def write_counts():
    with open(COUNTS_FILE, "w") as file:
        json.dump(counts, file)


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Drops what is no mistake: the service takes some values that it does not document, because existing programs send them."""
    if failure.code != "ST201":
        return True
    return not (has_absent_parameter(response.request.url) or is_right_when_strict(case))


def has_absent_parameter(url):
    """An empty parameter counts as absent, and so does a size of pages that is none; of several the first counts."""
    query = urllib.parse.parse_qs(urllib.parse.urlsplit(url).query, keep_blank_values=True)
    return any(
        values[0] == "" or name == "page_size" and not re.fullmatch("[1-9][0-9]*", values[0])
        for name, values in query.items())


def is_right_when_strict(case):
    """Whether the body is right once texts of digits and truth values are written as the numbers and booleans that they are
    taken for, and without the other names of fields that are there by the documented ones."""
    if not isinstance(case.body, dict):
        return False
    body, document = dict(case.body), case.operation.schema.raw_schema
    schema = case.operation.definition.raw["requestBody"]["content"]["application/json"]["schema"]
    for documented, others in (("plan_id", ("plan", "os_version")), ("ssh_key_id", ("ssh_keys",))):
        for name in others if documented in body else ():
            body.pop(name, None)
    body = as_taken(body, schema, document)
    return jsonschema_rs.is_valid(schema | {"components": document["components"]}, body)


def as_taken(value, schema, document):
    schema = resolved(schema, document)
    types = schema.get("type", [])
    if isinstance(value, dict):
        fields = schema.get("properties", {})
        return {name: as_taken(field, fields.get(name, {}), document) for name, field in value.items()}
    if isinstance(value, list):
        return [as_taken(element, schema.get("items", {}), document) for element in value]
    if "integer" in types and isinstance(value, str) and re.fullmatch(r"\s*-?\d+\s*", value):
        return int(value)
    if "boolean" in types and str(value).lower() in ("0", "1", "true", "false"):
        return str(value).lower() in ("1", "true")
    return value.strip() if isinstance(value, str) else value


def resolved(schema, document):
    while "$ref" in schema:
        target = document
        for key in schema["$ref"].removeprefix("#/").split("/"):
            target = target[key]
        schema = target
    return schema
