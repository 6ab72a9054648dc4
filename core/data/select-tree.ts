import { excerpt } from '../text/index.ts';
import { castTypes, plainOperators, rowFunctions } from './allowed-sql.ts';

// As of one row (`allowed-sql.ts`), and what stands of rows together or in an order: no table function, no file and no setting can be reached.
const functions = new Set([
  ...rowFunctions,
  ...`coalesce || concat ltrim rtrim strlen substr substring left right replace strpos instr regexp_matches regexp_full_match split_part
  second date_trunc date_part epoch strptime try_strptime strftime
  count count_star sum fsum avg favg min max median mode stddev stddev_samp stddev_pop variance var_samp var_pop quantile_disc
  quantile_cont corr bool_and bool_or any_value first last arg_min arg_max
  row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value`.split(/\s+/),
]);

const types = new Set([...castTypes, 'HUGEINT', 'INTERVAL']);

/** Expressions that need no look beyond their parts. */
const plainClasses = new Set([
  'CONSTANT',
  'COLUMN_REF',
  'CONJUNCTION',
  'COMPARISON',
  'BETWEEN',
  'CASE',
  'SUBQUERY',
  'STAR',
]);
/** Parts of a statement that are no expressions: queries, where they read from, how they are ordered. */
const plainTypes = new Set([
  'SELECT_NODE',
  'SET_OPERATION_NODE',
  'CTE_NODE',
  'SUBQUERY',
  'JOIN',
  'EMPTY',
  'EMPTY_FROM',
  'ORDER_MODIFIER',
  'LIMIT_MODIFIER',
  'DISTINCT_MODIFIER',
  'ORDER_DEFAULT',
  'ASCENDING',
  'DESCENDING',
]);

const words: Readonly<Record<string, string>> = {
  TABLE_FUNCTION: 'it reads from a function, such as read_csv; read from the tables of the check',
  RECURSIVE_CTE_NODE: 'it is recursive',
  PARAMETER: 'it has a parameter',
  LAMBDA: 'it has a lambda',
  POSITIONAL_REFERENCE: 'it names a column by its number',
  COLLATE: 'it has a collation',
  PIVOT: 'it pivots',
  SHOW_REF: 'it describes tables',
};

/** A chain of 900 additions takes DuckDB half a minute to prepare; one of 100 takes none that is noticed. */
const deepest = 300;

class Refusal extends Error {}

type Node = Readonly<Record<string, unknown>>;

/** Reads what `json_serialize_sql` made of a text: nothing where it is one SELECT that may be run on these tables, else why it is not. */
export function refusalOf(tree: unknown, tables: ReadonlySet<string>): string | undefined {
  try {
    if (!isNode(tree)) throw new Refusal('it is no SQL');
    if (tree['error'] !== false) {
      throw new Refusal(`it is no SELECT that can be read: ${excerpt(String(tree['error_message']), 160)}`);
    }
    const statements = Array.isArray(tree['statements']) ? tree['statements'] : [];
    if (statements.length !== 1) throw new Refusal('it is more than one statement');
    const known = new Set([...tables, ...namesOfCtes(statements[0])].map((name) => name.toLowerCase()));
    visit(statements[0], known, 1);
    return undefined;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

function visit(node: unknown, tables: ReadonlySet<string>, depth: number): void {
  if (depth > deepest) throw new Refusal(`it nests deeper than ${deepest} parts`);
  if (Array.isArray(node)) for (const part of node) visit(part, tables, depth);
  if (!isNode(node)) return;
  judge(node, tables);
  // A constant's value and a type hold words of their own; nothing in them is looked up.
  if (node['class'] === 'CONSTANT') return;
  for (const [key, part] of Object.entries(node)) if (key !== 'cast_type') visit(part, tables, depth + 1);
}

function judge(node: Node, tables: ReadonlySet<string>): void {
  const type = node['type'];
  const kind = node['class'];
  if (typeof type !== 'string') {
    if (kind !== undefined) throw new Refusal('it holds something unknown');
    return;
  }
  if (typeof kind !== 'string') {
    if (type === 'BASE_TABLE') judgeTable(node, tables);
    else if (!plainTypes.has(type)) throw new Refusal(words[type] ?? `it uses ${excerpt(type.toLowerCase(), 40)}`);
    if (node['sample'] !== undefined && node['sample'] !== null) throw new Refusal('it samples at random');
    return;
  }
  switch (kind) {
    case 'FUNCTION':
    case 'WINDOW': {
      const name = String(node['function_name']);
      const bare = (node['schema'] ?? '') === '' && (node['catalog'] ?? '') === '';
      if (!bare || !functions.has(name.toLowerCase())) throw new Refusal(`it calls ${excerpt(name, 40)}`);
      return;
    }
    case 'OPERATOR':
      if (!plainOperators.has(type)) throw new Refusal(`it uses ${excerpt(type.toLowerCase(), 40)}`);
      return;
    case 'CAST': {
      const to = node['cast_type'];
      if (!isNode(to) || !types.has(String(to['id'])))
        throw new Refusal('it casts to a type other than numbers, text, dates and truth values');
      return;
    }
    default:
      if (!plainClasses.has(kind)) throw new Refusal(words[kind] ?? `it uses ${excerpt(kind.toLowerCase(), 40)}`);
  }
}

function judgeTable(node: Node, tables: ReadonlySet<string>): void {
  const name = String(node['table_name']);
  const plain =
    (node['schema_name'] ?? '') === '' &&
    (node['catalog_name'] ?? '') === '' &&
    (node['sample'] ?? null) === null &&
    (node['at_clause'] ?? null) === null;
  if (!plain || !tables.has(name.toLowerCase()))
    throw new Refusal(`it reads from "${excerpt(name, 60)}", which is none of its tables`);
}

/** Names that WITH gives. One that hides a table of the check still reads nothing else. */
function namesOfCtes(node: unknown): readonly string[] {
  if (Array.isArray(node)) return node.flatMap(namesOfCtes);
  if (!isNode(node)) return [];
  const map = node['cte_map'];
  const own = isNode(map) && Array.isArray(map['map']) ? map['map'].map((entry) => String(entry?.key)) : [];
  return [...own, ...Object.values(node).flatMap(namesOfCtes)];
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
