"use strict";
// All that comes from the index is put in by textContent: a caption can hold any characters and runs nothing.
const at = (id) => document.getElementById(id);
const SHOWN = 12;
let asked = null; // {text} or {image}
let turn = 0;
const regionsByRow = new Map();

function made(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

const GONE = "The server does not answer; is `reranksmart serve` still running?";

function say(text, bad = false) {
  at("status").textContent = text;
  at("status").classList.toggle("bad", bad);
}

async function search() {
  if (!asked) return;
  const mine = ++turn;
  const depth = at("depth").value;
  const options = new URLSearchParams({ k: depth, top: SHOWN });
  say("Searching …");
  try {
    let reply;
    if (asked.image) {
      reply = await fetch(`/api/search?${options}`, { method: "POST", body: asked.image });
    } else {
      options.set("text", asked.text);
      history.replaceState(null, "", `?${new URLSearchParams({ text: asked.text, k: depth })}`);
      reply = await fetch(`/api/search?${options}`);
    }
    const found = await reply.json();
    if (mine !== turn) return; // a later question is on its way
    if (!reply.ok) throw new Error(found.error);
    show(found);
  } catch (error) {
    if (mine !== turn) return;
    for (const id of ["asked", "times", "lists", "hint"]) at(id).hidden = true;
    say(error instanceof TypeError ? GONE : error.message, true); // fetch raises TypeError where nobody answers
  }
}

function show(found) {
  const texts = found.direction === "image-to-text";
  for (const stage of ["retrieved", "reranked"]) {
    const list = at(stage);
    list.classList.toggle("texts", texts);
    list.replaceChildren(...found[stage].map((hit) => item(hit, stage)));
  }
  const total = Object.values(found.times_ms).reduce((sum, time) => sum + time, 0);
  const stages = [...Object.entries(found.times_ms), ["together", total]];
  at("times").replaceChildren(...stages.map(([stage, time]) => {
    const box = made("div");
    box.append(made("dt", "", stage), made("dd", "", `${time.toFixed(time < 10 ? 1 : 0)} ms`));
    return box;
  }));
  const before = new Map(found.retrieved.map((hit) => [hit.id, hit.rank]));
  const moved = found.reranked.filter((hit) => hit.rank !== hit.retrieved_rank).length;
  const rose = found.reranked.filter((hit) => !before.has(hit.id)).length;
  say(`${found.reranked.length} answers; ${found.depth} candidates re-ranked: ${moved} of those shown moved` +
    (rose ? `, ${rose} came from below.` : "."));
  for (const id of ["times", "lists", "hint"]) at(id).hidden = false;
  at("asked").hidden = !asked?.image;
}

function item(hit, stage) {
  const reranked = stage === "reranked";
  const entry = made("li");
  entry.tabIndex = 0;
  entry.dataset.id = hit.id;
  const name = hit.text ?? hit.name;
  const rank = reranked ? hit.rank : hit.retrieved_rank;
  const other = reranked ? hit.retrieved_rank : hit.rank;
  entry.classList.toggle("beyond", hit.log_odds === null);
  const picture = made("span", "picture");
  const image = made("img");
  image.alt = hit.text ? "" : `Picture ${name}`;
  image.loading = "lazy";
  image.src = `/pictures/${hit.row}`;
  picture.append(image);
  const line = made("div", "line");
  line.append(made("span", "rank", `${rank}.`), movement(hit, reranked));
  const log = hit.log_odds === null ? "not re-ranked" : `log-odds ${hit.log_odds.toFixed(1)}`;
  line.append(made("span", "score", reranked ? log : `cosine ${hit.cosine.toFixed(2)}`));
  entry.append(picture);
  if (hit.text) entry.append(made("p", "text", hit.text));
  entry.append(line);
  entry.setAttribute("aria-label", `${name}, place ${rank}, ${reranked ? "was" : "becomes"} ${other}`);
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

async function point(hit, on) {
  const same = [...document.querySelectorAll("#lists li")].filter((entry) => entry.dataset.id === hit.id);
  for (const entry of same) {
    entry.classList.toggle("same", on);
    entry.querySelector("svg")?.remove();
    entry.querySelector(".regions")?.remove();
  }
  if (!on) return;
  if (!regionsByRow.has(hit.row)) {
    const reply = await fetch(`/regions/${hit.row}`);
    if (!reply.ok) return;
    regionsByRow.set(hit.row, await reply.json());
  }
  const regions = regionsByRow.get(hit.row);
  for (const entry of same.filter((one) => one.classList.contains("same") && !one.querySelector("svg"))) {
    entry.querySelector(".picture").append(drawn(regions));
  }
}

function drawn(regions) {
  const space = "http://www.w3.org/2000/svg";
  const drawing = document.createElementNS(space, "svg");
  drawing.setAttribute("viewBox", "0 0 1 1");
  drawing.setAttribute("preserveAspectRatio", "none");
  drawing.setAttribute("aria-hidden", "true");
  for (const { box: [x1, y1, x2, y2], label } of regions) {
    for (const kind of ["under", "over"]) {
      const rect = document.createElementNS(space, "rect");
      rect.setAttribute("class", kind);
      for (const [key, value] of Object.entries({ x: x1, y: y1, width: x2 - x1, height: y2 - y1 })) {
        rect.setAttribute(key, value);
      }
      const title = document.createElementNS(space, "title");
      title.textContent = label;
      rect.append(title);
      drawing.append(rect);
    }
  }
  return drawing;
}

function ask(what) {
  asked = what;
  if (what.image) {
    const image = at("asked").querySelector("img");
    URL.revokeObjectURL(image.src);
    image.src = URL.createObjectURL(what.image);
    at("text").value = "";
  }
  search();
}

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = at("text").value.trim();
  if (text) ask({ text });
  else if (asked) search();
  else say("Describe what to look for, or choose a picture.", true);
});

let wait = 0;
at("depth").addEventListener("input", () => {
  at("depth-value").textContent = at("depth").value;
  clearTimeout(wait);
  wait = setTimeout(search, 200);
});

at("file").addEventListener("change", () => {
  const [image] = at("file").files;
  if (image) ask({ image });
  at("file").value = "";
});

// The whole page takes a picture, so that one dropped beside the frame does not replace the page.
for (const kind of ["dragenter", "dragover"]) {
  document.addEventListener(kind, (event) => { event.preventDefault(); at("drop").classList.add("over"); });
}
document.addEventListener("dragleave", (event) => { if (!event.relatedTarget) at("drop").classList.remove("over"); });
document.addEventListener("drop", (event) => {
  event.preventDefault();
  at("drop").classList.remove("over");
  const [image] = event.dataTransfer.files;
  if (image) ask({ image });
});

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && document.activeElement !== at("text")) {
    event.preventDefault();
    at("text").focus();
  }
  const entry = document.activeElement?.closest?.("#lists li");
  if (!entry) return;
  const list = entry.parentElement;
  const place = [...list.children].indexOf(entry);
  const beside = list.id === "retrieved" ? at("reranked") : at("retrieved");
  const next = {
    ArrowDown: list.children[place + 1],
    ArrowUp: list.children[place - 1],
    ArrowRight: list.id === "retrieved" ? beside.children[place] : undefined,
    ArrowLeft: list.id === "reranked" ? beside.children[place] : undefined,
  }[event.key];
  if (next) { event.preventDefault(); next.focus(); }
});

fetch("/api/about").then((reply) => reply.json()).then(({ name, pictures, captions }) => {
  at("about").textContent = `${pictures.toLocaleString("en")} pictures of “${name}”. ` + (captions
    ? `Ask by text for pictures, or by a picture for one of ${captions.toLocaleString("en")} captions.`
    : "Ask by text. The index holds no captions, so a picture finds nothing in it.");
  at("drop").hidden = !captions;
  at("depth").max = Math.min(100, captions ? Math.max(pictures, captions) : pictures);
  const given = new URLSearchParams(location.search);
  if (Number(given.get("k"))) at("depth").value = given.get("k");
  at("depth-value").textContent = at("depth").value;
  if (given.get("text")) { at("text").value = given.get("text"); ask({ text: given.get("text") }); }
}).catch(() => say(GONE, true));
