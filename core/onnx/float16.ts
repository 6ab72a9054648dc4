const word = new DataView(new ArrayBuffer(4));

/** IEEE 754 binary16 bits to a number; exact. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** A number, first rounded to float32, to IEEE 754 binary16 bits: nearest, ties to even; too large becomes infinity. */
export function numberToFloat16(value: number): number {
  word.setFloat32(0, value);
  const bits = word.getUint32(0);
  const sign = (bits >>> 16) & 0x8000;
  const magnitude = bits & 0x7fff_ffff;
  if (magnitude > 0x7f80_0000) return sign | 0x7e00;
  // 65520 and above round to infinity.
  if (magnitude >= 0x477f_f000) return sign | 0x7c00;
  // Below the smallest normal number the spacing is a constant 2^-24.
  if (magnitude < 0x3880_0000) return sign | roundHalfEven(Math.abs(word.getFloat32(0)) * 2 ** 24);
  const rounded = magnitude + 0xfff + ((magnitude >>> 13) & 1);
  return sign | ((rounded - 0x3800_0000) >>> 13);
}

function roundHalfEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor;
}
