// Labelling: which image is shown, what it was given, and going on once the last answer is saved.
import { el } from "./build.js";
import { chosen, complete, filters, openAfter } from "./choice.js";
import { listen } from "./keyboard.js";
import { picture, prefetch } from "./pictures.js";
import { Pace } from "./queue.js";
import { Refused, Saver, ask } from "./saving.js";
import { answers, end, film, keyList, progress, questions, stamp, words } from "./sheet.js";

const $ = (id) => document.getElementById(id);
const LOCAL = ["127.0.0.1", "localhost", "[::1]"];
const SYNC = 15_000; // ms between looks at what other windows labelled
let sheet = null; // what /api/annotate told, with items that carry {labels, revision}
let queue = []; // indices that are gone through
let filter = "all";
let at = null; // index of the shown image; null at the end
let ready = false; // the picture, or why there is none, is on the screen
let line = Promise.resolve(); // answers wait here for the one before, so that fast keys are not lost
let waiting = 0;
let done = ""; // what was just saved, for the next sentence to a screen reader
const pace = new Pace();
const saver = new Saver(trouble, "/api/answers");

const say = (text) => { $("status").textContent = text; };
const item = () => sheet.items[at];

function trouble(told) {
  $("trouble").hidden = told === null;
  if (!told) return;
  const wait = told.seconds ? `Trying again in ${told.seconds} s.` : "Trying again …";
  if (!$("trouble").firstChild) {
    $("trouble").append(el("p", {}, el("strong", {}, "Not saved. "), el("span", { id: "why" }), " Your answer is kept here; leave this window open. "),
      el("span", { id: "wait", "aria-live": "off" }), el("button", { type: "button", class: "button small", onclick: () => saver.now() }, "Try now"));
  }
  if ($("why").textContent !== told.why) $("why").textContent = told.why;
  $("wait").textContent = wait;
}

async function show(index) {
  at = index;
  ready = false;
  $("work").hidden = false;
  $("end").hidden = true;
  $("photo").hidden = true;
  zoom();
  $("gone").hidden = true;
  surround();
  const slow = setTimeout(() => { $("loading").hidden = false; }, 120);
  const found = await picture(index);
  clearTimeout(slow);
  if (at !== index) return;
  $("loading").hidden = true;
  $("photo").hidden = Boolean(found.fault);
  $("gone").hidden = !found.fault;
  if (found.fault) $("gone").replaceChildren(el("strong", {}, "This image cannot be shown"), el("p", {}, found.fault), found.lost ? el("button", { type: "button", class: "button", onclick: () => show(index) }, "Try again") : el("p", { class: "hint" }, "It stays without labels: go on with →."));
  else $("photo").src = found.url;
  ready = !found.fault;
  pace.start();
  answers(item(), ready);
  say(`${done}${$("place").textContent}. ${found.fault ?? words(item())}`);
  done = "";
  const place = queue.indexOf(index);
  prefetch([...queue.slice(place + 1, place + 6), ...queue.slice(Math.max(0, place - 2), Math.max(0, place))].filter((one) => one !== index));
  picture(index); // the shown one stays the latest used
}

/** Closer at a place of the picture (shares of its box), or back to the whole. */
function zoom(x, y) {
  const near = !$("photo").hidden && x !== undefined;
  $("photo").classList.toggle("near", near);
  if (near) $("photo").style.transformOrigin = `${100 * x}% ${100 * y}%`;
}

function place(event) {
  const box = document.querySelector(".canvas").getBoundingClientRect();
  return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
}

function surround() {
  $("place").textContent = `Image ${queue.indexOf(at) + 1 || "–"} of ${queue.length}`;
  $("file").replaceChildren(el("span", { title: item().file }, item().file));
  stamp(item());
  measure();
  film(queue, sheet.items, at, (index) => show(index));
  answers(item(), ready);
  $("undo").disabled = !sheet.undo;
}

function measure() {
  progress(sheet.items, pace.words(sheet.items.filter((one) => !complete(one)).length));
}

function flash(text, kind) {
  $("saved").textContent = text;
  $("saved").dataset.kind = kind;
}

/** Do `work` once all answers before are saved. */
function after(work) {
  waiting += 1;
  line = line.then(work).finally(() => { waiting -= 1; });
  return line;
}

/** Save; what the program said, or null when it refused. */
async function send(wish) {
  document.body.classList.add("saving");
  flash("Saving …", "");
  try {
    const told = await saver.save(wish);
    sheet.undo = told.undo;
    Object.assign(sheet.items[told.index], told.state);
    return told;
  } catch (refusal) {
    if (!(refusal instanceof Refused)) throw refusal;
    await sync();
    flash(refusal.message, "refused");
    say(refusal.message);
    return null;
  } finally {
    document.body.classList.remove("saving");
  }
}

function answer(label, value) {
  const index = at;
  if (index === null) return null;
  if (!item().asked.includes(label)) return say("This is not asked of this image.");
  if (!ready) return say("The picture is not there yet.");
  // A key that waited in line was meant for the image it was pressed at, never for the next.
  return after(async () => {
    if (at !== index) return;
    const before = complete(item());
    if (item().labels[label] === value) return;
    if (!await send({ index, label, value, revision: item().revision })) return;
    done = `${value ? `${value} saved. ` : "Taken back. "}`;
    flash(`${value || "taken back"} · saved`, "done");
    if (!before && complete(item())) {
      pace.tick();
      await forward();
    } else {
      surround();
      say(done);
      done = "";
    }
  });
}

function clear() {
  if (at === null) return;
  for (const name of item().asked) if (item().labels[name]) answer(name, "");
}

function undo() {
  return after(async () => {
    if (!sheet.undo) return say("Nothing to undo.");
    const told = await send({ undo: sheet.undo });
    if (!told) return null;
    flash("undone · saved", "done");
    done = "Undone and saved. ";
    return told.index === at ? (surround(), say(done)) : show(told.index);
  });
}

function forward() {
  const index = openAfter(queue, sheet.items, at);
  return index === null ? finish() : show(index);
}

function step(by) {
  if (at === null) return by < 0 && queue.length ? show(queue.at(-1)) : null;
  const place = queue.indexOf(at);
  // An image outside the chosen ones, come back to by undo, leads back among them.
  const next = place < 0 ? openAfter(queue, sheet.items, at) ?? queue[0] : queue[place + by];
  flash("", "");
  if (next !== undefined) return show(next);
  return by > 0 ? finish() : say("This is the first image.");
}

function finish() {
  at = null;
  $("work").hidden = true;
  $("end").hidden = false;
  measure();
  $("end").replaceChildren(...end(sheet, { show: choose, undo }));
  $("end").focus();
  say(`${done}${document.querySelector("#end h2").textContent}.`);
  done = "";
}

async function sync() {
  let told;
  try { told = await ask("/api/states"); } catch { return; } // saving will tell
  if (saver.pending) return;
  let changed = false;
  told.states.forEach((state, index) => {
    if (sheet.items[index].revision === state.revision) return;
    Object.assign(sheet.items[index], state);
    changed = true;
  });
  sheet.undo = told.undo;
  if (changed && at === null) finish();
  else if (at !== null) surround();
}

function choose(wanted) {
  filter = wanted;
  queue = chosen(sheet.items, filter);
  $("filter-name").textContent = filters(sheet.labels).find(([value]) => value === filter)[1];
  if (!queue.length) return finish();
  return show(queue.find((index) => !complete(sheet.items[index])) ?? queue[0]);
}

function askFilter() {
  $("filter-show").replaceChildren(...filters(sheet.labels).map(([value, text]) => el("option", { value, selected: value === filter }, text)));
  tellFilter();
  $("filters").returnValue = "";
  $("filters").showModal();
}

function tellFilter() {
  const many = chosen(sheet.items, $("filter-show").value).length;
  $("filter-count").textContent = many === 1 ? "1 image" : `${many} images`;
  $("filter-apply").disabled = !many;
}

const act = {
  answer,
  undo,
  clear,
  back: () => after(() => step(-1)),
  forth: () => after(() => step(1)),
  zoom: () => ($("photo").classList.contains("near") ? zoom() : zoom(0.5, 0.5)),
  onward: () => after(() => forward()),
  filter: () => after(() => askFilter()),
  help: () => $("keys").showModal(),
};

function wire() {
  for (const name of ["undo", "back", "forth", "filter", "help"]) {
    $(name).addEventListener("click", (event) => {
      // After a click the next key is for the picture; a button reached with the keyboard keeps it.
      if (event.detail > 0) event.currentTarget.blur();
      act[name]();
    });
  }
  const photo = $("photo");
  photo.addEventListener("click", (event) => (photo.classList.contains("near") ? zoom() : zoom(...place(event))));
  document.querySelector(".canvas").addEventListener("pointermove", (event) => { if (photo.classList.contains("near")) zoom(...place(event)); });
  $("keys-list").append(...keyList(sheet.labels));
  for (const close of document.querySelectorAll("[data-close]")) close.addEventListener("click", () => close.closest("dialog").close());
  $("filter-show").addEventListener("change", tellFilter);
  $("filters").addEventListener("close", () => { if ($("filters").returnValue === "apply") choose($("filter-show").value); });
  listen(act, new Map(sheet.labels.flatMap((label) => label.values.map((value) => [value.key, [label.name, value.name]]))));
  const look = () => { if (document.visibilityState === "visible" && !waiting) sync(); };
  addEventListener("visibilitychange", look);
  addEventListener("focus", look);
  setInterval(look, SYNC);
}

async function open() {
  const told = await ask("/api/annotate");
  sheet = { ...told, items: told.items.map((one, index) => ({ ...one, ...told.states[index] })) };
  if (!LOCAL.includes(location.hostname)) $("privacy").textContent = `Photos of patients, sent from ${location.hostname} unencrypted. Do not publish pictures of this page.`;
  document.body.classList.toggle("touch", navigator.maxTouchPoints > 0);
  $("title").textContent = sheet.title;
  $("notice").textContent = sheet.notice;
  questions(sheet.labels, answer);
  wire();
  queue = chosen(sheet.items, "all");
  if (sheet.items.every(complete)) finish();
  else choose("all");
}

open().catch((error) => {
  console.error(error);
  $("trouble").hidden = false;
  $("trouble").replaceChildren(el("p", {}, el("strong", {}, "The page could not be opened. "), error.message), el("button", { type: "button", class: "button small", onclick: () => location.reload() }, "Try again"));
});
