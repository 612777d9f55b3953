/**
 * <llm-feedback token="..."> lets a person rate one answer of an LLM, under a strict CSP too.
 *
 * Attributes: token, endpoint, type (thumbs, stars, labels), name, max (stars), labels and reasons ("value:Text, ..."),
 * disabled (while the answer streams), label-* for each text below. Events: feedback-saved, feedback-retracted,
 * feedback-error. Looks: --feedback-* and ::part().
 */
const TEXT = {
  group: "Rate this answer",
  up: "Good answer",
  down: "Bad answer",
  star: "{n} of {max} stars",
  clear: "Clear rating",
  "add-comment": "Add a comment",
  reasons: "What was wrong?",
  comment: "Comment (optional)",
  save: "Save",
  cancel: "Cancel",
  note: "Your rating, reasons and comment are stored with this conversation.",
  saved: "Thanks, saved.",
  ask: "Saved. Tell us more, if you like.",
  removed: "Rating removed.",
  failed: "Not saved. Try again, or reload the page.",
};
const REASONS = "Incorrect, Incomplete, Not what I asked, Too long";
const MAX_COMMENT = 1000;
const RETRY_AFTER_MS = 500;
const TIMEOUT_MS = 10000;
const SAID_MS = 6000;
const ICONS = {
  thumb: "M3 11h3v9H3zM9.5 11l3.7-7.5c1.5 0 2.6 1.2 2.4 2.7L15.2 9.5h4.1a1.9 1.9 0 0 1 1.9 2.2l-1.1 6.7a2 2 0 0 1-2 1.6H9.5z",
  star: "M12 3.6l2.6 5.3 5.8.8-4.2 4.1 1 5.8-5.2-2.7-5.2 2.7 1-5.8-4.2-4.1 5.8-.8z",
  cross: "M7 7l10 10M17 7L7 17",
};

const sheet = new CSSStyleSheet();
sheet.replaceSync(`
:host {
  --good: var(--feedback-positive, light-dark(#15803d, #4ade80));
  --bad: var(--feedback-negative, light-dark(#b91c1c, #fca5a5));
  --accent: var(--feedback-accent, light-dark(#1d4ed8, #93c5fd));
  --round: var(--feedback-radius, 0.5em);
  --dim: color-mix(in srgb, currentColor 75%, transparent);
  --line: color-mix(in srgb, currentColor 45%, transparent);
  --tint: color-mix(in srgb, currentColor 12%, transparent);
  display: block;
  font-family: var(--feedback-font, inherit);
  font-size: 0.875em;
  line-height: 1.4;
}
:host([hidden]), [hidden] { display: none !important; }
* { box-sizing: border-box; }
button, textarea { font: inherit; color: inherit; background: none; border: 1px solid transparent; border-radius: var(--round); }
button { min-block-size: 2.2em; padding: 0 0.8em; cursor: pointer; }
button:disabled { cursor: default; opacity: 0.4; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 1px; }
.row { display: flex; flex-wrap: wrap; align-items: center; gap: 0.2em 0.3em; }
.icon { display: grid; place-items: center; aspect-ratio: 1; padding: 0; }
svg { inline-size: 1.3em; fill: none; stroke: currentColor; stroke-width: 1.7; stroke-linejoin: round; }
.flip svg { rotate: 180deg; }
.icon, .add-comment, .status, p { color: var(--dim); }
.on:not(.star) { background: var(--tint); }
@media (hover: hover) { button:hover:enabled { background: var(--tint); } }
.on { color: var(--accent); }
.up.on { color: var(--good); }
.down.on, .bad { color: var(--bad); }
.star.on { color: var(--feedback-star, light-dark(#a16207, #facc15)); }
.on svg { fill: currentColor; }
.chip { border-color: var(--line); border-radius: 2em; }
.chip.on { border-color: currentColor; }
.chip.on::before { content: "✓ " / ""; }
form { display: grid; gap: 0.8em; max-inline-size: 30em; margin: 0.5em 0 0; padding: 1em; border: 1px solid var(--tint); border-radius: var(--round); }
fieldset { border: 0; margin: 0; padding: 0; }
legend, label, .save { font-weight: 600; }
legend { margin: 0 0 0.4em; padding: 0; }
textarea { display: block; inline-size: 100%; margin: 0.4em 0 0; padding: 0.5em; border-color: var(--line); resize: vertical; font-weight: 400; }
p { margin: 0; font-size: 0.9em; }
.save { border-color: currentColor; }
@media (pointer: coarse) { button { min-block-size: 3em; } textarea { font-size: 16px; } }
`);

/** What has a class can be styled from outside as the ::part of that name. */
function element(tag, look, properties, ...children) {
  const made = Object.assign(document.createElement(tag), { className: look, part: look }, properties);
  made.append(...children);
  return made;
}

function button(look, text, onclick, { key, name, ...properties } = {}) {
  const made = element("button", look, { type: "button", onclick, ...properties }, name ? icon(name) : text);
  if (name) made.title = made.ariaLabel = text;
  made.dataset.key = key;
  return made;
}

function icon(name) {
  const make = (tag) => document.createElementNS("http://www.w3.org/2000/svg", tag);
  const svg = make("svg");
  const path = make("path");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

/** "value:Text, other" as [["value", "Text"], ["other", "other"]]. */
function pairs(list) {
  const parts = list.split(",").map((each) => each.split(":").map((part) => part.trim()));
  return parts.filter(([value]) => value).map(([value, text = value]) => [value, text]);
}

/** A UUID; on plain http, where crypto.randomUUID does not exist, 39 random digits. */
function newId() {
  return crypto.randomUUID?.() ?? [...crypto.getRandomValues(new Uint8Array(13))].map((byte) => byte + 100).join("");
}

class LlmFeedback extends HTMLElement {
  static observedAttributes = [
    ..."token endpoint type name max labels reasons disabled".split(" "),
    ...Object.keys(TEXT).map((key) => `label-${key}`),
  ];

  #root = this.attachShadow({ mode: "open" });
  #confirmed = null; // what the server has: {key, comment, reasons}, or null
  #shown = null; // what is drawn; ahead of #confirmed while a click is under way
  #sent = Promise.resolve(); // clicks are sent one after the other
  #turn = 0; // counts clicks: only the last one is sent, may speak, and is rolled back
  #identity = null; // token, endpoint and name that #confirmed belongs to
  #scheduled = false;
  #open = false;
  #timer;
  #parts = {};

  connectedCallback() {
    this.#root.adoptedStyleSheets = [sheet];
    this.#schedule();
  }

  attributeChangedCallback(attribute) {
    if (attribute === "disabled") this.#paint();
    else this.#schedule();
  }

  /** Draw and load once for all attributes that are set together. */
  #schedule() {
    if (this.#scheduled || !this.isConnected) return;
    this.#scheduled = true;
    queueMicrotask(() => {
      this.#scheduled = false;
      this.#build();
      const identity = JSON.stringify([this.#token, this.#endpoint, this.#name]);
      if (identity !== this.#identity) {
        this.#identity = identity;
        this.#turn += 1;
        this.#confirmed = this.#shown = null;
        this.#open = false;
        this.#restore();
      }
      this.#paint();
    });
  }

  get #token() { return this.getAttribute("token") || ""; }
  get #endpoint() { return this.getAttribute("endpoint") || "/v1/feedback"; }
  get #type() { return this.getAttribute("type") || "thumbs"; }
  get #name() { return this.getAttribute("name") || this.#type; }
  get #max() { return Math.max(2, Number.parseInt(this.getAttribute("max"), 10) || 5); }
  get #isOff() { return this.hasAttribute("disabled") || !this.#token; }

  #text(key) { return this.getAttribute(`label-${key}`) ?? TEXT[key]; }

  /** Everything that can be chosen, as [key, text, classes, icon]. */
  #choices() {
    if (this.#type === "stars") {
      const text = (n) => this.#text("star").replace("{n}", n).replace("{max}", this.#max);
      return Array.from({ length: this.#max }, (_, i) => [String(i + 1), text(i + 1), "icon star", "star"]);
    }
    if (this.#type === "labels") {
      return pairs(this.getAttribute("labels") || "pass, fail").map(([key, text]) => [key, text, "chip"]);
    }
    return [["1", this.#text("up"), "icon up", "thumb"], ["0", this.#text("down"), "icon down flip", "thumb"]];
  }

  #build() {
    const stars = this.#type === "stars";
    const role = stars && { role: "radio" };
    const choices = this.#choices().map(([key, text, look, name]) =>
      button(look, text, () => this.#choose(key), { key, name, ...role }));
    const group = element("div", "choices row", { role: stars ? "radiogroup" : "group", ariaLabel: this.#text("group") }, ...choices);
    if (stars) group.onkeydown = (event) => this.#moveStar(event);
    const clear = button("clear icon", this.#text("clear"), () => {
      this.#retract();
      this.#focusChosen();
    }, { name: "cross" });
    const more = button("add-comment", this.#text("add-comment"), () => {
      this.#setOpen(true);
      this.#parts.comment.focus();
    });
    const said = this.#parts.said || element("span", "status", { role: "status" });
    this.#parts = { choices, clear, more, said, ...this.#buildForm(this.#parts.comment?.value) };
    this.#root.replaceChildren(element("div", "row", {}, group, clear, more, said), this.#parts.form);
  }

  #buildForm(value = "") {
    const chips = pairs(this.getAttribute("reasons") ?? REASONS).map(([key, text]) => {
      const chip = button("reason chip", text, () => press(chip, chip.ariaPressed !== "true"), { key });
      return chip;
    });
    const legend = element("legend", "", {}, this.#text("reasons"));
    const reasons = element("fieldset", "reasons", {}, legend, element("div", "row", {}, ...chips));
    const comment = element("textarea", "comment", { maxLength: MAX_COMMENT, rows: 2, value });
    const save = button("save", this.#text("save"), null, { type: "submit" });
    const cancel = button("cancel", this.#text("cancel"), () => this.#cancel());
    const form = element("form", "form", {},
      reasons,
      element("label", "", {}, this.#text("comment"), comment),
      element("p", "note", {}, this.#text("note")),
      element("div", "row", {}, save, cancel));
    form.onsubmit = (event) => {
      event.preventDefault();
      this.#saveForm();
    };
    form.onkeydown = (event) => {
      if (event.key === "Escape") this.#cancel();
    };
    return { form, chips, reasons, comment, save };
  }

  #paint() {
    const { choices, clear, more, form, chips, reasons, comment, save } = this.#parts;
    if (!choices) return;
    const key = this.#shown?.key;
    const stars = this.#type === "stars";
    choices.forEach((choice, index) => {
      const chosen = choice.dataset.key === key;
      choice.disabled = this.#isOff;
      choice.classList.toggle("on", stars ? Number(choice.dataset.key) <= Number(key) : chosen);
      choice[stars ? "ariaChecked" : "ariaPressed"] = String(chosen);
      if (stars) choice.tabIndex = chosen || (!key && index === 0) ? 0 : -1;
    });
    clear.hidden = !stars || !key;
    more.hidden = !key || this.#open;
    clear.disabled = more.disabled = save.disabled = this.#isOff;
    form.hidden = !this.#open || !key;
    reasons.hidden = !chips.length || !this.#isBad(key);
    if (form.hidden) {
      comment.value = this.#shown?.comment || "";
      chips.forEach((chip) => press(chip, (this.#shown?.reasons || []).includes(chip.dataset.key)));
    }
  }

  #setOpen(open) {
    this.#open = open;
    this.#paint();
  }

  /** Whether to ask what was wrong. */
  #isBad(key) {
    if (this.#type === "stars") return (Number(key) - 1) / (this.#max - 1) <= 1 / 3;
    return ["0", "fail", "negative"].includes(key);
  }

  #choose(key) {
    if (this.#shown?.key !== key) {
      this.#open = false;
      this.#apply({ key, comment: "", reasons: [] }, this.#isBad(key) ? "ask" : "saved");
      this.#setOpen(this.#isBad(key));
    } else if (this.#type !== "stars") this.#retract();
  }

  #retract() {
    this.#open = false;
    this.#apply(null, "removed");
  }

  #moveStar(event) {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!step || this.#isOff) return;
    event.preventDefault();
    const { choices } = this.#parts;
    const from = choices.indexOf(event.target);
    const next = choices[(from + step + choices.length) % choices.length];
    next.focus();
    this.#choose(next.dataset.key);
  }

  #cancel() {
    this.#setOpen(false);
    this.#focusChosen();
  }

  async #saveForm() {
    const { form, chips, comment, reasons } = this.#parts;
    if (!this.#shown) return;
    const picked = reasons.hidden ? [] : chips.filter((chip) => chip.ariaPressed === "true").map((chip) => chip.dataset.key);
    const saved = await this.#apply({ key: this.#shown.key, comment: comment.value.trim(), reasons: picked }, "saved");
    if (!saved) return; // the form stays open with what was typed
    if (form.contains(this.#root.activeElement)) this.#focusChosen();
    this.#setOpen(false);
  }

  #focusChosen() {
    (this.#parts.choices.find((choice) => choice.dataset.key === this.#shown?.key) || this.#parts.choices[0]).focus();
  }

  /** Show a rating (null: none) at once and send it; if that fails, go back to what the server has. */
  #apply(rating, said) {
    const turn = ++this.#turn;
    const identity = this.#identity;
    const body = this.#body(rating);
    this.#shown = rating;
    this.#say("");
    this.#paint();
    this.#sent = this.#sent.then(async () => {
      if (turn !== this.#turn) return false; // overtaken by a later click
      try {
        await this.#request(rating ? "POST" : "DELETE", body);
        if (identity === this.#identity) this.#confirmed = rating;
        if (turn === this.#turn) this.#say(said);
        const { token, ...detail } = body;
        this.#emit(rating ? "feedback-saved" : "feedback-retracted", detail);
        return true;
      } catch (error) {
        if (turn === this.#turn) {
          this.#shown = this.#confirmed;
          if (!this.#shown) this.#open = false;
          this.#paint();
          this.#say("failed", true);
        }
        this.#emit("feedback-error", { name: body.name, code: error.code || "network", message: error.message });
        return false;
      }
    });
    return this.#sent;
  }

  #body(rating) {
    const body = { token: this.#token, id: newId(), name: this.#name };
    if (!rating) return body;
    const { key, comment, reasons } = rating;
    if (this.#type === "stars") Object.assign(body, { value: Number(key), minimum: 1, maximum: this.#max });
    else body.value = this.#type === "labels" ? key : key === "1";
    if (comment) body.comment = comment;
    if (reasons.length) body.reasons = reasons;
    return body;
  }

  /** One retry, with the same submission id, so that a lost answer does not make two ratings. */
  async #request(method, body) {
    const attempt = async () => {
      const answer = await fetch(this.#endpoint, {
        method,
        body: JSON.stringify(body),
        headers: { "Content-Type": "application/json" },
        keepalive: true, // a vote given while leaving the page still counts
        signal: AbortSignal.timeout(TIMEOUT_MS),
      });
      if (answer.ok) return answer.text();
      const { error } = await answer.json().catch(() => ({}));
      const isFinal = answer.status < 500 && answer.status !== 429;
      throw Object.assign(new Error(`HTTP status ${answer.status}`), { isFinal }, error);
    };
    try {
      await attempt();
    } catch (error) {
      if (error.isFinal) throw error;
      await new Promise((resolve) => setTimeout(resolve, RETRY_AFTER_MS));
      await attempt();
    }
  }

  async #restore() {
    if (!this.#token) return;
    const turn = this.#turn;
    try {
      const headers = { Authorization: `Bearer ${this.#token}` };
      const answer = await fetch(this.#endpoint, { headers });
      const { ratings = [] } = answer.ok ? await answer.json() : {};
      const rating = ratings.find((each) => each.name === this.#name);
      if (!rating || turn !== this.#turn) return;
      this.#confirmed = this.#shown = {
        key: this.#keyOf(rating), comment: rating.comment || "", reasons: rating.reasons || [],
      };
      this.#paint();
    } catch {} // starts empty
  }

  #keyOf({ value, label }) {
    if (this.#type !== "labels") return String(value);
    const isChoice = this.#choices().some(([key]) => key === label);
    return isChoice ? label : { positive: "pass", negative: "fail" }[label];
  }

  #say(key, isBad = false) {
    clearTimeout(this.#timer);
    const { said } = this.#parts;
    said.textContent = key && this.#text(key);
    said.classList.toggle("bad", isBad);
    if (key && !isBad) this.#timer = setTimeout(() => this.#say(""), SAID_MS);
  }

  #emit(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { bubbles: true, composed: true, detail }));
  }
}

function press(button, isPressed) {
  button.ariaPressed = String(isPressed);
  button.classList.toggle("on", isPressed);
}

if (!customElements.get("llm-feedback")) customElements.define("llm-feedback", LlmFeedback);
