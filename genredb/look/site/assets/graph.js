// The region of a graph: zoom by buttons and by the wheel with Ctrl, pan by dragging.
"use strict";

(() => {
  const [SMALLEST, LARGEST, READABLE] = [0.1, 3, 0.66];
  const region = document.querySelector("[data-graph]");
  if (!region) return;
  const svg = region.querySelector("svg");
  const full = { width: svg.viewBox.baseVal.width, height: svg.viewBox.baseVal.height };
  let scale = 1;

  // Keeps what is under a point of the region where it is.
  function zoom(to, x = region.clientWidth / 2, y = region.clientHeight / 2) {
    const next = Math.min(LARGEST, Math.max(SMALLEST, to));
    const [left, top] = [(region.scrollLeft + x) * (next / scale) - x, (region.scrollTop + y) * (next / scale) - y];
    scale = next;
    svg.setAttribute("width", full.width * scale);
    svg.setAttribute("height", full.height * scale);
    region.scrollTo(left, top);
  }

  const fitting = () => Math.min(1, (region.clientWidth - 2) / full.width);

  function center(node) {
    const [own, around] = [node.getBoundingClientRect(), region.getBoundingClientRect()];
    region.scrollBy(
      own.left + own.width / 2 - around.left - region.clientWidth / 2,
      own.top + own.height / 2 - around.top - region.clientHeight / 2,
    );
  }

  function startDrag(event) {
    if (event.pointerType !== "mouse" || event.button !== 0) return;
    const begun = { x: event.clientX, y: event.clientY, left: region.scrollLeft, top: region.scrollTop };
    const move = (moved) => {
      const [x, y] = [moved.clientX - begun.x, moved.clientY - begun.y];
      if (Math.abs(x) + Math.abs(y) > 4) region.classList.add("dragging");
      if (region.classList.contains("dragging")) region.scrollTo(begun.left - x, begun.top - y);
    };
    const stop = () => {
      window.removeEventListener("pointermove", move);
      // The click that ends a drag on a node comes after this.
      setTimeout(() => region.classList.remove("dragging"));
    };
    window.addEventListener("pointermove", move);
    window.addEventListener("pointerup", stop, { once: true });
  }

  region.addEventListener("pointerdown", startDrag);
  region.addEventListener("dragstart", (event) => event.preventDefault());
  region.addEventListener("click", (event) => region.classList.contains("dragging") && event.preventDefault(), true);
  region.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const around = region.getBoundingClientRect();
      zoom(scale * Math.exp(-event.deltaY / 300), event.clientX - around.left, event.clientY - around.top);
    },
    { passive: false },
  );
  const buttons = document.querySelector("[data-zoom]");
  buttons.addEventListener("click", (event) => {
    const by = event.target.dataset.by;
    if (by === "fit") zoom(fitting());
    else if (by) zoom(by === "1" ? 1 : scale * Number(by));
  });
  buttons.hidden = false;

  zoom(Math.max(READABLE, fitting()));
  const own = region.querySelector(".own");
  if (own) center(own);
  genredb.graph = { svg, region, center };
})();
