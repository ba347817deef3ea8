// Draws the charts of a page: Vega-Lite specifications, in the page's colours and as wide as their column.
"use strict";

(() => {
  const WIDEST = 1100;
  const NARROW = 560;
  const BESIDE = 220; // what axis and legend take beside a plot of a fixed width
  const STEP = 20; // Vega-Lite's own, of a category
  const shown = new Map(); // a figure → its specification, width and view

  const color = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  // Colours and fonts of the page, in the place of those that a picture has on paper.
  function configOf(spec, isNarrow) {
    const texts = { labelColor: color("text"), titleColor: color("quiet"), labelFontSize: 12, titleFontSize: 12 };
    const pointer = spec.data.values[0]?.song ? { cursor: "pointer" } : {};
    const lines = { gridColor: color("line"), domainColor: color("quiet"), tickColor: color("quiet") };
    const below = isNarrow ? { orient: "bottom", columns: 2, labelLimit: 130, gradientLength: 160 } : {};
    const own = {
      background: "transparent",
      font: getComputedStyle(document.body).fontFamily,
      axis: { ...texts, ...lines, labelLimit: isNarrow ? 110 : 200 },
      axisQuantitative: { labelOverlap: true, labelSeparation: 8 },
      legend: { ...texts, titleLimit: 300, ...below },
      rule: { color: color("text") },
      circle: pointer,
      point: pointer,
    };
    const found = { ...spec.config };
    for (const [key, value] of Object.entries(own)) {
      found[key] = typeof value === "object" ? { ...found[key], ...value } : value;
    }
    return found;
  }

  // The pixels that a specification wants for an axis: a number, or a step for each category.
  function sizeOf(spec, name, channel) {
    if (typeof spec[name] === "number") return spec[name];
    const { field, scale } = spec.encoding[channel];
    const categories = scale?.domain ?? new Set(spec.data.values.map((row) => row[field]));
    return (spec[name]?.step ?? STEP) * Math.max(1, categories.size ?? categories.length);
  }

  // The same specification as `genredb plot` draws, without its title, which stands in the page.
  function fitted(spec, room) {
    const { title, ...rest } = spec;
    return {
      ...rest,
      width: Math.min(room, WIDEST, sizeOf(spec, "width", "x") + BESIDE),
      height: sizeOf(spec, "height", "y"),
      autosize: { type: "fit-x", contains: "padding" },
      padding: 2,
      config: configOf(spec, room < NARROW),
    };
  }

  const addressOf = (song) => `${genredb.root}songs.html#${new URLSearchParams({ song })}`;

  // One after the other: a figure that is drawn twice at once would hold two drawings.
  function redraw(figure) {
    const state = shown.get(figure);
    state.done = (state.done ?? Promise.resolve()).then(() => embed(figure, state));
  }

  async function embed(figure, state) {
    const drawing = figure.querySelector(".drawing");
    const room = drawing.clientWidth;
    if (!room) return; // it is hidden; it will be drawn once it is not
    state.room = room;
    state.result?.finalize();
    state.result = await vegaEmbed(drawing, fitted(state.spec, room), {
      mode: "vega-lite",
      renderer: "svg",
      ast: true,
      actions: false,
      defaultStyle: false,
      tooltip: { disableDefaultStyle: true },
    });
    drawing.querySelector("svg").setAttribute("aria-hidden", "true"); // the drawing has a name, its data a table
    state.result.view.addEventListener("click", (_, item) => {
      if (item?.datum?.song) location.href = addressOf(item.datum.song);
    });
    figure.dataset.drawn = Number(figure.dataset.drawn ?? 0) + 1;
  }

  // A figure is drawn when it is first seen, and again when its width changes.
  const resized = new ResizeObserver((entries) => {
    for (const { target } of entries) {
      const figure = target.closest("figure");
      if (Math.abs(target.clientWidth - (shown.get(figure).room ?? 0)) > 4) redraw(figure);
    }
  });

  // Show a specification in a figure, in the place of the one that it shows.
  function draw(figure, spec) {
    const isNew = !shown.has(figure);
    if (isNew) {
      shown.set(figure, { spec });
      resized.observe(figure.querySelector(".drawing"));
    } else {
      shown.get(figure).spec = spec;
      redraw(figure);
    }
  }

  genredb.charts = { draw, addressOf };
  genredb.theme.onChange(() => shown.forEach((_, figure) => redraw(figure)));
  document.addEventListener("DOMContentLoaded", () => {
    for (const figure of document.querySelectorAll("figure.chart")) {
      const data = figure.querySelector("script[type='application/json']");
      if (data) draw(figure, JSON.parse(data.textContent));
    }
  });
})();
