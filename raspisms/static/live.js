// Pages that change by themselves. The server says what changed (server-sent events); when it cannot, we ask
// every few seconds. What is shown is always drawn anew by the server: nothing is lost or shown twice.
const POLL_SECONDS = 2;
const RETRY_SECONDS = 15;
const GATHER_MILLISECONDS = 150;
const BUSY_SECONDS = 3;
const TYPING_SECONDS = 8;
const SILENCE_SECONDS = 45;

const parts = [...document.querySelectorAll("[data-refresh]")].map((element) => ({ element, shown: null, timer: null }));
let streaming = false;
let heardAt = 0;

// Said once, where everybody sees it, and taken away when it is over.
function setLost(isLost) {
  const shown = document.getElementById("lost");
  if (!isLost) return shown?.remove();
  if (shown) return;
  const notice = Object.assign(document.createElement("div"), { id: "lost", className: "notice failed" });
  notice.setAttribute("role", "alert");
  notice.append(Object.assign(document.createElement("p"), { textContent: document.body.dataset.lost }));
  document.getElementById("content").prepend(notice);
}

// -- drawing --------------------------------------------------------------------------------------------

// A form's token differs at every drawing and is no news.
const withoutTokens = (html) => html.replace(/name="csrf_token" value="[^"]*"/g, "");

function redraw(element, html) {
  const before = new Map([...element.querySelectorAll("details")].map((details) => [details.dataset.key, details.open]));
  element.innerHTML = html;
  for (const details of element.querySelectorAll("details")) {
    if (before.has(details.dataset.key)) details.open = before.get(details.dataset.key);
  }
}

// Only what differs is touched: screen readers hear what is new, and what has the focus keeps it.
// Whether everything could be put in: what has the focus is left alone, and comes when it has gone.
function merge(element, html) {
  let isWhole = true;
  const fresh = document.createElement("template");
  fresh.innerHTML = html;
  const there = new Map([...element.children].map((child) => [child.dataset.key, child]));
  let before = null;
  for (const child of [...fresh.content.children]) {
    const old = there.get(child.dataset.key);
    let placed = old;
    if (!old) placed = child;
    else if (withoutTokens(old.outerHTML) !== withoutTokens(child.outerHTML)) {
      const busy = old.contains(document.activeElement) || old.querySelector(":checked");
      if (child.tagName === "UL") isWhole = merge(old, child.innerHTML) && isWhole;
      else if (busy) isWhole = false;
      else old.replaceWith((placed = child));
    }
    const next = before ? before.nextElementSibling : element.firstElementChild;
    if (placed !== next) element.insertBefore(placed, next);
    before = placed;
    there.delete(child.dataset.key);
  }
  for (const gone of there.values()) {
    if (gone.contains(document.activeElement) || gone.querySelector(":checked")) isWhole = false;
    else gone.remove();
  }
  return isWhole;
}

// What is shown is asked for again, from its beginning: a page that fills up pushes nothing out at the top.
function addressOf(element) {
  const first = element.querySelector("[data-key^='message-']");
  if (element.id !== "thread" || !first) return element.dataset.refresh;
  const joined = document.getElementById("older").children.length ? "&joined=1" : "";
  return `${element.dataset.refresh}&since=${first.dataset.key.split("-")[1]}${joined}`;
}

async function refresh(part) {
  const { element } = part;
  const keyed = "keyed" in element.dataset;
  const busy = !keyed && element.contains(document.activeElement) && document.activeElement !== document.body;
  if (busy) part.isLate = true;
  if (document.hidden || busy || part.done) return;
  const answer = await fetch(addressOf(element), { redirect: "error" }).catch(() => null);
  setLost(!answer || answer.status >= 500);
  if (!answer || !answer.ok) return;
  const html = await answer.text();
  const news = withoutTokens(html);
  if (news !== part.shown || part.isLate) {
    part.isLate = false;
    if (keyed) part.isLate = !merge(element, html);
    else redraw(element, html);
    element.dispatchEvent(new CustomEvent("redrawn", { bubbles: true }));
  }
  part.shown = news;
  part.done = Boolean(element.querySelector("[data-done]")); // what is typed there must stay
}

const refreshAll = () => parts.forEach(refresh);
for (const part of parts) {
  const catchUp = () => part.isLate && refresh(part);
  part.element.addEventListener("focusout", () => setTimeout(catchUp, GATHER_MILLISECONDS));
  part.element.addEventListener("change", () => setTimeout(catchUp, GATHER_MILLISECONDS));
}

// -- being told -------------------------------------------------------------------------------------------

function concerns(part, topics) {
  return (part.element.dataset.topics || "").split(" ").some((wanted) => {
    const [topic, id] = wanted.split(":");
    return topic in topics && (!id || topics[topic].length === 0 || topics[topic].includes(Number(id)));
  });
}

function hear(event) {
  if (event.typing) return showTyping(event.typing);
  if (!event.topics) return;
  // "Many messages" is a campaign under way: nobody reads faster than every few seconds. The rest is for now.
  const { messages, ...rest } = event.topics;
  const soon = messages && messages.length ? event.topics : rest;
  for (const part of parts) {
    const isUrgent = concerns(part, soon);
    if (!isUrgent && (part.timer || !concerns(part, event.topics))) continue;
    if (part.timer && part.isUrgent) continue;
    clearTimeout(part.timer);
    const wait = isUrgent ? GATHER_MILLISECONDS : BUSY_SECONDS * 1000 * (0.5 + Math.random());
    part.isUrgent = isUrgent;
    part.timer = setTimeout(() => ((part.timer = null), refresh(part)), wait);
  }
  if ("conversations" in event.topics || "received" in event.topics) countUnread("received" in event.topics);
}

// A browser has six connections to us: tabs that nobody looks at leave theirs to the others.
let stream = null;
function listen() {
  if (!window.EventSource || !document.body.dataset.stream || document.hidden || stream) return;
  stream = new EventSource(document.body.dataset.stream);
  stream.onopen = () => {
    streaming = true;
    heardAt = Date.now();
    setLost(false);
    refreshAll(); // what happened meanwhile
    if (document.body.dataset.unread) countUnread(false);
  };
  stream.onmessage = (message) => {
    heardAt = Date.now();
    hear(JSON.parse(message.data));
  };
  stream.onerror = () => {
    streaming = false;
    if (stream.readyState !== EventSource.CLOSED) return; // it comes back by itself
    hangUp();
    setTimeout(listen, RETRY_SECONDS * 1000);
  };
}
function hangUp() {
  stream?.close();
  stream = null;
  streaming = false;
}
listen();
addEventListener("pagehide", hangUp);
// What nobody tells of (a list being read, a report being made) is asked for; so is everything without a stream.
setInterval(() => parts.forEach((part) => (streaming && part.element.dataset.topics) || refresh(part)), POLL_SECONDS * 1000);
setInterval(() => streaming || countUnread(true), RETRY_SECONDS * 1000);
document.addEventListener("visibilitychange", () => {
  if (document.hidden) return hangUp();
  listen();
  refreshAll();
});
addEventListener("online", refreshAll);
// The browser knows that it has no network, or nothing was heard for longer than the server is ever silent.
function lookAtTheLine() {
  if (!navigator.onLine) return setLost(true);
  if (streaming && Date.now() - heardAt > SILENCE_SECONDS * 1000) {
    hangUp();
    listen();
    refreshAll();
  }
}
addEventListener("offline", lookAtTheLine);
setInterval(lookAtTheLine, POLL_SECONDS * 1000);
addEventListener("pageshow", (event) => event.persisted && location.reload());

// -- who is writing -----------------------------------------------------------------------------------------

const typists = new Map();
function showTyping({ conversation, user, name }) {
  const inbox = document.querySelector("[data-inbox]");
  const line = document.getElementById("typing");
  if (!inbox || !line || Number(inbox.dataset.conversation) !== conversation || Number(inbox.dataset.user) === user) return;
  clearTimeout(typists.get(user)?.timer);
  typists.delete(user);
  const forget = () => (typists.delete(user), draw());
  if (name) typists.set(user, { name, timer: setTimeout(forget, TYPING_SECONDS * 1000) });
  function draw() {
    const target = document.getElementById("typing");
    if (target) target.textContent = [...typists.values()].map((one) => target.dataset.one.replace("{name}", one.name)).join(" ");
  }
  draw();
}

// -- unread ---------------------------------------------------------------------------------------------------

const bare = document.title.replace(/^\(\d+\) /, "");
let unread = Number(document.body.dataset.unreadCount || 0);
async function countUnread(isNews) {
  const answer = document.body.dataset.unread && (await fetch(document.body.dataset.unread).catch(() => null));
  if (!answer || !answer.ok || answer.redirected) return;
  const { unread: number } = await answer.json();
  document.title = number ? `(${number}) ${bare}` : bare;
  for (const badge of document.querySelectorAll("[data-unread-badge]")) {
    badge.hidden = !number;
    badge.firstChild.textContent = number;
  }
  if (isNews && number > unread) announce(number);
  unread = number;
}

function announce(number) {
  const words = document.body.dataset.news.replace("{number}", number);
  const region = document.getElementById("news");
  if (region) region.textContent = words;
  if (localStorage.getItem("sound") === "yes") beep();
  if (localStorage.getItem("notify") === "yes" && window.Notification?.permission === "granted" && document.hidden) {
    new Notification("RaspiSMS", { body: words, tag: "raspisms" });
  }
}

function beep() {
  const context = new AudioContext();
  const tone = context.createOscillator();
  const volume = context.createGain();
  tone.frequency.value = 880;
  volume.gain.setValueAtTime(0.08, context.currentTime);
  volume.gain.exponentialRampToValueAtTime(0.0001, context.currentTime + 0.35);
  tone.connect(volume).connect(context.destination);
  tone.start();
  tone.stop(context.currentTime + 0.4);
}

for (const part of document.querySelectorAll("[data-needs-script]")) part.hidden = false;

// The choices of this browser, on the profile page: sound, and notices of the browser where it allows them.
for (const box of document.querySelectorAll("[data-choice]")) {
  const name = box.dataset.choice;
  const line = box.closest("[data-choice-line]");
  if (name === "notify" && !(window.Notification && isSecureContext)) {
    box.disabled = true;
    line.querySelector("[data-impossible]").hidden = false;
  }
  box.checked = localStorage.getItem(name) === "yes";
  box.addEventListener("change", async () => {
    if (name === "notify" && box.checked) box.checked = (await Notification.requestPermission()) === "granted";
    localStorage.setItem(name, box.checked ? "yes" : "no");
    if (name === "sound" && box.checked) beep();
  });
}
