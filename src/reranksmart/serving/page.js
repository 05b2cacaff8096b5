"use strict";
// What is asked: a text, a picture or a row of the index. Each question is an entry of the browser's history.
const PAGEFUL = 12;
const GONE = "The server does not answer; is `reranksmart serve` still running?";
let asked = null; // {text}, {like, name} or {upload, similar}
let shown = PAGEFUL;
let turn = 0;
let index = { most_shown: 100, captions: 0, pictures: 0 };
const uploads = [];

function say(text, bad = false) {
  at("status").textContent = text;
  at("status").classList.toggle("bad", bad);
}

function hide(...ids) {
  for (const id of ids) at(id).hidden = true;
}

async function search() {
  if (!asked) return;
  const mine = ++turn;
  const options = new URLSearchParams({ k: at("depth").value, top: shown });
  say("Searching …");
  try {
    let reply;
    if (asked.upload !== undefined) {
      if (asked.similar) options.set("similar", "1");
      reply = await fetch(`/api/search?${options}`, { method: "POST", body: uploads[asked.upload] });
    } else {
      if (asked.text !== undefined) options.set("text", asked.text);
      else options.set("like", asked.like);
      reply = await fetch(`/api/search?${options}`);
    }
    const found = await reply.json();
    if (mine !== turn) return; // a later question is on its way
    if (!reply.ok) throw new Error(found.error);
    show(found);
  } catch (error) {
    if (mine !== turn) return;
    hide("start", "asked", "times", "lists", "hint", "more-line");
    say(error instanceof TypeError ? GONE : error.message, true); // fetch raises TypeError where nobody answers
  }
}

function show(found) {
  const texts = found.direction === "image-to-text";
  const similar = found.direction === "image-to-image";
  at("retrieved-title").textContent = similar ? "Pictures like it " : "Retrieved ";
  at("retrieved-title").append(made("span", "soft", "bi-encoder"));
  at("lists").classList.toggle("one", similar);
  for (const stage of ["retrieved", "reranked"]) {
    const list = at(stage);
    list.classList.toggle("texts", texts);
    list.replaceChildren(...found[stage].map((hit) => item(hit, similar ? "similar" : stage)));
  }
  const total = Object.values(found.times_ms).reduce((sum, time) => sum + time, 0);
  const stages = [...Object.entries(found.times_ms), ["together", total]];
  at("times").replaceChildren(...stages.map(([stage, time]) => {
    const box = made("div");
    box.append(made("dt", "", stage), made("dd", "", `${time.toFixed(time < 10 ? 1 : 0)} ms`));
    return box;
  }));
  say(summary(found));
  hide("start");
  for (const id of ["times", "lists", "hint"]) at(id).hidden = false;
  const most = Math.min(index.most_shown, texts ? index.captions : index.pictures - (asked?.like !== undefined));
  at("more-line").hidden = found.retrieved.length < shown || shown >= most;
  at("asked").hidden = asked?.text !== undefined || !asked;
  at("asked-similar").hidden = similar;
  at("asked-what").textContent = similar
    ? `Pictures like ${asked?.name ?? "yours"}, by the retriever alone.`
    : "You asked with this picture; these captions fit it best.";
}

function summary(found) {
  if (found.direction === "image-to-image") return `${found.retrieved.length} pictures, most alike first.`;
  const before = new Set(found.retrieved.map((hit) => hit.id));
  const moved = found.reranked.filter((hit) => hit.rank !== hit.retrieved_rank).length;
  const rose = found.reranked.filter((hit) => !before.has(hit.id)).length;
  const said = [`${found.reranked.length} answers; ${found.depth} candidates re-ranked: ${moved} of those shown moved` +
    (rose ? `, ${rose} came from below.` : ".")];
  if (found.unknown?.length) said.push(`The model has no word for ${found.unknown.map((word) => `“${word}”`).join(", ")}.`);
  if (found.nothing_matches) {
    const sure = Math.round(100 * found.probability);
    said.push(`Nothing here seems to match: the first is right with a probability of ${sure < 1 ? "under 1" : sure} %.`);
  } else if (found.nothing_matches === null && found.reranked[0]?.log_odds < 0) {
    said.push("Nothing fits well: the reranker gives even the first less than even odds.");
  }
  return said.join(" ");
}

function begin() {
  turn++;
  asked = null;
  at("text").value = "";
  hide("asked", "times", "lists", "hint", "more-line");
  at("start").hidden = false;
  say("");
  document.title = index.name ? `${index.name}: picture search` : "Picture search";
}

// Shows a question and its answers without a new entry of the history.
function take(what) {
  if (at("large").open) at("large").close();
  if (!what || (what.upload !== undefined && !uploads[what.upload])) { begin(); return; }
  asked = what;
  shown = PAGEFUL;
  at("text").value = what.text ?? "";
  document.title = `${what.text ?? (what.name ? `Like ${what.name}` : "Your picture")} – ${index.name}`;
  if (what.text === undefined) {
    const image = at("asked").querySelector("img");
    URL.revokeObjectURL(image.src);
    image.src = what.like !== undefined ? `/pictures/${what.like}` : URL.createObjectURL(uploads[what.upload]);
  }
  search();
}

function address(what) {
  if (what?.text !== undefined) return `?${new URLSearchParams({ text: what.text, k: at("depth").value })}`;
  if (what?.like !== undefined) return `?${new URLSearchParams({ like: what.like })}`;
  return location.pathname;
}

function ask(what) {
  history.pushState(what, "", address(what));
  take(what);
}

window.addEventListener("popstate", (event) => take(event.state));

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  const text = at("text").value.trim();
  ask(text ? { text } : null);
});

let wait = 0;
at("depth").addEventListener("input", () => {
  at("depth-value").textContent = at("depth").value;
  clearTimeout(wait);
  wait = setTimeout(() => { history.replaceState(asked, "", address(asked)); search(); }, 200);
});

at("more").addEventListener("click", () => {
  shown = Math.min(shown + PAGEFUL, index.most_shown);
  search();
});

at("asked-similar").addEventListener("click", () => ask({ ...asked, similar: true }));
at("large-similar").addEventListener("click", () => ask({ like: shownLarge.row, name: shownLarge.name }));

function upload(image) {
  if (image) ask({ upload: uploads.push(image) - 1 });
}

at("file").addEventListener("change", () => {
  upload(at("file").files[0]);
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
  upload(event.dataTransfer.files[0]);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "/" && !at("large").open && document.activeElement !== at("text")) {
    event.preventDefault();
    at("text").focus();
  }
  const entry = document.activeElement?.closest?.("#lists li");
  if (!entry || at("large").open) return;
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

fetch("/api/about").then((reply) => reply.json()).then((about) => {
  index = about;
  const { name, pictures, captions } = about;
  at("title").textContent = `Search “${name}”`;
  at("about").textContent = `${pictures.toLocaleString("en")} pictures. ` + (captions
    ? `Ask by text for pictures, or by a picture for one of ${captions.toLocaleString("en")} captions or for pictures like it.`
    : "Ask by text, or by a picture for pictures like it.");
  at("depth").max = Math.min(100, captions ? Math.max(pictures, captions) : pictures);
  at("tries").hidden = !about.example_texts.length;
  at("tries").append(...about.example_texts.map((text) => {
    const button = made("button", "quiet", text);
    button.type = "button";
    button.addEventListener("click", () => ask({ text }));
    return button;
  }));
  at("examples").append(...about.examples.map((hit) => card(hit, `Picture ${hit.name}`)));
  const given = new URLSearchParams(location.search);
  if (Number(given.get("k"))) at("depth").value = given.get("k");
  at("depth-value").textContent = at("depth").value;
  const first = history.state ?? (given.get("text") ? { text: given.get("text") }
    : given.get("like") ? { like: given.get("like") } : null);
  history.replaceState(first, "");
  take(first);
}).catch(() => say(GONE, true));
