// The rows of charts that are worked out beforehand: those of all places, or of the one that is chosen.
"use strict";

const PLACE = byId("place");
if (PLACE) PLACE.append(...DATA.places.map((place) => option(place)));
const ROWS = Object.fromEntries(
  Object.entries(DATA.rows).map(([name, rows]) => [name, (filter) => rows.filter((row) => !filter.place || row.place === filter.place)]),
);
start(ROWS, () => ({ place: PLACE ? PLACE.value : "" }), (filter) => {
  for (const table of document.querySelectorAll("[data-place]")) table.hidden = Boolean(filter.place) && table.dataset.place !== filter.place;
});
