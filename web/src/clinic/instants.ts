// Times as people say them: a date, a span, and how long ago.

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const language = (): string => document.documentElement.lang || "en";

export const shownTime = (iso: string): string => new Date(iso).toLocaleString(language(), { dateStyle: "medium", timeStyle: "short" });

export const shownDay = (iso: string): string => new Date(iso).toLocaleDateString(language(), { dateStyle: "medium" });

/** "3 hr. ago", "in 2 days": to the nearest whole one of the largest unit that fits. */
export function fromNow(iso: string, now = Date.now()): string {
  const span = Date.parse(iso) - now;
  const form = new Intl.RelativeTimeFormat(language(), { style: "short", numeric: "always" });
  const size = Math.abs(span);
  if (size < HOUR) return form.format(Math.trunc(span / MINUTE), "minute");
  if (size < 2 * DAY) return form.format(Math.trunc(span / HOUR), "hour");
  return form.format(Math.trunc(span / DAY), "day");
}

/** Hours as "40 min", "3.5 hr" or "2.1 days". */
export function shownHours(hours: number): string {
  const [value, unit] = hours < 1 ? [Math.round(hours * 60), "minute"] : hours < 48 ? [hours, "hour"] : [hours / 24, "day"];
  const style = { style: "unit", unit, unitDisplay: "short", maximumFractionDigits: unit === "minute" ? 0 : 1 } as const;
  return new Intl.NumberFormat(language(), style).format(value as number);
}
