// The photos that were chosen: the large one with its heat map, and the row of small ones.
import { el, icon } from "./build.js";

export const OUTCOMES = {
  refer: "Refer", uncertain: "Uncertain", not_suspected: "Not suspected", cannot_assess: "Cannot be assessed",
};
let opacity = 60; // kept between photos

/** Show one photo; `answer` is null while it is being screened. */
export function showPhoto(viewer, item, targetName, busy) {
  const source = item.answer?.preview ?? item.url;
  const frame = el("div", { class: "frame" });
  const stage = el("div", { class: busy ? "stage busy" : "stage" }, frame);
  const photo = el("img", { class: "photo", src: source, alt: `Photo ${item.number}` });
  photo.addEventListener("error", () => {
    // A browser that cannot show the file (HEIC in most) gets the server's preview with the answer.
    frame.replaceWith(el("p", { class: "none" }, busy ? "This browser cannot show the file. It is being read." : "There is no picture to show."));
  });
  frame.append(photo);
  const parts = [stage];
  if (item.answer?.heatmap) {
    const [left, top, width, height] = item.answer.heatmap_box.map((share) => `${share * 100}%`);
    const heat = el("img", { class: "heat", src: item.answer.heatmap, alt: "", style: { left, top, width, height, opacity: `${opacity / 100}` } });
    frame.append(heat);
    const slider = el("input", { type: "range", id: "opacity", min: "0", max: "100", step: "1", value: `${opacity}`, oninput: () => {
      opacity = Number(slider.value);
      heat.style.opacity = `${opacity / 100}`;
      slider.setAttribute("aria-valuetext", `${opacity} %`);
    } });
    parts.push(el("div", { class: "mixer" }, el("label", { for: "opacity" }, `Heat map: what spoke for ${targetName}`),
      el("span", {}, "Photo"), slider, el("span", {}, "Map")),
      el("div", { class: "scale", "aria-hidden": "true" }, "little", el("i"), "much"));
    if (item.answer.heatmap_warning) parts.push(el("p", { class: "mapwarning", role: "note" }, item.answer.heatmap_warning));
  }
  viewer.replaceChildren(...parts);
  viewer.hidden = false;
}

/** The row of small photos; shown from two on. */
export function showThumbs(list, items, selected, actions) {
  list.hidden = items.length < 2;
  list.replaceChildren(...items.map((item) => {
    const outcome = item.answer?.outcome;
    const label = `Photo ${item.number}${outcome ? `: ${OUTCOMES[outcome]}` : ""}`;
    const picture = el("img", { src: item.answer?.preview ?? item.url, alt: "" });
    picture.addEventListener("error", () => picture.replaceWith(el("span", { class: "blank" }, `${item.number}`)));
    return el("li", {},
      el("button", { type: "button", class: "thumb", "aria-label": label, "aria-pressed": item === selected ? "true" : "false", onclick: () => actions.select(item) }, picture),
      outcome ? el("span", { class: `badge ${outcome}` }, icon(outcome)) : null,
      el("button", { type: "button", class: "remove", "aria-label": `Remove photo ${item.number}`, onclick: () => actions.remove(item) }, icon("close")));
  }));
}
