// Before the first paint: Bootstrap's theme follows the system's.
const dark = matchMedia("(prefers-color-scheme: dark)");
const follow = () => (document.documentElement.dataset.bsTheme = dark.matches ? "dark" : "light");
dark.addEventListener("change", follow);
follow();
document.documentElement.classList.add("js"); // what a script brings, and what it takes away
