import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';

/** What GitHub's document says of one operation, ready to check against. */
export interface Operation {
  readonly id: string;
  readonly method: string;
  readonly path: string;
}

/** An operation met by a request, and what the request's path and query hold. */
export interface Match {
  readonly operation: Operation;
  readonly parameters: Readonly<Record<string, string>>;
}

interface CompiledOperation extends Operation {
  readonly pattern: RegExp;
  readonly names: readonly string[];
  readonly pathParameters: ValidateFunction;
  readonly queryParameters: ValidateFunction;
  readonly body?: ValidateFunction;
  readonly bodyRequired: boolean;
  readonly responses: ReadonlyMap<number, ValidateFunction>;
}

interface Parameter {
  readonly name: string;
  readonly in: string;
  readonly required?: boolean;
  readonly schema: object;
}

interface Media {
  readonly content?: { readonly [type: string]: { readonly schema: object } };
}

interface DocumentOperation {
  readonly operationId: string;
  readonly parameters: readonly (Parameter | { readonly $ref: string })[];
  readonly requestBody?: Media & { readonly required?: boolean };
  readonly responses: { readonly [status: string]: Media | { readonly $ref: string } };
}

interface OpenApiDocument {
  readonly paths: { readonly [path: string]: { readonly [method: string]: DocumentOperation } };
  readonly components: { readonly [kind: string]: { readonly [name: string]: object } };
}

/** OpenAPI 3.0 lets a nullable enum be null although null is not in its list; JSON Schema does not. */
function withNullAllowed(_key: string, value: unknown): unknown {
  if (field(value, 'nullable') !== true) return value;
  const allowed = field(value, 'enum');
  return Array.isArray(allowed) ? { ...(value as object), enum: [...allowed, null] } : value;
}

function sentences(errors: readonly ErrorObject[] | null | undefined): readonly string[] {
  return (errors ?? []).map((error) => `${error.instancePath || '/'} ${error.message ?? error.keyword}`);
}

/** GitHub's own OpenAPI document (`openapi.json`, cut down to the operations Sluice uses) as a judge of requests and answers. */
export class Contract {
  readonly #operations: readonly CompiledOperation[];

  constructor() {
    const document = JSON.parse(
      readFileSync(join(import.meta.dirname, 'openapi.json'), 'utf8'),
      withNullAllowed,
    ) as unknown as OpenApiDocument;
    const strict = new Ajv({ strict: false, allErrors: true });
    formats.default(strict);
    strict.addSchema(document, 'github');
    // Everything in a path or a query is text: "30" is an integer there.
    const lenient = new Ajv({ strict: false, allErrors: true, coerceTypes: true });
    formats.default(lenient);
    lenient.addSchema(document, 'github');

    const resolve = <Thing extends object>(thing: Thing | { readonly $ref: string }): Thing => {
      if (!('$ref' in thing) || typeof thing.$ref !== 'string') return thing as Thing;
      const [, , kind = '', name = ''] = thing.$ref.split('/');
      return document.components[kind]?.[name] as Thing;
    };
    // Schemas refer to "#/components/...": inside the document that was added, such a reference holds.
    const rebased = (schema: object): object =>
      JSON.parse(JSON.stringify(schema).replaceAll('"$ref":"#/', '"$ref":"github#/')) as object;

    this.#operations = Object.entries(document.paths).flatMap(([path, methods]) =>
      Object.entries(methods).map(([method, operation]): CompiledOperation => {
        const parameters = operation.parameters.map((parameter) => resolve<Parameter>(parameter));
        const objectOf = (place: string) => {
          const chosen = parameters.filter((parameter) => parameter.in === place);
          return lenient.compile({
            type: 'object',
            additionalProperties: false,
            properties: Object.fromEntries(chosen.map(({ name, schema }) => [name, rebased(schema)])),
            required: chosen.filter(({ required }) => required === true).map(({ name }) => name),
          });
        };
        const body = operation.requestBody?.content?.['application/json']?.schema;
        const names: string[] = [];
        const pattern = path.replaceAll(/\/\{(\w+)\}/g, (_whole, name: string) => {
          names.push(name);
          // A path of several parts, or of none: the top folder.
          return name === 'path' ? '(?:/(.*))?' : '/([^/]+)';
        });
        return {
          id: operation.operationId,
          method: method.toUpperCase(),
          path,
          pattern: new RegExp(`^${pattern}$`),
          names,
          pathParameters: objectOf('path'),
          queryParameters: objectOf('query'),
          ...(body === undefined ? {} : { body: strict.compile(rebased(body)) }),
          bodyRequired: operation.requestBody?.required === true,
          responses: new Map(
            Object.entries(operation.responses).flatMap(([status, answer]) => {
              const schema = resolve<Media>(answer).content?.['application/json']?.schema;
              return schema === undefined ? [] : [[Number(status), strict.compile(rebased(schema))] as const];
            }),
          ),
        };
      }),
    );
  }

  /** The operation a request means, or undefined when GitHub's document has none. */
  match(method: string, path: string): Match | undefined {
    for (const operation of this.#operations) {
      const groups = operation.method === method ? operation.pattern.exec(path) : null;
      if (groups === null) continue;
      const parameters = Object.fromEntries(
        operation.names.map((name, index) => [name, decodeURIComponent(groups[index + 1] ?? '')]),
      );
      return { operation: { id: operation.id, method, path: operation.path }, parameters };
    }
    return undefined;
  }

  /** What is wrong with a request, in sentences; empty when GitHub's document allows it. */
  problemsOfRequest(match: Match, query: URLSearchParams, body: unknown): readonly string[] {
    const operation = this.#compiled(match);
    const problems: string[] = [];
    if (!operation.pathParameters({ ...match.parameters })) {
      problems.push(...sentences(operation.pathParameters.errors).map((problem) => `path ${problem}`));
    }
    if (!operation.queryParameters(Object.fromEntries(query))) {
      problems.push(...sentences(operation.queryParameters.errors).map((problem) => `query ${problem}`));
    }
    if (operation.body === undefined) {
      if (body !== undefined) problems.push('a body where the operation has none');
    } else if (body === undefined ? operation.bodyRequired : !operation.body(body)) {
      problems.push(...(body === undefined ? ['no body'] : sentences(operation.body.errors)).map((p) => `body ${p}`));
    }
    return [...problems, ...unwritten(match.operation.id, body)];
  }

  /** What is wrong with an answer of the stand-in itself. */
  problemsOfAnswer(match: Match, status: number, body: unknown): readonly string[] {
    const validate = this.#compiled(match).responses.get(status);
    return validate === undefined || validate(body) ? [] : sentences(validate.errors);
  }

  #compiled(match: Match): CompiledOperation {
    const found = this.#operations.find(({ id }) => id === match.operation.id);
    if (found === undefined) throw new Error(`no operation ${match.operation.id}`);
    return found;
  }
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[name] : undefined;
}

/** What GitHub refuses although its document lets it pass (it says so in prose, or answers 422). */
function unwritten(operation: string, body: unknown): readonly string[] {
  const problems: string[] = [];
  if (operation === 'checks/create' || operation === 'checks/update') {
    if (field(body, 'status') === 'completed' && field(body, 'conclusion') === undefined) {
      problems.push('body /conclusion is needed when status is completed');
    }
    const output = field(body, 'output');
    for (const name of ['summary', 'text']) {
      const text = field(output, name);
      if (typeof text === 'string' && Buffer.byteLength(text) > 65_535) {
        problems.push(`body /output/${name} is longer than 65535 bytes`);
      }
    }
    const annotations = field(output, 'annotations');
    for (const [index, annotation] of (Array.isArray(annotations) ? annotations : []).entries()) {
      const sameLine = field(annotation, 'start_line') === field(annotation, 'end_line');
      if (!sameLine && field(annotation, 'start_column') !== undefined) {
        problems.push(`body /output/annotations/${index} has columns over several lines`);
      }
      const first = field(annotation, 'start_line');
      if (typeof first === 'number' && first < 1) {
        problems.push(`body /output/annotations/${index} starts before line 1`);
      }
      const title = field(annotation, 'title');
      if (typeof title === 'string' && title.length > 255) {
        problems.push(`body /output/annotations/${index} has a title longer than 255 characters`);
      }
      for (const name of ['message', 'raw_details']) {
        const text = field(annotation, name);
        if (typeof text === 'string' && Buffer.byteLength(text) > 65_536) {
          problems.push(`body /output/annotations/${index}/${name} is larger than 64 KB`);
        }
      }
    }
  }
  return problems;
}
