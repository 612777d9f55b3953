// Says that an answer is awaited once it takes longer than a moment, and after a while what makes it quicker.

const SOON_MS = 400;
const LONG_MS = 5000;
let timers = [];
let note = null;

function show(words) {
  if (!note) {
    note = document.createElement("p");
    note.className = "waiting";
    note.setAttribute("role", "status");
    document.body.append(note);
  }
  note.textContent = words;
}

function begin() {
  end();
  timers = [
    setTimeout(() => show("Asking the database …"), SOON_MS),
    setTimeout(() => show("Still asking. A shorter time or more filters make it quicker."), LONG_MS),
  ];
}

function end() {
  timers.forEach(clearTimeout);
  note?.remove();
  note = null;
}

document.addEventListener("submit", (event) => {
  if (!event.defaultPrevented && event.target.getAttribute("method") !== "dialog") begin();
});
document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[href]");
  const isPlain = !event.defaultPrevented && !event.button && !event.ctrlKey && !event.metaKey && !event.shiftKey;
  if (link && isPlain && link.origin === location.origin && !link.getAttribute("href").startsWith("#")) begin();
});
window.addEventListener("pagehide", end);
window.addEventListener("pageshow", end);
