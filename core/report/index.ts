/** Check -> report -> verdict, and the renderers: each a pure function of the report. */

export { assembleReport, type ReportParts } from './assemble-report.ts';
export { type Bound, type Check, type Evidence, type FailingRows, type Status, statuses, type Unit } from './check.ts';
export { describeOutcome } from './check-facts.ts';
export type { ColumnProfile } from './column-profile.ts';
export { countsOf, describeCounts } from './counts.ts';
export { distinctIds } from './distinct-ids.ts';
export type {
  CalibrationFigure,
  ConfusionFigure,
  Curve,
  Figure,
  HistogramFigure,
  IntervalsFigure,
  LatencyFigure,
  PrecisionRecallFigure,
  ResidualsFigure,
  RocFigure,
  RolloutFigure,
  TableFigure,
} from './figure.ts';
export { headlineOf } from './headline.ts';
export { renderHtml } from './html.ts';
export { renderJunit } from './junit/render-junit.ts';
export { reportLimits } from './limits.ts';
export { escapeMarkdown } from './markdown/escape-markdown.ts';
export { type MarkdownOptions, renderMarkdown } from './markdown/render-markdown.ts';
export { nextStepsOf } from './next-steps.ts';
export { parseReport } from './parse-report.ts';
export { renderJson } from './render-json.ts';
export type { ModelSummary, Notice, PolicyDifference, Report, Verdict } from './report.ts';
export { renderSarif } from './sarif/render-sarif.ts';
export { renderTerminal, type TerminalOptions } from './terminal/render-terminal.ts';
export { exitCodeOf, verdictOf } from './verdict.ts';
export { statusWords, verdictWords } from './vocabulary.ts';
export { writeWhole } from './whole-files.ts';
export { type ReportFiles, writeReport } from './write-report.ts';
