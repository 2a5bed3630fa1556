// How long to wait before the next try.

const FIRST = 5_000; // ms
const LONGEST = 30 * 60_000;

/**
 * Twice as long each time, up to half an hour, and by chance up to a quarter shorter: phones that lost the same network
 * do not all come back at one moment.
 *
 * @param tries so far, from 1
 */
export const pause = (tries: number, chance = Math.random()): number => Math.min(LONGEST, FIRST * 2 ** Math.min(20, tries - 1)) * (1 - chance / 4);
