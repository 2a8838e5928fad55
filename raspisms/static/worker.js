// A page that says so when there is no network, and notices while no page is open. No answer of the server is ever
// kept: nothing of anybody stays on a telephone that others use.
const KEPT = "offline-1";
const OFFLINE = "offline";

addEventListener("install", (event) => {
  const fill = async () => {
    const kept = await caches.open(KEPT);
    const page = await fetch(OFFLINE, { cache: "reload" });
    const styles = [...(await page.clone().text()).matchAll(/(?:href|src)="([^"]*\/static\/[^"]*)"/g)].map((found) => found[1]);
    await kept.put(OFFLINE, page);
    await kept.addAll(styles);
  };
  event.waitUntil(fill().then(() => skipWaiting()));
});
addEventListener("activate", (event) => {
  const tidy = async () => {
    for (const name of await caches.keys()) if (name !== KEPT) await caches.delete(name);
    await clients.claim();
  };
  event.waitUntil(tidy());
});
addEventListener("fetch", (event) => {
  if (event.request.method !== "GET") return; // what was being sent is the browser's to send again
  if (event.request.mode === "navigate") {
    event.respondWith(fetch(event.request).catch(() => caches.match(OFFLINE)));
  } else if (event.request.url.includes("/static/")) {
    event.respondWith(fetch(event.request).catch(() => caches.match(event.request)));
  }
});

addEventListener("push", (event) => {
  const { unread } = event.data ? event.data.json() : {};
  const words = navigator.language.startsWith("fr") ? `SMS non lus : ${unread || 1}` : `Unread SMS: ${unread || 1}`;
  event.waitUntil(registration.showNotification("RaspiSMS", { body: words, tag: "raspisms" }));
});
addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(clients.openWindow("conversations/?view=unread"));
});
