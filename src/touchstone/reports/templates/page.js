"use strict";
// A crosshair on the equity chart: pointer or arrow keys; the page is whole without it.
for (const area of document.querySelectorAll("[data-cross]")) {
  const marks = JSON.parse(area.dataset.cross);
  const figure = area.closest("figure");
  const readout = figure.querySelector(".readout");
  const areas = [area, ...figure.querySelectorAll("[data-follow]")];
  const lines = areas.map((a) => {
    const line = document.createElement("i");
    line.className = "cross";
    line.hidden = true;
    a.append(line);
    return line;
  });
  const rest = "Point at a day, or use the arrow keys.";
  let at = marks.length - 1;
  readout.hidden = false;
  readout.textContent = rest;
  const show = (i) => {
    at = Math.max(0, Math.min(marks.length - 1, i));
    const [x, words] = marks[at];
    for (const line of lines) {
      line.hidden = false;
      line.style.left = `${100 * x}%`;
    }
    readout.textContent = words;
  };
  const hide = () => {
    for (const line of lines) line.hidden = true;
    readout.textContent = rest;
  };
  const nearest = (x) =>
    marks.reduce((best, m, i) => (Math.abs(m[0] - x) < Math.abs(marks[best][0] - x) ? i : best), 0);
  for (const a of areas) {
    a.addEventListener("pointermove", (event) => {
      const box = a.getBoundingClientRect();
      show(nearest((event.clientX - box.left) / box.width));
    });
    a.addEventListener("pointerleave", hide);
  }
  area.addEventListener("keydown", (event) => {
    const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -10, PageDown: 10 };
    if (!(event.key in steps)) return;
    event.preventDefault();
    readout.setAttribute("aria-live", "polite");
    show(at + steps[event.key]);
  });
  area.addEventListener("blur", hide);
}
