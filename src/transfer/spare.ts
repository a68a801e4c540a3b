export interface SpareRequest {
  readonly projectDir: string;
  /** The live release. */
  readonly release: string;
  readonly run: string;
  readonly hashTool: string;
}
/** sh text: starts one detached process that makes `.durant/spare.<run>` of the live release, and returns at once. */
export declare function spareScript(request: SpareRequest): string;
/** sh text: ends a spare in the making and removes every spare. */
export declare function spareStopScript(projectDir: string): string;
