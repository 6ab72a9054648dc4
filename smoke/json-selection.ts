import type { JsonDocument } from '../core/inference/index.ts';

/** A part of a JSON document, which can still be read with all digits of its integers. */
export type Json = JsonDocument;

/** What a pure walk through the document finds, in both readings of it. */
export function within(json: Json, walk: (value: unknown) => unknown): Json {
  return { value: walk(json.value), exact: () => walk(json.exact()) };
}

export type JsonObject = Readonly<Record<string, unknown>>;

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** The member of that name, if the value is an object that has it. */
export function memberOf(value: unknown, name: string): unknown {
  return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
