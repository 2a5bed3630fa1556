// A heat map as a layer over the photo, as poxlens.screen.overlay draws it: blue to pale yellow, since skin and
// lesions are red to brown, with a dark and a light line where it reaches half its scale.

const COLOURS = [
  [26, 36, 140],
  [0, 190, 220],
  [255, 250, 170],
] as const;
const CONTOUR = 0.5;

export interface HeatMap {
  /** [height, width], 0 or more. */
  values: Float32Array;
  height: number;
  width: number;
  /** Drawn at full strength: the strongest value of any class's map. */
  scale: number;
}

/** RGBA of side x side px. */
export function layer(map: HeatMap, side: number): Uint8ClampedArray<ArrayBuffer> {
  const strength = strengths(map, side);
  const out = new Uint8ClampedArray(side * side * 4);
  for (let i = 0; i < strength.length; i += 1) {
    const s = strength[i]!;
    const half = s < 0.5 ? 0 : 1;
    const t = (s - half * 0.5) * 2;
    const [low, high] = [COLOURS[half]!, COLOURS[half + 1]!];
    for (let c = 0; c < 3; c += 1) out[4 * i + c] = low[c]! + t * (high[c]! - low[c]!);
    out[4 * i + 3] = 255 * Math.min(1, s / CONTOUR);
    const edge = edgeAt(strength, i, side);
    if (edge) out.set(edge === "inside" ? [255, 255, 255, 255] : [10, 14, 50, 255], 4 * i);
  }
  return out;
}

function edgeAt(strength: Float64Array, i: number, side: number): "inside" | "outside" | null {
  const inside = strength[i]! >= CONTOUR;
  const x = i % side;
  const differs = (at: number): boolean => strength[at]! >= CONTOUR !== inside;
  const edge =
    (x > 0 && differs(i - 1)) ||
    (x < side - 1 && differs(i + 1)) ||
    (i >= side && differs(i - side)) ||
    (i < strength.length - side && differs(i + side));
  return edge ? (inside ? "inside" : "outside") : null;
}

/** The map enlarged to side x side, 0 to 1. */
export function strengths({ values, height, width, scale }: HeatMap, side: number): Float64Array {
  const out = new Float64Array(side * side);
  if (!(scale > 0)) return out;
  const at = (i: number, length: number): [number, number, number] => {
    const centre = Math.min(Math.max(((i + 0.5) * length) / side - 0.5, 0), length - 1);
    const low = Math.floor(centre);
    return [low, Math.min(low + 1, length - 1), centre - low];
  };
  for (let y = 0; y < side; y += 1) {
    const [top, bottom, v] = at(y, height);
    for (let x = 0; x < side; x += 1) {
      const [left, right, u] = at(x, width);
      const above = values[top * width + left]! * (1 - u) + values[top * width + right]! * u;
      const below = values[bottom * width + left]! * (1 - u) + values[bottom * width + right]! * u;
      out[y * side + x] = Math.min(Math.max((above * (1 - v) + below * v) / scale, 0), 1);
    }
  }
  return out;
}
