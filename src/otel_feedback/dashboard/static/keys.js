// Single keys: data-key="j" on a link follows it, on a field goes to it; in a list j and k move among the data-row links.
// They do nothing while a person types or holds Ctrl, Alt or Meta, and can be switched off (WCAG 2.1.4) in the dialog of "?".
// The page waits for this script, so that no key is lost of a person who reads fast.
"use strict";

const STORED = "otel-feedback keys";
let keysAreOn = readSwitch();

function readSwitch() {
  try {
    return localStorage.getItem(STORED) !== "off";
  } catch {
    return true; // no storage: on, and the switch works until the page is left
  }
}

function setUp() {
  const dialog = document.querySelector("dialog[data-keys]");
  const button = document.querySelector("[data-keys-button]");
  const onOff = document.querySelector("[data-keys-switch]");
  if (!dialog || !button) return;
  button.hidden = false;
  button.addEventListener("click", () => dialog.showModal());
  onOff.checked = keysAreOn;
  onOff.addEventListener("change", () => {
    keysAreOn = onOff.checked;
    try {
      localStorage.setItem(STORED, keysAreOn ? "on" : "off");
    } catch {
      // as above
    }
  });
}

function isTyping(target) {
  return target instanceof Element && target.closest("input, textarea, select, [contenteditable]") !== null;
}

function moveInList(step) {
  const rows = [...document.querySelectorAll("a[data-row]")];
  if (!rows.length) return false;
  const current = document.activeElement?.closest("[data-rating]");
  const place = rows.findIndex((row) => current?.contains(row));
  const next = place < 0 ? (step > 0 ? 0 : -1) : place + step;
  if (next >= rows.length) return false;
  const row = rows[Math.max(next, 0)];
  row.focus({ preventScroll: true });
  row.closest("[data-rating]").scrollIntoView({ block: "nearest" });
  return true;
}

function act(key) {
  const dialog = document.querySelector("dialog[data-keys]");
  if (key === "?" && dialog) {
    dialog.showModal();
    return true;
  }
  if ((key === "j" || key === "k") && moveInList(key === "j" ? 1 : -1)) return true;
  const target = document.querySelector(`[data-key="${CSS.escape(key)}"]`);
  if (!target) return false;
  if (target.matches("a")) target.click();
  else target.focus();
  return true;
}

document.addEventListener("keydown", (event) => {
  if (!keysAreOn || event.defaultPrevented || event.isComposing || (event.repeat && !"jk".includes(event.key))) return;
  if (event.ctrlKey || event.metaKey || event.altKey || (event.shiftKey && event.key !== "?" && event.key !== "/")) return;
  if (event.key.length !== 1 || isTyping(event.target) || document.querySelector("dialog[open]")) return;
  if (document.readyState === "loading") {
    document.addEventListener("DOMContentLoaded", () => act(event.key), { once: true });
  } else if (act(event.key)) event.preventDefault();
});
document.addEventListener("DOMContentLoaded", setUp);
