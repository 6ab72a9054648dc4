import { httpProfile } from './profiles/http.ts';
import { istioProfile } from './profiles/istio.ts';
import { kserveProfile } from './profiles/kserve.ts';
import { mlserverProfile } from './profiles/mlserver.ts';
import { rayServeProfile } from './profiles/ray-serve.ts';
import { sluiceProfile } from './profiles/sluice.ts';
import { tgiProfile } from './profiles/tgi.ts';
import { torchserveProfile } from './profiles/torchserve.ts';
import { tritonProfile } from './profiles/triton.ts';
import { vllmProfile } from './profiles/vllm.ts';
import type { ServingProfile } from './serving-profile.ts';

export const servingProfileNames = [
  'sluice',
  'triton',
  'torchserve',
  'vllm',
  'tgi',
  'kserve',
  'mlserver',
  'ray-serve',
  'istio',
  'http',
] as const;
export type ServingProfileName = (typeof servingProfileNames)[number];

/** The model servers whose metrics are understood, and two ways to read any other: the mesh in front of it, and plain HTTP. */
export const servingProfiles: Readonly<Record<ServingProfileName, ServingProfile>> = {
  sluice: sluiceProfile,
  triton: tritonProfile,
  torchserve: torchserveProfile,
  vllm: vllmProfile,
  tgi: tgiProfile,
  kserve: kserveProfile,
  mlserver: mlserverProfile,
  'ray-serve': rayServeProfile,
  istio: istioProfile,
  http: httpProfile,
};
