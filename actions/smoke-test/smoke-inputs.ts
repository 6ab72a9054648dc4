import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { InputError, type Problem } from '../../core/problem/index.ts';
import { excerpt } from '../../core/text/index.ts';
import type { GateInputs } from '../../github/index.ts';

/** What a smoke test is told, whoever starts it. Paths are relative to `directory`. */
export interface SmokeInputs extends Omit<GateInputs, 'policyFile'> {
  /** The policy; without it, `sluice.yaml` where there is one, else what is given here decides alone. */
  readonly policyFile?: string;
  /** The server's address. Only ever from here: a policy may come from a stranger. */
  readonly url: string;
  /** Wins over the policy's, like all below. */
  readonly protocol?: string;
  /** The ONNX file the server is held against. */
  readonly modelFile?: string;
  /** The model's name on the server. */
  readonly modelName?: string;
  readonly version?: string;
  /** How long to wait until the server is ready: `5m`. */
  readonly deadline?: string;
  /** `Name: value`; values are secrets. */
  readonly headers: readonly string[];
  /** The environment variable with a token, sent as `Authorization: Bearer`. */
  readonly tokenVariable?: string;
  /** PEM of a certificate authority to trust beside the system's. */
  readonly caFile?: string;
}

/** The inputs of `action.yml`, beside those that every gate has. */
export function smokeInputsFrom(gate: GateInputs, read: (name: string) => string): SmokeInputs {
  const { policyFile: _, ...rest } = gate;
  const given = <Key extends string>(key: Key, input: string) => {
    const value = read(input).trim();
    return value === '' ? {} : ({ [key]: value } as Record<Key, string>);
  };
  return {
    ...rest,
    url: read('url').trim(),
    headers: read('headers')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== ''),
    ...given('policyFile', 'policy'),
    ...given('protocol', 'protocol'),
    ...given('modelFile', 'model'),
    ...given('modelName', 'name'),
    ...given('version', 'version'),
    ...given('deadline', 'deadline'),
    ...given('tokenVariable', 'token-env'),
    ...given('caFile', 'ca'),
  };
}

/** The policy to read, if there is one. */
export function policyFileOf({ policyFile, directory }: SmokeInputs): string | undefined {
  if (policyFile !== undefined) return policyFile;
  return statSync(resolve(directory, 'sluice.yaml'), { throwIfNoEntry: false })?.isFile() === true
    ? 'sluice.yaml'
    : undefined;
}

const schemes = ['http:', 'https:', 'grpc:', 'grpcs:'];

/** The address as a URL. Throws an `InputError` for what is none. Never shows a password. */
export function urlOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && schemes.includes(url.protocol) && url.hostname !== '') return url;
  const bare = text.includes('@') ? 'an address with a user' : excerpt(text, 200);
  throw new InputError({
    code: 'bad-url',
    message: text === '' ? 'there is no url: where does the server run?' : 'the url is not the address of a server',
    ...(text === '' ? {} : { found: `"${bare}"` }),
    expected: 'http://, https://, grpc:// or grpcs:// with a host, and a port where it is not the usual one',
    fix: /^[\w.-]+(:\d+)?(\/|$)/.test(text) ? `Write http://${bare}.` : 'Write it like http://localhost:8080.',
  });
}

/** The headers to send, `Authorization` from the token variable among them. Throws an `InputError` with every problem. */
export function headersOf(
  { headers, tokenVariable }: Pick<SmokeInputs, 'headers' | 'tokenVariable'>,
  environment: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const problems: Problem[] = [];
  const found = new Map<string, string>();
  for (const [index, header] of headers.entries()) {
    const [, name, value] = /^([!#$%&'*+.^_`|~\w-]+)\s*:\s*(.*)$/.exec(header) ?? [];
    if (name === undefined || value === undefined || value === '') {
      // Not shown: it may be a secret all of it.
      problems.push({
        code: 'bad-header',
        message: `header ${index + 1} is not "Name: value"`,
        fix: 'Write the name, a colon and the value, such as "X-Api-Key: abc".',
      });
    } else if (found.has(name.toLowerCase())) {
      problems.push({ code: 'bad-header', message: `the header ${name} is given twice`, fix: 'Give it once.' });
    } else found.set(name.toLowerCase(), value);
  }
  if (tokenVariable !== undefined) {
    const token = environment[tokenVariable]?.trim() ?? '';
    if (token === '') {
      problems.push({
        code: 'no-token',
        message: `token-env names ${excerpt(tokenVariable, 60)}, and that environment variable is ${environment[tokenVariable] === undefined ? 'not set' : 'empty'}`,
        fix: 'Set it: in a workflow under "env:" of this step, from a secret. It is the name of the variable, not the token.',
      });
    } else if (found.has('authorization')) {
      problems.push({
        code: 'bad-header',
        message: 'both token-env and a header give Authorization',
        fix: 'Keep one of them.',
      });
    } else found.set('authorization', `Bearer ${token}`);
  }
  const [first, ...rest] = problems;
  if (first !== undefined) throw new InputError([first, ...rest]);
  return Object.fromEntries(found);
}

/** The text of the certificate authority's file. */
export async function caOf({
  caFile,
  directory,
}: Pick<SmokeInputs, 'caFile' | 'directory'>): Promise<string | undefined> {
  if (caFile === undefined) return undefined;
  try {
    return await readFile(resolve(directory, caFile), 'utf8');
  } catch (cause) {
    throw new InputError(
      {
        code: 'missing-file',
        message: 'the certificate authority cannot be read',
        place: { file: caFile },
        fix: 'Check the path of the PEM file.',
      },
      { cause },
    );
  }
}
