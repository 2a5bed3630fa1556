// Squares on a picture. A square is [left, top, side] in whole px of the upright photo; each function gives one that
// lies inside the picture and is no smaller than its least side. A picture is {width, height, least}.

const hold = (value, low, high) => Math.min(Math.max(value, low), high);

/** The largest side that fits. */
export const most = (picture) => Math.min(picture.width, picture.height);

/** Whether a square of the least side fits at all. */
export const fits = (picture) => most(picture) >= picture.least;

/** The nearest square that is allowed; the place gives way before the side does. */
export function held([left, top, side], picture) {
  const fair = Math.round(hold(side, Math.min(picture.least, most(picture)), most(picture)));
  return [Math.round(hold(left, 0, picture.width - fair)), Math.round(hold(top, 0, picture.height - fair)), fair];
}

/** Moved by some px. */
export function moved([left, top, side], dx, dy, picture) {
  return held([left + dx, top + dy, side], picture);
}

/** Of another side, about the point at shares x, y (0 to 1) of the square, which stays where it is if it can. */
export function resized([left, top, side], to, picture, x = 0.5, y = 0.5) {
  const fair = hold(Math.round(to), Math.min(picture.least, most(picture)), most(picture));
  return held([left + (side - fair) * x, top + (side - fair) * y, fair], picture);
}

/** With the corner ("nw", "ne", "sw", "se") at a point as far as a square allows; the corner across stays. */
export function pulled([left, top, side], corner, [x, y], picture) {
  const west = corner.endsWith("w");
  const north = corner.startsWith("n");
  const [fixedX, fixedY] = [west ? left + side : left, north ? top + side : top];
  const wish = Math.max(west ? fixedX - x : x - fixedX, north ? fixedY - y : y - fixedY);
  const room = Math.min(west ? fixedX : picture.width - fixedX, north ? fixedY : picture.height - fixedY);
  const fair = Math.round(hold(wish, Math.min(picture.least, room), room));
  return held([west ? fixedX - fair : fixedX, north ? fixedY - fair : fixedY, fair], picture);
}

/** A new square from one point towards another. */
export function spanned([x, y], [toX, toY], picture) {
  const corner = (toY < y ? "n" : "s") + (toX < x ? "w" : "e");
  return pulled([hold(x, 0, picture.width), hold(y, 0, picture.height), 0], corner, [toX, toY], picture);
}

/** Where to begin when no square is proposed: the middle, two thirds of the shorter side. */
export function first(picture) {
  const side = Math.round((2 * most(picture)) / 3);
  return held([(picture.width - side) / 2, (picture.height - side) / 2, side], picture);
}

export const same = (one, other) => (one && other ? one.every((value, place) => value === other[place]) : one === other);
