/** Checks of every kind, as a policy writes them below `checks:`, over the rows of `odd-rows.ts`. */
const lists: Readonly<Record<string, readonly string[]>> = {
  'how many rows and which columns': [
    'row_count: { min: 100, max: 1000 }',
    'schema: { required: [id, score], types: { id: integer, score: number, price: number, country: string, ok: boolean, day: date, at: timestamp } }',
    'schema: { required: [id, missing] }',
  ],
  'missing values, NaN among them': ['not_null: { columns: all }', 'not_null: { columns: [score], mostly: 0.5 }'],
  'ranges of whole, 32-bit, 64-bit and decimal numbers': [
    'between: { column: age, min: 18, max: 65 }',
    'between: { column: age, min: 17.5 }',
    'between: { column: score, min: -0.5, max: 0.5 }',
    'between: { column: score, min: 0 }',
    'between: { column: ratio, min: 0.1, max: 0.7 }',
    'between: { column: price, min: 0.1, max: 99.95 }',
    'between: { column: country, min: 1 }',
  ],
  'lists of values': [
    "accepted_values: { column: country, values: [KR, 'Österreich', '日本', ''] }",
    'accepted_values: { column: age, values: [20, 30, 40] }',
    'accepted_values: { column: ratio, values: [0.1, 0.5] }',
    'accepted_values: { column: score, values: [0, 1.5] }',
    'accepted_values: { column: price, values: [19.99, 0.1] }',
    'accepted_values: { column: ok, values: [true] }',
    "accepted_values: { column: day, values: ['2024-02-29', '1969-12-31'] }",
  ],
  'keys and repeated rows, zeros of both signs and NaN among them': [
    'unique: { columns: [id] }',
    'unique: { columns: [score] }',
    'unique: { columns: [country, day] }',
    'unique: { columns: [score, ratio] }',
    'duplicate_rows: { max_share: 0 }',
  ],
  classes: [
    'class_share: { column: label, min: 0.2 }',
    'class_share: { column: ok, max: 0.6 }',
    'class_share: { column: age, min: 0.01 }',
    'class_share: { column: ratio, min: 0.01 }',
    'class_share: { column: country, min: 0.01 }',
    'class_share: { column: day, min: 0.01 }',
    'class_share: { column: at, min: 0.01 }',
  ],
  patterns: [
    "regex: { column: email, pattern: '[^@\\s]+@[^@\\s]+' }",
    "regex: { column: email, pattern: '(?i)[a-z0-9.]+@example\\.(com|org)' }",
    "regex: { column: country, pattern: '\\w+' }",
    "regex: { column: country, pattern: '[[:alpha:]]*' }",
    "regex: { column: country, pattern: '\\pL*' }",
    "regex: { column: country, pattern: '.*' }",
    "regex: { column: email, pattern: '.+\\b@.+' }",
  ],
};

export const checkLists: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(lists).map(([name, checks]) => [name, checks.map((check) => `      - ${check}\n`).join('')]),
);
