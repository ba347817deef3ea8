// A canvas of many points that can be moved and zoomed: by mouse, touch or keyboard.
"use strict";

(() => {
  const MOST_ROUND = 20_000; // more points than this are drawn as squares, which is faster
  const STEP = 60; // pixels that an arrow key moves
  const REACH = 12; // pixels between the pointer and a point that it means
  const { element } = genredb;

  // `points` has typed arrays x and y; `looks()` returns the layers to draw, each with rows, color, alpha and size.
  genredb.canvas = (box, points, label, looks, { onPoint, onClick }) => {
    const canvas = element("canvas", { tabindex: 0, role: "img", "aria-label": label });
    const pen = canvas.getContext("2d");
    const view = { scale: 1, left: 0, top: 0 };
    const pointers = new Map();
    const bounds = boundsOf(points);
    let fit, moved, size;

    const toX = (row) => (points.x[row] - bounds.x) * fit * view.scale + view.left;
    const toY = (row) => (bounds.y - points.y[row]) * fit * view.scale + view.top;

    // What is in the middle stays there.
    function resize() {
      const { width, height } = box.getBoundingClientRect();
      view.left += (width - (size?.width ?? width)) / 2;
      view.top += (height - (size?.height ?? height)) / 2;
      size = { width, height };
      canvas.width = width * devicePixelRatio;
      canvas.height = height * devicePixelRatio;
      fit = 0.94 * Math.min(width / bounds.width, height / bounds.height);
      draw();
    }

    function reset() {
      Object.assign(view, { scale: 1, left: box.clientWidth / 2, top: box.clientHeight / 2 });
      draw();
    }

    function draw() {
      pen.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
      pen.clearRect(0, 0, box.clientWidth, box.clientHeight);
      for (const { rows, color, alpha, size } of looks()) {
        pen.fillStyle = color;
        pen.globalAlpha = alpha;
        const radius = size * Math.min(2, Math.sqrt(view.scale));
        if (points.length > MOST_ROUND && size < 5) drawSquares(rows, radius);
        else drawDots(rows, radius);
      }
    }

    function drawSquares(rows, radius) {
      for (const row of rows) pen.fillRect(toX(row) - radius, toY(row) - radius, 2 * radius, 2 * radius);
    }

    function drawDots(rows, radius) {
      pen.beginPath();
      for (const row of rows) {
        const x = toX(row), y = toY(row);
        pen.moveTo(x + radius, y);
        pen.arc(x, y, radius, 0, 2 * Math.PI);
      }
      pen.fill();
    }

    // Zoom about a place of the canvas, which stays where it is.
    function zoom(factor, x = box.clientWidth / 2, y = box.clientHeight / 2) {
      const scale = Math.min(200, Math.max(0.5, view.scale * factor));
      const change = scale / view.scale;
      Object.assign(view, { scale, left: x - (x - view.left) * change, top: y - (y - view.top) * change });
      draw();
    }

    function move(x, y) {
      view.left += x;
      view.top += y;
      draw();
    }

    function nearest(event) {
      const { left, top } = canvas.getBoundingClientRect();
      const x = event.clientX - left, y = event.clientY - top;
      let best = -1, least = REACH ** 2;
      for (const { rows } of looks()) {
        for (const row of rows) {
          const distance = (toX(row) - x) ** 2 + (toY(row) - y) ** 2;
          if (distance < least) [best, least] = [row, distance];
        }
      }
      return { row: best, x, y };
    }

    function onPointerMove(event) {
      const before = pointers.get(event.pointerId);
      if (!before) return onPoint(nearest(event));
      const [one, other] = [...pointers.values()];
      pointers.set(event.pointerId, event);
      moved += Math.abs(event.clientX - before.clientX) + Math.abs(event.clientY - before.clientY);
      if (pointers.size === 1) return move(event.clientX - before.clientX, event.clientY - before.clientY);
      const [first, second] = [...pointers.values()];
      const apart = (a, b) => Math.hypot(a.clientX - b.clientX, a.clientY - b.clientY);
      const { left, top } = canvas.getBoundingClientRect();
      zoom(apart(first, second) / Math.max(1, apart(one, other)),
        (first.clientX + second.clientX) / 2 - left, (first.clientY + second.clientY) / 2 - top);
    }

    function onKey(event) {
      const steps = { ArrowLeft: [STEP, 0], ArrowRight: [-STEP, 0], ArrowUp: [0, STEP], ArrowDown: [0, -STEP] };
      if (event.ctrlKey || event.metaKey || event.altKey) return;
      if (steps[event.key]) move(...steps[event.key]);
      else if (event.key === "+" || event.key === "=") zoom(1.5);
      else if (event.key === "-") zoom(1 / 1.5);
      else if (event.key === "0") reset();
      else return;
      event.preventDefault();
    }

    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      if (!pointers.size) moved = 0;
      pointers.set(event.pointerId, event);
    });
    canvas.addEventListener("pointermove", onPointerMove);
    canvas.addEventListener("pointerup", (event) => {
      const isClick = pointers.size === 1 && moved < 5;
      pointers.delete(event.pointerId);
      if (isClick) onClick(nearest(event));
    });
    canvas.addEventListener("pointercancel", (event) => pointers.delete(event.pointerId));
    canvas.addEventListener("pointerleave", () => onPoint({ row: -1 }));
    canvas.addEventListener("wheel", (event) => {
      if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 300), event.offsetX, event.offsetY);
    }, { passive: false });
    canvas.addEventListener("keydown", onKey);
    window.addEventListener("resize", resize);
    box.replaceChildren(canvas);
    resize();
    reset();
    return { draw, zoom, reset, toX, toY };
  };

  function boundsOf({ x, y, length }) {
    let [left, right, low, high] = [Infinity, -Infinity, Infinity, -Infinity];
    for (let row = 0; row < length; row++) {
      left = Math.min(left, x[row]);
      right = Math.max(right, x[row]);
      low = Math.min(low, y[row]);
      high = Math.max(high, y[row]);
    }
    return { x: (left + right) / 2, y: (low + high) / 2, width: right - left || 1, height: high - low || 1 };
  }
})();
