// Which images are gone through, in which order, how far one is, and how long the rest will take.

export const FILTERS = [
  ["all", "All images"],
  ["undecided", "Undecided"],
  ["crop", "A crop is proposed"],
  ["none", "No crop is proposed"],
  ["kept", "Decided: a crop"],
  ["redrawn", "Decided: a crop of one's own"],
  ["rejected", "Decided: no crop"],
];

const RULES = {
  all: () => true,
  undecided: (item) => !item.decision,
  crop: (item) => item.verdict === "crop",
  none: (item) => item.verdict === "none",
  kept: (item) => ["accept", "crop"].includes(item.decision?.action),
  redrawn: (item) => item.decision?.action === "crop",
  rejected: (item) => item.decision?.action === "reject",
};

/** Indices of the items under a filter {show, label}; label "" means every class. */
export function chosen(items, { show, label }) {
  const places = [];
  items.forEach((item, index) => { if ((!label || item.label === label) && RULES[show](item)) places.push(index); });
  return places;
}

/** The next undecided index of a queue after `from`, going round once; null when all are decided. */
export function undecidedAfter(queue, items, from) {
  const start = queue.indexOf(from) + 1;
  const round = [...queue.slice(start), ...queue.slice(0, start)];
  return round.find((index) => !items[index].decision) ?? null;
}

/** Counts of a list of items by what was decided. */
export function counts(items) {
  const of = (action) => items.filter((item) => item.decision?.action === action).length;
  const [accepted, redrawn, rejected] = [of("accept"), of("crop"), of("reject")];
  return { all: items.length, accepted, redrawn, rejected, decided: accepted + redrawn + rejected };
}

/** The words of --only as a filter. */
export function filterOf(only) {
  if (only.startsWith("class:")) return { show: "all", label: only.slice(6) };
  return { show: only || "all", label: "" };
}

const PAUSE = 60_000; // ms; longer than this, one was away
const KEPT = 25;

/** The pace of the last decisions. */
export class Pace {
  #last = null;
  #spans = [];

  /** Tell that an image is looked at from now on. */
  start(now = performance.now()) { this.#last = now; }

  /** Tell of a decision. */
  tick(now = performance.now()) {
    const span = this.#last === null ? PAUSE : now - this.#last;
    this.#last = now;
    if (span < PAUSE) this.#spans = [...this.#spans.slice(1 - KEPT), span];
  }

  /** Median ms an image; null before three decisions. */
  get each() {
    if (this.#spans.length < 3) return null;
    const sorted = [...this.#spans].sort((a, b) => a - b);
    return sorted[sorted.length >> 1];
  }

  /** Words for the time that `left` images take. */
  words(left) {
    if (this.each === null || !left) return "";
    const minutes = (this.each * left) / 60_000;
    if (minutes < 1) return "under a minute left";
    if (minutes < 90) return `about ${Math.round(minutes)} min left`;
    return `about ${(minutes / 60).toFixed(1)} h left`;
  }
}
