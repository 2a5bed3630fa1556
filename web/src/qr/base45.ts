// Base45 (RFC 9285): bytes in the 45 characters that a QR code packs two to eleven bits.

const LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:";

export function toBase45(data: Uint8Array): string {
  let out = "";
  for (let i = 0; i < data.length; i += 2) {
    const pair = i + 1 < data.length;
    let value = pair ? data[i]! * 256 + data[i + 1]! : data[i]!;
    for (let n = pair ? 3 : 2; n > 0; n -= 1) {
      out += LETTERS[value % 45];
      value = Math.floor(value / 45);
    }
  }
  return out;
}

/** Null for what is not Base45. */
export function fromBase45(text: string): Uint8Array<ArrayBuffer> | null {
  if (text.length % 3 === 1) return null;
  const out = new Uint8Array(Math.floor(text.length / 3) * 2 + (text.length % 3 ? 1 : 0));
  for (let i = 0, at = 0; i < text.length; i += 3) {
    const digits = [...text.slice(i, i + 3)].map((letter) => LETTERS.indexOf(letter));
    const value = digits.reduce((sum, digit, n) => sum + digit * 45 ** n, 0);
    if (digits.includes(-1) || value >= (digits.length === 3 ? 65_536 : 256)) return null;
    if (digits.length === 3) out[at++] = value >> 8;
    out[at++] = value & 255;
  }
  return out;
}
