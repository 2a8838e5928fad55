// Conversations: drafts and who is writing, earlier messages, the keyboard. The page works without it.
const DRAFT_MILLISECONDS = 1200;

const reply = document.getElementById("reply");
if (reply) {
  const text = document.getElementById("text");
  const count = document.getElementById("parts");
  const showParts = () => {
    if (!text.value) return (count.textContent = "");
    const counted = countSegments(text.value.normalize("NFC").replace(/\r\n/g, "\n"));
    count.textContent = reply.dataset.parts.replace("{parts}", counted.parts).replace("{remaining}", counted.remaining);
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

  const saved = document.getElementById("saved");
  if (saved) {
    saved.hidden = false;
    saved.addEventListener("change", () => {
      if (!saved.value) return;
      text.setRangeText(saved.value, text.selectionStart, text.selectionEnd, "end");
      saved.value = "";
      text.dispatchEvent(new Event("input"));
      text.focus();
    });
  }
  const thread = document.getElementById("thread");
  thread.addEventListener("redrawn", (event) => {
    if (event.detail.atEnd) scrollTo(0, document.body.scrollHeight);
    const keys = [...thread.querySelectorAll("[data-key^='message-']")].map((one) => Number(one.dataset.key.split("-")[1]));
    const newest = Math.max(0, ...keys);
    const close = document.querySelector("#close [name=seen]");
    if (close && !document.hidden) close.value = newest;
    // What was there before somebody began to write, they have seen.
    if (!text.value && !document.hidden) reply.elements.seen.value = newest;
  });
  const second = document.getElementById("second");
  if (second) second.focus();
  else if (!location.hash && !location.search.includes("before=")) document.getElementById("end").scrollIntoView({ block: "end" });
}

// Earlier messages come above, and stay.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("[data-older]");
  if (!link) return;
  event.preventDefault();
  const answer = await fetch(link.dataset.older, { redirect: "error" }).catch(() => null);
  if (!answer || !answer.ok) return;
  const older = document.getElementById("older");
  const height = document.body.scrollHeight;
  link.closest(".older").remove();
  older.insertAdjacentHTML("afterbegin", await answer.text());
  scrollBy(0, document.body.scrollHeight - height);
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

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  r: () => document.getElementById("text")?.focus(),
  e: () => document.querySelector("#close button")?.click(),
  "/": () => document.getElementById("q")?.focus(),
};
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable]");
  if (event.key === "Escape" && typing) return typing.blur();
  if (typing || event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});
