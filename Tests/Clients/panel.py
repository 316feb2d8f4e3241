#!/usr/bin/env python3
"""Uses the panel as people do, in a real browser, on simulated machines: a first server from the link to its end; every page on a
phone and on a desk, in light and dark, in both languages, looked at by axe; the same without JavaScript, and by keyboard alone.

usage: panel.py VPSD [FOLDER]     With a folder, a picture of every page is put there.
"""

import base64
import hashlib
import hmac
import pathlib
import quopri
import re
import shutil
import struct
import sys
import time

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect, sync_playwright

from service import Service

KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl ann@home"
PASSWORD = "correct horse battery"
MILLISECONDS = 60_000
SIZES = {"phone": (360, 740), "desk": (1280, 860)}
# Each page by the name of its picture; of the servers in it, the first one is active.
PAGES = {
    "servers": "/servers", "create": "/servers/create", "server": "/servers/1", "metrics": "/servers/1/metrics", "copies": "/servers/1/copies",
    "firewall": "/servers/1/firewall", "reverse-dns": "/servers/1/rdns", "history": "/servers/1/history", "settings": "/servers/1/settings",
    "resize": "/servers/1/resize", "move": "/servers/1/move", "rebuild": "/servers/1/rebuild", "power-off": "/servers/1/power-off",
    "rescue": "/servers/1/rescue", "reset-password": "/servers/1/reset-password",
    "ssh-keys": "/ssh-keys", "tokens": "/tokens", "billing": "/billing", "account": "/account",
    "second-factor": "/account/second-factor",
    "operator-accounts": "/operator/accounts", "operator-account": "/operator/accounts/2",
    "operator-create-account": "/operator/accounts/create", "operator-servers": "/operator/servers",
    "operator-server": "/operator/servers/1", "operator-delete-server": "/operator/servers/1/delete",
    "operator-hosts": "/operator/hosts", "operator-systems": "/operator/systems", "operator-audit": "/operator/audit",
    "delete-key": "/ssh-keys/1/delete", "revoke-token": "/tokens/1/revoke",
}


# For whoever is not signed in.
OPEN_PAGES = {"sign-in": "/sign-in", "forgotten-password": "/sign-in/forgotten"}


class Panel:
    def __init__(self, service, browser):
        self.service, self.browser = service, browser
        self.complaints = []

    def context(self, **options):
        context = self.browser.new_context(base_url=self.service.url, **({"locale": "en-GB"} | options))
        context.set_default_timeout(MILLISECONDS)
        return context

    def page(self, context):
        page = context.new_page()
        # A reply that refuses is what some of this is about; anything else that a browser complains of is not.
        page.on("console", lambda message: message.type == "error" and "status of 4" not in message.text
                and self.complaints.append(f"{page.url}: {message.text}"))
        page.on("pageerror", lambda error: self.complaints.append(f"{page.url}: {error}"))
        return page

    def link(self):
        return re.search(r"http://\S+", self.service.run("account", "login-link", "admin@localhost")).group()

    def mailed_link(self):
        deadline = time.monotonic() + MILLISECONDS / 1000
        while time.monotonic() < deadline:
            text = quopri.decodestring(self.service.mails.read_bytes()) if self.service.mails.exists() else b""
            found = re.findall(rb"http://[0-9.:]+/sign-in\?link=[A-Za-z0-9_-]{43}", text)
            if found:
                return found[-1].decode()
            time.sleep(0.1)
        raise AssertionError(f"no link was mailed: {text}")

    def signed_in(self, **options):
        page = self.page(self.context(**options))
        page.goto(self.link())
        expect(page).to_have_url(self.service.url + "/servers")
        return page


def order(page, name, key=None):
    page.goto("/servers/create")
    page.get_by_role("radio", name="Nano VPS").check()
    page.get_by_role("radio", name="Debian 12").check()
    page.get_by_label("Name", exact=True).fill(name)
    if key:
        page.get_by_label("SSH key", exact=True).select_option("new")
        page.get_by_label("Public key").fill(key)
    else:
        page.get_by_label("SSH key", exact=True).select_option("password")
    page.get_by_role("button", name="Create server").click()


def first_server(panel):
    """A link, a key, a server that becomes active before one's eyes; a password, and in again with it."""
    page = panel.signed_in()
    expect(page.get_by_role("heading", name="Servers")).to_be_visible()
    page.get_by_role("link", name="Create server").click()
    expect(page.get_by_role("heading", name="Create a server")).to_be_visible()
    order(page, "web-1", KEY)
    page.evaluate("window.wasNotLoadedAgain = true")
    status = page.locator("#status .status")
    expect(status).to_have_text("active", timeout=60_000)
    assert page.evaluate("window.wasNotLoadedAgain"), "the page was loaded again"
    expect(page.locator("code").first).to_contain_text("root@127.")
    page.get_by_role("button", name="Stop").click()
    expect(status).to_have_text("stopped", timeout=60_000)
    page.get_by_role("button", name="Start").click()
    expect(status).to_have_text("active", timeout=60_000)

    page.get_by_role("button", name="Console").click()
    expect(page.locator("#state")).to_have_text("Connected")
    assert "ticket" not in page.url, page.url
    page.get_by_role("button", name="Paste").click()
    page.get_by_label("Text").fill("root\nA secret!\n")
    page.get_by_role("button", name="Type it").click()
    expect(page.locator("#state")).to_have_text("Connected")
    page.go_back()
    page.goto("/servers/1")

    page.get_by_role("link", name="Backups and snapshots").click()
    page.get_by_label("Name", exact=True).fill("before")
    page.get_by_role("button", name="Create snapshot").click()
    expect(page.locator("#snapshots .status")).to_have_text("completed", timeout=60_000)
    page.get_by_role("link", name="Billing").click()
    expect(page.get_by_role("heading", name="Billing")).to_be_visible()
    expect(page.get_by_role("table").first).to_contain_text("web-1")

    page.get_by_role("link", name="Account").click()
    page.get_by_label("New password", exact=True).fill(PASSWORD)
    page.get_by_label("New password, once more").fill(PASSWORD)
    page.get_by_role("button", name="Set password").click()
    expect(page.get_by_text("There is a password.")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail").fill("admin@localhost")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="web-1")).to_be_visible()
    page.go_back()
    page.goto("/servers")
    expect(page.get_by_role("link", name="web-1")).to_be_visible()
    page.context.close()


def authenticator(secret):
    """What one shows now that was given this key."""
    digest = hmac.new(base64.b32decode(secret), struct.pack(">Q", int(time.time()) // 30), hashlib.sha1).digest()
    offset = digest[-1] & 15
    return f"{(struct.unpack('>I', digest[offset:offset + 4])[0] & 0x7FFFFFFF) % 1_000_000:06}"


def second_factor(panel):
    """A picture for a telephone, ten codes for a drawer; then the password alone is not enough, and one of the ten is."""
    page = panel.signed_in()
    page.goto("/account")
    page.get_by_role("link", name="Set up second factor").click()
    expect(page.get_by_role("img", name="The key as a picture")).to_be_visible()
    page.get_by_label("Code").fill(authenticator(page.locator("main code").inner_text()))
    page.get_by_label("Current password").fill(PASSWORD)
    page.get_by_role("button", name="Set up second factor").click()
    codes = page.locator(".secret").inner_text().split()
    assert len(codes) == 10, codes
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail").fill("admin@localhost")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_label("Code").fill("000000")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("This code is not right")).to_be_visible()
    page.get_by_label("Code").fill(codes[0])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="web-1")).to_be_visible()
    page.goto("/account/second-factor")
    page.get_by_label("Code").fill(codes[1])
    page.get_by_role("button", name="Remove second factor").click()
    expect(page.get_by_role("link", name="Set up second factor")).to_be_visible()
    page.context.close()


def forgotten_password(panel):
    """A link by mail, which is asked for where one signs in, signs in once; the old password is good no more."""
    page = panel.page(panel.context(java_script_enabled=False))
    page.goto("/sign-in")
    page.get_by_role("link", name="Forgotten your password?").click()
    page.get_by_label("E-mail").fill("admin@localhost")
    page.get_by_role("button", name="Send a link").click()
    expect(page.get_by_text("If there is an account with this address")).to_be_visible()
    page.goto(panel.mailed_link())
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Servers")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    page.get_by_label("E-mail").fill("admin@localhost")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.context.close()


def operator(panel):
    """Without a script: an account is opened, its owner signs in, and has credit, a suspension and its end; a server is stopped."""
    page = panel.signed_in(java_script_enabled=False)
    page.get_by_role("link", name="Operator").click()
    page.get_by_role("link", name="Create account").click()
    page.get_by_label("E-mail").fill("ada@example.com")
    page.get_by_label("First name").fill("Ada")
    page.get_by_role("button", name="Create account").click()
    customer = panel.page(panel.context())
    customer.goto(page.locator(".secret").inner_text())
    expect(customer.get_by_role("heading", name="Servers")).to_be_visible()
    expect(customer.get_by_role("link", name="Operator")).to_have_count(0)
    page.get_by_role("link", name="Continue").click()
    page.get_by_label("Amount").fill("12.5")
    page.get_by_label("Note").fill("a welcome")
    page.get_by_role("button", name="Add credit").click()
    expect(page.get_by_role("table").last).to_contain_text("a welcome")
    page.get_by_role("link", name="Suspend").click()
    page.get_by_label("Reason").fill("a test")
    page.get_by_role("button", name="Suspend").click()
    customer.reload()
    expect(customer.get_by_role("alert")).to_contain_text("a test")
    page.get_by_role("button", name="Lift suspension").click()
    customer.reload()
    expect(customer.get_by_role("alert")).to_have_count(0)
    assert customer.goto("/operator/accounts").status == 404
    customer.context.close()

    page.goto("/operator/servers?search=WEB")
    page.get_by_role("link", name="web-1").click()
    for action, status in (("Stop", "stopped"), ("Start", "active")):
        page.get_by_role("button", name=action).click()
        wait_by_loading(page, status, ".state .status")
    page.goto("/operator/audit?account=ada@example.com")
    expect(page.get_by_role("table")).to_contain_text("account.suspend")
    page.context.close()


def last_server(panel):
    """Deleted by typing its name, and by nothing else."""
    page = panel.signed_in()
    order(page, "short-lived")
    password = page.locator(".secret").inner_text()
    assert len(password) == 20, password
    page.get_by_role("link", name="Continue").click()
    expect(page.locator("#status .status")).to_have_text("active", timeout=60_000)
    assert password not in page.content()
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Type short-lived to delete it").fill("web-1")
    page.get_by_role("button", name="Delete server").click()
    expect(page.get_by_text("This is not its name.")).to_be_visible()
    page.get_by_label("Type short-lived to delete it").fill("short-lived")
    page.get_by_role("button", name="Delete server").click()
    expect(page.get_by_role("link", name="web-1")).to_be_visible()
    expect(page.get_by_role("link", name="short-lived")).to_have_count(0)
    page.context.close()


def every_page(panel, folder):
    """No page is wider than a phone, says anything that axe knows to be wrong, or loads what it may not."""
    axe, faults = Axe(), []
    for scheme in ("light", "dark"):
        for language in ("en-GB", "bg-BG"):
            page = panel.signed_in(color_scheme=scheme, locale=language)
            for size, (width, height) in SIZES.items():
                page.set_viewport_size({"width": width, "height": height})
                for name, path in PAGES.items():
                    page.goto(path)
                    faults += look(page, axe, f"{name}, {size}, {scheme}, {language}")
                    if folder and language == "en-GB" and (size, scheme) in (("desk", "light"), ("phone", "dark")):
                        suffix = "" if size == "desk" else "-phone"
                        page.screenshot(path=folder / f"{name}{suffix}.png", full_page=size == "desk")
            page.context.clear_cookies()
            for name, path in OPEN_PAGES.items():
                page.goto(path)
                faults += look(page, axe, f"{name}, {scheme}, {language}")
                if folder and scheme == "light" and language == "en-GB":
                    page.screenshot(path=folder / f"{name}.png")
            page.context.close()
    assert not faults, "\n".join(faults)


def look(page, axe, name):
    assert page.locator("html").get_attribute("lang") == ("bg" if name.endswith("bg-BG") else "en"), name
    excess = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    if excess > 0:
        return [f"{name}: {excess} pixels wider than the window"]
    found = axe.run(page)
    return [] if not found.violations_count else [f"{name}: {found.generate_report()}"]


def without_script(panel):
    """All that changes something works where scripts are switched off."""
    page = panel.signed_in(java_script_enabled=False)
    order(page, "plain", KEY)
    for action, status in (("Stop", "stopped"), ("Start", "active")):
        wait_by_loading(page, "active" if action == "Stop" else "stopped")
        page.get_by_role("button", name=action).click()
        wait_by_loading(page, status)
    page.get_by_role("link", name="Settings").click()
    page.get_by_label("Hostname").fill("plain.example.com")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Hostname")).to_have_value("plain.example.com")
    page.get_by_label("Type plain to delete it").fill("plain")
    page.get_by_role("button", name="Delete server").click()
    expect(page.get_by_role("link", name="plain")).to_have_count(0)
    page.context.close()


def wait_by_loading(page, status, place="#status .status"):
    for _ in range(300):
        if page.locator(place).inner_text() == status:
            return
        page.wait_for_timeout(200)
        page.reload()
    raise AssertionError(f"{page.url} is not {status}")


def by_keyboard(panel):
    """From the list to a server that was ordered, without a mouse."""
    page = panel.signed_in()
    focus(page, "Create server")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Create a server")).to_be_visible()
    page.get_by_label("Name", exact=True).focus()
    page.keyboard.type("typed")
    focus(page, "Create server", start=False)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="typed")).to_be_visible()
    page.context.close()


def focus(page, text, start=True):
    if start:
        page.locator("body").press("Tab")
    for _ in range(60):
        if page.evaluate("document.activeElement.textContent.trim()") == text:
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{text} does not show that it has the focus"
            return
        page.keyboard.press("Tab")
    raise AssertionError(f"no key leads to {text}")


def main():
    vpsd, folder = sys.argv[1], pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
    chromium = shutil.which("chromium") or sys.exit("panel: chromium is missing: make setup")
    if folder:
        folder.mkdir(parents=True, exist_ok=True)
    expect.set_options(timeout=MILLISECONDS)
    with Service(vpsd, mails=True, names=True) as service, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--no-proxy-server", "--disable-gpu"])
        panel = Panel(service, browser)
        for step in (first_server, second_factor, forgotten_password, operator, last_server, without_script, by_keyboard):
            step(panel)
            print(f"panel: {step.__name__.replace('_', ' ')}: {step.__doc__}")
        every_page(panel, folder)
        print(f"panel: {len(PAGES) + len(OPEN_PAGES)} pages: {every_page.__doc__}")
        browser.close()
        assert not panel.complaints, "\n".join(panel.complaints)


if __name__ == "__main__":
    main()
