import type { Construct } from 'constructs';
import {
  egressTo,
  type FetchImages,
  type FetchPlan,
  fetchImages,
  modelFetch,
  modelFolder,
} from '../pod/model-fetch.ts';
import { type ModelFile, modelFileProblems } from '../pod/model-file.ts';
import { type Container, literal, type Resources } from '../pod/pod-spec.ts';
import { containerSecurity } from '../pod/security.ts';
import type { ConstructProblem } from '../problem.ts';
import type { Memory } from '../quantity.ts';
import { ModelServer } from './model-server.ts';
import type { ServerProgram } from './server-program.ts';
import type { ServingProps } from './serving-props.ts';

/** Where Ollama's model is from. */
export type OllamaWeights =
  | {
      /** A model of Ollama's registry, with its tag: `llama3.2:3b`. */
      readonly pull: string;
      /** SHA-256 of its manifest, which names every layer by digest: the ID that `ollama list` shows, in full. */
      readonly sha256: string;
    }
  | { /** A GGUF file. */ readonly gguf: ModelFile };

export interface OllamaDeploymentProps extends ServingProps {
  readonly weights: OllamaWeights;
  /**
   * Room for the model; a GGUF file needs it twice.
   * @default 20Gi
   */
  readonly modelVolume?: Memory;
  /** Requests that run together. @default Ollama's */
  readonly parallel?: number;
  /** Tokens of prompt and answer together. @default Ollama's */
  readonly contextLength?: number;
  /** @default `fetchImages` */
  readonly fetchImages?: Partial<FetchImages>;
}

/**
 * Ollama with one model, which is in the pod, verified, before the server starts; nobody can add or remove one. On port 11434. It tells no
 * metrics: measure it at the gateway or mesh in front of it. The model is loaded into memory with the first request and then stays.
 */
export class OllamaDeployment extends ModelServer {
  constructor(scope: Construct, id: string, props: OllamaDeploymentProps) {
    super(scope, id, { ...props, server: ollamaServer(props) });
  }
}

const store = `${modelFolder}/ollama`;

const startServer = `ollama serve &
server=$!
tries=0
until ollama list > /dev/null 2>&1; do
  tries=$((tries + 1))
  if [ "$tries" -gt 60 ]; then echo 'Ollama did not start within a minute.' >&2; exit 1; fi
  sleep 1
done`;

const pullScript = `${startServer}
ollama pull "$MODEL"
kill "$server"
wait "$server" || true
found="$(sha256sum "$OLLAMA_MODELS/manifests/$MANIFEST" | cut -d ' ' -f 1)"
if [ "$found" != "$MODEL_SHA256" ]; then
  echo "$MODEL is not the model that was released: the SHA-256 of its manifest is $found, expected $MODEL_SHA256." >&2
  exit 1
fi
echo "$MODEL: $found"`;

const createScript = `${startServer}
printf 'FROM %s\\n' "$GGUF" > /tmp/Modelfile
ollama create "$MODEL" -f /tmp/Modelfile
kill "$server"
wait "$server" || true`;

function ollamaServer(props: OllamaDeploymentProps): ServerProgram {
  const { parallel, contextLength } = props;
  return {
    construct: 'OllamaDeployment',
    name: 'ollama',
    env: [
      { name: 'OLLAMA_HOST', value: '0.0.0.0:11434' },
      { name: 'OLLAMA_MODELS', value: store },
      // The folder is read-only for the server; it would otherwise tidy it up.
      { name: 'OLLAMA_NOPRUNE', value: '1' },
      { name: 'OLLAMA_KEEP_ALIVE', value: '-1' },
      { name: 'HOME', value: '/tmp' },
      ...(parallel === undefined ? [] : [{ name: 'OLLAMA_NUM_PARALLEL', value: String(parallel) }]),
      ...(contextLength === undefined ? [] : [{ name: 'OLLAMA_CONTEXT_LENGTH', value: String(contextLength) }]),
    ],
    ports: [{ name: 'http', port: 11_434, appProtocol: 'http' }],
    health: {
      ready: { httpGet: { path: '/api/tags', port: 'http' } },
      live: { httpGet: { path: '/', port: 'http' } },
    },
    runAs: { user: 1000, group: 1000 },
    writable: [{ name: 'tmp', path: '/tmp', size: '1Gi' }],
    onTerminate: 'finishes',
    gpu: 'optional',
    fetch: fetchPlan(props),
    problems: weightsProblems(props.weights),
  };
}

function fetchPlan({ weights, image, model, modelVolume = '20Gi', ...props }: OllamaDeploymentProps): FetchPlan {
  const base = modelFetch({
    files: 'gguf' in weights ? [{ ...weights.gguf, path: 'model.gguf' }] : [],
    size: modelVolume,
    images: { ...fetchImages, ...props.fetchImages },
  });
  const container = (name: string, script: string, env: Container['env']): Container => ({
    name,
    image,
    imagePullPolicy: 'IfNotPresent',
    command: ['/bin/sh', '-euc', script],
    env: [
      { name: 'OLLAMA_MODELS', value: store },
      { name: 'OLLAMA_HOST', value: '127.0.0.1:11434' },
      { name: 'HOME', value: '/tmp' },
      ...(env ?? []),
    ],
    resources: ofInit,
    securityContext: containerSecurity,
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: [
      { name: 'model', mountPath: modelFolder },
      { name: 'fetch-tmp', mountPath: '/tmp' },
    ],
  });
  if ('gguf' in weights) {
    const create = container('create-model', createScript, [
      { name: 'MODEL', value: literal(model.name) },
      { name: 'GGUF', value: `${modelFolder}/model.gguf` },
    ]);
    return { ...base, initContainers: [...base.initContainers, create] };
  }
  const pull = container('pull-model', pullScript, [
    { name: 'MODEL', value: weights.pull },
    { name: 'MANIFEST', value: manifestPath(weights.pull) },
    { name: 'MODEL_SHA256', value: weights.sha256 },
  ]);
  return { ...base, initContainers: [pull], egress: egressTo([443]) };
}

const ofInit: Resources = {
  requests: { cpu: '500m', memory: '1Gi', 'ephemeral-storage': '64Mi' },
  limits: { cpu: '2', memory: '2Gi', 'ephemeral-storage': '128Mi' },
};

/** `llama3.2:3b` lies in `registry.ollama.ai/library/llama3.2/3b`. */
function manifestPath(name: string): string {
  const [path = '', tag = ''] = name.split(/:(?=[^/]*$)/);
  const parts = path.split('/');
  const defaults = ['registry.ollama.ai', 'library'];
  return [...defaults.slice(0, Math.max(0, 3 - parts.length)), ...parts, tag].join('/');
}

function weightsProblems(weights: OllamaWeights): readonly ConstructProblem[] {
  if ('gguf' in weights) return modelFileProblems(weights.gguf, 'weights.gguf');
  const problems: ConstructProblem[] = [];
  if (!/^(?:[\w.-]+\/){0,2}[\w.-]+:[\w.-]+$/.test(weights.pull)) {
    problems.push({
      code: 'bad-ollama-model',
      message: 'weights.pull is no model with a tag',
      found: weights.pull,
      expected: 'such as llama3.2:3b',
      fix: 'Add the tag.',
    });
  }
  if (!/^[0-9a-f]{64}$/.test(weights.sha256)) {
    problems.push({
      code: 'bad-sha256',
      message: 'weights.sha256 is no SHA-256, so the model could not be verified',
      found: weights.sha256,
      expected: '64 small hexadecimal digits',
      fix: 'Copy the first word of sha256sum ~/.ollama/models/manifests/registry.ollama.ai/library/NAME/TAG.',
    });
  }
  return problems;
}
