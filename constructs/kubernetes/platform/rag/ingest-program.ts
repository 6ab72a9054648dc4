import { partsProgram } from './parts-program.ts';

/** Where the program is mounted. */
export const ingestProgramFolder = '/etc/sluice/ingest';

/**
 * What keeps a collection as the documents of a folder are: reads them, divides them into parts, has new parts embedded (OpenAI's
 * `/v1/embeddings`), stores them and takes out what is no longer there (Chroma's API v2). Plain Node.js without packages. Sources:
 * https://platform.openai.com/docs/api-reference/embeddings and https://docs.trychroma.com/reference/server/record/upsert-records.
 *
 * A part is called by the digest of the model, the document's path and its text. So a run over the same documents asks for nothing and changes
 * nothing, one that broke is taken up where it was, and another embedding model stores everything anew. Only parts with this ingest's name in
 * their metadata are ever taken out, and only after everything new is in.
 *
 * Ends with 0, with 1 where the next try may do better, and with 3 where it would not: no documents at all (a volume that is not there must
 * not empty the collection), documents that cannot be read, a server that refuses. No text is logged.
 */
const ingestProgram = `import { createHash } from 'node:crypto';
import { readdir, readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const { partsOf } = await import(new URL('parts.mjs', import.meta.url).href);
const { env } = process;
const number = (name) => Number(env[name]);
const name = env.INGEST_NAME;
const model = env.EMBEDDING_MODEL;
const endings = env.EXTENSIONS.split(',');
const page = 500;
const began = performance.now();

class Failure extends Error {
  constructor(message, code) {
    super(message);
    this.code = code;
  }
}

async function ask(who, url, body) {
  for (let tried = 1; ; tried += 1) {
    let said;
    let hopeless = false;
    try {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
        redirect: 'error',
        signal: AbortSignal.timeout(number('TIMEOUT_MS')),
      });
      if (response.ok) return await response.json();
      await response.body?.cancel();
      hopeless = response.status < 500 && response.status !== 408 && response.status !== 429;
      said = 'answered ' + response.status;
    } catch (error) {
      said = error.name === 'TimeoutError' ? 'did not answer in time' : 'does not answer';
    }
    if (hopeless || tried >= 4) throw new Failure('The ' + who + ' ' + said + '.', hopeless ? 3 : 1);
    await sleep(number('RETRY_MS') * 2 ** (tried - 1));
  }
}

/** Every file below the folder by its path, also through links that stay in it; nothing whose name begins with a dot. */
async function filesBelow(root, folder = '', seen = new Set([root])) {
  const found = [];
  for (const entry of (await readdir(join(root, folder))).toSorted()) {
    if (entry.startsWith('.')) continue;
    const path = folder === '' ? entry : folder + '/' + entry;
    const real = await realpath(join(root, path)).catch(() => '');
    if (!real.startsWith(root + sep)) continue;
    const { size, ...kind } = await kindOf(real);
    if (kind.folder && !seen.has(real)) found.push(...(await filesBelow(root, path, new Set([...seen, real]))));
    if (kind.file && endings.some((ending) => entry.toLowerCase().endsWith(ending))) found.push({ path, size });
  }
  return found;
}

async function kindOf(path) {
  const found = await stat(path);
  return { folder: found.isDirectory(), file: found.isFile(), size: found.size };
}

async function textOf(root, { path, size }) {
  if (size > number('MAX_BYTES')) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(await readFile(join(root, path)));
  } catch {
    return undefined;
  }
}

/** What shall be there: parts by their ids. */
async function wantedOf(root, files) {
  const wanted = new Map();
  const unread = new Set();
  for (const file of files) {
    const text = await textOf(root, file);
    if (text === undefined) {
      unread.add(file.path);
      continue;
    }
    const times = new Map();
    for (const part of partsOf(text, number('PART_SIZE'), number('OVERLAP'))) {
      const nth = times.get(part) ?? 0;
      times.set(part, nth + 1);
      const id = createHash('sha256').update(JSON.stringify([model, file.path, part, nth])).digest('hex');
      wanted.set(id, { text: part, source: file.path });
    }
  }
  return { wanted, unread };
}

/** What is there of this ingest: the document of each part by its id. */
async function storedOf(collection) {
  const stored = new Map();
  for (;;) {
    const { ids, metadatas } = await ask('vector store', collection + '/get', {
      where: { ingest: name },
      include: ['metadatas'],
      limit: page,
      offset: stored.size,
    });
    ids.forEach((id, index) => void stored.set(id, metadatas[index]?.source));
    if (ids.length < page) return stored;
  }
}

async function embedded(texts) {
  const { data } = await ask('embedding server', env.EMBEDDING_URL + '/v1/embeddings', { model, input: texts });
  const vectors = Array.isArray(data)
    ? data.toSorted((one, other) => one.index - other.index).map(({ embedding }) => embedding)
    : [];
  const whole = vectors.every((vector) => Array.isArray(vector) && vector.length > 0 && vector.every(Number.isFinite));
  if (vectors.length !== texts.length || !whole) {
    throw new Failure('The embedding server gave no embedding for each text.', 3);
  }
  return vectors;
}

function batchesOf(list, size) {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, at) => list.slice(at * size, (at + 1) * size));
}

async function ingest() {
  const root = await realpath(env.DOCUMENTS).catch(() => {
    throw new Failure('There is no folder ' + env.DOCUMENTS + '.', 3);
  });
  const files = await filesBelow(root);
  if (files.length === 0) {
    throw new Failure('There are no documents (' + endings.join(', ') + '), so nothing was changed.', 3);
  }
  const { wanted, unread } = await wantedOf(root, files);
  const collections = env.STORE_URL + '/api/v2/tenants/default_tenant/databases/default_database/collections';
  const { id } = await ask('vector store', collections, { name: env.COLLECTION, get_or_create: true });
  const collection = collections + '/' + encodeURIComponent(id);
  const stored = await storedOf(collection);

  const missing = [...wanted].filter(([each]) => !stored.has(each));
  for (const batch of batchesOf(missing, number('BATCH'))) {
    const texts = batch.map(([, { text }]) => text);
    await ask('vector store', collection + '/upsert', {
      ids: batch.map(([each]) => each),
      embeddings: await embedded(texts),
      documents: texts,
      metadatas: batch.map(([, { source }]) => ({ source, ingest: name })),
    });
  }
  // What cannot be read today was read once: its parts stay until it is gone.
  const gone = [...stored].filter(([each, source]) => !wanted.has(each) && !unread.has(source)).map(([each]) => each);
  for (const batch of batchesOf(gone, page)) await ask('vector store', collection + '/delete', { ids: batch });

  console.log(
    JSON.stringify({
      event: 'ingested',
      documents: files.length - unread.size,
      parts: wanted.size,
      added: missing.length,
      removed: gone.length,
      unread: unread.size,
      seconds: (performance.now() - began) / 1000,
    }),
  );
  if (unread.size > 0) {
    const named = [...unread].slice(0, 5).join(', ') + (unread.size > 5 ? ' and ' + (unread.size - 5) + ' more' : '');
    throw new Failure('Larger than ' + env.MAX_BYTES + ' bytes or no UTF-8, and left as they were: ' + named + '.', 3);
  }
}

try {
  await ingest();
} catch (error) {
  const message = error instanceof Failure ? error.message : 'Something went wrong: ' + (error.code ?? error.name) + '.';
  console.error(JSON.stringify({ event: 'failed', message }));
  process.exitCode = error instanceof Failure ? error.code : 1;
}
`;

/** Its files, as a ConfigMap has them. */
export const ingestFiles: Readonly<Record<string, string>> = {
  'ingest-documents.mjs': ingestProgram,
  'parts.mjs': partsProgram,
};
