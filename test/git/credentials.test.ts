import assert from 'node:assert/strict';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { DurantError } from '../../src/errors.ts';
import { parseRepository } from '../../src/git/repository.ts';
import { openGitArea, type GitArea } from './cloneSupport.ts';
import { serveRepositories, type HttpRepository } from './httpRepository.ts';

const password = 'pa:ss@word-77';

/** Of every process of this machine. */
function commandLines(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
      } catch {
        // It has ended meanwhile.
        return '';
      }
    });
}

describe('git: the password in a URL', function () {
  let area: GitArea;
  let served: HttpRepository;
  let repository: string;
  /** What ran while git waited for an answer. */
  const seen = new Set<string>();
  before(async () => {
    area = openGitArea();
    const below = area.remote('served/below', [{ message: 'below', files: { 'b.txt': 'below\n' } }]);
    const top = area.remote('served/top', [{ message: 'top', files: { 'a.txt': 'a\n' } }]);
    top.git('-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', below.directory, 'below');
    writeFileSync(
      join(top.directory, '.gitmodules'),
      '[submodule "below"]\n\tpath = below\n\turl = ../../below/.git\n',
    );
    top.git('add', '-A');
    top.git('commit', '-q', '-m', 'with a submodule');
    served = await serveRepositories(join(area.root, 'served'), 'ada', password, () => {
      for (const line of commandLines()) seen.add(line);
    });
    repository = `http://ada:${encodeURIComponent(password)}@127.0.0.1:${served.port}/top/.git`;
  });
  after(async () => {
    await served.stop();
    await area.remove();
  });

  const everything = (): string =>
    [area.cache, area.project]
      .flatMap((folder) => readdirSync(folder, { recursive: true, withFileTypes: true }))
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'latin1'))
      .join('\n');

  it('fetches the repository and its submodules, and is in no command line and no file', async () => {
    const { directory } = await area.deployed({ repository }, 'main');
    assert.equal(readFileSync(join(directory, 'below/b.txt'), 'utf8'), 'below\n');
    const lines = [...seen].filter((line) => line.includes(`127.0.0.1:${served.port}`));
    assert.ok(lines.length > 0, 'git was seen at work');
    for (const text of [...seen, everything()]) assert.doesNotMatch(text, /pa:ss@word-77|pa%3Ass%40word-77/i);
  });

  it('is asked for where the URL has none, for its host, and is in no command line and no file either', async () => {
    const origin = `http://127.0.0.1:${served.port}`;
    const bare = `${origin}/top/.git`;
    await assert.rejects(area.deployed({ repository: bare }, 'main'), {
      code: 'repository-unreachable',
      data: { signIn: origin },
    });
    const asked: string[] = [];
    const login = (of: string) => {
      asked.push(of);
      return Promise.resolve({ user: 'ada', password });
    };
    const { directory } = await area.deployed({ repository: bare, login }, 'main');
    assert.equal(readFileSync(join(directory, 'below/b.txt'), 'utf8'), 'below\n');
    assert.deepEqual(asked, [origin]);
    for (const text of [...seen, everything()]) assert.doesNotMatch(text, /pa:ss@word-77|pa%3Ass%40word-77/i);
    const wrong = () => Promise.resolve({ user: 'ada', password: 'word-78' });
    // The commit that is there already needs no login; a branch has to be asked for.
    await assert.rejects(area.deployed({ repository: bare, login: wrong }, 'main'), (error: DurantError) => {
      assert.deepEqual(error.data, { signIn: origin });
      assert.doesNotMatch(error.message, /word-78/);
      return true;
    });
  });

  it('is taken out of the configuration of a clone that has it', async () => {
    const { commit } = await area.deployed({ repository }, 'main');
    const config = join(area.bare(), 'config');
    writeFileSync(config, readFileSync(config, 'utf8').replace('http://', `http://ada:${password}@`));
    await area.deployed({ repository }, commit.id);
    assert.doesNotMatch(everything(), /pa:ss@word-77/);
  });

  it('that is wrong is an error without it', async () => {
    const wrong = repository.replace('word-77', 'word-78');
    await assert.rejects(area.deployed({ repository: wrong }, 'main'), (error: Error) => {
      assert.match(error.message, /cannot be fetched.*Authentication failed|could not read Password/i);
      assert.doesNotMatch(error.message, /word-78/);
      return true;
    });
  });

  it('is no part of the name in the cache, nor of a URL for ssh', () => {
    const key = (url: string): string => parseRepository(url, '/').key;
    assert.equal(key('https://a:b@c@example.org/x.git'), key('https://example.org/x.git'));
    assert.equal(parseRepository('ssh://git:secret@example.org/x', '/').url, 'ssh://git@example.org/x');
    assert.throws(() => parseRepository('https://a:b%0ac@example.org/x', '/'), { code: 'config-invalid' });
  });
});
