import { basename } from 'node:path';
import { nativeVersions } from '../core/native/index.ts';
import { applyWaivers, defaultsOf } from '../core/policy/index.ts';
import { assembleReport, type Report, type ReportParts } from '../core/report/index.ts';
import manifest from '../package.json' with { type: 'json' };
import type { Gate } from './effective-policy.ts';
import { type GateInputs, todayOf } from './inputs.ts';
import { thisProcessor } from './processor.ts';

/** What the phases of a run found. */
export type Judged = Pick<ReportParts, 'checks' | 'sources'> &
  Partial<Pick<ReportParts, 'figures' | 'notices' | 'candidate' | 'baseline'>>;

/** The report of a gate: what was found, with the policy's waivers applied, and the frame every report has. */
export function gateReport(gate: Gate, judged: Judged, inputs: Pick<GateInputs, 'today'>): Report {
  const { policy, origin, differences, file } = gate.policy;
  const processor = thisProcessor();
  const settings = defaultsOf(policy);
  const waived = applyWaivers(judged.checks, policy.waivers, todayOf(inputs), {
    placeOf: (path) => gate.policy.placeOf(path),
    onInconclusive: settings.onInconclusive,
  });
  return assembleReport({
    tool: { name: 'sluice', version: manifest.version },
    name: policy.name ?? basename(gate.directory),
    checks: waived.checks,
    figures: judged.figures ?? [],
    notices: [...gate.notices, ...(judged.notices ?? []), ...waived.notices],
    policy: {
      file,
      origin,
      evidence: settings.evidence,
      onInconclusive: settings.onInconclusive,
      differences,
    },
    ...(judged.candidate === undefined ? {} : { candidate: judged.candidate }),
    ...(judged.baseline === undefined ? {} : { baseline: judged.baseline }),
    sources: judged.sources,
    ...(gate.commit === undefined ? {} : { commit: gate.commit }),
    environment: {
      platform: `${process.platform}-${process.arch}`,
      cpu: processor.model,
      ...(processor.flags.length === 0 ? {} : { cpuFlags: processor.flags }),
      node: process.versions.node,
      onnxruntime: nativeVersions.onnxruntime,
      duckdb: nativeVersions.duckdb,
    },
  });
}
