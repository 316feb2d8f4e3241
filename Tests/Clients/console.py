#!/usr/bin/env python3
"""Opens the console of a server in the panel, in a real browser, and pastes a line at its screen.

usage: console.py LINK SERVER LINE [PICTURE]     LINK signs in; with PICTURE, what is to be seen at the end is put there.
"""

import shutil
import sys
from urllib.parse import urlsplit

from playwright.sync_api import expect, sync_playwright

MILLISECONDS = 60_000


def colours(page):
    """How many of them the screen shows: of a picture that never came, one."""
    return page.evaluate("""() => {
        const canvas = document.querySelector("#screen canvas");
        const points = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        const found = new Set();
        for (let at = 0; at < points.length; at += 4) found.add(points[at] << 16 | points[at + 1] << 8 | points[at + 2]);
        return found.size;
    }""")


def wait(page, expression):
    """Asks from outside, again and again: the page lets nothing in it evaluate a text, as wait_for_function does after its first try."""
    for _ in range(MILLISECONDS // 100):
        if page.evaluate(expression):
            return
        page.wait_for_timeout(100)
    sys.exit(f"Not within {MILLISECONDS} ms: {expression}")


def main(link, server, line, picture=None):
    complaints = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--no-proxy-server", "--disable-gpu"])
        page = browser.new_context(locale="bg-BG", viewport={"width": 1100, "height": 800}).new_page()
        page.set_default_timeout(MILLISECONDS)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(link)
        address = urlsplit(link)
        page.goto(f"{address.scheme}://{address.netloc}/servers/{server}")
        page.get_by_role("button", name="Конзола").click()
        expect(page.locator("#state")).to_have_text("Свързана", timeout=MILLISECONDS)
        wait(page, "document.querySelector('#screen canvas')?.width >= 640")
        page.get_by_role("button", name="Поставяне").click()
        page.get_by_label("Текст").fill(line + "\n")
        page.get_by_role("button", name="Въвеждане").click()
        # While it types, the field is empty and the button is off; the machine's keyboard is a moment behind.
        wait(page, "document.querySelector('#text').value === ''")
        expect(page.get_by_role("button", name="Поставяне")).to_be_enabled(timeout=MILLISECONDS)
        page.wait_for_timeout(2_000)
        seen = colours(page)
        if picture:
            page.screenshot(path=picture)
        browser.close()
    if complaints or seen < 2:
        sys.exit("\n".join(complaints + [f"The screen shows {seen} colours."]))


main(*sys.argv[1:])
