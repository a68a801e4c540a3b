/** What carries out what an agent asked for. */
import type { Facts } from '../config/rules/validate.ts';
import type { ConfDocument } from '../config/syntax/document.ts';
import type { Emit, Host, StageRequest } from '../engine/index.ts';

export interface AgentContext {
  readonly host: Host;
  readonly doc: ConfDocument;
  /** Path of durant.conf that `doc` was read from. */
  readonly file: string;
  /** What is known here of some stages, for the check of the text. */
  readonly facts: (doc: ConfDocument, stages: readonly string[]) => Promise<Facts>;
  /** Steps of a run while it is under way. */
  readonly emit: Emit;
  readonly signal: AbortSignal;
}

/** Opens a stage; its goals too, where a deploy is about them. */
export type Open = (stage: string, goals?: 'with goals') => Promise<StageRequest>;
