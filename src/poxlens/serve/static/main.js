// The page's state: which photos were chosen, what was answered about the person, and the last answer.
import { fault, photoCard, verdict, waiting } from "./answer.js";
import { el } from "./build.js";
import { model } from "./details.js";
import { showPhoto, showThumbs } from "./photos.js";

const $ = (id) => document.getElementById(id);
const tips = [...$("answer").children];
const LOCAL = ["127.0.0.1", "localhost", "[::1]"];
let items = []; // {file, url, number, answer}
let selected = null;
let person = null;
let bundle = null;
let running = null; // AbortController of the request on its way

function say(text) { $("status").textContent = text; }

async function ask(path, options) {
  let reply;
  try {
    reply = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw { title: "The program is not answering", text: "It may have been closed. Start it again with “poxlens app”, then try again." };
  }
  let body = null;
  try { body = await reply.json(); } catch (error) { if (error.name === "AbortError") throw error; }
  if (reply.ok && body) return body;
  const titles = { 413: "The photos are too large", 503: "Busy", 500: "Something went wrong" };
  throw { title: titles[reply.status] ?? "The photos were refused", text: body?.error?.message ?? `The program answered with an error (${reply.status}).` };
}

async function loadBundle() {
  if (bundle) return;
  bundle = await ask("/api/bundle");
  $("model-name").textContent = `${bundle.name} ${bundle.version}`;
  $("model-body").replaceChildren(...model(bundle));
}

function context() {
  const given = {};
  for (const radio of $("questions").querySelectorAll("input[type=radio]:checked")) {
    if (radio.value) given[radio.name] = radio.value === "yes";
  }
  if ($("age").value !== "" && $("age").validity.valid) given.age = Number($("age").value);
  if ($("sex").value) given.sex = $("sex").value;
  return given;
}

async function screen() {
  running?.abort();
  running = null;
  if (!items.length) return;
  const mine = running = new AbortController();
  const sent = [...items];
  person = null;
  draw();
  say(sent.length > 1 ? `Screening ${sent.length} photos.` : "Screening the photo.");
  try {
    await loadBundle();
    const total = sent.reduce((sum, item) => sum + item.file.size, 0);
    if (sent.length > bundle.max_photos) throw { title: "Too many photos", text: `At most ${bundle.max_photos} photos at a time. Remove some.` };
    if (total > bundle.max_bytes - 100_000) throw { title: "The photos are too large", text: `They are larger than ${Math.round(bundle.max_bytes / 1e6)} MB together. Choose fewer, or smaller copies.` };
    const form = new FormData();
    // The name of a file can tell who is on it; only the picture is sent.
    for (const item of sent) form.append("photos", item.file, "photo");
    form.append("context", JSON.stringify(context()));
    const reply = await ask("/api/screen", { method: "POST", body: form, signal: mine.signal });
    if (running !== mine) return;
    running = null;
    sent.forEach((item, index) => { item.answer = reply.photos[index]; });
    person = reply.person;
    // The photo that decided for the person comes first, unless it is not clear which.
    if (sent.length > 1) selected = sent.find((item) => item.answer.outcome === person.outcome) ?? selected;
    draw();
    say(`${person.title}. ${person.subtitle}`);
    reveal();
  } catch (error) {
    if (error.name === "AbortError" || running !== mine) return;
    running = null;
    draw();
    const known = error.title ? error : { title: "Something went wrong", text: "The answer could not be shown. Load the page again." };
    if (!error.title) console.error(error);
    $("answer").replaceChildren(fault(known.title, known.text, screen));
    say(known.title);
    reveal();
  }
}

function reveal() {
  const top = $("answer").getBoundingClientRect().top;
  if (top >= 0 && top < window.innerHeight * 0.6) return;
  const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
  $("answer").scrollIntoView({ behavior: still ? "auto" : "smooth", block: "start" });
}

function draw() {
  const some = items.length > 0;
  document.body.classList.toggle("fresh", !some);
  items.forEach((item, index) => { item.number = index + 1; });
  $("drop").hidden = some;
  $("more").hidden = !some;
  if (!items.includes(selected)) selected = items[0] ?? null;
  const target = bundle?.classes.find((one) => one.code === bundle.target)?.name.toLowerCase() ?? "mpox";
  if (some) showPhoto($("viewer"), selected, target, running !== null);
  else { $("viewer").hidden = true; $("viewer").replaceChildren(); }
  showThumbs($("thumbs"), items, selected, { select, remove });
  if (!some) $("answer").replaceChildren(...tips);
  else if (running) $("answer").replaceChildren(waiting(items.length));
  else if (person) {
    const card = selected.answer ? photoCard(selected, items.length, bundle) : null;
    $("answer").replaceChildren(verdict(person, bundle), ...(card ? [card] : []));
  }
}

function select(item) {
  selected = item;
  draw();
  document.querySelector(".thumb[aria-pressed=true]")?.focus();
}

function remove(item) {
  URL.revokeObjectURL(item.url);
  items = items.filter((other) => other !== item);
  if (items.length) screen(); else restart();
  ($("thumbs").querySelector(".thumb") ?? $("pick-more")).focus();
}

function add(files) {
  const chosen = [...files];
  if (!chosen.length) return;
  const fresh = chosen.map((file) => ({ file, url: URL.createObjectURL(file), number: 0, answer: null }));
  items.push(...fresh);
  selected = fresh[0];
  screen();
}

function restart() {
  running?.abort();
  running = null;
  items.forEach((item) => URL.revokeObjectURL(item.url));
  items = [];
  person = null;
  $("questions").reset();
  draw();
  say("");
  $("pick-button").focus();
}

function wire() {
  for (const [button, input] of [["take-button", "take"], ["take-more", "take"], ["pick-button", "pick"], ["pick-more", "pick"]]) {
    $(button).addEventListener("click", () => $(input).click());
  }
  for (const id of ["take", "pick"]) {
    $(id).addEventListener("change", () => { add($(id).files); $(id).value = ""; });
  }
  $("restart").addEventListener("click", restart);
  for (const field of $("questions").querySelectorAll("fieldset")) {
    const options = [["yes", "Yes"], ["no", "No"], ["", "Not known"]].map(([value, text]) =>
      el("label", {}, el("input", { type: "radio", name: field.dataset.name, value, class: value ? "" : "unknown", checked: value === "" }), text));
    field.append(el("div", { class: "choice" }, options));
  }
  $("questions").addEventListener("change", () => { if (items.length) screen(); });
  $("questions").addEventListener("submit", (event) => event.preventDefault());
  let depth = 0; // dragenter and dragleave come for every element that is crossed
  const files = (event) => [...(event.dataTransfer?.types ?? [])].includes("Files");
  addEventListener("dragenter", (event) => { if (files(event)) { depth += 1; document.body.classList.add("over"); } });
  addEventListener("dragleave", (event) => { if (files(event) && --depth <= 0) { depth = 0; document.body.classList.remove("over"); } });
  addEventListener("dragover", (event) => { if (files(event)) event.preventDefault(); });
  addEventListener("drop", (event) => {
    if (!files(event)) return;
    event.preventDefault();
    depth = 0;
    document.body.classList.remove("over");
    add(event.dataTransfer.files);
  });
  addEventListener("paste", (event) => { if (event.clipboardData?.files.length) add(event.clipboardData.files); });
}

if (!LOCAL.includes(location.hostname)) {
  $("privacy").textContent = `Photos are sent to ${location.hostname} to be screened and are not stored there.`;
}
document.body.classList.toggle("touch", navigator.maxTouchPoints > 0);
if (matchMedia("(max-width: 899px)").matches) $("person").open = false;
wire();
draw();
loadBundle().catch((error) => { $("answer").prepend(fault(error.title ?? "Something went wrong", error.text ?? "Load the page again.", () => location.reload())); });
