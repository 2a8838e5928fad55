// Conversations: drafts and who is writing, earlier messages, the keyboard. The page works without it.
const DRAFT_MILLISECONDS = 1200;
const EUROS = { style: "currency", currency: "EUR", maximumFractionDigits: 3 };

const reply = document.getElementById("reply");
if (reply) {
  const text = document.getElementById("text");
  const count = document.getElementById("parts");
  const showParts = () => {
    if (!text.value) return (count.textContent = "");
    const counted = countSegments(text.value.normalize("NFC").replace(/\r\n/g, "\n"));
    const price = Number(reply.dataset.price) * counted.parts;
    const cost = price ? " · " + new Intl.NumberFormat(reply.dataset.locale, EUROS).format(price) : "";
    count.textContent =
      reply.dataset.parts.replace("{parts}", counted.parts).replace("{remaining}", counted.remaining) + cost;
  };
  let kept = text.value;
  let waiting = null;
  const keep = async () => {
    waiting = null;
    if (reply.dataset.sent || text.value === kept) return;
    kept = text.value;
    const body = new FormData();
    body.set("csrf_token", reply.elements.csrf_token.value);
    body.set("key", reply.elements.key.value);
    body.set("text", kept);
    await fetch(reply.dataset.draft, { method: "POST", body, redirect: "error", keepalive: true }).catch(() => null);
  };
  text.addEventListener("input", () => {
    showParts();
    if (waiting) return;
    // At the first letter at once, so that colleagues know; then now and then.
    if (!kept) keep();
    waiting = setTimeout(keep, DRAFT_MILLISECONDS);
  });
  addEventListener("pagehide", keep);
  reply.addEventListener("submit", () => clearTimeout(waiting));
  document.getElementById("keep").hidden = true; // it is kept by itself
  showParts();

  const thread = document.getElementById("thread");
  thread.addEventListener("redrawn", () => {
    const keys = [...thread.querySelectorAll("[data-key^='message-']")].map((one) => Number(one.dataset.key.split("-")[1]));
    const newest = Math.max(0, ...keys);
    const close = document.querySelector("#close [name=seen]");
    if (close && !document.hidden) close.value = newest;
    // What was there before somebody began to write, they have seen.
    if (!text.value && !document.hidden) reply.elements.seen.value = newest;
  });
  text.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      reply.requestSubmit(reply.querySelector(".btn-primary"));
    }
    if (event.key === "/" && saved && /(^|\n)$/.test(text.value.slice(0, text.selectionStart))) {
      event.preventDefault();
      openTexts();
    }
  });

  // -- saved texts: as this person gets them; "/" opens them, letters narrow them down --------------------------
  const saved = document.getElementById("saved");
  const links = saved ? [...saved.querySelectorAll("ul button")] : [];
  let typed = "";
  function narrow(letters) {
    typed = letters;
    for (const link of links) link.parentElement.hidden = !link.textContent.toLowerCase().includes(typed);
  }
  function openTexts() {
    saved.open = true;
    narrow("");
    links[0]?.focus();
  }
  function closeTexts() {
    saved.open = false;
    text.focus();
  }
  async function put(link) {
    const answer = await fetch(link.dataset.url + "?fragment=1", { redirect: "error" }).catch(() => null);
    if (!answer || !answer.ok) return closeTexts();
    const given = await answer.json();
    closeTexts();
    if (given.error) return (count.textContent = given.error);
    text.setRangeText(given.text, text.selectionStart, text.selectionEnd, "end");
    text.dispatchEvent(new Event("input"));
  }
  saved?.addEventListener("click", (event) => {
    const link = event.target.closest("ul button");
    if (!link) return;
    event.preventDefault();
    put(link);
  });
  saved?.addEventListener("keydown", (event) => {
    const shown = links.filter((link) => !link.parentElement.hidden);
    const here = shown.indexOf(document.activeElement);
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (event.key === "Escape") closeTexts();
    else if (event.key === "Enter" && here >= 0) put(shown[here]);
    else if (by) shown[(here + by + shown.length) % shown.length]?.focus();
    else if (event.key === "/") {
      closeTexts(); // it was meant after all
      text.setRangeText("/", text.selectionStart, text.selectionEnd, "end");
    } else if (event.key === "Backspace") narrow(typed.slice(0, -1));
    else if (event.key.length === 1 && event.key !== " " && !event.ctrlKey && !event.metaKey) {
      narrow(typed + event.key.toLowerCase());
      if (!links.some((link) => link === document.activeElement && !link.parentElement.hidden)) {
        (links.find((link) => !link.parentElement.hidden) || saved.querySelector("summary")).focus();
      }
    } else return;
    event.preventDefault();
    event.stopPropagation();
  });

  document.getElementById("second")?.focus();
}

// Earlier messages come above, and stay: the pane is counted from its end, so nothing moves.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-older]");
  if (!link) return;
  event.preventDefault();
  const answer = await fetch(link.dataset.older, { redirect: "error" }).catch(() => null);
  if (!answer || !answer.ok) return;
  link.closest(".older").remove();
  document.getElementById("older").insertAdjacentHTML("afterbegin", await answer.text());
});

// -- the keyboard --------------------------------------------------------------------------------------------

function step(by) {
  const links = [...document.querySelectorAll(".conversations a")];
  const here = links.findIndex((link) => link === document.activeElement || link.getAttribute("aria-current"));
  const next = links[Math.min(links.length - 1, Math.max(0, here + by))];
  if (!next) return;
  if (document.querySelector("[data-inbox]")) next.click();
  else next.focus();
}

function write(what, field) {
  const tab = document.getElementById("what-" + what);
  if (tab) tab.checked = true;
  document.getElementById(field)?.focus();
}
for (const [what, field] of [["reply", "text"], ["note", "note"]]) {
  document.getElementById("what-" + what)?.addEventListener("click", (event) => event.detail && write(what, field));
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  r: () => write("reply", "text"),
  n: () => write("note", "note"),
  e: () => document.querySelector("#close button")?.click(),
};
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "Escape" && typing) return typing.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});
