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
  let work, begun, state;
  const reset = () => {
    work = begun = state = undefined;
    form.elements.proof.value = status.textContent = "";
  };
  const start = () => {
    if (work && Date.now() - begun < STALE) return;
    begun = Date.now();
    work = Promise.race([solve(form.dataset), later(LIMIT)]);
  };
  form.addEventListener("focusin", start);
  form.addEventListener("submit", async (event) => {
    if (state === "ready") {
      state = "sent";
      later(1e4).then(reset); // still here: the sending was stopped
      return;
    }
    event.preventDefault();
    if (state) return; // pressed twice
    state = "waiting";
    status.textContent = form.dataset.working;
    start();
    form.elements.proof.value = await work;
    state = "ready";
    form.requestSubmit(event.submitter);
  });
  // Back from the next page: that solution is spent.
  addEventListener("pageshow", (event) => event.persisted && reset());
}
