// A chart by keyboard and pointer: the value of a day is said below it; arrows go from one day to the next.
for (const chart of document.querySelectorAll("[data-chart]")) {
  const said = chart.closest("figure").querySelector("[data-chart-value]");
  const usual = said.textContent;
  const days = [...chart.querySelectorAll(".chart-day")];
  const tell = (day) => (said.textContent = day ? day.getAttribute("aria-label") : usual);
  chart.addEventListener("pointerover", (event) => tell(event.target.closest(".chart-day")));
  chart.addEventListener("pointerleave", () => tell(document.activeElement.closest(".chart-day")));
  chart.addEventListener("focusin", (event) => tell(event.target.closest(".chart-day")));
  chart.addEventListener("focusout", () => tell(null));
  chart.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -days.length, End: days.length }[event.key];
    if (!by) return;
    event.preventDefault();
    const next = days[Math.min(days.length - 1, Math.max(0, days.indexOf(document.activeElement) + by))];
    for (const day of days) day.setAttribute("tabindex", day === next ? 0 : -1);
    next.focus();
  });
}
