// Lists of people: search as you type, tick a page, one more row. Every page works without it.
const SEARCH_MILLISECONDS = 200;

for (const form of document.querySelectorAll("[data-live]")) {
  const target = document.getElementById(form.dataset.live);
  // What is asked, whatever the order and the page.
  const meaning = (query) => ["q", "group", "faulty"].map((name) => query.get(name) || "").join("\n");
  let shown = meaning(new URLSearchParams(location.search));
  target.dataset.shown = shown;
  let latest = 0;
  let timer = null;
  const show = async (query) => {
    const mine = ++latest;
    history.replaceState(null, "", "?" + query);
    query.set("fragment", "1");
    const answer = await fetch(form.action.split("?")[0] + "?" + query, { redirect: "error" }).catch(() => null);
    if (!answer || !answer.ok || mine !== latest) return;
    remember(target, shown);
    target.dataset.shown = shown = meaning(query);
    target.innerHTML = await answer.text();
    recall(target);
  };
  const search = () => show(new URLSearchParams(new FormData(form)));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    clearTimeout(timer);
    search();
  });
  // The next page and another order are the same list: what is ticked stays.
  target.addEventListener("click", async (event) => {
    const link = event.target.closest(".pager a, a.sort");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    await show(new URL(link.href).searchParams);
    target.scrollIntoView({ block: "nearest" });
  });
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(search, SEARCH_MILLISECONDS);
  });
}

// What is ticked stays so when another search is made; what it does not show is kept beside it.
function remember(list, search) {
  const form = list.closest("[data-selection]");
  for (const box of form ? list.querySelectorAll("tbody input:checked") : []) {
    const kept = Object.assign(document.createElement("input"), { type: "hidden", name: box.name, value: box.value });
    kept.dataset.kept = search;
    form.append(kept);
  }
}
function recall(list) {
  const form = list.closest("[data-selection]");
  for (const kept of form ? form.querySelectorAll("[data-kept]") : []) {
    const box = list.querySelector(`tbody input[value="${kept.value}"]`);
    if (!box) continue;
    box.checked = true;
    kept.remove();
  }
  if (form) countChosen(form);
}
function countChosen(form) {
  const said = form.querySelector("[data-chosen]");
  if (!said) return;
  const all = form.querySelector("[data-all]:checked");
  const here = form.querySelector("[data-shown]")?.dataset.shown;
  const kept = [...form.querySelectorAll("[data-kept]")].filter((one) => !all || one.dataset.kept !== here).length;
  const number = kept + (all ? Number(all.dataset.all) : form.querySelectorAll("tbody input:checked").length);
  // Who was ticked in another search may be among all of this one.
  const words = all && kept ? said.dataset.chosenMost : number === 1 ? said.dataset.chosenOne : said.dataset.chosen;
  said.textContent = number ? words.replace("{number}", number) : "";
  form.classList.toggle("has-chosen", number > 0);
  for (const button of form.querySelectorAll("[data-untick]")) button.hidden = number === 0;
}
document.addEventListener("change", (event) => {
  const form = event.target.closest("form");
  if (event.target.matches("[data-tick-all]")) {
    for (const box of form.querySelectorAll("tbody input[type=checkbox]")) box.checked = event.target.checked;
  }
  if (form) countChosen(form);
});
for (const form of document.querySelectorAll("[data-selection]")) countChosen(form);
document.addEventListener("click", (event) => {
  if (!event.target.matches("[data-untick]")) return;
  for (const kept of event.target.form.querySelectorAll("[data-kept]")) kept.remove();
  for (const box of event.target.form.querySelectorAll("[type=checkbox]:checked")) box.checked = false;
  countChosen(event.target.form);
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
