/** The environment of what Durant starts from the editor. */
import type { Environment } from '../engine/thisMachine.ts';

/** Without the editor's own variables, which would turn programs that Durant starts into something else. */
export function cleanEnvironment(env: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(env).flatMap(([name, value]) =>
      value === undefined || /^(VSCODE_|ELECTRON_|APPLICATION_INSIGHTS_)/.test(name) ? [] : [[name, value]],
    ),
  );
}
