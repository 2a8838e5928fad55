// Who is in the group, while one says it: the server counts, and names the first.
const COUNT_MILLISECONDS = 500;
const ruleForm = document.querySelector(".rule-form");
const who = document.querySelector("[data-preview]");
let countTimer = null;
let counted = 0;

// Only comparisons that fit, and no value where none is needed.
function fit(row) {
  const [subject, how, value] = row.querySelectorAll("select, input");
  const isAnswer = subject.value.startsWith("@answer:");
  for (const option of how.options) option.hidden = option.disabled = Boolean(option.closest("optgroup")) !== isAnswer;
  if (how.selectedOptions[0]?.disabled) how.value = isAnswer ? "none" : "is";
  value.hidden = isAnswer || ["known", "unknown", "birthday"].includes(how.value);
  value.type = ["before", "after"].includes(how.value) ? "date" : "text";
}
async function count() {
  const mine = ++counted;
  const body = new FormData(ruleForm);
  body.set("preview", "1");
  body.set("fragment", "1");
  const answer = await fetch(location.href, { method: "POST", body, redirect: "error" }).catch(() => null);
  if (!answer || !answer.ok || mine !== counted) return;
  who.innerHTML = await answer.text();
}
function soonCount() {
  for (const row of ruleForm.querySelectorAll(".rule-row")) fit(row);
  clearTimeout(countTimer);
  countTimer = setTimeout(count, COUNT_MILLISECONDS);
}
ruleForm.addEventListener("input", soonCount);
for (const row of ruleForm.querySelectorAll(".rule-row")) fit(row);
if (ruleForm.querySelector("[name=subject]")?.value || ruleForm.querySelector("[name=rule]")?.value) soonCount();
