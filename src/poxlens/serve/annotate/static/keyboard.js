// The keyboard: one key for each value, and a few for going about.

export const KEYS = [
  [["z", "Ctrl Z", "Backspace"], "Undo the latest answer, back to where the program was started"],
  [["Delete"], "Take all labels of this image back"],
  [["←", "→", "k", "j"], "The image before, the next"],
  [["Enter", "Space"], "The next image that is not labelled yet"],
  [["+", "Click"], "Closer, three times; the pointer moves about; again: the whole picture"],
  [["?"], "This list"],
];

const PLAIN = {
  z: "undo", Backspace: "undo", Delete: "clear", k: "back", j: "forth", ArrowLeft: "back", ArrowRight: "forth",
  Enter: "onward", " ": "onward", "?": "help",
  "+": "zoom", "=": "zoom",
};

/** Call `act` by the name of what a key does, or act.answer(label, value); `values` is key -> [label, value]. */
export function listen(act, values) {
  addEventListener("keydown", (event) => {
    if (document.querySelector("dialog[open]") || event.altKey) return;
    const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
    if (event.ctrlKey || event.metaKey) {
      if (key === "z" && !event.shiftKey) { event.preventDefault(); act.undo(); }
      return;
    }
    // A focused button keeps its own keys.
    if (event.target.matches("button, a, select") && (key === "Enter" || key === " ")) return;
    const found = values.has(key) ? () => act.answer(...values.get(key)) : key in PLAIN ? act[PLAIN[key]] : null;
    if (!found) return;
    event.preventDefault();
    // A key that is held down must never label images nobody looked at.
    if (!event.repeat || key.startsWith("Arrow")) found();
  });
}
