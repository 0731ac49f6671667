/**
 * ONNX models, made by hand: just enough of the protobuf format for a graph.
 *
 * Field numbers are those of onnx.proto.
 *
 * @module
 */

/** An attribute of a node: an integer, integers, or a number with a point. */
export type Attribute = number | readonly number[] | { readonly float: number };

/** One operation of a graph. */
export interface Node {
  /** The operator, such as `MatMul`. */
  readonly op: string;
  /** The names of what it reads. */
  readonly inputs: readonly string[];
  /** The names of what it makes. */
  readonly outputs: readonly string[];
  /** Its attributes. */
  readonly attributes?: Readonly<Record<string, Attribute>>;
}

/** An input or output: its type, and its shape with names for what varies. */
export interface Port {
  /** The type of its elements. */
  readonly type: "float32" | "int64";
  /** Lengths, or names of lengths known only at run time. */
  readonly shape: readonly (number | string)[];
}

/** A constant of a graph. */
export interface Constant {
  /** Its shape. */
  readonly shape: readonly number[];
  /** Its elements. */
  readonly data: Float32Array<ArrayBuffer> | BigInt64Array<ArrayBuffer>;
}

/** A graph: what goes in, what is fixed, what is done, what comes out. */
export interface Graph {
  /** By name. */
  readonly inputs: Readonly<Record<string, Port>>;
  /** By name. */
  readonly outputs: Readonly<Record<string, Port>>;
  /** By name. */
  readonly constants: Readonly<Record<string, Constant>>;
  /** In an order in which they can run. */
  readonly nodes: readonly Node[];
}

const OPSET = 17;
const IR_VERSION = 8;
const TYPES = { float32: 1, int64: 7 };

/** The bytes of a model file. */
export function onnxModel(graph: Graph): Uint8Array<ArrayBuffer> {
  return join([
    ...integer(1, IR_VERSION),
    ...message(7, [
      ...graph.nodes.flatMap((node) => message(1, nodeFields(node))),
      ...text(2, "graph"),
      ...Object.entries(graph.constants).flatMap(([name, constant]) =>
        message(5, constantFields(name, constant))
      ),
      ...Object.entries(graph.inputs).flatMap(([name, port]) =>
        message(11, portFields(name, port))
      ),
      ...Object.entries(graph.outputs).flatMap(([name, port]) =>
        message(12, portFields(name, port))
      ),
    ]),
    ...message(8, [...text(1, ""), ...integer(2, OPSET)]),
  ]);
}

/** Bytes in pieces: those of weights are copied only once, at the end. */
type Pieces = readonly Uint8Array<ArrayBuffer>[];

function nodeFields(node: Node): Pieces {
  return [
    ...node.inputs.flatMap((name) => text(1, name)),
    ...node.outputs.flatMap((name) => text(2, name)),
    ...text(4, node.op),
    ...Object.entries(node.attributes ?? {}).flatMap(([name, value]) =>
      message(5, [...text(1, name), ...attributeFields(value)])
    ),
  ];
}

function attributeFields(value: Attribute): Pieces {
  if (typeof value === "number") {
    return [...integer(3, value), ...integer(20, 2)];
  }
  if ("float" in value) {
    const bits = new Uint8Array(Float32Array.of(value.float).buffer);
    return [tag(2, 5), bits, ...integer(20, 1)];
  }
  return [...value.flatMap((n) => integer(8, n)), ...integer(20, 7)];
}

function constantFields(name: string, { shape, data }: Constant): Pieces {
  const type = data instanceof Float32Array ? TYPES.float32 : TYPES.int64;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return [
    ...shape.flatMap((length) => integer(1, length)),
    ...integer(2, type),
    ...text(8, name),
    ...message(9, [bytes]),
  ];
}

function portFields(name: string, { type, shape }: Port): Pieces {
  const axes = shape.flatMap((length) =>
    message(
      1,
      typeof length === "string" ? text(2, length) : integer(1, length),
    )
  );
  const tensor = message(1, [...integer(1, TYPES[type]), ...message(2, axes)]);
  return [...text(1, name), ...message(2, tensor)];
}

function integer(field: number, value: number): Pieces {
  return [tag(field, 0), varint(value)];
}

function text(field: number, value: string): Pieces {
  return message(field, [new TextEncoder().encode(value)]);
}

function message(field: number, pieces: Pieces): Pieces {
  return [tag(field, 2), varint(lengthOf(pieces)), ...pieces];
}

function tag(field: number, wire: number): Uint8Array<ArrayBuffer> {
  return varint(field << 3 | wire);
}

/** Seven bits a byte, the lowest first; negative numbers as 64 bits. */
function varint(value: number): Uint8Array<ArrayBuffer> {
  let left = BigInt.asUintN(64, BigInt(value));
  const bytes: number[] = [];
  for (; left > 0x7fn; left >>= 7n) bytes.push(Number(left & 0x7fn) | 0x80);
  return Uint8Array.of(...bytes, Number(left));
}

function lengthOf(pieces: Pieces): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}

function join(pieces: Pieces): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(lengthOf(pieces));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
