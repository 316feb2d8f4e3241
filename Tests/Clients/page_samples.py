"""The samples of the page at /docs, run as they are: each program must be one, and get an answer that the page tells of."""

import html
import os
import re
import signal
import subprocess
import time
import urllib.request

SECONDS = 60
OPERATION = re.compile(r'<article id="(\w+)">(.*?)</article>', re.S)
PROGRAM = re.compile(r'<pre class="(\w+)"><code>(.*?)</code></pre>', re.S)
# A right program can be told that there is no such thing, or that the moment is wrong, but never this:
FAULTS = re.compile(
    r"credentials|Invalid token|permission to|parse error|media type|not allowed|Accept header|This field|[Vv]alid (value|string|integer)"
    r"|Warning|Traceback(?!.*(400|404|409) Client Error)|\w+Error:(?! (400|404|409) Client Error)", re.S)


def operations(service):
    """The programs of each operation by their language, those that delete last."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    page = direct.open(service.url + "/docs", timeout=SECONDS).read().decode()
    found = {
        name: {language: html.unescape(program) for language, program in PROGRAM.findall(article)}
        for name, article in OPERATION.findall(page)}
    return dict(sorted(found.items(), key=lambda item: "DELETE" in item[1]["curl"]))


def command(language, program, python, folder):
    suffix = {"javascript": ".mjs", "php": ".php"}.get(language, "")
    file = folder / ("sample" + suffix)
    file.write_text(program)
    tool = {"curl": ["bash"], "python": [python], "javascript": ["node"], "php": ["php", "-d", "display_errors=stderr"]}
    return [*tool[language], str(file)]


def run_to_its_end(words, environment):
    """What the program wrote, and its status."""
    try:
        ran = subprocess.run(words, capture_output=True, text=True, env=environment, timeout=SECONDS)
        return ran.stdout + ran.stderr, ran.returncode
    except subprocess.TimeoutExpired as expired:
        return (expired.stdout or b"").decode(), "too late"


def follow(words, environment, folder):
    """The same of a program whose answer has no end: until it has written something, and a moment longer."""
    file = folder / "followed"
    with open(file, "wb") as output:
        process = subprocess.Popen(words, stdout=output, stderr=output, env=environment, start_new_session=True)
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and not file.stat().st_size and time.monotonic() < deadline:
        time.sleep(0.05)
    try:
        status = process.wait(1)
    except subprocess.TimeoutExpired:
        status = 0
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    return file.read_text(), status


def run(service, python, folder):
    """How many programs ran, and how many of them failed."""
    # One of the samples revokes the first token, and with it all that were made with it.
    arguments = ["token", "create", "--name", "samples", "--account", "1", "--operator", "--permission", "*:*"]
    token = re.search(r"vps_\S+", service.run(*arguments)).group()
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(folder), "NO_PROXY": "*", "PYTHONUNBUFFERED": "1",
        "VPSD_URL": service.url, "VPSD_TOKEN": token}
    count = failures = 0
    for name, programs in operations(service).items():
        assert sorted(programs) == ["curl", "javascript", "php", "python"], f"{name} has {sorted(programs)}"
        for language, program in programs.items():
            words = command(language, program, python, folder)
            if name == "followEvents":
                output, status = follow(words, environment, folder)
            else:
                output, status = run_to_its_end(words, environment)
            # Python's raise_for_status ends a program that is refused, as it should; curl has nothing to say of a 204.
            is_silent = language == "curl" and "-X DELETE" in program
            ended_well = status == 0 or language == "python" and "Client Error" in output
            # The description of the API has all of its errors in it.
            is_faulty = name != "readDocument" and FAULTS.search(output)
            is_well = ended_well and (output.strip() != "" or is_silent) and not is_faulty
            count += 1
            if not is_well:
                failures += 1
                print(f"FAILED  {name} in {language}: {status}\n{output}\n{program}")
    return count, failures
