export interface TouchedRequest {
  readonly projectDir: string;
  readonly release: string;
  readonly hashTool: string;
}
/** sh text: lists the paths of the release that no longer equal its manifest in `.durant/manifests/<release>.touched`. Run before the switch, after the last step that writes. */
export declare function touchedScript(request: TouchedRequest): string;
