/** The Debians of a run: one is booted when a file asks and none is free, all are shut down after the last file. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { MachineAnswer } from '../support/systemd.ts';
import { bootMachine, type BootedMachine } from '../support/systemdBoot.ts';

export interface RunMachines {
  /** For one file: a machine of its own until it is given back. */
  lease(): Lease;
  end(): Promise<void>;
}

export interface Lease {
  answer(): Promise<MachineAnswer>;
  giveBack(): void;
}

/** @param directory of the machines; made here where one is booted. */
export function runMachines(directory: string): RunMachines {
  const booting: Promise<BootedMachine>[] = [];
  const taken = new Set<number>();
  const boot = async (number: number): Promise<BootedMachine> => {
    // The first makes what the others start from.
    await booting[number - 1]?.catch(() => undefined);
    const folder = join(directory, String(number));
    mkdirSync(folder, { recursive: true });
    return bootMachine(folder);
  };
  return {
    lease() {
      let own: number | undefined;
      return {
        answer: () => {
          if (own === undefined) {
            own = 0;
            while (taken.has(own)) own += 1;
            taken.add(own);
          }
          return (booting[own] ??= boot(own)).then(
            ({ machine }) => ({ machine }),
            (error: unknown) => ({ error: String(error) }),
          );
        },
        giveBack: () => {
          if (own !== undefined) taken.delete(own);
        },
      };
    },
    end: async () => {
      const booted = await Promise.allSettled(booting);
      await Promise.all(booted.map((each) => (each.status === 'fulfilled' ? each.value.end() : undefined)));
    },
  };
}
