// Tables of data scripts, such as data/songs.js; the format is described in look/site/packed.py.
"use strict";

(() => {
  const ARRAYS = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i1: Int8Array, i2: Int16Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };
  const LEAST = { i1: -(2 ** 7), i2: -(2 ** 15), i4: -(2 ** 31) };
  const tables = {};

  function columnOf({ name, type, offset, texts }, buffer, start, length) {
    const codes = new ARRAYS[type](buffer, start + offset, length);
    if (texts) return { name, kind: "text", codes, texts, at: (row) => (codes[row] ? texts[codes[row] - 1] : null) };
    const missing = LEAST[type];
    const at = (row) => (codes[row] === missing || Number.isNaN(codes[row]) ? null : codes[row]);
    return { name, kind: "number", codes, at };
  }

  function tableOf(buffer) {
    const size = new DataView(buffer).getUint32(0, true);
    const { length, columns } = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 4, size)));
    const start = Math.ceil((4 + size) / 8) * 8;
    const found = new Map(columns.map((one) => [one.name, columnOf(one, buffer, start, length)]));
    return { length, names: [...found.keys()], column: (name) => found.get(name) };
  }

  // Called by the data script.
  genredb.load = (name, text) => {
    tables[name] = genredb.unpacked(text).then(({ buffer }) => tableOf(buffer));
  };

  // {length, names, column(name)}; a column has kind ("text" or "number"), codes as stored, and at(row).
  genredb.table = (name) => tables[name];
})();
