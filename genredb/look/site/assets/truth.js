// The page Truth: one leaderboard at a time, and the songs of a cell of the confusion matrix.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const { element, text, state } = genredb;
  const cells = genredb.json("cells");
  const form = document.querySelector("[data-boards]");
  const boards = [...document.querySelectorAll(".board")];
  const panel = document.getElementById("cell");
  const links = new Map();

  // The leaderboard that the address names, or the first.
  function showBoard({ protocol, label }) {
    const has = (board, key, value) => board.dataset[key] === value;
    const chosen =
      boards.find((board) => has(board, "protocol", protocol) && has(board, "label", label)) ??
      boards.find((board) => has(board, "protocol", protocol)) ??
      boards[0];
    boards.forEach((board) => (board.hidden = board !== chosen));
    form.elements.protocol.value = chosen.dataset.protocol;
    form.elements.label.value = chosen.dataset.label;
  }

  function songRow([song, title, artist, genre, predicted, probability]) {
    return element(
      "tr",
      {},
      element("td", {}, element("a", { href: genredb.charts.addressOf(song) }, element("span", { class: "clip" }, text(title)))),
      element("td", {}, element("span", { class: "clip" }, text(artist))),
      element("td", {}, text(genre)),
      element("td", {}, text(predicted)),
      element("td", { class: "number" }, genredb.percent(probability, 0)),
    );
  }

  function songTable(songs) {
    const heads = ["Song", "Artist", "Genre", "Predicted genre"].map((name) => element("th", { scope: "col" }, name));
    const probability = element("th", { scope: "col", class: "number" }, "Probability of the group");
    const body = element("tbody", {}, ...songs.map(songRow));
    const table = element("table", {}, element("thead", {}, element("tr", {}, ...heads, probability)), body);
    return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Songs of the cell" }, table);
  }

  function heading(actual, predicted, count) {
    const songs = `${genredb.number(count)} ${count === 1 ? "song" : "songs"} of `;
    const end = actual === predicted ? [", predicted right"] : [" predicted as ", text(predicted)];
    const close = element("button", { type: "button", onclick: () => choose({ actual: "", predicted: "" }) }, "Close");
    return element("div", { class: "head" }, element("h3", {}, songs, text(actual), ...end), close);
  }

  // The songs of the cell that the address names.
  function showCell({ actual, predicted }) {
    const key = `${cells.groups.indexOf(actual)}-${cells.groups.indexOf(predicted)}`;
    links.forEach((link, name) => link.toggleAttribute("aria-current", name === key));
    const songs = cells.songs[key];
    panel.hidden = !songs;
    if (!songs) return;
    const count = cells.counts[key];
    const rest = count > songs.length ? element("p", {}, `The ${songs.length} most confident of them:`) : null;
    panel.replaceChildren(heading(actual, predicted, count), ...(rest ? [rest] : []), songTable(songs));
  }

  function show() {
    const values = state.read();
    showBoard(values);
    showCell(values);
  }

  function choose(values) {
    location.hash = state.address({ ...state.read(), ...values });
  }

  for (const cell of document.querySelectorAll("[data-cell]")) {
    const [row, column] = cell.dataset.cell.split("-");
    const values = { actual: cells.groups[row], predicted: cells.groups[column] };
    const label = `${cell.textContent} songs of ${values.actual}, predicted ${values.predicted}`;
    const link = element("a", { href: state.address(values), "aria-label": label }, cell.textContent);
    link.addEventListener("click", (event) => {
      event.preventDefault();
      choose(values);
    });
    links.set(cell.dataset.cell, link);
    cell.replaceChildren(link);
  }
  form.addEventListener("change", () => choose({ protocol: form.elements.protocol.value, label: form.elements.label.value }));
  document.querySelectorAll("[data-needs-script], [data-boards]").forEach((one) => (one.hidden = false));
  state.onChange(show);
  show();
});
