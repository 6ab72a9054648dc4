import { excerpt } from '../text/index.ts';
import { castTypes, plainOperators, rowFunctions } from './allowed-sql.ts';
import type { ReadExpression } from './row-expression.ts';

const wordsOfClass: Readonly<Record<string, string>> = {
  SUBQUERY: 'a subquery',
  WINDOW: 'a window over other rows',
  STAR: 'a star',
  PARAMETER: 'a parameter',
  LAMBDA: 'a lambda',
  POSITIONAL_REFERENCE: 'a column by its number',
  COLLATE: 'a collation',
  DEFAULT: 'a default',
};

/** A chain of 900 additions nests as deep, and takes DuckDB half a minute to prepare; one of 100 takes none that is noticed. */
const deepest = 100;

class Refusal extends Error {}

type Node = Readonly<Record<string, unknown>>;

/**
 * Reads what `json_serialize_sql` made of `SELECT (expression) AS value FROM "table"`: the columns the expression names, or why it is not
 * one plain expression of a row.
 */
export function readTree(tree: unknown, table: string): ReadExpression {
  const columns = new Set<string>();
  try {
    visit(onlyExpression(nodeOf(tree), table), columns);
  } catch (error) {
    if (error instanceof Refusal) return { refused: error.message };
    throw error;
  }
  return { columns: [...columns] };
}

function onlyExpression(tree: Node, table: string): Node {
  if (tree['error'] !== false) {
    // What can be no part of a SELECT (COPY, ATTACH) is no syntax inside the parentheses either.
    throw new Refusal(`it is no SQL expression: ${excerpt(String(tree['error_message']), 120)}`);
  }
  const statements = listOf(tree['statements']);
  const [statement] = statements;
  if (statement === undefined || statements.length !== 1) throw new Refusal('it is more than one statement');
  const select = nodeOf(nodeOf(statement)['node']);
  const list = listOf(select['select_list']);
  const from = nodeOf(select['from_table']);
  const [only] = list;
  const plain =
    select['type'] === 'SELECT_NODE' &&
    list.length === 1 &&
    from['type'] === 'BASE_TABLE' &&
    from['table_name'] === table &&
    from['sample'] === null &&
    from['at_clause'] === null &&
    ['where_clause', 'having', 'sample', 'qualify'].every((clause) => select[clause] === null) &&
    ['modifiers', 'group_expressions', 'group_sets'].every((clause) => listOf(select[clause]).length === 0) &&
    listOf(nodeOf(select['cte_map'])['map']).length === 0 &&
    nodeOf(only)['alias'] === 'value';
  if (!plain) throw new Refusal('it is more than one expression');
  return nodeOf(only);
}

function visit(node: Node, columns: Set<string>, depth = 1): void {
  if (depth > deepest) throw new Refusal(`it nests deeper than ${deepest} operations`);
  if (node['class'] === 'COLUMN_REF') columns.add(columnOf(node));
  else for (const part of partsOf(node)) visit(nodeOf(part), columns, depth + 1);
}

function columnOf(node: Node): string {
  const names = listOf(node['column_names']);
  if (names.length === 1) return String(names[0]);
  throw new Refusal('a column is named with a dot; write a name with a dot in double quotes');
}

/** What an expression is made of, where it is one that may be evaluated. */
function partsOf(node: Node): readonly unknown[] {
  switch (node['class']) {
    case 'CONSTANT':
      return [];
    case 'FUNCTION': {
      const name = String(node['function_name']);
      const bare =
        node['schema'] === '' &&
        node['catalog'] === '' &&
        node['filter'] === null &&
        node['distinct'] === false &&
        listOf(nodeOf(node['order_bys'])['orders']).length === 0;
      if (!bare || !rowFunctions.has(name.toLowerCase())) throw new Refusal(`it calls ${excerpt(name, 40)}`);
      return listOf(node['children']);
    }
    case 'OPERATOR': {
      const type = String(node['type']);
      if (!plainOperators.has(type)) throw new Refusal(`it uses ${excerpt(type.toLowerCase(), 40)}`);
      return listOf(node['children']);
    }
    case 'CONJUNCTION':
      return listOf(node['children']);
    case 'COMPARISON':
      return [node['left'], node['right']];
    case 'BETWEEN':
      return [node['input'], node['lower'], node['upper']];
    case 'CASE':
      return [
        ...listOf(node['case_checks']).flatMap((check) => [nodeOf(check)['when_expr'], nodeOf(check)['then_expr']]),
        node['else_expr'],
      ];
    case 'CAST': {
      const type = String(nodeOf(node['cast_type'])['id']);
      if (!castTypes.has(type))
        throw new Refusal('it casts to a type other than numbers, text, dates and truth values');
      return [node['child']];
    }
    default: {
      const kind = String(node['class']);
      throw new Refusal(`it uses ${wordsOfClass[kind] ?? excerpt(kind.toLowerCase(), 40)}`);
    }
  }
}

function nodeOf(value: unknown): Node {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Node;
  throw new Refusal('it is more than one expression');
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
