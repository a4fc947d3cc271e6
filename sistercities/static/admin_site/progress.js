// A letter on its way: shows every few seconds how far it is, and leaves the focus where it is.
// Without script the page loads itself anew.
const PARTS = ["state", "numbers", "orders", "unknown"];
const part = (name, page = document) => page.getElementById(name);

function replace(name, page) {
  const [old, now] = [part(name), part(name, page)];
  if (old.innerHTML === now.innerHTML) return;
  const hadFocus = old.contains(document.activeElement);
  old.replaceChildren(...now.childNodes);
  if (hadFocus) part("state").querySelector("h2").focus();
}

async function look() {
  let next = part("state").dataset.refresh;
  try {
    const response = await fetch(location.href);
    if (response.redirected) return location.reload(); // signed out
    if (response.ok) {
      const page = new DOMParser().parseFromString(await response.text(), "text/html");
      next = part("state", page).dataset.refresh;
      for (const name of PARTS) replace(name, page);
    }
  } catch { /* no line: it is tried again */ }
  if (next) setTimeout(look, next * 1000);
}

setTimeout(look, part("state").dataset.refresh * 1000);
