// The sums of a run by step of time and group of jobs, as the filters have it, for the charts of `charts.js`.
"use strict";

const STEPS = DATA.edges.length - 1;
const WORDS = DATA.words;
const millis = (second) => DATA.epoch_ms + 1000 * second;
const utc = (second) => new Date(millis(second)).toISOString().slice(0, 16);

/** What the filters let through: groups of jobs, and steps of time from `first` up to `last`. */
function filtered() {
  const workload = byId("workload").value;
  const owner = byId("owner").value;
  const { workload: workloads, owner: owners } = DATA.groups;
  const groups = workloads.map((word, at) => (!workload || word === workload) && (!owner || owners[at] === owner));
  const begins = DATA.edges.slice(0, -1).map((second) => utc(second));
  const from = byId("from").value;
  const to = byId("to").value;
  const inTime = begins.map((text) => (!from || text >= from) && (!to || text < to));
  return { groups, inTime, first: inTime.indexOf(true), last: inTime.lastIndexOf(true) + 1, workload, owner, from, to };
}

/** The cells of a cube that pass the filters, as (index, step). */
function* cells(cube, filter) {
  for (let at = 0; at < cube.step.length; at += 1) {
    if (filter.inTime[cube.step[at]] && (!cube.group || filter.groups[cube.group[at]])) yield at;
  }
}

/** Mean levels by series and step: a row for each, and one at the end of the last step. */
function levels(cube, filter, series, seriesOf) {
  if (filter.first < 0) return [];
  const sums = new Map(series.map((name) => [name, new Float64Array(STEPS)]));
  for (const at of cells(cube, filter)) {
    const name = seriesOf(at);
    if (sums.has(name)) sums.get(name)[cube.step[at]] += cube.amount[at];
  }
  const width = (step) => (DATA.edges[step + 1] - DATA.edges[step]) / 3600;
  return series.flatMap((name, order) => inSteps(filter, name, order, sums.get(name).map((hours, step) => hours / width(step)), sums.get(name)));
}

/** The level of a series in each step that passes, what the step comes to, and a row at the end of the last. */
function inSteps(filter, series, order, level, total) {
  const rows = [];
  for (let step = filter.first; step <= filter.last; step += 1) {
    const held = Math.min(step, filter.last - 1);
    rows.push({ time: millis(DATA.edges[step]), series, order, amount: level[held], total: step === held ? total[held] : 0 });
  }
  return rows;
}

/** What gives the rows of a chart of live sources, whoever is filtered. */
function liveRows() {
  const rowsOf = (several) => (filter) => (filter.first < 0 ? [] : several.flatMap(({ series, level, total }, order) => inSteps(filter, series, order, level, total)));
  return Object.fromEntries(Object.entries(DATA.live).map(([name, several]) => [name, rowsOf(several)]));
}

/** Sums by what they are of and series. */
function sums(cube, filter, of, series) {
  const found = new Map();
  for (const at of cells(cube, filter)) {
    const [name, [one, order]] = [of(at), series(at)];
    const key = JSON.stringify([name, one]);
    if (!found.has(key)) found.set(key, { of: name, series: one, order, amount: 0 });
    found.get(key).amount += cube.amount[at];
  }
  return [...found.values()];
}

/** The owned devices that are in service, whoever is filtered: rows without a series. */
function inService(filter) {
  const cube = { step: DATA.down.map((_, at) => at), amount: DATA.down.map((down, at) => ((DATA.devices[at] - down) * (DATA.edges[at + 1] - DATA.edges[at])) / 3600) };
  return levels(cube, { ...filter, groups: null }, [null], () => null).map((row) => ({ ...row, total: 0 }));
}

const ROWS = {
  held(filter) {
    const { held, groups } = DATA;
    const owned = (at) => (held.resource[at] < DATA.pools ? groups.workload[held.group[at]] : null);
    return [...levels(held, filter, domain("held"), owned), ...inService(filter)];
  },
  rented(filter) {
    const { held } = DATA;
    return levels(held, filter, domain("rented"), (at) => WORDS.resource[held.resource[at]]);
  },
  waiting(filter) {
    if (DATA.waiting) return levels(DATA.waiting, filter, domain("waiting"), (at) => WORDS.cause[DATA.waiting.cause[at]]);
    const hours = DATA.queue.map((mean, at) => (mean * (DATA.edges[at + 1] - DATA.edges[at])) / 3600);
    return levels({ step: DATA.queue.map((_, at) => at), amount: hours }, filter, domain("waiting"), () => domain("waiting")[0]);
  },
  waited(filter) {
    const { waited } = DATA;
    return sums(waited, filter, (at) => WORDS.size[waited.size[at]], (at) => [WORDS.late[waited.late[at]], waited.late[at]]);
  },
  spent(filter) {
    const { spent } = DATA;
    const of = (at) => `${WORDS.resource[spent.resource[at]]} ${WORDS.line[spent.line[at]]}`;
    return sums(spent, filter, of, (at) => [WORDS.bearer[spent.bearer[at]], spent.bearer[at]]);
  },
  charged(filter) {
    const { charged, groups } = DATA;
    const workload = (at) => groups.workload[charged.group[at]];
    const rows = sums(charged, filter, (at) => groups.owner[charged.group[at]], (at) => [workload(at), domain("charged").indexOf(workload(at))]);
    const total = new Map();
    for (const row of rows) total.set(row.of, (total.get(row.of) || 0) + row.amount);
    const largest = new Set([...total].sort((one, other) => other[1] - one[1]).slice(0, DATA.most_owners).map(([name]) => name));
    return rows.filter((row) => largest.has(row.of));
  },
};

function fillFilters() {
  const words = (list) => [...new Set(list)].sort().map((word) => option(word));
  byId("workload").append(option("", "all"), ...words(DATA.groups.workload));
  byId("owner").append(option("", "all"), ...words(DATA.groups.owner));
  for (const [id, second] of [["from", DATA.edges[0]], ["to", DATA.edges[STEPS]]]) {
    byId(id).min = utc(DATA.edges[0]);
    byId(id).max = utc(DATA.edges[STEPS] + 60);
    byId(id).defaultValue = id === "to" ? utc(second + 59) : utc(second);
  }
}

function tellShown(filter) {
  const jobs = [...cells(DATA.waited, filter)].reduce((sum, at) => sum + DATA.waited.jobs[at], 0);
  const all = DATA.waited.jobs.reduce((sum, count) => sum + count, 0);
  byId("shown").textContent = `${jobs.toLocaleString("en")} of ${all.toLocaleString("en")} jobs that were ready`;
}

fillFilters();
const GANTT = drawGantt(byId("gantt"), byId("gantt-told"));
start({ ...ROWS, ...liveRows(), ...fixedRows() }, filtered, (filter) => {
  tellShown(filter);
  GANTT.filter(filter);
});
