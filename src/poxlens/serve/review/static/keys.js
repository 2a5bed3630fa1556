// The keyboard: which key does what, and the list that "?" shows.

export const KEYS = [
  [["Enter", "Space"], "The square is right: accept it and go on. Without a square: agree that there is no crop."],
  [["x", "Delete"], "No crop of this image, and go on"],
  [["Drag", "Wheel", "Pinch"], "Move the square, resize it; beside it, the mouse draws a new one"],
  [["+", "−"], "Larger, smaller"],
  [["s"], "Take the square: then the arrow keys move it by 1 px, with Shift by 10 px; Esc lets go"],
  [["c"], "Draw a square where none is proposed"],
  [["r"], "Back to what was proposed"],
  [["u", "Ctrl Z"], "Undo, as far back as you like: changes of this square, then decisions"],
  [["←", "→", "k", "j"], "The image before, the next, without deciding"],
  [["n"], "The next undecided image"],
  [["f"], "Choose which images are shown"],
  [["?"], "This list"],
];

const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const DECIDING = { Enter: "accept", " ": "accept", x: "reject", Delete: "reject", Backspace: "reject" };
const PLAIN = {
  r: "reset", u: "undo", c: "begin", s: "take", n: "onward", f: "filter", "?": "help", k: "back", j: "forth",
  ArrowLeft: "back", ArrowRight: "forth",
};

/** Call `act` by the name of what a key does: act.accept(), act.nudge(dx, dy), act.resize(+1 or -1) ... */
export function listen(act) {
  addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z" && !event.shiftKey) { event.preventDefault(); act.undo(); }
      return;
    }
    const target = event.target;
    // A focused button, slider or thumbnail keeps its own keys.
    if (target.matches("input, select, textarea") && (key.startsWith("Arrow") || ["Home", "End", "PageUp", "PageDown"].includes(key))) return;
    if (target.matches("button, a, select, summary") && (key === "Enter" || key === " ")) return;
    const found = work(act, target, key, event);
    if (found) { event.preventDefault(); found(); }
  });
}

function work(act, target, key, event) {
  if (key in ARROWS && target.id === "square") {
    const [dx, dy] = ARROWS[key];
    const step = event.shiftKey ? 10 : 1;
    return () => act.nudge(dx * step, dy * step, event.repeat);
  }
  if (key === "Escape") return () => act.release();
  if (key === "+" || key === "=") return () => act.resize(1, event.repeat);
  if (key === "-" || key === "−" || key === "_") return () => act.resize(-1, event.repeat);
  // A key that is held down must never decide on images nobody looked at.
  if (key in DECIDING) return event.repeat ? () => {} : act[DECIDING[key]];
  if (key in PLAIN) return act[PLAIN[key]];
  return null;
}
