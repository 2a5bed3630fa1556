// The one thing that is read of a photo's metadata: which way up it is.

/** Orientation 1-8 out of a TIFF block (EXIF without its "Exif\0\0"); 1 when there is none or it is damaged. */
export function exifOrientation(block: Uint8Array): number {
  if (block.length < 14) return 1;
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  const order = view.getUint16(0);
  if (order !== 0x4949 && order !== 0x4d4d) return 1;
  const little = order === 0x4949;
  if (view.getUint16(2, little) !== 42) return 1;
  const at = view.getUint32(4, little);
  if (at + 2 > block.length) return 1;
  const count = view.getUint16(at, little);
  for (let i = 0; i < Math.min(count, 512); i += 1) {
    const entry = at + 2 + 12 * i;
    if (entry + 12 > block.length) return 1;
    if (view.getUint16(entry, little) !== 0x0112) continue;
    const type = view.getUint16(entry + 2, little);
    const value = type === 3 ? view.getUint16(entry + 8, little) : 1;
    return value >= 1 && value <= 8 ? value : 1;
  }
  return 1;
}
