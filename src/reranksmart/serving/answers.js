"use strict";
// What was found: two lists of cards, and one answer large. All that comes from the index is put in by textContent.
const at = (id) => document.getElementById(id);
const regionsByRow = new Map();

function made(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

const signed = (number, digits) => number.toFixed(digits).replace("-", "−");

function card(hit, alt) {
  const entry = made("li");
  entry.tabIndex = 0;
  entry.dataset.id = hit.id ?? hit.row;
  const picture = made("span", "picture");
  const image = made("img");
  image.alt = alt;
  image.width = image.height = 256;
  image.src = `/pictures/${hit.row}`;
  picture.append(image);
  entry.append(picture);
  entry.addEventListener("click", () => enlarge(hit));
  entry.addEventListener("keydown", (event) => {
    if (event.key === "Enter") { event.preventDefault(); enlarge(hit); }
  });
  return entry;
}

function item(hit, stage) {
  const reranked = stage === "reranked";
  const name = hit.text ?? hit.name;
  const rank = reranked ? hit.rank : hit.retrieved_rank;
  const other = reranked ? hit.retrieved_rank : hit.rank;
  const entry = card(hit, hit.text ? "" : `Picture ${name}`);
  entry.classList.toggle("beyond", hit.log_odds === null && stage !== "similar");
  const line = made("div", "line");
  line.append(made("span", "rank", `${rank}.`));
  if (stage !== "similar") line.append(movement(hit, reranked));
  const log = hit.log_odds === null ? "not re-ranked" : `log-odds ${signed(hit.log_odds, 1)}`;
  line.append(made("span", "score", reranked ? log : `cosine ${signed(hit.cosine, 2)}`));
  if (hit.text) entry.append(made("p", "text", hit.text));
  entry.append(line);
  if (hit.deleted) entry.append(made("p", "deleted", "file is gone"));
  const moved = stage === "similar" ? "" : `, ${reranked ? "was" : "becomes"} ${other}`;
  entry.setAttribute("aria-label", `${name}, place ${rank}${moved}`);
  for (const on of ["mouseenter", "focus"]) entry.addEventListener(on, () => point(hit, true));
  for (const off of ["mouseleave", "blur"]) entry.addEventListener(off, () => point(hit, false));
  return entry;
}

function movement(hit, reranked) {
  const change = hit.retrieved_rank - hit.rank;
  if (change === 0) return made("span", "moved stays", "stays");
  const [arrow, kind] = change > 0 ? ["▲", "up"] : ["▼", "down"];
  return made("span", `moved ${kind}`, reranked ? `${arrow} from ${hit.retrieved_rank}` : `${arrow} to ${hit.rank}`);
}

async function seenIn(row) {
  if (!regionsByRow.has(row)) {
    const reply = await fetch(`/regions/${row}`);
    if (!reply.ok) return { shape: 1, regions: [] };
    regionsByRow.set(row, await reply.json());
  }
  return regionsByRow.get(row);
}

async function point(hit, on) {
  const same = [...document.querySelectorAll("#lists li")].filter((entry) => entry.dataset.id === hit.id);
  for (const entry of same) {
    entry.classList.toggle("same", on);
    entry.querySelector("svg")?.remove();
  }
  if (!on) return;
  const seen = await seenIn(hit.row);
  for (const entry of same.filter((one) => one.classList.contains("same") && !one.querySelector("svg"))) {
    entry.querySelector(".picture").append(drawn(seen, "slice"));
  }
}

// Boxes over a picture; "slice" cuts the middle square out of them as the thumbnail is cut.
function drawn({ shape, regions }, fit) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", `0 0 ${shape} 1`);
  drawing.setAttribute("preserveAspectRatio", `xMidYMid ${fit}`);
  drawing.setAttribute("aria-hidden", "true");
  for (const { box: [x1, y1, x2, y2], label } of regions) {
    for (const kind of ["under", "over"]) {
      const rect = document.createElementNS(space, "rect");
      rect.setAttribute("class", kind);
      const sizes = { x: x1 * shape, y: y1, width: (x2 - x1) * shape, height: y2 - y1 };
      for (const [key, value] of Object.entries(sizes)) rect.setAttribute(key, value);
      const title = document.createElementNS(space, "title");
      title.textContent = label;
      rect.append(title);
      drawing.append(rect);
    }
  }
  return drawing;
}

function scores(hit) {
  const told = [];
  if (hit.cosine !== undefined) {
    told.push(["Retriever (bi-encoder)", `place ${hit.retrieved_rank}; cosine ${signed(hit.cosine, 3)}, ` +
      "the closeness of the two as it embeds them, from −1 to 1"]);
  }
  if (typeof hit.log_odds === "number") {
    const sure = 100 / (1 + Math.exp(-hit.log_odds));
    told.push(["Reranker (cross-encoder)", `place ${hit.rank}; log-odds ${signed(hit.log_odds, 2)}: reading both ` +
      `together it gives them ${sure < 0.1 ? "under 0.1" : sure > 99.9 ? "over 99.9" : sure.toFixed(1)} % to belong together`]);
  } else if (hit.cosine !== undefined && at("reranked").children.length) {
    told.push(["Reranker (cross-encoder)", "not asked: the answer lies beyond the candidates that are re-ranked"]);
  }
  return told;
}

let shownLarge = null;

function enlarge(hit) {
  shownLarge = hit;
  const image = at("large-picture").querySelector("img");
  at("large-picture").querySelector("svg")?.remove();
  image.src = hit.deleted ? `/pictures/${hit.row}` : `/pictures/${hit.row}/large`;
  image.alt = hit.name;
  at("large-name").textContent = hit.name;
  at("large-deleted").hidden = !hit.deleted;
  at("large-text").textContent = hit.text ?? "";
  at("large-scores").replaceChildren(...scores(hit).flatMap(([who, what]) => [made("dt", "", who), made("dd", "", what)]));
  at("large-path").value = hit.path;
  at("large-open").href = image.src;
  at("large-open").hidden = at("large-similar").hidden = hit.deleted;
  at("large-copy").textContent = "Copy path";
  at("large-boxes").setAttribute("aria-pressed", "false");
  seenIn(hit.row).then(({ regions }) => { at("large-boxes").hidden = hit.deleted || !regions.length; });
  if (!at("large").open) at("large").showModal();
}

at("large-close").addEventListener("click", () => at("large").close());
at("large").addEventListener("click", (event) => { if (event.target === at("large")) at("large").close(); });
at("large-copy").addEventListener("click", async () => {
  at("large-path").select(); // without https and a local name a browser has no clipboard but this one
  const copied = navigator.clipboard
    ? await navigator.clipboard.writeText(shownLarge.path).then(() => true, () => document.execCommand("copy"))
    : document.execCommand("copy");
  at("large-copy").textContent = copied ? "Copied" : "Select the path and copy it";
});
at("large-boxes").addEventListener("click", async () => {
  const there = at("large-picture").querySelector("svg");
  at("large-boxes").setAttribute("aria-pressed", String(!there));
  if (there) there.remove();
  else at("large-picture").append(drawn(await seenIn(shownLarge.row), "meet"));
});
