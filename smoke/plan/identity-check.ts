import type { Place } from '../../core/problem/index.ts';
import type { Check } from '../../core/report/index.ts';
import { excerpt } from '../../core/text/index.ts';
import { checkOf } from './smoke-check.ts';

/** What the server says which version it runs: in its description, and in its answers. */
export interface ToldVersions {
  readonly described?: readonly string[] | undefined;
  readonly answered: readonly string[];
}

/**
 * The version that is served is the one that was to be deployed. What answers say counts more than what the description lists: a server
 * may have several versions loaded. A server that tells neither leaves the question open.
 */
export function versionCheck(wanted: string, { described, answered }: ToldVersions, place: Place): Check {
  const demand = {
    id: 'version',
    title: `version ${excerpt(wanted, 40)} is served`,
    place,
    bound: { kind: 'equal', value: wanted },
  } as const;
  const shown = (versions: readonly string[]) => versions.map((version) => excerpt(version, 40)).join(', ');
  if (answered.length > 0) {
    const right = answered.every((version) => version === wanted);
    return checkOf(demand, {
      status: right ? 'pass' : 'fail',
      said: [`The answers came from version ${shown(answered)}`],
      observed: shown(answered),
    });
  }
  if (described !== undefined && described.length > 0) {
    const right = described.includes(wanted);
    return checkOf(demand, {
      status: right ? 'pass' : 'fail',
      said: [`The server says it has ${described.length === 1 ? 'version' : 'the versions'} ${shown(described)}`],
      observed: shown(described),
    });
  }
  return checkOf(demand, {
    status: 'inconclusive',
    said: [
      'The server tells no version, neither in its description nor in its answers',
      'Remove "version", or serve the model with a version label',
    ],
  });
}

/** Digests of a model file, lower-case hexadecimal. */
export interface Digests {
  readonly sha256?: string | undefined;
  readonly md5?: string | undefined;
}

/**
 * Digests in what a server says: in its metadata's `parameters` (`sha256`, `md5`), in a text such as `sha256sum` prints, or in JSON with
 * such keys. Whatever is no digest is not one.
 */
export function digestsToldBy(told: {
  readonly parameters?: Readonly<Record<string, unknown>> | undefined;
  readonly text?: string;
}): Digests {
  const from = (value: unknown, length: number) =>
    typeof value === 'string' && new RegExp(`^[0-9a-f]{${length}}$`, 'i').test(value) ? value : undefined;
  const of = (mapping: Readonly<Record<string, unknown>>): Digests => ({
    sha256: from(mapping['sha256'], 64),
    md5: from(mapping['md5'], 32),
  });
  if (told.parameters !== undefined) return of(told.parameters);
  if (told.text === undefined) return {};
  try {
    const value: unknown = JSON.parse(told.text);
    if (typeof value === 'object' && value !== null) return of(value as Readonly<Record<string, unknown>>);
  } catch {
    // Not JSON: the words of a checksum file.
  }
  const [word = ''] = told.text.trim().split(/\s+/);
  return { sha256: from(word, 64), md5: from(word, 32) };
}

/** The served model file is the file here. SHA-256 decides where the server tells it, else MD5. `told` undefined: it tells neither. */
export function digestCheck(here: Required<Digests>, told: Digests, place: Place): Check {
  const algorithm = told.sha256 !== undefined ? 'sha256' : 'md5';
  const name = algorithm === 'sha256' ? 'SHA-256' : 'MD5';
  const [served, wanted] = [told[algorithm]?.toLowerCase(), here[algorithm]];
  const demand = {
    id: 'digest',
    title: `${served === undefined ? 'digest' : name} of the served model`,
    place,
    bound: { kind: 'equal', value: short(wanted ?? '') },
  } as const;
  if (served === undefined) {
    return checkOf(demand, {
      status: 'inconclusive',
      said: [
        'The server tells no digest of the model it runs',
        'Give the path where it does ("digest: { url: /models/churn.sha256 }"), or remove "digest"',
      ],
    });
  }
  const same = served === wanted;
  return checkOf(demand, {
    status: same ? 'pass' : 'fail',
    said: [
      same
        ? `The server runs the file here, byte for byte (${name} ${short(served)})`
        : `The server runs another file: ${name} ${short(excerpt(served, 64))}, and the file here has ${short(wanted ?? '')}`,
    ],
    observed: short(excerpt(served, 64)),
  });
}

function short(digest: string): string {
  return digest.slice(0, 12);
}
