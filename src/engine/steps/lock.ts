/** `lock`: one run at a time per project_dir. Taken on all servers in one order before they are worked on in parallel (lockServers.ts). */
import { age } from '../server/preflight.ts';
import type { Step } from '../run/step.ts';

export const lock: Step = {
  name: 'lock',
  async achieved({ server }) {
    return server.hold.state === 'held';
  },
  async reason({ run, server }) {
    const holder = server.facts.lock;
    if (server.hold.state === 'held') return 'this run holds the lock';
    if (holder === null) return 'nobody holds the lock';
    return `held by ${holder.user}@${holder.host} for ${age(holder.started, run.host.now())} (${holder.action} of ${holder.stage})`;
  },
  async achieve() {
    // Locks are taken by `takeLocks`, on every server before the first step that changes anything.
  },
};
