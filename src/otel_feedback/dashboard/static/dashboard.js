// Shows times in the viewer's own zone; without this script they stay UTC. Also opens the row a link points at.
const format = new Intl.DateTimeFormat(undefined, {
  year: "numeric", month: "short", day: "numeric", hour: "2-digit", minute: "2-digit",
});

function showTimes(root) {
  for (const element of root.querySelectorAll("time[datetime]:not([title])")) {
    const moment = new Date(element.dateTime);
    if (Number.isNaN(moment.getTime())) continue;
    element.title = element.textContent;
    element.textContent = format.format(moment);
  }
}
showTimes(document);
document.addEventListener("fragment", (event) => showTimes(event.target)); // said by whoever puts a piece into the page

function openTarget() {
  let id = location.hash.slice(1);
  try {
    id = decodeURIComponent(id);
  } catch {
    // not encoded: an id as it is
  }
  const target = id && document.getElementById(id);
  if (!target) return;
  const details = target.querySelector(":scope > details");
  if (details) details.open = true;
  target.focus({ preventScroll: true });
  target.scrollIntoView({ block: target.matches("a") ? "center" : "start" });
}
window.addEventListener("hashchange", openTarget);
openTarget();
