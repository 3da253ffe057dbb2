// The rows of charts that are worked out beforehand: those of all places, or of the one that is chosen.
"use strict";

const PLACE = byId("place");
if (PLACE) PLACE.append(...DATA.places.map((place) => option(place)));
start(fixedRows(), () => ({ place: PLACE ? PLACE.value : "" }), (filter) => {
  for (const table of document.querySelectorAll("[data-place]")) table.hidden = Boolean(filter.place) && table.dataset.place !== filter.place;
});
