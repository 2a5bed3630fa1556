// What stands around the picture: the questions, progress, the strip of thumbnails, the list of keys, the end.
import { el, icon } from "./build.js";
import { complete } from "./choice.js";
import { KEYS } from "./keyboard.js";

const $ = (id) => document.getElementById(id);
const SHOWN = { before: 2, after: 9 };
const thumbs = new Map(); // index -> <img>, so that a thumbnail is asked for once

/** The questions, once: a button for each value. */
export function questions(labels, answer) {
  $("questions").replaceChildren(...labels.map((label) =>
    el("fieldset", { class: "question", "data-label": label.name },
      el("legend", {}, label.title, el("span", { class: "hint" })),
      el("div", { class: "values" }, ...label.values.map((value) =>
        el("button", {
          type: "button", class: "value", "data-value": value.name, title: value.says, "aria-pressed": "false", "aria-keyshortcuts": value.key,
          onclick: (event) => { if (event.detail > 0) event.currentTarget.blur(); answer(label.name, value.name); },
        }, el("span", {}, value.name), el("kbd", {}, value.key)))))));
}

/** What an item has so far, in the questions; `ready`: whether it can be answered. */
export function answers(item, ready) {
  const next = item.asked.find((name) => !item.labels[name]);
  for (const question of document.querySelectorAll(".question")) {
    const name = question.dataset.label;
    question.hidden = !item.asked.includes(name);
    question.classList.toggle("next", name === next);
    question.querySelector(".hint").textContent = item.hint[name] ? ` (said before: ${item.hint[name].split("|").join(" or ")})` : "";
    for (const button of question.querySelectorAll("button")) {
      button.setAttribute("aria-pressed", String(item.labels[name] === button.dataset.value));
      button.disabled = !ready;
    }
  }
}

/** The labels of an item in words. */
export const words = (item) => item.asked.map((name) => item.labels[name]).filter(Boolean).join(", ");

/** What is known of an item, as a stamp over its picture. */
export function stamp(item) {
  $("stamp").hidden = !complete(item);
  if (complete(item)) $("stamp").replaceChildren(icon("accept"), `Labelled: ${words(item)}`);
}

/** How far one is, in words and as a bar. */
export function progress(items, pace) {
  const done = items.filter(complete).length;
  $("count").textContent = `${done} of ${items.length} labelled`;
  $("pace").textContent = pace && ` · ${pace}`;
  $("meter").setAttribute("aria-valuenow", done);
  $("meter").setAttribute("aria-valuemax", items.length);
  $("meter").firstElementChild.style.width = `${items.length ? (100 * done) / items.length : 0}%`;
}

/** The strip of thumbnails around the present one. */
export function film(queue, items, at, go) {
  const here = Math.max(0, queue.indexOf(at));
  const from = Math.max(0, here - SHOWN.before);
  $("film").replaceChildren(...queue.slice(from, here + SHOWN.after + 1).map((index, step) => {
    const said = words(items[index]);
    return el("li", {},
      el("button", { type: "button", class: "thumb", "aria-label": `Image ${from + step + 1}${said ? `, ${said}` : ""}`, "aria-current": index === at ? "true" : null, onclick: () => go(index) }, thumb(index)),
      said ? el("span", { class: `badge ${complete(items[index]) ? "yes" : "part"}` }, icon(complete(items[index]) ? "accept" : "part")) : null);
  }));
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

/** The list that "?" shows: every value with what it means, then what else a key does. */
export function keyList(labels) {
  const rows = (pairs) => el("dl", { class: "keys" }, ...pairs.flatMap(([names, text]) => [el("dt", {}, ...names.map((name) => el("kbd", {}, name))), el("dd", {}, text)]));
  return [
    ...labels.flatMap((label) => [el("h3", {}, label.title), rows(label.values.map((value) => [[value.key], value.says ? `${value.name}: ${value.says}` : value.name]))]),
    el("h3", {}, "Going about"), rows(KEYS),
  ];
}

/** When all is labelled, or nothing is left of the chosen images. */
export function end(sheet, { show, undo }) {
  const { items, labels } = sheet;
  const left = items.filter((item) => !complete(item)).length;
  const counted = (label) => label.values.map((value) => [value.name, items.filter((item) => item.labels[label.name] === value.name).length]);
  const table = (label) => el("div", { class: "block" }, el("h3", {}, label.title),
    el("div", { class: "tiles" }, ...counted(label).map(([name, many]) =>
      el("button", { type: "button", class: "tile", disabled: !many, onclick: () => show(`${label.name}=${name}`) }, el("strong", {}, String(many)), el("span", {}, name)))));
  return [
    el("div", { class: "card finish" },
      el("span", { class: "disc" }, icon("accept")),
      el("h2", {}, left ? "Nothing is left of these images" : "Every image is labelled"),
      el("p", { class: "hint" }, left ? `${left} of all ${items.length} images are not labelled yet. Every answer so far is on disk.` : `${items.length} images. Every answer is on disk, in ${sheet.out}.`),
      el("p", { class: "notice" }, sheet.notice),
      ...labels.map(table),
      el("div", { class: "buttons" },
        left ? el("button", { type: "button", class: "button primary", onclick: () => show("open") }, "Show what is left") : null,
        el("button", { type: "button", class: "button", onclick: () => show("all") }, "Look at all again"),
        el("button", { type: "button", class: "button quiet", onclick: undo, disabled: !sheet.undo }, icon("undo"), "Undo the latest answer"))),
  ];
}
