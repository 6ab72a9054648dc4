import { modelFileProblems } from '../../pod/model-file.ts';
import type { ConstructProblem } from '../../problem.ts';
import type { TritonBackendModel, TritonEnsemble, TritonModel, TritonTensor } from './triton-model.ts';

/** What Triton would refuse, or take and do nothing with. `gpus`: of the pod. */
export function modelProblems(models: readonly TritonModel[], gpus: number): readonly ConstructProblem[] {
  return [
    ...nameProblems(models),
    ...models.flatMap((model) => [
      ...tensorProblems(model),
      ...(model.ensemble === undefined ? backendProblems(model, gpus) : ensembleProblems(model, models)),
    ]),
  ];
}

function nameProblems(models: readonly TritonModel[]): readonly ConstructProblem[] {
  const names = models.map(({ name }) => name);
  const twice = new Set(names.filter((name, index) => names.indexOf(name) !== index));
  const bad = names.filter((name) => !/^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/.test(name));
  return [
    ...[...twice].map((name) => ({
      code: 'model-twice',
      message: `models has two that are called ${name}`,
      fix: 'Rename one, or make it another version of the other.',
    })),
    ...bad.map((found) => ({
      code: 'bad-model-name',
      message: 'a model of models cannot be a folder and a part of an address',
      found,
      expected: 'letters, digits, "-", "_" and "."',
      fix: 'Rename the model.',
    })),
    ...(models.length === 0
      ? [{ code: 'no-models', message: 'models is empty, so there is nothing to serve', fix: 'Add a model.' }]
      : []),
  ];
}

function tensorProblems({ name, maxBatchSize, inputs, outputs }: TritonModel): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  if (!Number.isInteger(maxBatchSize) || maxBatchSize < 0) {
    problems.push({
      code: 'bad-batch',
      message: `${name}.maxBatchSize is no number of rows`,
      found: String(maxBatchSize),
      expected: 'a whole number from 0',
      fix: 'Set it to 0 for a model without a batch dimension.',
    });
  }
  if (inputs.length === 0 || outputs.length === 0) {
    problems.push({
      code: 'no-tensors',
      message: `${name} has no ${inputs.length === 0 ? 'inputs' : 'outputs'}`,
      fix: 'Write them out, or read them from the ONNX file with onnxSignature.',
    });
  }
  for (const { name: tensor, dims, reshape } of [...inputs, ...outputs]) {
    const wrong = dims.length === 0 || dims.some((size) => !Number.isInteger(size) || size === 0 || size < -1);
    if (wrong) {
      problems.push({
        code: 'bad-dims',
        message: `${name}: the dims of ${tensor} are not what Triton takes`,
        found: `[${dims.join(', ')}]`,
        expected: 'at least one size; whole numbers from 1, or -1 for any',
        fix: 'For one number a row write dims: [1] and reshape: [].',
      });
    }
    if (
      !wrong &&
      reshape !== undefined &&
      !dims.includes(-1) &&
      !reshape.includes(-1) &&
      product(dims) !== product(reshape)
    ) {
      problems.push({
        code: 'bad-reshape',
        message: `${name}: reshape of ${tensor} has another number of elements than its dims`,
        found: `[${reshape.join(', ')}] for [${dims.join(', ')}]`,
        fix: 'Correct one of them.',
      });
    }
  }
  return problems;
}

function product(sizes: readonly number[]): number {
  return sizes.reduce((all, size) => all * size, 1);
}

function backendProblems(model: TritonBackendModel, gpus: number): readonly ConstructProblem[] {
  const { name, maxBatchSize, versions, dynamicBatching, sequenceBatching, instanceGroups = [], backend } = model;
  const problems: ConstructProblem[] = versions.flatMap(({ file }, index) =>
    modelFileProblems(file, `${name}.versions[${index}].file`),
  );
  const numbers = versions.map(({ version }) => version);
  if (numbers.some((version) => !Number.isInteger(version) || version < 1) || new Set(numbers).size < numbers.length) {
    problems.push({
      code: 'bad-version',
      message: `${name}.versions are not whole numbers from 1, each once`,
      found: numbers.join(', '),
      fix: 'Number the versions 1, 2, 3.',
    });
  }
  const policy = model.versionPolicy;
  const missing =
    typeof policy === 'object' && 'specific' in policy ? policy.specific.filter((each) => !numbers.includes(each)) : [];
  if (missing.length > 0) {
    problems.push({
      code: 'no-such-version',
      message: `${name}.versionPolicy names versions that are not in versions`,
      found: missing.join(', '),
      expected: numbers.join(', '),
      fix: 'Correct the policy, or add the version.',
    });
  }
  if (dynamicBatching !== undefined && sequenceBatching !== undefined) {
    problems.push({
      code: 'two-schedulers',
      message: `${name} has both dynamicBatching and sequenceBatching, and Triton schedules a model in one way`,
      fix: 'Keep one of them.',
    });
  }
  if (dynamicBatching !== undefined && maxBatchSize === 0) {
    problems.push({
      code: 'batching-without-batch',
      message: `${name}.dynamicBatching with maxBatchSize 0: the model has no batch dimension to join requests along`,
      fix: 'Set maxBatchSize to 1 or more and leave the batch out of dims, or leave dynamicBatching out.',
    });
  }
  const tooLarge = (dynamicBatching?.preferredBatchSizes ?? []).filter((size) => size > maxBatchSize || size < 1);
  if (tooLarge.length > 0 && maxBatchSize > 0) {
    problems.push({
      code: 'preferred-over-max',
      message: `${name}.dynamicBatching.preferredBatchSizes has sizes that no batch can have`,
      found: tooLarge.join(', '),
      expected: `1 to maxBatchSize ${maxBatchSize}`,
      fix: 'Lower them or raise maxBatchSize.',
    });
  }
  const onGpu = instanceGroups.some(({ kind }) => kind === 'GPU');
  if (gpus === 0 && (onGpu || backend === 'tensorrt' || model.tensorrtAccelerator !== undefined)) {
    const why = onGpu
      ? 'instanceGroups of kind GPU'
      : backend === 'tensorrt'
        ? 'a TensorRT plan'
        : 'tensorrtAccelerator';
    problems.push({
      code: 'gpu-missing',
      message: `${name} has ${why} and the pod has no GPU`,
      fix: 'Set gpu: { count: 1 }, or run the model on the CPU.',
    });
  }
  const beyond = instanceGroups.flatMap((group) => group.gpus ?? []).filter((gpu) => gpu >= gpus || gpu < 0);
  if (gpus > 0 && beyond.length > 0) {
    problems.push({
      code: 'no-such-gpu',
      message: `${name}.instanceGroups name GPUs that the pod does not have`,
      found: beyond.join(', '),
      expected: `0 to ${gpus - 1}`,
      fix: 'Correct the numbers or raise gpu.count.',
    });
  }
  if (instanceGroups.some(({ count }) => !Number.isInteger(count) || count < 1)) {
    problems.push({
      code: 'bad-instances',
      message: `${name}.instanceGroups has a count that is no whole number from 1`,
      fix: 'Correct it.',
    });
  }
  return problems;
}

/** Every tensor a step reads must have been made, and be what the step's model takes. */
function ensembleProblems(model: TritonEnsemble, models: readonly TritonModel[]): readonly ConstructProblem[] {
  const problems: ConstructProblem[] = [];
  const made = new Map<string, TritonTensor>(model.inputs.map((each) => [each.name, each]));
  for (const step of model.ensemble) {
    const target = models.find(({ name }) => name === step.model);
    if (target === undefined || target === model) {
      problems.push({
        code: 'no-such-model',
        message: `${model.name}.ensemble has a step for a model that is not in models`,
        found: step.model,
        expected: models
          .filter((each) => each !== model)
          .map(({ name }) => name)
          .join(', '),
        fix: 'Correct the name, or add the model.',
      });
      continue;
    }
    problems.push(
      ...mapProblems(model.name, target, step.inputs, 'inputs'),
      ...mapProblems(model.name, target, step.outputs, 'outputs'),
    );
    for (const { name, optional } of target.inputs) {
      if (optional === true || step.inputs[name] !== undefined) continue;
      problems.push({
        code: 'input-without-tensor',
        message: `${model.name}.ensemble gives ${target.name} nothing for its input ${name}`,
        fix: "Add it to the step's inputs.",
      });
    }
    for (const { name, type } of target.outputs) {
      const tensor = step.outputs[name];
      if (tensor !== undefined) made.set(tensor, { name: tensor, type, dims: [] });
    }
  }
  for (const step of model.ensemble) {
    const target = models.find(({ name }) => name === step.model);
    for (const [input, tensor] of Object.entries(step.inputs)) {
      const source = made.get(tensor);
      const wanted = target?.inputs.find(({ name }) => name === input);
      if (source === undefined) {
        problems.push({
          code: 'tensor-never-made',
          message: `${model.name}.ensemble reads ${tensor} for ${step.model}, and neither an input nor a step makes it`,
          expected: [...made.keys()].join(', '),
          fix: "Correct the name, or add it to a step's outputs.",
        });
      } else if (wanted !== undefined && wanted.type !== source.type) {
        problems.push({
          code: 'tensor-of-other-type',
          message: `${model.name}.ensemble gives ${step.model} ${tensor} for ${input}, which is of another type`,
          found: source.type,
          expected: wanted.type,
          fix: 'Put a model between them that converts it.',
        });
      }
    }
  }
  for (const { name } of model.outputs) {
    if (made.has(name)) continue;
    problems.push({
      code: 'output-never-made',
      message: `${model.name} promises the output ${name}, and no step makes it`,
      expected: [...made.keys()].join(', '),
      fix: "Map it in a step's outputs.",
    });
  }
  return problems;
}

function mapProblems(
  ensemble: string,
  target: TritonModel,
  map: Readonly<Record<string, string>>,
  side: 'inputs' | 'outputs',
): readonly ConstructProblem[] {
  const names = target[side].map(({ name }) => name);
  return Object.keys(map)
    .filter((name) => !names.includes(name))
    .map((found) => ({
      code: 'no-such-tensor',
      message: `${ensemble}.ensemble maps ${side} that ${target.name} does not have`,
      found,
      expected: names.join(', '),
      fix: 'Correct the name.',
    }));
}
