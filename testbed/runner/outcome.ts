export interface RunnerAnnotation {
  readonly level: 'error' | 'warning' | 'notice';
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
  readonly title?: string;
}

/** A workflow command the runner obeyed because a step printed it. */
export interface PrintedCommand {
  readonly name: string;
  readonly argument: string;
}

/** What one workflow run left behind, read from the runner's own log. */
export interface Outcome {
  readonly exitCode: number | null;
  readonly job: string | undefined;
  /** `success`, `failure` or `skipped` by step id. */
  readonly steps: ReadonlyMap<string, string>;
  /** Outputs by step id. */
  readonly outputs: ReadonlyMap<string, Readonly<Record<string, string>>>;
  /** Every step's summary, one after the other. */
  readonly summary: string;
  readonly annotations: readonly RunnerAnnotation[];
  /** Commands that came in on standard output, as GitHub's runner reads them. Outputs and summaries go through files and are not here. */
  readonly commands: readonly PrintedCommand[];
  /**
   * Printed lines that are no command to this runner and would be one to GitHub's, which also obeys an indented `::name::`
   * and a `##[name]` anywhere in a line (actions/runner, ActionCommand.cs).
   */
  readonly smuggled: readonly string[];
  /** What the steps printed. */
  readonly log: string;
  /** Everything the runner said, for a failing test's message. */
  readonly transcript: string;
}

interface Entry {
  readonly msg?: string;
  readonly command?: string;
  readonly arg?: string;
  readonly raw?: string;
  readonly raw_output?: boolean;
  readonly name?: string;
  readonly content?: string;
  readonly stepID?: readonly string[];
  readonly stepResult?: string;
  readonly stage?: string;
  readonly jobResult?: string;
}

const levels = ['error', 'warning', 'notice'] as const;

/** The commands of actions/runner; another `::word::` is plain text to it. */
const registered = new Set([
  ...['add-mask', 'add-matcher', 'add-path', 'debug', 'echo', 'endgroup', 'error', 'group', 'internal-set-repo-path'],
  ...['notice', 'remove-matcher', 'save-state', 'set-env', 'set-output', 'stop-commands', 'warning'],
]);

interface Command {
  readonly name: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly argument: string;
}

function unescaped(text: string): string {
  const meant: Readonly<Record<string, string>> = { '%0D': '\r', '%0A': '\n', '%3A': ':', '%2C': ',', '%25': '%' };
  return text.replace(/%0D|%0A|%3A|%2C|%25/g, (code) => meant[code] ?? code);
}

/** A printed line as GitHub's runner reads it (ActionCommand.cs, TryParseV2): `::name key=value,key=value::argument`. */
function parseCommand(line: string): Command | undefined {
  const [, name = '', properties = '', argument = ''] =
    /^\s*::([^\s:]+)(?: ((?:(?!::).)*))?::(.*?)[\r\n]*$/s.exec(line) ?? [];
  if (!registered.has(name.toLowerCase())) return undefined;
  const pairs = properties.split(',').flatMap((pair) => {
    const [key = '', ...value] = pair.split('=');
    return value.length === 0 ? [] : [[key.trim(), unescaped(value.join('='))] as const];
  });
  return { name: name.toLowerCase(), properties: Object.fromEntries(pairs), argument: unescaped(argument) };
}

/** What the older form finds anywhere in a line (TryParse): `##[name]`. */
function hasOldCommand(line: string): boolean {
  return [...line.matchAll(/##\[([^\]\s]+)/g)].some((match) => registered.has((match[1] ?? '').toLowerCase()));
}

export function readOutcome(exitCode: number | null, stdout: string, stderr: string): Outcome {
  const steps = new Map<string, string>();
  const outputs = new Map<string, Record<string, string>>();
  const annotations: RunnerAnnotation[] = [];
  const commands: PrintedCommand[] = [];
  const smuggled: string[] = [];
  const transcript: string[] = [];
  const log: string[] = [];
  let stopWord: string | undefined;
  let summary = '';
  let job: string | undefined;
  for (const line of stdout.split('\n')) {
    if (!line.startsWith('{')) {
      if (line !== '') transcript.push(line);
      continue;
    }
    const entry = JSON.parse(line) as Entry;
    const step = entry.stepID?.join('/') ?? '';
    const message = entry.msg ?? '';
    transcript.push(message.replace(/\r?\n$/, ''));
    job = entry.jobResult ?? job;
    if (entry.stepResult !== undefined && entry.stage === 'Main') steps.set(step, entry.stepResult);
    if (entry.command === 'summary') summary += entry.content ?? '';
    else if (entry.command === 'set-output' && entry.raw === undefined) {
      outputs.set(step, { ...outputs.get(step), [entry.name ?? '']: entry.arg ?? '' });
    } else if (entry.command === 'stop-commands') stopWord = entry.arg;
    else if (entry.command !== undefined && entry.command === stopWord) stopWord = undefined;

    const printed = entry.raw ?? (entry.raw_output === true ? message : undefined);
    if (printed === undefined) continue;
    const command = stopWord === undefined || entry.command === 'stop-commands' ? parseCommand(printed) : undefined;
    if (entry.raw_output === true) {
      log.push(message);
      if (command !== undefined || (stopWord === undefined && hasOldCommand(message))) smuggled.push(message);
      continue;
    }
    if (command === undefined) continue;
    commands.push({ name: command.name, argument: command.argument });
    const level = levels.find((candidate) => candidate === command.name);
    if (level === undefined) continue;
    const { file, line: number, title } = command.properties;
    annotations.push({
      level,
      message: command.argument,
      ...(file === undefined ? {} : { file }),
      ...(number === undefined ? {} : { line: Number(number) }),
      ...(title === undefined ? {} : { title }),
    });
  }
  return {
    exitCode,
    job,
    steps,
    outputs,
    summary,
    annotations,
    commands,
    smuggled,
    log: log.join(''),
    transcript: [...transcript, stderr].join('\n'),
  };
}
