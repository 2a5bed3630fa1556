// What stands around the picture: words about it, progress, the strip of thumbnails, the preview, the end.
import { el, icon, percent } from "./build.js";
import { counts } from "./queue.js";
import { KEYS } from "./keys.js";

const $ = (id) => document.getElementById(id);
const SHOWN = { before: 2, after: 9 };
const STAND = { accept: "accepted", crop: "own crop", reject: "no crop" };
const thumbs = new Map(); // index -> <img>, so that a thumbnail is asked for once

/** The words about an item; `square` is what is drawn now. */
export function describe(item, place, total) {
  $("label").textContent = item.label || "no class";
  $("place").textContent = `Image ${place} of ${total}`;
  $("verdict").textContent = item.verdict === "crop" ? "A crop is proposed" : "No crop is proposed";
  $("sentence").textContent = item.sentence;
  const skin = item.skin_share > 0 ? [`${percent(item.skin_share)} skin in the ${item.verdict === "crop" ? "square" : "image"}`] : [];
  $("notes").replaceChildren(...[...skin, ...item.notes].map((note) => el("li", { class: "chip" }, note)));
  const size = item.width ? ` · ${item.width} × ${item.height} px` : "";
  $("file").replaceChildren(el("span", { title: item.file }, item.file), size);
}

/** What is decided on an item, as a stamp over its picture. */
export function stamp(item) {
  const action = item.decision?.action;
  $("stamp").hidden = !action;
  $("stamp").className = `stamp ${action === "reject" ? "no" : "yes"}`;
  if (action) $("stamp").replaceChildren(icon(action === "reject" ? "reject" : "accept"), `Decided: ${STAND[action]}${item.decision.by ? `, by ${item.decision.by}` : ""}`);
}

/** How far one is, in words and as a bar. */
export function progress(items, words) {
  const { all, decided } = counts(items);
  $("count").textContent = `${decided} of ${all} decided`;
  $("pace").textContent = words && ` · ${words}`;
  $("meter").setAttribute("aria-valuenow", decided);
  $("meter").setAttribute("aria-valuemax", all);
  $("meter").firstElementChild.style.width = `${all ? (100 * decided) / all : 0}%`;
}

/** The strip of thumbnails around the present one. */
export function film(queue, items, at, go) {
  const here = Math.max(0, queue.indexOf(at));
  const from = Math.max(0, here - SHOWN.before);
  const nodes = queue.slice(from, here + SHOWN.after + 1).map((index, step) => {
    const action = items[index].decision?.action;
    const told = `Image ${from + step + 1}, ${items[index].label || "no class"}${action ? `, ${STAND[action]}` : ""}`;
    return el("li", {},
      el("button", { type: "button", class: "thumb", "aria-label": told, "aria-current": index === at ? "true" : null, onclick: () => go(index) }, thumb(index)),
      action ? el("span", { class: `badge ${action === "reject" ? "no" : "yes"}` }, icon(action === "reject" ? "reject" : "accept")) : null);
  });
  $("film").replaceChildren(...nodes);
}

function thumb(index) {
  if (!thumbs.has(index)) {
    const image = el("img", { src: `/thumb/${index}`, alt: "", draggable: "false" });
    image.addEventListener("error", () => { image.replaceWith(icon("gone")); thumbs.delete(index); });
    thumbs.set(index, image);
    if (thumbs.size > 80) thumbs.delete(thumbs.keys().next().value);
  }
  return thumbs.get(index);
}

let sharp = null; // timer of the preview from the full size

/** The crop as a network sees it: at once from the picture on the page, then from the file's own pixels. */
export function preview(stage, index) {
  const { square, image, picture } = stage;
  clearTimeout(sharp);
  $("preview").hidden = !square;
  if (!square) return;
  const paint = $("crop").getContext("2d");
  const scale = image.naturalWidth / picture.width;
  const [left, top, side] = square.map((value) => value * scale);
  paint.imageSmoothingQuality = "high";
  paint.drawImage(image, left, top, side, side, 0, 0, 224, 224);
  if (scale === 1 || !$("preview").offsetParent) return;
  sharp = setTimeout(async () => {
    const exact = new Image();
    exact.src = `/crop/${index}?box=${square.join("&box=")}`;
    try { await exact.decode(); } catch { return; }
    if (stage.square === square) paint.drawImage(exact, 0, 0, 224, 224);
  }, 250);
}

/** The list that "?" shows. */
export function keys() {
  return KEYS.flatMap(([names, words]) => [el("dt", {}, ...names.map((name) => el("kbd", {}, name))), el("dd", {}, words)]);
}

/** When all is decided, or nothing is left of the chosen images. */
export function end(review, left, { show, undo }) {
  const total = counts(review.items);
  const done = total.decided === total.all;
  const tile = (number, words, filter) =>
    el("button", { type: "button", class: "tile", onclick: () => show(filter), disabled: !number }, el("strong", {}, String(number)), el("span", {}, words));
  const command = review.next;
  const copied = el("span", { class: "hint", role: "status" });
  const copy = async () => {
    try { await navigator.clipboard.writeText(command); copied.textContent = "Copied"; } catch { copied.textContent = "Select and copy it by hand."; }
  };
  return [
    el("div", { class: "card finish" },
      el("span", { class: "disc" }, icon("accept")),
      el("h2", {}, done ? "Every image is decided" : "Nothing is left of these images"),
      el("p", { class: "hint" }, done ? `${total.all} images. Every decision is on disk.` : `${total.all - total.decided} of all ${total.all} images are undecided. Every decision so far is on disk.`),
      el("div", { class: "tiles" },
        tile(total.accepted, "accepted as proposed", "kept"),
        tile(total.redrawn, "with a crop of one's own", "redrawn"),
        tile(total.rejected, "no crop", "rejected"),
        tile(total.all - total.decided, "undecided", "undecided")),
      table(review.items),
      el("div", { class: "block" },
        el("h3", {}, "What to run next"),
        el("p", { class: "hint" }, "Cuts the decided crops into the folder crops, with a table of them; the photos stay as they are. TABLE is the table of images that the proposals were made from."),
        el("p", { class: "command" }, el("code", {}, command), el("button", { type: "button", class: "button small", onclick: copy }, "Copy")), copied),
      el("div", { class: "buttons" },
        total.all > total.decided && left === 0 ? el("button", { type: "button", class: "button primary", onclick: () => show("undecided") }, "Show the undecided") : null,
        el("button", { type: "button", class: "button", onclick: () => show("all") }, "Look at all again"),
        el("button", { type: "button", class: "button quiet", onclick: undo }, icon("undo"), "Undo the last decision"))),
  ];
}

function table(items) {
  const labels = [...new Set(items.map((item) => item.label))].sort();
  const rows = labels.map((label) => {
    const of = counts(items.filter((item) => item.label === label));
    return el("tr", {}, el("th", { scope: "row" }, label || "no class"), ...[of.accepted + of.redrawn, of.rejected, of.all - of.decided].map((n) => el("td", { class: "number" }, String(n))));
  });
  const heads = ["Crops", "No crop", "Open"].map((words) => el("th", { scope: "col", class: "number" }, words));
  return el("div", { class: "tablewrap" }, el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, "Class"), ...heads)), el("tbody", {}, ...rows)));
}
