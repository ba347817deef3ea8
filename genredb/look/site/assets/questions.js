// questions.html: copies the command of a question.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  for (const place of document.querySelectorAll(".copy")) {
    const sql = place.previousElementSibling;
    const command = sql.querySelector(".command");
    const said = place.querySelector("[role=status]");
    place.hidden = false;
    place.querySelector("button").addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(command.textContent);
        said.textContent = "Copied.";
      } catch {
        // A browser may refuse it to files: the command is selected instead.
        sql.open = true;
        getSelection().selectAllChildren(command);
        said.textContent = "Selected: copy it with Ctrl-C.";
      }
    });
  }
});
