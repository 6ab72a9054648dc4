/** Makes equal ids different: the second `x` becomes `x#2`. */
export function distinctIds(ids: readonly string[]): readonly string[] {
  const taken = new Set(ids);
  const seen = new Map<string, number>();
  return ids.map((id) => {
    let count = (seen.get(id) ?? 0) + 1;
    let own = id;
    if (count > 1) {
      while (taken.has(`${id}#${count}`)) count++;
      own = `${id}#${count}`;
      taken.add(own);
    }
    seen.set(id, count);
    return own;
  });
}
