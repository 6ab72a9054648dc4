import type { Feeds, Tensor } from '../core/onnx/index.ts';
import { InputError } from '../core/problem/index.ts';
import { excerpt } from '../core/text/index.ts';
import { columnsJson, rowsJson, rowsOf, rowTexts, tensorJson } from './json-tensors.ts';

/** A JSON value as a policy holds it; strings that are a placeholder (`{{rows}}`) stand for values of the request. */
export type JsonTemplate =
  | string
  | number
  | boolean
  | null
  | readonly JsonTemplate[]
  | { readonly [name: string]: JsonTemplate };

/** What placeholders stand for. */
export interface TemplateValues {
  readonly feeds: Feeds;
  readonly model?: string | undefined;
  readonly version?: string | undefined;
}

const placeholders =
  '{{rows}}, {{columns}}, {{row}}, {{inputs.NAME}}, {{row.NAME}}, {{value.NAME}}, {{value.NAME[INDEX]}}, {{model}}, {{version}}';

/**
 * The JSON text of a template. A placeholder is a whole string and is replaced by a JSON value, never by text, so nothing that a value
 * holds can change what stands around it:
 * - `{{rows}}` `[[1,2],...]`, or `[{"a":1,...},...]` for several inputs; `{{columns}}` `{"a":[1,...],...}`;
 * - `{{row}}` the only row; `{{inputs.NAME}}` one input whole; `{{row.NAME}}` the only row of one input;
 * - `{{value.NAME}}` the only number or text of one input, `{{value.NAME[2]}}` the third of its only row;
 * - `{{model}}` and `{{version}}` as text.
 *
 * Throws an InputError for an unknown placeholder, for one amid other text, and for `row` and `value` when there are several rows.
 */
export function fillTemplate(template: JsonTemplate, values: TemplateValues): string {
  return filled(template, (name) => valueJson(name, values));
}

/** The template with the same value for every placeholder that stands for tensors: how a wrong request is made. */
export function spoilTemplate(template: JsonTemplate, json: string): string {
  return filled(template, () => json);
}

/** A path with `{{model}}` and `{{version}}`, percent-encoded: they cannot leave their part of the path. */
export function fillPath(path: string, { model, version }: Omit<TemplateValues, 'feeds'>): string {
  return path.replace(/\{\{([^{}]*)\}\}/g, (_, name: string) => {
    const value = name.trim() === 'model' ? model : name.trim() === 'version' ? version : undefined;
    if (value !== undefined) return encodeURIComponent(value);
    throw new InputError({
      code: 'bad-placeholder',
      message: `{{${excerpt(name, 40)}}} cannot stand in a path`,
      expected: '{{model}} or {{version}}, which the target has',
      fix: 'Put values into the body, and give the model and version that the path needs.',
    });
  });
}

function filled(template: JsonTemplate, jsonOf: (name: string) => string): string {
  if (typeof template === 'string') {
    const [, name] = /^\{\{\s*([^{}]*?)\s*\}\}$/.exec(template) ?? [];
    if (name !== undefined) return jsonOf(name);
    if (!template.includes('{{')) return JSON.stringify(template);
    throw new InputError({
      code: 'placeholder-in-text',
      message: 'a placeholder stands amid other text',
      found: `"${excerpt(template, 60)}"`,
      fix: 'Let the placeholder be the whole string: it becomes a JSON value and not text.',
    });
  }
  if (Array.isArray(template)) return `[${template.map((each: JsonTemplate) => filled(each, jsonOf)).join(',')}]`;
  if (typeof template === 'object' && template !== null) {
    const members = Object.entries(template).map(([name, each]) => `${JSON.stringify(name)}:${filled(each, jsonOf)}`);
    return `{${members.join(',')}}`;
  }
  return JSON.stringify(template);
}

function valueJson(name: string, values: TemplateValues): string {
  const { feeds } = values;
  if (name === 'rows') return rowsJson(feeds, 'strict');
  if (name === 'columns') return columnsJson(feeds, 'strict');
  if (name === 'row') return onlyRow(feeds, name);
  if (name === 'model' || name === 'version') {
    const text = values[name];
    if (text === undefined) throw unknown(name, `the target has no ${name}`);
    return JSON.stringify(text);
  }
  const [, kind = '', input = '', index] = /^(inputs|row|value)\.(.+?)(?:\[(\d{1,9})\])?$/.exec(name) ?? [];
  // A name may end in brackets itself.
  const bracketed = index === undefined ? input : `${input}[${index}]`;
  const [found, at] = Object.hasOwn(feeds, bracketed) ? [bracketed, undefined] : [input, index];
  const tensor = Object.hasOwn(feeds, found) ? feeds[found] : undefined;
  if (kind === '') throw unknown(name, 'there is no such placeholder');
  if (tensor === undefined || (at !== undefined && kind !== 'value')) {
    throw unknown(
      name,
      `the model's inputs are ${Object.keys(feeds)
        .map((each) => excerpt(each, 40))
        .join(', ')}`,
    );
  }
  if (kind === 'inputs') return tensorJson(tensor, 'strict');
  const row = onlyRow({ [found]: tensor }, name);
  return kind === 'row' ? row : oneValue(tensor, at === undefined ? undefined : Number(at), name);
}

function onlyRow(feeds: Feeds, name: string): string {
  const rows = rowsOf(feeds);
  const [text] = rowTexts(feeds, 'strict');
  if (rows === 1 && text !== undefined) return text;
  throw new InputError({
    code: 'several-rows',
    message: `{{${excerpt(name, 40)}}} stands for one row, and the request has ${rows}`,
    fix: 'Send one row at a time, or use {{rows}} or {{inputs.NAME}} if the server takes several.',
  });
}

function oneValue(tensor: Tensor, index: number | undefined, name: string): string {
  const count = tensor.data.length;
  const at = index ?? 0;
  if (at < count && (index !== undefined || count === 1)) {
    const flat: Tensor = { ...tensor, dims: [count] };
    const texts = rowTexts({ value: flat }, 'strict');
    return texts[at] ?? 'null';
  }
  throw unknown(name, `the input has ${count} values in a row`);
}

function unknown(name: string, found: string): InputError {
  return new InputError({
    code: 'bad-placeholder',
    message: `{{${excerpt(name, 40)}}} stands for nothing`,
    found,
    expected: placeholders,
    fix: 'Correct the placeholder in the template.',
  });
}
