/** The status of a stage whose settings could not be found out. Pure. */
import type { StageStatus } from '../engine/index.ts';
import { parseServer } from '../config/values/serverEntries.ts';
import { configJson, type Stage } from '../config/values/stage.ts';

/** @param error why. */
export function unknownStatus(stage: Stage, error: string): StageStatus {
  const written = configJson(stage).options['server']?.value;
  const servers = (Array.isArray(written) ? written : []).flatMap((item) => {
    const server = parseServer(String(item), { sshPort: undefined });
    return 'error' in server ? [] : [server];
  });
  return {
    stage: stage.name,
    mixed: false,
    hold: null,
    wave: null,
    servers: servers.map(({ entry, roles }) => ({
      server: entry,
      roles,
      release: null,
      commit: null,
      branch: null,
      subject: null,
      finished: null,
      behind: null,
      locked: null,
      hold: null,
      maintenance: false,
      free_bytes: null,
      unchecked: false,
      reverted: null,
      processes: [],
      error,
    })),
  };
}
