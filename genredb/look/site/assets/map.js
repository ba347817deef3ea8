// map.html: colours, search and legend of the map of the songs.
"use strict";

(() => {
  const OUTCOMES = [["right", "--good"], ["wrong", "--bad"], ["to predict", "--quiet"], ["not tested", "--quiet"]];
  const MOST_FOUND = 20;
  const NOTES = {
    "": "Coloured by the group of the label; songs without a genre are pale.",
    predicted: "Coloured by the predicted group: for labelled songs, by a classifier that was not fitted on them.",
    outcome: "Right and wrong: whether a classifier that was not fitted on the song predicts its genre.",
  };
  const { element, text, number, state } = genredb;

  let songs, settings, page, canvas, layers, matches;
  const sought = { color: "", q: "", off: "", song: "" };

  // The hidden kinds; none where the address, which anyone may write, names them in no list.
  function hidden() {
    try {
      return new Set(sought.off ? JSON.parse(sought.off) : []);
    } catch {
      return new Set();
    }
  }

  const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(name);

  // The kinds of points that the chosen colours tell apart: name, colour, rows.
  function kinds() {
    if (sought.color === "outcome") {
      return OUTCOMES.map(([name, color]) => ({ name, color: variable(color) })).map((kind) => withRows(kind, "outcome"));
    }
    const column = sought.color === "predicted" ? "answer_group" : "genre_group";
    const groups = settings.groups.map((name, rank) => ({ name, color: settings.colors[rank % settings.colors.length] }));
    return [{ name: null, color: variable("--line") }, ...groups].map((kind) => withRows(kind, column));
  }

  function withRows(kind, name) {
    const column = songs.column(name);
    const code = kind.name === null ? 0 : column.texts ? column.texts.indexOf(kind.name) + 1 || -1 : -1;
    const rows = [];
    for (let row = 0; row < songs.length; row++) if ((column.texts ? column.codes[row] : 0) === code) rows.push(row);
    return { ...kind, rows: Uint32Array.from(rows) };
  }

  function prepare() {
    const off = hidden();
    const all = kinds().filter(({ rows }) => rows.length);
    drawLegend(all, off);
    const size = songs.length > 20_000 ? 1.2 : songs.length > 3_000 ? 2.5 : 4;
    const isDimmed = Boolean(sought.q || sought.song);
    layers = all.filter(({ name }) => !off.has(name ?? "")).map((kind) => ({ ...kind, size, alpha: isDimmed ? 0.25 : 0.75 }));
    matches = isDimmed ? found() : [];
    if (isDimmed) layers.push({ rows: matches, color: variable("--text"), alpha: 1, size: 6 });
  }

  function found() {
    const [titles, artists, keys] = ["title", "artist", "song_key"].map((name) => songs.column(name));
    const words = sought.q.toLocaleLowerCase().split(/\s+/).filter(Boolean);
    const rows = [];
    for (let row = 0; row < songs.length; row++) {
      const own = `${titles.at(row) ?? ""} ${artists.at(row) ?? ""}`.toLocaleLowerCase();
      const isFound = sought.q ? words.every((word) => own.includes(word)) : keys.at(row) === sought.song;
      if (isFound) rows.push(row);
    }
    return rows;
  }

  function drawLegend(all, off) {
    page.legend.replaceChildren(...all.map(({ name, color, rows }) => {
      const button = element("button", { type: "button", "aria-pressed": String(!off.has(name ?? "")), onclick: () => toggle(name ?? "") },
        element("span", { class: "swatch", "aria-hidden": "true" }), text(name ?? "no group"), number(rows.length));
      button.firstChild.style.background = color;
      return element("li", {}, button);
    }));
  }

  function toggle(name) {
    const off = hidden();
    if (!off.delete(name)) off.add(name);
    change({ off: off.size ? JSON.stringify([...off].sort()) : "" });
    [...page.legend.querySelectorAll("button")].find((one) => one.querySelector("bdi").textContent === (name || "no group"))?.focus();
  }

  const address = (row) => `songs.html${state.address({ song: songs.column("song_key").at(row) })}`;

  function drawFound() {
    const parts = matches.slice(0, MOST_FOUND).map((row) =>
      element("li", {}, element("a", { href: address(row) }, text(songs.column("title").at(row) ?? "untitled")), " by ", text(songs.column("artist").at(row) ?? "unknown")));
    const more = matches.length > MOST_FOUND ? `, the first ${MOST_FOUND} listed` : "";
    page.found.replaceChildren(...(sought.q || sought.song ? [element("p", {}, `${number(matches.length)} songs found${more}:`), element("ul", {}, ...parts)] : []));
  }

  function update() {
    prepare();
    page.note.textContent = settings.isEvaluated || !sought.color ? NOTES[sought.color]
      : `${NOTES[sought.color]} The labelled songs have no such prediction yet: run \`genredb evaluate\`.`;
    canvas?.draw();
    drawFound();
  }

  function change(values) {
    Object.assign(sought, values);
    state.write(sought);
    update();
  }

  function showTip({ row, x, y }) {
    page.tip.hidden = row < 0;
    if (row < 0) return;
    const at = (name) => songs.column(name)?.at(row);
    const lines = [[at("title") ?? "untitled"], [at("artist") ?? "unknown artist"], [at("genre") ?? "no genre", at("genre") ? "genre: " : ""]];
    if (at("answer")) lines.push([at("answer"), "predicted: "]);
    page.tip.replaceChildren(...lines.map(([value, before = ""]) => element("div", {}, before, text(value))));
    const { clientWidth, clientHeight } = page.box;
    page.tip.style.transform = `translate(${Math.min(x + 14, clientWidth - page.tip.offsetWidth - 4)}px, ${Math.min(y + 14, clientHeight - page.tip.offsetHeight - 4)}px)`;
  }

  function readState() {
    const given = state.read();
    for (const name of Object.keys(sought)) sought[name] = given[name] ?? "";
    if (!(sought.color in NOTES)) sought.color = "";
    page.form.elements.color.value = sought.color;
    page.form.elements.q.value = sought.q;
  }

  async function start() {
    settings = genredb.json("map-settings");
    songs = await genredb.table("songs");
    if (!songs.length) return void (document.documentElement.dataset.ready = "yes"); // the page says so
    page = Object.fromEntries([["form", "choices"], ["legend", "legend"], ["box", "map"], ["note", "colour-note"], ["found", "found"], ["help", "help"]]
      .map(([name, id]) => [name, document.getElementById(id)]));
    page.tip = element("div", { class: "tip", hidden: true });
    page.form.hidden = page.help.hidden = false;
    readState();
    update();
    const points = { x: songs.column("x").codes, y: songs.column("y").codes, length: songs.length };
    canvas = genredb.canvas(page.box, points, `Map of ${number(songs.length)} songs`, () => layers, {
      onPoint: showTip,
      onClick: ({ row }) => row >= 0 && location.assign(address(row)),
    });
    page.box.append(page.tip);
    genredb.map = canvas;
    page.form.addEventListener("submit", (event) => event.preventDefault());
    page.form.addEventListener("input", ({ target }) => change({ [target.name]: target.value, ...(target.name === "color" ? { off: "" } : { song: "" }) }));
    page.form.addEventListener("click", ({ target }) => {
      if ("zoom" in target.dataset) Number(target.dataset.zoom) ? canvas.zoom(Number(target.dataset.zoom)) : canvas.reset();
    });
    state.onChange(() => {
      readState();
      update();
    });
    genredb.theme.onChange(update);
    document.documentElement.dataset.ready = "yes";
  }

  document.addEventListener("DOMContentLoaded", start);
})();
