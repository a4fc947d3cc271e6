// Solves a small puzzle before a form is sent, so that mass posting costs robots time.
// Starts when a visitor reaches the form, works in a worker, and holds the sending back until it
// is done. Whatever goes wrong, the form is sent without: the server then allows a few.
const LIMIT = 30e3, STALE = 20 * 60e3; // milliseconds; the server takes a solution for 30 minutes

const later = (ms) => new Promise((resolve) => setTimeout(resolve, ms, ""));

async function solve({ challenge: url, worker: script }) {
  let worker;
  try {
    const answer = await fetch(url, { cache: "no-store", credentials: "omit" });
    const challenge = await answer.json();
    worker = new Worker(script);
    const solution = await new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = reject;
      worker.postMessage({ type: "work", challenge, timeout: LIMIT });
    });
    return solution?.derivedKey ? btoa(JSON.stringify({ challenge, solution })) : "";
  } catch {
    return "";
  } finally {
    worker?.terminate();
  }
}

for (const form of document.querySelectorAll("form[data-challenge]")) {
  const status = form.querySelector("[role=status]");
  const { proof } = form.elements;
  let work, begun, done, state;
  const reset = () => {
    work = state = undefined;
    proof.value = status.textContent = "";
  };
  const start = () => {
    if (work && Date.now() - begun < STALE) return;
    begun = Date.now();
    done = false;
    const mine = Promise.race([solve(form.dataset), later(LIMIT)]).then((solution) => {
      if (mine !== work) return; // begun anew since
      proof.value = solution;
      done = true;
    });
    work = mine;
  };
  form.addEventListener("focusin", start);
  if (form.contains(document.activeElement)) start(); // the focus that brought this file
  form.addEventListener("submit", async (event) => {
    if (state) return event.preventDefault(); // pressed twice
    start();
    if (done) {
      state = "sent";
      later(1e4).then(reset); // still here by then: the sending was stopped
      return;
    }
    event.preventDefault();
    state = "waiting";
    status.textContent = form.dataset.working;
    await work;
    state = undefined;
    status.textContent = "";
    form.requestSubmit(event.submitter); // comes by here again, done
  });
  // Back from the next page: that solution is spent.
  addEventListener("pageshow", (event) => event.persisted && reset());
}
