/**
 * Text from strangers: made safe to show on one line, and the known name that a misspelt one was meant to be.
 *
 * @module
 */
export { isAddress } from './address.ts';
export { counted } from './counted.ts';
export { bareName, nearestName, nearestNames, sameName } from './nearest-name.ts';
export { numberText } from './number-text.ts';
export { parsedJson } from './parsed-json.ts';
export { excerpt, printable } from './printable.ts';
