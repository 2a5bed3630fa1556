// Numbers for the axis of a chart, and days put together where there are more than fit.

import type { DayOut } from "../api/types";

/** Whole numbers from 0, three to six of them, the last at least `most`: 1, 2 or 5 times a power of ten apart. */
export function ticks(most: number): number[] {
  const sizes = Array.from({ length: 9 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power)).flat();
  const step = sizes.find((size) => most / size <= 4) ?? sizes[sizes.length - 1]!;
  return Array.from({ length: Math.max(1, Math.ceil(most / step)) + 1 }, (_, i) => i * step);
}

/** At most `room` entries: neighbouring days are added up, under the name of their last, and the latest group is whole. */
export function grouped(days: readonly DayOut[], room: number): DayOut[] {
  const size = Math.max(1, Math.ceil(days.length / Math.max(1, room)));
  const found: DayOut[] = [];
  for (let end = days.length; end > 0; end -= size) {
    const some = days.slice(Math.max(0, end - size), end);
    const sum = (name: "filed" | "answered"): number => some.reduce((total, day) => total + day[name], 0);
    found.unshift({ day: some[some.length - 1]!.day, filed: sum("filed"), answered: sum("answered") });
  }
  return found;
}
