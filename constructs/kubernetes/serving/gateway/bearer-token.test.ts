import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { bearerTokenProgram, tokenFile } from './bearer-token.ts';

interface Request {
  readonly headersIn: { readonly Authorization?: string };
  readonly variables: { readonly request_id: string };
  error(text: string): void;
}

let folder: string;
let tokens: string;
let known: (request: Request) => string;
let logged: string[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-tokens-'));
  tokens = join(folder, 'tokens');
  const program = join(folder, 'bearer-token.mjs');
  await writeFile(program, bearerTokenProgram.replace(`'${tokenFile}'`, JSON.stringify(tokens)));
  ({ known } = ((await import(pathToFileURL(program).href)) as { readonly default: { known: typeof known } }).default);
});
afterAll(() => rm(folder, { recursive: true }));

const asks = (authorization?: string, id = '3f1c0a9be2d84c55a1c0ffee00112233'): string => {
  logged = [];
  return known({
    headersIn: authorization === undefined ? {} : { Authorization: authorization },
    variables: { request_id: id },
    error: (text) => void logged.push(text),
  });
};

describe('the token of a request', () => {
  test('is known when it is a line of the Secret, however that ends', async () => {
    await writeFile(tokens, 'first-token\r\n  second-token  \n\n');
    expect(['Bearer first-token', 'bearer  second-token'].map((each) => asks(each))).toEqual(['1', '1']);
  });

  test.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    'Bearer first',
    'Bearer first-token-',
    'Basic first-token',
    'first-token',
  ])('is not known when it is %j', async (authorization) => {
    await writeFile(tokens, 'first-token\n');
    expect(asks(authorization)).toBe('0');
  });

  test('an empty Secret lets nobody in', async () => {
    await writeFile(tokens, '\n \n');
    expect(['Bearer \n', 'Bearer x', undefined].map((each) => asks(each))).toEqual(['0', '0', '0']);
  });

  test('a Secret that was rotated is known with the next request', async () => {
    await writeFile(tokens, 'old\n');
    expect(asks('Bearer new')).toBe('0');
    await writeFile(tokens, 'old\nnew\n');
    expect(asks('Bearer new')).toBe('1');
  });

  test('without the file nobody is let in, and what is logged holds no token', async () => {
    await rm(tokens);
    expect(asks('Bearer secret-value')).toBe('0');
    expect(logged).toEqual(['The file with the tokens cannot be read, so nobody is let in.']);
  });
});
