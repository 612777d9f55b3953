// The switch "Live" of the Feedback list: new ratings come to the top without a reload. It asks for what was stored since,
// only while the tab is seen, and ends when it is switched off or the page is left. In the address it is live=1.

const PAUSE_MS = 3000;
const LONGEST_PAUSE_MS = 60000;
const MOST_ROWS = 200;

const toggle = document.querySelector("[data-live]");
const list = document.querySelector("[data-rows]");
const state = document.querySelector("[data-live-state]");

let after = toggle?.dataset.after;
let asking = null; // the AbortController of the question under way
let timer = 0;
let failures = 0;

function say(words) {
  state.textContent = words;
}

function isOn() {
  return toggle.getAttribute("aria-checked") === "true";
}

function put(html) {
  const template = document.createElement("template");
  template.innerHTML = html; // made and escaped by the server, as the page itself
  let count = 0;
  for (const row of [...template.content.querySelectorAll("li[data-rating]")].reverse()) {
    const known = list.querySelector(`li[data-rating="${CSS.escape(row.dataset.rating)}"]`);
    if (known?.dataset.given === row.dataset.given) continue;
    const hadFocus = known?.contains(document.activeElement);
    known?.remove();
    row.classList.add("just-came");
    list.prepend(row);
    row.dispatchEvent(new Event("fragment", { bubbles: true }));
    if (hadFocus) row.querySelector("[data-row]").focus({ preventScroll: true });
    count += 1;
  }
  while (list.children.length > MOST_ROWS) list.lastElementChild.remove();
  if (count) {
    document.querySelector(".empty")?.remove();
    say(count === 1 ? "One new rating" : `${count} new ratings`);
  }
}

async function ask() {
  asking = new AbortController();
  try {
    const address = toggle.dataset.live;
    const answer = await fetch(`${address}&after=${after}`, { signal: asking.signal });
    if (answer.status === 401) return stop("You are signed out. Sign in again to see what comes.");
    if (!answer.ok) throw new Error(String(answer.status));
    const told = await answer.json();
    put(told.html);
    after = told.after;
    if (failures) say("New ratings come again.");
    failures = 0;
  } catch (error) {
    if (error.name === "AbortError") return;
    failures += 1;
    if (failures === 1) say("New ratings can't be asked for now. It is tried again by itself.");
  } finally {
    asking = null;
  }
  plan(Math.min(PAUSE_MS * 2 ** failures, LONGEST_PAUSE_MS));
}

function plan(pause) {
  clearTimeout(timer);
  if (isOn() && !document.hidden) timer = setTimeout(ask, pause);
}

function pause() {
  clearTimeout(timer);
  asking?.abort();
}

function remember(isLive) {
  const address = new URL(location.href);
  if (isLive) address.searchParams.set("live", "1");
  else address.searchParams.delete("live");
  history.replaceState(history.state, "", address);
}

function start() {
  toggle.setAttribute("aria-checked", "true");
  remember(true);
  say("Live: new ratings come to the top.");
  plan(0);
}

function stop(words) {
  toggle.setAttribute("aria-checked", "false");
  remember(false);
  pause();
  say(words);
}

if (toggle && list) {
  toggle.hidden = false;
  toggle.addEventListener("click", () => (isOn() ? stop("No longer live.") : start()));
  document.addEventListener("visibilitychange", () => (document.hidden ? pause() : plan(0)));
  window.addEventListener("pagehide", pause);
  window.addEventListener("pageshow", (event) => event.persisted && plan(0));
  if (new URL(location.href).searchParams.has("live")) start();
}
