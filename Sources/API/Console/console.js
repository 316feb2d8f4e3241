import RFB from "./novnc/core/rfb.js";

const state = document.getElementById("state");
const ctrlAltDel = document.getElementById("ctrl-alt-del");

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
    show("Connected");
    ctrlAltDel.disabled = false;
    rfb.focus();
  });
  rfb.addEventListener("disconnect", () => {
    ctrlAltDel.disabled = true;
    show(wasConnected ? "Disconnected. Ask for a new console address to connect again."
      : "No connection. A console address works once, and not for long: ask for a new one.", true);
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
  document.title = server + " – console";
}
const ticket = parameters.get("ticket");
// What is used up at once should not stay in the history.
history.replaceState(null, "", location.pathname);
if (ticket) {
  connect(ticket);
} else {
  show("This address has no ticket in it, or was used before. Ask for a new console address.", true);
}
