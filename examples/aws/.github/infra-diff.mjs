// What `cdk diff` printed, as Markdown that nothing in it can break out of: told in the job's summary, or in one comment of the pull request.
//   node infra-diff.mjs summary <file> <compared with>
//   node infra-diff.mjs comment <file> <environment>      GITHUB_TOKEN, GITHUB_REPOSITORY, PULL_REQUEST
import { appendFileSync, readFileSync } from 'node:fs';

const [how, file, title] = process.argv.slice(2);
const limit = 60_000; // GitHub takes 65 536 characters
const marker = `<!-- infrastructure ${title.replaceAll(/[^\w-]/g, '')} -->`;

/** Text for people: no control characters, nothing that turns the direction of writing, no more than fits. */
function shown(text) {
  const clean = text.replaceAll(/\u001b\[[\d;]*m|[^\P{C}\n\t]/gu, '');
  return clean.length <= limit
    ? clean
    : `${clean.slice(0, limit)}\n... ${clean.length - limit} more characters: see the job's log`;
}

/** A block of code whose fence is longer than any in it. */
function block(text) {
  const longest = Math.max(2, ...[...text.matchAll(/`+/g)].map(([run]) => run.length));
  const fence = '`'.repeat(longest + 1);
  return `${fence}diff\n${text}\n${fence}`;
}

const text = shown(readFileSync(file, 'utf8')).trim();
const changed = /Number of stacks with differences: [1-9]/.test(text);
const body = [
  marker,
  `### Infrastructure: ${changed ? 'changes' : 'no changes'} (${title})`,
  `<details${changed ? ' open' : ''}><summary>cdk diff</summary>\n\n${block(text)}\n\n</details>`,
].join('\n');

if (how === 'summary') appendFileSync(process.env.GITHUB_STEP_SUMMARY, `${body}\n`);
else await comment();

/** Writes over the comment of the last time, where there is one. */
async function comment() {
  const issues = `/repos/${process.env.GITHUB_REPOSITORY}/issues`;
  const comments = await pages(`${issues}/${process.env.PULL_REQUEST}/comments`);
  const last = comments.find((each) => each.user.type === 'Bot' && each.body.startsWith(marker));
  if (last === undefined) await request('POST', `${issues}/${process.env.PULL_REQUEST}/comments`, { body });
  else await request('PATCH', `${issues}/comments/${last.id}`, { body });
}

async function pages(path) {
  const found = [];
  for (let page = 1; ; page++) {
    const some = await request('GET', `${path}?per_page=100&page=${page}`);
    found.push(...some);
    if (some.length < 100) return found;
  }
}

async function request(method, path, body) {
  const answer = await fetch(`${process.env.GITHUB_API_URL ?? 'https://api.github.com'}${path}`, {
    method,
    headers: { authorization: `Bearer ${process.env.GITHUB_TOKEN}`, accept: 'application/vnd.github+json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
  return answer.json();
}
