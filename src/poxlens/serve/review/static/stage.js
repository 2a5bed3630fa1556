// The picture with its square: drawn to fit, moved and resized with mouse, finger, two fingers or wheel.
import { fits, held, moved, pulled, resized, spanned } from "./square.js";

const LARGEST = 4; // screen px a photo px: a small photo is enlarged, but not into blocks
const SLACK = 6; // px a mouse may wander before a press beside the square begins a new one
const GESTURE = 500; // ms; turns of the wheel closer together are one step to undo

export class Stage {
  #at = { stage: null, frame: null, photo: null, hole: null, square: null };
  #picture = null; // {width, height, least}
  #scale = 1;
  #pointers = new Map(); // id -> [x, y] in photo px
  #gesture = null;
  #turned = 0;
  #changed;
  #begun;

  /** `begun(square)` before a gesture changes the square, `changed(square)` at each change. */
  constructor({ begun, changed }) {
    for (const id of Object.keys(this.#at)) this.#at[id] = document.getElementById(id);
    this.#begun = begun;
    this.#changed = changed;
    this.square = null;
    const { stage } = this.#at;
    stage.addEventListener("pointerdown", (event) => this.#down(event));
    stage.addEventListener("pointermove", (event) => this.#move(event));
    for (const end of ["pointerup", "pointercancel"]) stage.addEventListener(end, (event) => this.#up(event));
    stage.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    new ResizeObserver(() => this.#fit()).observe(stage);
  }

  /** Show an image in the place of the one before. */
  show(image, picture, square) {
    this.#picture = picture;
    this.#pointers.clear();
    this.#gesture = null;
    image.id = "photo";
    image.alt = "";
    image.draggable = false;
    this.#at.photo.replaceWith(image);
    this.#at.photo = image;
    this.#at.frame.hidden = false;
    this.#fit();
    this.put(square);
  }

  /** Show no image. */
  clear() {
    this.#picture = null;
    this.#gesture = null;
    this.#at.frame.hidden = true;
    this.square = null;
  }

  /** Put the square somewhere, or take it away (null). */
  put(square) {
    this.square = square && this.#picture ? held(square, this.#picture) : null;
    this.#draw();
  }

  /** Whether a square can be drawn on what is shown. */
  get open() { return this.#picture !== null && fits(this.#picture); }

  get picture() { return this.#picture; }

  /** The shown image element. */
  get image() { return this.#at.photo; }

  #change(square) {
    this.put(square);
    this.#changed(this.square);
  }

  #fit() {
    if (!this.#picture) return;
    const { stage, frame } = this.#at;
    const style = getComputedStyle(stage);
    const width = stage.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const height = stage.clientHeight - parseFloat(style.paddingTop) - parseFloat(style.paddingBottom);
    this.#scale = Math.min(width / this.#picture.width, height / this.#picture.height, LARGEST);
    frame.style.width = `${this.#picture.width * this.#scale}px`;
    frame.style.height = `${this.#picture.height * this.#scale}px`;
    this.#draw();
  }

  #draw() {
    const { square, hole } = this.#at;
    square.hidden = hole.hidden = !this.square;
    if (!this.square) return;
    const [left, top, side] = this.square.map((value) => value * this.#scale);
    for (const one of [square, hole]) {
      Object.assign(one.style, { left: `${left}px`, top: `${top}px`, width: `${side}px`, height: `${side}px` });
    }
    square.setAttribute("aria-label", `Square of ${this.square[2]} px, ${this.square[0]} px from the left, ${this.square[1]} px from the top`);
  }

  #point(event) {
    const box = this.#at.frame.getBoundingClientRect();
    return [(event.clientX - box.left) / this.#scale, (event.clientY - box.top) / this.#scale];
  }

  #down(event) {
    if (!this.open || event.button > 0 || event.target.closest("button")) return;
    event.preventDefault();
    this.#at.stage.setPointerCapture(event.pointerId);
    const point = this.#point(event);
    this.#pointers.set(event.pointerId, point);
    if (this.#pointers.size === 2 && this.square) this.#gesture = this.#pinch();
    else if (this.#pointers.size === 1) this.#gesture = this.#single(event, point);
    if (this.square) this.#at.square.focus({ preventScroll: true, focusVisible: false });
  }

  #single(event, point) {
    const corner = event.target.dataset?.corner;
    if (corner) return { kind: "pull", corner, from: point, square: this.square };
    // A finger hides what it points at: anywhere on the picture it moves the square. A mouse beside it begins a new one.
    const inside = this.square && (event.pointerType === "touch" || event.target === this.#at.square);
    if (inside) return { kind: "move", from: point, square: this.square };
    return { kind: "span", from: point, square: this.square };
  }

  #pinch() {
    const [one, other] = [...this.#pointers.values()];
    const middle = [(one[0] + other[0]) / 2, (one[1] + other[1]) / 2];
    return { kind: "pinch", from: middle, apart: Math.hypot(one[0] - other[0], one[1] - other[1]), square: this.square, begun: this.#gesture?.begun };
  }

  #move(event) {
    if (!this.#pointers.has(event.pointerId) || !this.#gesture) return;
    this.#pointers.set(event.pointerId, this.#point(event));
    const gesture = this.#gesture;
    const next = this.#moved(gesture, this.#point(event));
    if (!next) return;
    if (!gesture.begun) {
      gesture.begun = true;
      this.#begun(this.square);
    }
    this.#change(next);
  }

  #moved({ kind, corner, from, square, apart, begun }, point) {
    const [dx, dy] = [point[0] - from[0], point[1] - from[1]];
    const still = Math.hypot(dx, dy) * this.#scale < (kind === "span" ? SLACK : 1);
    if (still && !begun && kind !== "pinch") return null;
    if (kind === "move") return moved(square, dx, dy, this.#picture);
    if (kind === "span") return spanned(from, point, this.#picture);
    if (kind === "pull") {
      // The corner keeps its distance to the pointer, so that it does not jump when the handle is caught off centre.
      const [x, y] = [corner.endsWith("w") ? square[0] : square[0] + square[2], corner.startsWith("n") ? square[1] : square[1] + square[2]];
      return pulled(square, corner, [x + dx, y + dy], this.#picture);
    }
    const [one, other] = [...this.#pointers.values()];
    if (!other) return null;
    const now = Math.hypot(one[0] - other[0], one[1] - other[1]);
    const grown = resized(square, (square[2] * now) / Math.max(apart, 1), this.#picture);
    return moved(grown, (one[0] + other[0]) / 2 - from[0], (one[1] + other[1]) / 2 - from[1], this.#picture);
  }

  #up(event) {
    if (!this.#pointers.delete(event.pointerId)) return;
    const [rest] = this.#pointers.values();
    const begun = this.#gesture?.begun;
    this.#gesture = rest && this.square ? { kind: "move", from: rest, square: this.square, begun } : null;
  }

  #wheel(event) {
    if (!this.open || !this.square) return;
    event.preventDefault();
    const now = performance.now();
    if (now - this.#turned > GESTURE) this.#begun(this.square);
    this.#turned = now;
    const lines = event.deltaMode === 1 ? 16 : 1;
    const [left, top, side] = this.square;
    const [x, y] = this.#point(event);
    const share = (value) => Math.min(1, Math.max(0, value));
    const wish = side * Math.exp(-Math.max(-200, Math.min(200, event.deltaY * lines)) * (event.ctrlKey ? 0.01 : 0.0012));
    const step = wish > side ? Math.max(wish, side + 1) : Math.min(wish, side - 1);
    this.#change(resized(this.square, step, this.#picture, share((x - left) / side), share((y - top) / side)));
  }
}
