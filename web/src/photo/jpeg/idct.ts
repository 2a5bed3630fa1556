// From coefficients to pixels, whole or at a half, a quarter or an eighth of the size, as libjpeg-turbo does it
// (jidctint.c, jidctred.c): whole numbers, so that every browser gives the pixels that Pillow gives.

const clamp = (value: number): number => (value < 0 ? 0 : value > 255 ? 255 : value);
const work = new Int32Array(64);

/** Writes a block of n x n pixels. `c` holds 64 coefficients from `at` on, `q` the quantisation table. */
export type Transform = (c: Int16Array, at: number, q: Int32Array, out: Uint8Array, to: number, stride: number) => void;

const whole: Transform = (c, at, q, out, to, stride) => {
  for (let i = 0; i < 8; i += 1) {
    const k = at + i;
    const dc = c[k]! * q[i]!;
    if (!(c[k + 8]! | c[k + 16]! | c[k + 24]! | c[k + 32]! | c[k + 40]! | c[k + 48]! | c[k + 56]!)) {
      for (let row = i; row < 64; row += 8) work[row] = dc << 2;
      continue;
    }
    eight(
      dc, c[k + 8]! * q[i + 8]!, c[k + 16]! * q[i + 16]!, c[k + 24]! * q[i + 24]!,
      c[k + 32]! * q[i + 32]!, c[k + 40]! * q[i + 40]!, c[k + 48]! * q[i + 48]!, c[k + 56]! * q[i + 56]!,
    );
    for (let n = 0; n < 8; n += 1) work[i + 8 * n] = (line[n]! + 1024) >> 11;
  }
  for (let row = 0; row < 8; row += 1) {
    const w = row * 8;
    eight(
      work[w]!, work[w + 1]!, work[w + 2]!, work[w + 3]!, work[w + 4]!, work[w + 5]!, work[w + 6]!, work[w + 7]!,
    );
    for (let n = 0; n < 8; n += 1) out[to + n] = clamp(((line[n]! + 131072) >> 18) + 128);
    to += stride;
  }
};

const line = new Int32Array(8);

/** One line of the 8-point transform, 13 bits of fraction more than its input. */
function eight(
  a0: number, a1: number, a2: number, a3: number, a4: number, a5: number, a6: number, a7: number,
): void {
  const e = (a2 + a6) * 4433;
  const e2 = e - a6 * 15137;
  const e3 = e + a2 * 6270;
  const s = (a0 + a4) * 8192;
  const d = (a0 - a4) * 8192;
  const z5 = (a7 + a3 + a5 + a1) * 9633;
  const z1 = (a7 + a1) * -7373;
  const z2 = (a5 + a3) * -20995;
  const z3 = (a7 + a3) * -16069 + z5;
  const z4 = (a5 + a1) * -3196 + z5;
  const o0 = a7 * 2446 + z1 + z3;
  const o1 = a5 * 16819 + z2 + z4;
  const o2 = a3 * 25172 + z2 + z3;
  const o3 = a1 * 12299 + z1 + z4;
  line[0] = s + e3 + o3;
  line[7] = s + e3 - o3;
  line[1] = d + e2 + o2;
  line[6] = d + e2 - o2;
  line[2] = d - e2 + o1;
  line[5] = d - e2 - o1;
  line[3] = s - e3 + o0;
  line[4] = s - e3 - o0;
}

const half: Transform = (c, at, q, out, to, stride) => {
  for (let i = 0; i < 8; i += 1) {
    if (i === 4) continue; // this column is not used below
    const k = at + i;
    if (!(c[k + 8]! | c[k + 16]! | c[k + 24]! | c[k + 40]! | c[k + 48]! | c[k + 56]!)) {
      const dc = (c[k]! * q[i]!) << 2;
      work[i] = work[i + 8] = work[i + 16] = work[i + 24] = dc;
      continue;
    }
    four(
      c[k]! * q[i]!, c[k + 8]! * q[i + 8]!, c[k + 16]! * q[i + 16]!, c[k + 24]! * q[i + 24]!,
      c[k + 40]! * q[i + 40]!, c[k + 48]! * q[i + 48]!, c[k + 56]! * q[i + 56]!,
    );
    for (let n = 0; n < 4; n += 1) work[i + 8 * n] = (line[n]! + 2048) >> 12;
  }
  for (let row = 0; row < 4; row += 1) {
    const w = row * 8;
    four(work[w]!, work[w + 1]!, work[w + 2]!, work[w + 3]!, work[w + 5]!, work[w + 6]!, work[w + 7]!);
    for (let n = 0; n < 4; n += 1) out[to + n] = clamp(((line[n]! + 262144) >> 19) + 128);
    to += stride;
  }
};

function four(a0: number, a1: number, a2: number, a3: number, a5: number, a6: number, a7: number): void {
  const s = a0 * 16384;
  const e = a2 * 15137 - a6 * 6270;
  const o0 = a7 * -1730 + a5 * 11893 - a3 * 17799 + a1 * 8697;
  const o2 = a7 * -4176 - a5 * 4926 + a3 * 7373 + a1 * 20995;
  line[0] = s + e + o2;
  line[3] = s + e - o2;
  line[1] = s - e + o0;
  line[2] = s - e - o0;
}

const quarter: Transform = (c, at, q, out, to, stride) => {
  for (const i of [0, 1, 3, 5, 7]) {
    const k = at + i;
    const s = c[k]! * q[i]! * 32768;
    const o = odd(c[k + 8]! * q[i + 8]!, c[k + 24]! * q[i + 24]!, c[k + 40]! * q[i + 40]!, c[k + 56]! * q[i + 56]!);
    work[i] = (s + o + 4096) >> 13;
    work[i + 8] = (s - o + 4096) >> 13;
  }
  for (let w = 0; w < 16; w += 8) {
    const s = work[w]! * 32768;
    const o = odd(work[w + 1]!, work[w + 3]!, work[w + 5]!, work[w + 7]!);
    out[to] = clamp(((s + o + 524288) >> 20) + 128);
    out[to + 1] = clamp(((s - o + 524288) >> 20) + 128);
    to += stride;
  }
};

const odd = (a1: number, a3: number, a5: number, a7: number): number =>
  a7 * -5906 + a5 * 6967 - a3 * 10426 + a1 * 29692;

const eighth: Transform = (c, at, q, out, to) => {
  out[to] = clamp(((c[at]! * q[0]! + 4) >> 3) + 128);
};

/** By the side of the block that is made. */
export const TRANSFORMS: Readonly<Record<number, Transform>> = { 8: whole, 4: half, 2: quarter, 1: eighth };
