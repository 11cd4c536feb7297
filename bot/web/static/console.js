// All the console's script: everything works without it.
"use strict";

// A page that waits asks for its own state, and moves on once there is something new. One that names a part of itself
// (data-from) asks for that alone and puts it in its place; the less changes, the less often it asks, and then no more.
const waiting = document.querySelector("[data-wait]");
if (waiting) {
  const from = waiting.dataset.from;
  const soon = 2000, longest = 30000, patience = 20;
  let pause = soon, still = 0;
  const ask = async () => {
    try {
      const answer = await fetch(from ?? location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const now = page.querySelector("[data-wait]");
      if (answer.redirected || !now || (!from && now.dataset.wait !== waiting.dataset.wait)) {
        location.replace(answer.redirected && !from ? answer.url : location.href);
        return;
      }
      if (now.dataset.wait !== waiting.dataset.wait) {
        waiting.dataset.wait = now.dataset.wait;
        waiting.replaceChildren(...now.childNodes);
        [pause, still] = [soon, 0];
      } else if (from) {
        [pause, still] = [Math.min(pause * 1.5, longest), still + 1];
      }
    } catch {
      // The network is away for a moment: asked again below.
    }
    if (still < patience) {
      later();
    } else {
      waiting.querySelector("[data-still]").hidden = false;
    }
  };
  // Nobody looks at a page in the background.
  const later = () => setTimeout(() => {
    if (!from || !document.hidden) {
      ask();
    } else {
      document.addEventListener("visibilitychange", ask, { once: true });
    }
  }, pause);
  later();
}

// A button that prints has no use without a script, so it is shown by it.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}

// A form that takes a while keeps what is typed: as a draft on the server, a few seconds after the last change, and when
// the page is put away. What cannot be kept just now stays in the form and is tried again.
const posted = (address, fields) =>
  fetch(address, { method: "POST", body: new URLSearchParams(fields), redirect: "manual", keepalive: true });
for (const form of document.querySelectorAll("form[data-draft]")) {
  const told = form.querySelector("[data-draft-told]");
  const still = 3000, again = 10000;
  let timer = 0, kept = "";
  const fields = () => [...new FormData(form)].filter(([, value]) => typeof value === "string");
  const keep = async () => {
    clearTimeout(timer);
    const now = new URLSearchParams(fields()).toString();
    if (now === kept) {
      return;
    }
    const lost = () => {
      told.textContent = told.dataset.lost;
      timer = setTimeout(keep, again);
    };
    try {
      const answer = await posted(form.dataset.draft, [...fields(), ["auto", "1"]]);
      if (answer.type !== "opaqueredirect") {
        lost();
        return;
      }
      kept = now;
      told.textContent = told.dataset.kept;
    } catch {
      lost();
    }
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(keep, still);
  });
  form.addEventListener("submit", () => clearTimeout(timer));
  document.addEventListener("visibilitychange", () => document.hidden && kept !== "" && keep());
}

// A number that is called is written down with the tap, and the telephone opens as ever.
for (const link of document.querySelectorAll("[data-rang]")) {
  link.addEventListener("click", () => {
    const form = document.getElementById(link.dataset.rang);
    posted(form.action, new FormData(form)).catch(() => {});
  });
}
