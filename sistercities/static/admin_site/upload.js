/* The drop zone. Dropzone sends the files, three at a time; here is what surrounds it: a row of
   words for each file, one bar for all, pause, waiting out a lost connection, the failed ones
   again, and what the site made of them since. Without this script the page is a plain form. */
(() => {
  "use strict";
  const page = document.querySelector("[data-drop]");
  if (!page || !window.Dropzone) return;

  const find = (selector) => page.querySelector(selector);
  const words = JSON.parse(document.getElementById("drop-words").textContent);
  const say = (name, values) => words[name].replace(/\{(\w+)\}/g, (_, key) => values[key]);
  const { fileUrl, stateUrl, answerUrl } = page.dataset;
  const [PIECE, LARGEST_WHOLE, LARGEST] = ["piece", "largestWhole", "largest"].map(
    (name) => Number(page.dataset[name]),
  );
  const AT_ONCE = 3;
  const TRIES = 3;
  const FIRST_PAUSE = 2000;
  const LONGEST_PAUSE = 60000;
  const SILENCE = 90000; // an upload that does not move for so long is taken for lost
  const LOOK_EVERY = 3000;
  const UNREACHABLE = [0, 408, 429, 502, 503, 504];
  let token = find("[name=csrfmiddlewaretoken]").value;

  // --- the rows ------------------------------------------------------------------------------

  const rows = new Map(); // by the key that the site gave
  for (const row of page.querySelectorAll(".file[data-id]")) rows.set(Number(row.dataset.id), row);

  function count(group) {
    const number = group.querySelector(".files").childElementCount;
    group.hidden = !number;
    group.querySelector(".count").textContent = number;
  }

  function place(row, name) {
    const before = row.closest("[data-group]");
    const group = find(`[data-group="${name}"]`);
    if (before === group) return;
    group.querySelector(".files").append(row);
    if (before) count(before);
    count(group);
  }

  function remove(row) {
    const group = row.closest("[data-group]");
    row.remove();
    if (group) count(group);
  }

  function write(row, name, text) {
    row.querySelector(`.file-${name}`).textContent = text;
  }

  function newRow() {
    return document.getElementById("file-row").content.firstElementChild.cloneNode(true);
  }

  /* Shows what the site says of a file: in its own row, or in `row` if it has none yet. */
  function show(told, row = rows.get(told.id) ?? newRow()) {
    const twin = rows.get(told.id);
    if (twin && twin !== row) remove(twin); // the same file came twice, or was here before
    rows.set(told.id, row);
    row.dataset.id = told.id;
    write(row, "name", told.name);
    write(row, "words", told.words);
    row.querySelector("progress").hidden = true;
    const answer = row.querySelector("form");
    answer.hidden = told.group !== "asked";
    answer.elements.upload.value = told.id;
    for (const button of answer.querySelectorAll("button")) {
      button.setAttribute("aria-label", `${button.textContent}: ${told.name}`);
    }
    row.querySelector(".file-picture").replaceChildren();
    delete row.dataset.thumbnail;
    if (told.thumbnail) row.dataset.thumbnail = told.thumbnail;
    if (told.is_ready) picture(row);
    place(row, told.group);
  }

  function picture(row) {
    const image = new Image(48, 48);
    image.loading = "lazy";
    image.decoding = "async";
    image.alt = "";
    image.src = row.dataset.thumbnail;
    image.addEventListener("error", () => image.remove());
    delete row.dataset.thumbnail;
    row.querySelector(".file-picture").replaceChildren(image);
  }

  // --- talking with the site -----------------------------------------------------------------

  async function ask(url, { headers, ...options } = {}) {
    const response = await fetch(url, {
      headers: { Accept: "application/json", ...headers },
      signal: AbortSignal.timeout?.(30000),
      ...options,
    });
    if (response.status === 304) return null;
    // Who is signed out is led to the sign-in page.
    if (!response.ok || response.redirected) {
      throw Object.assign(new Error(), { isRefused: response.redirected || response.status < 500 });
    }
    return { ...(await response.json()), etag: response.headers.get("ETag") };
  }

  // --- what the site has made of them --------------------------------------------------------

  let last = Number(page.dataset.last);
  let etag = "";
  let looking;
  let isWorking = true; // whether jobs still render or open something

  async function look() {
    const told = await ask(`${stateUrl}?after=${last}`, { headers: { "If-None-Match": etag } });
    if (!told) return;
    ({ etag, last, token } = told);
    isWorking = told.opening > 0 || told.unready.length > 0;
    document.getElementById("steps").innerHTML = told.steps;
    told.rows.forEach((file) => show(file));
    const unready = new Set(told.unready);
    for (const row of page.querySelectorAll("[data-thumbnail]")) {
      const key = Number(row.dataset.id);
      if (key <= last && !unready.has(key)) picture(row);
    }
    const ready = find("[data-ready]");
    ready.hidden = !told.stored;
    ready.textContent = say("ready", told);
    ready.dataset.outcome = say("outcome", told);
  }

  function watch() {
    looking ??= setTimeout(async () => {
      if (!document.hidden) await look().catch(() => {});
      looking = undefined;
      if (isWorking || isBusy()) watch();
    }, LOOK_EVERY);
  }

  // --- sending -------------------------------------------------------------------------------

  let hold = ""; // why nothing is sent: "", "paused", "lost", "signed_out", "full"
  let pause = FIRST_PAUSE;
  let probing;

  const dropzone = new Dropzone(document.body, {
    url: fileUrl,
    clickable: false,
    previewsContainer: false,
    createImageThumbnails: false,
    parallelUploads: AT_ONCE,
    maxFilesize: null,
    chunkSize: PIECE,

    accept(file, done) {
      done(file.size > LARGEST ? words.too_large : undefined);
    },

    /* Dropzone asks here before it looks whether the file goes in pieces. */
    transformFile(file, done) {
      const attempt = (file.attempt = (file.attempt ?? 0) + 1);
      const send = (inPieces) => {
        if (file.attempt !== attempt) return; // stopped and begun again meanwhile
        dropzone.options.chunking = inPieces;
        done(file);
      };
      if (file.size <= LARGEST_WHOLE) {
        send(false);
      } else {
        findPieces(file).then(
          () => send(true),
          (error) => {
            if (file.attempt !== attempt || file.status !== Dropzone.UPLOADING) return;
            dropzone.cancelUpload(file);
            if (error.isRefused) renew();
            else lose();
          },
        );
      }
    },

    params([file], _request, piece) {
      const said = { key: file.upload.uuid, size: file.size };
      if (!piece) return said;
      skipPieces(file);
      return { ...said, piece: piece.index };
    },
  });

  /* Learns which pieces are there already: of this page, or of an earlier one. */
  async function findPieces(file) {
    file.upload.uuid = await keyOf(file);
    const told = await ask(`${fileUrl}?key=${file.upload.uuid}`);
    const all = Array.from({ length: Math.ceil(file.size / PIECE) }, (_, number) => number);
    file.pieces = told.is_settled ? all : told.pieces;
    const before = find(`.file[data-key="${file.upload.uuid}"]`);
    if (before) remove(before);
  }

  /* The same file gives the same key tomorrow; an insecure address has no way to tell. */
  async function keyOf(file) {
    if (!window.crypto.subtle) return file.upload.uuid;
    const known = [stateUrl, file.name, file.size, file.lastModified].join("\n");
    const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(known));
    const bytes = Array.from(new Uint8Array(digest).subarray(0, 16));
    return bytes.map((byte) => byte.toString(16).padStart(2, "0")).join("");
  }

  function skipPieces(file) {
    for (const index of file.pieces) {
      const size = Math.min(PIECE, file.size - index * PIECE);
      const status = Dropzone.SUCCESS;
      file.upload.chunks[index] ??= { file, index, status, progress: 100, total: size, bytesSent: size };
    }
  }

  function again(file) {
    file.isHeld = file.hasFailed = false;
    write(file.row, "words", words.waits);
    place(file.row, "coming");
    file.status = Dropzone.ADDED;
    file.accepted = true;
    dropzone.enqueueFile(file);
  }

  function fail(file, reason, canBeTriedAgain) {
    file.isThrough = true;
    file.hasFailed = canBeTriedAgain;
    file.row.querySelector("progress").hidden = true;
    write(file.row, "words", reason);
    place(file.row, "refused");
  }

  function settle(file, told) {
    file.isThrough = true;
    pause = FIRST_PAUSE;
    show(told, file.row);
  }

  function stop(why) {
    clearTimeout(probing);
    hold = why;
    dropzone.options.autoProcessQueue = false;
    dropzone.getUploadingFiles().forEach((file) => dropzone.cancelUpload(file));
    update();
    if (why) announce();
  }

  function go() {
    clearTimeout(probing);
    hold = "";
    samples.length = 0;
    dropzone.options.autoProcessQueue = true;
    dropzone.files.filter((file) => file.isHeld).forEach(again);
    dropzone.processQueue();
    update();
  }

  /* Waits with growing pauses until the site answers again; then all goes on by itself. */
  function lose() {
    if (hold) return;
    stop("lost");
    probeLater();
  }

  function probeLater() {
    clearTimeout(probing);
    probing = setTimeout(probe, pause);
    pause = Math.min(pause * 2, LONGEST_PAUSE);
  }

  async function probe() {
    clearTimeout(probing);
    try {
      ({ token } = await ask(`${stateUrl}?after=${last}`));
    } catch (error) {
      if (hold === "lost") error.isRefused ? stop("signed_out") : probeLater();
      return;
    }
    if (hold !== "lost") return;
    announce(words.back);
    go();
  }

  /* Refused: signed out, or signed in again elsewhere, which makes the form's token worthless. */
  function renew() {
    if (hold) return;
    stop("lost");
    probe();
  }

  dropzone.on("addedfile", (file) => {
    file.row = newRow();
    write(file.row, "name", file.name);
    write(file.row, "words", words.waits);
    place(file.row, "coming");
    begin();
  });

  dropzone.on("processing", (file) => {
    file.heardAt = Date.now();
    write(file.row, "words", words.sending);
    file.row.querySelector("progress").hidden = false;
  });

  dropzone.on("sending", (file, request) => request.setRequestHeader("X-CSRFToken", token));

  dropzone.on("uploadprogress", (file, percent) => {
    file.heardAt = Date.now();
    file.row.querySelector("progress").value = percent;
    if (percent >= 100) write(file.row, "words", words.arrived);
  });

  dropzone.on("success", (file, told) => {
    if (told.id) {
      settle(file, told);
    } else {
      file.isHeld = true; // the sign-in page, where the outcome should be
      stop("signed_out");
    }
  });

  dropzone.on("error", (file, told, request) => {
    if (file.status === Dropzone.CANCELED) {
      file.isHeld = true;
      file.row.querySelector("progress").hidden = true;
      write(file.row, "words", words.waits);
    } else if (!request) {
      fail(file, told, false);
    } else if (told.id) {
      settle(file, told);
    } else if (UNREACHABLE.includes(request.status)) {
      file.isHeld = true;
      lose();
    } else if (request.status === 507) {
      file.isHeld = true;
      stop("full");
    } else {
      file.tries = (file.tries ?? 0) + 1;
      file.isHeld = file.tries < TRIES;
      if (!file.isHeld) fail(file, told.reason ?? say("not_sent", request), true);
      else if (request.status === 403) renew();
      else lose();
    }
  });

  // --- the bar, and what is said of all of them -------------------------------------------------

  const samples = []; // [moment, bytes sent], of the last half minute
  let ticking;
  let saidAt = 0;

  function isBusy() {
    return dropzone.files.some((file) => !file.isThrough);
  }

  function begin() {
    if (ticking) return;
    ticking = setInterval(update, 500);
    find("[data-going]").hidden = false;
    stayAwake();
    watch();
    requestAnimationFrame(update); // once for hundreds of files
  }

  function update() {
    const files = dropzone.files;
    const done = files.filter((file) => file.isThrough).length;
    const bytes = files.reduce((sum, file) => sum + file.size, 0);
    const sent = files.reduce((sum, file) => sum + sentOf(file), 0);
    if (!hold && isBusy()) {
      samples.push([Date.now(), sent]);
      while (samples[0][0] < Date.now() - 30000) samples.shift();
      const isSilent = (file) => file.heardAt < Date.now() - SILENCE;
      if (dropzone.getUploadingFiles().some(isSilent)) lose();
    }
    find(".going-bar").value = bytes ? (1000 * sent) / bytes : 1000;
    find(".going-words").textContent = sentence(done, files.length, bytes - sent);
    const pauseButton = find("[data-pause]");
    pauseButton.hidden = !isBusy();
    pauseButton.textContent = hold ? words.go : words.stop;
    const failed = files.filter((file) => file.hasFailed).length;
    const retry = find("[data-retry]");
    retry.hidden = !failed;
    retry.textContent = say("failed", { count: failed });
    if (ticking && !isBusy()) end();
    else if (!hold && Date.now() > saidAt + 20000) announce();
  }

  function sentOf(file) {
    if (file.isThrough) return file.size;
    return file.status === Dropzone.UPLOADING ? Math.min(file.size, file.upload.bytesSent) : 0;
  }

  function sentence(done, all, bytesLeft) {
    if (hold) return say(hold, { done, all });
    if (done === all) return say(all > 1 ? "through" : "through_one", { all });
    const [first, newest] = [samples[0], samples[samples.length - 1]];
    const seconds = newest && (newest[0] - first[0]) / 1000;
    const speed = seconds > 3 ? (newest[1] - first[1]) / seconds : 0;
    if (speed <= 0) return say("going", { done, all });
    const minutes = Math.round(bytesLeft / speed / 60);
    return say(minutes > 1 ? "minutes" : "minute", { done, all, minutes });
  }

  /* For who listens: seldom, and when something changes. */
  function announce(text = find(".going-words").textContent) {
    saidAt = Date.now();
    find("[data-live]").textContent = text;
  }

  async function end() {
    clearInterval(ticking);
    ticking = undefined;
    stayAwake();
    await look().catch(() => {});
    const outcome = find("[data-ready]").dataset.outcome ?? "";
    announce(`${find(".going-words").textContent} ${outcome}`);
  }

  /* A phone that falls asleep stops sending. */
  let awake;
  async function stayAwake() {
    const isWanted = isBusy() && !document.hidden;
    if (isWanted && !awake) awake = await navigator.wakeLock?.request("screen").catch(() => null);
    if (!isWanted && awake) {
      awake.release();
      awake = null;
    }
  }

  // --- what people do ------------------------------------------------------------------------

  const input = document.getElementById("files");
  page.classList.add("is-live");
  input.addEventListener("change", () => {
    for (const file of [...input.files]) dropzone.addFile(file);
    input.value = "";
  });
  find("[data-pause]").addEventListener("click", () => (hold ? go() : stop("paused")));
  find("[data-retry]").addEventListener("click", () => {
    for (const file of dropzone.files.filter((some) => some.hasFailed)) {
      file.isThrough = false;
      file.tries = 0;
      again(file);
    }
    begin();
  });

  page.addEventListener("submit", async (event) => {
    const form = event.target.closest("[data-answer]");
    if (!form) return;
    event.preventDefault();
    const body = new FormData(form);
    body.delete("csrfmiddlewaretoken"); // the one in the header is newer
    body.append("answer", event.submitter.value);
    const buttons = form.querySelectorAll("button");
    buttons.forEach((button) => (button.disabled = true));
    try {
      const headers = { "X-CSRFToken": token };
      const told = await ask(answerUrl, { method: "POST", body, headers });
      document.getElementById("steps").innerHTML = told.steps;
    told.rows.forEach((file) => show(file));
      (find('[data-group="asked"] .files button') ?? find("[data-group=done] h2")).focus();
      isWorking = true;
      watch();
    } catch {
      (form.closest(".file") ?? form).querySelector(".file-words").textContent = words.no_answer;
    } finally {
      buttons.forEach((button) => (button.disabled = false));
    }
  });

  window.addEventListener("offline", () => isBusy() && !hold && lose());
  window.addEventListener("online", () => hold === "lost" && probe());
  document.addEventListener("visibilitychange", () => stayAwake());
  window.addEventListener("beforeunload", (event) => isBusy() && event.preventDefault());
  watch();
})();
