// The answer: the person's outcome with reasons and next steps, then what was found on the selected photo.
import { el, icon } from "./build.js";
import { novelty, probabilities, quality, skinTone } from "./details.js";
import { OUTCOMES } from "./photos.js";

const QUESTIONS = {
  contact_with_case_21d: "contact with a case within 21 days", exposure: "other exposure", fever: "fever",
  swollen_lymph_nodes: "swollen lymph nodes", risk_group: "group at higher risk", age: "age", sex: "sex",
};

/** The person's card. */
export function verdict(person, bundle) {
  return el("section", { class: `card verdict ${person.outcome}`, "aria-labelledby": "verdict-title" },
    el("div", { class: "headline" }, el("span", { class: "disc" }, icon(person.outcome)),
      el("div", {}, el("h2", { id: "verdict-title", "data-outcome": person.outcome }, person.title), el("p", {}, person.subtitle))),
    el("ul", { class: "reasons" }, person.reasons.map((reason) => el("li", { "data-code": reason.code }, reason.text))),
    el("div", { class: "next" }, el("h3", {}, "What to do next"), el("ol", {}, person.next.map((step) => el("li", {}, step)))),
    answers(person.context),
    el("p", { class: "fine" }, bundle.disclaimer, el("br"), `Model ${bundle.name} ${bundle.version}, ${Math.round(person.ms.total)} ms.`));
}

function answers(context) {
  const given = Object.entries(context ?? {});
  if (!given.length) return null;
  const say = (value) => value === true ? "yes" : value === false ? "no" : `${value}`;
  return el("p", { class: "counted" }, given.map(([name, value]) => el("span", { class: "chip" }, `${QUESTIONS[name] ?? name}: ${say(value)}`)));
}

/** The selected photo's card. */
export function photoCard(item, count, bundle) {
  const photo = item.answer;
  const several = count > 1;
  const head = el("header", {}, el("h2", {}, several ? `Photo ${item.number} of ${count}` : "What was found"),
    several ? el("span", { class: `tag ${photo.outcome}` }, icon(photo.outcome), OUTCOMES[photo.outcome]) : null);
  const reasons = several ? el("ul", { class: `reasons ${photo.outcome}` }, photo.reasons.map((reason) => el("li", {}, reason.text))) : null;
  const blocks = [photo.assessed ? probabilities(photo, bundle) : null, quality(photo), novelty(photo, bundle), skinTone(photo)].filter(Boolean);
  if (!several && !blocks.length) return null;
  return el("section", { class: "card one", "aria-label": several ? `Photo ${item.number}` : "What was found" }, head, reasons, ...blocks);
}

/** While the photos are on their way. */
export function waiting(count) {
  return el("div", { class: "card waiting" }, el("span", { class: "spin", "aria-hidden": "true" }),
    el("p", {}, count > 1 ? `Screening ${count} photos …` : "Screening the photo …"));
}

/** What went wrong, with a way on. */
export function fault(title, text, retry) {
  return el("div", { class: "card fault", role: "alert" }, el("h2", {}, title), el("p", {}, text),
    retry ? el("div", { class: "buttons" }, el("button", { type: "button", class: "button", onclick: retry }, "Try again")) : null);
}
