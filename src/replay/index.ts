/** The public surface of 'rewake/replay': exports only. */
export type { ChartState, ChartTransition, MachineChart } from '../kernel/chart.ts';
export type { JsonPatch, PatchOperation } from '../kernel/json-patch.ts';
export type { Blame, BlameLink } from './blame.ts';
export type { ContextChange, Frame, FrameActor, FrameEffect, FrameFact, FrameSource } from './frame.ts';
export { labelOf, lineOf, type EventLine, type LabelledEvent, type SourceOf } from './label.ts';
export { litIn, litOf, type Lit } from './lit.ts';
export { openReplay } from './open-replay.ts';
export { framePredicate } from './predicate.ts';
export type { DamagedRevision, Replay, ReplayedLog, ReplayOptions } from './replay.ts';
export type { EditedContent, PastEdit, Stub, WhatIf, WhatIfOptions } from './past-edit.ts';
export { whatIf } from './what-if.ts';
