// The worker that answers live SQL, below DuckDB-Wasm and Arrow: see live_sql.py.
"use strict";

const MOST_ROWS = 1_000;
let connection;

async function start({ wasm, tables }) {
  const address = URL.createObjectURL(new Blob([wasm], { type: "application/wasm" }));
  const engine = { mainModule: address };
  const database = await self.duckdb.createDuckDB({ mvp: engine, eh: engine }, new self.duckdb.VoidLogger(), self.duckdb.BROWSER_RUNTIME);
  await database.instantiate();
  connection = database.connect();
  for (const [name, stream] of Object.entries(tables)) connection.insertArrowFromIPCStream(stream, { name, create: true });
  // Nothing is loaded from elsewhere, though the page's policy would stop it as well.
  connection.query("set autoinstall_known_extensions = false; set autoload_known_extensions = false");
}

// DuckDB itself writes the values as text, as `genredb query` does.
function ask(sql) {
  const query = sql.trim().replace(/;+\s*$/, "");
  const table = connection.query(`select columns(*)::varchar from (${query}\n) limit ${MOST_ROWS + 1}`);
  const names = table.schema.fields.map(({ name }) => name);
  const rows = table.toArray().map((row) => row.toArray().map((value) => value ?? null));
  return { names, rows: rows.slice(0, MOST_ROWS), isCut: rows.length > MOST_ROWS };
}

self.onmessage = async ({ data }) => {
  try {
    if (data.wasm) await start(data);
    self.postMessage(data.wasm ? { isReady: true } : ask(data.sql));
  } catch (error) {
    self.postMessage({ fault: String(error?.message ?? error) });
  }
};
