// The one script of the report. Everything it does is extra: without it pages keep their texts, tables and links.
"use strict";

// The value of a piece of data that the page holds as JSON.
function data(name) {
  const element = document.getElementById("data-" + name);
  return element ? JSON.parse(element.textContent) : null;
}

// Charts ----------------------------------------------------------------------------------------------------------------

// Draws a specification into an element; its text alternative stays for those who do not see it.
async function drawChart(element, spec) {
  const place = document.createElement("div");
  element.append(place);
  const drawn = await window.vegaEmbed(place, spec, { actions: false, renderer: "svg", tooltip: true });
  const svg = place.querySelector("svg");
  svg.setAttribute("aria-hidden", "true");
  svg.setAttribute("focusable", "false");
  for (const inner of svg.querySelectorAll("[role], [aria-label], [aria-roledescription]")) {
    for (const name of ["role", "aria-label", "aria-roledescription"]) inner.removeAttribute(name);
  }
  element.style.setProperty("--natural", svg.getAttribute("width") + "px");
  element.classList.add("drawn");
  makeScrollable(element);
  return drawn;
}

// A drawing that is wider than the screen is moved by keyboard too.
function makeScrollable(element) {
  const isWider = element.scrollWidth > element.clientWidth;
  const figure = element.closest("figure");
  element.toggleAttribute("data-scrolls", isWider);
  if (isWider) {
    element.tabIndex = 0;
    element.setAttribute("role", "region");
    if (figure) element.setAttribute("aria-labelledby", figure.getAttribute("aria-labelledby"));
  } else {
    for (const name of ["tabindex", "role", "aria-labelledby"]) element.removeAttribute(name);
  }
}

function drawPlaced(element) {
  if (element.dataset.state) return Promise.resolve();
  element.dataset.state = "drawing";
  const spec = JSON.parse(document.getElementById("spec-" + element.dataset.chart).textContent);
  return drawChart(element, spec).then(() => { element.dataset.state = "drawn"; });
}

function charts() {
  const places = [...document.querySelectorAll(".drawing[data-chart]")];
  if (!places.length || !window.vegaEmbed) return;
  const watch = new IntersectionObserver((entries) => {
    for (const entry of entries) {
      if (entry.isIntersecting) {
        watch.unobserve(entry.target);
        drawPlaced(entry.target);
      }
    }
  }, { rootMargin: "600px" });
  for (const place of places) watch.observe(place);
  // What was not yet scrolled to is drawn when the page is at rest, so that printing finds it.
  const rest = async () => { for (const place of places) await drawPlaced(place); };
  (window.requestIdleCallback || window.setTimeout)(rest);
  window.addEventListener("resize", () => { for (const place of places) makeScrollable(place); });
}

// Sorting ---------------------------------------------------------------------------------------------------------------

const inWords = new Intl.Collator("en-GB", { numeric: true, sensitivity: "base" });

function sortKey(cell) {
  if (cell.dataset.value === undefined) return cell.textContent.trim();
  return cell.dataset.value === "" ? null : Number(cell.dataset.value);
}

function compare(first, second) {
  return typeof first === "number" ? first - second : inWords.compare(first, second);
}

// Missing values stay last whichever way a column is sorted.
function sortBy(table, at, direction) {
  const body = table.tBodies[0];
  const keyed = [...body.rows].map((row) => ({ row, key: sortKey(row.cells[at]) }));
  keyed.sort((one, other) => {
    if (one.key === null || other.key === null) return (one.key === null) - (other.key === null);
    return direction * compare(one.key, other.key);
  });
  body.append(...keyed.map((one) => one.row));
}

function sortable(table) {
  const headings = [...table.tHead.rows[0].cells];
  headings.forEach((heading, at) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = heading.textContent;
    heading.replaceChildren(button);
    button.addEventListener("click", () => {
      const isUp = heading.getAttribute("aria-sort") === "ascending";
      for (const other of headings) other.removeAttribute("aria-sort");
      heading.setAttribute("aria-sort", isUp ? "descending" : "ascending");
      sortBy(table, at, isUp ? -1 : 1);
    });
  });
  headings[0].setAttribute("aria-sort", "ascending");
}

// Printing opens what is folded, and folds it again.
function printing() {
  let opened = [];
  window.addEventListener("beforeprint", () => {
    opened = [...document.querySelectorAll("details.print:not([open])")];
    for (const one of opened) one.open = true;
  });
  window.addEventListener("afterprint", () => { for (const one of opened) one.open = false; });
}

// Search ----------------------------------------------------------------------------------------------------------------

const MOST_FOUND = 12;

// Words without accents, case and punctuation, so that "hull" finds "Kingston upon Hull, City of".
function plain(text) {
  return text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").toLowerCase().replace(/&/g, " and ")
    .replace(/['\u2019.]/g, "").replace(/[^a-z0-9]+/g, " ").trim();
}

function linkTo(page, name) {
  const link = document.createElement("a");
  link.href = document.body.dataset.root + page;
  link.textContent = name;
  return link;
}

// Every word that was typed begins a word of the entry.
function isFound(entry, words) {
  return words.every((word) => entry.plain.includes(" " + word));
}

function search() {
  const form = document.getElementById("search");
  const entries = data("search");
  if (!form || !entries) return;
  for (const entry of entries) entry.plain = " " + plain(entry.name + " " + entry.words);
  const input = document.getElementById("search-words");
  const found = document.getElementById("search-found");
  const told = document.getElementById("search-told");
  const look = () => {
    const words = plain(input.value).split(" ").filter(Boolean);
    const matches = words.length ? entries.filter((entry) => isFound(entry, words)) : [];
    found.replaceChildren(...matches.slice(0, MOST_FOUND).map((entry) => {
      const item = document.createElement("li");
      item.append(linkTo(entry.page, entry.name));
      return item;
    }));
    const more = matches.length > MOST_FOUND ? ", of which the first " + MOST_FOUND + " are shown" : "";
    told.textContent = words.length ? matches.length + " found" + more : "";
    return matches;
  };
  input.addEventListener("input", look);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const matches = look();
    if (matches.length) window.location.href = document.body.dataset.root + matches[0].page;
  });
  form.hidden = false;
}

// Side by side ----------------------------------------------------------------------------------------------------------

const MINUS = "\u2212";
const NONE = "\u2013";

function signedPct(value) {
  if (value === null) return NONE;
  const rounded = Math.abs(value).toFixed(1);
  return (rounded === "0.0" ? "" : value < 0 ? MINUS : "+") + rounded + "%";
}

function shownNumber(value, digits) {
  if (value === null || value === undefined) return NONE;
  return value.toLocaleString("en-GB", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function element(tag, text, attributes) {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  for (const [name, value] of Object.entries(attributes || {})) made.setAttribute(name, value);
  return made;
}

// A table from headings and rows of texts; the first cell of a row is its heading.
function tableOf(name, caption, headings, rows) {
  const table = element("table");
  table.append(element("caption", caption, { id: "table-" + name + "-caption" }));
  const head = table.createTHead().insertRow();
  headings.forEach((text, at) => head.append(element("th", text, { scope: "col", class: at ? "number" : "" })));
  const body = table.createTBody();
  for (const texts of rows) {
    const row = body.insertRow();
    texts.forEach((text, at) => {
      const cell = element(at ? "td" : "th", undefined, at ? { class: "number" } : { scope: "row" });
      cell.append(text);
      row.append(cell);
    });
  }
  const around = element("div", undefined,
    { class: "scroll", role: "region", tabindex: "0", "aria-labelledby": "table-" + name + "-caption" });
  around.append(table);
  return around;
}

// A figure with its title, a drawing and the table behind it.
function figureOf(name, title, alternative, spec, table) {
  const figure = element("figure", undefined, { class: "chart", id: name, "aria-labelledby": name + "-title" });
  const drawing = element("div", undefined, { class: "drawing" });
  drawing.append(element("p", alternative, { class: "alternative" }));
  const details = element("details");
  details.append(element("summary", "Show the figures of this chart as a table"), table);
  figure.append(element("h2", title, { class: "chart-title", id: name + "-title" }), drawing, details);
  return { figure, draw: () => (window.vegaEmbed ? drawChart(drawing, spec) : null) };
}

function ofYears(all, chosen, key, name, title, withCountry) {
  const own = chosen.map((one) => ({ name: one.name, values: one[key] }));
  if (withCountry) own.push({ name: all.country.name, values: all.country.rates });
  const digits = key === "rates" ? 1 : 0;
  const spec = structuredClone(all.charts[key]);
  const points = own.flatMap((one) => one.values.map((value, at) => ({ name: one.name, year: all.years[at], value })));
  const known = [...new Set(points.filter((point) => point.value !== null).map((point) => point.year))].sort();
  // A missing value stays among the points, where it breaks its line.
  spec.data.values = points.filter((point) => known.includes(point.year));
  const names = own.map((one) => one.name);
  for (const channel of ["color", "strokeDash"]) {
    const scale = spec.encoding[channel].scale;
    // The country keeps the last look of the list whoever stands beside it.
    const looks = withCountry ? [...scale.range.slice(0, chosen.length), scale.range[scale.range.length - 1]] : scale.range;
    spec.encoding[channel].scale = { domain: names, range: looks.slice(0, names.length) };
  }
  spec.encoding.x.axis.values = known;
  const rows = all.years.map((year, at) => [String(year), ...own.map((one) => shownNumber(one.values[at], digits))]);
  const last = (one) => {
    const at = one.values.findLastIndex((value) => value !== null && value !== undefined);
    return at < 0 ? one.name + ": no figure" : one.name + ": " + shownNumber(one.values[at], digits) + " in " + all.years[at];
  };
  const alternative = "Lines by year. The last figures are " + own.map(last).join("; ") + ".";
  return figureOf(name, title, alternative, spec, tableOf(name, title, ["31 March", ...names], rows));
}

function ofChanges(all, chosen) {
  const title = "Change relative to " + all.country.name + ", " + all.window;
  const spec = structuredClone(all.charts.changes);
  const judged = chosen.filter((one) => one.change);
  spec.data.values = judged.map((one) => ({ name: one.change[3] || one.name, change: one.change[0], low: one.change[1], high: one.change[2] }));
  spec.height *= new Set(spec.data.values.map((point) => point.name)).size;
  const usual = (one) => (one.change && one.change[1] !== null
    ? signedPct(one.change[1]) + " to " + signedPct(one.change[2]) : NONE);
  const rows = chosen.map((one) => [
    one.name, one.change ? signedPct(one.change[0]) : "not compared", usual(one), (one.change && one.change[3]) || "by itself",
  ]);
  const alternative = "A dot over a bar of the usual range. " + judged
    .map((one) => one.name + ": " + signedPct(one.change[0]) + ", usual " + usual(one)).join("; ") + ".";
  const headings = ["Authority", "Relative to " + all.country.name, "Usual range for its size", "Compared as"];
  return figureOf("side-changes", title, alternative, spec, tableOf("side-changes", title, headings, rows));
}

// One selection, numbered, with an empty entry first.
function choice(all, at) {
  const label = element("label", "Authority " + (at + 1));
  const select = element("select");
  select.append(element("option", "none", { value: "" }));
  for (const one of all.authorities) select.append(element("option", one.name, { value: one.code }));
  label.append(select);
  return { label, select };
}

function sideBySide() {
  const place = document.getElementById("side-by-side");
  const all = data("side-by-side");
  if (!place || !all) return;
  const byCode = new Map(all.authorities.map((one) => [one.code, one]));
  const choices = Array.from({ length: all.most }, (_, at) => choice(all, at));
  document.getElementById("choosing").append(...choices.map((one) => one.label));
  const told = document.getElementById("chosen-told");
  const shown = document.getElementById("chosen");
  const fromAddress = () => {
    const codes = window.location.hash.slice(1).split(",").filter((code) => byCode.has(code));
    choices.forEach((one, at) => { one.select.value = codes[at] || ""; });
  };
  const show = async () => {
    const codes = [...new Set(choices.map((one) => one.select.value).filter(Boolean))];
    const chosen = codes.map((code) => byCode.get(code));
    told.textContent = chosen.length ? "Shown: " + chosen.map((one) => one.name).join("; ") + "." : "Nothing is chosen yet.";
    shown.replaceChildren();
    if (!chosen.length) return;
    const links = element("ul", undefined, { class: "places" });
    for (const one of chosen) {
      const item = element("li");
      item.append(linkTo(one.page, one.name));
      links.append(item);
    }
    const figures = [
      ofYears(all, chosen, "rates", "side-rates", "Children looked after per 10,000 aged 0-17", true),
      ofYears(all, chosen, "numbers", "side-numbers", "Children looked after on 31 March", false),
    ];
    if (all.window && chosen.some((one) => one.change)) figures.push(ofChanges(all, chosen));
    shown.append(links, ...figures.map((one) => one.figure));
    for (const one of figures) await one.draw();
  };
  for (const one of choices) {
    one.select.addEventListener("change", () => {
      const codes = choices.map((other) => other.select.value).filter(Boolean);
      window.history.replaceState(null, "", "#" + [...new Set(codes)].join(","));
      show();
    });
  }
  window.addEventListener("hashchange", () => { fromAddress(); show(); });
  document.getElementById("choosing").addEventListener("submit", (event) => event.preventDefault());
  place.hidden = false;
  fromAddress();
  show();
}

// Begin -----------------------------------------------------------------------------------------------------------------

function begin() {
  document.querySelectorAll("table.sortable").forEach(sortable);
  printing();
  search();
  sideBySide();
  charts();
}

if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
else begin();
