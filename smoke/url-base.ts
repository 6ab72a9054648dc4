import type { Target } from './target.ts';

/** The target without the end of its path that `ending` is or matches (with its slash), and that end, if there is one. */
export function splitPath(
  target: Target,
  ending: RegExp | string,
): { readonly root: Target; readonly ended: string | undefined } {
  const path = target.url.pathname.replace(/\/+$/, '');
  const ended = typeof ending === 'string' ? (path.endsWith(ending) ? ending : undefined) : ending.exec(path)?.[0];
  if (ended === undefined || ended === '') return { root: target, ended: undefined };
  const url = new URL(target.url);
  url.pathname = path.slice(0, path.length - ended.length);
  return { root: { ...target, url }, ended };
}
