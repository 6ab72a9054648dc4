import type { Finding } from './finding.ts';

/** Rules that are not kept on purpose. */
export interface Exemption {
  readonly rules: readonly [Finding['rule'], ...Finding['rule'][]];
  /** As `Finding.object`; `*` is any text. */
  readonly objects: readonly [string, ...string[]];
  /** As `Finding.from`. @default wherever they are */
  readonly from?: readonly [string, ...string[]];
  readonly reason: string;
}

export interface Judgement {
  /** What no exemption covers. */
  readonly errors: readonly string[];
  /** Rules, objects and places of exemptions that covered nothing. */
  readonly stale: readonly string[];
}

/** What is left of findings, and of exemptions. */
export function judge(findings: readonly Finding[], exemptions: readonly Exemption[]): Judgement {
  return {
    errors: findings
      .filter((finding) => !exemptions.some((exemption) => covers(exemption, finding)))
      .map(({ rule, object, from, message }) => `${rule}: ${object} of ${from}: ${message}`),
    stale: exemptions.flatMap((exemption) => {
      const { rules, objects, from = [] } = exemption;
      const unused = (narrowed: Partial<Exemption>): boolean =>
        !findings.some((finding) => covers({ ...exemption, ...narrowed }, finding));
      return [
        ...rules.filter((rule) => unused({ rules: [rule] })),
        ...objects.filter((object) => unused({ objects: [object] })).map((object) => `${rules[0]}: ${object}`),
        ...from.filter((place) => unused({ from: [place] })).map((place) => `${rules[0]}: ${place}`),
      ];
    }),
  };
}

function covers({ rules, objects, from }: Exemption, finding: Finding): boolean {
  return (
    rules.includes(finding.rule) &&
    objects.some((pattern) => fits(pattern, finding.object)) &&
    (from === undefined || from.includes(finding.from))
  );
}

function fits(pattern: string, text: string): boolean {
  const parts = pattern.split('*').map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'));
  return new RegExp(`^${parts.join('.*')}$`, 's').test(text);
}
