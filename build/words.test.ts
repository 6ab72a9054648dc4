import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  bucketMetrics,
  qualityMetrics,
  repositoryMetrics,
  resourceSeries,
  sageMakerMetrics,
  servingMetrics,
  trainingMetrics,
} from '../core/telemetry/index.ts';
import { filesUnder, root, textOf } from './source-files.ts';

const files = filesUnder();

/** GitHub's anchor of a heading. */
function anchorOf(heading: string): string {
  return heading
    .trim()
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

function withoutCode(markdown: string): string {
  return markdown.replace(/^(`{3,})[\s\S]*?^\1/gm, '').replace(/`[^`\n]*`/g, '');
}

function linksIn(markdown: string): readonly string[] {
  const text = withoutCode(markdown);
  return [
    ...[...text.matchAll(/\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g)].map((match) => match[1] ?? ''),
    ...[...text.matchAll(/^\[[^\]]+\]:\s*(\S+)/gm)].map((match) => match[1] ?? ''),
    ...[...text.matchAll(/\b(?:src|srcset|href)="([^"]+)"/g)].map((match) => match[1] ?? ''),
  ].filter((link) => !/^(?:[a-z]+:|\/\/)/.test(link));
}

describe('the words of this repository', () => {
  test("an action's inputs are read in its index.ts and post.ts and nowhere else", () => {
    const readers = files.filter(
      (path) =>
        /^(core|github|actions|cli)\/.*\.ts$/.test(path) &&
        /\bget(?:Boolean|Multiline)?Input\s*\(|\bINPUT_[A-Z]/.test(textOf(path)),
    );
    expect(readers.filter((path) => !/^actions\/[^/]+\/(index(\.test)?|post)\.ts$/.test(path))).toEqual([]);
  });

  test("a metric's name stands in core/telemetry and nowhere else", () => {
    const names = [
      ...[...Object.values(servingMetrics), ...Object.values(qualityMetrics)].map(({ name }) => name),
      // Every process has its own, and "up" is a word, too.
      ...Object.values(resourceSeries).flatMap(({ series, exporter }) =>
        exporter === 'process' || exporter === 'prometheus' ? [] : [series],
      ),
    ];
    const elsewhere = files.filter(
      (path) =>
        /\.ts$/.test(path) &&
        !path.startsWith('core/telemetry/') &&
        names.some((name) => new RegExp(`\\b${name}`).test(textOf(path))),
    );
    expect(elsewhere).toEqual([]);
  });

  test("CloudWatch's namespaces and names of models and endpoints stand in core/telemetry and nowhere else", () => {
    const metrics = [sageMakerMetrics, trainingMetrics, bucketMetrics, repositoryMetrics].flatMap((each) =>
      Object.values(each),
    );
    // Other services count their invocations and processors by the same words, and an alert begins with one; the namespaces are nobody else's.
    const words = metrics.flatMap(({ namespace, name }) =>
      /^(Invocations|ModelLatency|(CPU|Memory|Disk)Utilization)$/.test(name) ? [namespace] : [namespace, name],
    );
    const elsewhere = files.filter(
      (path) =>
        /^(actions|cli|constructs|core|github|infra|rollout|server|smoke)\/.*\.ts$/.test(path) &&
        // A stand-in and a test write down on their own what they expect.
        !/^core\/telemetry\/|\.test\.ts$|-stand-in\.ts$/.test(path) &&
        words.some((word) => textOf(path).includes(`'${word}'`)),
    );
    expect(elsewhere).toEqual([]);
  });

  test('every file is named for what it holds', () => {
    const vague = /^(utils?|helpers?|common|misc|shared|manager)(\.|$)/i;
    expect(files.filter((path) => path.split('/').some((part) => vague.test(part)))).toEqual([]);
  });

  test('names are kebab-case', () => {
    const odd = files.filter(
      (path) => path.endsWith('.ts') && !/^[a-z0-9-]+(\.[a-z0-9-]+)*\.ts$/.test(path.split('/').at(-1) ?? ''),
    );
    expect(odd).toEqual([]);
  });

  test.each(files.filter((path) => path.endsWith('.md')))('every link of %s leads somewhere', (path) => {
    const broken = linksIn(textOf(path)).filter((link) => {
      const [target = '', anchor] = decodeURI(link).split('#');
      const file = target === '' ? path : join(dirname(path), target);
      if (!existsSync(join(root, file))) return true;
      if (anchor === undefined || !file.endsWith('.md')) return false;
      const headings = [...textOf(file).matchAll(/^#{1,6}\s+(.+)$/gm)].map((match) => anchorOf(match[1] ?? ''));
      return !headings.includes(anchor);
    });
    expect(broken).toEqual([]);
  });

  test.each(readdirSync(join(root, '.github', 'workflows')))(
    '%s pins every action by its commit and asks for few rights',
    (file) => {
      const text = readFileSync(join(root, '.github', 'workflows', file), 'utf8');
      const used = [...text.matchAll(/^\s*(?:- )?uses: (.+)$/gm)].map((match) => match[1] ?? '');
      expect(used).not.toEqual([]);
      expect(used.filter((action) => !/^[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(action))).toEqual([]);
      expect(text).toMatch(/^permissions:\n {2}contents: read\n(?! )/m);
      expect(text).not.toMatch(/pull_request_target|secrets\./);
    },
  );

  test('nothing is left for later, and no test is switched off', () => {
    const later = /\b(TODO|FIXME|XXX)\b|\b(?:test|it|describe)\.(?:skip|only|todo)\b/;
    const unfinished = files.filter(
      (path) => /\.(ts|py|yml|md)$/.test(path) && path !== 'build/words.test.ts' && later.test(textOf(path)),
    );
    expect(unfinished).toEqual([]);
  });
});
