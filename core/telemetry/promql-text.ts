/** A label has to have, or not to have, one of some values; or what a Grafana variable holds (`$version`, several allowed). */
export type Matcher = ExactMatcher | { readonly variable: string };

/** One value, one of several, or any but one. */
export type ExactMatcher = string | { readonly anyOf: readonly string[] } | { readonly not: string };

/**
 * A string of PromQL, in double quotes. Whatever is in `text` stays inside: PromQL has Go's escapes, of which JSON's are a part.
 * A lone surrogate, which Go refuses, becomes U+FFFD.
 */
export function quoted(text: string): string {
  return JSON.stringify(text.replace(/\p{Surrogate}/gu, '\ufffd'));
}

/** A text that stands for itself in a regular expression of RE2. */
export function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** Whether a name can stand in PromQL without quotes. */
export function isLabelName(name: string): boolean {
  return /^[a-zA-Z_][a-zA-Z0-9_]*$/.test(name);
}

/** `name="value"` and its kin. The caller has checked the name and the variable. */
export function matcherText(name: string, matcher: Matcher): string {
  if (typeof matcher === 'string') return `${name}=${quoted(matcher)}`;
  if ('not' in matcher) return `${name}!=${quoted(matcher.not)}`;
  // Grafana writes several values as a regular expression, escaped.
  if ('variable' in matcher) return `${name}=~"${matcher.variable}"`;
  return `${name}=~${quoted(matcher.anyOf.map(literal).join('|'))}`;
}

/** A Grafana variable: `$version`, `${version}`, `${version:regex}`. */
export function isVariable(text: string): boolean {
  return /^\$(?:[a-zA-Z_]\w*|\{[a-zA-Z_]\w*(?::[a-z]+)?\})$/.test(text);
}

/**
 * A range for PromQL's brackets.
 * @param window seconds, a duration of Prometheus (`5m`, `1h30m`) or a Grafana variable (`$__rate_interval`)
 * @returns `undefined` for what is none of them
 */
export function rangeText(window: number | string): string | undefined {
  if (typeof window === 'number') {
    const milliseconds = Math.round(window * 1000);
    if (!(milliseconds > 0) || !Number.isSafeInteger(milliseconds)) return undefined;
    return milliseconds % 1000 === 0 ? `${milliseconds / 1000}s` : `${milliseconds}ms`;
  }
  const duration = /^(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?$/;
  return (window !== '' && duration.test(window) && /[1-9]/.test(window)) || isVariable(window) ? window : undefined;
}

/**
 * How servers and Prometheus write a bucket's bound in `le`: `0.1`; `1` and `1.0`; `1e+06` and `1000000`. Prometheus 3 rewrites them
 * to the way of Go's `%g` with `.0`, Prometheus 2 keeps what the server wrote.
 */
export function boundTexts(bound: number): readonly string[] {
  if (bound === Number.POSITIVE_INFINITY) return ['+Inf'];
  const go = goNumber(bound);
  return [
    ...new Set([String(bound), go, /[.e]/.test(go) ? go : `${go}.0`, `${bound}${Number.isInteger(bound) ? '.0' : ''}`]),
  ];
}

/** A number as Go's strconv writes it in its shortest form ('g', -1): with an exponent below 1e-4 and from 1e6. */
function goNumber(value: number): string {
  const [mantissa = '', exponent = '0'] = value.toExponential().split('e');
  const power = Number(exponent);
  if (value === 0 || (power >= -4 && power < 6)) return String(value);
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}
