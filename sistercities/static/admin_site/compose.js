// Composing a letter: order by dragging or by keys, lengths, and the letter as it will look. The
// page works without: blocks then have a number for their place, and the preview a button.
document.documentElement.classList.add("is-scripted");
const form = document.getElementById("issue_form");
const group = form.querySelector(".blocks");
const say = group.dataset;
const blocks = () => [...group.querySelectorAll(".inline-related:not(.empty-form)")];
const status = form.querySelector(".submit-row .state");

// --- saved or not ---------------------------------------------------------------------------

let isChanged = false;
let isSending = false;
function changed() {
  isChanged = true;
  if (status) status.textContent = status.dataset.unsaved;
  lookSoon();
}
form.addEventListener("input", changed);
form.addEventListener("change", changed);

// Who was signed out meanwhile signs in elsewhere and loses nothing here. The new session has a
// token of its own.
async function mayPost() {
  const response = await fetch(location.href);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const token = page.querySelector("#issue_form [name=csrfmiddlewaretoken]");
  if (token) form.elements.csrfmiddlewaretoken.value = token.value;
  document.getElementById("sign-in").hidden = Boolean(token);
  return Boolean(token);
}

let isAsking = false;
form.addEventListener("submit", async (event) => {
  if (isSending) return;
  event.preventDefault();
  if (isAsking) return;
  isAsking = true;
  status.textContent = status.dataset.saving;
  try {
    isSending = await mayPost();
    if (isSending) form.requestSubmit(event.submitter);
    else status.textContent = status.dataset.gone;
  } catch {
    status.textContent = status.dataset.failed;
  }
  isAsking = false;
});
addEventListener("beforeunload", (event) => isChanged && !isSending && event.preventDefault());

// --- lengths --------------------------------------------------------------------------------

for (const field of form.querySelectorAll("[data-best]")) {
  const line = document.createElement("span");
  const meter = document.createElement("meter");
  const count = document.createElement("output");
  line.className = "meter";
  Object.assign(meter, { min: 0, max: field.maxLength, optimum: 1, low: Number(field.dataset.best), high: Number(field.dataset.most) });
  meter.setAttribute("aria-hidden", "true");
  line.append(meter, count);
  (field.closest(".flex-container") ?? field).after(line);
  const show = () => {
    meter.value = field.value.length;
    count.textContent = `${field.value.length} / ${field.dataset.best}`;
    const shown = document.querySelector(`.inbox .${field.name}`);
    if (shown) shown.textContent = field.value;
  };
  field.addEventListener("input", show);
  show();
}

// --- order ----------------------------------------------------------------------------------

function number() {
  const all = blocks();
  all.forEach((block, index) => {
    block.querySelector("[name$='-order']").value = (index + 1) * 10;
    const [, earlier, later] = block.querySelectorAll(":scope > h3 .moves button");
    if (earlier) earlier.disabled = index === 0;
    if (later) later.disabled = index === all.length - 1;
  });
}

function place(block, before) {
  const all = blocks();
  const end = group.querySelector(".empty-form, .add-row");
  if (before !== block) block.parentElement.insertBefore(block, before ?? all.at(-1).nextElementSibling ?? end);
  number();
  changed();
  const at = blocks().indexOf(block);
  if (status) status.textContent = say.moved.replace("{place}", at + 1).replace("{count}", all.length);
}

function shift(block, by, button) {
  const all = blocks();
  const at = all.indexOf(block);
  const to = Math.max(0, Math.min(all.length - 1, at + by));
  if (to === at) return;
  place(block, by < 0 ? all[to] : all[to].nextElementSibling);
  (button.disabled ? block.querySelector(".grip") : button).focus();
  block.scrollIntoView({ block: "nearest" });
}

function button(text, label, act) {
  const made = document.createElement("button");
  Object.assign(made, { type: "button", textContent: text });
  made.setAttribute("aria-label", label);
  made.addEventListener("click", act);
  return made;
}

// The editor is no field, so its label does not reach it.
function name(editor) {
  const label = editor.closest(".form-row")?.querySelector("label");
  if (label) editor.setAttribute("aria-label", label.textContent.trim());
}

function dress(block) {
  for (const editor of block.querySelectorAll(".ProseMirror")) name(editor);
  if (block.querySelector(":scope > h3 .moves")) return;
  const moves = document.createElement("span");
  moves.className = "moves";
  const grip = button("⠿", say.drag, () => {});
  grip.className = "grip";
  grip.addEventListener("keydown", (event) => {
    const by = { ArrowUp: -1, ArrowDown: 1, Home: -Infinity, End: Infinity }[event.key];
    if (!by) return;
    event.preventDefault();
    shift(block, by, grip);
  });
  grip.addEventListener("pointerdown", (event) => drag(event, block, grip));
  const earlier = button("↑", say.earlier, () => shift(block, -1, earlier));
  const later = button("↓", say.later, () => shift(block, 1, later));
  moves.append(grip, earlier, later);
  block.querySelector(":scope > h3").prepend(moves);
}

function drag(event, block, grip) {
  if (event.button) return;
  event.preventDefault();
  block.classList.add("is-lifted");
  const move = ({ clientY }) => {
    const rest = blocks().filter((each) => each !== block);
    const target = rest.find((each) => clientY < each.getBoundingClientRect().top + each.offsetHeight / 2) ?? null;
    const now = block.nextElementSibling;
    if (target !== now && (target || rest.at(-1) !== block.previousElementSibling)) {
      block.parentElement.insertBefore(block, target ?? rest.at(-1).nextElementSibling);
    }
    if (clientY < 60) scrollBy(0, -12);
    if (clientY > innerHeight - 60) scrollBy(0, 12);
  };
  const end = () => {
    removeEventListener("pointermove", move);
    removeEventListener("pointerup", end);
    removeEventListener("pointercancel", end);
    block.classList.remove("is-lifted");
    place(block, block);
    grip.focus();
  };
  // The window's events: what is put elsewhere in the page loses the pointer that it captured.
  addEventListener("pointermove", move);
  addEventListener("pointerup", end);
  addEventListener("pointercancel", end);
}

for (const block of blocks()) dress(block);
addEventListener("load", () => blocks().forEach(dress));
number();
document.addEventListener("formset:added", ({ target }) => {
  dress(target);
  setTimeout(() => dress(target)); // its editor is there a moment later
  number();
  changed();
});
document.addEventListener("formset:removed", () => { number(); changed(); });

// --- the letter as it will look -------------------------------------------------------------

const looker = document.getElementById("preview-form");
const frame = document.querySelector("iframe[name=preview]");
const side = document.querySelector(".look");
let timer;
let asked = 0;

function lookSoon() {
  clearTimeout(timer);
  side.classList.add("is-stale");
  timer = setTimeout(() => look(), 600);
}

async function look(isSecond = false) {
  const body = new FormData(form);
  for (const [name, value] of [...body]) if (value instanceof File) body.delete(name);
  for (const [name, value] of new FormData(looker)) body.append(name, value);
  const mine = ++asked;
  let answer = {};
  let problem = status.dataset.failed;
  try {
    const response = await fetch(looker.action, { method: "POST", body });
    if (response.redirected || response.status === 403) {
      if (!isSecond && (await mayPost())) return look(true);
      problem = status.dataset.gone;
    } else {
      answer = await response.json();
      problem = answer.is_valid ? "" : `${looker.dataset.incomplete} ${answer.incomplete}`;
    }
  } catch { /* no line: the last preview stays */ }
  if (mine !== asked) return;
  side.classList.remove("is-stale");
  looker.querySelector(".state").textContent = problem;
  if (answer.is_valid) show(answer);
}

function show({ html, text, problems }) {
  const top = frame.contentWindow?.scrollY ?? 0;
  const page = new DOMParser().parseFromString("<pre></pre>", "text/html");
  page.querySelector("pre").textContent = text;
  const isText = looker.elements.look.value === "text";
  frame.addEventListener("load", () => frame.contentWindow.scrollTo(0, top), { once: true });
  frame.srcdoc = isText ? page.documentElement.outerHTML : html;
  const list = form.querySelector(".checks ul");
  const lines = problems.length ? problems : [[null, list.dataset.good]];
  list.replaceChildren(...lines.map(([isBlocking, words]) => {
    const line = document.createElement("li");
    line.className = isBlocking === null ? "good" : isBlocking ? "must" : "advice";
    if (isBlocking !== null) {
      const lead = document.createElement("b");
      lead.textContent = isBlocking ? list.dataset.must : list.dataset.advice;
      line.append(lead, " ");
    }
    line.append(words);
    return line;
  }));
}

looker.addEventListener("change", () => look());

// Refused: nothing of it is kept yet, and the first mistake takes the focus.
if (form.querySelector(".errornote")) {
  changed();
  addEventListener("load", () => form.querySelector(".errors :is(input, select, textarea)")?.focus());
}
