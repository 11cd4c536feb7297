// All the console's script: everything works without it.
"use strict";

// The page that waits for a scan asks for its own state, and moves on once there is something new.
const waiting = document.querySelector("[data-wait]");
if (waiting) {
  const ask = async () => {
    try {
      const answer = await fetch(location.href, { headers: { Accept: "text/html" }, cache: "no-store" });
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const state = page.querySelector("[data-wait]")?.dataset.wait;
      if (answer.redirected || state !== waiting.dataset.wait) {
        location.replace(answer.redirected ? answer.url : location.href);
        return;
      }
    } catch {
      // The network is away for a moment: asked again below.
    }
    setTimeout(ask, 2000);
  };
  setTimeout(ask, 2000);
}

// A button that prints has no use without a script, so it is shown by it.
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => print());
}
