// questions.html with live SQL: loads the engine on the first run, and shows what it answers.
"use strict";

(() => {
  const { element, script, unpacked, text, number, state } = genredb;
  const loaded = {};
  let page, worker;

  // Called by the data scripts.
  genredb.engine = (script, wasm) => Object.assign(loaded, { script, wasm });
  genredb.tables = (tables) => Object.assign(loaded, { tables });

  async function started() {
    if (worker) return;
    say("Loading DuckDB …");
    if (!loaded.script) await Promise.all(["data/duckdb.js", "data/tables.js"].map(script));
    const address = URL.createObjectURL(new Blob([await unpacked(loaded.script)], { type: "text/javascript" }));
    const tables = {};
    for (const [name, packed] of Object.entries(loaded.tables)) tables[name] = await unpacked(packed);
    worker = new Worker(address);
    try {
      await answered({ wasm: await unpacked(loaded.wasm), tables });
    } catch (error) {
      stop(); // the next run starts it anew
      throw error;
    }
  }

  const answered = (message) => new Promise((resolve, reject) => {
    worker.onmessage = ({ data }) => (data.fault === undefined ? resolve(data) : reject(new Error(data.fault)));
    worker.onerror = (event) => reject(new Error(event.message || "the worker cannot be started"));
    worker.postMessage(message);
  });

  function say(words, isFault = false) {
    page.status.textContent = words;
    page.status.classList.toggle("bad", isFault);
  }

  function show({ names, rows, isCut }) {
    const head = names.map((name) => element("th", { scope: "col" }, text(name)));
    const cells = (row) => row.map((value) => element("td", {}, value === null ? "–" : text(value)));
    const body = rows.map((row) => element("tr", {}, ...cells(row)));
    page.answer.replaceChildren(element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "The answer" },
      element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body))));
    say(`${isCut ? "The first " : ""}${number(rows.length)} ${rows.length === 1 ? "row" : "rows"}`);
  }

  async function run() {
    state.write({ sql: page.sql.value });
    page.run.disabled = true;
    try {
      await started();
      page.stop.hidden = false;
      say("Running …");
      show(await answered({ sql: page.sql.value }));
    } catch (error) {
      page.answer.replaceChildren();
      say(error.message.split("\n")[0], true); // the rest points into the query that is around the own one
    }
    page.run.disabled = false;
    page.stop.hidden = true;
  }

  // A query that runs cannot be told to stop: the worker ends, and the next run starts another.
  function stop() {
    worker?.terminate();
    worker = undefined;
    page.run.disabled = false;
    page.stop.hidden = true;
    say("Stopped.");
  }

  document.addEventListener("DOMContentLoaded", () => {
    page = Object.fromEntries(["live", "sql", "run", "stop", "status", "answer"].map((name) => [name, document.getElementById(name)]));
    page.live.hidden = false;
    page.sql.value = state.read().sql || page.sql.value;
    page.run.addEventListener("click", run);
    page.stop.addEventListener("click", stop);
    page.sql.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) run();
    });
  });
})();
