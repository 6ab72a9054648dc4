/** The codes of an error and of everything it holds: undici wraps sockets' errors, and Node joins those of several addresses. */
export function codesOf(cause: unknown, depth = 0): readonly string[] {
  if (!(cause instanceof Error) || depth > 5) return [];
  const own = 'code' in cause && typeof cause.code === 'string' ? [cause.code] : [];
  const joined = cause instanceof AggregateError ? cause.errors.flatMap((inner) => codesOf(inner, depth + 1)) : [];
  return [...own, ...codesOf(cause.cause, depth + 1), ...joined];
}

/** What the innermost of an error's causes says. */
export function deepestMessage(cause: unknown, depth = 0): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.cause instanceof Error && depth < 5) return deepestMessage(cause.cause, depth + 1);
  return cause.message || ('code' in cause ? String(cause.code) : cause.name);
}
