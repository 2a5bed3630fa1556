// The review: which image is shown, what was decided, and going on once a decision is saved.
import { el } from "./build.js";
import { listen } from "./keys.js";
import { describe, end, film, keys, preview, progress, stamp } from "./panels.js";
import { picture, prefetch } from "./pictures.js";
import { FILTERS, Pace, chosen, filterOf, undecidedAfter } from "./queue.js";
import { Refused, Saver, ask } from "./saving.js";
import { first, moved, most, resized, same } from "./square.js";
import { Stage } from "./stage.js";

const $ = (id) => document.getElementById(id);
const LOCAL = ["127.0.0.1", "localhost", "[::1]"];
const SYNC = 15_000; // ms between looks at what other windows decided
const WORDS = { accept: "Accepted", crop: "Own crop kept", reject: "No crop", undo: "Undone" };
let review = null; // what /api/review told, with items that carry {decision, revision}
let queue = []; // indices that are gone through
let filter = { show: "all", label: "" };
let at = null; // index of the shown image; null at the end
let ready = false; // the picture, or why there is none, is on the screen
let busy = false; // a decision is on its way to the disk
let edits = []; // squares of this image to go back to, newest last
let fault = null; // why the picture cannot be shown
let done = ""; // what was just saved, for the next sentence to a screen reader
const pace = new Pace();
const stage = new Stage({ begun: (square) => edits.push(square), changed: drawn });
const saver = new Saver(trouble);

const say = (text) => { $("status").textContent = text; };
const item = () => review.items[at];
const edited = () => ready && !fault && !same(stage.square, item().decision?.box ?? item().box);

function trouble(told) {
  $("trouble").hidden = told === null;
  if (!told) return;
  const wait = told.seconds ? `Trying again in ${told.seconds} s.` : "Trying again …";
  if (!$("trouble").firstChild) {
    $("trouble").append(el("p", {}, el("strong", {}, "Not saved. "), el("span", { id: "why" }), " Your decision is kept here; leave this window open. "),
      el("span", { id: "wait", "aria-live": "off" }), el("button", { type: "button", class: "button small", onclick: () => saver.now() }, "Try now"));
  }
  if ($("why").textContent !== told.why) $("why").textContent = told.why;
  $("wait").textContent = wait;
}

async function show(index) {
  at = index;
  [ready, fault, edits] = [false, null, []];
  $("work").hidden = false;
  $("end").hidden = true;
  stage.clear();
  surround();
  const slow = setTimeout(() => { $("loading").hidden = false; }, 120);
  const found = await picture(index);
  clearTimeout(slow);
  if (at !== index) return;
  $("loading").hidden = true;
  fault = found.fault ? found : null;
  $("gone").hidden = !fault;
  if (fault) $("gone").replaceChildren(el("strong", {}, "This image cannot be shown"), el("p", {}, fault.fault), fault.lost ? el("button", { type: "button", class: "button", onclick: () => show(index) }, "Try again") : el("p", { class: "hint" }, "It can be left out: No crop."));
  else stage.show(found.image, { width: item().width, height: item().height, least: review.least_side }, item().decision?.box ?? item().box);
  ready = true;
  pace.start();
  drawn();
  const place = queue.indexOf(index);
  say(`${done}${$("place").textContent}, ${item().label}. ${$("verdict").textContent}. ${fault ? fault.fault : item().sentence}`);
  done = "";
  prefetch([...queue.slice(place + 1, place + 6), ...queue.slice(Math.max(0, place - 2), Math.max(0, place))].filter((one) => one !== index));
  picture(index); // the shown one stays the latest used
}

function surround() {
  describe(item(), queue.indexOf(at) + 1 || "–", queue.length);
  stamp(item());
  progress(queue.map((index) => review.items[index]), pace.words(queue.filter((index) => !review.items[index].decision).length));
  film(queue, review.items, at, (index) => leave(index));
  drawn();
}

// The square has changed, or what stands beside it must follow.
function drawn() {
  const { square, open } = stage;
  preview(stage, at);
  $("size").hidden = !square;
  $("draw").hidden = Boolean(square) || !open;
  if (square) {
    Object.assign($("side"), { min: Math.min(review.least_side, most(stage.picture)), max: most(stage.picture), value: square[2] });
    $("readout").textContent = `${square[2]} px`;
    $("less").disabled = square[2] <= Number($("side").min);
    $("more").disabled = square[2] >= Number($("side").max);
  }
  $("square").classList.toggle("own", Boolean(square) && !same(square, item().box));
  $("accept-name").textContent = square && !same(square, item().box) ? "Keep mine" : item().box ? "Accept" : "Agree: no crop";
  $("accept").disabled = !ready || (Boolean(fault) && item().verdict === "crop");
  $("reject").disabled = !ready;
  $("reject").hidden = ready && !square && !fault;
  $("reset").disabled = !ready || Boolean(fault) || same(square, item().box);
  $("undo").disabled = !edits.length && review.last === null;
}

function change(square, { repeat = false } = {}) {
  if (!ready || fault || !square || same(square, stage.square)) return;
  if (!repeat) edits.push(stage.square);
  stage.put(square);
  drawn();
  $("readout").setAttribute("aria-live", "polite");
}

function begin() {
  if (stage.open && !stage.square) change(first(stage.picture));
  if (stage.square) $("square").focus();
}

async function decide(wanted) {
  if (busy) return say("The decision before is not saved yet.");
  if (at === null) return null;
  if (!ready) return say("The picture is still loading.");
  if (fault && wanted === "accept" && item().verdict === "crop") return say("An image that cannot be shown cannot be accepted. Press x to leave it out.");
  const own = stage.square && !same(stage.square, item().box);
  const action = wanted === "reject" || !stage.square ? "reject" : own ? "crop" : "accept";
  const box = action === "crop" ? stage.square : null;
  const before = item().decision;
  if (before && before.action === action && (action !== "crop" || same(before.box, box))) return forward(false);
  if (!await send({ index: at, action, box })) return null;
  pace.tick();
  return forward(!before);
}

async function undo() {
  if (busy) return say("The decision before is not saved yet.");
  if (at !== null && edits.length) {
    stage.put(edits.pop());
    drawn();
    return say("Change of the square undone.");
  }
  if (review.last === null) return say("Nothing to undo.");
  const index = review.last;
  if (await send({ index, action: "undo", box: null })) await show(index);
  return null;
}

/** Save; whether it is on disk now. */
async function send(wish) {
  busy = true;
  document.body.classList.add("saving");
  flash("Saving …", "");
  try {
    apply(await saver.save({ ...wish, revision: review.items[wish.index].revision, since: review.lines }));
    flash(`${WORDS[wish.action]} · saved`, wish.action);
    done = `${WORDS[wish.action]} and saved. `;
    return true;
  } catch (refusal) {
    if (!(refusal instanceof Refused)) throw refusal;
    flash(refusal.message, "refused");
    say(refusal.message);
    await sync();
    if (at !== null) await show(at);
    return false;
  } finally {
    busy = false;
    document.body.classList.remove("saving");
  }
}

function flash(text, kind) {
  $("saved").textContent = text;
  $("saved").dataset.kind = kind;
}

function apply({ lines, last, changed }) {
  if (lines < review.lines) return location.reload(); // another decisions file took the place of this one
  Object.assign(review, { lines, last });
  for (const { index, revision, decision } of changed) Object.assign(review.items[index], { revision, decision });
  return null;
}

async function sync() {
  if (busy && saver.pending) return;
  let told;
  const since = review.lines;
  try { told = await ask(`/api/changes?since=${since}`); } catch { return; } // saving will tell
  if (review.lines !== since) return; // a decision has overtaken the question: its answer told more
  const here = at !== null && told.changed.some(({ index }) => index === at);
  apply(told);
  if (at === null) { if (told.changed.length) finish(); return; }
  if (here && ready && !edits.length) await show(at);
  else if (told.changed.length) surround();
}

// The next image's keys are not meant for the square or the slider of the one before.
function letGo() {
  if (["square", "side"].includes(document.activeElement?.id)) document.activeElement.blur();
}

function forward(fresh) {
  letGo();
  const next = fresh ? null : queue[queue.indexOf(at) + 1];
  const index = next ?? undecidedAfter(queue, review.items, at);
  return index === null ? finish() : show(index);
}

function step(by) {
  if (at === null) return by < 0 && queue.length ? show(queue.at(-1)) : null;
  const place = queue.indexOf(at);
  // An image outside the chosen ones, come back to by undo, leads back among them.
  const next = place < 0 ? undecidedAfter(queue, review.items, at) ?? queue[0] : queue[place + by];
  if (next !== undefined) return leave(next);
  return by > 0 ? finish() : say("This is the first image.");
}

function leave(index) {
  if (busy) return say("The decision before is not saved yet.");
  if (index === at) return null;
  if (at !== null && edited()) flash("The changed square was not decided on", "refused");
  else flash("", "");
  letGo();
  return show(index);
}

function finish() {
  at = null;
  $("work").hidden = true;
  $("end").hidden = false;
  const left = queue.filter((index) => !review.items[index].decision).length;
  progress(queue.map((index) => review.items[index]), "");
  $("end").replaceChildren(...end(review, left, { show: (name) => choose({ show: name, label: "", asked: true }), undo }));
  $("end").focus();
  say(done + (left ? `${left} of the chosen images are undecided.` : "Every chosen image is decided."));
  done = "";
}

function choose(wanted) {
  filter = wanted;
  queue = chosen(review.items, filter);
  $("filter-name").textContent = [filter.show === "all" && filter.label ? "" : FILTERS.find(([name]) => name === filter.show)[1], filter.label].filter(Boolean).join(", ");
  if (!queue.length) return finish();
  const start = queue.find((index) => !review.items[index].decision);
  // Those who ask for decided images want to see them; else one goes on where one left off.
  return start === undefined && filter.show === "all" && !filter.asked ? finish() : show(start ?? queue[0]);
}

function askFilter() {
  $("filter-show").replaceChildren(...FILTERS.map(([value, words]) => el("option", { value, selected: value === filter.show }, words)));
  const labels = [...new Set(review.items.map((one) => one.label))].sort();
  $("filter-label").replaceChildren(el("option", { value: "" }, "Every class"), ...labels.map((label) => el("option", { value: label, selected: label === filter.label }, label)));
  tellFilter();
  $("filters").returnValue = "";
  $("filters").showModal();
}

function tellFilter() {
  const many = chosen(review.items, { show: $("filter-show").value, label: $("filter-label").value }).length;
  $("filter-count").textContent = many === 1 ? "1 image" : `${many} images`;
  $("filter-apply").disabled = !many;
}

const act = {
  accept: () => decide("accept"),
  reject: () => decide("reject"),
  undo,
  begin,
  take: () => { if (stage.square) $("square").focus(); else begin(); },
  release: () => $("square").blur(),
  reset: () => { if (ready && !fault && !same(stage.square, item().box)) { edits.push(stage.square); stage.put(item().box); drawn(); } },
  nudge: (dx, dy, repeat) => { if (stage.square) change(moved(stage.square, dx, dy, stage.picture), { repeat }); },
  resize: (by, repeat) => {
    if (!stage.square) return;
    const side = stage.square[2];
    change(resized(stage.square, side + by * Math.max(1, Math.round(side * 0.02)), stage.picture), { repeat });
  },
  back: () => step(-1),
  forth: () => step(1),
  onward: () => { const next = undecidedAfter(queue, review.items, at); return next === null ? finish() : leave(next); },
  filter: () => { if (!busy) askFilter(); },
  help: () => $("keys").showModal(),
};

function wire() {
  for (const [id, name] of Object.entries({ accept: "accept", reject: "reject", undo: "undo", reset: "reset", back: "back", forth: "forth", begin: "begin", filter: "filter", help: "help" })) {
    $(id).addEventListener("click", (event) => {
      // After a click the next key is for the picture; a button reached with the keyboard keeps it.
      if (event.detail > 0) event.currentTarget.blur();
      act[name]();
    });
  }
  $("less").addEventListener("click", () => act.resize(-1, false));
  $("more").addEventListener("click", () => act.resize(1, false));
  let sliding = false;
  $("side").addEventListener("input", () => { change(resized(stage.square, Number($("side").value), stage.picture), { repeat: sliding }); sliding = true; });
  $("side").addEventListener("change", () => { sliding = false; });
  $("keys-list").append(...keys());
  for (const close of document.querySelectorAll("[data-close]")) close.addEventListener("click", () => close.closest("dialog").close());
  for (const id of ["filter-show", "filter-label"]) $(id).addEventListener("change", tellFilter);
  $("filters").addEventListener("close", () => {
    if ($("filters").returnValue === "apply") choose({ show: $("filter-show").value, label: $("filter-label").value, asked: true });
  });
  listen(act);
  const look = () => { if (document.visibilityState === "visible") sync(); };
  addEventListener("visibilitychange", look);
  addEventListener("focus", look);
  setInterval(look, SYNC);
}

async function open() {
  const told = await ask("/api/review");
  review = { ...told, items: told.items.map((one) => ({ ...one, decision: null, revision: 0 })) };
  apply(told);
  if (!LOCAL.includes(location.hostname)) $("privacy").textContent = `Photos of patients, sent from ${location.hostname} unencrypted. Do not publish pictures of this page.`;
  document.body.classList.toggle("touch", navigator.maxTouchPoints > 0);
  wire();
  choose(filterOf(review.only));
}

open().catch((error) => {
  console.error(error);
  $("trouble").hidden = false;
  $("trouble").replaceChildren(el("p", {}, el("strong", {}, "The review could not be opened. "), error.message), el("button", { type: "button", class: "button small", onclick: () => location.reload() }, "Try again"));
});
