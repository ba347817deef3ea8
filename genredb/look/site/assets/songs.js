// songs.html: the table of all songs, searched, filtered and sorted in the browser, and the view of one song.
"use strict";

(() => {
  const ROW_HEIGHT = 34;
  const BEYOND = 10; // rows drawn above and below those in sight
  const MOST_ROWS = 200_000; // higher tables than this are beyond what browsers can scroll
  const { element, text, number, percent, state } = genredb;

  let songs, page, order, shown;
  const FILTERS = [["group", "genre_group"], ["genre", "genre"], ["source", "source"], ["outcome", "outcome"]]; // field, column
  const EMPTY = { q: "", group: "", genre: "", source: "", outcome: "", sort: "" };
  const sought = { ...EMPTY, song: "" };

  // The rows that match the search and the filters, in order.
  function matching() {
    const masks = [];
    if (sought.q) {
      const words = sought.q.toLocaleLowerCase().split(/\s+/).filter(Boolean);
      const titles = songs.column("title"), artists = songs.column("artist");
      const hits = words.map((word) => [holding(titles, word), holding(artists, word)]);
      masks.push((row) => hits.every(([one, other]) => one[titles.codes[row]] || other[artists.codes[row]]));
    }
    for (const [name, column] of FILTERS) {
      if (!sought[name]) continue;
      const { codes, texts } = songs.column(column);
      const code = texts.indexOf(sought[name]) + 1 || -1;
      masks.push((row) => codes[row] === code);
    }
    return masks.length ? order.filter((row) => masks.every((mask) => mask(row))) : order;
  }

  // Which texts of a column hold a word, by code; each different text is looked at once.
  function holding(column, word) {
    column.folded ??= column.texts.map((one) => one.toLocaleLowerCase());
    const found = new Uint8Array(column.texts.length + 1);
    column.folded.forEach((one, place) => (found[place + 1] = one.includes(word)));
    return found;
  }

  // All rows by a column; missing values come last in both directions, equal ones stay in their order.
  function sorted() {
    const name = sought.sort.replace(/^-/, "");
    const all = Uint32Array.from({ length: songs.length }, (_, row) => row);
    const column = songs.column(name);
    if (!column) return all;
    const sign = sought.sort.startsWith("-") ? -1 : 1;
    if (column.kind === "text") return counted(column, sign);
    const keys = Float64Array.from(all, (row) => {
      const value = column.at(row);
      return value === null ? Infinity : sign * value;
    });
    return all.sort((one, other) => (keys[one] === keys[other] ? one - other : keys[one] < keys[other] ? -1 : 1));
  }

  // Codes are in the order of their texts, so that rows need no comparing: only counting those before each code.
  function counted({ codes, texts }, sign) {
    const last = texts.length;
    const rank = (code) => (!code ? last : sign > 0 ? code - 1 : last - code);
    const next = new Uint32Array(last + 2);
    for (const code of codes) next[rank(code) + 1]++;
    for (let place = 1; place < next.length; place++) next[place] += next[place - 1];
    const found = new Uint32Array(codes.length);
    codes.forEach((code, row) => (found[next[rank(code)]++] = row));
    return found;
  }

  function cell(name, row) {
    const column = songs.column(name);
    const value = column.at(row);
    if (name === "title") return element("a", { href: address(row) }, text(value ?? "untitled"));
    if (name === "probability") return number(value, 2);
    if (column.kind === "number") return value === null ? "–" : String(value);
    return text(value ?? "–");
  }

  // The view of a song; closing it leads back to the table as it was.
  const address = (row) => state.address({ ...sought, song: songs.column("song_key").at(row) });

  function drawRows() {
    const box = page.box;
    const first = Math.max(0, Math.floor(box.scrollTop / ROW_HEIGHT) - BEYOND);
    const last = Math.min(shown.length, first + Math.ceil(box.clientHeight / ROW_HEIGHT) + 2 * BEYOND);
    const rows = [spacer(first)];
    for (let place = first; place < last; place++) {
      const cells = page.columns.map(({ name, kind }) =>
        element("td", { class: kind === "number" ? "number" : null }, cell(name, shown[place])));
      rows.push(element("tr", { "aria-rowindex": place + 2 }, ...cells));
    }
    rows.push(spacer(shown.length - last));
    page.body.replaceChildren(...rows);
  }

  function spacer(rows) {
    const found = element("tr", { "aria-hidden": "true", class: "spacer" }, element("td", { colspan: page.columns.length }));
    found.firstChild.style.height = `${rows * ROW_HEIGHT}px`;
    return found;
  }

  function drawTable({ isReordered = false } = {}) {
    if (isReordered || !order) order = sorted();
    shown = matching();
    const count = shown.length;
    shown = shown.subarray(0, MOST_ROWS);
    page.count.textContent = `${number(count)} of ${number(songs.length)} songs${count > MOST_ROWS ? `; the first ${number(MOST_ROWS)} are listed` : ""}`;
    page.table.setAttribute("aria-rowcount", shown.length + 1);
    for (const { name, header } of page.columns) {
      const isSorted = sought.sort.replace(/^-/, "") === name;
      header.setAttribute("aria-sort", !isSorted ? "none" : sought.sort.startsWith("-") ? "descending" : "ascending");
    }
    page.box.scrollTop = 0;
    drawRows();
  }

  // Reads the page's address; tells whether rows have to be put in order anew.
  function readState() {
    const before = sought.sort;
    const found = state.read();
    for (const name of Object.keys(sought)) sought[name] = found[name] ?? "";
    for (const name of ["q", ...FILTERS.map(([field]) => field)]) page.form.elements[name].value = sought[name];
    return before !== sought.sort;
  }

  // What is typed replaces the address; each other change is a step that the browser's Back undoes.
  function change(values, { isStep = true } = {}) {
    const isReordered = "sort" in values && values.sort !== sought.sort;
    Object.assign(sought, values);
    if (isStep) history.pushState(null, "", state.address(sought));
    else state.write(sought);
    drawTable({ isReordered });
  }

  function header({ name, title, kind }) {
    const button = element("button", {
      type: "button",
      onclick: () => change({ sort: sought.sort === name ? `-${name}` : name }),
    }, title);
    return element("th", { scope: "col", class: kind === "number" ? "number" : null }, button);
  }

  function show() {
    const key = sought.song, before = page.shownKey;
    page.shownKey = key;
    page.list.hidden = Boolean(key);
    page.song.hidden = !key;
    if (key) genredb.showSong(page.song, songs, key, state.address({ ...sought, song: "" }));
    else drawTable();
    if (!key && before) focusRow(before);
  }

  // Where the reader was before a song was opened.
  function focusRow(key) {
    const keys = songs.column("song_key");
    const row = keys.codes.indexOf(keys.texts.indexOf(key) + 1 || -1);
    const place = shown.indexOf(row);
    if (place >= 0) page.box.scrollTop = place * ROW_HEIGHT - page.box.clientHeight / 2;
    drawRows();
    const link = [...page.body.querySelectorAll("a")].find((one) => one.getAttribute("href") === address(row));
    (link ?? page.box).focus({ preventScroll: true });
  }

  async function start() {
    const settings = genredb.json("songs-settings");
    songs = await genredb.table("songs");
    if (!songs.length) return void (document.documentElement.dataset.ready = "yes"); // the page says so
    const root = document.getElementById("songs");
    page = {
      list: document.getElementById("list"),
      song: document.getElementById("song"),
      form: document.getElementById("filters"),
      count: document.getElementById("count"),
      columns: settings.columns.map((one) => ({ ...one, kind: songs.column(one.name)?.kind })),
    };
    page.columns = page.columns.filter(({ kind }) => kind);
    for (const column of page.columns) column.header = header(column);
    page.body = element("tbody");
    page.table = element("table", { class: "rows" },
      element("caption", { class: "skip" }, "Songs"),
      element("thead", {}, element("tr", { "aria-rowindex": 1 }, ...page.columns.map((one) => one.header))), page.body);
    page.box = element("div", { class: "scroll window", tabindex: 0, role: "region", "aria-label": "Songs, a row each" }, page.table);
    root.replaceChildren(page.box);
    page.form.hidden = false;
    page.box.addEventListener("scroll", () => requestAnimationFrame(drawRows));
    window.addEventListener("resize", () => page.list.hidden || drawRows());
    page.form.addEventListener("submit", (event) => event.preventDefault());
    page.form.addEventListener("input", (event) => change({ [event.target.name]: event.target.value }, { isStep: event.target.name !== "q" }));
    page.form.addEventListener("reset", () => change(EMPTY));
    state.onChange(() => {
      if (readState()) order = sorted();
      show();
    });
    readState();
    order = sorted();
    show();
    document.documentElement.dataset.ready = "yes";
  }

  document.addEventListener("DOMContentLoaded", start);
})();
