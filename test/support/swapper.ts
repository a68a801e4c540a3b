/** A web server's user who has turned against the site: swaps what lies in its folder for links, as fast as it can. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** The user's id. */
export const WEB = 33;

/**
 * In its working directory, swaps `folder` and `file` for links to `outside` and back. Says `ready` after its first rounds, and how many
 * there were when its standard input ends.
 */
const program = `
const { renameSync, symlinkSync, unlinkSync } = require('node:fs');
const outside = process.argv[1];
process.setgroups([]); process.setgid(${WEB}); process.setuid(${WEB});
let rounds = 0;
process.stdin.on('data', () => {}).on('end', () => { console.log('rounds ' + rounds); process.exit(); });
const swap = (name, target) => {
  renameSync(name, name + '.real');
  symlinkSync(target, name);
  unlinkSync(name);
  renameSync(name + '.real', name);
};
const many = () => {
  for (let each = 0; each < 50; each += 1) { swap('folder', outside); swap('file', outside + '/0'); rounds += 1; }
  if (rounds === 50) console.log('ready');
  setImmediate(many);
};
many();
`;

/** Starts in `folder`, which has a `folder` and a `file` and which anybody may write in. Needs root. `end` resolves to its rounds. */
export async function startSwapper(folder: string, outside: string): Promise<{ end(): Promise<number> }> {
  const web = spawn(process.execPath, ['-e', program, outside], {
    cwd: folder,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  await once(web.stdout, 'data');
  return {
    async end() {
      const said = once(web.stdout, 'data');
      const ended = once(web, 'exit');
      web.stdin.end();
      const rounds = Number(/\d+/.exec(String((await said)[0]))?.[0]);
      await ended;
      return rounds;
    },
  };
}
