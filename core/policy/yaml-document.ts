import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type YAMLMap,
} from 'yaml';
import { type Place, PolicyError } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import { isNonEmpty, type MendableProblem } from './mendable-problem.ts';
import { formatPath, type PolicyPath } from './policy-path.ts';
import { describeSyntaxErrors } from './yaml-syntax.ts';

/** A YAML text as plain values, and where in the text each of them stands. */
export interface YamlDocument {
  /** Mappings, lists, strings, numbers, booleans, null; shares nothing with the parser. */
  readonly value: unknown;
  /** Where the key (or list entry) of `path` stands; of its nearest ancestor that exists where it does not. */
  placeOf(path: PolicyPath): Place;
  /** Where the value of `path` stands, when it is a scalar; else as `placeOf`. */
  placeOfValue(path: PolicyPath): Place;
}

/** Nodes that aliases may bring in all. A "billion laughs" file passes it after a few thousand steps; no honest policy comes near. */
const maximumAliasedNodes = 10_000;
const maximumDepth = 64;

/**
 * Reads one YAML 1.2 document (core schema: `yes` and `NO` are text) without custom tags and merge keys, with unique string keys.
 * Throws a `PolicyError` with everything that keeps it from being read.
 */
export function readYamlDocument(text: string, file: string): YamlDocument {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    merge: false,
    resolveKnownTags: false,
    stringKeys: true,
    // The library compares every key with every other; `convert` does the same in one pass and names both lines.
    uniqueKeys: false,
    lineCounter: lines,
    prettyErrors: false,
    logLevel: 'error',
  });
  const placeAt = (offset: number, key?: string): Place => {
    const { line, col } = lines.linePos(offset);
    return { file, line: Math.max(line, 1), column: Math.max(col, 1), ...(key ? { key } : {}) };
  };
  const syntax = describeSyntaxErrors(document, placeAt);
  if (isNonEmpty(syntax)) throw new PolicyError(syntax);
  if (document.contents === null || (isScalar(document.contents) && document.contents.value === null)) {
    throw new PolicyError({
      code: 'empty-policy',
      message: 'the policy is empty',
      place: { file, line: 1, column: 1 },
      fix: 'Write a policy, or let `sluice init` write a first one.',
    });
  }
  const { value, anchors } = convert(document, placeAt);
  const pairs = new WeakMap<YAMLMap, ReadonlyMap<string, Pair>>();
  const find = (path: PolicyPath, part: 'key' | 'value') =>
    placeAt(offsetOf(document, { anchors, pairs }, path, part), formatPath(path));
  return { value, placeOf: (path) => find(path, 'key'), placeOfValue: (path) => find(path, 'value') };
}

type PlaceAt = (offset: number, key?: string) => Place;
/** Which node an alias stands for. A name may be anchored twice: an alias means the last one before it. */
type Anchors = ReadonlyMap<Node, Node>;

interface Index {
  readonly anchors: Anchors;
  readonly pairs: WeakMap<YAMLMap, ReadonlyMap<string, Pair>>;
}

function convert(document: Document.Parsed, placeAt: PlaceAt): { readonly value: unknown; readonly anchors: Anchors } {
  const problems: MendableProblem[] = [];
  const named = new Map<string, Node>();
  const anchors = new Map<Node, Node>();
  const open = new Set<Node>();
  let aliased = 0;

  const visit = (node: unknown, path: PolicyPath, throughAlias: boolean): unknown => {
    if (!isAlias(node) && !isMap(node) && !isSeq(node)) return isScalar(node) ? node.value : null;
    if (path.length > maximumDepth) throw stop(tooDeep, node, path);
    if (throughAlias && ++aliased > maximumAliasedNodes) throw stop(tooManyAliases, node, path);
    if (isAlias(node)) {
      const target = anchors.get(node) ?? named.get(node.source);
      if (target === undefined) {
        problems.push({
          code: 'unknown-anchor',
          message: `the alias *${excerpt(node.source, 40)} has no anchor before it`,
          place: placeAt(startOf(node), formatPath(path)),
          fix: `Write &${excerpt(node.source, 40)} before the value it stands for, or quotes around a text that starts with "*".`,
        });
        return null;
      }
      if (open.has(target)) throw stop(selfAlias, node, path);
      anchors.set(node, target);
      if (isScalar(target) && ++aliased > maximumAliasedNodes) throw stop(tooManyAliases, node, path);
      return visit(target, path, true);
    }
    open.add(node);
    const value = isSeq(node)
      ? node.items.map((item, index) => visit(remember(item), [...path, index], throughAlias))
      : Object.fromEntries(entriesOf(node, path, throughAlias));
    open.delete(node);
    return value;
  };

  const remember = (node: unknown): unknown => {
    if ((isScalar(node) || isMap(node) || isSeq(node)) && node.anchor !== undefined) named.set(node.anchor, node);
    return node;
  };

  const entriesOf = function* (node: Node, path: PolicyPath, throughAlias: boolean): Generator<[string, unknown]> {
    if (!isMap(node)) return;
    const first = new Map<string, number>();
    for (const pair of node.items) {
      remember(pair.key);
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      const offset = startOf(pair.key);
      const before = first.get(key);
      if (before !== undefined && !throughAlias) {
        problems.push({
          code: 'duplicate-key',
          message: `the key "${excerpt(key, 40)}" is already on line ${placeAt(before).line}`,
          place: placeAt(offset, formatPath([...path, key])),
          fix: 'Keep one of the two.',
        });
      }
      first.set(key, before ?? offset);
      if (key === '<<' || key === '__proto__') {
        problems.push({
          code: 'unknown-key',
          message: key === '<<' ? 'merge keys (<<) are not read' : 'a key may not be called "__proto__"',
          place: placeAt(offset, formatPath([...path, key])),
          fix: key === '<<' ? 'Write the keys out.' : 'Rename it.',
        });
        continue;
      }
      const value = visit(remember(pair.value), [...path, key], throughAlias);
      if (before === undefined) yield [key, value];
    }
  };

  const stop = (reason: Pick<MendableProblem, 'code' | 'message' | 'fix'>, node: Node, path: PolicyPath): PolicyError =>
    new PolicyError({ ...reason, place: placeAt(startOf(node), formatPath(path.slice(0, 8))) });

  const value = visit(remember(document.contents), [], false);
  if (isNonEmpty(problems)) throw new PolicyError(problems);
  return { value, anchors };
}

const tooDeep = {
  code: 'too-deep',
  message: `the file nests deeper than ${maximumDepth} levels`,
  fix: 'Look for a bracket too many.',
};
const tooManyAliases = {
  code: 'too-many-aliases',
  message: `the aliases (*name) of this file stand for more than ${maximumAliasedNodes} values`,
  fix: 'Write the values out instead of nesting aliases.',
};
const selfAlias = {
  code: 'recursive-alias',
  message: 'this alias stands inside the value it repeats',
  fix: 'Write the value out.',
};

/** The character at which the node of `path`, or of its nearest existing ancestor, starts. */
function offsetOf(document: Document.Parsed, index: Index, path: PolicyPath, part: 'key' | 'value'): number {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const segment of path) {
    while (isAlias(node)) node = index.anchors.get(node);
    if (isMap(node)) {
      const pair = typeof segment === 'string' ? pairsOf(node, index.pairs).get(segment) : undefined;
      if (pair === undefined) return offset;
      offset = startOf(pair.key);
      node = pair.value;
    } else if (isSeq(node) && typeof segment === 'number' && segment < node.items.length) {
      node = node.items[segment];
      offset = startOf(node);
    } else return offset;
  }
  return part === 'value' && isScalar(node) && node.source !== '' ? startOf(node) : offset;
}

/** Keys to pairs, made once a mapping: a mapping of thousands of unknown keys is asked about each of them. */
function pairsOf(node: YAMLMap, known: Index['pairs']): ReadonlyMap<string, Pair> {
  const before = known.get(node);
  if (before !== undefined) return before;
  const pairs = new Map<string, Pair>();
  for (const pair of node.items) {
    const key = isScalar(pair.key) ? String(pair.key.value) : '';
    if (!pairs.has(key)) pairs.set(key, pair);
  }
  known.set(node, pairs);
  return pairs;
}

function startOf(node: unknown): number {
  const range = isScalar(node) || isMap(node) || isSeq(node) || isAlias(node) ? node.range : undefined;
  return range?.[0] ?? 0;
}
