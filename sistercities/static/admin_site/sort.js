// Sorting photos. Every change is one of the page's own forms, sent in the background; the answer
// is the page anew, and what changed in it takes its place. So the server alone says what is so.
const root = document.getElementById("sort");
const say = root.dataset;
document.documentElement.classList.add("is-scripted");

let last; // the photo that was chosen last, for choosing a row of them with Shift
let queue = Promise.resolve();
let waiting = 0;
let chosen = new Set();

const photos = () => root.querySelector("#photos");
const boxes = (inside = photos()) => [...inside.querySelectorAll("input[name=photo]")];
const card = (key) => document.getElementById(`photo-${key}`);
const keyOf = (item) => item.dataset.key;

function tell(text, isError = false) {
  const line = document.createElement("p");
  line.className = isError ? "error" : "";
  line.textContent = text;
  root.querySelector(".said").replaceChildren(line);
}

// --- sending --------------------------------------------------------------------------------

// One after the other, in the order in which they were done; only the last answer is shown.
function send(fields) {
  waiting += 1;
  root.classList.add("is-saving");
  queue = queue.then(() => post(fields)).finally(() => {
    waiting -= 1;
    root.classList.toggle("is-saving", waiting > 0);
  });
  return queue;
}

async function post(fields) {
  const token = root.querySelector("[name=csrfmiddlewaretoken]").value;
  const body = new URLSearchParams([["csrfmiddlewaretoken", token], ...fields]);
  try {
    const response = await fetch(location.pathname, { method: "POST", body });
    const text = await response.text();
    const answer = new DOMParser().parseFromString(text, "text/html").getElementById("sort");
    if (answer) {
      if (waiting === 1) show(answer);
    } else {
      fail(response.redirected || response.status === 403 ? say.gone : say.failed);
    }
  } catch {
    fail(say.failed);
  }
}

addEventListener("beforeunload", (event) => waiting && event.preventDefault());

// Puts the cards back to where they were when the server last spoke.
function fail(text) {
  for (const [list, items] of asTold) list.replaceChildren(...items);
  number();
  tell(text, true);
}

// --- showing --------------------------------------------------------------------------------

let asTold; // each day's cards as the server last told them

// Cards that did not change stay the same elements and in the same place before the eyes.
function show(answer) {
  const open = [...root.querySelectorAll("details[open][id]")].map((each) => each.id);
  const focus = wayTo(document.activeElement);
  const middle = innerHeight / 2;
  const places = [...root.querySelectorAll(".card[id]")]
    .map((each) => [each.id, each.getBoundingClientRect().top])
    .sort(([, one], [, other]) => Math.abs(one - middle) - Math.abs(other - middle));
  for (const fresh of answer.querySelectorAll(".card[id]")) {
    const known = card(fresh.dataset.key);
    if (known?.source === fresh.outerHTML) fresh.replaceWith(known);
    else fresh.source = fresh.outerHTML;
  }
  root.replaceChildren(...answer.childNodes);
  for (const id of open) document.getElementById(id)?.setAttribute("open", "");
  const [id, top] = places.find(([each]) => document.getElementById(each)) ?? [];
  if (id) scrollBy({ top: document.getElementById(id).getBoundingClientRect().top - top, behavior: "instant" });
  if (focus) root.querySelector(focus)?.focus({ preventScroll: true });
  ready();
}

// A selector that finds the same button again on the new page.
function wayTo(element) {
  if (!root.contains(element)) return "";
  const own = element.matches(".grip") ? ".grip" : `[name="${element.name}"][value="${element.value}"]`;
  const home = element.closest(".card[id]");
  return home ? `#${home.id} ${own}` : element.name ? own : "";
}

function ready() {
  for (const box of boxes()) box.checked = chosen.has(box.value);
  asTold = [...root.querySelectorAll("#photos .cards")].map((list) => [list, [...list.children]]);
  count();
  number();
}

// What the arrows and screen readers go by.
function number() {
  for (const list of root.querySelectorAll("#photos .cards")) {
    const items = [...list.children];
    items.forEach((item, index) => {
      item.querySelector("[name=earlier]").disabled = index === 0;
      item.querySelector("[name=later]").disabled = index === items.length - 1;
    });
  }
}

// --- choosing -------------------------------------------------------------------------------

function count() {
  const all = boxes();
  chosen = new Set(all.filter((box) => box.checked).map((box) => box.value));
  photos()?.classList.toggle("is-choosing", chosen.size > 0);
  if (chosen.size === 1) pick([...chosen][0]);
  const line = root.querySelector(".chosen");
  if (line) line.textContent = chosen.size ? say.chosen.replace("{count}", chosen.size) : "";
  for (const button of root.querySelectorAll(".all")) {
    const own = boxes(button.closest("section"));
    button.textContent = own.every((box) => box.checked) ? say.none : say.all;
  }
}

root.addEventListener("click", (event) => {
  const box = event.target.closest("input[name=photo]");
  if (box) {
    const all = boxes();
    const [from, to] = [all.indexOf(card(last)?.querySelector("input")), all.indexOf(box)];
    if (event.shiftKey && from >= 0) {
      for (const each of all.slice(Math.min(from, to), Math.max(from, to) + 1)) each.checked = box.checked;
    }
    last = box.value;
    count();
  }
  const all = event.target.closest(".all");
  if (all) {
    const own = boxes(all.closest("section"));
    const on = !own.every((each) => each.checked);
    for (const each of own) each.checked = on;
    count();
  }
  if (event.target.closest(".none")) {
    for (const each of boxes()) each.checked = false;
    count();
  }
});

// --- buttons --------------------------------------------------------------------------------

root.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button?.name) return;
  event.preventDefault();
  if (button.name === "earlier" || button.name === "later") {
    shift(button.closest(".card"), button.name === "earlier" ? -1 : 1, button);
    return;
  }
  const fields = [...new FormData(event.target, button)].filter(
    ([name]) => name !== "csrfmiddlewaretoken" && !name.startsWith("number-"),
  );
  if (["delete", "move", "hide", "show"].includes(button.value)) chosen.clear();
  send(fields);
});

// --- moving ---------------------------------------------------------------------------------

// Shows at once where the cards go and has it saved.
function place(items, section, before) {
  const list = section.querySelector(".cards");
  for (const item of items) list.insertBefore(item, before);
  number();
  send([
    ["do", "place"],
    ["chapter", section.dataset.chapter],
    ["before", before ? keyOf(before) : ""],
    ...items.map((item) => ["photo", keyOf(item)]),
  ]);
}

function fits(items, target) {
  const stays = items.every((item) => item.closest("section").dataset.chapter === target.dataset.chapter);
  return stays || (target.matches("a, [data-takes-free]") && items.every((item) => "free" in item.dataset));
}

function shift(item, by, button) {
  const items = [...item.parentElement.children];
  const at = items.indexOf(item);
  const to = Math.max(0, Math.min(items.length - 1, by === Infinity ? items.length - 1 : by === -Infinity ? 0 : at + by));
  if (to === at) return;
  const rest = items.filter((each) => each !== item);
  place([item], item.closest("section"), rest[to] ?? null);
  (button.disabled ? item.querySelector(".grip") : button).focus();
  item.scrollIntoView({ block: "nearest" });
  tell(say.moved.replace("{place}", to + 1).replace("{count}", items.length));
}

root.addEventListener("keydown", (event) => {
  const grip = event.target.closest(".grip");
  const row = () => Math.max(1, Math.round(grip.closest(".cards").clientWidth / grip.closest(".card").offsetWidth));
  const steps = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
  if (grip && event.key in steps) {
    event.preventDefault();
    shift(grip.closest(".card"), steps[event.key], grip);
  } else if (grip && (event.key === "ArrowUp" || event.key === "ArrowDown")) {
    event.preventDefault();
    shift(grip.closest(".card"), event.key === "ArrowUp" ? -row() : row(), grip);
  } else if (event.key === "Escape" && drag) {
    drop(false);
  }
});

// --- dragging: the picture with a mouse, the grip with a finger or a pen ---------------------

let drag;

root.addEventListener("pointerdown", (event) => {
  const item = event.target.closest("#photos .card");
  const handle = event.pointerType === "mouse" ? event.target.closest(".card img, .card .blank, .grip") : event.target.closest(".grip");
  if (!item || !handle || event.button) return;
  drag = { item, x: event.clientX, y: event.clientY, pointer: event.pointerId, on: false };
});

addEventListener("pointermove", (event) => {
  if (!drag || event.pointerId !== drag.pointer) return;
  [drag.nowX, drag.nowY] = [event.clientX, event.clientY];
  if (!drag.on && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) > 6) lift();
  if (drag.on) aim();
});

addEventListener("pointerup", (event) => drag?.pointer === event.pointerId && drop(true));
addEventListener("pointercancel", (event) => drag?.pointer === event.pointerId && drop(false));
// A click that ends a drag is not meant to choose the photo.
addEventListener("click", (event) => justDropped && event.preventDefault(), true);
let justDropped = false;

function lift() {
  drag.on = true;
  const together = chosen.has(keyOf(drag.item)) ? boxes().filter((box) => box.checked).map((box) => box.closest(".card")) : [drag.item];
  drag.items = together;
  for (const item of together) item.classList.add("is-lifted");
  root.classList.add("is-dragging");
  drag.ghost = document.createElement("div");
  drag.ghost.className = "ghost";
  drag.ghost.append(drag.item.querySelector("img, .blank").cloneNode(true));
  if (together.length > 1) drag.ghost.append(Object.assign(document.createElement("b"), { textContent: together.length }));
  document.body.append(drag.ghost);
  scroll();
}

function aim() {
  drag.ghost.style.translate = `${drag.nowX + 8}px ${drag.nowY + 8}px`;
  unmark();
  const under = document.elementFromPoint(drag.nowX, drag.nowY);
  const target = under?.closest("#sort [data-chapter]");
  drag.target = null;
  if (!target) return;
  const allowed = fits(drag.items, target);
  target.classList.add(allowed ? "is-target" : "is-closed");
  if (!allowed) {
    drag.refused = true;
    return;
  }
  drag.refused = false;
  const section = target.matches("a") ? document.getElementById(target.dataset.chapter) : target;
  let before = null;
  const over = under.closest(".card");
  if (over) {
    const box = over.getBoundingClientRect();
    before = drag.nowX < box.left + box.width / 2 ? over : over.nextElementSibling;
    over.classList.add(before === over ? "is-before" : "is-after");
  }
  while (before && drag.items.includes(before)) before = before.nextElementSibling;
  drag.target = { section, before };
}

function unmark() {
  for (const each of root.querySelectorAll(".is-target, .is-closed, .is-before, .is-after")) {
    each.classList.remove("is-target", "is-closed", "is-before", "is-after");
  }
}

function drop(isMeant) {
  const { on, items, ghost, target, refused } = drag;
  drag = null;
  if (!on) return;
  justDropped = true;
  setTimeout(() => (justDropped = false));
  unmark();
  ghost.remove();
  root.classList.remove("is-dragging");
  for (const item of items) item.classList.remove("is-lifted");
  if (isMeant && target) place(items, target.section, target.before);
  else if (isMeant && refused) tell(say.stays, true);
}

// Near the upper or lower edge the page moves along.
function scroll() {
  if (!drag?.on) return;
  const edge = 80;
  const by = drag.nowY < edge ? drag.nowY - edge : Math.max(0, drag.nowY - innerHeight + edge);
  if (by) {
    scrollBy(0, by / 4);
    aim();
  }
  requestAnimationFrame(scroll);
}

// --- clocks of cameras ----------------------------------------------------------------------

// The one photo that is chosen is the one whose real time is asked for.
function pick(key) {
  const option = root.querySelector(`.camera option[value="${key}"]`);
  if (!option) return;
  option.selected = true;
  picture(option.closest("form"));
}

function picture(form) {
  const option = form.elements.of.selectedOptions[0];
  form.querySelector(".picked").src = option.dataset.picture;
}

root.addEventListener("toggle", (event) => {
  if (event.target.id === "cameras") for (const form of root.querySelectorAll(".camera")) picture(form);
}, true);

// Says before it is saved what a real time would do to the whole series.
root.addEventListener("input", (event) => {
  const form = event.target.closest(".camera");
  if (!form) return;
  picture(form);
  const options = [...form.elements.of.options];
  const wall = (option) => Date.parse(`${option.dataset.wall}Z`);
  const real = Date.parse(`${form.elements.real_time.value}Z`);
  const by = real - wall(form.elements.of.selectedOptions[0]);
  const moment = (option) => new Date(wall(option) + by).toLocaleString(document.documentElement.lang, { timeZone: "UTC", dateStyle: "medium", timeStyle: "short" });
  const minutes = Math.round(Math.abs(by) / 60000);
  const shifted = `${by < 0 ? "−" : "+"}${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, "0")}`;
  form.querySelector("output").textContent = Number.isNaN(by) ? "" : say.shift
    .replace("{count}", options.length).replace("{shift}", shifted)
    .replace("{first}", moment(options[0])).replace("{last}", moment(options.at(-1)));
});

for (const each of root.querySelectorAll(".card[id]")) each.source = each.outerHTML;
ready();
