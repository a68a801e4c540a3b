/** The one Debian of a run: booted when the first file asks for it, shut down after the last. */
import { mkdirSync } from 'node:fs';
import type { MachineAnswer } from '../support/systemd.ts';
import { bootMachine, type BootedMachine } from '../support/systemdBoot.ts';

export interface RunMachine {
  answer(): Promise<MachineAnswer>;
  end(): Promise<void>;
}

/** @param directory of the machine; made here where it is booted. */
export function runMachine(directory: string): RunMachine {
  let booting: Promise<BootedMachine> | undefined;
  const boot = (): Promise<BootedMachine> => {
    mkdirSync(directory);
    return bootMachine(directory);
  };
  return {
    answer: () =>
      (booting ??= boot()).then(
        ({ machine }) => ({ machine }),
        (error: unknown) => ({ error: String(error) }),
      ),
    end: async () => {
      const booted = await booting?.catch(() => undefined);
      await booted?.end();
    },
  };
}
