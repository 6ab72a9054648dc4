/** What a file that is not an ONNX model is, from its first bytes, in words a user knows, and what to do about it. */
export interface FileKind {
  /** With its article: `a PNG image`. */
  readonly name: string;
  readonly fix?: string;
}

/** How many bytes `fileKind` wants to see. */
export const kindBytes = 512;

const toOnnx =
  'Export the model to ONNX: skl2onnx for scikit-learn, torch.onnx.export for PyTorch, tf2onnx for TensorFlow, onnxmltools for XGBoost and LightGBM.';
const lfs = 'Run `git lfs pull`, or set `lfs: true` on the actions/checkout step.';

const magics: readonly (readonly [start: string | readonly number[], kind: FileKind, at?: number])[] = [
  ['version https://git-lfs.github.com/spec/', { name: 'a Git LFS pointer, not the model itself', fix: lfs }],
  ['\x89PNG\r\n', { name: 'a PNG image' }],
  [[0xff, 0xd8, 0xff], { name: 'a JPEG image' }],
  ['GIF8', { name: 'a GIF image' }],
  ['%PDF-', { name: 'a PDF document' }],
  ['\x1f\x8b', { name: 'a gzip archive', fix: 'Unpack it first.' }],
  ['\x28\xb5\x2f\xfd', { name: 'a Zstandard archive', fix: 'Unpack it first.' }],
  ['\x89HDF\r\n', { name: 'an HDF5 file, as Keras saves models', fix: toOnnx }],
  ['GGUF', { name: 'a GGUF model', fix: 'GGUF models are judged through a model server, not as a file.' }],
  ['\x93NUMPY', { name: 'a NumPy array' }],
  ['PAR1', { name: 'a Parquet file', fix: 'Name it as evaluation data, and an .onnx file as the model.' }],
  ['ARROW1', { name: 'an Arrow file' }],
  ['TFL3', { name: 'a TensorFlow Lite model', fix: toOnnx }, 4],
  ['ORTM', { name: "a model in ONNX Runtime's own format", fix: 'Use the .onnx file it was made from.' }, 4],
  ['\x7fELF', { name: 'a Linux program' }],
  ['MZ', { name: 'a Windows program' }],
  ['SQLite format 3', { name: 'an SQLite database' }],
];

export function fileKind(start: Uint8Array): FileKind | undefined {
  const buffer = Buffer.from(start.buffer, start.byteOffset, start.byteLength);
  if (buffer.length === 0) return { name: 'an empty file' };
  for (const [magic, kind, at = 0] of magics) {
    const wanted = typeof magic === 'string' ? Buffer.from(magic, 'latin1') : Buffer.from(magic);
    if (buffer.subarray(at, at + wanted.length).equals(wanted)) return kind;
  }
  if (isPickle(buffer)) {
    return {
      name: 'a Python pickle (joblib), which runs code when it is loaded',
      fix: `Sluice never unpickles. ${toOnnx}`,
    };
  }
  if (buffer.subarray(0, 4).equals(Buffer.from('PK\x03\x04', 'latin1'))) {
    return /data\.pkl|archive\/|\.data\//.test(buffer.toString('latin1'))
      ? { name: 'a PyTorch checkpoint', fix: toOnnx }
      : { name: 'a ZIP archive', fix: `If it holds the model, unpack it. ${toOnnx}` };
  }
  // A length in eight bytes, then the JSON header it counts.
  if (buffer.length > 9 && buffer[8] === 0x7b && buffer.readBigUInt64LE(0) < 100_000_000n) {
    return { name: 'a safetensors file: weights without a graph', fix: toOnnx };
  }
  return undefined;
}

/** Whether these first bytes are a Python pickle: the protocol opcode of versions 2 to 5, and an opcode that can follow it. */
function isPickle(start: Uint8Array): boolean {
  const [protocol, version = 0, next = 0] = start;
  if (protocol !== 0x80 || version < 2 || version > 5) return false;
  // FRAME, and the opcodes that put a global, a mark, a container, a string, a number or None first.
  return '\x95c(}])lNXBCKMJIG\x8c\x8d\x8a\x88\x89U'.includes(String.fromCharCode(next));
}

/** For what did not parse and has no magic number: text, if it looks like it. */
export function textKind(start: Uint8Array): FileKind | undefined {
  const text = Buffer.from(start.buffer, start.byteOffset, start.byteLength).toString('utf8');
  if (/[\u0000-\u0008\u000e-\u001f\ufffd]/.test(text.slice(0, -4))) return undefined;
  if (/^\s*(<!doctype html|<html)/i.test(text)) {
    return { name: 'an HTML page', fix: 'It was probably downloaded from an address that wants a login.' };
  }
  if (/^outs:\s*\n- /m.test(text)) return { name: 'a DVC pointer, not the model itself', fix: 'Run `dvc pull` first.' };
  return /^\s*[[{]/.test(text) ? { name: 'a JSON file' } : { name: 'a text file' };
}
