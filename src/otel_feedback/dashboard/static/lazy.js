// A <details data-load> gets its content when it is opened: a piece of HTML that the server has escaped, from where the link
// in its place leads. Without this script that link leads to the same content as a page.

async function load(place, address) {
  place.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(address, { headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) throw new Error(`it was answered with ${answer.status}`);
    place.innerHTML = await answer.text();
    place.dispatchEvent(new Event("fragment", { bubbles: true }));
  } catch (error) {
    tell(place, `This could not be loaded (${error.message}). Close it and open it again, or reload the page.`);
    return false;
  } finally {
    place.removeAttribute("aria-busy");
  }
  return true;
}

function tell(place, words) {
  let note = place.querySelector(":scope > .problem");
  if (!note) {
    note = document.createElement("p");
    note.className = "problem";
    note.setAttribute("role", "alert");
    place.prepend(note);
  }
  note.textContent = words;
}

async function open(details) {
  const place = details.querySelector(":scope > .loaded");
  const link = place?.querySelector("a");
  if (!details.open || !link || details.dataset.state) return;
  details.dataset.state = "loading";
  const isLoaded = await load(place, `${link.getAttribute("href")}&fragment=1`);
  if (isLoaded) details.dataset.state = "loaded";
  else delete details.dataset.state;
}

document.addEventListener("toggle", (event) => {
  if (event.target.matches("details[data-load]")) open(event.target);
}, true);
for (const details of document.querySelectorAll("details[data-load][open]")) open(details);

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-load-part]");
  const place = link?.closest(".loaded");
  if (!place || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  load(place, `${link.getAttribute("href")}&fragment=1`).then(() => {
    place.querySelector("[tabindex]")?.focus();
  });
});
