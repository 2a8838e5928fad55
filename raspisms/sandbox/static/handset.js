// Shows new messages by themselves, unless somebody is typing.
const threads = document.getElementById("threads");
let shown = "";
setInterval(async () => {
  if (document.hidden || threads.querySelector("input:not([type=hidden]):focus")) return;
  if ([...threads.querySelectorAll("input:not([type=hidden])")].some((input) => input.value)) return;
  const answer = await fetch(threads.dataset.refresh).catch(() => null);
  if (!answer || !answer.ok) return;
  const html = await answer.text();
  if (html !== shown) {
    threads.innerHTML = html;
    shown = html;
  }
}, 1500);
