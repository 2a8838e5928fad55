// Lists of people: search as you type, tick a page, one more row. Every page works without it.
const SEARCH_MILLISECONDS = 200;

for (const form of document.querySelectorAll("[data-live]")) {
  const target = document.getElementById(form.dataset.live);
  let latest = 0;
  let timer = null;
  const search = async () => {
    const mine = ++latest;
    const query = new URLSearchParams(new FormData(form));
    history.replaceState(null, "", "?" + query);
    query.set("fragment", "1");
    const answer = await fetch(form.action.split("?")[0] + "?" + query, { redirect: "error" }).catch(() => null);
    if (!answer || !answer.ok || mine !== latest) return;
    target.innerHTML = await answer.text();
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, SEARCH_MILLISECONDS);
  });
}

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-tick-all]")) return;
  for (const box of event.target.closest("form").querySelectorAll("tbody input[type=checkbox]")) {
    box.checked = event.target.checked;
  }
});

for (const button of document.querySelectorAll("[data-add-row]")) {
  button.hidden = false;
  button.addEventListener("click", () => {
    const rows = button.parentElement.querySelector("[data-rows]");
    const row = rows.lastElementChild.cloneNode(true);
    for (const input of row.querySelectorAll("input, select")) input.value = input.matches("[name=how]") ? "is" : "";
    rows.append(row);
    row.querySelector("input, select").focus();
  });
}
