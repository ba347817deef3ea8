// The view of one song: from its line in the CSV to its row in the submission, and the evidence between.
"use strict";

(() => {
  const NEAREST = 5;
  const { element, text, number, percent, root } = genredb;
  const settings = () => genredb.json("songs-settings");

  // Loaded when the first song is opened.
  let details;
  const loadDetails = () =>
    (details ??= genredb.script("data/details.js").then(() => genredb.table("details")));

  const plain = (value) => (value === null || value === undefined ? "–" : String(value)); // as in the data: a year is 1999

  const link = (key, ...children) => element("a", { href: `${root}songs.html#${new URLSearchParams({ song: key })}` }, ...children);

  function songLink(songs, row) {
    return link(songs.column("song_key").at(row),
      text(songs.column("title").at(row) ?? "untitled"), " by ", text(songs.column("artist").at(row) ?? "unknown"));
  }

  function named(name, address) {
    return address ? element("a", { href: root + address }, text(name)) : text(name);
  }

  const section = (title, ...children) => {
    const found = children.filter(Boolean);
    return found.length ? element("section", {}, element("h2", {}, title), ...found) : null;
  };
  const list = (items) => (items.length ? element("ul", {}, ...items.map((item) => element("li", {}, ...item))) : null);
  const paragraph = (...children) => element("p", {}, ...children);

  function table(names, rows) {
    const head = names.map((name, place) => element("th", { scope: "col", class: place ? "number" : null }, name));
    const body = rows.map((row) => element("tr", {}, ...row.map((value, place) =>
      place ? element("td", { class: "number" }, value) : element("th", { scope: "row" }, value))));
    return element("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": names.join(", ") },
      element("table", {}, element("thead", {}, element("tr", {}, ...head)), element("tbody", {}, ...body)));
  }

  // The labelled songs that sound most alike; missing values add no distance, as in `genredb explain`.
  function nearest(songs, row, { features }) {
    const columns = features.map(({ name, spread }) => ({ at: songs.column(name).at, spread: spread || 1 }));
    const own = columns.map(({ at }) => at(row));
    if (own.every((value) => value === null)) return [];
    const genres = songs.column("genre").codes;
    const found = [];
    for (let other = 0; other < songs.length; other++) {
      if (other === row || !genres[other]) continue;
      let sum = 0;
      columns.forEach(({ at, spread }, place) => {
        const value = at(other);
        if (value !== null && own[place] !== null) sum += ((value - own[place]) / spread) ** 2;
      });
      found.push([Math.sqrt(sum), other]);
    }
    return found.sort((one, other) => one[0] - other[0] || one[1] - other[1]).slice(0, NEAREST);
  }

  function others(songs, row, name) {
    const { at, codes } = songs.column(name);
    if (at(row) === null) return [];
    return Array.from(codes.keys()).filter((other) => other !== row && codes[other] === codes[row]);
  }

  function origin(songs, more, row) {
    const file = more.column("file").at(row), line = more.column("line").at(row);
    const key = songs.column("song_key").at(row);
    if (!file) return paragraph("Key ", text(key), ".");
    const unit = /\.parquet$/i.test(file) ? "row" : "line";
    const where = line === null ? [`, whose ${unit}s are not known: it has changed or is gone since it was loaded`] : [`, ${unit} ${number(line)}`];
    const changes = ["title", "artist"].filter((name) => more.column(`raw_${name}`)?.at(row));
    const repairs = changes.map((name) => [`${name}: `, text(more.column(`raw_${name}`).at(row)), " → ", text(songs.column(name).at(row))]);
    return element("div", {},
      paragraph("Key ", text(key), ", loaded from ", text(file), ...where, "."),
      repairs.length ? paragraph("Repaired on the way:") : null, list(repairs),
      settings().lineage && paragraph(element("a", { href: root + settings().lineage }, "How the table of songs is made")));
  }

  function repeats(songs, row) {
    const original = songs.column("duplicate_of")?.at(row);
    const place = (key) => songs.column("song_key").codes.indexOf(songs.column("song_key").texts.indexOf(key) + 1);
    const same = others(songs, row, "recording_number");
    return section("Repeats",
      original && paragraph("Equal in title, artist and all numbers to ", songLink(songs, place(original)), "."),
      same.length > 0 && paragraph("Recordings of the same song:"),
      list(same.map((other) => [songLink(songs, other), ` (${songs.column("song_key").at(other)})`])));
  }

  function answer(songs, more, row) {
    const { genres, groups, classifier } = settings();
    const genre = songs.column("genre").at(row), predicted = songs.column("answer")?.at(row);
    const parts = [];
    if (genre) {
      const group = songs.column("genre_group").at(row);
      parts.push(paragraph("Labelled ", named(genre, genres[genre]), ", group ", named(group, groups[group]), "."));
    }
    const probability = songs.column("probability").at(row);
    if (!predicted && probability === null) {
      const cure = genre ? "run `genredb evaluate` for an answer from classifiers that were not fitted on this song" : "run `genredb predict`";
      return section("Genre", ...parts, paragraph(`No prediction is stored: ${cure}.`));
    }
    const basis = songs.column("basis")?.at(row);
    const by = basis ? `, decided by the ${basis}` : "";
    parts.push(predicted
      ? paragraph(genre ? `Held out, ${classifier} predicts ` : "Predicted: ", named(predicted, genres[predicted]),
        probability === null ? by : `, probability ${number(probability, 2)}${by}`, ".")
      : paragraph(`Predicted: no genre, since the most likely one has a probability of ${number(probability, 2)}, below the least that \`genredb predict --min-probability\` asked for.`));
    if (genre) {
      const share = songs.column("right_share").at(row);
      const answers = more.column("answers")?.at(row);
      parts.push(paragraph(songs.column("outcome").at(row) === "right" ? "That is right" : "That is wrong",
        ...(share === null ? ["."] : [`; over all repetitions of the cross-validation, ${percent(share, 0)} of the answers are right: `, text(answers), "."])));
    }
    parts.push(runnersUp(more, row), submission(songs, more, row));
    return section("Genre", ...parts);
  }

  function runnersUp(more, row) {
    const found = [];
    for (let place = 1; more.column(`runner_up_${place}`); place++) {
      const genre = more.column(`runner_up_${place}`).at(row);
      if (genre) found.push([named(genre, settings().genres[genre]), " ", number(more.column(`runner_up_${place}_probability`).at(row), 3)]);
    }
    if (!found.length) return null;
    return element("div", {}, paragraph("Runners-up:"), list(found));
  }

  function submission(songs, more, row) {
    const line = more.column("submission_line")?.at(row);
    if (!line) return null;
    return paragraph(`In the submission: line ${number(line)}, `,
      element("code", {}, text(`${songs.column("id").at(row)},${more.column("submitted").at(row) ?? ""}`)), ".");
  }

  const isUnweighed = (songs, row) =>
    settings().mostWeighed && !songs.column("genre").at(row) && songs.column("basis")?.at(row) === "audio";

  function evidence(songs, more, row) {
    const own = others(songs, row, "artist_number").filter((other) => songs.column("genre").codes[other]);
    const weighed = settings().features.map(({ name, typical }) => ({ name, typical, weight: more.column(`weight_${name}`)?.at(row) ?? null }))
      .filter(({ weight }) => weight !== null).sort((one, other) => other.weight - one.weight);
    const alike = nearest(songs, row, settings());
    const genre = (other) => text(songs.column("genre").at(other));
    return section("Evidence",
      weighed.length > 0 && paragraph("Columns that weighed most: how much the probability of the predicted genre falls when the column has the median of the labelled songs."),
      weighed.length > 0 && table(["column", "value", "median", "fall"], weighed.map(({ name, typical, weight }) =>
        [text(name), plain(songs.column(name)?.at(row)), plain(typical), number(weight, 3)])),
      !weighed.length && isUnweighed(songs, row) && paragraph(`The columns that weighed are worked out for ${number(settings().mostWeighed)} songs only; those of this one: `,
        element("code", {}, text(`genredb explain ${songs.column("song_key").at(row)}`)), "."),
      paragraph(own.length ? "Labelled songs of the same artist:" : "No other labelled song of the artist."),
      list(own.slice(0, 20).map((other) => [songLink(songs, other), ": ", genre(other)])),
      alike.length > 0 && paragraph("Labelled songs that sound most alike, with their distance in standard deviations of the columns:"),
      alike.length > 0 && element("ol", { class: "nearest" }, ...alike.map(([distance, other]) =>
        element("li", {}, songLink(songs, other), ": ", genre(other), ` (${number(distance, 2)})`))));
  }

  function values(songs, row) {
    const rows = settings().numbers.map(({ name, median }) => [text(name), plain(songs.column(name).at(row)), plain(median)]);
    return section("Numbers", paragraph("The median is that of the labelled songs."), table(["column", "this song", "median"], rows));
  }

  genredb.showSong = async (place, songs, key, back) => {
    const keys = songs.column("song_key");
    const row = keys.codes.indexOf(keys.texts.indexOf(key) + 1 || -1);
    const close = element("p", {}, element("a", { href: back, class: "back" }, "← All songs"));
    if (row < 0) {
      place.replaceChildren(close, paragraph("There is no song ", text(key), "."));
      return;
    }
    let more;
    try {
      more = await loadDetails();
    } catch (error) {
      place.replaceChildren(close, paragraph(error.message));
      return;
    }
    const title = element("h1", { tabindex: -1 }, text(songs.column("title").at(row) ?? "untitled"));
    const artist = paragraph("by ", text(songs.column("artist").at(row) ?? "an unknown artist"));
    place.replaceChildren(...[close, title, artist, origin(songs, more, row), answer(songs, more, row),
      evidence(songs, more, row), values(songs, row), repeats(songs, row),
      paragraph(element("a", { href: `${root}map.html#${new URLSearchParams({ song: key })}` }, "On the map"))].filter(Boolean));
    title.focus();
    window.scrollTo(0, 0);
  };
})();
