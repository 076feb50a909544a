"use strict";

const page = JSON.parse(document.getElementById("report-data").textContent);
const panels = [...document.querySelectorAll(".panel")].map((article) => new Panel(article, page));
for (const { article } of panels) {
  const link = Object.assign(document.createElement("a"), { href: `#${article.id}`, textContent: article.querySelector("h3").textContent });
  document.querySelector(".index")?.appendChild(document.createElement("li")).append(link);
}
const charts = [...document.querySelectorAll(".group-chart")];

/** Draws a chart that the report brings ready made, in the colours of the page. */
function drawChart(host) {
  const { layout, axis } = chartLook(host);
  const { data, layout: own } = page.charts[host.id];
  const axes = Object.fromEntries(Object.keys(own).filter((key) => /^[xy]axis/.test(key)).map((key) => [key, { ...axis, ...own[key] }]));
  Plotly.react(host, data, { ...own, ...layout, ...axes }, CHART_CONFIG);
}

// Charts are drawn when they come near: a study may have hundreds.
const near = new IntersectionObserver((entries) => {
  for (const { target } of entries.filter((entry) => entry.isIntersecting)) {
    near.unobserve(target);
    if (target.matches(".panel")) panels.find((panel) => panel.article === target).open();
    else drawChart(target);
  }
}, { rootMargin: "800px" });
for (const target of [...panels.map((panel) => panel.article), ...charts]) near.observe(target);

function redrawAll() {
  panels.filter((panel) => panel.opened).forEach((panel) => panel.redraw());
  charts.filter((host) => host.data).forEach(drawChart);
}

function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  redrawAll();
}

const DARK = window.matchMedia("(prefers-color-scheme: dark)");
const themeButton = document.getElementById("theme");
themeButton.addEventListener("click", () => {
  const now = document.documentElement.dataset.theme ?? (DARK.matches ? "dark" : "light");
  setTheme(now === "dark" ? "light" : "dark");
});
DARK.addEventListener("change", redrawAll);

document.getElementById("print").addEventListener("click", () => window.print());
let themeBefore;
window.addEventListener("beforeprint", () => {
  themeBefore = document.documentElement.dataset.theme;
  document.documentElement.dataset.theme = "light";
  document.documentElement.classList.add("printing");
  document.querySelectorAll("details").forEach((details) => (details.open = true));
  panels.forEach((panel) => panel.open());
  charts.forEach(drawChart);
  redrawAll();
});
window.addEventListener("afterprint", () => {
  if (themeBefore) document.documentElement.dataset.theme = themeBefore;
  else delete document.documentElement.dataset.theme;
  document.documentElement.classList.remove("printing");
  redrawAll();
});
