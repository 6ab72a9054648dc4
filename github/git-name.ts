import { InputError } from '../core/problem/index.ts';
import { excerpt } from '../core/text/index.ts';

/** A full commit id, SHA-1 or SHA-256, as GitHub writes it. */
export function isCommitSha(text: string): boolean {
  return /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/.test(text);
}

// What may be handed to git as a revision: branch and tag names, `HEAD~2`, `v1^{commit}`, `@{upstream}`. It cannot start like an
// option, cannot hold a range (`..`), a path (`:`), a pattern or a space.
const revision = /^[\p{L}\p{N}_@][\p{L}\p{N}_.+#=/@{}^~-]*$/u;

/** The name, if it is safe and sensible to ask git for; an `InputError` otherwise. */
export function revisionOf(name: string): string {
  if (revision.test(name) && !name.includes('..') && name.length <= 255) return name;
  throw new InputError({
    code: 'base-ref',
    message: 'the base is not a git branch, tag or commit',
    found: `"${excerpt(name)}"`,
    expected: 'a name such as main, origin/main, v1.2.0 or a commit id',
    fix: 'Name one branch, tag or commit: no range, no path, no option.',
  });
}
