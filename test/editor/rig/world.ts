/** Real servers and a real project in the workspace that is open, for suites that run inside the editor. */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as vscode from 'vscode';
import { makeRepository, type CommitDescription, type Repository } from '../../support/repo.ts';
import { startSshd, writeSshForServers, type SshdOptions, type TestServer } from '../../support/sshd.ts';
import { hands, stages } from './hands.ts';

export interface World {
  readonly servers: readonly TestServer[];
  readonly project: Repository;
  /** durant.conf. */
  readonly file: string;
  /** Writes the stage `production` on all servers, or the whole text, and waits until the extension has seen it. */
  readonly configure: (more: string) => Promise<void>;
  readonly write: (text: string) => Promise<void>;
  readonly stage: { readonly file: string; readonly stage: string };
  /** A file of the live release on a server; undefined where there is none. */
  readonly live: (server: TestServer, path: string) => string | undefined;
  /** Name of the live release. */
  readonly release: (server: TestServer) => string | undefined;
  readonly end: () => Promise<void>;
}

export interface WorldOptions {
  readonly servers: number;
  readonly commits?: readonly CommitDescription[];
  readonly sshd?: SshdOptions;
}

/** @param name of the folder in the workspace, and of the project's folder on each server. */
export async function makeWorld(name: string, options: WorldOptions): Promise<World> {
  const folder = vscode.workspace.workspaceFolders?.[0]?.uri.fsPath ?? '';
  const directory = join(folder, name);
  mkdirSync(directory);
  const servers = await Promise.all(
    Array.from({ length: options.servers }, () => startSshd(options.sshd ?? {})),
  );
  const project = makeRepository(
    options.commits ?? [{ message: 'First', files: { 'index.html': 'one\n', 'old.txt': 'old\n' } }],
    directory,
  );
  const knows = mkdtempSync(join(tmpdir(), 'durant-ssh-'));
  const { bin } = await writeSshForServers(join(knows, 'ssh'), servers);
  await setting('sshPath', join(bin, 'ssh'));
  const file = join(directory, 'durant.conf');
  const stage = { file, stage: 'production' };
  const write = async (text: string): Promise<void> => {
    await vscode.workspace.fs.writeFile(vscode.Uri.file(file), Buffer.from(text));
  };
  hands.forget();
  return {
    servers,
    project,
    file,
    stage,
    write,
    configure: async (more) => {
      const entries = servers.map(({ entry }) => `    ${entry}`).join('\n');
      await write(
        `[production]\nrepository: .\nproject_dir: ~/${name}\nspare: no\nserver:\n${entries}\n${more}\n`,
      );
      await vscode.extensions.getExtension('durant.durant')?.activate();
      await stages.row(/./);
    },
    live: (server, path) => {
      const full = join(server.home, name, 'current', path);
      return existsSync(full) ? readFileSync(full, 'utf8') : undefined;
    },
    release: (server) => {
      try {
        return readlinkSync(join(server.home, name, 'current')).replace(/^.*\//, '');
      } catch {
        return undefined;
      }
    },
    end: async () => {
      await setting('sshPath', undefined);
      for (const server of servers) await server.stop();
      for (const path of [directory, knows])
        rmSync(path, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 });
    },
  };
}

export async function setting(name: string, value: unknown): Promise<void> {
  await vscode.workspace.getConfiguration('durant').update(name, value, vscode.ConfigurationTarget.Global);
}

export function writeProject({ project }: World, path: string, text: string): void {
  writeFileSync(join(project.directory, path), text);
}
