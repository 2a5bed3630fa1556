// What was measured on one photo: probabilities, likeness, quality, skin tone; and what is known of the model.
import { el, icon, number, percent } from "./build.js";

// name, unit, and which side of the limit is good
const QUALITY = {
  short_side: ["Size (short side)", "px", "at least"], aspect: ["Length to width", "", "at most"], dark: ["Brightness", "", "at least"],
  bright: ["Blown out to white", "share", "at most"], blur: ["Sharpness", "", "at least"], skin: ["Skin in the picture", "share", "at least"],
};
const TONES = { "very light": "#f3dccb", light: "#e8c4a8", intermediate: "#d3a17c", tan: "#b07d58", brown: "#80563c", dark: "#4b3328" };

/** Bars of all classes with the prediction set and, on the target's bar, the two thresholds. */
export function probabilities(photo, bundle) {
  const names = Object.fromEntries(bundle.classes.map((one) => [one.code, one.name]));
  const inSet = new Set(photo.prediction_set);
  const ordered = Object.entries(photo.probabilities).sort((a, b) => b[1] - a[1]);
  const rows = ordered.map(([code, p]) => {
    const target = code === bundle.target;
    const marks = target ? [bundle.rule_out, bundle.rule_in].map((point) =>
      el("span", { class: "mark", style: { left: `${point.threshold * 100}%` } })) : [];
    return el("li", { class: `bar-row${target ? " target" : ""}${inSet.has(code) ? " in-set" : ""}` },
      el("span", { class: "name" }, el(target ? "strong" : "span", {}, names[code] ?? code),
        inSet.has(code) ? el("span", { class: "set" }, "cannot be excluded") : null),
      el("span", { class: "value" }, percent(p)),
      el("div", { class: "track", "aria-hidden": "true" }, el("div", { class: "fill", style: { width: `${p * 100}%` } }), ...marks));
  });
  const low = percent(bundle.rule_out.threshold), high = percent(bundle.rule_in.threshold);
  return el("div", { class: "block" }, el("h3", {}, "What the photo looks like to the model"),
    el("ul", { class: "bars" }, rows),
    el("p", { class: "hint" }, `The two marks on ${names[bundle.target] ?? bundle.target}: below ${low} little speaks for it, from ${high} it is referred. `,
      "Another disease here never speaks against mpox."));
}

/** How unlike the training photos this one is, beside the limit. */
export function novelty(photo, bundle) {
  if (photo.novelty === null) return null;
  const limit = bundle.novelty_limit;
  const over = photo.novelty > limit;
  // The limit stands at two thirds of the gauge; far beyond it the dot stays at the end.
  const at = limit > 0 ? Math.min(Math.max(photo.novelty / limit, 0), 1.5) / 1.5 : over ? 1 : 0;
  return el("div", { class: "block" }, el("h3", {}, "Like the photos it learnt from?"),
    el("div", { class: "gauge", "aria-hidden": "true" }, el("span", { class: "mark", style: { left: "66.7%" } }),
      el("span", { class: over ? "dot over" : "dot", style: { left: `${4 + at * 92}%` } })),
    el("div", { class: "ends" }, el("span", {}, "alike"), el("span", {}, "unlike")),
    el("p", { class: "hint" }, `${over ? "No, too unlike to give an answer" : "Yes, within the limit"}: novelty ${number(photo.novelty)}, limit ${number(limit)}.`));
}

/** The quality checks with number, limit and advice. */
export function quality(photo) {
  if (!photo.quality.length) return null;
  const rows = photo.quality.map((check) => {
    const [name, unit, side] = QUALITY[check.name] ?? [check.name.replaceAll("_", " "), "", "limit"];
    const show = (value) => unit === "share" ? percent(value) : unit ? `${number(value)} ${unit}` : number(value);
    return el("li", { class: check.passed ? "" : "failed" }, icon(check.passed ? "pass" : "fail"),
      el("span", {}, name, el("span", { class: "visually-hidden" }, check.passed ? ", good enough:" : ", not good enough:")),
      el("span", { class: "measure" }, show(check.value), " ", el("span", {}, `${side} ${show(check.limit)}`)),
      check.passed ? null : el("span", { class: "advice" }, check.advice));
  });
  return el("div", { class: "block" }, el("h3", {}, "Quality of the photo"), el("ul", { class: "checks" }, rows));
}

/** Skin tone, always called an estimate. */
export function skinTone(photo) {
  const tone = photo.skin_tone;
  if (!tone || tone.ita === null) return null;
  const name = tone.ita_class ?? "unknown";
  return el("div", { class: "block" }, el("h3", {}, "Skin tone"),
    el("div", { class: "tone" }, el("span", { class: "swatch", "aria-hidden": "true", style: { background: TONES[name] ?? "transparent" } }),
      el("div", {}, name.charAt(0).toUpperCase() + name.slice(1),
        el("span", {}, `An estimate from the photo (ITA ${Math.round(tone.ita)}°); light and colour of the picture move it.`))));
}

/** How good the model is, from its bundle. */
export function model(bundle) {
  const row = (name, group, figure) => el("tr", {}, el("td", {}, name.replace("_", " "), el("small", {}, group)),
    el("td", { class: "number" }, shown(name, figure.value), el("small", {}, `${shown(name, figure.low)} – ${shown(name, figure.high)}`)),
    el("td", { class: "number" }, `${figure.n}`));
  const points = [
    row("Sensitivity", "rule-out point", bundle.rule_out.sensitivity), row("Specificity", "rule-out point", bundle.rule_out.specificity),
    row("Sensitivity", "rule-in point", bundle.rule_in.sensitivity), row("Specificity", "rule-in point", bundle.rule_in.specificity),
  ];
  const figures = bundle.figures.map((figure) => row(figure.name, figure.group, figure));
  return [
    el("p", {}, bundle.intended_use),
    el("div", { class: "tablewrap", tabindex: "0", role: "region", "aria-label": "Figures of the model" }, el("table", {}, el("thead", {}, el("tr", {}, el("th", {}, "Figure"),
      el("th", { class: "number" }, "Value", el("small", {}, "95 % interval")), el("th", { class: "number" }, "n"))), el("tbody", {}, points, figures))),
    el("p", { class: "hint" }, bundle.protocol),
    el("div", { class: "block" }, el("h3", {}, "What it cannot do"), el("ul", {}, bundle.limits.map((limit) => el("li", {}, limit)))),
    el("p", { class: "hint" }, "Bundle ", el("code", {}, bundle.label), `. Weights: ${bundle.licence}.`),
  ];
}

// Sensitivity and the like are read as percent, areas and scores as decimals.
function shown(name, value) {
  const share = value >= 0 && value <= 1 && !/auroc|auc|f1|ece|brier|kappa|mcc|calibration/i.test(name);
  return share ? `${(value * 100).toFixed(1)} %` : value.toFixed(3);
}
