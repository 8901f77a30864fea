// The most probable classes as bars. Each class keeps its row, which glides to its new place and length; how fast
// is for the style sheet to say (not at all for those who prefer less motion).
import { label, percent } from "./words.js";

const rows = 5;

export function bars(list) {
  const byClass = new Map(); // class number to row

  function newRow() {
    const li = document.createElement("li");
    const part = (name, parent) => {
      const e = document.createElement(parent === li ? "span" : "div");
      e.className = name;
      parent.append(e);
      return e;
    };
    const row = { li, name: part("name", li), percent: part("percent", li) };
    row.name.dir = "auto";
    row.fill = part("fill", part("track", li));
    return row;
  }

  function enter(guess, rank) {
    const row = newRow();
    row.li.dataset.leaving = "";
    row.li.style.setProperty("--rank", rank);
    row.li.style.setProperty("--share", 0);
    list.append(row.li);
    row.li.getBoundingClientRect(); // so that the browser has a state to glide from
    byClass.set(guess.class, row);
    return row;
  }

  function leave(key, row) {
    byClass.delete(key);
    row.li.dataset.leaving = "";
    row.li.setAttribute("aria-hidden", "true");
    setTimeout(() => row.li.remove(), 400);
  }

  function place(row, guess, rank, shown) {
    const { name, also } = label(guess);
    delete row.li.dataset.leaving;
    row.li.toggleAttribute("data-shown", shown);
    row.li.style.setProperty("--rank", rank);
    row.li.style.setProperty("--share", Math.min(1, Math.max(0, guess.probability)).toFixed(4));
    row.name.textContent = name;
    row.name.title = also ? `${name}, ${also}` : name;
    row.percent.textContent = percent(guess.probability);
  }

  return {
    // show takes [{class, label, probability}], best first, and the class to stress.
    show(top, stressed) {
      const best = top.slice(0, rows);
      const classes = new Set(best.map((g) => g.class));
      for (const [key, row] of byClass) if (!classes.has(key)) leave(key, row);
      best.forEach((g, rank) => place(byClass.get(g.class) ?? enter(g, rank), g, rank, g.class === stressed));
    },
  };
}
