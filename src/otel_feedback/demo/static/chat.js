/**
 * The shop's chat. The server keeps nothing: each question is sent with the conversation so far, which lives in this
 * browser's localStorage, one for each user. An answer comes as lines of JSON; the header Otel-Feedback-Token of its
 * response lets its reader rate it.
 */
const STORE = "fernhill-chat";
const MOST_SENT = 30;

const user = document.getElementById("user");
const conversation = document.getElementById("conversation");
const welcome = document.getElementById("welcome");
const composer = document.getElementById("composer");
const question = document.getElementById("question");
const send = document.getElementById("send");

/** {user, chats: {ana: {id, messages: [{role, content, token}]}}}; what can't be read counts as nothing. */
let state = load();
let waiting = null; // aborts the answer under way
let isAtEnd = true; // whoever has scrolled up to read is left there

/** Messages grow: while they stream, and when a rating's form opens below them. */
const growth = new ResizeObserver(() => {
  if (isAtEnd) conversation.scrollTop = conversation.scrollHeight;
});
conversation.addEventListener("scroll", () => {
  isAtEnd = conversation.scrollHeight - conversation.scrollTop - conversation.clientHeight < 40;
});

function load() {
  try {
    const { user, chats } = JSON.parse(localStorage.getItem(STORE));
    if (typeof user === "string" && typeof chats === "object" && chats) return { user, chats };
  } catch {
    // an empty or a foreign store
  }
  return { user: "ana", chats: {} };
}

function save() {
  try {
    localStorage.setItem(STORE, JSON.stringify(state));
  } catch {
    // a browser without storage chats all the same, it only forgets
  }
}

/** The conversation of the chosen user. */
function chat() {
  const known = state.chats[state.user];
  if (typeof known?.id === "string" && Array.isArray(known.messages)) return known;
  return (state.chats[state.user] = { id: newId(), messages: [] });
}

/** A UUID; on plain http, where crypto.randomUUID does not exist, 32 random hex digits. */
function newId() {
  const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return crypto.randomUUID?.() ?? hex(crypto.getRandomValues(new Uint8Array(16)));
}

function show() {
  isAtEnd = true;
  user.value = state.user;
  conversation.replaceChildren(...chat().messages.map((message) => element(message)));
  welcome.hidden = conversation.childElementCount > 0;
}

/** A message as it is drawn. Its text is text: nothing in it is ever read as HTML. */
function element({ role, content, token }) {
  const article = document.createElement("article");
  article.className = `message ${role}`;
  const name = document.createElement("span");
  name.className = "name";
  name.textContent = { user: "You:", assistant: "Shop assistant:", failure: "Problem:" }[role];
  const text = document.createElement("p");
  text.className = "text";
  text.textContent = content;
  article.append(name, text);
  if (role === "assistant") {
    const feedback = document.createElement("llm-feedback");
    if (token) feedback.setAttribute("token", token);
    else feedback.hidden = true;
    article.append(feedback);
  }
  growth.observe(article);
  return article;
}

function add(message) {
  welcome.hidden = true;
  const made = element(message);
  conversation.append(made);
  return made;
}

async function ask(content) {
  const { id, messages } = chat();
  messages.push({ role: "user", content });
  save();
  isAtEnd = true;
  add({ role: "user", content });
  const answer = { role: "assistant", content: "", token: "" };
  const drawn = add(answer);
  drawn.ariaBusy = "true";
  send.disabled = true;
  waiting = new AbortController();
  const { signal } = waiting;
  try {
    const body = { conversation: id, user: state.user, messages: toSend(messages) };
    const response = await fetch("/api/chat", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
      signal,
    });
    if (!response.ok) throw new Error(await reasonOf(response));
    answer.token = response.headers.get("Otel-Feedback-Token") ?? "";
    const feedback = drawn.querySelector("llm-feedback");
    feedback.setAttribute("disabled", ""); // an answer is rated when all of it has been read
    feedback.setAttribute("token", answer.token);
    feedback.hidden = !answer.token;
    await read(response, (piece) => {
      answer.content += piece;
      drawn.querySelector(".text").textContent = answer.content;
    });
    feedback.removeAttribute("disabled");
    messages.push(answer);
  } catch (error) {
    if (signal.aborted) return;
    if (answer.content && answer.token) {
      messages.push(answer); // what came of it can be rated too
      drawn.querySelector("llm-feedback").removeAttribute("disabled");
    } else {
      drawn.remove();
    }
    const failure = { role: "failure", content: inWords(error) };
    messages.push(failure);
    add(failure);
  } finally {
    drawn.ariaBusy = "false";
    if (!signal.aborted) {
      waiting = null;
      send.disabled = false;
      save();
    }
  }
}

/** The end of the conversation, without what went wrong. */
function toSend(messages) {
  const said = messages.filter(({ role, content }) => role !== "failure" && content.trim()).slice(-MOST_SENT);
  return said.map(({ role, content }) => ({ role, content }));
}

/** Hand over each piece of text as it arrives; throws if the answer breaks off. */
async function read(response, take) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new Error("The answer broke off. Ask again.");
    const lines = (rest + value).split("\n");
    rest = lines.pop();
    for (const line of lines.filter(Boolean)) {
      const { text, error, done: isComplete } = JSON.parse(line);
      if (error) throw new Error(error);
      if (isComplete) return;
      take(text);
    }
  }
}

async function reasonOf(response) {
  const { error } = await response.json().catch(() => ({}));
  return error?.message ?? `The shop answered with status ${response.status}. Try again in a minute.`;
}

function inWords(error) {
  return error instanceof TypeError ? "The shop can't be reached. Is it still running?" : error.message;
}

/** Leave the answer under way alone: nobody will read it. */
function stopWaiting() {
  waiting?.abort();
  waiting = null;
  send.disabled = false;
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  const content = question.value.trim();
  if (!content || waiting) return;
  question.value = "";
  ask(content);
});

question.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  composer.requestSubmit();
});

document.getElementById("suggestions").addEventListener("click", (event) => {
  const chosen = event.target.closest("button");
  if (!chosen || waiting) return;
  question.focus();
  ask(chosen.textContent);
});

document.getElementById("restart").addEventListener("click", () => {
  stopWaiting();
  delete state.chats[state.user];
  save();
  show();
  question.focus();
});

user.addEventListener("change", () => {
  stopWaiting();
  state.user = user.value;
  save();
  show();
});

show();
