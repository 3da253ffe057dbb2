// The Gantt chart: attempts as blocks on a canvas, row by row, that can be moved and zoomed.
"use strict";

function drawGantt(canvas, told) {
  const { rows, attempts, blocks, left_out: leftOut } = DATA.gantt;
  const [attemptOf, rowOf, placeOf, sizeOf] = blocks;
  const HIGHEST = 240; // device-heights of a row: an offer of thousands is pressed together
  const GAP = 8;
  const GUTTER = 96;
  const AXIS = 22;
  const length = DATA.edges[STEPS] - DATA.edges[0];
  const workloads = Object.keys(DATA.colours);
  const workOf = DATA.groups.workload.map((word) => workloads.indexOf(word));

  const start = new Float64Array(attempts.alloc.length);
  attempts.alloc.reduce((sum, more, at) => (start[at] = sum + more), 0);
  const tops = [];
  const scales = [];
  const height = rows.reduce((top, row) => {
    tops.push(top);
    scales.push(Math.min(1, HIGHEST / row.size));
    return top + row.size * scales.at(-1) + GAP;
  }, 0);
  let view = { from: 0, to: length, top: 0, bottom: height };
  let accepts = DATA.groups.workload.map(() => true);
  let chosen = -1;
  let waiting = false;

  let size = { width: 1, height: 1 };
  const x = (second) => GUTTER + ((second - view.from) / (view.to - view.from)) * size.width;
  const y = (place) => ((place - view.top) / (view.bottom - view.top)) * size.height;
  const css = (name) => getComputedStyle(canvas).getPropertyValue(name).trim();

  function draw() {
    waiting = false;
    const began = performance.now();
    const ratio = window.devicePixelRatio || 1;
    const [width, high] = [canvas.clientWidth, canvas.clientHeight];
    size = { width: Math.max(1, width - GUTTER), height: Math.max(1, high - AXIS) };
    canvas.width = width * ratio;
    canvas.height = high * ratio;
    const paint = canvas.getContext("2d");
    paint.scale(ratio, ratio);
    const picture = paint.createImageData(Math.round(size.width * ratio), Math.round(size.height * ratio));
    const count = drawBlocks(new Uint32Array(picture.data.buffer), picture.width, picture.height, palette(paint));
    paint.putImageData(picture, Math.round(GUTTER * ratio), 0);
    if (chosen >= 0) outline(paint);
    drawNames(paint);
    drawAxis(paint);
    canvas.dataset.blocks = count;
    canvas.dataset.millis = (performance.now() - began).toFixed(1);
    canvas.dataset.view = JSON.stringify(view);
  }

  /** Colours as a picture holds them: red, green, blue and opaque, the first in the lowest byte. */
  function palette(paint) {
    const parts = (colour) => {
      paint.fillStyle = colour;
      return [1, 3, 5].map((at) => parseInt(paint.fillStyle.slice(at, at + 2), 16));
    };
    const packed = ([red, green, blue]) => ((255 << 24) | (blue << 16) | (green << 8) | red) >>> 0;
    const ground = parts(css("--ground"));
    const works = workloads.map((word) => parts(DATA.colours[word]));
    return {
      ground: packed(ground),
      band: packed(parts(css("--band"))),
      other: packed(parts(css("--other"))),
      works: works.map(packed),
      boots: works.map((work) => packed(work.map((part, at) => Math.round((part + ground[at]) / 2)))),
    };
  }

  /** Fills pixels by hand: 65,000 blocks take the canvas's own rectangles twenty times as long. */
  function drawBlocks(pixels, width, high, colours) {
    const perSecond = width / (view.to - view.from);
    const perPlace = high / (view.bottom - view.top);
    const fill = (left, right, top, bottom, colour) => {
      for (let line = top; line < bottom; line += 1) pixels.fill(colour, line * width + left, line * width + right);
    };
    const clip = (value, most) => Math.min(Math.max(Math.round(value), 0), most);
    pixels.fill(colours.ground);
    rows.forEach((row, at) => {
      const top = (tops[at] - view.top) * perPlace;
      fill(0, width, clip(top, high), clip(top + row.size * scales[at] * perPlace, high), colours.band);
    });
    let count = 0;
    for (const wanted of [false, true]) {
      for (let at = 0; at < attemptOf.length; at += 1) {
        const attempt = attemptOf[at];
        const group = attempts.group[attempt];
        if (accepts[group] !== wanted) continue;
        const left = (start[attempt] - view.from) * perSecond;
        const right = left + attempts.length[attempt] * perSecond;
        if (right < 0 || left > width) continue;
        const row = rowOf[at];
        const top = (tops[row] + placeOf[at] * scales[row] - view.top) * perPlace;
        const bottom = top + sizeOf[at] * scales[row] * perPlace;
        if (bottom < 0 || top > high) continue;
        const [x0, y0] = [clip(left, width), clip(top, high)];
        const x1 = Math.max(clip(right, width), Math.min(x0 + 1, width));
        const y1 = Math.max(clip(bottom, high) - (bottom - top > 4 ? 1 : 0), Math.min(y0 + 1, high));
        fill(x0, x1, y0, y1, wanted ? colours.works[workOf[group]] : colours.other);
        if (wanted && attempts.boot[attempt]) fill(x0, clip(left + attempts.boot[attempt] * perSecond, x1), y0, y1, colours.boots[workOf[group]]);
        count += 1;
      }
    }
    return count;
  }

  function drawNames(paint) {
    paint.font = "12px system-ui, sans-serif";
    paint.textBaseline = "middle";
    paint.fillStyle = css("--ink");
    rows.forEach((row, at) => {
      const [top, bottom] = [y(tops[at]), y(tops[at] + row.size * scales[at])];
      if (bottom < 0 || top > size.height) return;
      const middle = (Math.max(top, 0) + Math.min(bottom, size.height)) / 2;
      paint.fillText(row.pod === null ? row.name : `${row.name} ${row.pod}`, 4, middle, GUTTER - 8);
    });
  }

  function outline(paint) {
    paint.strokeStyle = css("--ink");
    paint.lineWidth = 2;
    attemptOf.forEach((attempt, at) => {
      if (attempt !== chosen) return;
      const row = rowOf[at];
      const top = tops[row] + placeOf[at] * scales[row];
      const [left, right] = [x(start[attempt]), x(start[attempt] + attempts.length[attempt])];
      const [from, to] = [Math.max(left, GUTTER), Math.min(right, GUTTER + size.width)];
      const under = Math.min(y(top + sizeOf[at] * scales[row]), size.height);
      if (from <= to && y(top) <= under) paint.strokeRect(from, y(top), Math.max(to - from, 1), under - y(top));
    });
  }

  function drawAxis(paint) {
    const steps = [60, 300, 900, 3600, 10800, 21600, 43200, 86400, 172800, 604800, 2419200, 31449600];
    const step = steps.find((each) => ((view.to - view.from) / each) * 110 < size.width) || steps.at(-1);
    paint.fillStyle = css("--soft");
    const first = Math.ceil((view.from + DATA.edges[0]) / step) * step - DATA.edges[0];
    for (let second = first; second <= view.to; second += step) {
      paint.fillRect(x(second), size.height, 1, 5);
      const text = utc(second + DATA.edges[0]).replace("T", " ");
      paint.fillText(step < 86400 ? text.slice(5) : text.slice(0, 10), x(second) + 3, size.height + 13);
    }
  }

  function redraw() {
    if (!waiting) requestAnimationFrame(draw);
    waiting = true;
  }

  /** Keep a span within bounds, moved rather than cut. */
  function within(low, high, most, least) {
    const span = Math.min(most, Math.max(least, high - low));
    const from = Math.min(Math.max(0, (low + high - span) / 2), most - span);
    return [from, from + span];
  }

  function show(next) {
    const [from, to] = within(next.from, next.to, length, Math.min(60, length));
    const [top, bottom] = within(next.top, next.bottom, height, Math.min(4, height));
    view = { from, to, top, bottom };
    redraw();
  }

  function zoom(factor, share = 0.5) {
    const [wide, at] = [view.to - view.from, view.from + share * (view.to - view.from)];
    show({ ...view, from: at - share * wide * factor, to: at + (1 - share) * wide * factor });
  }

  function stretch(factor, share = 0.5) {
    const [high, at] = [view.bottom - view.top, view.top + share * (view.bottom - view.top)];
    show({ ...view, top: at - share * high * factor, bottom: at + (1 - share) * high * factor });
  }

  function move(right, down) {
    const [seconds, places] = [right * (view.to - view.from), down * (view.bottom - view.top)];
    show({ from: view.from + seconds, to: view.to + seconds, top: view.top + places, bottom: view.bottom + places });
  }

  function tell(attempt) {
    chosen = attempt;
    if (attempt < 0) {
      told.textContent = leftOut ? `The ${leftOut.toLocaleString("en")} smallest attempts are left out.` : "No attempt is chosen.";
    } else {
      const of = (name) => attempts[name].words[attempts[name].at[attempt]];
      const since = start[attempt] + DATA.edges[0];
      const group = attempts.group[attempt];
      const name = attempts.name[attempt] ?? attempts.id[attempt];
      const where = [...new Set(rowsOf(attempt))].map((at) => (rows[at].pod === null ? rows[at].name : `${rows[at].name} pod ${rows[at].pod}`));
      const times = `${utc(since).replace("T", " ")} to ${utc(since + attempts.length[attempt]).replace("T", " ")}`;
      told.textContent = `Job ${name}: ${of("kind")} of ${DATA.groups.owner[group]}, ${attempts.devices[attempt]} devices of ${where.join(", ")}, ${times}, ${of("outcome")}.`;
    }
    redraw();
  }

  const rowsOf = (attempt) => rowOf.filter((_, at) => attemptOf[at] === attempt);

  function attemptAt(event) {
    const box = canvas.getBoundingClientRect();
    const second = view.from + ((event.clientX - box.left - GUTTER) / size.width) * (view.to - view.from);
    const place = view.top + ((event.clientY - box.top) / size.height) * (view.bottom - view.top);
    for (let at = attemptOf.length - 1; at >= 0; at -= 1) {
      const [attempt, row] = [attemptOf[at], rowOf[at]];
      if (second < start[attempt] || second >= start[attempt] + attempts.length[attempt]) continue;
      const inRow = (place - tops[row]) / scales[row] - placeOf[at];
      if (inRow >= 0 && inRow < sizeOf[at]) return attempt;
    }
    return -1;
  }

  /** Choose the next attempt that the filters let through, and bring it into view. */
  function step(by) {
    let at = chosen < 0 ? start.findIndex((second) => second >= view.from) - by : chosen;
    do at += by;
    while (at >= 0 && at < start.length && !accepts[attempts.group[at]]);
    if (at < 0 || at >= start.length) return;
    const [wide, row] = [view.to - view.from, rowsOf(at)[0]];
    const outside = start[at] < view.from || start[at] > view.to;
    const lost = tops[row] < view.top || tops[row] > view.bottom;
    const high = view.bottom - view.top;
    show({
      from: outside ? start[at] - wide / 4 : view.from,
      to: outside ? start[at] + (3 * wide) / 4 : view.to,
      top: lost ? tops[row] : view.top,
      bottom: lost ? tops[row] + high : view.bottom,
    });
    tell(at);
  }

  const keys = {
    "+": () => zoom(0.5),
    "=": () => zoom(0.5),
    "-": () => zoom(2),
    "*": () => stretch(0.5),
    "/": () => stretch(2),
    ArrowLeft: () => move(-0.2, 0),
    ArrowRight: () => move(0.2, 0),
    ArrowUp: () => move(0, -0.2),
    ArrowDown: () => move(0, 0.2),
    Home: () => show({ from: 0, to: length, top: 0, bottom: height }),
    n: () => step(1),
    p: () => step(-1),
  };
  function act(key, event) {
    const does = keys[key] || keys[key.toLowerCase()];
    if (does) {
      does();
      event.preventDefault();
    }
  }
  canvas.addEventListener("keydown", (event) => {
    if (!event.ctrlKey && !event.metaKey && !event.altKey) act(event.key, event);
  });
  for (const button of document.querySelectorAll("[data-key]")) button.addEventListener("click", (event) => act(button.dataset.key, event));

  let dragged = null;
  canvas.addEventListener("pointerdown", (event) => {
    dragged = { x: event.clientX, y: event.clientY, far: 0 };
    canvas.setPointerCapture(event.pointerId);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const [right, down] = [event.clientX - dragged.x, event.clientY - dragged.y];
    dragged = { x: event.clientX, y: event.clientY, far: dragged.far + Math.abs(right) + Math.abs(down) };
    move(-right / size.width, -down / size.height);
  });
  canvas.addEventListener("pointerup", (event) => {
    if (dragged && dragged.far < 4) tell(attemptAt(event));
    dragged = null;
  });
  canvas.addEventListener("wheel", (event) => {
    if (document.activeElement !== canvas) return; // else the page scrolls
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    const factor = 1.0015 ** event.deltaY;
    if (event.shiftKey) stretch(factor, (event.clientY - box.top) / size.height);
    else zoom(factor, Math.min(1, Math.max(0, (event.clientX - box.left - GUTTER) / size.width)));
  }, { passive: false });
  canvas.addEventListener("dblclick", () => zoom(0.5));
  window.addEventListener("resize", redraw);
  window.addEventListener("beforeprint", draw);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  for (const word of workloads) {
    const key = element("span", "");
    const colour = element("i", "");
    colour.style.background = DATA.colours[word];
    key.append(colour, word);
    byId("gantt-legend").append(key);
  }
  tell(-1);

  return {
    filter(filter) {
      accepts = filter.groups;
      const edge = (step) => DATA.edges[step] - DATA.edges[0];
      if (filter.first >= 0) show({ ...view, from: edge(filter.first), to: edge(filter.last) });
      redraw();
    },
  };
}
