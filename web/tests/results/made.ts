// Results for the tests: with every answer, with hardly any, and with photos that were refused.

import type { Result } from "../../src/results/result";

const ID = "3f0c1f6e-5a64-4c1b-9d2e-77a1b2c3d400";
const MODEL = "default 1.0.0 sha256:0123456789abcdef";
const LIMITS = { ruleIn: 0.6171, ruleOut: 0.0423, novelty: 1.537 };

export const FULL: Result = {
  id: ID,
  made: "2026-03-14T09:26:53+01:00",
  outcome: "refer",
  reasons: ["refer.probability", "context.contact", "context.fever_and_nodes", "person.refused"],
  deciding: 0,
  target: "mpox",
  model: MODEL,
  limits: LIMITS,
  answers: {
    contact_with_case_21d: true,
    exposure: false,
    fever: true,
    swollen_lymph_nodes: true,
    where: ["face", "genitals"],
    since: "7d",
    age: 16.5,
    sex: "female",
    pregnant: false,
    weak_immunity: true,
    risk_group: false,
  },
  agreement: { by: "guardian", intimate: false },
  photos: [
    {
      outcome: "refer",
      reasons: ["refer.probability"],
      probabilities: { mpox: 0.9134, chickenpox: 0.0511, measles: 0.0101, hfmd: 0.0092, "other-rash": 0.0162 },
      notExcluded: ["mpox", "chickenpox"],
      novelty: 0.412,
      ita: -12.4,
      tone: "dark",
      mapUnstable: true,
    },
    { outcome: "cannot_assess", reasons: ["quality.blur", "quality.dark"], probabilities: {}, notExcluded: [], novelty: null, ita: null, tone: null, mapUnstable: false },
  ],
};

export const PLAIN: Result = {
  ...FULL,
  made: "2026-03-14T23:59:00-03:30",
  outcome: "not_suspected",
  reasons: ["not_suspected.probability"],
  answers: {},
  agreement: null,
  photos: [
    {
      outcome: "not_suspected",
      reasons: ["not_suspected.probability"],
      probabilities: { mpox: 0.0012, chickenpox: 0.0301, measles: 0.0101, hfmd: 0.0092, "other-rash": 0.9494 },
      notExcluded: ["other-rash"],
      novelty: 0.9,
      ita: 33,
      tone: "light",
      mapUnstable: false,
    },
  ],
};

export const REFUSED: Result = {
  ...FULL,
  outcome: "cannot_assess",
  reasons: ["unreadable.not_an_image"],
  answers: { sex: "male", age: 0, where: ["feet"] },
  agreement: { by: "self", intimate: true },
  photos: [
    { outcome: "cannot_assess", reasons: ["unreadable.not_an_image"], probabilities: {}, notExcluded: [], novelty: null, ita: null, tone: null, mapUnstable: false },
  ],
};
