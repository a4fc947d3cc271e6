// The pieces of a long gallery, the lightbox over its pictures, and the slideshow.
// All of it works without this file: each picture leads to a page of its own, and so does "More".
const isPlain = (event) => !(event.ctrlKey || event.metaKey || event.shiftKey || event.altKey || event.button);

// --- the page of one picture: the arrow keys turn it ---------------------------------------------

const TURNS = { ArrowLeft: "prev", ArrowRight: "next" };
if (document.querySelector(".turn")) {
  document.addEventListener("keydown", (event) => {
    if (!TURNS[event.key] || !isPlain(event) || event.target.closest("input, textarea, select")) return;
    document.querySelector(`.turn [rel=${TURNS[event.key]}]`)?.click();
  });
}

const album = document.querySelector("[data-album]");
const words = album?.dataset;
const figures = []; // by place in the whole gallery; holes where a piece is not read yet
const read = (root) => {
  const own = root.querySelector("[data-album]");
  const first = Number(own.dataset.first ?? 0);
  own.querySelectorAll(".photos figure").forEach((figure, i) => (figures[first + i] = figure));
  return first;
};
if (album) read(document);
const count = Number(words?.count ?? figures.length);

// --- pieces --------------------------------------------------------------------------------------

const nav = document.querySelector(".pieces");
const link = nav?.querySelector("[rel=next]");
const ahead = { next: link?.href, prev: document.querySelector(".earlier a")?.href };
const failed = {};
const underWay = {};
let lightbox;

// A day that has begun is continued, others follow. A row in sight, or half a screen away from a
// reader who scrolls, stays as it is.
const isNear = (figure) => figure.getBoundingClientRect().top < innerHeight * 1.5;
const append = (piece) => {
  for (const section of [...piece.querySelectorAll("[data-album] > section")]) {
    const rows = [...(document.getElementById(section.id)?.querySelectorAll(".photos") ?? [])].pop();
    if (!rows) album.append(section);
    else if (isNear(rows.lastElementChild)) rows.after(section.querySelector(".photos"));
    else rows.append(...section.querySelectorAll(".photos figure"));
  }
  for (const day of document.querySelectorAll(".toc a")) {
    if (document.getElementById(day.hash.slice(1))) day.href = day.hash;
  }
};

// Good news is for readers by ear: the others see it.
const tell = (text) => {
  const status = nav.querySelector("[role=status]");
  status.classList.toggle("vh", text !== nav.dataset.failed);
  status.textContent = text;
};

const countOn = (piece) => {
  const theirs = piece.querySelector(".pieces");
  nav.querySelector("[data-to]").textContent = theirs.querySelector("[data-to]").textContent;
  tell(theirs.dataset.said);
};

const load = async (way) => {
  const answer = await fetch(ahead[way]);
  if (!answer.ok) throw new Error(answer.statusText);
  const piece = new DOMParser().parseFromString(await answer.text(), "text/html");
  const first = read(piece);
  ahead[way] = piece.querySelector(way === "next" ? ".pieces [rel=next]" : ".earlier a")?.href;
  if (way === "next") {
    append(piece); // earlier pieces are only for the lightbox: above the reader nothing moves
    countOn(piece);
    if (document.activeElement === link) figures[first].querySelector("a").focus({ preventScroll: true });
    if (ahead.next) link.href = ahead.next;
    else link.remove();
  }
  lightbox?.refill?.();
};

// One at a time. After a failure the link is a plain link again.
const more = (way) => {
  if (!ahead[way] || failed[way]) return;
  underWay[way] ??= load(way)
    .catch(() => {
      failed[way] = true;
      tell(nav.dataset.failed);
    })
    .finally(() => delete underWay[way]);
  return underWay[way];
};

if (link) {
  link.addEventListener("click", (event) => {
    if (!isPlain(event) || failed.next) return;
    event.preventDefault();
    more("next");
  });
  const near = new IntersectionObserver(
    async ([entry]) => {
      if (!entry.isIntersecting) return;
      await more("next");
      near.unobserve(link); // asks anew where the link stands now
      if (ahead.next && !failed.next) near.observe(link);
    },
    { rootMargin: "0px 0px 1500px" },
  );
  // Nothing before the first scroll, and nothing unasked where data is dear.
  const watch = () => near.observe(link);
  if (!navigator.connection?.saveData) addEventListener("scroll", watch, { once: true, passive: true });
}

// --- the lightbox --------------------------------------------------------------------------------

const PAUSE = 5e3; // milliseconds that the slideshow shows a picture
const PLAY =
  '<svg class="pswp__icn" aria-hidden="true" viewBox="0 0 32 32" width="32" height="32">' +
  '<path class="start" d="M11 8v16l13-8z"/><path class="pause" d="M10 9h4v14h-4zm8 0h4v14h-4z"/></svg>';

const linkAt = (index) => figures[index]?.querySelector("a");
const captionAt = (index) => figures[index]?.querySelector("figcaption")?.textContent ?? "";

const slideAt = (index) => {
  const image = figures[index]?.querySelector("img");
  if (!image) return {};
  const width = Number(image.getAttribute("width"));
  const stem = image.getAttribute("src").replace(/(-\d+)?\.jpg$/, "");
  const suffix = image.currentSrc.endsWith(".avif") ? ".avif" : ".webp"; // who reads this file reads WebP
  const narrower = words.steps.split(" ").filter((step) => step < width);
  return {
    src: stem + suffix,
    srcset: [...narrower.map((step) => `${stem}-${step}${suffix} ${step}w`), `${stem}${suffix} ${width}w`].join(),
    width,
    height: Number(image.getAttribute("height")),
    alt: image.alt,
    msrc: image.currentSrc,
    element: figures[index],
    thumbCropped: true,
  };
};

const dressed = () =>
  new Promise((resolve, reject) => {
    if (document.querySelector(`link[href="${words.dress}"]`)) return resolve();
    const sheet = document.createElement("link");
    Object.assign(sheet, { rel: "stylesheet", href: words.dress, onload: resolve, onerror: reject });
    document.head.prepend(sheet); // before our own, which have the last word
  });

const open = async (index) => {
  if (lightbox) return;
  lightbox = {}; // being opened
  const [{ default: PhotoSwipe }] = await Promise.all([import(words.lightbox), dressed()]).catch((error) => {
    lightbox = undefined;
    throw error;
  });
  const ruler = document.createElement("p");
  const pswp = new PhotoSwipe({
    dataSource: { length: count },
    index,
    loop: false,
    preload: [1, 1],
    bgOpacity: 1,
    returnFocus: false, // to the picture that was shown last, below
    showAnimationDuration: 200,
    hideAnimationDuration: 200,
    zoomAnimationDuration: 200,
    closeTitle: words.close,
    zoomTitle: words.zoom,
    arrowPrevTitle: words.previous,
    arrowNextTitle: words.next,
    errorMsg: words.missing,
    // The picture leaves room for buttons and caption: neither ever lies on a face.
    paddingFn: ({ x }, _, at) => {
      ruler.textContent = captionAt(at);
      const side = x > 1000 ? 80 : 0;
      return { top: 60, bottom: ruler.textContent ? ruler.offsetHeight : 16, left: side, right: side };
    },
  });
  const blank = new Set();
  pswp.addFilter("itemData", (_, at) => {
    if (!figures[at]) blank.add(at);
    return slideAt(at);
  });

  let timer, live;
  const isLast = () => pswp.currIndex === count - 1;
  const show = (isPlaying) => {
    const button = pswp.element.querySelector(".pswp__button--play");
    button.title = isPlaying ? words.pause : words.play;
    button.setAttribute("aria-label", button.title);
    pswp.element.classList.toggle("pswp--playing", isPlaying);
    live.setAttribute("aria-live", isPlaying ? "off" : "polite");
  };
  const stop = () => {
    if (!timer) return;
    timer = clearTimeout(timer);
    show(false);
  };
  const step = () => {
    if (isLast() || failed.next) return stop();
    const isReady = !pswp.currSlide.content.isLoading() && figures[pswp.currIndex + 1];
    timer = setTimeout(step, isReady ? PAUSE : PAUSE / 10);
    if (isReady) pswp.next();
  };
  const play = () => {
    if (isLast()) pswp.goTo(figures.findIndex(Boolean));
    timer = setTimeout(step, PAUSE);
    show(true);
  };
  const toggle = () => (timer ? stop() : play());

  pswp.on("uiRegister", () => {
    pswp.ui.registerElement({ name: "play", title: words.play, order: 9, isButton: true, html: PLAY, onClick: toggle });
    pswp.ui.registerElement({ name: "caption", appendTo: "root", tagName: "p" });
    pswp.ui.registerElement({ name: "live", className: "vh", appendTo: "root", tagName: "p", onInit: (own) => (live = own) });
  });
  const asleep = (isAsleep) => {
    for (const part of document.body.children) part.inert = isAsleep && part !== pswp.element;
  };
  pswp.on("firstUpdate", () => {
    asleep(true);
    pswp.element.setAttribute("aria-modal", "true");
    pswp.element.setAttribute("aria-label", words.album);
    ruler.className = "pswp__caption ruler";
    document.body.append(ruler);
  });
  pswp.on("afterInit", () => {
    live.setAttribute("aria-live", "polite");
    const others = (event) => event.target.closest(".pswp__button--play") || stop();
    for (const act of ["pointerdown", "wheel", "click"]) pswp.element.addEventListener(act, others);
    pswp.events.add(document, "visibilitychange", stop);
  });
  pswp.on("keydown", ({ originalEvent: event }) => {
    if (event.key !== " ") return stop();
    if (event.target.closest("button")) return;
    event.preventDefault();
    toggle();
  });
  pswp.on("change", () => {
    const at = pswp.currIndex;
    const image = figures[at]?.querySelector("img");
    pswp.element.querySelector(".pswp__caption").textContent = captionAt(at);
    live.textContent = [`${at + 1} / ${count}`, image?.alt, captionAt(at)].filter(Boolean).join(". ");
    if (!figures[Math.min(at + 3, count - 1)]) more("next");
    if (!figures[Math.max(at - 3, 0)]) more("prev");
    if (!image || history.state?.picture === at) return;
    try {
      history.replaceState({ picture: at }, "", linkAt(at).href);
    } catch {} // some browsers allow only so many in a minute
    figures[at].scrollIntoView({ block: "center", behavior: "instant" });
  });
  pswp.on("close", () => {
    stop();
    if (history.state?.picture !== undefined) history.back();
  });
  pswp.on("destroy", () => {
    ruler.remove();
    asleep(false);
    lightbox = undefined;
    linkAt(figures[pswp.currIndex]?.isConnected ? pswp.currIndex : index)?.focus({ preventScroll: true });
  });

  lightbox = {
    // "Back" while it still opens: PhotoSwipe closes only what is open.
    close: () => (pswp.opener.isOpen ? pswp.close() : pswp.on("openingAnimationEnd", () => pswp.close())),
    // A piece has come: what was blank is filled.
    refill() {
      for (const at of [...blank].filter((at) => figures[at])) {
        blank.delete(at);
        pswp.contentLoader.removeByIndex(at);
        if (Math.abs(at - pswp.currIndex) < 2) pswp.refreshSlideContent(at);
      }
    },
  };
  if (history.state?.picture === undefined) {
    history.scrollRestoration = "manual"; // closing leads to the picture shown last
    history.pushState({ picture: index }, "", linkAt(index).href);
  }
  pswp.init();
};

album?.addEventListener("click", (event) => {
  const figure = event.target.closest(".photos a")?.parentElement;
  if (!figure || !isPlain(event)) return;
  event.preventDefault();
  open(figures.indexOf(figure)).catch(() => location.assign(figure.querySelector("a").href));
});

addEventListener("popstate", ({ state }) => {
  if (!album) return;
  if (state?.picture === undefined) {
    lightbox?.close?.();
    history.scrollRestoration = "auto";
  } else if (!lightbox) open(state.picture).catch(() => location.reload());
});
