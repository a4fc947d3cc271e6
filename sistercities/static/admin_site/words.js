// Describing photos by keyboard. Each row is saved as it is left; what is not saved stays in its
// fields, says so, and is tried again.
const root = document.getElementById("words");
const say = root.dataset;
const form = document.getElementById("rows");
document.documentElement.classList.add("is-scripted");

const RETRY = 10000; // milliseconds
const NAMES = ["caption", "alt", "decorative", "people", "consents", "credit", "licence"];
const saved = new Map(); // by key, what the server holds as far as we know

const rows = () => [...form.querySelectorAll(".row")];
const rowOf = (element) => element.closest?.(".row");
const field = (row, name) => row.querySelector(`[name="${name}-${row.dataset.key}"]`);
const read = (input) => (input.type === "checkbox" ? input.checked : input.value.replace(/\s*\n\s*/g, " ").trim());
const valuesOf = (row) => Object.fromEntries(NAMES.map((name) => [name, read(field(row, name))]));
const same = (one, other) => NAMES.every((name) => one[name] === other[name]);
const isSaved = (row) => same(valuesOf(row), saved.get(row));

function write(input, value) {
  if (input.type === "checkbox") input.checked = value;
  else input.value = Array.isArray(value) ? value.join(" ") : value;
}

function state(row, text, isBad = false) {
  const line = row.querySelector(".state");
  line.textContent = text;
  line.classList.toggle("is-bad", isBad);
}

// --- saving ---------------------------------------------------------------------------------

// One request at a time for a row; what was typed meanwhile goes with the next.
async function save(row) {
  if (row.isSending || row.isAsking || isSaved(row)) return;
  row.isSending = true;
  clearTimeout(row.timer);
  state(row, say.saving);
  const sent = valuesOf(row);
  const answer = await post(row);
  row.isSending = false;
  if (!answer.notes && answer.problem) {
    row.classList.add("is-left");
    state(row, answer.problem, true);
    row.timer = setTimeout(() => save(row), RETRY);
    return;
  }
  row.querySelector(".notes").innerHTML = answer.notes;
  document.getElementById("steps").innerHTML = answer.steps;
  row.classList.toggle("is-left", !answer.saved);
  if (answer.saved) settle(row, sent, answer);
  else {
    state(row, say.unsaved, true);
    row.refused = sent;
    row.theirs = answer.overtaken && answer;
    row.isAsking = answer.overtaken;
  }
}

// The row holds what the server holds, but for what was typed since it was sent.
function settle(row, sent, answer) {
  field(row, "mark").value = answer.mark;
  const typed = valuesOf(row);
  for (const name of NAMES) {
    const held = Array.isArray(answer.words[name]) ? answer.words[name].join(" ") : answer.words[name];
    if (typed[name] === sent[name] && typed[name] !== held) write(field(row, name), held);
    saved.set(row, { ...saved.get(row), [name]: held });
  }
  row.refused = null;
  state(row, say.saved);
  showConsents(row);
  if (!isSaved(row)) save(row);
}

async function post(row, isSecond = false) {
  const body = new FormData();
  body.append("row", row.dataset.key);
  body.append("csrfmiddlewaretoken", form.elements.csrfmiddlewaretoken.value);
  for (const input of row.querySelectorAll("[name]")) {
    if (input.type !== "checkbox") body.append(input.name, input.value);
    else if (input.checked) body.append(input.name, "on");
  }
  try {
    const response = await fetch(location.href, { method: "POST", body });
    const isAnswer = response.headers.get("Content-Type")?.includes("json");
    if (response.ok && isAnswer) return await response.json();
    const isOut = response.redirected || response.status === 403;
    if (isOut && !isSecond && (await renewToken())) return await post(row, true);
    return { problem: isOut ? say.gone : say.failed };
  } catch {
    return { problem: say.failed };
  }
}

// After signing in again the form needs the new session's token; whether there is one.
async function renewToken() {
  const response = await fetch(location.href);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  const token = page.querySelector("#rows [name=csrfmiddlewaretoken]");
  if (token) form.elements.csrfmiddlewaretoken.value = token.value;
  return Boolean(token);
}

// A row that was refused is not sent again as it was; a box ticked below it sends it.
function leave(row) {
  const isSame = row.refused && same(row.refused, valuesOf(row));
  if (!isSame) save(row);
}

// --- typing ---------------------------------------------------------------------------------

function go(row, by) {
  const all = rows();
  const next = all[all.indexOf(row) + by];
  if (next) field(next, "caption").focus();
  else document.activeElement.blur();
  next?.scrollIntoView({ block: "center", behavior: "instant" });
}

form?.addEventListener("keydown", (event) => {
  const row = rowOf(event.target);
  const isTyping = event.target.matches("textarea, input:not([type=checkbox])");
  if (!row || event.key !== "Enter" || event.isComposing || !(isTyping || event.ctrlKey || event.metaKey)) return;
  event.preventDefault();
  go(row, event.shiftKey ? -1 : 1);
});

form?.addEventListener("focusin", (event) => {
  const row = rowOf(event.target);
  if (row && row !== look.row) look(row);
});

form?.addEventListener("focusout", (event) => {
  const row = rowOf(event.target);
  if (row && rowOf(event.relatedTarget ?? document.body) !== row) leave(row);
});

form?.addEventListener("input", (event) => {
  const row = rowOf(event.target);
  if (!row) return;
  if (event.target.matches("textarea")) grow(event.target);
  if (!event.target.name.startsWith("sure-")) state(row, isSaved(row) ? "" : say.unsaved);
});

form?.addEventListener("change", (event) => {
  const row = rowOf(event.target);
  if (!row) return;
  if (event.target.name.startsWith("people-")) showConsents(row);
  if (event.target.name.startsWith("sure-") && event.target.checked) save(row);
  else if (!event.target.matches("textarea, input[name^=credit]")) leave(row);
});

form?.addEventListener("submit", () => {
  form.isLeaving = true;
});

root.addEventListener("click", (event) => {
  const row = rowOf(event.target);
  const { theirs } = row ?? {};
  if (event.target.matches(".mine, .theirs") && theirs) {
    field(row, "mark").value = theirs.mark;
    const typed = valuesOf(row);
    for (const name of NAMES) {
      const isMine = typed[name] !== saved.get(row)[name];
      if (!isMine || event.target.matches(".theirs")) write(field(row, name), theirs.words[name]);
    }
    for (const name of NAMES) saved.set(row, { ...saved.get(row), [name]: String(theirs.words[name]) });
    row.isAsking = row.theirs = null;
    row.classList.remove("is-left");
    row.querySelector(".notes").replaceChildren();
    for (const area of row.querySelectorAll("textarea")) grow(area);
    if (event.target.matches(".mine")) save(row);
    else settle(row, valuesOf(row), theirs);
    field(row, "caption").focus();
  }
  const choose = event.target.closest(".choose");
  if (choose) open(choose);
});

addEventListener("beforeunload", (event) => {
  if (form && !form.isLeaving && rows().some((each) => !isSaved(each))) event.preventDefault();
});

// --- looking --------------------------------------------------------------------------------

const frame = document.querySelector(".look img");

function look(row) {
  look.row?.classList.remove("is-looked-at");
  look.row = row;
  row.classList.add("is-looked-at");
  const picture = row.querySelector("img");
  frame.parentElement.classList.toggle("is-empty", !picture);
  if (picture) {
    frame.src = picture.src;
    const large = new Image();
    large.onload = () => look.row === row && (frame.src = large.src);
    large.src = picture.dataset.look;
  }
}

// As many lines as the words need.
function grow(area) {
  area.style.blockSize = "auto";
  area.style.blockSize = `${area.scrollHeight + 2}px`;
}

// --- consents -------------------------------------------------------------------------------

const dialog = document.getElementById("consents");
const bulk = form?.elements["all-consents"];

function showConsents(row) {
  const box = row.querySelector(".consents");
  box.hidden = field(row, "people").value !== "minors";
  const number = field(row, "consents").value.split(" ").filter(Boolean).length;
  box.querySelector("output").textContent = number ? say.consents.replace("{count}", number) : say.none;
}

function open(button) {
  const row = rowOf(button);
  const input = row ? field(row, "consents") : bulk;
  const keys = new Set(input.value.split(" "));
  const boxes = [...dialog.querySelectorAll("[type=checkbox]")];
  for (const box of boxes) box.checked = keys.has(box.value);
  dialog.querySelector(".find").value = "";
  find();
  dialog.returnValue = "";
  dialog.onclose = () => {
    if (dialog.returnValue === "take") {
      input.value = boxes.filter((box) => box.checked).map((box) => Number(box.value)).sort((a, b) => a - b).join(" ");
      if (row) {
        showConsents(row);
        leave(row);
      } else {
        button.nextElementSibling.textContent = say.consents.replace("{count}", input.value.split(" ").filter(Boolean).length);
      }
    }
    button.focus();
  };
  dialog.showModal();
}

function find() {
  const wanted = dialog.querySelector(".find").value.trim().toLowerCase();
  for (const item of dialog.querySelectorAll("li")) item.hidden = !item.textContent.toLowerCase().includes(wanted);
}

dialog?.addEventListener("input", (event) => event.target.matches(".find") && find());

// --------------------------------------------------------------------------------------------

if (form) {
  for (const row of rows()) {
    saved.set(row, row.classList.contains("is-left") ? {} : valuesOf(row));
    for (const area of row.querySelectorAll("textarea")) if (area.value.length > 40) grow(area);
  }
  look(rows()[0]);
}
