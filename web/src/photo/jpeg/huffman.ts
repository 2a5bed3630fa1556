// Huffman codes of a JPEG and the bits they are read from.

import { Irregular } from "./frame";
import { Unreadable } from "../unreadable";

const LOOK = 9; // bits looked up at once; longer codes are rare

export interface HuffmanTable {
  /** By the next 9 bits: length << 8 | symbol, 0 where the code is longer. */
  look: Uint16Array;
  /** By length: the largest code, -1 for none. */
  maxCode: Int32Array;
  /** By length: symbol index less the first code. */
  offset: Int32Array;
  symbols: Uint8Array;
}

/** The table from the number of codes of each length 1-16 and their symbols. */
export function huffmanTable(counts: Uint8Array, symbols: Uint8Array): HuffmanTable {
  const look = new Uint16Array(1 << LOOK);
  const maxCode = new Int32Array(18).fill(-1);
  const offset = new Int32Array(18);
  let code = 0;
  let index = 0;
  for (let length = 1; length <= 16; length += 1) {
    offset[length] = index - code;
    for (let i = 0; i < counts[length - 1]!; i += 1, code += 1, index += 1) {
      if (code >= 1 << length) throw new Irregular("Huffman code");
      if (length > LOOK) continue;
      const first = code << (LOOK - length);
      look.fill((length << 8) | symbols[index]!, first, first + (1 << (LOOK - length)));
    }
    if (counts[length - 1]!) maxCode[length] = code - 1;
    code <<= 1;
  }
  return { look, maxCode, offset, symbols: symbols.slice() };
}

/** Bits of one scan. A marker ends them: whoever needs more bits than padding explains reads a broken file. */
export class Bits {
  private buffer = 0;
  private count = 0;
  private missing = 0;

  constructor(
    private readonly data: Uint8Array,
    public position: number,
  ) {}

  private fill(): void {
    const data = this.data;
    while (this.count <= 24) {
      let byte = 0;
      if (this.position >= data.length) throw new Unreadable("truncated");
      byte = data[this.position]!;
      if (byte === 0xff) {
        const next = data[this.position + 1];
        if (next === undefined) throw new Unreadable("truncated");
        if (next === 0) this.position += 2;
        else if (next === 0xff) {
          this.position += 1; // a fill byte before a marker
          continue;
        } else {
          byte = 0; // a marker: zeros from here on, counted
          this.missing += 8;
        }
      } else this.position += 1;
      this.buffer = (this.buffer << 8) | byte;
      this.count += 8;
    }
  }

  /** Whether bits were used that the file does not have. */
  private spent(): void {
    if (this.missing > this.count) throw new Irregular("data end early");
  }

  decode(table: HuffmanTable): number {
    if (this.count < 16) this.fill();
    const found = table.look[(this.buffer >>> (this.count - LOOK)) & ((1 << LOOK) - 1)]!;
    if (found !== 0) {
      this.count -= found >> 8;
      if (this.missing > this.count) this.spent();
      return found & 255;
    }
    for (let length = LOOK + 1; length <= 16; length += 1) {
      const code = (this.buffer >>> (this.count - length)) & ((1 << length) - 1);
      if (code <= table.maxCode[length]!) {
        this.count -= length;
        this.spent();
        return table.symbols[code + table.offset[length]!]!;
      }
    }
    throw new Irregular("no such code");
  }

  /** The next n bits, 0-16, as a number. */
  take(n: number): number {
    if (n === 0) return 0;
    if (this.count < n) this.fill();
    this.count -= n;
    if (this.missing > this.count) this.spent();
    return (this.buffer >>> this.count) & ((1 << n) - 1);
  }

  /** The next n bits as JPEG's signed number. */
  signed(n: number): number {
    const value = this.take(n);
    return n > 0 && value < 1 << (n - 1) ? value - (1 << n) + 1 : value;
  }

  /** Drop what is left of the byte and step over the restart marker that must follow. */
  restart(): void {
    let at = this.position;
    while (this.data[at] === 0xff && this.data[at + 1] === 0xff) at += 1;
    const unread = this.count - this.missing;
    if (unread >= 8) throw new Irregular("data before a restart");
    if (at + 1 >= this.data.length) throw new Unreadable("truncated");
    const marker = this.data[at + 1]!;
    if (this.data[at] !== 0xff || marker < 0xd0 || marker > 0xd7) throw new Irregular("restart marker");
    this.position = at + 2;
    this.buffer = this.count = this.missing = 0;
  }
}
