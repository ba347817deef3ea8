// The page Explore: one picture at a time, of the columns that the reader chooses.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const { element, text, state, charts } = genredb;
  const HEIGHTS = 60; // at which the songs of a distribution lie
  const given = genredb.json("given");
  const form = document.getElementById("choices");
  const sections = [...document.querySelectorAll(".kind")];
  const kinds = [...form.elements.kind];
  const axes = [form.elements.x, form.elements.y];

  // A specification with the values in the place of $x and its like; as plot.py does.
  function filled(part, values) {
    if (Array.isArray(part)) return part.map((one) => filled(one, values));
    if (part && typeof part === "object") {
      return Object.fromEntries(Object.entries(part).map(([key, one]) => [key, filled(one, values)]));
    }
    if (typeof part !== "string") return part;
    if (part in values && typeof values[part] !== "string") return values[part];
    const texts = Object.entries(values).filter(([, value]) => typeof value === "string");
    return texts.reduce((found, [name, value]) => found.replaceAll(name, () => value), part);
  }

  const rowsWith = (songs, names) => {
    const columns = names.map((name) => songs.column(name));
    return Array.from({ length: songs.length }, (_, row) => row).filter((row) =>
      columns.every((column) => column.at(row) !== null),
    );
  };

  // A point for each labelled song; of very many, as many as `genredb plot` shows.
  function points(songs, [x, y]) {
    const all = rowsWith(songs, y ? ["genre", x, y] : ["genre", x]);
    const isPart = all.length > given.most;
    const some = isPart ? Array.from({ length: given.most }, (_, n) => all[Math.floor((n * all.length) / given.most)]) : all;
    const at = (name, row) => songs.column(name).at(row);
    const rows = some.map((row) => ({
      song: at("song_key", row),
      title: at("title", row),
      artist: at("artist", row),
      genre: at("genre", row),
      group: at("genre_group", row),
      x: at(x, row),
      ...(y ? { y: at(y, row) } : {}),
    }));
    const note = isPart ? `${genredb.number(given.most)} of ${genredb.number(all.length)} songs, evenly chosen` : "";
    return { rows, note };
  }

  // The songs of a group that lie at about the same height lie evenly to both sides.
  function distribution(songs, columns) {
    const found = points(songs, columns);
    const values = found.rows.map((row) => row.x);
    const least = values.reduce((a, b) => Math.min(a, b), Infinity);
    const step = (values.reduce((a, b) => Math.max(a, b), -Infinity) - least) / HEIGHTS;
    const beside = new Map();
    for (const row of found.rows) {
      const place = JSON.stringify([row.group, step ? Math.trunc(row.x / step) : 0]);
      const number = (beside.get(place) ?? -1) + 1;
      beside.set(place, number);
      row.offset = Math.floor((number + 1) / 2) * (number % 2 ? 1 : -1);
    }
    return found;
  }

  function histogram(songs, [x]) {
    const counts = new Map();
    for (const row of rowsWith(songs, [x])) {
      const value = songs.column(x).at(row);
      counts.set(value, (counts.get(value) ?? 0) + 1);
    }
    const rows = [...counts].sort(([a], [b]) => a - b).map(([value, count]) => ({ x: value, songs: count }));
    return { rows, note: "" };
  }

  const READ = { scatter: points, distribution, histogram };

  function cellOf(name, value) {
    if (name === "song") return element("td", {}, element("a", { href: charts.addressOf(value) }, value));
    return typeof value === "number"
      ? element("td", { class: "number" }, Number.isInteger(value) ? String(value) : genredb.number(value, 3))
      : element("td", {}, text(value));
  }

  function fillTable(table, rows) {
    const names = Object.keys(rows[0] ?? {}).filter((name) => name !== "offset");
    const some = rows.slice(0, given.rows);
    const caption = `The first ${some.length} of ${genredb.number(rows.length)} rows.`;
    const head = element("tr", {}, ...names.map((name) => element("th", { scope: "col" }, name)));
    const body = some.map((row) => element("tr", {}, ...names.map((name) => cellOf(name, row[name]))));
    table.replaceChildren(
      ...(rows.length > some.length ? [element("caption", {}, caption)] : []),
      element("thead", {}, head),
      element("tbody", {}, ...body),
    );
  }

  // Draw a picture of columns, and say what it shows.
  async function drawColumns(section, kind, columns) {
    const songs = await genredb.table("songs");
    const { rows, note } = READ[kind](songs, columns);
    const values = { $x: columns[0], $y: columns[1] ?? "", $groups: given.groups, $note: note };
    const spec = { ...filled(given.specs[kind], values), data: { values: rows } };
    const title = spec.title.text ?? spec.title;
    section.querySelector("figcaption").replaceChildren(element("b", {}, text(title)), text(spec.title.subtitle));
    section.querySelector(".drawing").setAttribute("aria-label", `${title}. Its data are in the table below.`);
    section.querySelector("code").textContent = ["genredb plot", kind, ...columns].join(" ");
    fillTable(section.querySelector("table"), rows);
    charts.draw(section.querySelector("figure"), spec);
  }

  // The picture and the columns that the address names, or their defaults.
  function chosen() {
    const values = state.read();
    const input = kinds.find((one) => one.value === values.kind) ?? kinds[0];
    const defaults = input.dataset.columns.split(" ").filter(Boolean);
    const known = new Set([...axes[0].options].map((option) => option.value));
    const named = [values.x, values.y].map((name, place) => (known.has(name) ? name : defaults[place]));
    return { input, columns: named.slice(0, defaults.length) };
  }

  function show() {
    const { input, columns } = chosen();
    input.checked = true;
    for (const section of sections) {
      section.hidden = section.dataset.kind !== input.value;
      section.classList.add("alone");
    }
    axes.forEach((axis, place) => {
      axis.closest("[data-axis]").hidden = place >= columns.length;
      if (place < columns.length) axis.value = columns[place];
    });
    const section = sections.find((one) => !one.hidden);
    if (columns.length && given.specs[input.value]) drawColumns(section, input.value, columns);
  }

  function changed(event) {
    const isKind = event.target.name === "kind";
    const count = kinds.find((one) => one.checked).dataset.columns.split(" ").filter(Boolean).length;
    const columns = isKind ? {} : Object.fromEntries(axes.slice(0, count).map((axis) => [axis.name, axis.value]));
    location.hash = state.address({ kind: form.elements.kind.value, ...columns });
  }

  function copyOf(button) {
    const code = button.parentElement.querySelector("code");
    button.hidden = false;
    button.addEventListener("click", async () => {
      getSelection().selectAllChildren(code);
      try {
        await navigator.clipboard.writeText(code.textContent);
        button.textContent = "Copied";
      } catch {
        button.textContent = "Selected"; // a browser may refuse the clipboard to files
      }
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
  }

  form.hidden = false;
  document.querySelectorAll("[data-needs-script]").forEach((one) => (one.hidden = false));
  document.querySelectorAll("[data-copy]").forEach(copyOf);
  form.addEventListener("change", changed);
  form.addEventListener("submit", (event) => event.preventDefault());
  state.onChange(show);
  show();
});
