// Draws the charts of a page, each of rows that a script of its own gives, and sums them up as tables.
"use strict";

const DATA = JSON.parse(document.getElementById("data").textContent);
const byId = (id) => document.getElementById(id);
const number = (value) => value.toLocaleString("en", { maximumSignificantDigits: 4 });

function element(name, text, attributes = {}) {
  const made = document.createElement(name);
  made.textContent = text; // never as HTML: a name can hold anything
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** What a chart tells apart by colour. */
const domain = (name) => {
  const spec = DATA.specs[name];
  return (spec.encoding || spec.layer[0].encoding).color.scale.domain;
};

/** The sums of a chart as a table, for who does not see it. */
function asTable(rows, unit) {
  rows = rows.filter((row) => row.series !== null);
  const names = [...new Set(rows.map((row) => row.of ?? ""))];
  const series = [...new Set(rows.map((row) => row.series))];
  const amounts = new Map();
  for (const row of rows) {
    const key = JSON.stringify([row.of ?? "", row.series]);
    amounts.set(key, (amounts.get(key) || 0) + (row.total ?? row.amount));
  }
  const table = element("table", "");
  const head = table.createTHead().insertRow();
  head.append(element("th", unit, { scope: "col" }), ...series.map((name) => element("th", name, { scope: "col", class: "number" })));
  const body = table.createTBody();
  for (const name of names) {
    const row = body.insertRow();
    row.append(element("th", name || "in all", { scope: "row" }));
    for (const one of series) row.append(element("td", number(amounts.get(JSON.stringify([name, one])) || 0), { class: "number" }));
  }
  return table;
}

/** Draws a chart; returns what draws it anew. Its sums stand below as a table, where they have a unit. */
async function chart(name, rowsOf, filter) {
  const spec = { ...DATA.specs[name], data: { name: "rows", values: rowsOf(filter) } };
  const { view } = await vegaEmbed(byId(name), spec, { actions: false, ast: true, renderer: "svg", logLevel: 1 });
  const details = element("details", "");
  const under = element("div", "");
  details.append(element("summary", "The same as a table"), under);
  if (DATA.units[name]) byId(name).after(details);
  let shown = spec.data.values;
  const nameAll = () => nameRows(view, byId(name), shown);
  view.addSignalListener("width", () => setTimeout(nameAll)); // once it is drawn
  return async (filter) => {
    const rows = rowsOf(filter);
    under.replaceChildren(asTable(rows, DATA.units[name]));
    byId(name).dataset.sum = rows.reduce((sum, row) => sum + (row.total ?? row.amount), 0);
    await view.data("rows", rows).runAsync();
    shown = rows;
    nameAll();
  };
}

function option(value, text) {
  return element("option", text ?? value, { value });
}

/** What gives the rows that are worked out beforehand, by chart: those of all places, or of the one chosen. */
function fixedRows() {
  const ofPlace = (rows) => (filter) => rows.filter((row) => !filter.place || row.place === filter.place);
  return Object.fromEntries(Object.entries(DATA.rows).map(([name, rows]) => [name, ofPlace(rows)]));
}

/** Draws all charts, and anew when a filter changes; `rows` gives those of a chart that pass, `tell` the rest. */
async function start(rows, filtered, tell) {
  const empty = (name) => domain(name).length === 0;
  const shown = Object.keys(rows).filter((name) => !empty(name));
  for (const name of Object.keys(rows).filter(empty)) byId(name).textContent = "There is none.";
  const charts = await Promise.all(shown.map((name) => chart(name, rows[name], filtered())));
  const update = async () => {
    const filter = filtered();
    tell(filter);
    await Promise.all(charts.map((draw) => draw(filter)));
    document.body.dataset.drawn = String(1 + Number(document.body.dataset.drawn || 0));
  };
  const filters = byId("filters");
  if (filters) {
    filters.addEventListener("change", update);
    filters.addEventListener("submit", (event) => event.preventDefault());
    filters.addEventListener("reset", () => setTimeout(update));
  }
  await update();
}
