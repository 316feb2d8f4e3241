// Improves pages that also work without it: live status, the reader's time zone, copying, and one click that counts.
"use strict";

// The date format of the reader's system, if that is in the language of the page.
const page = document.documentElement.lang;
const locale = navigator.languages.find((each) => each.split("-")[0] === page) ?? page;

function dress(root) {
  for (const time of root.querySelectorAll("time[datetime], text[data-time]")) {
    const date = new Date(time.dateTime ?? time.dataset.time);
    if (isNaN(date)) continue;
    time.textContent = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" }).format(date);
    if (time.dateTime) time.title = time.dateTime;
  }
  for (const button of root.querySelectorAll("button[data-copy]")) {
    if (!navigator.clipboard) continue;
    button.hidden = false;
    const text = button.textContent;
    button.onclick = async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      button.textContent = button.dataset.done;
      setTimeout(() => { button.textContent = text; }, 2000);
    };
  }
}

// A part with data-with="field=value" is shown only while that value is chosen.
function showByChoice() {
  for (const part of document.querySelectorAll("[data-with]")) {
    const [name, value] = part.dataset.with.split("=");
    const control = document.querySelector(`select[name="${name}"]`);
    if (!control) continue;
    const update = () => { part.hidden = control.value !== value; };
    control.addEventListener("change", update);
    update();
  }
}

// A form that is being sent cannot be sent again, until its page is opened again.
document.addEventListener("submit", (event) => {
  const form = event.target;
  setTimeout(() => { for (const button of form.querySelectorAll("button")) button.disabled = true; });
});
addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("form button")) button.disabled = false;
});

// Replaces every live part of the page by its current content.
const here = document.documentElement.dataset.path ?? location.href;
let isAsking = false;
let mustAskAgain = false;
async function refresh() {
  if (isAsking) { mustAskAgain = true; return; }
  isAsking = true;
  const began = performance.now();
  try {
    const reply = await fetch(here, { headers: { Accept: "text/html" } });
    if (reply.redirected) return location.reload();
    if (reply.status === 404) return location.assign(here.includes("/operator/") ? "/operator/servers" : "/servers");
    if (!reply.ok) return;
    const fetched = new DOMParser().parseFromString(await reply.text(), "text/html");
    for (const part of document.querySelectorAll("[data-live]")) {
      const fresh = fetched.getElementById(part.id);
      if (!fresh || part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea")) continue;
      dress(fresh);
      const focused = part.contains(document.activeElement) ? document.activeElement.textContent : null;
      part.replaceWith(fresh);
      if (focused) [...fresh.querySelectorAll("a, button")].find((each) => each.textContent === focused)?.focus();
    }
  } catch {
    // The next event, or the next connection to the stream, repairs it.
  } finally {
    // A page that takes long to make is requested less often.
    const rest = Math.max(300, 5 * (performance.now() - began));
    setTimeout(() => {
      isAsking = false;
      if (mustAskAgain) { mustAskAgain = false; refresh(); }
    }, rest);
  }
}

// One stream, and only while the page is visible: browsers allow few connections to one service.
function listen() {
  let stream = null;
  let timer = null;
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, 200);
  };
  const open = () => {
    stream = new EventSource("/events");
    // Events may have been lost before the connection was open.
    stream.addEventListener("open", soon);
    for (const type of ["server.status", "server.deleted", "server.deletion", "operation", "gap"]) {
      stream.addEventListener(type, soon);
    }
  };
  const close = () => { stream?.close(); stream = null; };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return close();
    if (!stream) { open(); soon(); }
  });
  addEventListener("pagehide", close);
  if (!document.hidden) open();
  // Figures of usage change without an event.
  if (document.querySelector("#overview, #charts")) setInterval(() => { if (!document.hidden) refresh(); }, 15000);
}

dress(document);
showByChoice();
if (document.querySelector("[data-live]")) listen();
