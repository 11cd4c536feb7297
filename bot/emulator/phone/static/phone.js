"use strict";

// The page works without this file, by forms and reloads. With it, forms are sent in the background, and new lines are
// fetched once a second. All text comes from the server, already escaped.
(() => {
  const phone = document.querySelector("[data-chat]");
  if (!phone) return;

  const VISIBLE_MS = 1000;
  const HIDDEN_MS = 4000;
  const AT_THE_END_PX = 160;
  const LOST = "和演示程序的连接断了，正在重试。如果一直这样，请看看它是不是已经停了。";

  const home = phone.dataset.chat;
  const byId = (id) => document.getElementById(id);
  const [screen, lines, status, form, text] = ["screen", "lines", "status", "say", "text"].map(byId);
  const [wire, wireBody, wireToggle] = ["wire", "wire-body", "wire-toggle"].map(byId);
  const isWide = window.matchMedia("(min-width: 1100px)");
  const title = document.title;
  let next = Number(phone.dataset.next);
  let menuVersion = phone.dataset.menu;
  let opener = null;

  const query = () => `?after=${next}&menu=${menuVersion}`;
  const toTheEnd = () => { screen.scrollTop = screen.scrollHeight; };
  // To the end, but not past the beginning of what is new: a long answer is read from its first line.
  const toTheNew = (line) => { screen.scrollTop = Math.min(screen.scrollHeight, line.offsetTop - lines.offsetTop); };
  const say = (sentence) => { if (status.textContent !== sentence) status.textContent = sentence; };

  const take = (update, isOwn) => {
    if (update.menu) {
      menuVersion = update.menu.version;
      byId("menu").innerHTML = update.menu.html;
    }
    byId("typing").hidden = !update.is_following;
    byId("stranger").hidden = update.is_following;
    byId("mend").hidden = !update.is_cut;
    say(update.status);
    // An answer to an earlier request: its lines are here already.
    if (update.after !== next || !update.html) return;
    const follows = isOwn || screen.scrollHeight - screen.scrollTop - screen.clientHeight < AT_THE_END_PX;
    if (update.answers) lines.querySelectorAll(".option").forEach((old) => old.replaceWith(`${old.textContent}\n`));
    const seen = lines.children.length;
    lines.insertAdjacentHTML("beforeend", update.html);
    next = update.next;
    if (follows) toTheNew(lines.children[seen]);
    if (document.hidden) document.title = `● ${title}`;
    if (isWide.matches && isWired()) showLatestTraffic();
  };

  const ask = async (address, options = {}) => {
    const response = await fetch(address, { headers: { Accept: "application/json" }, ...options });
    const answer = await response.json();
    if (!response.ok) throw new Error(answer.error.message);
    return answer;
  };

  // ---------------------------------------------------------------------------------------------- new lines
  let timer = 0;
  const poll = async () => {
    clearTimeout(timer);
    try {
      take(await ask(`${home}/updates${query()}`), false);
    } catch {
      say(LOST);
    }
    clearTimeout(timer);
    timer = setTimeout(poll, document.hidden ? HIDDEN_MS : VISIBLE_MS);
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    document.title = title;
    poll();
  });

  // ------------------------------------------------------------------------------------------------ sending
  const closePopups = (except) => {
    document.querySelectorAll(".dock details[open]").forEach((each) => { if (each !== except) each.open = false; });
  };

  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = event.submitter;
    const isTyped = !button || button.id === "send";
    if (isTyped && !text.value.trim()) {
      text.focus();
      return;
    }
    const fields = new URLSearchParams();
    if (isTyped) fields.set("text", text.value);
    else fields.set(button.name, button.value);
    const written = text.value;
    if (isTyped) text.value = "";
    closePopups();
    try {
      take(await ask(`${home}/act${query()}`, { method: "POST", body: fields }), true);
    } catch (error) {
      if (isTyped && !text.value) text.value = written;
      say(error instanceof TypeError ? LOST : error.message);
    }
  });

  text.addEventListener("keydown", (event) => {
    // While an input method composes, Enter chooses characters.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    form.requestSubmit(byId("send"));
  });

  document.addEventListener("click", (event) => closePopups(event.target.closest(".dock details")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector(".dock details[open]");
    if (open) {
      open.open = false;
      open.querySelector("summary").focus();
    } else if (!wire.hidden && !isWide.matches) {
      closeTraffic();
    }
  });

  // ------------------------------------------------------------------------------------------------ traffic
  const isWired = () => document.body.classList.contains("wired");

  const showTraffic = async (link) => {
    const response = await fetch(`${link.href}?part=1`);
    wireBody.innerHTML = await response.text();
    wireBody.scrollTop = 0;
    wire.hidden = false;
    lines.querySelectorAll(".chosen").forEach((line) => line.classList.remove("chosen"));
    link.closest(".line").classList.add("chosen");
    if (!isWide.matches) wire.focus();
  };

  const showLatestTraffic = () => {
    const links = lines.querySelectorAll(".wire-link");
    if (links.length) showTraffic(links[links.length - 1]);
  };

  const closeTraffic = () => {
    wire.hidden = true;
    lines.querySelectorAll(".chosen").forEach((line) => line.classList.remove("chosen"));
    (opener || wireToggle).focus();
  };

  const wireUp = (isOn) => {
    document.body.classList.toggle("wired", isOn);
    wireToggle.setAttribute("aria-pressed", String(isOn));
    sessionStorage.setItem("wired", isOn ? "yes" : "");
    if (!isOn) wire.hidden = true;
    else if (isWide.matches) {
      wire.hidden = false;
      showLatestTraffic();
    }
    toTheEnd();
  };

  lines.addEventListener("click", (event) => {
    const link = event.target.closest(".wire-link");
    if (!link) return;
    event.preventDefault();
    opener = link;
    showTraffic(link);
  });
  wireToggle.addEventListener("click", () => wireUp(!isWired()));
  byId("wire-close").addEventListener("click", () => (isWide.matches ? wireUp(false) : closeTraffic()));

  wireToggle.hidden = false;
  if (sessionStorage.getItem("wired")) wireUp(true);
  toTheEnd();
  poll();
})();
