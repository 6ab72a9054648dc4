import type { NodeRecord } from './graph-record.ts';

/**
 * How many nodes of its trees one row visits at most: the longest way from each root to a leaf, the leaf not counted, over all trees.
 * Undefined where the trees make no sense (a node that is its own descendant).
 */
export function nodesVisited(node: NodeRecord): number | undefined {
  return node.operator === 'TreeEnsemble' ? ofVersion5(node) : ofVersion3(node);
}

/** Up to ai.onnx.ml 3: nodes are named by tree and number; `nodes_modes` is kept as 0 for a leaf. */
function ofVersion3({ attributes }: NodeRecord): number | undefined {
  const list = (name: string) => attributes.get(name)?.ints ?? [];
  const [tree, id, yes, no, inner] = ['treeids', 'nodeids', 'truenodeids', 'falsenodeids', 'modes'].map((name) =>
    list(`nodes_${name}`),
  );
  if (tree === undefined || id === undefined || yes === undefined || no === undefined || inner === undefined)
    return undefined;
  const count = tree.length;
  if ([id, yes, no, inner].some((each) => each.length !== count)) return undefined;
  const places = new Map<number, Map<number, number>>();
  for (let at = 0; at < count; at++) {
    const ofTree = places.get(tree[at] ?? 0) ?? new Map<number, number>();
    ofTree.set(id[at] ?? 0, at);
    places.set(tree[at] ?? 0, ofTree);
  }
  const children = (at: number): readonly (number | undefined)[] => {
    const ofTree = places.get(tree[at] ?? 0);
    return inner[at] === 0 ? [] : [ofTree?.get(yes[at] ?? -1), ofTree?.get(no[at] ?? -1)];
  };
  const inside = new Set<number>();
  for (let at = 0; at < count; at++) for (const child of children(at)) if (child !== undefined) inside.add(child);
  const roots = Array.from({ length: count }, (_, at) => at).filter((at) => !inside.has(at));
  // A node that no root leads to belongs to a circle, or hides what another reader would count.
  return roots.length === places.size && reached(count, roots, children) ? longest(count, roots, children) : undefined;
}

/** Since ai.onnx.ml 5: one list of inner nodes, whose children are others of it or leaves. */
function ofVersion5({ attributes }: NodeRecord): number | undefined {
  const list = (name: string) => attributes.get(name)?.ints;
  const [roots, yes, no, yesLeaf, noLeaf] = [
    list('tree_roots'),
    list('nodes_truenodeids'),
    list('nodes_falsenodeids'),
    list('nodes_trueleafs'),
    list('nodes_falseleafs'),
  ];
  if (roots === undefined || yes === undefined || no === undefined || yesLeaf === undefined || noLeaf === undefined)
    return undefined;
  // A tree of one leaf is a node whose both children are that leaf.
  return longest(yes.length, roots, (at) => [
    yesLeaf[at] === 1 ? undefined : yes[at],
    noLeaf[at] === 1 ? undefined : no[at],
    -1,
  ]);
}

function reached(
  count: number,
  roots: readonly number[],
  children: (at: number) => readonly (number | undefined)[],
): boolean {
  const seen = new Uint8Array(count);
  const next = [...roots];
  let found = 0;
  for (let at = next.pop(); at !== undefined; at = next.pop()) {
    if (seen[at] === 1) continue;
    seen[at] = 1;
    found++;
    for (const child of children(at)) if (child !== undefined) next.push(child);
  }
  return found === count;
}

/** The sum over the roots of the nodes with children on the longest way down. Children are walked before their parents, without recursion. */
function longest(
  count: number,
  roots: readonly number[],
  children: (at: number) => readonly (number | undefined)[],
): number | undefined {
  const depth = new Int32Array(count).fill(-1);
  const open = new Uint8Array(count);
  let sum = 0;
  for (const root of roots) {
    const path = [root];
    while (path.length > 0) {
      const at = path.at(-1) ?? 0;
      if (at < 0 || at >= count) return undefined;
      const below = children(at);
      const next = below.find((child) => child !== undefined && child >= 0 && depth[child] === -1);
      if (next !== undefined) {
        if (open[next] === 1) return undefined;
        open[at] = 1;
        path.push(next);
        continue;
      }
      open[at] = 0;
      const deepest = Math.max(
        0,
        ...below.map((child) => (child === undefined || child < 0 ? 0 : (depth[child] ?? 0))),
      );
      depth[at] = below.length === 0 ? 0 : deepest + 1;
      path.pop();
    }
    sum += depth[root] ?? 0;
  }
  return sum;
}
