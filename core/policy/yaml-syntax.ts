import { type Document, visit, type YAMLError } from 'yaml';
import type { Place } from '../problem/index.ts';
import { excerpt } from '../text/index.ts';
import type { MendableProblem } from './mendable-problem.ts';

/** Faults after the first few are echoes of them. */
const maximumSyntaxErrors = 5;

/** Everything that makes a parsed text not one plain YAML 1.2 document, in words for people; empty when nothing does. */
export function describeSyntaxErrors(
  document: Document.Parsed,
  placeAt: (offset: number) => Place,
): readonly MendableProblem[] {
  const faults: readonly YAMLError[] = [...document.errors, ...document.warnings];
  const exhausted = faults.find(({ code }) => code === 'RESOURCE_EXHAUSTION');
  if (exhausted !== undefined) {
    const message = 'brackets, dashes or question marks nest too deeply to be read';
    return [{ code: 'too-deep', message, place: placeAt(exhausted.pos[0]), fix: 'Look for a bracket too many.' }];
  }
  const problems: MendableProblem[] = [];
  const lines = new Set<number | undefined>();
  for (const fault of faults) {
    const place = placeAt(fault.pos[0]);
    if (lines.has(place.line)) continue;
    lines.add(place.line);
    problems.push({ code: 'yaml-syntax', place, ...wordsFor(fault) });
    if (problems.length === maximumSyntaxErrors) break;
  }
  const { version, explicit } = { explicit: false, ...document.directives.yaml };
  if (explicit && version !== '1.2') {
    const message = `the file asks for YAML ${version}`;
    problems.push({
      code: 'yaml-version',
      message,
      place: placeAt(0),
      expected: 'YAML 1.2',
      fix: 'Remove the %YAML line.',
    });
  }
  if (problems.length === 0) problems.push(...describeTags(document, placeAt));
  return problems;
}

function describeTags(document: Document.Parsed, placeAt: (offset: number) => Place): readonly MendableProblem[] {
  const problems: MendableProblem[] = [];
  visit(document, {
    Node: (_key, node) => {
      if (!('tag' in node) || node.tag === undefined || node.range === undefined || node.range === null)
        return undefined;
      const place = placeAt(node.range[0]);
      problems.push({
        code: 'yaml-tag',
        message: `the tag ${excerpt(String(node.tag), 40)} is not read`,
        place,
        fix: removeTag,
      });
      return problems.length === maximumSyntaxErrors ? visit.BREAK : undefined;
    },
  });
  return problems;
}

const removeTag = 'Remove the tag; quotes make a value text.';

function wordsFor(fault: YAMLError): Pick<MendableProblem, 'message' | 'fix'> {
  switch (fault.code) {
    case 'TAB_AS_INDENT':
      return { message: 'a tab indents this line', fix: 'Indent with spaces.' };
    case 'BLOCK_AS_IMPLICIT_KEY':
      return {
        message: 'a second "key:" on one line, or a line indented further than its neighbours',
        fix: 'Give keys of one mapping the same indentation, and put quotes around a value that holds ": ".',
      };
    case 'MULTILINE_IMPLICIT_KEY':
      return {
        message: 'this line is not "key: value"',
        fix: 'Write "key: value" on one line, with a space after the colon.',
      };
    case 'BAD_SCALAR_START':
      return { message: 'a value may not start with this character', fix: 'Put the value in quotes.' };
    case 'MULTIPLE_DOCS':
      return {
        message: 'the file holds more than one YAML document',
        fix: 'Remove the "---" line and what follows it.',
      };
    case 'TAG_RESOLVE_FAILED':
      return { message: `${lowerFirst(fault.message)}; tags are not read`, fix: removeTag };
    case 'NON_STRING_KEY':
      return { message: 'a key is a list or a mapping', fix: 'A key is a name; look for a stray "?", "[" or "{".' };
    case 'BAD_INDENT':
      if (fault.message.includes('end with a ]'))
        return { message: 'a list opened by "[" is not closed', fix: 'Add "]".' };
      if (fault.message.includes('end with a }'))
        return { message: 'a mapping opened by "{" is not closed', fix: 'Add "}".' };
      return { message: `indentation: ${lowerFirst(fault.message)}`, fix: 'Indent entries of one level alike.' };
    default:
      return {
        message: `not YAML: ${lowerFirst(excerpt(fault.message, 200))}`,
        fix: 'Look for a quote, bracket or colon that is missing or too many, on this line or the one before.',
      };
  }
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
