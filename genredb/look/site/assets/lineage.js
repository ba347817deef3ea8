// Columns: the path of one through the graph, and the search for nodes and columns. data/columns.js brings them.
"use strict";

(() => {
  const { element, text, state } = genredb;
  const [MOST_FOUND, MOST_COLUMNS, MOST_SOURCES] = [20, 12, 3];
  const FOLLOWED = ["value", "classifier"];
  const page = document.querySelector("[data-lineage]");
  const isWhole = page.dataset.isWhole !== undefined;
  const own = page.dataset.node === undefined ? null : Number(page.dataset.node);
  const part = (name) => page.querySelector(`[data-${name}]`);

  genredb.columns = (data) => {
    const graph = decoded(data);
    startSearch(graph);
    if (part("path")) startPath(graph);
  };

  function decoded({ nodes, names, ways, columns, edges, unresolved }) {
    const found = { nodes: nodes.map(([label, address, what]) => ({ label, address, what })), columns: [], unresolved };
    for (let i = 0; i < columns.length; i += 2) {
      found.columns.push({ node: columns[i], name: names[columns[i + 1]], up: [], down: [] });
    }
    for (let i = 0; i < edges.length; i += 3) {
      const edge = { target: edges[i], source: edges[i + 1], way: ways[edges[i + 2]] };
      found.columns[edge.target].up.push(edge);
      found.columns[edge.source].down.push(edge);
    }
    return found;
  }

  const named = ({ nodes }, column) => nodes[column.node].label + (column.name && `.${column.name}`);

  function addressOf(graph, column) {
    if (isWhole && column.name) return `#column=${encodeURIComponent(named(graph, column))}`;
    const address = genredb.root + graph.nodes[column.node].address;
    return column.name ? `${address}#column=${encodeURIComponent(column.name)}` : address;
  }

  // The column that a fragment names: of the page's own node, or with its node's label.
  function find(graph, asked) {
    const wanted = asked.toLowerCase();
    const isAsked = (column) =>
      (column.node === own && column.name.toLowerCase() === wanted) || named(graph, column).toLowerCase() === wanted;
    return graph.columns.findIndex((column) => column.name && isAsked(column));
  }

  // ---- The path

  // All columns and edges upstream and downstream of one.
  function trace(graph, start, isAll) {
    const [columns, edges] = [new Set([start]), new Set()];
    for (const [way, end] of [["up", "source"], ["down", "target"]]) {
      const seen = new Set([start]);
      for (const column of seen) {
        for (const edge of graph.columns[column][way]) {
          if (!isAll && !FOLLOWED.includes(edge.way)) continue;
          edges.add(edge);
          seen.add(edge[end]);
        }
      }
      seen.forEach((column) => columns.add(column));
    }
    return { columns, edges };
  }

  function light(graph, found) {
    const { svg } = genredb.graph;
    const nodes = new Set([...(found?.columns ?? [])].map((column) => graph.columns[column].node));
    const pair = (edge) => `${graph.columns[edge.source].node} ${graph.columns[edge.target].node}`;
    const lines = new Set([...(found?.edges ?? [])].map(pair));
    svg.classList.toggle("tracing", found !== null);
    svg.querySelectorAll("[data-node]").forEach((node) => node.classList.toggle("lit", nodes.has(Number(node.dataset.node))));
    svg.querySelectorAll("[data-line]").forEach((line) => line.classList.toggle("lit", lines.has(line.dataset.line)));
  }

  function listed(graph, found, start) {
    const byNode = new Map();
    for (const column of [...found.columns].sort((a, b) => a - b)) {
      const node = graph.columns[column].node;
      byNode.set(node, [...(byNode.get(node) ?? []), column]);
    }
    return [...byNode.entries()].sort(([a], [b]) => a - b).map(([node, columns]) => {
      const shown = columns.slice(0, MOST_COLUMNS);
      if (columns.includes(start) && !shown.includes(start)) shown[MOST_COLUMNS - 1] = start;
      const rest = columns.length - shown.length;
      const { label, address, what } = graph.nodes[node];
      return element("li", {},
        element("a", { href: genredb.root + address }, text(label)),
        element("span", { class: "quiet" }, ` ${what}: `),
        ...shown.flatMap((column, place) => [place ? "; " : "", ...columnOf(graph, found, column, start)]),
        rest ? element("span", { class: "quiet" }, ` and ${rest} more columns`) : null,
        graph.unresolved[node] ? element("span", { class: "warn" }, " Not all columns can be traced: ", text(graph.unresolved[node])) : null);
    });
  }

  function columnOf(graph, found, number, start) {
    const column = graph.columns[number];
    const from = column.up.filter((edge) => found.edges.has(edge) && found.columns.has(edge.source));
    const shown = from.slice(0, MOST_SOURCES).flatMap((edge, place) => {
      const source = graph.columns[edge.source];
      const isAlike = source.name.toLowerCase() === column.name.toLowerCase();
      const label = isAlike ? graph.nodes[source.node].label : named(graph, source);
      return [place ? ", " : " ← ", text(label), edge.way === "value" ? "" : ` (${edge.way})`];
    });
    if (from.length > MOST_SOURCES) shown.push(` and ${from.length - MOST_SOURCES} more`);
    const link = column.name
      ? element("a", { href: addressOf(graph, column), class: number === start && "self" }, text(column.name)) : null;
    return [link, element("span", { class: "quiet small" }, ...shown)].filter(Boolean);
  }

  function startPath(graph) {
    const all = part("path-all");
    const rows = [...page.querySelectorAll(".columns tbody tr")].map((row) => [row, row.id]);
    // Without scripts a fragment leads to the column's row; with them, to the graph.
    rows.forEach(([row]) => row.removeAttribute("id"));
    const show = ({ isMoving }) => {
      const asked = state.read().column ?? "";
      const start = asked ? find(graph, asked) : -1;
      const found = start < 0 ? null : trace(graph, start, all.checked);
      light(graph, found);
      part("path").hidden = !asked;
      const name = found ? named(graph, graph.columns[start]) : asked;
      part("path-name").replaceChildren(text(name));
      part("path-problem").hidden = found || !asked;
      part("path-problem").textContent = "There is no such column.";
      part("path-list").replaceChildren(...(found ? listed(graph, found, start) : []));
      part("path-whole").hidden = isWhole || !found;
      part("path-whole").href = `${genredb.root}${page.dataset.whole}#column=${encodeURIComponent(name)}`;
      rows.forEach(([row, id]) => row.classList.toggle("lit", id.toLowerCase() === `column=${asked.toLowerCase()}`));
      if (found && isMoving) move(graph.columns[start].node);
    };
    const move = (node) => {
      genredb.graph.region.scrollIntoView({ block: "start" });
      const box = genredb.graph.svg.querySelector(`[data-node="${node}"]`);
      if (box) genredb.graph.center(box);
    };
    all.checked = state.read().all === "1";
    all.addEventListener("change", () => {
      state.write({ ...state.read(), all: all.checked ? "1" : "" });
      show({ isMoving: false });
    });
    part("path-clear").addEventListener("click", () => {
      state.write({});
      show({ isMoving: false });
    });
    state.onChange(() => show({ isMoving: true }));
    show({ isMoving: true });
  }

  // ---- The search

  function search(graph, asked) {
    const exact = asked.trim().toLowerCase();
    const words = exact.split(/[\s.]+/).filter(Boolean);
    if (!words.length) return [];
    const last = words[words.length - 1];
    const rank = (name, whole) => {
      if (!words.every((word) => whole.includes(word))) return null;
      if (whole === exact) return 0;
      return name === last ? 1 : name.startsWith(last) ? 2 : name.includes(last) ? 3 : 4;
    };
    const found = [];
    graph.nodes.forEach((node, place) => {
      const label = node.label.toLowerCase();
      const own = rank(label.slice(label.lastIndexOf(".") + 1), label);
      if (own !== null) found.push([2 * own, place, node.label, node.what, genredb.root + node.address]);
    });
    graph.columns.forEach((column, place) => {
      const own = column.name ? rank(column.name.toLowerCase(), named(graph, column).toLowerCase()) : null;
      if (own !== null) found.push([2 * own + 1, place, named(graph, column), "column", addressOf(graph, column)]);
    });
    return found.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  }

  function startSearch(graph) {
    const [box, list] = [part("find"), part("found")];
    const field = box.querySelector("input");
    const close = () => (list.hidden = true);
    const links = () => [...list.querySelectorAll("a")];
    const show = () => {
      const found = search(graph, field.value);
      const items = found.slice(0, MOST_FOUND).map(([, , label, what, href]) =>
        element("li", {}, element("a", { href }, text(label), element("span", { class: "quiet" }, what))));
      if (found.length > MOST_FOUND) items.push(element("li", { class: "quiet" }, `${found.length - MOST_FOUND} more`));
      if (!found.length) items.push(element("li", { class: "quiet" }, "Nothing found"));
      list.replaceChildren(...items);
      list.hidden = !field.value.trim();
    };
    field.addEventListener("input", show);
    field.addEventListener("focus", show);
    box.addEventListener("keydown", (event) => {
      const [all, at] = [links(), links().indexOf(document.activeElement)];
      if (event.key === "Escape") close();
      else if (event.key === "Enter" && at < 0 && all.length) all[0].click();
      else if (event.key === "ArrowDown" && all.length) all[Math.min(at + 1, all.length - 1)].focus();
      else if (event.key === "ArrowUp" && at >= 0) (at ? all[at - 1] : field).focus();
      else return;
      event.preventDefault();
    });
    box.addEventListener("focusout", (event) => box.contains(event.relatedTarget) || setTimeout(close, 150));
    list.addEventListener("click", close);
    box.hidden = false;
  }
})();
