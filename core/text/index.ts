export { excerpt, printable } from './printable.ts';
