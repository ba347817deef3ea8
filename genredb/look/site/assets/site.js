// What the scripts of all pages share. Loaded in the head: it sets the theme before anything is drawn.
"use strict";

const genredb = (() => {
  const root = document.documentElement;
  root.dataset.scripts = "on"; // hides what is there only for browsers without

  // Elements are built from text, never from markup: texts of the data are only shown.
  function element(name, attributes = {}, ...children) {
    const found = document.createElement(name);
    for (const [key, value] of Object.entries(attributes)) {
      if (key.startsWith("on")) found.addEventListener(key.slice(2), value);
      else if (value === true) found.setAttribute(key, "");
      else if (value !== false && value !== null && value !== undefined) found.setAttribute(key, value);
    }
    found.append(...children.filter((child) => child !== null && child !== undefined));
    return found;
  }

  // A text of the data, isolated, so that its direction does not turn around what follows it.
  const text = (value) => element("bdi", {}, value ?? "");

  // The JSON of <script type="application/json" id="…">.
  const json = (id) => JSON.parse(document.getElementById(id).textContent);

  const number = (value, digits = 0) =>
    value === null || value === undefined || Number.isNaN(value)
      ? "–"
      : value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
  const percent = (value, digits = 1) => (value === null || value === undefined ? "–" : `${number(100 * value, digits)} %`);

  // State that a link can carry: the fragment, as in #song=train:43&sort=year.
  const state = {
    read: () => Object.fromEntries(new URLSearchParams(location.hash.slice(1))),
    address: (values) => `#${new URLSearchParams(Object.entries(values).filter(([, value]) => value || value === 0))}`,
    write: (values) => history.replaceState(null, "", state.address(values)),
    onChange: (listener) => window.addEventListener("hashchange", listener),
  };

  // Loads a data script that not every visit needs; a page opened from disk can load no other file.
  const script = (path) => new Promise((resolve, reject) => {
    const onerror = () => reject(new Error(`${path} cannot be loaded.`));
    document.head.append(element("script", { src: root.dataset.root + path, onload: resolve, onerror }));
  });

  // The bytes of base64 of gzip.
  async function unpacked(packed) {
    const characters = atob(packed);
    const bytes = new Uint8Array(characters.length);
    for (let place = 0; place < bytes.length; place++) bytes[place] = characters.charCodeAt(place);
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Uint8Array(await new Response(stream).arrayBuffer());
  }

  const isDark = () =>
    (root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  const themeListeners = [];
  const theme = { isDark, onChange: (listener) => themeListeners.push(listener) };

  function setTheme(name) {
    root.dataset.theme = name;
    try {
      localStorage.setItem("genredb-theme", name);
    } catch {
      // A browser may refuse storage to files.
    }
    themeListeners.forEach((listener) => listener());
  }

  try {
    const kept = localStorage.getItem("genredb-theme");
    if (kept === "dark" || kept === "light") root.dataset.theme = kept;
  } catch {
    // As above.
  }

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.querySelector("[data-theme-switch]");
    const name = () => {
      button.textContent = isDark() ? "Light" : "Dark";
      button.setAttribute("aria-label", isDark() ? "Use light colours" : "Use dark colours");
    };
    button.hidden = false;
    button.addEventListener("click", () => {
      setTheme(isDark() ? "light" : "dark");
      name();
    });
    name();
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      name();
      themeListeners.forEach((listener) => listener());
    });
  });

  // "/" goes to the page's search field.
  document.addEventListener("keydown", (event) => {
    const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(event.target.tagName);
    if (event.key !== "/" || isTyping || event.ctrlKey || event.metaKey || event.altKey) return;
    const field = document.querySelector("input[type=search]");
    if (field) {
      event.preventDefault();
      field.focus();
    }
  });

  return { element, script, unpacked, text, json, number, percent, state, theme, root: root.dataset.root };
})();
