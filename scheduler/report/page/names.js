// Names beside the points of a chart, each where it lies on no point and on no other name, and if it can be on no line.
"use strict";

const AROUND = [[1, -1], [1, 0], [1, 1], [-1, -1], [-1, 0], [-1, 1], [0, -1], [0, 1]];
const AWAY = [6, 18, 32, 48, 66, 86, 108];

const meet = (one, other) => one.left < other.right && other.left < one.right && one.top < other.bottom && other.top < one.bottom;
const within = (one, other) => one.left >= other.left && one.right <= other.right && one.top >= other.top && one.bottom <= other.bottom;

function svgElement(name, attributes, text = "") {
  const made = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

/** The places of a box around a point, the nearest first. */
function* places(point, width, height) {
  for (const away of AWAY) {
    for (const [right, down] of AROUND) {
      const left = point.x + right * away - (width * (1 - right)) / 2;
      const top = point.y + down * away - (height * (1 - down)) / 2;
      yield { left, top, right: left + width, bottom: top + height, away };
    }
  }
}

/** Writes the names of rows that are to be named beside their points, with a line where that is far; one without a place is left out. */
function nameRows(view, root, rows) {
  const named = rows.filter((row) => row.named);
  const svg = root.querySelector("svg");
  root.querySelector(".names")?.remove();
  if (!named.length) return;
  const { left, top } = svg.getBoundingClientRect();
  const plot = root.querySelector("path.background").getBoundingClientRect();
  const boxes = (marks) => [...svg.querySelectorAll(marks)].map((mark) => mark.getBoundingClientRect());
  const [taken, lines] = [boxes(".mark-symbol.role-mark path"), boxes(".mark-rule.role-mark line")];
  const group = svg.appendChild(svgElement("g", { class: "names", fill: "currentColor", stroke: "none", "font-size": 11, transform: `translate(${-left}, ${-top})` }));
  for (const row of named) {
    const text = group.appendChild(svgElement("text", {}, row.of));
    const box = text.getBBox();
    const point = { x: plot.left + view.scale("x")(row.wait), y: plot.top + view.scale("y")(row.amount) };
    const free = [...places(point, box.width, box.height)].filter((one) => within(one, plot) && !taken.some((other) => meet(one, other)));
    const place = free.find((one) => !lines.some((line) => meet(one, line))) ?? free[0];
    if (!place) {
      text.remove();
      continue;
    }
    taken.push(place);
    text.setAttribute("x", place.left);
    text.setAttribute("y", place.top - box.y);
    if (place.away === AWAY[0]) continue;
    const near = (value, from, to) => Math.min(Math.max(value, from), to);
    const end = { x2: near(point.x, place.left, place.right), y2: near(point.y, place.top, place.bottom) };
    group.append(svgElement("line", { x1: point.x, y1: point.y, ...end, stroke: "currentColor", "stroke-opacity": 0.4 }));
  }
}
