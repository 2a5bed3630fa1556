// A .tflite whose weights are stored in 8 or 16 bits, with weights of 32: LiteRT.js would make these anew for each photo
// (132 ms instead of 24, EfficientNet-Lite0, two threads), where natively they are made once. The numbers are the same.
//
// The file is a FlatBuffer (schema.fbs of TensorFlow Lite), with its weights in it or behind it: tables name their fields
// by place, offsets go forward only. So the buffers are written anew behind it; all else is changed where it lies.

const MODEL = { operatorCodes: 1, subgraphs: 2, buffers: 4 };
const CODE = { deprecated: 0, builtin: 3 };
const GRAPH = { tensors: 0, operators: 3 };
const TENSOR = { shape: 0, type: 1, buffer: 2, quantization: 4 };
const QUANTIZATION = { scale: 2, zeroPoint: 3, axis: 6 };
const OPERATOR = { code: 0, inputs: 1, outputs: 2 };
const BUFFER = { data: 0, offset: 1, size: 2 };
const DEQUANTIZE = 6;
const [FLOAT32, FLOAT16, INT8] = [0, 1, 9];
const ALIGNED = 16; // bytes, as the schema asks for data

/** The model with 32-bit weights; the same bytes where it has none of fewer bits that are unpacked when it runs. */
export function unpackWeights(model: Uint8Array): Uint8Array {
  const file = new Flat(model.slice());
  const root = file.at(0);
  const graphs = file.tables(root, MODEL.subgraphs);
  const codes = file.tables(root, MODEL.operatorCodes);
  if (graphs.length !== 1) return model;
  const graph = graphs[0]!;
  const tensors = file.tables(graph, GRAPH.tensors);
  const bufferOf = (tensor: number): number => file.uint(tensors[tensor]!, TENSOR.buffer);
  const buffers = file.tables(root, MODEL.buffers);

  // Operators that only unpack a constant, as "what comes out -> what goes in".
  const unpacked = new Map<number, number>();
  const operators = file.tables(graph, GRAPH.operators);
  const left = operators.filter((operator) => {
    const code = codes[file.uint(operator, OPERATOR.code)]!;
    const [from, to] = [file.ints(operator, OPERATOR.inputs)[0], file.ints(operator, OPERATOR.outputs)[0]];
    if (Math.max(file.byte(code, CODE.deprecated), file.uint(code, CODE.builtin)) !== DEQUANTIZE) return true;
    if (from === undefined || to === undefined || ![FLOAT16, INT8].includes(file.byte(tensors[from]!, TENSOR.type))) return true;
    if (file.data(buffers[bufferOf(from)]!).length === 0) return true; // it is computed
    unpacked.set(to, from);
    return false;
  });
  if (!unpacked.size) return model;
  const small = new Set(unpacked.values());
  const owner = new Map([...small].map((tensor) => [bufferOf(tensor), tensors[tensor]!]));
  if (tensors.some((_, i) => !small.has(i) && owner.has(bufferOf(i)))) return model; // also read as something else

  const data = buffers.map((buffer, i) => {
    const [bytes, tensor] = [file.data(buffer), owner.get(i)];
    if (tensor === undefined) return bytes;
    return file.byte(tensor, TENSOR.type) === INT8 ? scaled(file, tensor, bytes) : floatsOf(bytes);
  });
  for (const tensor of owner.values()) {
    file.setByte(tensor, TENSOR.type, FLOAT32);
    const rounding = file.table(tensor, TENSOR.quantization);
    if (rounding) for (const index of [QUANTIZATION.scale, QUANTIZATION.zeroPoint]) file.empty(rounding, index);
  }
  for (const operator of left) file.mapInts(operator, OPERATOR.inputs, (input) => unpacked.get(input) ?? input);
  file.setTables(graph, GRAPH.operators, left);
  const behind = buffers.map((buffer) => file.uint(buffer, BUFFER.offset)).filter((offset) => offset > 1);
  return withBuffers(file, root, data, Math.min(file.raw.length, ...behind));
}

/** The first bytes of the file, up to its old weights, with new buffers behind them. */
function withBuffers(file: Flat, root: number, data: readonly Uint8Array[], kept: number): Uint8Array {
  const up = (at: number, to: number): number => Math.ceil(at / to) * to;
  const vector = up(kept, 4);
  const rules = vector + 4 + 4 * data.length; // of tables with data, then of those without
  const tables = up(rules + 10, 4);
  const places: number[] = [];
  let end = tables + 8 * data.length;
  for (const bytes of data) {
    places.push((end = up(end + 4, ALIGNED))); // behind its length
    end += bytes.length;
  }
  const made = new Uint8Array(end);
  made.set(file.raw.subarray(0, kept));
  const view = new DataView(made.buffer);
  [6, 8, 4, 4, 8].forEach((value, i) => view.setUint16(rules + 2 * i, value, true));
  view.setUint32(vector, data.length, true);
  data.forEach((bytes, i) => {
    const [entry, table, place] = [vector + 4 + 4 * i, tables + 8 * i, places[i]!];
    view.setUint32(entry, table - entry, true);
    view.setInt32(table, table - (bytes.length ? rules : rules + 6), true);
    if (!bytes.length) return;
    view.setUint32(table + 4, place - 4 - (table + 4), true);
    view.setUint32(place - 4, bytes.length, true);
    made.set(bytes, place);
  });
  const field = file.field(root, MODEL.buffers);
  view.setUint32(field, vector - field, true);
  return made;
}

/** Steps of eight bits times the scale of their channel. */
function scaled(file: Flat, tensor: number, bytes: Uint8Array): Uint8Array {
  const rounding = file.table(tensor, TENSOR.quantization);
  const scales = file.floats(rounding, QUANTIZATION.scale);
  const zeros = file.longs(rounding, QUANTIZATION.zeroPoint);
  const axis = file.uint(rounding, QUANTIZATION.axis);
  const shape = file.ints(tensor, TENSOR.shape);
  const inside = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const steps = new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = Float32Array.from(steps, (step, i) => {
    const channel = scales.length > 1 ? Math.floor(i / inside) % scales.length : 0;
    return (step - (zeros[channel] ?? 0)) * scales[channel]!;
  });
  return new Uint8Array(found.buffer);
}

let floats: Float32Array | undefined;

/** Every 16-bit float is one of 32 bits too (IEEE 754): sign, 5 bits of exponent, 10 of fraction. */
function floatsOf(bytes: Uint8Array): Uint8Array {
  floats ??= Float32Array.from({ length: 65_536 }, (_, half) => {
    const [sign, exponent, fraction] = [half >> 15 ? -1 : 1, (half >> 10) & 31, half & 1023];
    if (exponent === 31) return fraction ? Number.NaN : sign * Number.POSITIVE_INFINITY;
    return sign * (exponent ? 2 ** (exponent - 15) * (1 + fraction / 1024) : 2 ** -14 * (fraction / 1024));
  });
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = new Float32Array(bytes.length / 2);
  for (let i = 0; i < found.length; i += 1) found[i] = floats[view.getUint16(2 * i, true)]!;
  return new Uint8Array(found.buffer);
}

/** Reads a FlatBuffer, and changes what has its place already. A table is the offset of its first byte. */
class Flat {
  private readonly view: DataView;

  constructor(readonly raw: Uint8Array) {
    this.view = new DataView(raw.buffer, raw.byteOffset, raw.length);
  }

  /** Where an offset points to. */
  at(place: number): number {
    return place + this.view.getUint32(place, true);
  }

  /** Where a table's field lies; 0 where it has none. */
  field(table: number, index: number): number {
    const rule = table - this.view.getInt32(table, true);
    const place = 4 + 2 * index;
    const inside = place < this.view.getUint16(rule, true) ? this.view.getUint16(rule + place, true) : 0;
    return inside && table + inside;
  }

  byte(table: number, index: number): number {
    const place = this.field(table, index);
    return place && this.view.getInt8(place);
  }

  setByte(table: number, index: number, value: number): void {
    this.view.setInt8(this.field(table, index), value);
  }

  uint(table: number, index: number): number {
    const place = this.field(table, index);
    return place && this.view.getUint32(place, true);
  }

  /** First byte and length of a vector. */
  private vector(table: number, index: number): [start: number, length: number] {
    const place = this.field(table, index);
    if (!place) return [0, 0];
    const start = this.at(place);
    return [start + 4, this.view.getUint32(start, true)];
  }

  bytes(table: number, index: number): Uint8Array {
    const [start, length] = this.vector(table, index);
    return this.raw.subarray(start, start + length);
  }

  /** A buffer's content; what is large lies behind the FlatBuffer, at an offset in the file (1 says: not written). */
  data(buffer: number): Uint8Array {
    const offset = this.uint(buffer, BUFFER.offset);
    return offset > 1 ? this.raw.subarray(offset, offset + this.uint(buffer, BUFFER.size)) : this.bytes(buffer, BUFFER.data);
  }

  ints(table: number, index: number): number[] {
    const [start, length] = this.vector(table, index);
    return Array.from({ length }, (_, i) => this.view.getInt32(start + 4 * i, true));
  }

  /** Where the table lies that a field points to; 0 where it has none. */
  table(table: number, index: number): number {
    const place = this.field(table, index);
    return place && this.at(place);
  }

  floats(table: number, index: number): number[] {
    const [start, length] = this.vector(table, index);
    return Array.from({ length }, (_, i) => this.view.getFloat32(start + 4 * i, true));
  }

  longs(table: number, index: number): number[] {
    const [start, length] = this.vector(table, index);
    return Array.from({ length }, (_, i) => Number(this.view.getBigInt64(start + 8 * i, true)));
  }

  /** A vector without entries. */
  empty(table: number, index: number): void {
    const [start, length] = this.vector(table, index);
    if (length) this.view.setUint32(start - 4, 0, true);
  }

  mapInts(table: number, index: number, change: (value: number) => number): void {
    const [start] = this.vector(table, index);
    this.ints(table, index).forEach((value, i) => this.view.setInt32(start + 4 * i, change(value), true));
  }

  tables(table: number, index: number): number[] {
    const [start, length] = this.vector(table, index);
    return Array.from({ length }, (_, i) => this.at(start + 4 * i));
  }

  /** Fewer tables in a vector: each comes to lie earlier, so that its offset still goes forward. */
  setTables(table: number, index: number, left: readonly number[]): void {
    const [start] = this.vector(table, index);
    this.view.setUint32(start - 4, left.length, true);
    left.forEach((one, i) => this.view.setUint32(start + 4 * i, one - (start + 4 * i), true));
  }
}
