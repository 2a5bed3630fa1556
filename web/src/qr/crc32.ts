// CRC-32 (ISO 3309), as in zip and PNG.

const TABLE = Uint32Array.from({ length: 256 }, (_, n) => {
  let value = n;
  for (let bit = 0; bit < 8; bit += 1) value = value & 1 ? 0xedb88320 ^ (value >>> 1) : value >>> 1;
  return value;
});

/** Eight upper-case hexadecimal digits. */
export function crc32(data: Uint8Array): string {
  let sum = 0xffffffff;
  for (const byte of data) sum = TABLE[(sum ^ byte) & 255]! ^ (sum >>> 8);
  return ((sum ^ 0xffffffff) >>> 0).toString(16).toUpperCase().padStart(8, "0");
}
