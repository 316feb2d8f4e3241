import RFB from "./novnc/core/rfb.js";

const state = document.getElementById("state");
const ctrlAltDel = document.getElementById("ctrl-alt-del");
const paste = document.getElementById("paste");
const typing = document.getElementById("typing");
const text = document.getElementById("text");
const shift = 0xffe1;
const withShift = /[A-Z~!@#$%^&*()_+{}|:"<>?]/;
const named = { "\n": 0xff0d, "\t": 0xff09 };

// Sends one key after the other, as a person would: a keyboard keeps about five keys that its guest has not read yet, and
// loses what comes after them.
async function type(rfb, characters) {
  for (const character of characters.replaceAll("\r\n", "\n").replaceAll("\r", "\n")) {
    const point = character.codePointAt(0);
    const key = named[character] ?? (point < 0x100 ? point : 0x01000000 + point);
    const isShifted = withShift.test(character);
    if (isShifted) rfb.sendKey(shift, "ShiftLeft", true);
    rfb.sendKey(key, null, true);
    rfb.sendKey(key, null, false);
    if (isShifted) rfb.sendKey(shift, "ShiftLeft", false);
    await new Promise((resume) => setTimeout(resume, 30));
  }
}

function show(text, isFailure = false) {
  state.textContent = text;
  state.classList.toggle("failed", isFailure);
}

function connect(ticket) {
  const socket = new URL("websocket", location.href);
  socket.protocol = socket.protocol === "https:" ? "wss:" : "ws:";
  socket.hash = "";
  const rfb = new RFB(document.getElementById("screen"), socket.href, { wsProtocols: ["binary", "ticket." + ticket] });
  rfb.scaleViewport = true;
  rfb.background = "transparent";
  let wasConnected = false;
  rfb.addEventListener("connect", () => {
    wasConnected = true;
    show(state.dataset.connected);
    ctrlAltDel.disabled = paste.disabled = false;
    rfb.focus();
  });
  rfb.addEventListener("disconnect", () => {
    ctrlAltDel.disabled = paste.disabled = true;
    show(wasConnected ? state.dataset.disconnected : state.dataset.refused, true);
  });
  paste.addEventListener("click", () => typing.showModal());
  typing.addEventListener("close", async () => {
    const characters = text.value;
    text.value = "";
    rfb.focus();
    const isWanted = typing.returnValue === "type";
    typing.returnValue = "";
    if (!isWanted) return;
    paste.disabled = true;
    await type(rfb, characters);
    paste.disabled = ctrlAltDel.disabled;
  });
  ctrlAltDel.addEventListener("click", () => {
    rfb.sendCtrlAltDel();
    rfb.focus();
  });
}

const parameters = new URLSearchParams(location.hash.slice(1));
const server = parameters.get("server");
if (server) {
  document.getElementById("server").textContent = server;
  document.title = server + " – " + document.title;
}
const ticket = parameters.get("ticket");
// The ticket can be used only once, so it should not stay in the browser history.
history.replaceState(null, "", location.pathname);
if (ticket) {
  connect(ticket);
} else {
  show(state.dataset.unusable, true);
}
