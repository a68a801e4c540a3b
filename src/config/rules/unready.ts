/** What a run would stumble over at once: a sample that was not filled in, and no git repository where one is named. */
import { problem, type Problem } from '../syntax/problems.ts';
import { resolveStage } from '../values/stage.ts';
import { parseServer } from '../values/serverEntries.ts';
import { plainItems, plainText, sshPortOf, valueOrKey, written, type SectionView } from './view.ts';

/** The server of the sample that `durant init` writes. */
export function sampleServers(view: SectionView): readonly Problem[] {
  if (view.place !== 'stage') return [];
  return plainItems(view, 'server').flatMap((item) => {
    const server = parseServer(item.text, { sshPort: sshPortOf(view) });
    if ('error' in server || server.host.toLowerCase() !== view.facts.sampleServer) return [];
    return [
      problem(
        'sample-server',
        item.range,
        `server: ${item.text} is the example's. Write the name of your server.`,
        {
          key: 'server',
          stage: view.name,
        },
      ),
    ];
  });
}

/** A folder that is to be deployed from, and in which git finds nothing. */
export function missingRepository(view: SectionView): readonly Problem[] {
  const found = written(view, 'repository');
  const path = plainText(view, 'repository');
  if (view.place !== 'stage' || found === undefined || path === undefined || path === '') return [];
  if (view.facts.isRepository?.(resolveStage(view.doc, view.name)) !== false) return [];
  return [
    problem(
      'no-repository',
      valueOrKey(found.option),
      `repository: ${path === '.' ? 'this folder' : path} is not a git repository. Name one, or make it one with: git init`,
      { key: 'repository', stage: view.name },
    ),
  ];
}
