import type { Construct } from 'constructs';
import { ProgramDeployment } from './program-deployment.ts';
import type { ServerProgram } from './server-program.ts';
import type { ServingProps } from './serving-props.ts';

export interface ModelServerProps extends ServingProps {
  readonly server: ServerProgram;
}

/**
 * A model server with the habits every one should have, whatever program it runs: probes that know how long a model takes to load, a verified
 * model, a pod that may do nothing it need not, updates and node drains that lose no request, and labels that metrics and canaries go by.
 * `OnnxDeployment`, `TritonDeployment` and the others are this with their program; use it itself for any other image.
 *
 * Every object can be changed before it is rendered: `server.workload.addJsonPatch(JsonPatch.add('/spec/paused', true))`.
 */
export class ModelServer extends ProgramDeployment {
  /** @throws ConstructError with everything that is wrong with the props */
  constructor(scope: Construct, id: string, props: ModelServerProps) {
    super(scope, id, { ...props, component: 'model-server' });
  }
}
